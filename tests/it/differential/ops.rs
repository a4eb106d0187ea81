//! Operation lines (`LINK: a => b`) and what remains of them.
//!
//! GNU Stow prints an operation when it plans it and again when it takes it back; farm prints what it will do. Both
//! are reduced to the net effect: for each path, from what it was to what it becomes.

use super::scenario::{Node, Tree};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Absent,
    Dir,
    /// A link whose text no line has told.
    SomeLink,
    Link(String),
    /// A file, about to be moved into the package.
    File,
}

struct Path {
    first: State,
    last: State,
}

/// Whether a line of standard error is an operation.
pub fn is_op(line: &str) -> bool {
    step(line).is_some()
}

fn step(line: &str) -> Option<(&str, State, State)> {
    let line = line
        .strip_suffix(" (reverts previous action)")
        .or_else(|| line.strip_suffix(" (duplicates previous action)"))
        .unwrap_or(line);
    if let Some(path) = line.strip_prefix("UNLINK: ") {
        Some((path, State::SomeLink, State::Absent))
    } else if let Some(path) = line.strip_prefix("MKDIR: ") {
        Some((path, State::Absent, State::Dir))
    } else if let Some(path) = line.strip_prefix("RMDIR ") {
        Some((path, State::Dir, State::Absent))
    } else if let Some(link) = line.strip_prefix("LINK: ") {
        let (path, text) = link.split_once(" => ")?;
        Some((path, State::Absent, State::Link(text.to_owned())))
    } else if let Some(moved) = line.strip_prefix("MV: ") {
        let (path, _) = moved.split_once(" -> ")?;
        Some((path, State::File, State::Absent))
    } else {
        None
    }
}

/// Returns the sorted operations that remain of `lines`; `before` tells the text of links that were there.
pub fn net(lines: &[String], before: &Tree) -> Vec<String> {
    let mut paths: BTreeMap<&str, Path> = BTreeMap::new();
    let mut ops: Vec<String> = Vec::new();
    for line in lines {
        let Some((path, was, becomes)) = step(line) else {
            continue;
        };
        if was == State::File && !ops.contains(line) {
            ops.push(line.clone());
        }
        let entry = paths.entry(path).or_insert(Path { first: was, last: State::Absent });
        entry.last = becomes;
    }
    for (path, Path { first, last }) in paths {
        let same = match (&first, &last) {
            (State::SomeLink, State::Link(text)) => is_link_somewhere(before, path, text),
            (first, last) => first == last,
        };
        if same {
            continue;
        }
        match first {
            State::SomeLink => ops.push(format!("UNLINK: {path}")),
            State::Dir => ops.push(format!("RMDIR {path}")),
            State::Absent | State::File | State::Link(_) => {}
        }
        match last {
            State::Link(text) => ops.push(format!("LINK: {path} => {text}")),
            State::Dir => ops.push(format!("MKDIR: {path}")),
            State::Absent | State::File | State::SomeLink => {}
        }
    }
    ops.sort();
    ops
}

/// The target's place in the tree is not known here; that a link of this path *and* text lies elsewhere is unlikely.
fn is_link_somewhere(before: &Tree, path: &str, text: &str) -> bool {
    before.iter().any(|(full, node)| {
        matches!(node, Node::Link(it) if it == text)
            && full.strip_suffix(path).is_some_and(|dir| dir.is_empty() || dir.ends_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduced(lines: &[&str], before: &[(&str, &str)]) -> Vec<String> {
        let lines: Vec<String> = lines.iter().map(|line| line.to_string()).collect();
        let before =
            before.iter().map(|(path, text)| (path.to_string(), Node::Link(text.to_string()))).collect();
        net(&lines, &before)
    }

    #[test]
    fn a_relink_that_changes_nothing_is_empty() {
        let lines = ["UNLINK: a", "LINK: a => stow/p/a (reverts previous action)"];
        assert!(reduced(&lines, &[("t/a", "stow/p/a")]).is_empty());
    }

    #[test]
    fn a_relink_to_elsewhere_stays() {
        let lines = ["UNLINK: a", "LINK: a => stow/q/a"];
        assert_eq!(reduced(&lines, &[("t/a", "stow/p/a")]), ["LINK: a => stow/q/a", "UNLINK: a"]);
    }

    #[test]
    fn a_directory_that_is_refolded_and_unfolded_is_left_alone() {
        let lines = [
            "UNLINK: a/f",
            "RMDIR a",
            "LINK: a => stow/q/a",
            "UNLINK: a (reverts previous action)",
            "MKDIR: a (reverts previous action)",
            "LINK: a/f => ../stow/p/a/f (reverts previous action)",
        ];
        assert!(reduced(&lines, &[("t/a/f", "../stow/p/a/f")]).is_empty());
    }

    #[test]
    fn adoption_is_a_move_and_a_link() {
        let lines = ["MV: a -> stow/p/a", "LINK: a => stow/p/a"];
        assert_eq!(reduced(&lines, &[]), ["LINK: a => stow/p/a", "MV: a -> stow/p/a"]);
    }
}
