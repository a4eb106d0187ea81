//! What the words and the JSON tell of: generations, commands that were run, and how packages stand.

use std::path::PathBuf;

use farm::{Finds, Header, Kept, LinkText, Ops, Reason, RelPath, Standing, State};

use super::resolve::Claim;

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

/// How a package stands, and what of that matters here.
#[derive(Debug)]
pub struct Status {
    /// How it stands.
    pub standing: Standing,
    /// Why it is looked at.
    pub claim: Claim,
    /// Files in its folded directories that git does not know, by their target paths.
    pub new: Vec<RelPath>,
}

impl Status {
    /// Tells whether anything is not as it should be: a package that nobody wants linked need not be.
    pub fn is_off(&self) -> bool {
        let is_right = matches!(self.standing.state(), State::Linked | State::Empty);
        !is_right && (self.claim == Claim::Wanted || self.standing.is_there())
    }
}

/// Why a path is linked, or is not, for one package.
#[derive(Debug)]
pub struct Because {
    /// The package.
    pub package: RelPath,
    /// Why.
    pub why: Why,
}

/// Why a path is linked, or is not.
#[derive(Debug)]
pub enum Why {
    /// It is a link, or below one.
    Link {
        /// The link.
        at: RelPath,
        /// Its text.
        text: LinkText,
    },
    /// It is a real directory with so many of the package's links in it.
    Directory(usize),
    /// Something at the path, or above it, is not as linking would make it.
    Finding {
        /// Where.
        at: RelPath,
        /// What.
        what: Finds,
    },
    /// A rule keeps it out, or a directory above it.
    Kept {
        /// What is kept out, by its path in the package.
        entry: RelPath,
        /// The rule.
        by: Kept,
    },
    /// The manifest says that the package is not for this machine.
    NotHere {
        /// The manifest.
        manifest: PathBuf,
        /// The line that names the package.
        line: usize,
    },
    /// The package has it, and linking makes nothing for it: it is a directory with nothing to link.
    Nothing,
}

/// What a link would replace.
#[derive(Debug)]
pub struct Difference {
    /// The package.
    pub package: RelPath,
    /// Where, from the farm's root.
    pub path: RelPath,
    /// What is there.
    pub reason: Reason,
    /// How it differs from the package's file, when both are files: a unified diff, or why there is none.
    pub diff: Option<Result<String, String>>,
}
