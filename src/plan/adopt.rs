//! Adopting: what is in the target moves into a package, and a link takes its place.

use std::collections::HashSet;

use super::Src;
use super::transfer::{InPackage, Mover, Objection, Owned, Refused};
use crate::op::{Change, Entry, Fate, Place, Plan, Slot};
use crate::path::{LinkText, Name, RelPath, Route};
use crate::policy::{Fold, Naming};
use crate::rules::Candidate;
use crate::snapshot::Need;
use crate::tree::{DirId, Leads, Node, ROOT, Texts};

/// A directory of the package, which need not exist yet.
#[derive(Clone)]
struct Spot {
    src: Option<Src>,
    path: RelPath,
}

/// Something in the target that is to be adopted.
struct Item {
    dir: DirId,
    name: Name,
    /// The package's directory that it goes to.
    spot: Spot,
    /// Whether somebody asked for it, and not for a directory that it is in.
    named: bool,
}

/// A place in the package that something goes to.
struct Goal {
    path: RelPath,
    /// What the package has there.
    there: Option<Node>,
    /// The package's directory that it is in, when that exists.
    above: Option<Src>,
}

/// A link with a relative text that moves.
struct Moving {
    path: RelPath,
    text: LinkText,
    /// The directory in the package that it will be in.
    to: Route,
}

/// What a look at all that is in a directory came to.
#[derive(Default)]
struct Look {
    /// Something in it must stay, so that it cannot move as a whole.
    apart: bool,
    objections: Vec<Objection>,
    links: Vec<Moving>,
}

/// A name in the package, and what it has there.
struct Spelled {
    name: Name,
    node: Option<Node>,
}

impl Spot {
    fn goal(&self, spelled: Spelled) -> Goal {
        Goal { path: self.path.join(&spelled.name), there: spelled.node, above: self.src }
    }
}

/// What adopting has gathered so far.
#[derive(Default)]
struct Haul {
    overwrite: bool,
    links: Vec<Moving>,
}

impl<'a> Mover<'a> {
    /// Plans the adoption of `paths`.
    pub(super) fn adopt(&mut self, paths: &[RelPath], overwrite: bool) -> Plan {
        let mut haul = Haul { overwrite, ..Haul::default() };
        for path in paths {
            let before = (self.planner.fates.len(), self.objections.len());
            let known = self.adopt_path(path, &mut haul).is_some() && self.planner.needs.is_empty();
            if known && before == (self.planner.fates.len(), self.objections.len()) {
                self.refuse(path.clone(), Refused::NothingInIt);
            }
        }
        for link in haul.links {
            self.check_moving(link);
        }
        let mut plan = self.plan_since(&self.planner.snapshot.target, &self.planner.fates);
        self.count_new_dirs(&mut plan);
        plan
    }

    /// Goes down to a path that was asked for, in the target and in the package.
    fn adopt_path(&mut self, path: &RelPath, haul: &mut Haul) -> Option<()> {
        let (parent, name) = path.split()?;
        let mount = self.mount.at().depth();
        let mut dir = ROOT;
        let mut spot = Spot { src: Some(self.top()), path: RelPath::root() };
        for (depth, name) in parent.names().enumerate() {
            let node = self.node(dir, &name)?;
            let at = self.planner.tree.path(dir).join(&name);
            let below = match node {
                Some(Node::Dir(below)) => below,
                Some(Node::Link(_)) => {
                    let reason = match self.owned(dir, &name)? {
                        Owned { place: Some(place), .. } => {
                            Refused::InFarm { link: at, owner: place.package }
                        }
                        Owned { text, .. } => Refused::BehindLink { link: at, text },
                    };
                    self.refuse(path.clone(), reason);
                    return Some(());
                }
                None | Some(Node::File | Node::Other) => {
                    self.refuse(path.clone(), Refused::Missing);
                    return Some(());
                }
            };
            if depth >= mount {
                if let Some(reason) = self.guard(dir) {
                    self.refuse(path.clone(), reason);
                    return Some(());
                }
                let is_dir = Node::Dir(below);
                match self.enter(dir, &name, &is_dir, &spot)? {
                    Ok(next) => spot = next,
                    Err(reason) => {
                        self.refuse(path.clone(), reason);
                        return Some(());
                    }
                }
            }
            dir = below;
        }
        if self.node(dir, &name)?.is_none() {
            self.refuse(path.clone(), Refused::Missing);
            return Some(());
        }
        if let Some(reason) = self.guard(dir) {
            self.refuse(path.clone(), reason);
            return Some(());
        }
        let mut todo = Vec::new();
        match self.is_landing(path) {
            true => self.adopt_landing(dir, &name, &mut todo, haul)?,
            false => todo.push(Item { dir, name, spot, named: true }),
        }
        while let Some(item) = todo.pop() {
            self.adopt_item(item, &mut todo, haul);
        }
        Some(())
    }

    /// Returns the package's directory that the target's directory `name` in `dir` mirrors.
    fn enter(&mut self, dir: DirId, name: &Name, node: &Node, spot: &Spot) -> Option<Result<Spot, Refused>> {
        let Spelled { name: spelled, node: found } = match self.spell(name, spot)? {
            Ok(spelled) => spelled,
            Err(reason) => return Some(Err(reason)),
        };
        if self.is_kept_out(dir, &spelled, node, spot) {
            return Some(Err(Refused::KeptOut));
        }
        let path = spot.path.join(&spelled);
        Some(match found {
            None => Ok(Spot { src: None, path }),
            Some(Node::Dir(below)) => Ok(Spot { src: Some(Src { dir: below, ..self.top() }), path }),
            Some(_) => Err(Refused::Taken { at: self.route(&path), by: InPackage::NoDirectory }),
        })
    }

    /// Returns how the package spells a name of the target: as it does already, or as it would.
    fn spell(&mut self, name: &Name, spot: &Spot) -> Option<Result<Spelled, Refused>> {
        let mut names = vec![name.clone()];
        if self.planner.request.policy.naming == Naming::Dotfiles {
            names.insert(0, name.dotted());
            names.retain(|spelled| spelled.undotted() == *name);
            names.dedup();
        }
        let entries = match spot.src {
            Some(src) => Some(self.planner.source_entries(src)?),
            None => None,
        };
        let found = |name: &Name| entries.and_then(|entries| entries.get(name.as_bytes()));
        let there: Vec<&Name> = names.iter().filter(|name| found(name).is_some()).collect();
        if there.len() > 1 {
            return Some(Err(Refused::TwoNames));
        }
        let chosen = there.first().copied().or_else(|| names.first());
        let spelled = chosen.map(|name| Spelled { name: name.clone(), node: found(name) });
        Some(spelled.ok_or(Refused::NoSuchName))
    }

    fn is_kept_out(&self, dir: DirId, spelled: &Name, node: &Node, spot: &Spot) -> bool {
        let target_dir = self.planner.tree.path(dir);
        self.planner.ignored(self.top(), &spot.path, &target_dir, spelled, node)
    }

    /// Adopts what is where the package itself is to appear.
    fn adopt_landing(
        &mut self,
        dir: DirId,
        name: &Name,
        todo: &mut Vec<Item>,
        haul: &mut Haul,
    ) -> Option<()> {
        let path = self.planner.tree.path(dir).join(name);
        let reason = match self.node(dir, name)?? {
            Node::Dir(below) => {
                let top = self.route(&RelPath::root());
                let is_new = self.planner.snapshot.holds(&Need::Present(top)) == Some(false);
                let there = (!is_new).then_some(Node::Dir(ROOT));
                let goal = Goal { path: RelPath::root(), there, above: None };
                return self.adopt_dir((dir, name), below, goal, todo, haul);
            }
            Node::Link(_) => match self.owned(dir, name)? {
                Owned { place: Some(place), .. } => {
                    Refused::InFarm { link: path.clone(), owner: place.package }
                }
                Owned { text, .. } => Refused::Foreign(text),
            },
            Node::File => Refused::NoDirectory,
            Node::Other => Refused::Special,
        };
        self.refuse(path, reason);
        Some(())
    }

    fn adopt_item(&mut self, item: Item, todo: &mut Vec<Item>, haul: &mut Haul) -> Option<()> {
        let path = self.planner.tree.path(item.dir).join(&item.name);
        let node = self.node(item.dir, &item.name)??;
        let spelled = match self.spell(&item.name, &item.spot)? {
            Ok(spelled) => spelled,
            Err(reason) => {
                self.refuse(path, reason);
                return Some(());
            }
        };
        let mut link = None;
        if let Node::Link(_) = node {
            match self.owned(item.dir, &item.name)? {
                Owned { place: Some(place), .. } => {
                    // In a directory that was asked for it is just where it should be.
                    if item.named {
                        let reason = Refused::InFarm { link: path.clone(), owner: place.package };
                        self.refuse(path, reason);
                    }
                    return Some(());
                }
                Owned { text, .. } => link = Some(text),
            }
        }
        if self.is_kept_out(item.dir, &spelled.name, &node, &item.spot) {
            if item.named {
                self.refuse(path, Refused::KeptOut);
            } else {
                self.left.push(path);
            }
            return Some(());
        }
        let at = (item.dir, &item.name);
        let goal = item.spot.goal(spelled);
        match node {
            Node::Other => self.refuse(path, Refused::Special),
            Node::Dir(dir) => self.adopt_dir(at, dir, goal, todo, haul)?,
            Node::File | Node::Link(_) => {
                if let Some(text) = link.filter(|text| !text.is_absolute()) {
                    haul.links.push(Moving { path, text, to: self.route(&item.spot.path) });
                }
                self.move_in(at, &node, goal, haul)?;
            }
        }
        Some(())
    }

    /// Adopts the directory `dir`, which is `at`: as a whole where the package has nothing, else bit by bit.
    fn adopt_dir(
        &mut self,
        at: (DirId, &Name),
        dir: DirId,
        goal: Goal,
        todo: &mut Vec<Item>,
        haul: &mut Haul,
    ) -> Option<()> {
        let src = match goal.there {
            Some(Node::Dir(below)) => Some(Src { dir: below, ..self.top() }),
            _ => None,
        };
        if !self.planner.target_read(dir, Texts::All) {
            // Both sides will be wanted: one round for the two.
            src.map(|src| self.planner.source_entries(src));
            return None;
        }
        if let Some(reason) = self.guard(dir) {
            self.refuse(self.planner.tree.path(dir), reason);
            return Some(());
        }
        if src.is_none() {
            let look = self.look_into(dir, &goal.path)?;
            if !look.apart {
                if look.objections.is_empty() {
                    haul.links.extend(look.links);
                    return self.move_in(at, &Node::Dir(dir), goal, haul);
                }
                // Links that lead out of it are refused now as they would be later.
                let top = Route::below_root(self.planner.tree.path(dir));
                let leads_out = |link: &Moving| {
                    let from = link.path.split().map(|(from, _)| Route::below_root(from));
                    from.is_some_and(|from| self.follow(&from, &link.text).below(&top).is_none())
                };
                haul.links.extend(look.links.into_iter().filter(leads_out));
                self.objections.extend(look.objections);
                return Some(());
            }
        }
        if goal.there.is_some() && src.is_none() {
            let at = self.route(&goal.path);
            self.refuse(self.planner.tree.path(dir), Refused::Taken { at, by: InPackage::NoDirectory });
            return Some(());
        }
        let spot = Spot { src, path: goal.path };
        let names = self.planner.tree.entries(dir)?.names();
        todo.extend(names.map(|name| Item { dir, name, spot: spot.clone(), named: false }));
        Some(())
    }

    /// Looks at all that is in a directory of the target, which would lie at `place` in the package.
    fn look_into(&mut self, top: DirId, place: &RelPath) -> Option<Look> {
        let package = &self.planner.snapshot.source(self.package).package;
        let (fold, never) = self.planner.request.policy.folds(&package.join_path(place));
        let mut look = Look { apart: fold == Fold::Never, ..Look::default() };
        if look.apart {
            return Some(look);
        }
        let mut known = true;
        let mut todo = vec![(top, place.clone())];
        while let Some((dir, place)) = todo.pop() {
            if self.planner.tree.entries(dir).is_none() {
                self.planner.needs.insert(Need::Under { dir });
                known = false;
                continue;
            }
            let at = self.planner.tree.path(dir);
            look.apart |= never.matches(at.as_bytes());
            if let Some(reason) = self.guard(dir) {
                look.objections.push(Objection { path: Route::below_root(at), reason });
                continue;
            }
            let rules = &self.planner.snapshot.source(self.package).rules;
            for (name, node) in &self.planner.tree.entries(dir)?.clone() {
                let is_dir = matches!(node, Node::Dir(_));
                let candidate =
                    Candidate { source_dir: &place, target_dir: &place, name: name.as_bytes(), is_dir };
                look.apart |= rules.hides(&candidate);
                let path = at.join(&name);
                match node {
                    Node::File => {}
                    Node::Other => {
                        let path = Route::below_root(path);
                        look.objections.push(Objection { path, reason: Refused::Special });
                    }
                    Node::Dir(below) => todo.push((below, place.join(&name))),
                    Node::Link(_) => match self.owned(dir, &name) {
                        None => known = false,
                        Some(Owned { place: Some(_), .. }) => look.apart = true,
                        Some(Owned { text, .. }) if !text.is_absolute() => {
                            look.links.push(Moving { path, text, to: self.route(&place) });
                        }
                        Some(_) => {}
                    },
                }
            }
        }
        known.then_some(look)
    }

    /// Lets something of the target go into the package as it is.
    fn move_in(&mut self, (dir, name): (DirId, &Name), node: &Node, goal: Goal, haul: &Haul) -> Option<()> {
        let path = self.planner.tree.path(dir).join(name);
        let at = self.route(&goal.path);
        let place = match (&goal.there, goal.above) {
            (None, _) | (_, None) => Place::Package { at: at.clone(), entry: Entry::New { dirs: 0 } },
            (Some(there), Some(src)) => {
                let equal = match (node, there) {
                    (Node::File, Node::File) => {
                        let (_, source_name) = goal.path.split()?;
                        self.is_equal((dir, name), src, source_name)?
                    }
                    _ => false,
                };
                let by = match (node, there) {
                    (Node::File, Node::File) => InPackage::OtherFile,
                    (_, Node::Dir(_)) => InPackage::Directory,
                    _ => InPackage::OtherKind,
                };
                if equal {
                    Place::Equal(Slot::NEXT)
                } else if haul.overwrite && by != InPackage::Directory {
                    Place::Package { at: at.clone(), entry: Entry::Old(Slot::NEXT) }
                } else {
                    self.refuse(path, Refused::Taken { at, by });
                    return Some(());
                }
            }
        };
        let text = at.text_from(self.planner.tree.depth(dir));
        self.planner.tree.set(dir, name.clone(), Node::link(text, Leads::Unknown));
        self.planner.fates.insert(path, Fate::Goes(place));
        Some(())
    }

    fn is_equal(&mut self, (dir, name): (DirId, &Name), src: Src, source_name: Name) -> Option<bool> {
        let need = Need::Equal { dir, name: name.clone(), source: src.id, source_dir: src.dir, source_name };
        let known = self.planner.snapshot.holds(&need);
        if known.is_none() {
            self.planner.needs.insert(need);
        }
        known
    }

    /// Refuses a link that would lead elsewhere from the package, though it moves as it is.
    ///
    /// It leads to the same thing when that moves along, or is in the package already.
    fn check_moving(&mut self, link: Moving) -> Option<()> {
        let (dir, _) = link.path.split()?;
        let before = self.follow(&Route::below_root(dir), &link.text);
        let after = self.follow(&link.to, &link.text);
        if self.lies(&before, &[])? != after {
            self.refuse(link.path, Refused::LeadsElsewhere(link.text));
        }
        Some(())
    }

    /// Tells the operations which directories of the package they make: the first that needs one does.
    fn count_new_dirs(&self, plan: &mut Plan) {
        let top = self.route(&RelPath::root());
        let tree = &self.planner.snapshot.source(self.package).tree;
        let is_new = self.planner.snapshot.holds(&Need::Present(top.clone())) == Some(false);
        let mut made: HashSet<RelPath> = HashSet::new();
        plan.ops.edit(|op| {
            let Change::Displace { to: Place::Package { at, entry: Entry::New { dirs } }, .. } =
                &mut op.change
            else {
                return;
            };
            let mut above = at.below(&top).and_then(|path| path.split()).map(|(above, _)| above);
            while let Some(dir) = above {
                let exists = if dir.is_root() { !is_new } else { tree.find(&dir).is_some() };
                if exists || !made.insert(dir.clone()) {
                    break;
                }
                *dirs += 1;
                above = dir.split().map(|(above, _)| above);
            }
        });
    }
}
