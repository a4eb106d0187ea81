//! A GNU Stow compatible symlink farm engine.
//!
//! A *package* is a directory whose content is to appear in a *target* directory; a farm is the target with the
//! symbolic links that make it so. [`Request`] says what is asked, [`Farm::plan`] reads what it takes and computes
//! the fewest links, [`Farm::apply`] does the plan or nothing.
//!
//! ```
//! use farm::{Action, Farm, Memory, Mount, Policy, RelPath, Request, Route, RuleBook, Run, Step};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let scratch = std::env::temp_dir().join(format!("farm-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(scratch.join("dotfiles/zsh"))?;
//! # std::fs::write(scratch.join("dotfiles/zsh/.zshrc"), "")?;
//! # let home = scratch.canonicalize()?;
//! // `home` holds `dotfiles/zsh/.zshrc`
//! let zsh = RelPath::new(b"zsh").expect("a name");
//! let request = Request {
//!     root: home.as_os_str().as_encoded_bytes().to_vec(),
//!     stow_dir: Route::below_root(RelPath::new(b"dotfiles").expect("a path below the root")),
//!     former: None,
//!     steps: vec![Step::new(Action::Link, zsh, Mount::Into(RelPath::root()))],
//!     others: Default::default(),
//!     earlier: None,
//!     rendered: None,
//!     policy: Policy::native(),
//! };
//! let farm = Farm::open(&request, &RuleBook::All)?;
//! let planned = farm.plan()?;
//! assert!(planned.conflicts.is_empty());
//! let run = Run::new(["link", "zsh"]);
//! farm.apply(&planned.plan, &Memory::none(), &run).map_err(|failure| failure.error)?;
//! assert_eq!(std::fs::read_link(home.join(".zshrc"))?.to_str(), Some("dotfiles/zsh/.zshrc"));
//! # std::fs::remove_dir_all(scratch)?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs, clippy::print_stdout, clippy::print_stderr)]

mod copy;
mod error;
mod execute;
mod farm;
mod history;
mod journal;
mod known;
pub mod manifest;
mod op;
mod package;
mod packed;
mod path;
mod plan;
mod policy;
mod rendered;
mod rulebook;
mod rules;
mod scan;
mod snapshot;
mod status;
mod store;
mod sys;
mod threads;
mod tree;
mod written;

pub use error::{Error, Result, ScanError, system_words};
pub use execute::{Failure, Outcome, Recovered};
pub use farm::{Farm, Memory, Run};
pub use history::{Expired, Way};
pub use journal::{Header, Record};
pub use known::Known;
pub use op::{
    Change, Entry as PackageEntry, Fate, Fates, Op, Ops, Piece, Place, Plan, Slot, Thing, Usual, What,
};
pub use package::{Action, Method, Mount, Request, Step, Supply};
pub use path::{LinkText, Name, RelPath, Route};
pub use plan::{
    Compared, Conflict, Direction, InPackage, Notice, Objection, Obstacle, Planned, Reason, Refused,
    Transfer, Transferred, Vacant, plan, transfer,
};
pub use policy::{
    AbsoluteSource, Backup, Existing, Fold, Folds, Guarded, Naming, OnConflict, OnFile, Ownership, Policy,
    Refold, Strategy, Tidy, Walk,
};
pub use rendered::{Content, Rendered, Stored};
pub use rulebook::RuleBook;
pub use rules::{
    Globs, Kept, OptionPatterns, Origin, PathPatterns, PatternError, RegexError, Rules, StartPatterns,
};
pub use scan::plan_transfer;
pub use snapshot::{Fact, Need, Pair, Side, Snapshot, SourceId};
pub use status::{Finding, Finds, Linked, Standing, Stands, State};
pub use store::{
    READ_GENERATION, Store, Touched, Wait, is_interrupted, look_at_generations, rendered_dir, shelf,
};
pub use sys::{host_name, is_out_of_reach};
pub use tree::{DirId, Entries, Leads, Link, Node, Tree};
