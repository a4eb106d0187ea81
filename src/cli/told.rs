//! What the words and the JSON tell of: generations, commands that were run, and how packages stand.

use std::path::PathBuf;

use farm::{Error, Finds, Header, Kept, LinkText, Ops, Reason, RelPath, Standing, State};

use super::resolve::Claim;
use super::survey::Survey;

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
        !is_right
            && match self.claim {
                Claim::Wanted => true,
                Claim::Found => self.standing.is_there(),
                Claim::NotHere => false,
            }
    }

    /// Tells whether there is nothing of a package, as it should be: it is not for this machine.
    pub fn is_not_here(&self) -> bool {
        self.claim == Claim::NotHere && self.standing.state() == State::Empty
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

/// A path that the manifest names by itself, in `[files]` or `[file]`.
#[derive(Debug)]
pub struct Named {
    /// The path.
    pub at: RelPath,
    /// The line that names it.
    pub line: usize,
    /// What is there.
    pub there: There,
}

/// What is at a path.
#[derive(Debug)]
pub enum There {
    /// A link with this text.
    Link(LinkText),
    /// A directory.
    Directory,
    /// A file, or something else.
    File,
    /// Nothing.
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

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    /// The links, and what could not be looked at.
    pub survey: Survey,
    /// What is no link beside links of packages, when that was asked for.
    pub aliens: Vec<RelPath>,
}

impl Checked {
    /// Tells whether anything is wrong, or was not seen. Two links to one thing may be meant.
    pub fn is_off(&self) -> bool {
        let dead = self.survey.links.iter().any(|link| link.state.is_dead());
        dead || !self.aliens.is_empty() || !self.survey.errors.is_empty()
    }
}

/// What `farm doctor` looked at, and what it found.
#[derive(Debug)]
pub enum Checkup {
    /// This program.
    Program,
    /// The dotfiles directory, and whether it may be written.
    Dotfiles(PathBuf, Writable),
    /// The target, and whether it may be written.
    Target(PathBuf, Writable),
    /// The target is still to be made.
    TargetToBeMade(PathBuf),
    /// The manifest, with so many packages and single files.
    Manifest(PathBuf, usize, usize),
    /// No manifest, or one that says nothing.
    NoManifest,
    /// `.stowrc` files say something, and whether it counts.
    StowRc(Counts),
    /// The state directory cannot be known.
    NoStateDir,
    /// The state directory is made with the first change.
    StateToBeMade(PathBuf),
    /// The state directory is as it should be.
    State(PathBuf),
    /// The state directory lets others in.
    StateOpen(PathBuf),
    /// The state directory belongs to somebody else.
    StateOfAnother(PathBuf),
    /// What is there is no directory.
    StateIsNone(PathBuf),
    /// The state directory may not be written.
    StateReadOnly(PathBuf),
    /// What moves between target and state directory is copied.
    StateElsewhere,
    /// A run was interrupted.
    Interrupted,
    /// Another farm is at work.
    Busy,
    /// The memory cannot be read.
    Memory(Error),
    /// So many generations can be gone back to.
    Generations(usize),
    /// Something of an interrupted run is left there.
    LeftOver(PathBuf),
    /// New shells do not get what the manifest says.
    Session,
    /// git cannot be run.
    NoGit,
}

/// Whether something may be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Writable {
    Yes,
    No,
}

/// Whether something counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counts {
    Yes,
    /// A manifest takes its place.
    No,
}

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    Fine,
    /// farm works, and something does not.
    Warning,
    /// farm cannot work.
    Error,
}

impl Checkup {
    /// Returns how bad it is.
    pub fn level(&self) -> Level {
        match self {
            Checkup::Target(_, Writable::No)
            | Checkup::Memory(_)
            | Checkup::StateIsNone(_)
            | Checkup::StateOfAnother(_) => Level::Error,
            Checkup::Dotfiles(_, Writable::No)
            | Checkup::NoStateDir
            | Checkup::StateOpen(_)
            | Checkup::StateReadOnly(_)
            | Checkup::Interrupted
            | Checkup::LeftOver(_)
            | Checkup::Session
            | Checkup::NoGit => Level::Warning,
            _ => Level::Fine,
        }
    }
}
