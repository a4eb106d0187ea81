//! A directory tree in memory: what is known of one side of a farm, and what a plan would make of it.
//!
//! Directories live in one arena and are shared between copies until they change, so a copy is cheap, nothing
//! recurses on the stack however deep the tree is, and a directory keeps its [`DirId`] in every copy: comparing
//! two copies means comparing the directories that are not shared.

mod entries;

use std::collections::HashMap;
use std::sync::Arc;

use crate::path::{LinkText, Name, RelPath};

pub use entries::{Apart, Entries, Iter, Listing};

/// A directory's place in the arena of its [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DirId(u32);

/// The top of every tree.
pub const ROOT: DirId = DirId(0);

impl DirId {
    /// The place of a directory in a listing that no tree has taken in yet.
    pub const NOWHERE: DirId = DirId(u32::MAX);
}

/// What a directory holds under one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// A real directory; its own content may be unread.
    Dir(DirId),
    /// A symbolic link.
    Link(Link),
    /// A regular file.
    File,
    /// A FIFO, socket or device.
    Other,
}

/// What is known of a symbolic link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Its text, once read.
    pub text: Option<LinkText>,
    /// What it leads to, links followed, once looked at.
    pub leads: Leads,
}

/// What opening a path would find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leads {
    /// Nobody looked yet.
    Unknown,
    /// Nothing: the link dangles.
    Nothing,
    /// A directory.
    Dir,
    /// Something else.
    Other,
}

#[derive(Clone)]
struct Dir {
    parent: DirId,
    name: Option<Name>,
    /// `None` until somebody reads the directory.
    entries: Option<Arc<Entries>>,
}

/// Which texts of the links in a directory are wanted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Texts {
    /// None yet.
    None,
    /// All, when there are few links: [`FEW`].
    Few,
    /// All.
    All,
}

/// A directory of so many bytes is large: a package with a few entries there looks them up one by one.
pub const LARGE: u64 = 16 * 1024;

/// So many links are few.
pub const FEW: usize = 256;

/// A tree of directories, links and files; see the module's description.
#[derive(Clone)]
pub struct Tree {
    dirs: Vec<Arc<Dir>>,
    /// Directories that symbolic links lead to, by the link's place, where somebody looks through the link.
    behind: HashMap<(DirId, Name), DirId>,
}

impl Default for Tree {
    fn default() -> Self {
        Tree::unread()
    }
}

impl Tree {
    /// Returns a tree of which nothing is known but that its top is a directory.
    pub fn unread() -> Tree {
        let top = Dir { parent: ROOT, name: None, entries: None };
        Tree { dirs: vec![Arc::new(top)], behind: HashMap::new() }
    }

    /// Returns an empty tree.
    pub fn empty() -> Tree {
        let mut tree = Tree::unread();
        tree.fill(ROOT, Arc::default());
        tree
    }

    /// Returns the content of `dir`, or `None` when nobody has read it, or not all of it.
    pub fn entries(&self, dir: DirId) -> Option<&Entries> {
        self.known_entries(dir).filter(|entries| !entries.is_partial())
    }

    /// Returns what is known of the content of `dir`, which may be some names only.
    pub(crate) fn known_entries(&self, dir: DirId) -> Option<&Entries> {
        self.dirs[dir.0 as usize].entries.as_deref()
    }

    /// Returns the content of `dir` to be shared, as far as it is known.
    pub(crate) fn shared_entries(&self, dir: DirId) -> Option<&Arc<Entries>> {
        self.dirs[dir.0 as usize].entries.as_ref()
    }

    /// Gives `dir`, which was read, this content, with the same directories in it.
    pub(crate) fn set_entries(&mut self, dir: DirId, entries: Arc<Entries>) {
        Arc::make_mut(&mut self.dirs[dir.0 as usize]).entries = Some(entries);
    }

    /// Returns what `dir` holds under `name`; the outer `None` means that nobody has looked.
    pub fn get(&self, dir: DirId, name: &Name) -> Option<Option<Node>> {
        let entries = self.known_entries(dir)?;
        let node = entries.get(name.as_bytes());
        (node.is_some() || entries.knows(name.as_bytes())).then_some(node)
    }

    /// Tells whether `dir` was read and holds something under `name`.
    pub fn contains(&self, dir: DirId, name: &Name) -> bool {
        self.known_entries(dir).is_some_and(|entries| entries.contains(name.as_bytes()))
    }

    /// Returns the path of `dir` from the top.
    pub fn path(&self, dir: DirId) -> RelPath {
        let mut names = Vec::new();
        let mut at = dir;
        while let Some(name) = &self.dirs[at.0 as usize].name {
            names.push(name);
            at = self.dirs[at.0 as usize].parent;
        }
        RelPath::from_names(names.iter().rev().copied())
    }

    /// Returns the directory that holds `dir`, and its name there; `None` for the top.
    pub fn parent(&self, dir: DirId) -> Option<(DirId, &Name)> {
        let dir = &self.dirs[dir.0 as usize];
        Some((dir.parent, dir.name.as_ref()?))
    }

    /// Returns how many directories lie between the top and what `dir` holds.
    pub fn depth(&self, dir: DirId) -> usize {
        std::iter::successors(self.parent(dir), |(up, _)| self.parent(*up)).count()
    }

    /// Puts `node` under `name`, in the place of what was there.
    ///
    /// # Panics
    /// When `dir` is unread: nothing may be planned where nobody has looked.
    pub fn set(&mut self, dir: DirId, name: Name, node: Node) {
        self.entries_mut(dir).set(&name, &node);
    }

    /// Puts a link under `name` that leads to that name in the directory that `head` leads to.
    ///
    /// # Panics
    /// When `dir` is unread.
    pub fn set_below(&mut self, dir: DirId, name: &Name, head: &[u8], leads: Leads) {
        self.entries_mut(dir).set_below(name.as_bytes(), head, leads);
    }

    /// Tells whether `dir` has a link under `name` that leads to that name in the directory that `head` leads to.
    pub fn leads_below(&self, dir: DirId, name: &Name, head: &[u8]) -> bool {
        self.known_entries(dir).is_some_and(|entries| entries.leads_below(name.as_bytes(), head))
    }

    /// Gives the memory back that `dir` does not use; for when all of it has been set.
    pub fn shrink(&mut self, dir: DirId) {
        // What copies share is not copied for this.
        if let Some(Dir { entries: Some(entries), .. }) = Arc::get_mut(&mut self.dirs[dir.0 as usize])
            && let Some(entries) = Arc::get_mut(entries)
        {
            entries.shrink();
        }
    }

    /// Takes what `dir` holds under `name` out.
    ///
    /// # Panics
    /// When `dir` is unread.
    pub fn remove(&mut self, dir: DirId, name: &Name) {
        self.entries_mut(dir).remove(name.as_bytes());
    }

    fn entries_mut(&mut self, dir: DirId) -> &mut Entries {
        let dir = Arc::make_mut(&mut self.dirs[dir.0 as usize]);
        Arc::make_mut(dir.entries.as_mut().expect("only directories that were read are changed"))
    }

    /// Gives what `dir` holds under `name` another name, in the place of what was there.
    ///
    /// # Panics
    /// When `dir` is unread.
    pub fn relocate(&mut self, dir: DirId, name: &Name, new_name: &Name) {
        let Some(node) = self.get(dir, name).flatten() else { return };
        self.remove(dir, name);
        if let Node::Dir(moved) = node {
            Arc::make_mut(&mut self.dirs[moved.0 as usize]).name = Some(new_name.clone());
        }
        self.set(dir, new_name.clone(), node);
    }

    /// Puts a directory of which nothing is known under `name`.
    ///
    /// # Panics
    /// When `dir` is unread.
    pub fn set_unread_dir(&mut self, dir: DirId, name: &Name) {
        let made = self.add(dir, name, None);
        self.set(dir, name.clone(), Node::Dir(made));
    }

    /// Puts a new, empty directory under `name` and returns it.
    ///
    /// # Panics
    /// When `dir` is unread.
    pub fn make_dir(&mut self, dir: DirId, name: &Name) -> DirId {
        let made = self.add(dir, name, Some(Arc::default()));
        self.set(dir, name.clone(), Node::Dir(made));
        made
    }

    /// Returns the directory behind the symbolic link `name` in `dir`, entering it as unread the first time.
    pub fn look_behind(&mut self, dir: DirId, name: &Name) -> DirId {
        if let Some(&behind) = self.behind.get(&(dir, name.clone())) {
            return behind;
        }
        let behind = self.add(dir, name, None);
        self.behind.insert((dir, name.clone()), behind);
        behind
    }

    /// Returns the directory behind the symbolic link `name` in `dir`, if somebody has looked.
    pub fn behind(&self, dir: DirId, name: &Name) -> Option<DirId> {
        self.behind.get(&(dir, name.clone())).copied()
    }

    /// Tells whether `dir` is what a symbolic link leads to.
    pub fn is_behind(&self, dir: DirId) -> bool {
        self.parent(dir).is_some_and(|(up, name)| matches!(self.get(up, name), Some(Some(Node::Link(_)))))
    }

    fn add(&mut self, parent: DirId, name: &Name, entries: Option<Arc<Entries>>) -> DirId {
        let id = u32::try_from(self.dirs.len()).expect("fewer than four thousand million directories");
        self.dirs.push(Arc::new(Dir { parent, name: Some(name.clone()), entries }));
        DirId(id)
    }

    /// Enters the listing of `dir`, whose subdirectories are unread.
    pub fn fill(&mut self, dir: DirId, mut listing: Arc<Entries>) {
        // What some names were found to be stays known: where directories are, and what links lead to.
        let known = self.dirs[dir.0 as usize].entries.clone().unwrap_or_default();
        if listing.may_have_dirs() {
            Arc::make_mut(&mut listing).number(|name| match known.get(name) {
                Some(Node::Dir(id)) => id,
                _ => self.add(dir, &Name::of_segment(name), None),
            });
        }
        for (name, node) in known.iter() {
            if let Node::Link(before) = node
                && let Some(Node::Link(now)) = listing.get(name.as_bytes())
            {
                let link = Link { text: before.text.or(now.text), leads: before.leads };
                Arc::make_mut(&mut listing).set(&name, &Node::Link(link));
            }
        }
        self.set_entries(dir, listing);
    }

    /// Enters that `dir` is large, and nothing but names that are looked up is known of it.
    pub(crate) fn set_large(&mut self, dir: DirId) {
        self.set_entries(dir, Arc::new(Entries::partial()));
    }

    /// Enters names of a large directory that were looked up; what is known of some already stays.
    pub(crate) fn learn_names(&mut self, dir: DirId, names: &Entries) {
        for (name, node) in names.known() {
            if self.known_entries(dir).is_some_and(|entries| entries.knows(name.as_bytes())) {
                continue;
            }
            match node {
                Some(Node::Dir(_)) => self.set_unread_dir(dir, &name),
                Some(node) => self.set(dir, name, node),
                None => self.entries_mut(dir).set_absent(name.as_bytes()),
            }
        }
    }

    /// Enters the texts of links of `dir`.
    pub(crate) fn learn_texts(&mut self, dir: DirId, links: Arc<Entries>) {
        let entries = self.dirs[dir.0 as usize].entries.as_deref();
        if entries.is_some_and(|entries| entries.is_unread(&links)) {
            return self.set_entries(dir, links);
        }
        let entries = self.entries_mut(dir);
        for (name, link) in links.iter() {
            let Node::Link(Link { text, .. }) = link else { continue };
            let leads = match entries.get(name.as_bytes()) {
                Some(Node::Link(link)) => link.leads,
                _ => Leads::Unknown,
            };
            entries.set(&name, &Node::Link(Link { text, leads }));
        }
    }

    /// Enters what the links of `dir` lead to, in the order of their names.
    pub(crate) fn learn_leads(&mut self, dir: DirId, leads: &[Leads]) {
        self.entries_mut(dir).learn_leads(leads);
    }

    /// Tells whether this copy has the directory.
    pub fn knows(&self, dir: DirId) -> bool {
        (dir.0 as usize) < self.dirs.len()
    }

    /// Tells whether `dir` is one and the same, unchanged, in both copies.
    pub fn shares(&self, other: &Tree, dir: DirId) -> bool {
        let at = dir.0 as usize;
        self.knows(dir) && other.knows(dir) && Arc::ptr_eq(&self.dirs[at], &other.dirs[at])
    }

    /// Returns every directory known, in the order they became known.
    pub fn dirs(&self) -> impl Iterator<Item = DirId> + use<> {
        (0..self.dirs.len() as u32).map(DirId)
    }

    /// Returns the directory at `path` when every segment is a real directory that was read.
    pub fn find(&self, path: &RelPath) -> Option<DirId> {
        path.names().try_fold(ROOT, |dir, name| match self.get(dir, &name)?? {
            Node::Dir(id) => Some(id),
            _ => None,
        })
    }

    /// Returns a tree from lines such as `a/` (a directory), `a/x -> ../y` (a link), `b` (a file) and `p|` (a FIFO).
    ///
    /// Parents are made as needed, unnamed directories are empty. For tests, benches and examples.
    ///
    /// # Panics
    /// On a line that names no path below the top.
    pub fn from_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Tree {
        let mut tree = Tree::empty();
        for line in lines {
            let (path, node) = match line.split_once(" -> ") {
                Some((path, text)) => {
                    (path, Some(Node::link(LinkText::new(text.as_bytes()), Leads::Unknown)))
                }
                None if line.ends_with('/') => (line, None),
                None if line.ends_with('|') => (&line[..line.len() - 1], Some(Node::Other)),
                None => (line, Some(Node::File)),
            };
            let path = RelPath::new(path.as_bytes()).expect("a path below the top");
            let mut names: Vec<_> = path.names().collect();
            let last = if node.is_some() { names.pop() } else { None };
            let dir = names.iter().fold(ROOT, |dir, name| match tree.get(dir, name).flatten() {
                Some(Node::Dir(id)) => id,
                _ => tree.make_dir(dir, name),
            });
            if let (Some(name), Some(node)) = (last, node) {
                tree.set(dir, name, node);
            }
        }
        tree
    }

    /// Returns the whole tree as lines in the form of [`from_lines`](Self::from_lines), directories before their
    /// content; an unread directory is `a/?`.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut todo = vec![ROOT];
        while let Some(dir) = todo.pop() {
            let at = self.path(dir);
            let Some(entries) = self.entries(dir) else {
                lines.push((at.clone(), "/?".to_owned()));
                continue;
            };
            for (name, node) in entries.iter() {
                let tail = match node {
                    Node::Dir(id) => {
                        todo.push(id);
                        "/".to_owned()
                    }
                    Node::Link(link) => match &link.text {
                        Some(text) => format!(" -> {}", String::from_utf8_lossy(text.as_bytes())),
                        None => " -> ?".to_owned(),
                    },
                    Node::File => String::new(),
                    Node::Other => "|".to_owned(),
                };
                lines.push((at.join(&name), tail));
            }
        }
        lines.sort();
        lines
            .into_iter()
            .map(|(at, tail)| String::from_utf8_lossy(at.as_bytes()).into_owned() + &tail)
            .collect()
    }
}

impl Node {
    /// Returns a link whose text and destination are known.
    pub fn link(text: LinkText, leads: Leads) -> Node {
        Node::Link(Link { text: Some(text), leads })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 5] = ["a/", "a/b/", "a/b/l -> ../../s", "a/f", "p|"];

    #[test]
    fn lines_read_back_as_written() {
        assert_eq!(Tree::from_lines(LINES).lines(), LINES);
    }

    #[test]
    fn a_copy_shares_what_did_not_change() {
        let before = Tree::from_lines(LINES);
        let mut after = before.clone();
        let a = after.find(&RelPath::new(b"a").expect("a path")).expect("a directory");
        after.remove(a, &Name::new(b"f").expect("a name"));
        assert!(after.shares(&before, ROOT));
        assert!(!after.shares(&before, a));
        assert_eq!(before.lines(), LINES);
        assert_eq!(after.lines(), ["a/", "a/b/", "a/b/l -> ../../s", "p|"]);
    }

    #[test]
    fn knows_paths_and_depths() {
        let tree = Tree::from_lines(LINES);
        let b = tree.find(&RelPath::new(b"a/b").expect("a path")).expect("a directory");
        assert_eq!(tree.path(b).as_bytes(), b"a/b");
        assert_eq!((tree.depth(ROOT), tree.depth(b)), (0, 2));
    }
}
