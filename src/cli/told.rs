//! What the words and the JSON tell of: generations, and commands that were run.

use farm::{Header, Ops, RelPath};

/// A generation.
pub struct Told {
    /// What its record says of itself.
    pub header: Header,
    /// When, in the local time zone.
    pub date: String,
    /// What its command changed.
    pub ops: Ops,
    /// Whether it is the state of things.
    pub is_current: bool,
}

/// A command that a change calls for.
#[derive(Clone, Debug)]
pub struct OnChange {
    /// The target path whose content has changed, from the farm's root.
    pub at: RelPath,
    /// The command, for `sh`.
    pub command: String,
    /// How it ended; `None` when it was not run.
    pub ended: Option<Ended>,
}

/// Whether new shells get something else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewShells {
    /// They do.
    Differ,
    /// They do not.
    AsBefore,
}

/// How a command ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// With success.
    Well,
    /// In another way; in the system's words.
    Badly(String),
}
