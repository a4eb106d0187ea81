//! Which entries of a package count: ignore lists and patterns, as values that only compare bytes.
//!
//! Nothing here reads a file: whoever finds an ignore list on the disk passes its text to
//! [`IgnoreList::parse`]. Patterns are compiled once, when they arrive, and only when there are any.

mod builtin;
mod perl;
pub mod stow;

use thiserror::Error;

use crate::rules::perl::Pattern;
pub use crate::rules::stow::{IgnoreList, OptionPatterns, StowRules};

/// Patterns that are searched at the start of a path in the target (`--defer`, `--override`).
#[derive(Clone, Default, Debug)]
pub struct PathPatterns {
    patterns: Vec<Pattern>,
}

impl PathPatterns {
    /// Returns the patterns of an option, each anchored where the path begins and open at its end, as in stow.
    ///
    /// `origin` is what an error names as the place the pattern came from.
    pub fn new(patterns: &[Vec<u8>], origin: Origin) -> Result<PathPatterns, PatternError> {
        let compile = |pattern: &Vec<u8>| Pattern::compile(r"\A(", pattern, ")", origin);
        Ok(PathPatterns { patterns: patterns.iter().map(compile).collect::<Result<_, _>>()? })
    }

    /// Tells whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Tells whether a pattern matches the beginning of `path`, a path below the target such as `bin/perl`.
    pub fn matches(&self, path: &[u8]) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_match(path))
    }
}

/// Where a pattern was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A line of an ignore list, counted from 1.
    Line(usize),
    /// `--ignore`.
    Ignore,
    /// `--defer`.
    Defer,
    /// `--override`.
    Override,
}

/// A pattern that is not a regular expression.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{message} in pattern {}", String::from_utf8_lossy(.pattern))]
pub struct PatternError {
    /// The pattern as its author wrote it.
    pub pattern: Vec<u8>,
    /// What is wrong with it, without a full stop.
    pub message: String,
    /// Where it was written.
    pub origin: Origin,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(of: &[&str]) -> PathPatterns {
        let of: Vec<Vec<u8>> = of.iter().map(|p| p.as_bytes().to_vec()).collect();
        PathPatterns::new(&of, Origin::Defer).expect("valid patterns")
    }

    #[test]
    fn path_patterns_begin_where_the_path_begins_and_may_end_anywhere() {
        assert!(patterns(&["man"]).matches(b"man/man1/ls.1"));
        assert!(patterns(&["man"]).matches(b"manual"));
        assert!(!patterns(&["man"]).matches(b"share/man"));
        assert!(patterns(&["a|b"]).matches(b"bin"), "an alternative is anchored too");
        assert!(!patterns(&["a|b"]).matches(b"xb"));
        assert!(patterns(&["x", "^b"]).matches(b"bin"));
    }

    #[test]
    fn no_patterns_match_nothing() {
        assert!(patterns(&[]).is_empty());
        assert!(!PathPatterns::default().matches(b"bin"));
    }

    #[test]
    fn an_error_names_pattern_and_origin() {
        let error = PathPatterns::new(&[b"ok".to_vec(), b"(".to_vec()], Origin::Override).unwrap_err();
        assert_eq!((error.pattern.as_slice(), error.origin), (&b"("[..], Origin::Override));
        assert_eq!(error.to_string(), "missing closing parenthesis in pattern (");
    }
}
