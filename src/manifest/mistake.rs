//! What can be wrong with a manifest: facts, each with its place in the text.

use std::ops::Range;

use super::keys::Shape;

/// Something that is wrong, and where.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// Where, in bytes from the start of the text.
    pub span: Range<usize>,
    /// Another place that it has to do with.
    pub other: Option<Range<usize>>,
    /// What.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// A byte that is no part of a UTF-8 text.
    NotUtf8,
    /// It is not TOML; the parser's words.
    Syntax(String),
    /// The form has a version that this farm does not know.
    Version(String),
    /// There is no such key.
    UnknownKey {
        /// The nearest one there is.
        nearest: Option<&'static str>,
        /// The keys that there are.
        keys: Vec<&'static str>,
    },
    /// The value has another type.
    WrongType {
        /// What the key takes.
        expected: &'static Shape,
        /// What it got.
        found: &'static str,
    },
    /// The key takes other strings than this.
    UnknownChoice {
        /// The nearest one there is.
        nearest: Option<&'static str>,
        /// Those it takes.
        choices: &'static [&'static str],
    },
    /// Only one of two keys makes sense; `other` is the second.
    Both(&'static str, &'static str),
    /// One of these keys is missing.
    Lacks(&'static [&'static str]),
    /// A key that has no meaning beside, or without, another.
    Useless {
        /// The key.
        key: &'static str,
        /// When it has one.
        only: Only,
    },
    /// A glob that cannot be understood.
    Glob(String),
    /// Not the name of a directory beside the manifest.
    BadPackage,
    /// A path that leads out of the dotfiles directory.
    BadSource,
    /// No end of a file's name.
    BadSuffix,
    /// Not the permissions of a file.
    BadMode,
    /// Not the name of a variable.
    BadVariable,
    /// A path of the target that begins neither with `~/` nor with `/`.
    NotAbsolute,
    /// A path in the home of another user.
    OtherHome,
    /// `~`, and nobody knows the home directory.
    NoHome,
    /// A path with a NUL in it.
    Nul,
    /// `{…}` other than `{package}`.
    Placeholder(String),
    /// A path outside the target.
    Outside {
        /// The target.
        target: String,
    },
    /// The target itself.
    Target,
    /// A path in the dotfiles directory, or one that holds it.
    Dotfiles,
    /// Another entry, at `other`, has the same target path.
    Twice {
        /// The path, from the target.
        path: String,
        /// This entry's name, and the other's.
        names: [String; 2],
    },
    /// Another entry, at `other`, is linked as a whole, and this one lies in it.
    Within {
        /// The other's path, from the target.
        path: String,
        /// This entry's name, and the other's.
        names: [String; 2],
    },
    /// The source is not there.
    NoSource {
        /// Where it should be, as people see it.
        path: String,
        /// The nearest thing there is.
        nearest: Option<String>,
    },
    /// The source is not what it must be.
    WrongSource {
        /// Where it is, as people see it.
        path: String,
        /// What it must be.
        expected: Expected,
    },
    /// A template that is wrong; the renderer's words.
    Template(String),
    /// The source cannot be looked at.
    Unreadable {
        /// Where it is, as people see it.
        path: String,
        /// The system's words.
        error: String,
    },
}

/// When a key has a meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Only {
    /// With a source that is linked or copied as it is.
    WithSource,
    /// For files that farm writes: with text, a template, or another method than `link`.
    ForWritten,
    /// With the method `link`.
    WithLinks,
}

/// What a source must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// Either.
    FileOrDirectory,
}

impl Mistake {
    /// Returns the mistake at one place.
    pub fn new(span: Range<usize>, fault: Fault) -> Mistake {
        Mistake { span, other: None, fault }
    }

    /// Returns the mistake of two places that do not go together.
    pub fn between(span: Range<usize>, other: Range<usize>, fault: Fault) -> Mistake {
        Mistake { span, other: Some(other), fault }
    }
}

/// Returns the one of `known` that somebody may have meant by `word`.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near = known.into_iter().map(|other| (strsim::osa_distance(&word, &other.to_lowercase()), other));
    let near = near.filter(|(distance, other)| *distance <= 1 + other.len().min(word.len()) / 3);
    near.min().map(|(_, other)| other)
}
