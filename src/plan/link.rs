//! Linking a package: its entries appear in the target, folded where that is allowed.

use std::sync::Arc;

use super::conflict::{Compared, Reason};
use super::mount::{Part, marker_of};
use super::owner::Owner;
use super::{Planner, Src};
use crate::op::{self, Fate, Place, Slot};
use crate::package::{Action, Method, Mount, Step};
use crate::path::{LinkText, Name, RelPath, Route};
use crate::policy::{AbsoluteSource, OnFile, Ownership};
use crate::rendered::Stored;
use crate::snapshot::{Mirror, Need, SourceId};
use crate::tree::{Apart, DirId, Entries, Leads, Link, Node, Texts};

/// A directory of a package that is being mirrored into a directory of the target.
struct Frame<'a> {
    into: DirId,
    from: Src,
    /// With what has their names in the target, where it is at hand.
    entries: Box<dyn Iterator<Item = Apart> + 'a>,
    /// The paths of the two directories, and the package's as seen from the root.
    target_dir: RelPath,
    source_dir: RelPath,
    /// The directory as ignore rules know it.
    rules_dir: RelPath,
    route: Route,
    depth: usize,
    /// What comes before the names in the texts of the links.
    head: Option<Box<[u8]>>,
    /// The entries count, and something else than the right links has their names.
    are_taken: bool,
    /// How many entries the target's directory has before.
    before: usize,
}

/// An entry that is being linked.
pub(super) struct Entry<'f> {
    pub from: Src,
    pub name: &'f Name,
    pub node: &'f Node,
    pub into: DirId,
    /// Its name in the target.
    pub target_name: Name,
    pub target_dir: &'f RelPath,
    /// The package's entry as seen from the root, and the text of a link to it.
    source: Route,
    text: LinkText,
    /// When it is to be a file of its own: the content.
    stored: Option<Stored>,
    /// It is known to be another file than the one that has its name.
    differs: bool,
}

impl Entry<'_> {
    pub fn path(&self) -> RelPath {
        self.target_dir.join(&self.target_name)
    }

    pub fn source(&self) -> &Route {
        &self.source
    }
}

/// Which entries of a package's directory remain when its links were put into the target at once.
enum Left {
    All,
    /// These, because something is or was there.
    Some(Vec<Apart>),
    /// These, which count, and whose names something else than the right links has.
    Taken(Vec<Apart>),
}

/// What remains to be walked after an entry: directories to mirror, the last one first.
pub(super) type Below = Vec<(DirId, Src)>;

impl<'a> Planner<'a> {
    /// Links one package, or a part of it.
    pub(super) fn link(&mut self, id: SourceId, step: &Step) {
        let Some(part) = self.part(id, step) else { return };
        let source = self.snapshot.source(id).route().join_path(&step.entry);
        let Some(part) = part else {
            self.conflict(Action::Link, id, step.mount.at().clone(), Reason::NoSource { source });
            return;
        };
        match &step.mount {
            Mount::Into(at) => {
                let Some(top) = self.reach(at, Action::Link, id) else { return };
                match self.part_dir(&part) {
                    Some(Some(src)) => self.fill(vec![(top, src)]),
                    Some(None) => self.conflict(Action::Link, id, at.clone(), Reason::NoSource { source }),
                    None => {}
                }
            }
            Mount::As(at) => self.link_as(at, &part, source, step.method),
        }
    }

    /// Lets a part of a package appear under a path of its own.
    fn link_as(&mut self, at: &RelPath, part: &Part, source: Route, method: Method) {
        let id = part.above.id;
        let Some((target_dir, target_name)) = at.split() else { return };
        let Some(into) = self.reach(&target_dir, Action::Link, id) else { return };
        if !self.target_read(into, Texts::None) || self.is_closed(into, Action::Link, id) {
            return;
        }
        let text = source.text_from(self.tree.depth(into));
        let (from, name, node) = (part.above, &part.name, &part.node);
        let shelf = self.request.rendered.as_ref().map(|rendered| rendered.shelf.clone());
        let stored =
            shelf.filter(|_| method != Method::Link).map(|shelf| Stored { shelf, name: name.clone() });
        let target_dir = &target_dir;
        let entry =
            Entry { from, name, node, into, target_name, target_dir, source, text, stored, differs: false };
        let mut below = Below::new();
        match &entry.stored {
            Some(stored) => self.write_there(&entry, stored, method, &mut below),
            None => match self.goes_as_a_whole(&entry) {
                Some(true) => {
                    let source = entry.source.clone();
                    self.in_the_way(&entry, Reason::Directory { source }, &mut below);
                }
                Some(false) => self.link_there(&entry, None, &mut below),
                None => {}
            },
        }
        self.fill(below);
    }

    /// Fills directories of the target with what packages have in theirs, the last one first.
    pub(super) fn fill(&mut self, mut todo: Below) {
        let mut frames: Vec<(Frame<'a>, Below)> = Vec::new();
        loop {
            if let Some((into, from)) = todo.pop() {
                if let Some(frame) = self.enter(into, from) {
                    frames.push((frame, std::mem::take(&mut todo)));
                }
                continue;
            }
            let Some((frame, after)) = frames.last_mut() else { return };
            match frame.entries.next() {
                Some(entry) => self.link_entry(frame, entry, &mut todo),
                None => {
                    // What others have most of may well grow for the next package, too.
                    if self.tree.known_entries(frame.into).is_some_and(|it| it.len() / 2 >= frame.before) {
                        self.tree.shrink(frame.into);
                    }
                    todo = std::mem::take(after);
                    frames.pop();
                }
            }
        }
    }

    fn enter(&mut self, into: DirId, from: Src) -> Option<Frame<'a>> {
        let entries = self.both_read(into, from, Texts::None)?;
        if self.is_closed(into, Action::Link, from.id) {
            return None;
        }
        // Only who may move directories away has to know which ones are in use.
        if self.request.policy.makes_way() || !self.request.policy.restore.is_empty() {
            self.entered.insert(into);
        }
        let target_dir = self.tree.path(into);
        let left = self.link_mirror(into, from, &target_dir)?;
        let are_taken = matches!(left, Left::Taken(_));
        let entries: Box<dyn Iterator<Item = Apart>> = match left {
            Left::All => {
                Box::new(entries.iter().map(|(name, node)| Apart { name, node, there: None, differs: false }))
            }
            Left::Some(entries) | Left::Taken(entries) if entries.is_empty() => return None,
            Left::Some(entries) | Left::Taken(entries) => Box::new(entries.into_iter()),
        };
        let source = self.snapshot.source(from.id);
        let source_dir = source.tree.path(from.dir);
        let route = source.route().join_path(&source_dir);
        let depth = self.tree.depth(into);
        Some(Frame {
            into,
            from,
            entries,
            rules_dir: self.request.policy.rules_dir(&source_dir, &target_dir),
            target_dir,
            head: route.head_from(depth),
            route,
            source_dir,
            depth,
            are_taken,
            before: self.tree.known_entries(into).map_or(0, Entries::len),
        })
    }

    /// Puts the links of a package's directory into `into` at once; returns which entries remain to be looked at one by one.
    fn link_mirror(&mut self, into: DirId, from: Src, target_dir: &RelPath) -> Option<Left> {
        let Some(mirror) = self.mirror(into, from, target_dir)? else { return Some(Left::All) };
        let Some(there) = self.tree.known_entries(into) else { return Some(Left::All) };
        let before = &self.snapshot.target;
        let before = before.knows(into).then(|| before.shared_entries(into)).flatten();
        let was_empty = before.is_none_or(|before| before.is_empty());
        let (entries, left) = match mirror {
            Mirror::Alone(links) if there.same_links(links) => return Some(Left::Some(Vec::new())),
            _ if there.is_partial() => return Some(Left::All),
            Mirror::Alone(links) if there.is_empty() && was_empty => (links.clone(), Left::Some(Vec::new())),
            // What was there and is right stays as it was.
            Mirror::Alone(links) if there.is_empty() && before.is_some_and(|it| it.same_links(links)) => {
                (before?.clone(), Left::Some(Vec::new()))
            }
            Mirror::Among { there: known, all, taken } if std::ptr::eq(there, &**known) => {
                (all.clone(), Left::Taken(taken.clone()))
            }
            // Earlier steps have changed the directory, or more is known of it now. What was there before them may lead
            // right in a way of its own.
            _ => {
                let is_new = |name: &[u8]| before.is_none_or(|before| !before.contains(name));
                let need = self.mirror_need(from, target_dir);
                let Some((entries, left)) = self.snapshot.with_mirror(&need, there, is_new) else {
                    return Some(Left::All);
                };
                (Arc::new(entries), Left::Some(left))
            }
        };
        self.tree.set_entries(into, entries);
        Some(left)
    }

    fn link_entry(&mut self, frame: &Frame<'a>, entry: Apart, below: &mut Below) {
        let Apart { name, node, there, differs } = &entry;
        if !frame.are_taken
            && (self.ignored(frame.from, &frame.source_dir, &frame.rules_dir, name, node)
                || self.link_plainly(frame, name, node))
        {
            return;
        }
        let source = frame.route.join(name);
        let entry = Entry {
            from: frame.from,
            name,
            node,
            into: frame.into,
            target_name: self.target_name(name),
            target_dir: &frame.target_dir,
            text: source.text_from(frame.depth),
            source,
            stored: None,
            differs: *differs,
        };
        self.link_there(&entry, there.clone(), below);
    }

    /// Links an entry that counts, whatever stands in its place, which may be at hand as `there`.
    fn link_there(&mut self, entry: &Entry, there: Option<Node>, below: &mut Below) {
        if let Node::Link(link) = entry.node
            && self.request.policy.absolute_source == AbsoluteSource::Conflict
            && let Some(text) = link.text.clone().filter(LinkText::is_absolute)
        {
            let source = entry.source.clone();
            self.conflict(Action::Link, entry.from.id, entry.path(), Reason::AbsoluteSource { source, text });
            return;
        }
        if !self.asides.is_empty() && self.asides.contains(&entry.path()) {
            self.conflict(Action::Link, entry.from.id, entry.path(), Reason::BackupPlace);
            return;
        }
        match there.or_else(|| self.tree.get(entry.into, &entry.target_name).flatten()) {
            None => self.place(entry, below),
            Some(Node::Link(_)) => self.over_link(entry, below),
            Some(Node::Dir(dir)) => self.over_dir(entry, dir, below),
            Some(Node::File) => self.over_file(entry, true, below),
            Some(Node::Other) => self.over_file(entry, false, below),
        }
    }

    /// Links an entry as nearly all are linked: it is no directory and no link, keeps its name, and nothing is in its
    /// way but, perhaps, the right link. Tells whether it was such a one; [`place`](Self::place) and
    /// [`over_link`](Self::over_link) would do the same with it, in a longer way.
    fn link_plainly(&mut self, frame: &Frame, name: &Name, node: &Node) -> bool {
        let Some(head) = &frame.head else { return false };
        let is_plain = self.request.earlier.is_none()
            && matches!(node, Node::File | Node::Other)
            && self.asides.is_empty()
            && self.request.policy.naming.keeps(name);
        if !is_plain {
            return false;
        }
        if self.tree.leads_below(frame.into, name, head) {
            return true;
        }
        let was_there = || {
            let before = &self.snapshot.target;
            before.knows(frame.into)
                && before.contains(frame.into, name)
                && !before.leads_below(frame.into, name, head)
        };
        if self.tree.contains(frame.into, name) || was_there() {
            return false;
        }
        self.tree.set_below(frame.into, name, head, Leads::Other);
        true
    }

    /// Puts the entry where nothing is: one link, or a directory to be filled when it must not fold.
    pub(super) fn place(&mut self, entry: &Entry, below: &mut Below) {
        let Node::Dir(dir) = entry.node else {
            self.put_link(entry);
            return;
        };
        let src = Src { id: entry.from.id, dir: *dir };
        let Some(fold) = self.folds(src, &entry.path()) else { return };
        if fold {
            self.put_link(entry);
        } else {
            let made = self.tree.make_dir(entry.into, &entry.target_name);
            below.push((made, src));
        }
    }

    fn put_link(&mut self, entry: &Entry) {
        if let Some(stored) = &entry.stored {
            return self.put_file(entry, stored);
        }
        if let Some(node) = self.as_it_was(entry) {
            if let Node::Link(Link { text: Some(text), .. }) = &node {
                self.stands(|| entry.path(), text);
            }
            self.tree.set(entry.into, entry.target_name.clone(), node);
            return;
        }
        self.stands(|| entry.path(), &entry.text);
        let leads = match entry.node {
            Node::Dir(_) => Leads::Dir,
            Node::Link(link) => link.leads,
            Node::File | Node::Other => Leads::Other,
        };
        self.tree.set(entry.into, entry.target_name.clone(), Node::link(entry.text.clone(), leads));
    }

    /// Returns the link that was there before the plan, when it leads to the entry in a way of its own, absolute or by
    /// way of other links: unlinking took it out, and linking has no reason to write it anew.
    fn as_it_was(&mut self, entry: &Entry) -> Option<Node> {
        if self.request.policy.ownership == Ownership::ByText || !self.snapshot.target.knows(entry.into) {
            return None;
        }
        let node = self.snapshot.target.get(entry.into, &entry.target_name)??;
        let Node::Link(Link { text: Some(text), .. }) = &node else { return None };
        let leads_there = match self.place_of(&self.request.route_of(entry.target_dir, text))? {
            Some(place) => self.same_destination(&place, &entry.source),
            None => {
                let real = self.snapshot.real(entry.into, &entry.target_name);
                // What unlinking takes out it has asked about; what earlier runs made goes unasked.
                if self.request.earlier.is_some() && real.is_none() {
                    self.needs.insert(Need::Real { dir: entry.into, name: entry.target_name.clone() });
                }
                real == Some(Some(&entry.source))
            }
        };
        (leads_there && self.trusts(entry.into, &entry.target_name, text, &entry.source)).then_some(node)
    }

    fn over_dir(&mut self, entry: &Entry, dir: DirId, below: &mut Below) {
        match self.source_dir(entry.from, entry.name, entry.node) {
            // One that holds itself, in a directory that the plan makes as it goes: there would be no end to it.
            Some(Some(src)) if !self.snapshot.target.knows(dir) && matches!(entry.node, Node::Link(_)) => {
                match self.loops(src) {
                    Some(0 | 1) => below.push((dir, src)),
                    Some(_) => {
                        let owner = self.snapshot.source(src.id).package.clone();
                        let reason = Reason::OtherPackage { text: entry.text.clone(), owner };
                        self.conflict(Action::Link, src.id, entry.path(), reason);
                    }
                    None => {}
                }
            }
            Some(Some(src)) => below.push((dir, src)),
            Some(None) => {
                let source = entry.source.clone();
                self.in_the_way(entry, Reason::Directory { source }, below);
            }
            None => {}
        }
    }

    fn over_file(&mut self, entry: &Entry, is_file: bool, below: &mut Below) {
        let source = entry.source.clone();
        let reason = match self.request.policy.on_file {
            OnFile::Adopt => match self.source_leads(entry.from, entry.name, entry.node) {
                Some(Leads::Dir) => {
                    let reason = Reason::FileForDirectory { source };
                    self.conflict(Action::Link, entry.from.id, entry.path(), reason);
                    return;
                }
                Some(_) => {
                    // What equals the package's file takes nothing from it, and needs no place to keep that.
                    let equal = if is_file && *entry.node == Node::File {
                        let need = Self::equal_need(entry.into, &entry.target_name, entry.from, entry.name);
                        let equal = self.snapshot.holds(&need);
                        if equal.is_none() {
                            self.needs.insert(need);
                        }
                        equal
                    } else {
                        Some(false)
                    };
                    let place = match equal {
                        None => return,
                        Some(true) => Place::Equal(Slot::NEXT),
                        Some(false) => Place::Package { at: source, entry: op::Entry::Old(Slot::NEXT) },
                    };
                    // Whatever the package has there, it will be the file.
                    let node = Node::link(entry.text.clone(), Leads::Other);
                    self.tree.set(entry.into, entry.target_name.clone(), node);
                    self.fates.insert(entry.path(), Fate::Goes(place));
                    return;
                }
                None => return,
            },
            OnFile::Stop => Reason::File { source, compared: Compared::No },
            OnFile::MergeEqual if entry.differs => Reason::File { source, compared: Compared::Differ },
            OnFile::MergeEqual if is_file && *entry.node == Node::File => {
                let need = Self::equal_need(entry.into, &entry.target_name, entry.from, entry.name);
                match self.snapshot.holds(&need) {
                    Some(true) => {
                        self.fates.insert(entry.path(), Fate::Goes(Place::Equal(Slot::NEXT)));
                        self.put_link(entry);
                        return;
                    }
                    Some(false) => Reason::File { source, compared: Compared::Differ },
                    None => {
                        self.needs.insert(need);
                        return;
                    }
                }
            }
            OnFile::MergeEqual => Reason::File { source, compared: Compared::OtherKind },
        };
        self.in_the_way(entry, reason, below);
    }

    fn over_link(&mut self, entry: &Entry, below: &mut Below) {
        let (dir, name) = (entry.into, &entry.target_name);
        let Some(text) = self.text(dir, name) else { return };
        if text == entry.text {
            self.keep(entry, &text, below);
            return;
        }
        if self.is_rendered(entry.target_dir, &text) && self.is_on_disk(dir, name) {
            self.put_in_place_of_link(entry, below);
            return;
        }
        let place = match self.owner(dir, name, &text) {
            None => return,
            Some(Owner::Foreign) => {
                self.in_the_way(entry, Reason::NotOwned(text), below);
                return;
            }
            Some(Owner::Package(place)) => place,
        };
        if self.same_destination(&place, &entry.source) {
            if self.trusts(dir, name, &text, &entry.source) {
                self.keep(entry, &text, below);
            } else {
                self.put_in_place_of_link(entry, below);
            }
            return;
        }
        let Some(leads) = self.leads(dir, name, &place) else { return };
        let Some(gone) = self.is_gone(dir, name, &place) else { return };
        let path = entry.path();
        if gone {
            self.put_in_place_of_link(entry, below);
            return;
        }
        if self.request.policy.defer.matches(path.as_bytes()) {
            return;
        }
        if self.request.policy.overrides.matches(path.as_bytes()) {
            self.take_over(entry, below);
        } else {
            let Some(new) = self.source_dir(entry.from, entry.name, entry.node) else { return };
            let old = match (leads, new) {
                (Leads::Dir, Some(_)) => match self.directory_at(&place) {
                    Some(old) => old,
                    None => return,
                },
                _ => None,
            };
            // Two that hold themselves cannot be mirrored into one.
            let is_endless = match (old, new) {
                (Some(old), Some(new)) => self.loops(old).zip(self.loops(new)).map(|(a, b)| a > 0 && b > 0),
                _ => Some(false),
            };
            let Some(is_endless) = is_endless else { return };
            match (old, new) {
                (Some(old), Some(new)) if !is_endless => self.unfold(entry, old, new, below),
                _ => {
                    let reason = Reason::OtherPackage { text, owner: place.package };
                    self.conflict(Action::Link, entry.from.id, path, reason);
                }
            }
        }
    }

    /// Puts the entry where another package's link is to give way to it.
    ///
    /// A file that the other package was to adopt in this very plan is in this one's way instead, so that its bytes stay
    /// where its path leads. With a call for each package, as with stow, they would stay in the other.
    fn take_over(&mut self, entry: &Entry, below: &mut Below) {
        let path = entry.path();
        let was_adopted = match self.fates.get(&path) {
            Some(Fate::Goes(Place::Package { .. })) => true,
            // It has the bytes already.
            Some(Fate::Goes(Place::Equal(_))) => self.request.policy.adopts_at(&path),
            _ => false,
        };
        let before = &self.snapshot.target;
        let was_adopted = was_adopted && before.knows(entry.into);
        match was_adopted.then(|| before.get(entry.into, &entry.target_name).flatten()).flatten() {
            Some(file) => {
                self.fates.remove(&path);
                self.tree.set(entry.into, entry.target_name.clone(), file.clone());
                self.over_file(entry, file == Node::File, below);
            }
            None => self.put_in_place_of_link(entry, below),
        }
    }

    /// Puts the entry where a link gives way to it: as where nothing is, but for stow, which makes one link of it always.
    fn put_in_place_of_link(&mut self, entry: &Entry, below: &mut Below) {
        match self.request.policy.ownership {
            Ownership::ByText => self.put_link(entry),
            Ownership::ByDestination => self.place(entry, below),
        }
    }

    /// Leaves a link that is right, unless the farm is to be as a first run would make it, without this fold.
    fn keep(&mut self, entry: &Entry, text: &LinkText, below: &mut Below) {
        if self.request.earlier.is_some()
            && let Node::Dir(dir) = entry.node
        {
            match self.folds(Src { id: entry.from.id, dir: *dir }, &entry.path()) {
                Some(true) => {}
                Some(false) => return self.place(entry, below),
                None => return,
            }
        }
        self.stands(|| entry.path(), text);
    }

    /// Tells whether a link in the directory `dir` leads to a file that farm wrote: its bytes are kept, so it gives way.
    pub(super) fn is_rendered(&self, dir: &RelPath, text: &LinkText) -> bool {
        let rendered = self.request.rendered.as_ref();
        rendered.is_some_and(|rendered| self.request.route_of(dir, text).below(&rendered.dir).is_some())
    }

    /// Returns how often the way to a package's directory comes back to one that it has passed, by links of the package.
    fn loops(&mut self, src: Src) -> Option<usize> {
        let tree = &self.snapshot.source(src.id).tree;
        let dirs = std::iter::successors(Some(src.dir), |&dir| tree.parent(dir).map(|(up, _)| up));
        let mut loops = 0;
        for dir in dirs.filter(|&dir| tree.is_behind(dir)) {
            let need = Need::Endless { source: src.id, dir };
            match self.snapshot.holds(&need) {
                Some(is_endless) => loops += usize::from(is_endless),
                None => {
                    self.needs.insert(need);
                    return None;
                }
            }
        }
        Some(loops)
    }

    /// Turns the link to `old` into a directory that mirrors first `old` and then `new`.
    fn unfold(&mut self, entry: &Entry, old: Src, new: Src, below: &mut Below) {
        let [had, has] = [old, new].map(|src| self.snapshot.source(src.id).tree.entries(src.dir));
        if let Some(notice) = had.and_then(|entries| marker_of(entries, &entry.path())) {
            self.notices.push(notice);
            return;
        }
        if had.is_none() || has.is_none() {
            // What both have below meets, too.
            let at = entry.path();
            let need = |src: Src| Need::Merged { at: at.clone(), source: src.id, dir: src.dir };
            self.needs.extend([old, new].map(need));
            return;
        }
        let made = self.tree.make_dir(entry.into, &entry.target_name);
        below.push((made, new));
        below.push((made, old));
    }
}
