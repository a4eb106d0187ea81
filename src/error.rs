//! What failed, as data: a system call with its verb, path and cause; a farm that cannot be read.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

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
        write!(f, "cannot {} {}: {}", self.verb, self.path.display(), system_words(&self.source))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Returns the system's words for an error, without the number behind them, which says nothing to anybody.
pub fn system_words(error: &io::Error) -> String {
    let words = match (error.raw_os_error(), error.get_ref(), errno(error.kind())) {
        // Rust has words of its own for what no system call said.
        (None, None, Some(errno)) => io::Error::from(errno).to_string(),
        _ => error.to_string(),
    };
    words.split_once(" (os error").map_or(words.as_str(), |(words, _)| words).to_owned()
}

fn errno(kind: io::ErrorKind) -> Option<Errno> {
    Some(match kind {
        io::ErrorKind::AlreadyExists => Errno::EXIST,
        io::ErrorKind::InvalidInput => Errno::INVAL,
        io::ErrorKind::IsADirectory => Errno::ISDIR,
        io::ErrorKind::NotADirectory => Errno::NOTDIR,
        io::ErrorKind::NotFound => Errno::NOENT,
        io::ErrorKind::PermissionDenied => Errno::ACCESS,
        io::ErrorKind::Unsupported => Errno::NOTSUP,
        _ => return None,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_system_call_said_is_in_the_systems_words_too() {
        let says = |source: io::Error| Error::new("move", "a", source).to_string();
        assert_eq!(says(Errno::EXIST.into()), "cannot move a: File exists");
        assert_eq!(says(io::ErrorKind::AlreadyExists.into()), "cannot move a: File exists");
        assert_eq!(says(io::Error::other("it is theirs")), "cannot move a: it is theirs");
    }
}
