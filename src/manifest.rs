//! `farm.toml` as data: text in, a [`Manifest`] or every mistake out.
//!
//! Nothing here looks at the disk or the environment. What depends on the machine (platforms, conditions, `~`) stays as
//! it was written until [`Manifest::layout`] and its kin are given a [`Machine`].

mod check;
mod keys;
mod layout;
mod machine;
mod mistake;
mod place;
mod read;
mod schema;
mod session;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

use crate::package::Method;
use crate::path::Name;
use crate::policy::{Backup, Naming};
use crate::rules::Globs;

pub use keys::{Key, MANIFEST, Shape};
pub use layout::{Base, Entry, Layout, Placed};
pub use machine::Machine;
pub use mistake::{Expected, Fault, Mistake, Only, nearest};
pub use schema::schema;
pub use session::Script;

/// A value, and where the manifest says it.
#[derive(Clone, Debug)]
pub struct Said<T> {
    /// The value.
    pub value: T,
    /// Where, in bytes from the start of the text.
    pub span: Range<usize>,
}

/// What a `farm.toml` says.
#[derive(Clone, Default, Debug)]
pub struct Manifest {
    /// What holds for everything that does not say otherwise.
    pub defaults: Defaults,
    /// Packages that it says something about.
    pub packages: BTreeMap<Name, Package>,
    /// Single target paths, those of `[files]` too, in the order of their names.
    pub files: Vec<File>,
    /// What a new shell gets.
    pub session: Session,
    /// Choices of packages.
    pub profiles: BTreeMap<String, Profile>,
}

/// What holds for everything that does not say otherwise.
#[derive(Clone, Default, Debug)]
pub struct Defaults {
    /// The root of the farm, as written.
    pub target: Option<Said<String>>,
    /// Where packages land.
    pub landing: Option<Landing>,
    /// Which directories may be one link.
    pub folding: Option<Folding>,
    /// How names translate.
    pub naming: Naming,
    /// What becomes of things in the way, when it says.
    pub conflict: Option<Clash>,
    /// How backups are named, when it says anything about them.
    pub backup: Option<Backup>,
    /// What is never linked, in gitignore syntax.
    pub ignore: Vec<String>,
}

/// Where a package lands; the path as written.
#[derive(Clone, Debug)]
pub enum Landing {
    /// It appears itself under this path.
    As(Said<String>),
    /// Its content appears in this directory.
    Into(Said<String>),
}

/// Which directories may be one link.
#[derive(Clone, Debug)]
pub enum Folding {
    /// All of them.
    All,
    /// None.
    None,
    /// All but those at target paths that match these globs, as written.
    Except(Vec<Said<String>>),
}

/// What becomes of things in the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clash {
    /// They are conflicts.
    Stop,
    /// They stay, and the rest is linked.
    Skip,
    /// They get another name in the same directory.
    Backup,
    /// Files take the place of the package's files.
    Adopt,
    /// They go to the state directory.
    Replace,
    /// Somebody is asked about each.
    Ask,
}

/// A package that the manifest says something about.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: Said<Name>,
    /// What it says for every machine.
    pub all: PackageChoices,
    /// What is different on Linux.
    pub linux: PackageChoices,
    /// What is different on macOS.
    pub macos: PackageChoices,
    /// What must hold for it to count.
    pub when: When,
}

/// What may differ from platform to platform.
#[derive(Clone, Default, Debug)]
pub struct PackageChoices {
    /// The directory beside the manifest.
    pub source: Option<Said<String>>,
    /// Where it lands.
    pub landing: Option<Landing>,
    /// Which directories may be one link.
    pub folding: Option<Folding>,
    /// Whether it counts.
    pub enable: Option<bool>,
}

/// One file or directory at one target path.
#[derive(Clone, Debug)]
pub struct File {
    /// The target path, as written.
    pub target: Said<String>,
    /// What it says for every machine.
    pub all: FileChoices,
    /// What is different on Linux.
    pub linux: FileChoices,
    /// What is different on macOS.
    pub macos: FileChoices,
    /// The permissions of a file that farm writes.
    pub mode: Option<u32>,
    /// Whether every file of a directory is linked by itself.
    pub recursive: bool,
    /// Whether what is in the way goes to the state directory.
    pub force: bool,
    /// How it comes to be there.
    pub method: Method,
    /// What must hold for it to count.
    pub when: When,
    /// A command for `sh`, to be run when the content has changed.
    pub on_change: Option<String>,
}

/// What may differ from platform to platform.
#[derive(Clone, Default, Debug)]
pub struct FileChoices {
    /// Where the content comes from.
    pub content: Option<Content>,
    /// Whether it counts.
    pub enable: Option<bool>,
}

/// Where a file's content comes from.
#[derive(Clone, Debug)]
pub enum Content {
    /// A path from the manifest's directory, as written.
    Source(Said<String>),
    /// The manifest itself.
    Text(Said<String>),
    /// A Jinja template at a path from the manifest's directory, as written.
    Template(Said<String>),
}

/// What must hold for an entry to count; nothing by default.
#[derive(Clone, Default, Debug)]
pub struct When {
    /// The systems of which it must be one.
    pub os: Option<Vec<String>>,
    /// Globs of which one must match the machine's name.
    pub host: Option<Globs>,
    /// Variables, each with the globs that its value must match.
    pub env: Vec<(String, Globs)>,
    /// Paths, as written, at which there must be something.
    pub exists: Vec<String>,
}

/// What a new shell gets.
#[derive(Clone, Default, Debug, Serialize)]
pub struct Session {
    /// Directories that come before `PATH`.
    pub path: Vec<String>,
    /// Variables.
    pub variables: BTreeMap<String, String>,
    /// Lines to run, by the shell's name.
    pub init: BTreeMap<String, String>,
}

/// A choice of packages.
#[derive(Clone, Default, Debug)]
pub struct Profile {
    /// Their names.
    pub packages: Vec<Said<String>>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text; with something wrong in its form, only that.
    pub fn parse(text: &str) -> Result<Manifest, Vec<Mistake>> {
        let sorted = |mut mistakes: Vec<Mistake>| {
            mistakes.sort_by_key(|mistake| (mistake.span.start, mistake.span.end));
            mistakes
        };
        read::read(text).map_err(sorted)
    }
}

impl Manifest {
    /// Tells whether it says nothing: a file that only marks the dotfiles directory.
    pub fn says_nothing(&self) -> bool {
        let Manifest { defaults, packages, files, session, profiles } = self;
        let Defaults { target, landing, folding, naming, conflict, backup, ignore } = defaults;
        packages.is_empty()
            && files.is_empty()
            && profiles.is_empty()
            && (target.is_none() && landing.is_none() && folding.is_none() && *naming == Naming::AsIs)
            && (conflict.is_none() && backup.is_none() && ignore.is_empty())
            && session.is_empty()
    }
}

impl<T> Said<T> {
    /// Returns another value that is said at the same place.
    pub fn map<U>(self, other: impl FnOnce(T) -> U) -> Said<U> {
        Said { value: other(self.value), span: self.span }
    }
}
