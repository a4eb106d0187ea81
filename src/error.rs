//! What a system call that failed has to say: verb, path and cause.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

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
