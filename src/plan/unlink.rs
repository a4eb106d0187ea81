//! Unlinking a package: its links leave the target, and what is left is folded where that is allowed.

use std::collections::BTreeSet;

use super::conflict::Notice;
use super::owner::{Owner, Place};
use super::{Planner, Src};
use crate::package::{Action, Mount, Step};
use crate::path::{Name, RelPath, Route};
use crate::policy::{Guarded, Naming, Ownership, Refold, Tidy, Walk};
use crate::snapshot::{Mirror, Need, Side, SourceId};
use crate::tree::{DirId, Entries, FEW, Iter, Leads, Node, ROOT, Texts};

/// With more links than this it is asked at once what all of them lead to.
const WORTH_ASKING: usize = if cfg!(test) { 1 } else { FEW };

/// A target directory that is being cleared of one package's links.
struct Frame<'a> {
    dir: DirId,
    source_dir: RelPath,
    /// The directory as ignore rules know it.
    rules_dir: RelPath,
    /// The package's directory as seen from the root.
    route: Route,
    /// What comes before the names in the texts of the package's links.
    head: Option<Box<[u8]>>,
    names: Names<'a>,
}

/// The names to look at in a directory.
enum Names<'a> {
    /// Those of the package.
    Package(Src, Iter<'a>),
    /// Those of the target (`stow --compat`).
    Target(std::vec::IntoIter<Name>),
}

/// A directory to visit: the target's, and its counterpart in the package, which need not exist with `--compat`.
struct Visit {
    dir: DirId,
    source_dir: RelPath,
    src: Option<Src>,
}

impl<'a> Planner<'a> {
    /// Unlinks one package, or a part of it.
    pub(super) fn unlink(&mut self, id: SourceId, step: &Step) {
        let Some(Some(part)) = self.part(id, step) else { return };
        let Some(src) = self.part_dir(&part) else { return };
        let source_dir = step.entry.clone();
        match &step.mount {
            Mount::Into(at) => {
                let Some(dir) = self.reach(at, Action::Unlink, id) else { return };
                let visit = match self.request.policy.walk {
                    Walk::Package if src.is_none() => return,
                    Walk::Package => Visit { dir, source_dir, src },
                    Walk::Target => Visit { dir, source_dir, src: None },
                };
                self.clear(id, visit);
            }
            Mount::As(at) => {
                let Some((above, name)) = at.split() else { return };
                let Some(into) = self.reach(&above, Action::Unlink, id) else { return };
                if !self.target_read(into, Texts::None) || self.is_closed(into, Action::Unlink, id) {
                    return;
                }
                match self.tree.get(into, &name).flatten() {
                    Some(Node::Link(_)) => {
                        let source = self.snapshot.source(id).route().join_path(&source_dir);
                        self.unlink_link(into, &name, &source);
                    }
                    Some(Node::Dir(dir)) if src.is_some() => {
                        let visit = Visit { dir, source_dir, src };
                        self.clear(id, visit);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Removes the links of a package in a directory and all below it.
    fn clear(&mut self, id: SourceId, visit: Visit) {
        let mut next = Some(visit);
        let mut frames: Vec<Frame<'a>> = Vec::new();
        loop {
            if let Some(visit) = next.take() {
                frames.extend(self.enter_to_unlink(id, visit));
                continue;
            }
            let Some(frame) = frames.last_mut() else { return };
            match &mut frame.names {
                Names::Package(src, entries) => {
                    if let Some((name, node)) = entries.next() {
                        let src = *src;
                        next = self.unlink_entry(frame, src, &name, &node);
                        continue;
                    }
                }
                Names::Target(names) => {
                    if let Some(name) = names.next() {
                        next = self.unlink_name(frame, id, &name);
                        continue;
                    }
                }
            }
            let dir = frame.dir;
            frames.pop();
            // A walk of the target has looked at every link already, but for the ignored ones.
            if self.request.policy.walk == Walk::Package {
                self.leave_to_tidy(dir, id);
            }
            self.visited(dir);
        }
    }

    fn enter_to_unlink(&mut self, id: SourceId, visit: Visit) -> Option<Frame<'a>> {
        let texts = match self.request.policy.walk {
            Walk::Target => Texts::All,
            Walk::Package => Texts::Few,
        };
        let entries = match visit.src {
            Some(src) => Some((src, self.both_read(visit.dir, src, texts)?)),
            None => None,
        };
        let is_known = entries.is_some() || self.target_read(visit.dir, texts);
        if !is_known || self.guarded(visit.dir) {
            return None;
        }
        if !self.request.policy.restore.is_empty() {
            self.unlinked_in.insert(visit.dir);
        }
        let target_dir = self.tree.path(visit.dir);
        let are_all = |there: &Entries| {
            entries.is_some_and(|(_, entries)| there.len() <= entries.len() && there.only_links())
        };
        let mirror = match visit.src {
            Some(src) if self.tree.entries(visit.dir).is_some_and(are_all) => {
                self.mirror(visit.dir, src, &target_dir)?
            }
            _ => None,
        };
        let there = self.tree.known_entries(visit.dir)?;
        let names = match entries {
            // All of them go at once.
            Some(_) if matches!(mirror, Some(Mirror::Alone(links)) if there.same_links(links)) => {
                self.tree.set_entries(visit.dir, self.nothing.clone());
                Names::Target(Vec::new().into_iter())
            }
            Some((src, entries)) => Names::Package(src, entries.iter()),
            None => {
                let names: Vec<_> = there.names().collect();
                Names::Target(names.into_iter())
            }
        };
        let source = self.snapshot.source(id);
        let route = source.route().join_path(&visit.source_dir);
        Some(Frame {
            dir: visit.dir,
            rules_dir: self.request.policy.rules_dir(&visit.source_dir, &target_dir),
            head: route.head_from(self.tree.depth(visit.dir)),
            route,
            source_dir: visit.source_dir,
            names,
        })
    }

    /// Unlinks one entry of a package; returns the directory to go on with.
    fn unlink_entry(&mut self, frame: &Frame, src: Src, name: &Name, node: &Node) -> Option<Visit> {
        if self.ignored(src, &frame.source_dir, &frame.rules_dir, name, node) {
            return None;
        }
        // Nearly all links are what linking makes; they need no thought of whose they are.
        if let Some(head) = &frame.head
            && self.request.policy.naming.keeps(name)
            && self.tree.leads_below(frame.dir, name, head)
        {
            self.tree.remove(frame.dir, name);
            return None;
        }
        let target_name = self.target_name(name);
        match self.tree.get(frame.dir, &target_name)?? {
            Node::Link(_) => {
                self.unlink_link(frame.dir, &target_name, &frame.route.join(name));
                None
            }
            Node::Dir(dir) => {
                let Some(below) = self.source_dir(src, name, node)? else {
                    // Nothing of the package can be in there. Stow says all the same when it is somebody else's.
                    if self.request.policy.guarded == Guarded::Skip && self.target_read(dir, Texts::None) {
                        self.guarded(dir);
                    }
                    return None;
                };
                Some(Visit { dir, source_dir: frame.source_dir.join(name), src: Some(below) })
            }
            Node::File | Node::Other => None,
        }
    }

    /// Unlinks what the target has under `name`, wherever the package has it; returns the directory to go on with.
    fn unlink_name(&mut self, frame: &Frame, id: SourceId, name: &Name) -> Option<Visit> {
        let source_name = match self.request.policy.naming {
            Naming::AsIs => name.clone(),
            Naming::Dotfiles => name.dotted(),
        };
        let node = self.tree.get(frame.dir, name)??;
        // Stow asks for the target's name here, `.x`, and elsewhere for the package's, `dot-x`.
        let src = Src { id, dir: ROOT };
        if self.ignored(src, &frame.source_dir, &frame.rules_dir, name, &node) {
            return None;
        }
        match node {
            Node::Link(_) => {
                self.unlink_link(frame.dir, name, &frame.route.join(&source_name));
                None
            }
            Node::Dir(dir) => Some(Visit { dir, source_dir: frame.source_dir.join(&source_name), src: None }),
            Node::File | Node::Other => None,
        }
    }

    /// Removes a link when it leads to `source`, or is the farm's and dangles.
    fn unlink_link(&mut self, dir: DirId, name: &Name, source: &Route) {
        let Some(text) = self.text(dir, name) else { return };
        if text.is_absolute() && self.request.policy.ownership == Ownership::ByText {
            let path = self.tree.path(dir).join(name);
            self.notices.push(Notice::AbsoluteLink { path, text });
            return;
        }
        let Some(Owner::Package(place)) = self.owner(dir, name, &text) else { return };
        if place.route() == *source || self.is_gone(dir, name, &place) == Some(true) {
            self.tree.remove(dir, name);
        }
    }

    /// Sees to the dangling links of a package directly in `dir`: at once, or, where nothing depends on that, when all
    /// packages are unlinked. Thousands may share a directory.
    fn leave_to_tidy(&mut self, dir: DirId, id: SourceId) {
        // Unlinking lets no link dangle that did not before, and one question is enough for all packages.
        let is_seen_to = self.tidied.contains(&dir) || self.needs.contains(&Need::AllLead { dir });
        match (self.request.policy.tidy, self.request.policy.refold) {
            (Tidy::ThisPackage, Refold::AfterEach) => self.tidy(dir, &BTreeSet::from([id])),
            (Tidy::ThisPackage, _) => {
                self.to_tidy.entry(dir).or_default().insert(id);
            }
            (Tidy::AnyPackage, _) if is_seen_to => {}
            (Tidy::AnyPackage, _) => self.tidy(dir, &BTreeSet::new()),
        }
    }

    /// Sees to what was left for when all packages are unlinked.
    pub(super) fn tidy_visited(&mut self) {
        for (dir, packages) in std::mem::take(&mut self.to_tidy) {
            self.tidy(dir, &packages);
        }
    }

    /// Removes the dangling links of these packages directly in `dir`, or those of all, as the policy has it.
    fn tidy(&mut self, dir: DirId, packages: &BTreeSet<SourceId>) {
        let tidy = self.request.policy.tidy;
        let Some(entries) = self.tree.entries(dir) else {
            if tidy == Tidy::AnyPackage && self.tree.known_entries(dir).is_some() {
                self.need_listing(Side::Target, dir, Texts::None);
            }
            return;
        };
        // Looking at all that others have in a directory that thousands share would take longer than the unlink.
        let is_shared_by_many = entries.has_unread_links() && entries.count_links() > FEW;
        if is_shared_by_many && tidy == Tidy::ThisPackage {
            return;
        }
        // Nobody's text is wanted but those of the links that dangle.
        let is_unknown = |entries: &Entries| entries.links_to(&[Leads::Unknown]).nth(WORTH_ASKING).is_some();
        if tidy == Tidy::AnyPackage
            && is_unknown(entries)
            && self.snapshot.target.entries(dir).is_some_and(is_unknown)
        {
            self.needs.insert(Need::AllLead { dir });
            return;
        }
        let links: Vec<Name> = entries.links_to(&[Leads::Unknown, Leads::Nothing]).collect();
        if links.is_empty() {
            self.tidied.insert(dir);
        }
        for name in links {
            let Some(text) = self.text(dir, &name) else { continue };
            let Some(Owner::Package(place)) = self.owner(dir, &name, &text) else { continue };
            let is_meant = tidy == Tidy::AnyPackage
                || self
                    .snapshot
                    .source_at(&place.stow_dir, &place.package)
                    .is_some_and(|id| packages.contains(&id));
            if is_meant && self.is_gone(dir, &name, &place) == Some(true) {
                self.tree.remove(dir, &name);
            }
        }
    }

    pub(super) fn is_in(&self, place: &Place, id: SourceId) -> bool {
        let source = self.snapshot.source(id);
        place.package == source.package && place.stow_dir == source.stow_dir
    }
}
