//! Making way: what becomes of things that are not the farm's where a package wants to be, and how backups come back.

use super::conflict::{Compared, Conflict, Notice, Obstacle, Reason};
use super::link::{Below, Entry};
use super::owner::Owner;
use super::{Planner, Src};
use crate::op::{self, Fate, Place, Slot};
use crate::package::Action;
use crate::path::Name;
use crate::policy::{Backup, Existing, Strategy};
use crate::snapshot::Need;
use crate::tree::{DirId, Entries, Node, Texts};

/// The longest name that the file systems of Linux and macOS take, in bytes.
const LONGEST_NAME: usize = 255;

impl Planner<'_> {
    /// Deals with something in the way of `entry` that is not the farm's, as the policy has it for the path.
    pub(super) fn in_the_way(&mut self, entry: &Entry, reason: Reason, below: &mut Below) {
        let path = entry.path();
        let place = match self.request.policy.strategy_at(&path) {
            Strategy::Stop => {
                self.conflict(Action::Link, entry.from.id, path, reason);
                return;
            }
            Strategy::Skip => {
                self.skipped.push(Conflict {
                    action: Action::Link,
                    package: self.snapshot.source(entry.from.id).package.clone(),
                    path,
                    reason,
                });
                return;
            }
            Strategy::Backup(backup) => {
                // Other names than the package's decide.
                if !self.target_read(entry.into, Texts::None) {
                    return;
                }
                self.backup_name(entry.into, &entry.target_name, backup).map(Place::Beside)
            }
            Strategy::Adopt => match &reason {
                Reason::File { source, compared: Compared::Differ } if !self.is_written(entry.from.id) => {
                    Ok(Place::Package { at: source.clone(), entry: op::Entry::Old(Slot::NEXT) })
                }
                _ => Err(Obstacle::NotAdoptable),
            },
            Strategy::Replace => Ok(Place::Kept(Slot::NEXT)),
        };
        let obstacle = match (&place, self.tree.get(entry.into, &entry.target_name)) {
            (Ok(_), Some(Some(Node::Dir(dir)))) => match self.holds(dir, entry.from) {
                Some(held) => held,
                None => return,
            },
            _ => None,
        };
        let place = match (place, obstacle) {
            (Ok(place), None) => place,
            (_, Some(why)) | (Err(why), None) => {
                let reason = Reason::Unresolved { of: Box::new(reason), why };
                self.conflict(Action::Link, entry.from.id, path, reason);
                return;
            }
        };
        match &place {
            // It takes its new name in the planned tree at once, so that a later step meets it there.
            Place::Beside(aside) => {
                self.tree.relocate(entry.into, &entry.target_name, aside);
                self.asides.insert(entry.target_dir.join(aside));
            }
            _ => self.tree.remove(entry.into, &entry.target_name),
        }
        self.fates.insert(path, Fate::Goes(place));
        self.place(entry, below);
    }

    /// Tells whether a directory in the place of an entry that lands there by itself (`as` in farm.toml) moves away, so
    /// that the entry can be one link. Home Manager does so with all that is in the way of a directory; elsewhere, and
    /// where others have links in it, the two are merged.
    pub(super) fn goes_as_a_whole(&mut self, entry: &Entry) -> Option<bool> {
        let path = entry.path();
        let Some(Some(Node::Dir(dir))) = self.tree.get(entry.into, &entry.target_name) else {
            return Some(false);
        };
        if !matches!(self.request.policy.strategy_at(&path), Strategy::Backup(_) | Strategy::Replace) {
            return Some(false);
        }
        let Some(src) = self.source_dir(entry.from, entry.name, entry.node)? else { return Some(false) };
        if !self.folds(src, &path)? || self.holds(dir, entry.from)?.is_some() {
            return Some(false);
        }
        Some(self.is_somebodys(dir, entry.from))
    }

    /// Tells whether a directory all of which is known holds anything but directories and links of a package.
    fn is_somebodys(&mut self, dir: DirId, package: Src) -> bool {
        let mut todo = vec![dir];
        while let Some(dir) = todo.pop() {
            let Some(entries) = self.tree.entries(dir).cloned() else { continue };
            for (name, node) in &entries {
                match node {
                    Node::Dir(below) => todo.push(below),
                    Node::File | Node::Other => return true,
                    Node::Link(_) => {
                        let text = self.text(dir, &name);
                        let owner = text.and_then(|text| self.owner(dir, &name, &text));
                        if !matches!(owner, Some(Owner::Package(place)) if self.is_in(&place, package.id)) {
                            return true;
                        }
                    }
                }
            }
        }
        false
    }

    /// Returns the name of the backup of `name` in the target's `dir`.
    fn backup_name(&self, dir: DirId, name: &Name, backup: &Backup) -> Result<Name, Obstacle> {
        let plain = [name.as_bytes(), backup.suffix.as_bytes()].concat();
        let numbers = (1u64..).map(|number| [&plain[..], format!(".{number}").as_bytes()].concat());
        for bytes in std::iter::once(plain.clone()).chain(numbers) {
            let Some(candidate) = Name::new(&bytes) else { break };
            if bytes.len() > LONGEST_NAME {
                return Err(Obstacle::BackupTooLong(candidate));
            }
            // What the plan takes away is still there when the backup is made.
            let is_free = [&self.tree, &self.snapshot.target]
                .iter()
                .all(|tree| !tree.knows(dir) || matches!(tree.get(dir, &candidate), Some(None)));
            if is_free {
                return Ok(candidate);
            }
            if backup.existing == Existing::Refuse {
                return Err(Obstacle::BackupExists(candidate));
            }
        }
        unreachable!("a number makes the name free or too long")
    }

    /// Returns why a directory in the way of `package` must stay: the outer `None` when that is not known yet.
    ///
    /// What others have in it would be gone from its place without a word, so all of it is looked at.
    fn holds(&mut self, dir: DirId, package: Src) -> Option<Option<Obstacle>> {
        let top = self.tree.path(dir);
        let stow_dir = &self.request.stow_dir;
        if stow_dir.up == 0 && stow_dir.down.below(&top).is_some() {
            return Some(Some(Obstacle::HoldsStowDir));
        }
        let mut todo = vec![dir];
        while let Some(dir) = todo.pop() {
            // Another package was linked into it, or unlinked out of it, by this very request.
            if self.entered.contains(&dir) || !self.is_as_it_was(dir) {
                return Some(Some(Obstacle::HoldsLinks { owner: None }));
            }
            if self.tree.entries(dir).is_none() {
                self.needs.insert(Need::Under { dir });
                continue;
            }
            if self.has_marker(dir, b".stow") || self.has_marker(dir, b".nonstow") {
                return Some(Some(Obstacle::HoldsMarked(self.tree.path(dir))));
            }
            let entries = self.tree.entries(dir)?.clone();
            for (name, node) in &entries {
                match node {
                    Node::Dir(below) => todo.push(below),
                    Node::Link(_) => {
                        let Some(text) = self.text(dir, &name) else { continue };
                        let Some(Owner::Package(place)) = self.owner(dir, &name, &text) else { continue };
                        if !self.is_in(&place, package.id) && self.is_gone(dir, &name, &place) == Some(false)
                        {
                            let owner = Some(place.package);
                            return Some(Some(Obstacle::HoldsLinks { owner }));
                        }
                    }
                    Node::File | Node::Other => {}
                }
            }
        }
        self.needs.is_empty().then_some(None)
    }

    /// Tells whether the plan so far leaves a directory as the disk has it.
    fn is_as_it_was(&self, dir: DirId) -> bool {
        self.snapshot.target.knows(dir)
            && (self.tree.shares(&self.snapshot.target, dir)
                || self.tree.known_entries(dir) == self.snapshot.target.known_entries(dir))
    }

    fn is_wholly_as_it_was(&self, dir: DirId) -> bool {
        let mut todo = vec![dir];
        while let Some(dir) = todo.pop() {
            if !self.is_as_it_was(dir) {
                return false;
            }
            let below = self.tree.entries(dir).into_iter().flat_map(|entries| entries.nodes());
            todo.extend(below.filter_map(|node| match node {
                Node::Dir(below) => Some(below),
                _ => None,
            }));
        }
        true
    }

    /// Brings the backups back whose places the steps have freed.
    ///
    /// It comes last: where one package goes and another comes, the backup stays what it is.
    pub(super) fn restore(&mut self) {
        for (path, backup) in &self.request.policy.restore {
            let Some((parent, name)) = path.split() else { continue };
            // What comes back is as it was when it went: the backups in it are not of what was here.
            let mut above = std::iter::successors(path.split(), |(above, _)| above.split());
            if above.any(|(above, _)| matches!(self.fates.get(&above), Some(Fate::Returns(_)))) {
                continue;
            }
            let Some(dir) = self.tree.find(&parent).filter(|&dir| self.snapshot.target.knows(dir)) else {
                continue;
            };
            if !self.was_freed(dir, &name) {
                continue;
            }
            if !self.target_read(dir, Texts::None) {
                continue;
            }
            let is_backup = match self.tree.get(dir, backup).flatten() {
                None => false,
                Some(Node::Link(_)) => {
                    // By way of the links that go now it may have come to lead into a package; by itself it did not.
                    let Some(text) = self.text(dir, backup) else { continue };
                    let Some(place) = self.place_of(&self.request.route_of(&parent, &text)) else { continue };
                    place.is_none()
                }
                // Somebody may link into a directory of that name, or unlink out of it, by this very request.
                Some(Node::Dir(moved)) => self.is_wholly_as_it_was(moved),
                Some(Node::File | Node::Other) => true,
            };
            if is_backup {
                self.tree.relocate(dir, backup, &name);
                self.fates.insert(path.clone(), Fate::Returns(Place::Beside(backup.clone())));
            } else {
                self.notices.push(Notice::NoBackup { path: path.clone(), backup: backup.clone() });
            }
        }
    }

    /// Tells whether the plan takes the farm's link at a place away, or unlinks in a directory there of which it leaves
    /// nothing but directories.
    fn was_freed(&mut self, dir: DirId, name: &Name) -> bool {
        let before = self.snapshot.target.get(dir, name).flatten();
        match (before, self.tree.get(dir, name).flatten()) {
            (Some(Node::Link(_)), None) => true,
            (Some(Node::Dir(before)), Some(Node::Dir(after)))
                if before == after && self.unlinked_in.contains(&after) && !self.entered.contains(&after) =>
            {
                let mut todo = vec![after];
                while let Some(dir) = todo.pop() {
                    if !self.target_read(dir, Texts::None) {
                        return false;
                    }
                    let entries = self.tree.entries(dir);
                    for node in entries.into_iter().flat_map(Entries::nodes) {
                        match node {
                            Node::Dir(below) => todo.push(below),
                            _ => return false,
                        }
                    }
                }
                true
            }
            _ => false,
        }
    }
}
