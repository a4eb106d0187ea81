//! Which entries of a package count, and which target paths options name.

mod native;

use crate::path::{Name, RelPath};

pub use native::{Base, GlobList, Globs, NativeRules, PatternError};

/// An entry of a package whose fate is asked.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The directory it is in, as the package spells it.
    pub source_dir: &'a RelPath,
    /// The same directory as the target spells it.
    pub target_dir: &'a RelPath,
    /// Its name in the package.
    pub name: &'a Name,
    /// Whether it is a real directory.
    pub is_dir: bool,
}

/// Which entries of one package count.
#[derive(Clone, Debug)]
pub enum Rules {
    /// All of them.
    All,
    /// Farm's own way: gitignore patterns that add up.
    Native(NativeRules),
}

impl Rules {
    /// Tells whether an entry is kept out, with all that is below it.
    pub fn ignores(&self, candidate: &Candidate) -> bool {
        match self {
            Rules::All => false,
            Rules::Native(rules) => rules.ignores(candidate),
        }
    }

    /// Tells whether a pattern of the user's keeps an entry out; the built-in ones do not count.
    ///
    /// A directory with such an entry below it is not folded (stow issue 131).
    pub fn hides(&self, candidate: &Candidate) -> bool {
        match self {
            Rules::All => false,
            Rules::Native(rules) => rules.hides(candidate),
        }
    }

    /// Tells whether [`hides`](Self::hides) could ever say yes; if not, nothing needs to be read to find out.
    pub fn may_hide(&self) -> bool {
        match self {
            Rules::All => false,
            Rules::Native(rules) => rules.may_hide(),
        }
    }
}

/// Target paths that `--defer` or `--override` name.
#[derive(Clone, Default, Debug)]
pub enum PathPatterns {
    /// None.
    #[default]
    None,
    /// Globs on the whole path from the target.
    Globs(Globs),
}

impl PathPatterns {
    /// Tells whether a path is named.
    pub fn matches(&self, path: &[u8]) -> bool {
        match self {
            PathPatterns::None => false,
            PathPatterns::Globs(globs) => globs.matches(path),
        }
    }
}
