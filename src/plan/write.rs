//! Files of the farm's own in the target: copies, which are kept equal, and seeds, which are left to whoever changes
//! them.

use std::collections::BTreeMap;

use super::Planner;
use super::conflict::{Compared, Notice, Reason};
use super::link::{Below, Entry};
use super::owner::Owner;
use crate::package::{Action, Method};
use crate::path::RelPath;
use crate::rendered::Stored;
use crate::snapshot::{Need, SourceId};
use crate::tree::{Node, Tree};

impl Planner<'_> {
    /// Takes the files of earlier runs out that are still as they were written.
    pub(super) fn clear_earlier_files(&mut self) {
        let Some(earlier) = &self.request.earlier else { return };
        for (path, stored) in &earlier.files {
            let Some((dir, name)) = self.look_up(path) else { continue };
            if self.tree.get(dir, &name).flatten() != Some(Node::File) {
                continue;
            }
            let need = Need::Stored { dir, name: name.clone(), stored: stored.clone() };
            match self.snapshot.holds(&need) {
                None => drop(self.needs.insert(need)),
                Some(true) => {
                    self.files.before.insert(path.clone(), stored.clone());
                    self.tree.remove(dir, &name);
                }
                Some(false) => drop(self.edited.insert(path.clone())),
            }
        }
    }

    /// Says which files stay that no step wants any more, because somebody has changed them.
    pub(super) fn leave_edited(&mut self) {
        for path in std::mem::take(&mut self.edited) {
            let is_wanted = self.request.steps.iter().any(|step| *step.mount.at() == path);
            if !is_wanted && is_file(&self.tree, &path) == Some(true) {
                self.notices.push(Notice::Edited(path));
            }
        }
    }

    /// Puts a file that farm writes at its target path, whatever stands there.
    pub(super) fn write_there(&mut self, entry: &Entry, stored: &Stored, method: Method, below: &mut Below) {
        let path = entry.path();
        let there = self.tree.get(entry.into, &entry.target_name).flatten();
        if method == Method::Seed {
            let earlier = self.request.earlier.as_ref().and_then(|earlier| earlier.files.get(&path));
            match (there, self.files.before.get(&path).cloned()) {
                // What was written once stays as it is.
                (None, Some(before)) => self.put_file(entry, &before),
                (None, None) => self.put_file(entry, stored),
                (Some(_), _) => self.standing_files.extend(earlier.map(|earlier| (path, earlier.clone()))),
            }
            return;
        }
        if self.asides.contains(&path) {
            self.conflict(Action::Link, entry.from.id, path, Reason::BackupPlace);
            return;
        }
        let source = entry.source().clone();
        let reason = match there {
            None => return self.put_file(entry, stored),
            Some(Node::Link(_)) => match self.link_in_the_way(entry) {
                None => return,
                Some(None) => return self.put_file(entry, stored),
                Some(Some(reason)) => reason,
            },
            Some(Node::Dir(_)) => Reason::Directory { source },
            Some(Node::Other) => Reason::File { source, compared: Compared::OtherKind },
            Some(Node::File) => {
                let (dir, name) = (entry.into, entry.target_name.clone());
                let need = Need::Stored { dir, name, stored: stored.clone() };
                let compared = match self.snapshot.holds(&need) {
                    None => {
                        self.needs.insert(need);
                        return;
                    }
                    Some(true) => {
                        self.files.before.insert(path, stored.clone());
                        return self.put_file(entry, stored);
                    }
                    Some(false) if self.edited.contains(&path) => Compared::Edited,
                    Some(false) => Compared::Differ,
                };
                Reason::File { source, compared }
            }
        };
        self.in_the_way(entry, reason, below);
    }

    /// Returns why a link may not give way, if so: the outer `None` when that is not known yet.
    fn link_in_the_way(&mut self, entry: &Entry) -> Option<Option<Reason>> {
        let (dir, name) = (entry.into, &entry.target_name);
        let text = self.text(dir, name)?;
        if self.is_rendered(entry.target_dir, &text) && self.is_on_disk(dir, name) {
            return Some(None);
        }
        Some(match self.owner(dir, name, &text)? {
            Owner::Foreign => Some(Reason::NotOwned(text)),
            Owner::Package(place) if self.is_gone(dir, name, &place)? => None,
            Owner::Package(place) => {
                let reason = Reason::OtherPackage { text, owner: place.package };
                self.conflict(Action::Link, entry.from.id, entry.path(), reason);
                return None;
            }
        })
    }

    /// Tells whether a package is none, but the files that farm writes: what is in the way of those is not adopted.
    pub(super) fn is_written(&self, id: SourceId) -> bool {
        let rendered = self.request.rendered.as_ref();
        rendered.is_some_and(|rendered| self.snapshot.source(id).stow_dir == rendered.dir)
    }

    /// Puts a file where nothing is, or what gives way.
    pub(super) fn put_file(&mut self, entry: &Entry, stored: &Stored) {
        let path = entry.path();
        self.tree.set(entry.into, entry.target_name.clone(), Node::File);
        if self.request.earlier.is_some() {
            self.standing_files.insert(path.clone(), stored.clone());
        }
        self.files.after.insert(path, stored.clone());
    }
}

/// Returns those of the files that are still there when all steps are planned.
pub(super) fn left_standing(standing: BTreeMap<RelPath, Stored>, after: &Tree) -> BTreeMap<RelPath, Stored> {
    let mut standing = standing;
    standing.retain(|path, _| is_file(after, path) == Some(true));
    standing
}

fn is_file(tree: &Tree, path: &RelPath) -> Option<bool> {
    let (parent, name) = path.split()?;
    Some(tree.get(tree.find(&parent)?, &name)? == Some(Node::File))
}
