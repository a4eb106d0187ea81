//! Operations and plans: the difference between a farm before and after.
//!
//! An operation carries both of its states, so each has an inverse and each can be checked against the disk
//! before it is done.

mod ops;

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::path::{LinkText, Name, RelPath, Route};
use crate::rendered::Stored;
use crate::tree::{DirId, Leads, Node, Tree};

pub use ops::{All, Group, Links, Ops, Run, Stretch, Unit, Usual};

/// A change at one path of the target.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Op {
    /// Where, from the farm's root.
    pub path: RelPath,
    /// What happens there.
    pub change: Change,
}

/// What an operation does at its path.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Change {
    /// Nothing is there; the thing comes to be. [`Plan::between`] makes directories empty, their content follows as
    /// operations.
    Make(Thing),
    /// The thing is there and goes, a directory with all that is in it.
    Remove(Thing),
    /// One thing takes the other's place: a new text, an unfold (link to directory), a fold (directory to link).
    Swap {
        /// What is there.
        old: Thing,
        /// What will be there.
        new: Thing,
    },
    /// What is there, which the farm did not make, moves to `to`, and the new thing takes its place.
    Displace {
        /// What is there.
        what: What,
        /// Where it goes.
        to: Place,
        /// What will be there.
        new: Thing,
    },
    /// The inverse of [`Displace`](Self::Displace): what lies at `from` comes back, and what is there goes.
    Restore {
        /// What comes back.
        what: What,
        /// Where it lies.
        from: Place,
        /// What is there.
        old: Thing,
    },
}

/// Something that the farm did not make, as far as it must stay the same between planning and doing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum What {
    /// A regular file.
    File,
    /// A symbolic link.
    Link(LinkText),
    /// A directory, whatever is in it.
    Dir,
    /// A FIFO, socket or device.
    Other,
}

/// Where something goes that was in the way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Place {
    /// Into a package: it is adopted.
    Package {
        /// Where, as seen from the farm's root.
        at: Route,
        /// What is there.
        entry: Entry,
    },
    /// Under another name in the same directory: it is backed up.
    Beside(Name),
    /// Into the state directory: it is replaced.
    Kept(Slot),
    /// Into the state directory, or nowhere when there is none: the package has an equal file.
    Equal(Slot),
}

/// What the package has where an adopted file goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Entry {
    /// Nothing, and so many of the directories above are missing, too.
    New {
        /// The number of directories to make.
        dirs: usize,
    },
    /// Something that goes to the state directory.
    Old(Slot),
}

/// The generation under whose number the state directory keeps something; [`Slot::NEXT`] until a plan is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Slot(pub u64);

impl Slot {
    /// The generation that the plan will be.
    pub const NEXT: Slot = Slot(0);
}

impl Change {
    /// Returns where in the state directory it puts something, or takes it from.
    pub fn slot(&self) -> Option<Slot> {
        match self {
            Change::Displace { to: place, .. } | Change::Restore { from: place, .. } => match place {
                Place::Kept(slot) | Place::Equal(slot) => Some(*slot),
                Place::Package { entry: Entry::Old(slot), .. } => Some(*slot),
                Place::Package { .. } | Place::Beside(_) => None,
            },
            Change::Make(_) | Change::Remove(_) | Change::Swap { .. } => None,
        }
    }
}

/// What farm makes and removes: links, directories of links, and files with a content that it has stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Thing {
    /// A symbolic link with its text.
    Link(LinkText),
    /// A directory with all that is in it; files in it have operations of their own.
    Dir(Vec<Piece>),
    /// A regular file with the bytes and permissions that are stored there.
    File(Stored),
}

/// One entry of a directory that comes or goes as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Piece {
    /// Where, from the directory that is swapped. Directories come before what is in them.
    pub path: RelPath,
    /// The link's text; `None` for a directory.
    pub text: Option<LinkText>,
}

/// What a plan does with what the farm did not make, by the path where the farm wants to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It goes there.
    Goes(Place),
    /// It comes back from there.
    Returns(Place),
}

/// The fates of a plan.
pub type Fates = BTreeMap<RelPath, Fate>;

/// The files of a target that are the farm's own, by their paths.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Files {
    /// Those that are there.
    pub before: BTreeMap<RelPath, Stored>,
    /// Those that will be.
    pub after: BTreeMap<RelPath, Stored>,
}

/// A list of operations to be done in this order, each path changed at most once.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The operations, directory by directory in byte order, parents first.
    pub ops: Ops,
}

impl Op {
    /// Returns the operation that takes this one back.
    #[must_use]
    pub fn inverse(&self) -> Op {
        let change = match self.change.clone() {
            Change::Make(thing) => Change::Remove(thing),
            Change::Remove(thing) => Change::Make(thing),
            Change::Swap { old, new } => Change::Swap { old: new, new: old },
            Change::Displace { what, to, new } => Change::Restore { what, from: to, old: new },
            Change::Restore { what, from, old } => Change::Displace { what, to: from, new: old },
        };
        Op { path: self.path.clone(), change }
    }

    /// Does the operation on a tree in memory, whose directories on the way must have been read.
    ///
    /// # Errors
    /// The path, when the tree there is not as the operation expects; the tree is unchanged then.
    pub fn apply(&self, tree: &mut Tree) -> Result<(), RelPath> {
        let wrong = || self.path.clone();
        let (parent, name) = self.path.split().ok_or_else(wrong)?;
        let dir = tree.find(&parent).ok_or_else(wrong)?;
        let found = tree.get(dir, &name).ok_or_else(wrong)?;
        let as_planned = match &self.change {
            Change::Make(_) => found.is_none(),
            Change::Remove(old) | Change::Swap { old, .. } | Change::Restore { old, .. } => {
                match (old, found.as_ref()) {
                    // A tree knows no content.
                    (Thing::File(_), found) => found == Some(&Node::File),
                    (old, found) => found.and_then(|node| Thing::of(tree, node)).as_ref() == Some(old),
                }
            }
            Change::Displace { what, .. } => found.as_ref().and_then(What::of).as_ref() == Some(what),
        };
        if !as_planned {
            return Err(wrong());
        }
        match &self.change {
            Change::Remove(_) => tree.remove(dir, &name),
            Change::Make(new) | Change::Swap { new, .. } => put(tree, dir, name, new).ok_or_else(wrong)?,
            Change::Displace { to, new, .. } => {
                if let Place::Beside(aside) = to {
                    tree.relocate(dir, &name, aside);
                }
                put(tree, dir, name, new).ok_or_else(wrong)?;
            }
            Change::Restore { what, from, .. } => match from {
                Place::Beside(aside) => tree.relocate(dir, aside, &name),
                _ => match what {
                    What::File => tree.set(dir, name, Node::File),
                    What::Other => tree.set(dir, name, Node::Other),
                    What::Link(text) => tree.set(dir, name, Node::link(text.clone(), Leads::Unknown)),
                    What::Dir => tree.set_unread_dir(dir, &name),
                },
            },
        }
        Ok(())
    }
}

/// Puts a thing under `name`; `None` when it does not hang together.
fn put(tree: &mut Tree, dir: DirId, name: Name, thing: &Thing) -> Option<()> {
    let pieces = match thing {
        Thing::Link(text) => {
            tree.set(dir, name, Node::link(text.clone(), Leads::Unknown));
            return Some(());
        }
        Thing::File(_) => {
            tree.set(dir, name, Node::File);
            return Some(());
        }
        Thing::Dir(pieces) => pieces,
    };
    let made = tree.make_dir(dir, &name);
    let base = tree.path(made);
    for piece in pieces {
        let (parent, name) = base.join_path(&piece.path).split()?;
        let dir = tree.find(&parent)?;
        match &piece.text {
            Some(text) => tree.set(dir, name, Node::link(text.clone(), Leads::Unknown)),
            None => drop(tree.make_dir(dir, &name)),
        }
    }
    Some(())
}

impl Change {
    /// Returns the contents of the files that the change makes or removes.
    pub fn files(&self) -> impl Iterator<Item = &Stored> {
        self.things().filter_map(|thing| match thing {
            Thing::File(stored) => Some(stored),
            Thing::Link(_) | Thing::Dir(_) => None,
        })
    }

    /// Returns what of the farm's own the change takes away, and what it makes.
    fn things(&self) -> impl Iterator<Item = &Thing> {
        let new = match self {
            Change::Make(new) | Change::Displace { new, .. } | Change::Swap { new, .. } => Some(new),
            Change::Remove(_) | Change::Restore { .. } => None,
        };
        self.old().into_iter().chain(new)
    }

    /// Returns what of the farm's own the change takes away.
    pub fn old(&self) -> Option<&Thing> {
        match self {
            Change::Remove(old) | Change::Restore { old, .. } | Change::Swap { old, .. } => Some(old),
            Change::Make(_) | Change::Displace { .. } => None,
        }
    }

    /// Returns the texts of all links that the change makes or takes away.
    pub fn texts(&self) -> impl Iterator<Item = &LinkText> {
        self.things().flat_map(|thing| {
            let pieces = match thing {
                Thing::Dir(pieces) => &pieces[..],
                Thing::Link(_) | Thing::File(_) => &[],
            };
            thing.as_link().into_iter().chain(pieces.iter().filter_map(|piece| piece.text.as_ref()))
        })
    }

    /// Returns the texts of the links that the change makes.
    fn new_texts(&self) -> impl Iterator<Item = &LinkText> {
        let new = match self {
            Change::Make(new) | Change::Swap { new, .. } | Change::Displace { new, .. } => Some(new),
            Change::Remove(_) | Change::Restore { .. } => None,
        };
        let pieces = match new {
            Some(Thing::Dir(pieces)) => &pieces[..],
            _ => &[],
        };
        new.and_then(Thing::as_link).into_iter().chain(pieces.iter().filter_map(|piece| piece.text.as_ref()))
    }
}

impl What {
    /// Returns what `node` is, or `None` for a link whose text nobody has read.
    pub fn of(node: &Node) -> Option<What> {
        Some(match node {
            Node::File => What::File,
            Node::Other => What::Other,
            Node::Dir(_) => What::Dir,
            Node::Link(link) => What::Link(link.text.clone()?),
        })
    }
}

impl Thing {
    /// Returns the text, when this is a link.
    pub fn as_link(&self) -> Option<&LinkText> {
        match self {
            Thing::Link(text) => Some(text),
            Thing::Dir(_) | Thing::File(_) => None,
        }
    }

    /// Returns `node` with all that is in it, or `None` when it is or holds a file, or something unread.
    fn of(tree: &Tree, node: &Node) -> Option<Thing> {
        Thing::without(tree, node, |_| false)
    }

    /// As [`of`](Self::of); files in it that `is_apart` says yes to, by their paths from there, are left out.
    fn without(tree: &Tree, node: &Node, is_apart: impl Fn(&RelPath) -> bool) -> Option<Thing> {
        match node {
            Node::Link(link) => link.text.clone().map(Thing::Link),
            Node::Dir(dir) => {
                let mut pieces = Vec::new();
                let mut todo = vec![(*dir, RelPath::root())];
                while let Some((dir, at)) = todo.pop() {
                    for (name, node) in tree.entries(dir)? {
                        let path = at.join(&name);
                        let text = match node {
                            Node::Dir(id) => {
                                todo.push((id, path.clone()));
                                None
                            }
                            Node::Link(link) => Some(link.text?),
                            Node::File if is_apart(&path) => continue,
                            Node::File | Node::Other => return None,
                        };
                        pieces.push(Piece { path, text });
                    }
                }
                pieces.sort_by(|a, b| a.path.cmp(&b.path));
                Some(Thing::Dir(pieces))
            }
            Node::File | Node::Other => None,
        }
    }
}

impl Plan {
    /// Tells whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Tells whether the plan moves anything that is not the farm's own.
    pub fn moves_bytes(&self) -> bool {
        self.ops.unusual().any(|op| matches!(op.change, Change::Displace { .. } | Change::Restore { .. }))
    }

    /// Tells whether the plan makes or removes files, whose bytes must be on the disk.
    pub fn has_files(&self) -> bool {
        self.ops.unusual().any(|op| op.change.files().next().is_some())
    }

    /// Returns the plan with the number of the generation that it will be, where it keeps things.
    #[must_use]
    pub fn as_generation(&self, id: u64) -> Plan {
        let number = |slot: &mut Slot| {
            if *slot == Slot::NEXT {
                *slot = Slot(id);
            }
        };
        let mut plan = self.clone();
        plan.ops.edit(|op| {
            if let Change::Displace { to: place, .. } | Change::Restore { from: place, .. } = &mut op.change {
                match place {
                    Place::Kept(slot)
                    | Place::Equal(slot)
                    | Place::Package { entry: Entry::Old(slot), .. } => {
                        number(slot);
                    }
                    Place::Package { .. } | Place::Beside(_) => {}
                }
            }
        });
        plan
    }

    /// Returns the plan that takes this one back.
    ///
    /// A directory that was made and filled goes as a whole: what is taken away bit by bit is not gone until all is
    /// done.
    #[must_use]
    pub fn inverse(&self) -> Plan {
        let mut ops: Vec<Op> = Vec::with_capacity(self.ops.len());
        let mut tops: Vec<usize> = Vec::new();
        for op in self.ops.iter() {
            let inverse = op.inverse();
            let Change::Remove(thing) = &inverse.change else {
                ops.push(inverse);
                continue;
            };
            while let Some(&top) = tops.last()
                && inverse.path.below(&ops[top].path).is_none()
            {
                tops.pop();
            }
            if let Some(&top) = tops.last()
                && !matches!(thing, Thing::File(_))
                && let Some(path) = inverse.path.below(&ops[top].path)
                && let Change::Remove(Thing::Dir(pieces)) = &mut ops[top].change
            {
                let below =
                    |piece: &Piece| Piece { path: path.join_path(&piece.path), text: piece.text.clone() };
                pieces.push(Piece { path: path.clone(), text: thing.as_link().cloned() });
                if let Thing::Dir(more) = thing {
                    pieces.extend(more.iter().map(below));
                }
                continue;
            }
            if matches!(thing, Thing::Dir(_)) {
                tops.push(ops.len());
            }
            ops.push(inverse);
        }
        for op in &mut ops {
            if let Change::Remove(Thing::Dir(pieces)) = &mut op.change {
                pieces.sort_by(|a, b| a.path.cmp(&b.path));
            }
        }
        Plan { ops: ops.into_iter().rev().collect() }
    }

    /// Does the plan on a tree in memory.
    ///
    /// # Errors
    /// The first path that is not as the plan expects; what came before it is done.
    pub fn apply(&self, tree: &mut Tree) -> Result<(), RelPath> {
        self.ops.iter().try_for_each(|op| op.apply(tree))
    }

    /// Returns the operations that turn `before` into `after`, a changed copy of it.
    ///
    /// `fates` says what becomes of each thing that is not the farm's own. A directory swapped for a link must hold
    /// links and directories only, which is what the planner folds.
    pub fn between(before: &Tree, after: &Tree, fates: &Fates) -> Plan {
        Plan::between_with(before, after, fates, &Files::default())
    }

    /// As [`between`](Self::between), where `files` are the farm's own, too.
    pub fn between_with(before: &Tree, after: &Tree, fates: &Fates, files: &Files) -> Plan {
        let mut changed: Vec<DirId> = before.dirs().filter(|&dir| !before.shares(after, dir)).collect();
        changed.sort_by_cached_key(|&dir| before.path(dir));
        let asides = fates.iter().filter_map(|(path, fate)| match fate {
            Fate::Goes(Place::Beside(name)) | Fate::Returns(Place::Beside(name)) => {
                Some(path.split()?.0.join(name))
            }
            _ => None,
        });
        let mut diff = Diff {
            before,
            after,
            fates,
            files,
            asides: asides.collect(),
            ops: Ops::default(),
            gone: HashSet::new(),
            pairs: Vec::new(),
        };
        for dir in changed {
            if !diff.is_gone(dir) {
                diff.compare(dir, dir);
                while let Some((old, new)) = diff.pairs.pop() {
                    diff.compare(old, new);
                }
            }
        }
        Plan { ops: diff.ops }
    }
}

struct Diff<'a> {
    before: &'a Tree,
    after: &'a Tree,
    fates: &'a Fates,
    files: &'a Files,
    /// Where things lie that are backed up or come back: part of another path's operation.
    asides: HashSet<RelPath>,
    ops: Ops,
    /// Directories that the operations so far take away with all that is in them.
    gone: HashSet<DirId>,
    /// Directories that were taken apart and made anew at the same path, still to be compared.
    pairs: Vec<(DirId, DirId)>,
}

impl Diff<'_> {
    fn is_gone(&self, dir: DirId) -> bool {
        let mut up = Some(dir);
        while let Some(at) = up {
            if self.gone.contains(&at) {
                return true;
            }
            up = self.before.parent(at).map(|(up, _)| up);
        }
        false
    }

    fn compare(&mut self, old: DirId, new: DirId) {
        let at = self.before.path(old);
        let (Some(old), Some(new)) = (self.before.shared_entries(old), self.after.shared_entries(new)) else {
            return;
        };
        // Most directories get links or lose them, and have nothing else.
        if self.fates.is_empty() {
            let are_whole = !old.is_partial() && !new.is_partial();
            match (old.is_empty(), new.is_empty()) {
                (true, false) if are_whole && new.only_links() => {
                    return self.ops.push_all(All::Come, at, new.clone());
                }
                (false, true) if are_whole && old.only_links() => {
                    return self.ops.push_all(All::Go, at, old.clone());
                }
                // Where all was right before, too.
                (false, false) if are_whole && old.same_links(new) => return,
                _ => {}
            }
            for (name, old, new) in old.changes(new) {
                self.node(at.join(&name), old.as_ref(), new.as_ref());
            }
            return;
        }
        let mut old = old.iter().peekable();
        let mut new = new.iter().peekable();
        loop {
            let name = match (old.peek(), new.peek()) {
                (None, None) => return,
                (Some((name, _)), None) | (None, Some((name, _))) => name.clone(),
                (Some((a, _)), Some((b, _))) => a.min(b).clone(),
            };
            let old = old.next_if(|(n, _)| *n == name).map(|(_, node)| node);
            let new = new.next_if(|(n, _)| *n == name).map(|(_, node)| node);
            self.node(at.join(&name), old.as_ref(), new.as_ref());
        }
    }

    fn node(&mut self, path: RelPath, old: Option<&Node>, new: Option<&Node>) {
        if self.asides.contains(&path) {
            return;
        }
        if let Some(Node::Dir(dir)) = old
            && new != old
        {
            self.gone.insert(*dir);
        }
        let files = self.files;
        let thing_of = |tree: &Tree, node: &Node, files: &BTreeMap<RelPath, Stored>| {
            let thing = match node {
                Node::File => files.get(&path).cloned().map(Thing::File),
                node => Thing::without(tree, node, |below| files.contains_key(&path.join_path(below))),
            };
            thing.expect("the planner changes the farm's own things only")
        };
        let was = |node: &Node| thing_of(self.before, node, &files.before);
        let will_be = |node: &Node| thing_of(self.after, node, &files.after);
        let put = |ops: &mut Ops, new: &Node| {
            if let Node::Dir(_) = new {
                ops.extend(below(&files.after, &path).map(|(path, stored)| Op {
                    path: path.clone(),
                    change: Change::Make(Thing::File(stored.clone())),
                }));
            }
        };
        if let Some(fate) = self.fates.get(&path)
            && let (Some(old), Some(new)) = (old, new)
            && (old != new || files.after.contains_key(&path))
        {
            let what = |node| What::of(node).expect("the texts of links in the way are read");
            let change = match fate.clone() {
                Fate::Goes(to) => Change::Displace { what: what(old), to, new: will_be(new) },
                Fate::Returns(from) => Change::Restore { what: what(new), from, old: was(old) },
            };
            self.ops.push(Op { path: path.clone(), change });
            put(&mut self.ops, new);
            return;
        }
        let own = (files.before.get(&path), files.after.get(&path));
        let change = match (old, new) {
            (Some(Node::File), Some(Node::File)) if matches!(own, (Some(old), Some(new)) if old != new) => {
                Change::Swap { old: was(&Node::File), new: will_be(&Node::File) }
            }
            (None, None) | (Some(Node::File | Node::Other), Some(Node::File | Node::Other)) => return,
            (Some(Node::Dir(a)), Some(Node::Dir(b))) => {
                if a != b {
                    self.pairs.push((*a, *b));
                }
                return;
            }
            (Some(Node::Link(a)), Some(Node::Link(b))) if a.text == b.text => return,
            (None, Some(Node::Dir(dir))) => {
                self.make_dir(path, *dir);
                return;
            }
            (None, Some(node)) => Change::Make(will_be(node)),
            (Some(node), None) => Change::Remove(was(node)),
            (Some(old), Some(new)) => Change::Swap { old: was(old), new: will_be(new) },
        };
        // What is in a directory goes before it, and comes after it.
        if let Some(Node::Dir(_)) = old {
            self.ops.extend(below(&files.before, &path).map(|(path, stored)| Op {
                path: path.clone(),
                change: Change::Remove(Thing::File(stored.clone())),
            }));
        }
        self.ops.push(Op { path: path.clone(), change });
        if let Some(new) = new {
            put(&mut self.ops, new);
        }
    }

    /// Adds the operations for a new directory and all that is in it, each directory directly before its content.
    fn make_dir(&mut self, path: RelPath, dir: DirId) {
        let make = |path, thing| Op { path, change: Change::Make(thing) };
        let mut frames = Vec::new();
        let mut next = Some((path, dir));
        loop {
            if let Some((path, dir)) = next.take() {
                self.ops.push(make(path.clone(), Thing::Dir(Vec::new())));
                match self.after.shared_entries(dir) {
                    Some(entries) if entries.only_links() => {
                        self.ops.push_all(All::Come, path, entries.clone());
                    }
                    Some(entries) => frames.push((path, entries.iter())),
                    None => {}
                }
            }
            let Some((at, entries)) = frames.last_mut() else { return };
            match entries.next() {
                None => drop(frames.pop()),
                Some((name, Node::Dir(below))) => next = Some((at.join(&name), below)),
                Some((name, node)) => {
                    let path = at.join(&name);
                    let thing = match node {
                        Node::File => self.files.after.get(&path).cloned().map(Thing::File),
                        node => Thing::of(self.after, &node),
                    };
                    self.ops.push(make(path, thing.expect("the planner makes the farm's own things only")));
                }
            }
        }
    }
}

/// Returns the files below a directory.
fn below<'f>(
    files: &'f BTreeMap<RelPath, Stored>,
    dir: &'f RelPath,
) -> impl Iterator<Item = (&'f RelPath, &'f Stored)> {
    files.range(dir..).take_while(move |(path, _)| path.below(dir).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Name;
    use crate::tree::ROOT;

    fn plan(before: &[&str], edit: impl FnOnce(&mut Tree)) -> (Tree, Tree, Plan) {
        let before = Tree::from_lines(before.iter().copied());
        let mut after = before.clone();
        edit(&mut after);
        let kept = |path| (path, Fate::Goes(Place::Kept(Slot::NEXT)));
        let is_file = |line: &String| !line.contains(" -> ") && !line.ends_with('/');
        let files =
            before.lines().into_iter().filter(is_file).filter_map(|line| RelPath::new(line.as_bytes()));
        let plan = Plan::between(&before, &after, &files.map(kept).collect());
        (before, after, plan)
    }

    fn name(s: &str) -> Name {
        Name::new(s.as_bytes()).expect("a name")
    }

    fn link(s: &str) -> Node {
        Node::link(LinkText::new(s.as_bytes()), Leads::Unknown)
    }

    fn check((before, after, plan): &(Tree, Tree, Plan)) {
        let mut tree = before.clone();
        plan.apply(&mut tree).expect("the plan fits the tree it was made for");
        assert_eq!(tree.lines(), after.lines());
        plan.inverse().apply(&mut tree).expect("the inverse fits, too");
        assert_eq!(tree.lines(), before.lines());
    }

    #[test]
    fn an_unfold_is_one_swap() {
        let made = plan(&["a -> s/p/a"], |tree| {
            let a = tree.make_dir(ROOT, &name("a"));
            tree.set(a, name("x"), link("../s/p/a/x"));
        });
        check(&made);
        assert!(matches!(
            &made.2.ops.iter().collect::<Vec<_>>()[..],
            [Op { change: Change::Swap { .. }, .. }]
        ));
    }

    #[test]
    fn a_new_directory_comes_before_its_content() {
        let made = plan(&[], |tree| {
            let a = tree.make_dir(ROOT, &name("a"));
            tree.set(a, name("x"), link("../s/p/a/x"));
        });
        check(&made);
        let paths: Vec<_> = made.2.ops.iter().map(|op| op.path).collect();
        assert_eq!(paths, ["a", "a/x"].map(|path| RelPath::new(path.as_bytes()).expect("a path")));
    }

    #[test]
    fn what_is_put_back_as_it_was_is_no_operation() {
        let made = plan(&["a -> s/p/a"], |tree| {
            tree.remove(ROOT, &name("a"));
            tree.set(ROOT, name("a"), link("s/p/a"));
        });
        assert!(made.2.is_empty());
    }

    #[test]
    fn changes_below_a_directory_that_goes_are_not_listed() {
        let made = plan(&["d/", "d/x -> ../s/p/d/x", "d/y -> ../s/q/d/y"], |tree| {
            let d = tree.find(&RelPath::new(b"d").expect("a path")).expect("a directory");
            tree.remove(d, &name("y"));
            tree.set(ROOT, name("d"), link("s/p/d"));
        });
        check(&made);
        assert_eq!(made.2.ops.len(), 1);
    }

    #[test]
    fn a_directory_that_is_folded_and_unfolded_again_only_changes_inside() {
        let made = plan(&["d/", "d/x -> ../s/p/d/x", "d/y -> ../s/q/d/y"], |tree| {
            tree.set(ROOT, name("d"), link("s/p/d"));
            let d = tree.make_dir(ROOT, &name("d"));
            tree.set(d, name("x"), link("../s/p/d/x"));
            tree.set(d, name("z"), link("../s/q/d/z"));
        });
        check(&made);
        let paths: Vec<_> = made.2.ops.iter().map(|op| op.path).collect();
        assert_eq!(paths, ["d/y", "d/z"].map(|path| RelPath::new(path.as_bytes()).expect("a path")));
    }

    #[test]
    fn a_directory_goes_with_what_is_in_it() {
        let made = plan(&["d/", "d/e/", "d/e/x -> ../../s/p/d/e/x"], |tree| tree.remove(ROOT, &name("d")));
        check(&made);
        assert_eq!(made.2.ops.len(), 1);
    }

    #[test]
    fn a_file_becomes_a_link_and_comes_back() {
        check(&plan(&["f"], |tree| tree.set(ROOT, name("f"), link("s/p/f"))));
    }
}
