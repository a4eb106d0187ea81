//! A scenario as data: what lies on the disk, and the calls made one after the other.
//!
//! All paths are relative to the scenario's root, which is also `$HOME`. `{R}` in a link's text, an argument or a
//! file's text stands for the root's absolute path, so that no scenario knows where it runs.

use std::collections::BTreeMap;

/// What a path can be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    Dir,
    File { text: String, exec: bool },
    Link(String),
}

/// Everything below a root, sorted by path; the root itself is not in it.
pub type Tree = BTreeMap<String, Node>;

/// A path set to a node, whatever was there before; `None` removes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub path: String,
    pub node: Option<Node>,
}

/// One run of `stow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub cwd: String,
    pub env: Vec<(String, String)>,
    pub args: Vec<String>,
}

/// How a run ended, as far as scripts may rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// 0, 1, 2 and 255 have a meaning in GNU Stow.
    Code(u8),
    /// Any other failure: a left-over `errno`, a signal.
    Other,
    /// Killed because it did not come to an end.
    Hangs,
}

impl Status {
    pub fn of(code: Option<i32>) -> Self {
        match code {
            Some(code @ (0 | 1 | 2 | 255)) => Self::Code(code as u8),
            _ => Self::Other,
        }
    }

    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }
}

/// What a call did: its exit status, its words, and what it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub status: Status,
    pub out: Vec<String>,
    pub err: Vec<String>,
    pub changes: Vec<Edit>,
}

/// Some edits, then a call; a recorded step also knows what GNU Stow made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub edits: Vec<Edit>,
    pub call: Call,
    pub outcome: Option<Outcome>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    pub title: String,
    pub start: Vec<Edit>,
    pub steps: Vec<Step>,
}

impl Edit {
    pub fn set(path: impl Into<String>, node: Node) -> Self {
        Self { path: path.into(), node: Some(node) }
    }

    /// A file whose text is its own path, so that it can be told apart wherever it is moved.
    pub fn file(path: impl Into<String>) -> Self {
        let path = path.into();
        let text = path.clone();
        Self::set(path, Node::File { text, exec: false })
    }

    pub fn text(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self::set(path, Node::File { text: text.into(), exec: false })
    }

    pub fn link(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self::set(path, Node::Link(text.into()))
    }

    pub fn dir(path: impl Into<String>) -> Self {
        Self::set(path, Node::Dir)
    }

    pub fn gone(path: impl Into<String>) -> Self {
        Self { path: path.into(), node: None }
    }
}

/// Returns the edits that turn `before` into `after`, in path order.
pub fn changes(before: &Tree, after: &Tree) -> Vec<Edit> {
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| Edit { path: path.clone(), node: after.get(path).cloned() })
        .collect()
}
