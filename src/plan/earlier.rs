//! What earlier runs made: it goes first, and the steps make again what they still want. What is the same before and
//! after never becomes an operation, so this leaves what is named and takes away what is not.

use std::collections::BTreeMap;

use super::Planner;
use crate::path::{LinkText, Name, RelPath};
use crate::tree::{DirId, Node, ROOT, Texts, Tree};

impl Planner<'_> {
    /// Takes the links of earlier runs out that are still as they were made, and the directories they leave empty.
    pub(super) fn clear_earlier(&mut self) {
        let Some(earlier) = &self.request.earlier else { return };
        for (path, text) in &earlier.links {
            let Some((dir, name)) = self.look_up(path) else { continue };
            if let Some(Some(Node::Link(_))) = self.tree.get(dir, &name)
                && self.text(dir, &name).as_ref() == Some(text)
            {
                self.tree.remove(dir, &name);
            }
        }
        self.clear_earlier_files();
        if !self.needs.is_empty() {
            return;
        }
        // In this order a directory comes after all that is in it.
        for path in earlier.dirs.iter().rev() {
            let Some((up, name)) = self.look_up(path) else { continue };
            if let Some(Some(Node::Dir(dir))) = self.tree.get(up, &name)
                && self.target_read(dir, Texts::None)
                && self.tree.entries(dir).is_some_and(|entries| entries.is_empty())
            {
                self.tree.remove(up, &name);
            }
        }
    }

    /// Returns the target directory that holds `path`, when it was read, and the name there.
    pub(super) fn look_up(&mut self, path: &RelPath) -> Option<(DirId, Name)> {
        let (parent, last) = path.split()?;
        let mut dir = ROOT;
        for name in parent.names() {
            if !self.target_read(dir, Texts::Few) {
                return None;
            }
            match self.tree.get(dir, &name)? {
                Some(Node::Dir(below)) => dir = below,
                _ => return None,
            }
        }
        self.target_read(dir, Texts::Few).then_some((dir, last))
    }

    /// Notes that a step has its link at a path, made or found.
    pub(super) fn stands(&mut self, path: impl FnOnce() -> RelPath, text: &LinkText) {
        if self.request.earlier.is_some() {
            self.standing.insert(path(), text.clone());
        }
    }
}

/// Returns those of the links that are still there when all steps are planned.
pub(super) fn left_standing(
    standing: BTreeMap<RelPath, LinkText>,
    after: &Tree,
) -> BTreeMap<RelPath, LinkText> {
    let is_there = |path: &RelPath, text: &LinkText| {
        let (parent, name) = path.split()?;
        match after.get(after.find(&parent)?, &name)?? {
            Node::Link(link) => Some(link.text.as_ref() == Some(text)),
            _ => None,
        }
    };
    let mut standing = standing;
    standing.retain(|path, text| is_there(path, text) == Some(true));
    standing
}
