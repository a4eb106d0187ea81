//! What moves between the target and a package: `farm adopt` and `farm eject` (issue 3, section 6).
//!
//! The same planner as for links, with other ends: the plan is the difference between the target before and after,
//! and what moves has a fate. All that stands against it is listed, and then there is no plan.

use std::collections::BTreeSet;

use super::owner::{Owner, Place};
use super::{Planner, Src};
use crate::op::{Fates, Plan};
use crate::package::{Mount, Request};
use crate::path::{LinkText, Name, RelPath, Route};
use crate::snapshot::{Need, Snapshot, SourceId};
use crate::tree::{DirId, Node, ROOT, Texts};

/// What is to move between the target and a package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Which way.
    pub direction: Direction,
    /// The package, by its path in the dotfiles directory; adopting makes a missing one.
    pub package: RelPath,
    /// Where the package lands, below the farm's root.
    pub mount: Mount,
    /// The paths in the target, as seen from the farm's root; their parents are free of links down to the target.
    pub paths: Vec<Route>,
}

/// Which way something moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From the target into the package, and a link takes its place.
    Adopt {
        /// Whether what the package has there with other content gives way, and goes to the state directory.
        overwrite: bool,
    },
    /// From the package to where its link is.
    Eject,
}

/// What planning a transfer came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transferred {
    /// What to do; nothing when anything is refused.
    pub plan: Plan,
    /// All that stands against it, in path order.
    pub objections: Vec<Objection>,
    /// What stays where it is in directories that are adopted, because the package's ignore rules keep it out.
    pub left: Vec<RelPath>,
}

/// One thing that stands against a transfer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Objection {
    /// Where, from the farm's root: a path that was asked for, or something in a directory that was.
    pub path: Route,
    /// Why it cannot be.
    pub reason: Refused,
}

/// Why something cannot move.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Refused {
    /// It does not lie in the target.
    Outside,
    /// It is the target.
    Target,
    /// It is the dotfiles directory, or lies in it.
    InDotfiles,
    /// The dotfiles directory lies in it.
    HoldsDotfiles,
    /// Nothing is there.
    Missing,
    /// Another path that was asked for holds it.
    Within(RelPath),
    /// A directory on the way to it is a link that the farm did not make.
    BehindLink {
        /// The link.
        link: RelPath,
        /// Its text.
        text: LinkText,
    },
    /// A directory on the way to it, or it itself, is marked as a stow directory by a `.stow` file.
    Marked(RelPath),
    /// A directory on the way to it, or it itself, is protected by a `.nonstow` file.
    Protected(RelPath),
    /// It is a link into a package, or lies below one.
    InFarm {
        /// The link; the path itself, or a directory on the way to it.
        link: RelPath,
        /// The package.
        owner: RelPath,
    },
    /// It is a FIFO, socket or device.
    Special,
    /// It is a file where the package itself lands, and a package is a directory.
    NoDirectory,
    /// The package's ignore rules keep it out: linking would never show it.
    KeptOut,
    /// With `--dotfiles` no name in the package stands for `dot-x` in the target.
    NoSuchName,
    /// With `--dotfiles` the package has it under two names, `.x` and `dot-x`.
    TwoNames,
    /// It is a link with a relative text, which leads elsewhere from the other side.
    LeadsElsewhere(LinkText),
    /// The package has something in its place.
    Taken {
        /// The package's entry.
        at: Route,
        /// What it is.
        by: InPackage,
    },
    /// A directory with nothing in it that is not in the farm already or kept out.
    NothingInIt,
    /// It is no link.
    NotALink,
    /// A directory in which no link leads into the package.
    NoLinkInIt,
    /// It is a link that the farm did not make.
    Foreign(LinkText),
    /// It is a link to the package itself, which lands elsewhere.
    WholePackage,
    /// It is a link to something that the package no longer has.
    Gone(LinkText),
    /// The package reaches it through a link of its own.
    BehindPackageLink,
    /// Another link leads to the same thing, or to a directory that it is in: one that is to be ejected, too, or the one
    /// where the package's layout has it.
    Twice(RelPath),
}

/// What a package has where something is to go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum InPackage {
    /// A file with other content or mode.
    OtherFile,
    /// A directory.
    Directory,
    /// Something else.
    OtherKind,
    /// On the way there: something that is no real directory.
    NoDirectory,
}

/// Plans `asked` on what `snapshot` knows. Of `request` everything counts but the steps.
///
/// # Errors
/// What the plan depends on and the snapshot does not know, at least one need; answered, planning can go on.
pub fn transfer(
    request: &Request,
    asked: &Transfer,
    snapshot: &Snapshot,
) -> Result<Transferred, BTreeSet<Need>> {
    let mut planner = Planner::new(request, snapshot);
    let package = match asked.direction {
        Direction::Adopt { .. } => planner.package_or_new(&asked.package),
        Direction::Eject => planner.package(&asked.package),
    };
    let Some(package) = package else { return Err(planner.needs) };
    let mount = &asked.mount;
    let mut mover = Mover { planner, package, mount, objections: Vec::new(), left: Vec::new() };
    let paths = mover.admit(&asked.paths);
    let plan = match asked.direction {
        Direction::Adopt { overwrite } => mover.adopt(&paths, overwrite),
        Direction::Eject => mover.eject(&paths),
    };
    let Mover { planner, mut objections, mut left, .. } = mover;
    if !planner.needs.is_empty() {
        return Err(planner.needs);
    }
    let plan = if objections.is_empty() { plan } else { Plan::default() };
    objections.sort();
    objections.dedup();
    left.sort();
    Ok(Transferred { plan, objections, left })
}

/// A planner that moves things. What it needs to know and does not, a method says by `None`.
pub(super) struct Mover<'a> {
    pub planner: Planner<'a>,
    pub package: SourceId,
    pub mount: &'a Mount,
    pub objections: Vec<Objection>,
    pub left: Vec<RelPath>,
}

/// A link of the target, and whose it is.
pub(super) struct Owned {
    pub text: LinkText,
    /// Where it leads in a package; `None` when the farm did not make it.
    pub place: Option<Place>,
}

impl Planner<'_> {
    /// Returns a package, which becomes known as an empty one when it does not exist.
    fn package_or_new(&mut self, package: &RelPath) -> Option<SourceId> {
        let stow_dir = self.request.stow_dir.clone();
        if let Some(id) = self.snapshot.source_at(&stow_dir, package) {
            return Some(id);
        }
        let present = Need::Present(stow_dir.join_path(package));
        let need = match self.snapshot.holds(&present) {
            None => present,
            Some(true) => Need::Package { stow_dir, package: package.clone() },
            Some(false) => Need::NewPackage { stow_dir, package: package.clone() },
        };
        self.needs.insert(need);
        None
    }
}

impl<'a> Mover<'a> {
    /// Returns those of the paths that lie where something can move, each once.
    fn admit(&mut self, asked: &[Route]) -> Vec<RelPath> {
        let (mount, stow_dir) = (self.mount.at(), &self.planner.request.stow_dir);
        let mut paths: Vec<RelPath> = Vec::new();
        for route in asked {
            let reason = match route.down.below(mount) {
                _ if route.below(stow_dir).is_some() => Refused::InDotfiles,
                None => Refused::Outside,
                Some(_) if route.up > 0 => Refused::Outside,
                Some(below) if below.is_root() && !self.is_landing(mount) => Refused::Target,
                Some(_) if stow_dir.below(route).is_some() => Refused::HoldsDotfiles,
                Some(_) => {
                    paths.push(route.down.clone());
                    continue;
                }
            };
            self.objections.push(Objection { path: route.clone(), reason });
        }
        paths.sort();
        paths.dedup();
        let mut tops: Vec<RelPath> = Vec::new();
        for path in paths {
            // In this order a directory comes directly before all that is in it.
            match tops.last() {
                Some(top) if path.below(top).is_some() => {
                    let reason = Refused::Within(top.clone());
                    self.refuse(path, reason);
                }
                _ => tops.push(path),
            }
        }
        tops
    }

    /// Tells whether the package itself is to appear at `path` (`as` in farm.toml).
    pub(super) fn is_landing(&self, path: &RelPath) -> bool {
        !path.is_root() && *self.mount == Mount::As(path.clone())
    }

    pub(super) fn refuse(&mut self, path: RelPath, reason: Refused) {
        self.objections.push(Objection { path: Route::below_root(path), reason });
    }

    /// Returns what a target directory holds under `name`.
    pub(super) fn node(&mut self, dir: DirId, name: &Name) -> Option<Option<Node>> {
        if !self.planner.target_read(dir, Texts::All) {
            return None;
        }
        self.planner.tree.get(dir, name)
    }

    /// Returns whose the link `name` in the target's `dir` is.
    pub(super) fn owned(&mut self, dir: DirId, name: &Name) -> Option<Owned> {
        let text = self.planner.text(dir, name)?;
        let place = match self.planner.owner(dir, name, &text)? {
            Owner::Package(place) => Some(place),
            Owner::Foreign => None,
        };
        Some(Owned { text, place })
    }

    /// Returns why a target directory that was read is left alone, if it is: somebody has marked it.
    pub(super) fn guard(&mut self, dir: DirId) -> Option<Refused> {
        let at = self.planner.tree.path(dir);
        if self.planner.has_marker(dir, b".stow") {
            Some(Refused::Marked(at))
        } else if self.planner.has_marker(dir, b".nonstow") {
            Some(Refused::Protected(at))
        } else {
            None
        }
    }

    /// Returns the top of the package.
    pub(super) fn top(&self) -> Src {
        Src { id: self.package, dir: ROOT }
    }

    /// Returns a place in the package, as seen from the farm's root.
    pub(super) fn route(&self, path: &RelPath) -> Route {
        self.planner.snapshot.source(self.package).route().join_path(path)
    }

    /// Returns where a link with this text in the directory at `dir` leads, lexically.
    pub(super) fn follow(&self, dir: &Route, text: &LinkText) -> Route {
        let root = &self.planner.request.root;
        let absolute = [&root[..], &dir.to_bytes(), text.as_bytes()].join(&b'/');
        Route::between(root, &absolute)
    }

    /// Returns where a place lies when the farm's links on the way are followed, in the target as it is planned.
    ///
    /// What is below `plain`, which nobody has read, lies where it is.
    pub(super) fn lies(&mut self, route: &Route, plain: &[RelPath]) -> Option<Route> {
        let stow_dir = &self.planner.request.stow_dir;
        let is_plain = plain.iter().any(|top| route.down.below(top).is_some());
        if route.up > 0 || is_plain || route.below(stow_dir).is_some() {
            return Some(route.clone());
        }
        let mut dir = ROOT;
        let mut at = RelPath::root();
        for name in route.down.names() {
            at = at.join(&name);
            match self.node(dir, &name)? {
                Some(Node::Dir(id)) => dir = id,
                Some(Node::Link(_)) => {
                    let place = self.owned(dir, &name)?.place;
                    let rest = route.down.below(&at).unwrap_or_default();
                    return Some(place.map_or(route.clone(), |place| place.route().join_path(&rest)));
                }
                _ => break,
            }
        }
        Some(route.clone())
    }

    /// Returns the plan for what was done to the target's tree since `before`.
    pub(super) fn plan_since(&self, before: &crate::tree::Tree, fates: &Fates) -> Plan {
        // Without all facts the tree may be half a plan, and with objections nobody wants one.
        if !self.planner.needs.is_empty() || !self.objections.is_empty() {
            return Plan::default();
        }
        Plan::between(before, &self.planner.tree, fates)
    }
}
