//! The way to where a package lands: directories of the target, one after the other, and what stands there.

use super::conflict::Reason;
use super::link::Below;
use super::owner::Owner;
use super::{Notice, Planner, Src};
use crate::package::{Action, Step};
use crate::path::{Name, RelPath};
use crate::policy::Guarded;
use crate::snapshot::SourceId;
use crate::tree::{DirId, Entries, Leads, Node, ROOT, Texts};

/// The part of a package that a step is about.
pub(super) struct Part {
    /// The directory of the package that it is in; the package's top when it is the package itself.
    pub above: Src,
    /// Its name there.
    pub name: Name,
    /// What it is.
    pub node: Node,
}

impl Planner<'_> {
    /// Returns the part of the package that `step` is about; `Some(None)` when the package does not have it.
    pub(super) fn part(&mut self, id: SourceId, step: &Step) -> Option<Option<Part>> {
        let top = Src { id, dir: ROOT };
        let Some((above, name)) = step.entry.split() else {
            let name = step.package.split().map(|(_, name)| name);
            let name = name.or_else(|| Name::new(b"stow")).expect("a name");
            return Some(Some(Part { above: top, name, node: Node::Dir(ROOT) }));
        };
        let mut src = top;
        for name in above.names() {
            let Some(node) = self.source_entries(src)?.get(name.as_bytes()) else { return Some(None) };
            match self.source_dir(src, &name, &node)? {
                Some(below) => src = below,
                None => return Some(None),
            }
        }
        let node = self.source_entries(src)?.get(name.as_bytes());
        Some(node.map(|node| Part { above: src, name, node }))
    }

    /// Returns the directory that a part is or leads to; `Some(None)` when it is none.
    pub(super) fn part_dir(&mut self, part: &Part) -> Option<Option<Src>> {
        self.source_dir(part.above, &part.name, &part.node)
    }

    /// Returns the target directory at `path`. Linking makes what is missing and unfolds the farm's links on the way;
    /// what else stands there is a conflict. `None` when there is no such directory, or that is not known yet.
    pub(super) fn reach(&mut self, path: &RelPath, action: Action, id: SourceId) -> Option<DirId> {
        let mut dir = ROOT;
        for name in path.names() {
            if !self.target_read(dir, Texts::None) {
                return None;
            }
            if self.is_closed(dir, action, id) {
                return None;
            }
            dir = match (self.tree.get(dir, &name)?, action) {
                (Some(Node::Dir(below)), _) => below,
                (_, Action::Unlink) => return None,
                (None, Action::Link) => self.tree.make_dir(dir, &name),
                (Some(Node::Link(_)), Action::Link) => self.open_up(dir, &name, id)?,
                (Some(Node::File | Node::Other), Action::Link) => {
                    let path = self.tree.path(dir).join(&name);
                    self.conflict(action, id, path, Reason::NotADirectory);
                    return None;
                }
            };
        }
        Some(dir)
    }

    /// Makes the farm's link `name` in `dir` a directory that mirrors what it leads to.
    fn open_up(&mut self, dir: DirId, name: &Name, id: SourceId) -> Option<DirId> {
        let text = self.text(dir, name)?;
        let path = self.tree.path(dir).join(name);
        let Owner::Package(place) = self.owner(dir, name, &text)? else {
            self.conflict(Action::Link, id, path, Reason::OnTheWay(text));
            return None;
        };
        if self.leads(dir, name, &place)? == Leads::Nothing && self.is_gone(dir, name, &place)? {
            return Some(self.tree.make_dir(dir, name));
        }
        let Some(old) = self.directory_at(&place)? else {
            self.conflict(Action::Link, id, path, Reason::OtherPackage { text, owner: place.package });
            return None;
        };
        if let Some(notice) = marker_of(self.source_entries(old)?, &path) {
            self.notices.push(notice);
            return None;
        }
        let made = self.tree.make_dir(dir, name);
        self.fill(Below::from([(made, old)]));
        Some(made)
    }

    /// Tells whether a target directory that was read belongs to others; where linking in it would change packages,
    /// that is a conflict.
    pub(super) fn is_closed(&mut self, dir: DirId, action: Action, id: SourceId) -> bool {
        let guarded = self.guarded(dir);
        if guarded
            && action == Action::Link
            && self.request.policy.guarded == Guarded::Refuse
            && self.is_stow_dir(dir)
        {
            let path = self.tree.path(dir);
            self.conflict(Action::Link, id, path, Reason::StowDir);
        }
        guarded
    }
}

/// Returns the notice of a package's directory that is folded at `path` and holds a marker: it is seen through the
/// link, and whoever put it there wants to be left alone.
pub(super) fn marker_of(entries: &Entries, path: &RelPath) -> Option<Notice> {
    if entries.contains(b".stow") {
        return Some(Notice::Marked(path.clone()));
    }
    entries.contains(b".nonstow").then(|| Notice::Protected(path.clone()))
}
