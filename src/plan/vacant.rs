//! Packages in which there is nothing to link, so that nobody takes them for linked.

use crate::package::{Action, Mount, Request};
use crate::path::RelPath;
use crate::rules::Candidate;
use crate::snapshot::{Snapshot, SourceId};
use crate::tree::{DirId, Iter, Node, ROOT, Tree};

/// A package in which there is nothing to link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Vacant {
    /// Nothing is in it.
    Empty(RelPath),
    /// Its rules keep out all that is in it.
    Ignored(RelPath),
}

impl Vacant {
    /// Returns the package.
    pub fn package(&self) -> &RelPath {
        match self {
            Vacant::Empty(package) | Vacant::Ignored(package) => package,
        }
    }
}

/// Returns the packages to be linked in which there is nothing to link, when a plan has looked at all that it takes.
/// What nobody has looked at counts as something, and so does a directory that the plan makes.
pub fn vacant(request: &Request, snapshot: &Snapshot, target: &Tree) -> Vec<Vacant> {
    let steps = request.steps.iter().filter(|step| step.action == Action::Link && step.entry.is_root());
    let looked_at = steps.filter_map(|step| {
        let id = snapshot.source_at(request.origin(step), &step.package)?;
        let look = Look { request, snapshot, target, id };
        match &step.mount {
            Mount::As(at) if target.find(at).is_none() => None,
            Mount::Into(at) | Mount::As(at) => look.at(target.find(at)),
        }
    });
    looked_at.collect()
}

struct Look<'a> {
    request: &'a Request,
    snapshot: &'a Snapshot,
    target: &'a Tree,
    id: SourceId,
}

/// A directory on the way down, as far as it has been gone through.
struct Level<'a> {
    left: Iter<'a>,
    source_dir: RelPath,
    /// The directory by which its rules go.
    target_dir: RelPath,
    into: Option<DirId>,
}

impl<'a> Look<'a> {
    /// Looks through the package, whose content lands in this directory of the target, until something is found: nearly
    /// always in the first directory that has a file.
    fn at(&self, top: Option<DirId>) -> Option<Vacant> {
        let source = self.snapshot.source(self.id);
        let naming = self.request.policy.naming;
        let mut is_ignored = false;
        let mut way = vec![self.level(ROOT, top)?];
        while let Some(Level { left, source_dir, target_dir, into }) = way.last_mut() {
            let Some((name, node)) = left.next() else {
                way.pop();
                continue;
            };
            let (is_dir, name_of) = (matches!(node, Node::Dir(_)), name.as_bytes());
            if source.rules.ignores(&Candidate { source_dir, target_dir, name: name_of, is_dir }) {
                is_ignored = true;
                continue;
            }
            // What is one link, or where others have one, is something.
            let Node::Dir(below) = node else { return None };
            match self.target.get((*into)?, &naming.target_name(&name)) {
                Some(Some(Node::Dir(into))) => way.push(self.level(below, Some(into))?),
                _ => return None,
            }
        }
        let package = source.package.clone();
        Some(if is_ignored { Vacant::Ignored(package) } else { Vacant::Empty(package) })
    }

    /// Returns a directory that nothing of is gone through; `None` where that nobody has looked, or nobody before.
    fn level(&self, dir: DirId, into: Option<DirId>) -> Option<Level<'a>> {
        if into.is_some_and(|into| !self.snapshot.target.knows(into)) {
            return None;
        }
        let tree = &self.snapshot.source(self.id).tree;
        let source_dir = tree.path(dir);
        let target_dir = into.map(|into| self.target.path(into)).unwrap_or_default();
        let target_dir = self.request.policy.rules_dir(&source_dir, &target_dir);
        Some(Level { left: tree.entries(dir)?.iter(), target_dir, source_dir, into })
    }
}
