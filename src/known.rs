//! The links and directories of a farm that it made itself, or found right and took over: what a later run may take
//! away again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::op::{Change, Op, Thing};
use crate::path::{LinkText, RelPath};
use crate::rendered::Stored;

/// Links with their texts, and directories.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Lists", into = "Lists")]
pub struct Known {
    /// The links, by their paths.
    pub links: BTreeMap<RelPath, LinkText>,
    /// The directories.
    pub dirs: BTreeSet<RelPath>,
    /// The files with their contents.
    pub files: BTreeMap<RelPath, Stored>,
    /// What hashes of what is to be seen at target paths were, where somebody wants to know of a change.
    pub contents: BTreeMap<RelPath, String>,
    /// The scripts that new shells run, by their paths from the state directory.
    pub session: Vec<String>,
}

/// As it is written: a path need not be text, which keys of JSON are.
#[derive(Serialize, Deserialize)]
struct Lists {
    links: Vec<(RelPath, LinkText)>,
    dirs: Vec<RelPath>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<(RelPath, Stored)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contents: Vec<(RelPath, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    session: Vec<String>,
}

impl From<Lists> for Known {
    fn from(lists: Lists) -> Known {
        let Lists { links, dirs, files, contents, session } = lists;
        Known {
            links: links.into_iter().collect(),
            dirs: dirs.into_iter().collect(),
            files: files.into_iter().collect(),
            contents: contents.into_iter().collect(),
            session,
        }
    }
}

impl From<Known> for Lists {
    fn from(known: Known) -> Lists {
        let Known { links, dirs, files, contents, session } = known;
        Lists {
            links: links.into_iter().collect(),
            dirs: dirs.into_iter().collect(),
            files: files.into_iter().collect(),
            contents: contents.into_iter().collect(),
            session,
        }
    }
}

impl Known {
    /// Enters what an operation does, whose path counts from `prefix`.
    pub fn enter(&mut self, op: &Op, prefix: &RelPath) {
        let path = prefix.join_path(&op.path);
        self.forget(&path);
        match &op.change {
            Change::Make(new) | Change::Swap { new, .. } | Change::Displace { new, .. } => {
                self.add(path, new)
            }
            Change::Remove(_) | Change::Restore { .. } => {}
        }
    }

    fn add(&mut self, path: RelPath, thing: &Thing) {
        match thing {
            Thing::Link(text) => drop(self.links.insert(path, text.clone())),
            Thing::File(stored) => drop(self.files.insert(path, stored.clone())),
            Thing::Dir(pieces) => {
                for piece in pieces {
                    let path = path.join_path(&piece.path);
                    match &piece.text {
                        Some(text) => drop(self.links.insert(path, text.clone())),
                        None => drop(self.dirs.insert(path)),
                    }
                }
                self.dirs.insert(path);
            }
        }
    }

    /// Forgets what is at a path and below it.
    fn forget(&mut self, path: &RelPath) {
        let is_below = |other: &RelPath| other.below(path).is_some();
        let links = self.links.range(path..).map(|(path, _)| path).take_while(|it| is_below(it));
        let links: Vec<RelPath> = links.cloned().collect();
        let dirs: Vec<RelPath> = self.dirs.range(path..).take_while(|it| is_below(it)).cloned().collect();
        let files: Vec<RelPath> =
            self.files.range(path..).map(|(path, _)| path).take_while(|it| is_below(it)).cloned().collect();
        for path in &links {
            self.links.remove(path);
        }
        for path in &files {
            self.files.remove(path);
        }
        for path in &dirs {
            self.dirs.remove(path);
        }
    }

    /// Returns the same with other paths; what has none is left out.
    #[must_use]
    pub fn rebased(&self, path: impl Fn(&RelPath) -> Option<RelPath>) -> Known {
        let links = self.links.iter().filter_map(|(at, text)| Some((path(at)?, text.clone())));
        let contents = self.contents.iter().filter_map(|(at, hash)| Some((path(at)?, hash.clone())));
        let files = self.files.iter().filter_map(|(at, stored)| Some((path(at)?, stored.clone())));
        Known {
            links: links.collect(),
            dirs: self.dirs.iter().filter_map(&path).collect(),
            files: files.collect(),
            contents: contents.collect(),
            session: self.session.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Piece;

    fn at(path: &str) -> RelPath {
        RelPath::new(path.as_bytes()).expect("a path")
    }

    fn link(text: &str) -> Thing {
        Thing::Link(LinkText::new(text.as_bytes()))
    }

    fn known(ops: &[(&str, Change)]) -> (Vec<String>, Vec<String>) {
        let mut known = Known::default();
        for (path, change) in ops {
            known.enter(&Op { path: at(path), change: change.clone() }, &at("h"));
        }
        let text = |path: &RelPath| String::from_utf8_lossy(path.as_bytes()).into_owned();
        (known.links.keys().map(text).collect(), known.dirs.iter().map(text).collect())
    }

    #[test]
    fn what_is_made_is_known_until_it_goes() {
        let pieces = ["d", "d/x"]
            .map(|path| Piece { path: at(path), text: path.ends_with('x').then(|| LinkText::new(b"t")) });
        let dir = Thing::Dir(pieces.to_vec());
        let made = [("a", Change::Make(link("t"))), ("c", Change::Make(dir.clone()))];
        assert_eq!(known(&made), (vec!["h/a".into(), "h/c/d/x".into()], vec!["h/c".into(), "h/c/d".into()]));
        let folded = [&made[..], &[("c", Change::Swap { old: dir, new: link("t") })]].concat();
        assert_eq!(known(&folded), (vec!["h/a".into(), "h/c".into()], vec![]));
        let gone = [&folded[..], &[("c", Change::Remove(link("t")))]].concat();
        assert_eq!(known(&gone), (vec!["h/a".into()], vec![]));
    }

    #[test]
    fn paths_that_are_no_text_are_written_and_read_back() {
        let mut known = Known::default();
        known.links.insert(RelPath::new(b"\xff/x").expect("a path"), LinkText::new(b"\xfe"));
        known.dirs.insert(at("d"));
        let text = serde_json::to_string(&known).expect("JSON");
        assert_eq!(serde_json::from_str::<Known>(&text).expect("the same"), known);
    }
}
