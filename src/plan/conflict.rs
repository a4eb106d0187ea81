//! What stands in a plan's way, and what a plan leaves out: facts, whose sentences are somebody else's job.

use crate::package::Action;
use crate::path::{LinkText, Name, RelPath, Route};
use crate::policy::Strategy;

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
    /// The way to the target is blocked by a link that the farm did not make: farm goes through none.
    OnTheWay(LinkText),
    /// The package does not have what is to be linked, or it is no directory where one is needed.
    NoSource {
        /// Where it should be.
        source: Route,
    },
    /// The backup of something else goes there.
    BackupPlace,
    /// A strategy was to make way, and cannot here.
    Unresolved {
        /// What is in the way.
        of: Box<Reason>,
        /// Why the strategy cannot.
        why: Obstacle,
    },
}

/// Why a strategy cannot make way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Obstacle {
    /// The backup would get this name, and there is something of that name.
    BackupExists(Name),
    /// The backup's name would be longer than a system takes.
    BackupTooLong(Name),
    /// Only a file is adopted, and only in a file's place.
    NotAdoptable,
    /// The directory is, or holds, the dotfiles directory.
    HoldsStowDir,
    /// The directory is, or holds, one that a `.stow` or `.nonstow` file marks as somebody else's.
    HoldsMarked(RelPath),
    /// The directory holds links of another package, or will.
    HoldsLinks {
        /// The other package; `None` when the same request works in the directory.
        owner: Option<RelPath>,
    },
}

impl Reason {
    /// Tells whether `strategy` may make way here; what only a second look at the farm can tell, planning says.
    pub fn allows(&self, strategy: &Strategy) -> bool {
        let stop = *strategy == Strategy::Stop;
        match self {
            Reason::File { compared: Compared::Differ, .. } => !stop,
            Reason::File { .. } | Reason::NotOwned(_) | Reason::Directory { .. } => {
                !stop && *strategy != Strategy::Adopt
            }
            Reason::Unresolved { of, why } => {
                of.allows(strategy)
                    && match why {
                        Obstacle::BackupExists(_) | Obstacle::BackupTooLong(_) => {
                            !matches!(strategy, Strategy::Backup(_))
                        }
                        Obstacle::NotAdoptable => *strategy != Strategy::Adopt,
                        Obstacle::HoldsStowDir | Obstacle::HoldsMarked(_) | Obstacle::HoldsLinks { .. } => {
                            *strategy == Strategy::Skip
                        }
                    }
            }
            Reason::AbsoluteSource { .. }
            | Reason::OtherPackage { .. }
            | Reason::FileForDirectory { .. }
            | Reason::StowDir
            | Reason::NotADirectory
            | Reason::OnTheWay(_)
            | Reason::NoSource { .. }
            | Reason::BackupPlace => false,
        }
    }

    /// Tells whether any strategy may make way.
    pub fn is_resolvable(&self) -> bool {
        self.allows(&Strategy::Skip)
    }
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
    /// Farm wrote the file, and somebody has changed it since.
    Edited,
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
    /// A file that farm wrote, that is not wanted any more, and that somebody has changed.
    Edited(RelPath),
    /// A backup that was to come back and is no longer there, or no longer what was put there.
    NoBackup {
        /// Where it was to come back to.
        path: RelPath,
        /// The name that it had in the same directory.
        backup: Name,
    },
}
