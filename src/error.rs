//! What failed, as data: a system call with its verb, path and cause; a farm that cannot be read.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::rules::{PatternError, RegexError};

/// A failed attempt to do something to a path.
#[derive(Debug)]
pub struct Error {
    /// What was tried, in a form that follows "cannot": `read directory`.
    pub verb: &'static str,
    /// What it was tried on.
    pub path: PathBuf,
    /// Why it failed.
    pub source: io::Error,
}

/// The library's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Returns the error of trying `verb` on `path`.
    pub fn new(verb: &'static str, path: impl AsRef<Path>, source: impl Into<io::Error>) -> Error {
        Error { verb, path: path.as_ref().to_owned(), source: source.into() }
    }

    /// Tells whether the disk is full, or what the user may have of it.
    pub(crate) fn is_for_want_of_room(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The number behind the system's words says nothing to anybody.
        let cause = self.source.to_string();
        let cause = cause.split_once(" (os error").map_or(cause.as_str(), |(words, _)| words);
        write!(f, "cannot {} {}: {cause}", self.verb, self.path.display())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Why a farm cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// A system call failed.
    #[error(transparent)]
    System(#[from] Error),
    /// A list of globs is wrong.
    #[error("{}: {error}", file.display())]
    Glob {
        /// The file it stands in, or the option.
        file: PathBuf,
        /// What is wrong.
        error: PatternError,
    },
    /// A list of regular expressions is wrong.
    #[error("{}: {error}", file.display())]
    Regex {
        /// The file it stands in.
        file: PathBuf,
        /// What is wrong.
        error: RegexError,
    },
    /// There is no such package.
    #[error("no package {}", path.display())]
    NoPackage {
        /// Where it should be.
        path: PathBuf,
    },
}
