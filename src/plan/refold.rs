//! Folding after an unlink: a directory that holds nothing but links into one place becomes one link to it.

use std::collections::HashSet;

use super::owner::{Owner, Place};
use super::{Planner, Src};
use crate::package::Mount;
use crate::path::{LinkText, Name, RelPath, Route};
use crate::policy::{Fold, Ownership, Refold, Walk};
use crate::rules::Globs;
use crate::snapshot::{Need, Side};
use crate::tree::{DirId, Entries, Leads, Node, ROOT, Texts};

/// A package's directory with fewer entries is matched where it is, without asking.
const WORTH_MATCHING: usize = if cfg!(test) { 2 } else { 32 };

impl Planner<'_> {
    /// Folds `dir` when stow would: all that is left are links whose texts share one directory of a package.
    pub(super) fn refold_as_stow(&mut self, dir: DirId) {
        let Some((up, name)) = self.tree.parent(dir).map(|(up, name)| (up, name.clone())) else { return };
        let Some(entries) = self.tree.entries(dir).filter(|entries| entries.has_only_links()) else { return };
        if entries.len() > 1 {
            // Two that differ tell enough.
            let ends = [entries.link_names().next(), entries.last_link_name()];
            let [first, last] = ends.map(|name| name.map(Name::of_segment));
            let texts = [first, last].map(|name| self.text(dir, &name?));
            if matches!(&texts, [Some(first), Some(last)] if first.split().0 != last.split().0) {
                return;
            }
            if self.tree.entries(dir).is_some_and(Entries::has_unread_links) {
                if texts.iter().all(Option::is_some) {
                    self.need_listing(Side::Target, dir, Texts::All);
                }
                return;
            }
        }
        let Some(entries) = self.tree.entries(dir) else { return };
        let names: Vec<_> = entries.names().collect();
        let mut shared: Option<Vec<u8>> = None;
        let mut known = true;
        for name in &names {
            let Some(text) = self.text(dir, name) else {
                known = false;
                continue;
            };
            // Only with `--compat` there are dangling ones left here, and nothing is folded over them.
            let route = text.route_from(&self.tree.path(dir));
            if self.request.policy.walk == Walk::Target
                && let Some(route) = route
                && let Some(Some(place)) = self.place_of(&route)
            {
                match self.leads(dir, name, &place) {
                    Some(Leads::Nothing) => return,
                    Some(_) => {}
                    None => known = false,
                }
            }
            match &shared {
                Some(shared) if shared != text.split().0 => return,
                Some(_) => {}
                None => shared = Some(text.split().0.to_vec()),
            }
        }
        let (Some(shared), true) = (shared, known) else { return };
        // The text one level up: without its first `../`.
        let Some(text) = shared.strip_prefix(b"../").map(LinkText::new) else { return };
        let route = Route::below_root(self.tree.path(dir)).follow(&shared);
        if let Some(Some(_)) = self.place_of(&route) {
            self.tree.set(up, name, Node::link(text, Leads::Dir));
        }
    }

    /// Folds the directories that unlinking visited, the deepest first, when nothing is hidden or exposed by it.
    pub(super) fn refold_visited(&mut self) {
        debug_assert_eq!(self.request.policy.refold, Refold::AfterAll);
        let mut dirs = std::mem::take(&mut self.to_refold);
        dirs.sort_by_cached_key(|&dir| (std::cmp::Reverse(self.tree.depth(dir)), dir));
        dirs.dedup();
        // Directories in which one was folded by guess.
        let mut guessed = HashSet::new();
        for dir in dirs {
            if !guessed.contains(&dir) {
                self.refold_exactly(dir, &mut guessed);
                continue;
            }
            // If the guess is right, this will be asked next. What it would take to read goes too far for a guess.
            let needs = std::mem::take(&mut self.needs);
            self.refold_exactly(dir, &mut guessed);
            let guesses = std::mem::replace(&mut self.needs, needs);
            self.needs.extend(guesses.into_iter().filter(|need| matches!(need, Need::SameMode { .. })));
        }
    }

    /// Folds `dir` when it holds exactly the links that stand for one directory of a package. Where only how open the two
    /// are is not known yet, it is folded all the same, and the directory that it is in goes into `guessed`: nearly all
    /// are, and one question after the other would plan anew for each level. The plan does not count while there is a need.
    fn refold_exactly(&mut self, dir: DirId, guessed: &mut HashSet<DirId>) {
        let Some((up, name)) = self.tree.parent(dir).map(|(up, name)| (up, name.clone())) else { return };
        if self.tree.known_entries(dir).is_some_and(has_several_owners) || !self.target_read(dir, Texts::Few)
        {
            return;
        }
        let Some(first) = self.tree.entries(dir).and_then(|entries| entries.names().next()) else {
            return;
        };
        if !matches!(self.tree.get(dir, &first), Some(Some(Node::Link(_)))) {
            return;
        }
        let Some(text) = self.text(dir, &first) else { return };
        let Some(Owner::Package(place)) = self.owner(dir, &first, &text) else { return };
        let Some((above, _)) = place.path.split() else { return };
        let place = Place { path: above, ..place };
        let path = self.tree.path(dir);
        if self.takes_content_of(&place, &path) {
            return;
        }
        let Some(Some(src)) = self.directory_at(&place) else { return };
        if self.mirrors(dir, src, &place) == Some(true) && self.folds(src, &path) == Some(true) {
            match self.is_as_open(dir, src) {
                Some(true) => {}
                Some(false) => return,
                None => drop(guessed.insert(up)),
            }
            let depth = self.tree.depth(up);
            let text = place.route().text_from(depth);
            self.tree.set(up, name, Node::link(text, Leads::Dir));
        }
    }

    /// Tells whether a directory lets in whom the package's does. One that somebody has closed to others stays: a link would
    /// open it, and what programs write there would land in the package.
    fn is_as_open(&mut self, dir: DirId, src: Src) -> Option<bool> {
        if !self.snapshot.target.knows(dir) {
            return Some(true);
        }
        let need = Need::SameMode { dir, source: src.id, source_dir: src.dir };
        let known = self.snapshot.holds(&need);
        if known.is_none() {
            self.needs.insert(need);
        }
        known
    }

    /// Tells whether `dir` holds a link to each entry of `src` that counts, and nothing else.
    fn mirrors(&mut self, dir: DirId, src: Src, place: &Place) -> Option<bool> {
        let source_dir = place.path.clone();
        let rules_dir = self.request.policy.rules_dir(&source_dir, &self.tree.path(dir));
        let mut count = 0;
        let mut known = true;
        for (name, node) in self.source_entries(src)? {
            if self.ignored(src, &source_dir, &rules_dir, &name, &node) {
                continue;
            }
            count += 1;
            let target_name = self.target_name(&name);
            if !matches!(self.tree.get(dir, &target_name), Some(Some(Node::Link(_)))) {
                return Some(false);
            }
            let Some(text) = self.text(dir, &target_name) else {
                known = false;
                continue;
            };
            match self.owner(dir, &target_name, &text) {
                Some(Owner::Package(at))
                    if at.route() == place.route().join(&name)
                        && self.trusts(dir, &target_name, &text, &at.route()) => {}
                Some(_) => return Some(false),
                None => known = false,
            }
        }
        known.then(|| self.tree.entries(dir).is_some_and(|entries| entries.len() == count))
    }

    /// Tells whether the directory at `path` is the one in which the content of `place` is to appear, so that linking
    /// would not let it be one link.
    fn takes_content_of(&self, place: &Place, path: &RelPath) -> bool {
        let steps = self.request.steps.iter();
        let steps = steps.filter(|step| step.package == place.package && step.entry == place.path);
        let other = self.request.others.get(&place.package).filter(|_| place.path.is_root());
        steps.map(|step| &step.mount).chain(other).any(|mount| *mount == Mount::Into(path.clone()))
    }

    /// Tells whether a package's directory may be one link at `path`.
    pub(super) fn folds(&mut self, src: Src, path: &RelPath) -> Option<bool> {
        let (request, source) = (self.request, self.snapshot.source(src.id));
        let in_dotfiles = source.package.join_path(&source.tree.path(src.dir));
        let own =
            self.folding.filter(|step| in_dotfiles.below(&step.package.join_path(&step.entry)).is_some());
        let (fold, never) = match own.and_then(|step| step.folds.as_ref()) {
            Some(folds) => (folds.fold, &folds.never),
            None => request.policy.folds(&in_dotfiles),
        };
        match fold {
            Fold::Always => Some(true),
            Fold::Never => Some(false),
            Fold::Whole => {
                let (hides, holds) = (self.hides(src), self.holds_unfolded(src, path, never));
                Some(!hides? && !holds?)
            }
        }
    }

    /// Tells whether `src`, which is to appear at `path`, is or holds a directory whose target path matches `never`.
    fn holds_unfolded(&mut self, src: Src, path: &RelPath, never: &Globs) -> Option<bool> {
        if never.is_empty() {
            return Some(false);
        }
        let mut known = true;
        let mut todo = vec![(src.dir, path.clone())];
        while let Some((dir, path)) = todo.pop() {
            if never.matches(path.as_bytes()) {
                return Some(true);
            }
            let Some(entries) = self.snapshot.source(src.id).tree.entries(dir) else {
                self.needs.insert(Need::Below { source: src.id, dir });
                known = false;
                continue;
            };
            for (name, node) in entries {
                if let Node::Dir(below) = node {
                    todo.push((below, path.join(&self.target_name(&name))));
                }
            }
        }
        known.then_some(false)
    }

    /// Tells whether an ignore rule of the user's keeps something below `src` out.
    fn hides(&mut self, src: Src) -> Option<bool> {
        let source = self.snapshot.source(src.id);
        if !source.rules.may_hide() {
            return Some(false);
        }
        if let Some(&known) = self.hides.get(&src) {
            return Some(known);
        }
        let mut known = true;
        let mut todo = vec![src.dir];
        while let Some(dir) = todo.pop() {
            let Some(entries) = self.snapshot.source(src.id).tree.entries(dir) else {
                self.needs.insert(Need::Below { source: src.id, dir });
                known = false;
                continue;
            };
            let hides = match self.snapshot.hides(src.id, dir) {
                None if entries.len() < WORTH_MATCHING => Some(self.snapshot.find_hides(src.id, dir)),
                hides => hides,
            };
            match hides {
                Some(true) => {
                    self.hides.insert(src, true);
                    return Some(true);
                }
                Some(false) => {}
                None => {
                    self.needs.insert(Need::Hides { source: src.id, dir });
                    known = false;
                }
            }
            todo.extend(entries.dirs().map(|(_, below)| below));
        }
        if known {
            self.hides.insert(src, false);
        }
        known.then_some(false)
    }

    /// Tells whether `dir` is the stow directory itself.
    pub(super) fn is_stow_dir(&self, dir: DirId) -> bool {
        let stow_dir = &self.request.stow_dir;
        stow_dir.up == 0 && self.tree.find(&stow_dir.down) == Some(dir)
    }

    /// Tells whether a link to `place` is as good as the one that farm would make.
    pub(super) fn same_destination(&self, place: &Place, source: &Route) -> bool {
        self.request.policy.ownership == Ownership::ByDestination && place.route() == *source
    }

    /// Notes that an unlink has visited `dir`.
    pub(super) fn visited(&mut self, dir: DirId) {
        match self.request.policy.refold {
            Refold::AfterEach if dir != ROOT => self.refold_as_stow(dir),
            Refold::AfterAll if dir != ROOT => self.to_refold.push(dir),
            _ => {}
        }
    }
}

/// Tells whether a directory holds something that is no link, or links into several places: then no link can stand for
/// it, and of a large one no more need be known.
fn has_several_owners(entries: &Entries) -> bool {
    let mut heads = entries.links().map(|(_, text)| text);
    let first = heads.next();
    let is_other = |head: Result<&[u8], LinkText>| first.as_ref().is_some_and(|first| *first != head);
    entries.is_partial()
        && (entries.nodes().any(|node| !matches!(node, Node::Link(_))) || heads.any(is_other))
}
