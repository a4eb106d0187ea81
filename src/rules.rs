//! Which entries of a package count, and which target paths options name.

mod builtin;
mod native;
mod perl;
mod stow;

use std::path::PathBuf;

use crate::path::RelPath;

pub use builtin::LIST_NAME;
pub use native::{Base, FARMIGNORE, GlobList, Globs, NativeRules, PatternError};
pub use perl::{Origin, RegexError};
pub use stow::{IgnoreList, OptionPatterns, StartPatterns, StowRules};

/// An entry of a package whose fate is asked.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The directory it is in, as the package spells it.
    pub source_dir: &'a RelPath,
    /// The same directory as the target spells it.
    pub target_dir: &'a RelPath,
    /// Its name in the package: one segment of a path.
    pub name: &'a [u8],
    /// Whether it is a real directory.
    pub is_dir: bool,
}

/// What keeps an entry out of a farm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// It is a file of rules itself.
    Rules,
    /// The built-in list.
    BuiltIn,
    /// A gitignore pattern in a file.
    ByFile {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The pattern.
        pattern: String,
    },
    /// A gitignore pattern of an option or of a key of the manifest.
    ByOption {
        /// The option or the file.
        option: &'static str,
        /// The pattern.
        pattern: String,
    },
    /// The package's `.stow-local-ignore`.
    StowList,
    /// A `.stowrc`.
    StowRc,
}

/// Which entries of one package count.
#[derive(Clone, Debug)]
pub enum Rules {
    /// All of them.
    All,
    /// Farm's own way: gitignore patterns that add up.
    Native(NativeRules),
    /// GNU Stow's way: `--ignore`, then one list.
    Stow(StowRules),
}

impl Rules {
    /// Tells whether an entry is kept out, with all that is below it.
    pub fn ignores(&self, candidate: &Candidate) -> bool {
        match self {
            Rules::All => false,
            Rules::Native(rules) => rules.ignores(candidate),
            Rules::Stow(rules) => rules.ignores(candidate.target_dir.as_bytes(), candidate.name),
        }
    }

    /// Returns what keeps an entry out; says the same as [`ignores`](Self::ignores), with the reason.
    pub fn keeps(&self, candidate: &Candidate) -> Option<Kept> {
        match self {
            Rules::All => None,
            Rules::Native(rules) => rules.keeps(candidate),
            Rules::Stow(_) => self.ignores(candidate).then_some(Kept::StowList),
        }
    }

    /// Tells whether a pattern of the user's keeps an entry out; the built-in ones do not count.
    ///
    /// A directory with such an entry below it is not folded (stow issue 131).
    pub fn hides(&self, candidate: &Candidate) -> bool {
        match self {
            // Stow folds over what it ignores.
            Rules::All | Rules::Stow(_) => false,
            Rules::Native(rules) => rules.hides(candidate),
        }
    }

    /// Tells whether [`hides`](Self::hides) could ever say yes; if not, nothing needs to be read to find out.
    pub fn may_hide(&self) -> bool {
        match self {
            Rules::All | Rules::Stow(_) => false,
            Rules::Native(rules) => rules.may_hide(),
        }
    }
}

/// Target paths that `--defer` or `--override` name.
#[derive(Clone, Default, Debug)]
pub struct PathPatterns {
    /// Globs on the whole path from the target.
    pub globs: Globs,
    /// Perl regular expressions at the start of the path from the target.
    pub starts: StartPatterns,
}

impl PathPatterns {
    /// Tells whether a path is named.
    pub fn matches(&self, path: &[u8]) -> bool {
        self.globs.matches(path) || self.starts.matches(path)
    }
}
