//! What stands in a plan's way, and what a plan leaves out: facts, whose sentences are somebody else's job.

use crate::package::Action;
use crate::path::{LinkText, RelPath, Route};

/// One thing in the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conflict {
    /// What was tried.
    pub action: Action,
    /// The package it was tried for.
    pub package: RelPath,
    /// Where, from the farm's root.
    pub path: RelPath,
    /// Why it cannot be.
    pub reason: Reason,
}

/// Why something is in the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The package's entry is a link with an absolute text, which would lead elsewhere when the farm moves.
    AbsoluteSource {
        /// The package's entry.
        source: Route,
        /// Its text.
        text: LinkText,
    },
    /// A link that the farm did not make is there.
    NotOwned(LinkText),
    /// A link to another package, or to another place in this one, is there.
    OtherPackage {
        /// Its text.
        text: LinkText,
        /// The package it leads into.
        owner: RelPath,
    },
    /// A directory is there, and the package has something else.
    Directory {
        /// The package's entry.
        source: Route,
    },
    /// A file is there and the package has a directory, so it cannot be adopted.
    FileForDirectory {
        /// The package's entry.
        source: Route,
    },
    /// A file, or a FIFO, socket or device, is there.
    File {
        /// The package's entry.
        source: Route,
        /// What is known of the two files.
        compared: Compared,
    },
    /// It is the dotfiles directory: writing there would change the packages.
    StowDir,
    /// The way to the target is blocked by something that is no directory.
    NotADirectory,
}

/// How a file in the way compares with the package's entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compared {
    /// Nobody compared them.
    No,
    /// Both are files, and their bytes or modes differ.
    Differ,
    /// They are not both files.
    OtherKind,
}

/// Something that a plan leaves out on purpose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// The stow directory itself.
    StowDir(RelPath),
    /// A directory that a `.stow` file marks as a stow directory.
    Marked(RelPath),
    /// A directory that a `.nonstow` file protects.
    Protected(RelPath),
    /// A link with an absolute text, which an unlink leaves.
    AbsoluteLink {
        /// Where it is.
        path: RelPath,
        /// Its text.
        text: LinkText,
    },
}
