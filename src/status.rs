//! How a farm stands: what of a package is linked, and what is not as linking it would make it. A pure function, on the
//! plans of linking, unlinking and relinking the package; none of them is ever carried out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::known::Known;
use crate::op::{Change, Op, Place, Plan, Thing};
use crate::package::{Action, Mount, Request, Step};
use crate::path::{LinkText, RelPath, Route};
use crate::plan::{Conflict, Reason, Survey, survey};
use crate::policy::Refold;
use crate::snapshot::{Need, Side, Snapshot, SourceId};
use crate::tree::{DirId, Leads, Node, ROOT, Tree};

/// How one package stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The package.
    pub package: RelPath,
    /// Its links that are right, by path.
    pub links: Vec<Linked>,
    /// What is not as linking it would make it, by path.
    pub findings: Vec<Finding>,
}

/// A link that is right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linked {
    /// Where it is, from the farm's root.
    pub path: RelPath,
    /// Its text.
    pub text: LinkText,
    /// The package's entry, by its path in the package; `None` when the link leads there by way of others.
    pub entry: Option<RelPath>,
    /// What it stands for.
    pub stands: Stands,
}

/// What a link stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stands {
    /// One entry that is no directory.
    ForEntry,
    /// A directory with all that is in it.
    ForDirectory,
}

/// Something that is not as linking would make it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Where, from the farm's root.
    pub path: RelPath,
    /// What.
    pub what: Finds,
}

/// What is not as linking would make it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Finds {
    /// There is no link.
    Missing,
    /// There is no link where farm made one.
    Gone,
    /// A file equal to the package's is there, in the place of the link.
    Copy,
    /// Something is in the way.
    Conflict(Reason),
    /// Something is in the place of a link that farm made: programs that save a file by renaming do that.
    Replaced(Reason),
    /// A link to an entry that the package no longer has.
    Stale(LinkText),
    /// The package's entry is itself a link, and leads nowhere.
    Dangling(LinkText),
    /// A link that linking would write anew.
    Elsewhere(LinkText),
    /// A link to a directory in which something is kept out: linking would make a real directory.
    MustUnfold,
    /// A real directory that could be one link.
    CouldFold,
}

impl Finds {
    /// Returns which state of a package this makes; `None` for what is right, and could be otherwise.
    fn state(&self) -> Option<State> {
        match self {
            Finds::Conflict(_) => Some(State::Conflict),
            Finds::Gone
            | Finds::Replaced(_)
            | Finds::Stale(_)
            | Finds::Dangling(_)
            | Finds::Elsewhere(_)
            | Finds::MustUnfold => Some(State::Drifted),
            Finds::Missing | Finds::Copy => Some(State::NotLinked),
            Finds::CouldFold => None,
        }
    }
}

/// The state of a package, in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Something is in the way.
    Conflict,
    /// It is not as farm left it, or no longer what the package has.
    Drifted,
    /// Some links are missing.
    Partly,
    /// All links are missing.
    NotLinked,
    /// Everything is as it should be.
    Linked,
    /// The package has nothing to link.
    Empty,
}

impl Standing {
    /// Returns the state that the worst finding makes.
    pub fn state(&self) -> State {
        let has = |state| self.findings.iter().any(|finding| finding.what.state() == Some(state));
        if has(State::Conflict) {
            State::Conflict
        } else if has(State::Drifted) {
            State::Drifted
        } else if has(State::NotLinked) {
            if self.links.is_empty() { State::NotLinked } else { State::Partly }
        } else if self.links.is_empty() {
            State::Empty
        } else {
            State::Linked
        }
    }

    /// Tells whether anything of the package is in the target, or was put there by farm.
    pub fn is_there(&self) -> bool {
        !self.links.is_empty() || self.findings.iter().any(|it| it.what.state() == Some(State::Drifted))
    }
}

/// Returns how the package of `step` stands; `known` is what farm made in the target. `asked` is the request that is asked
/// about it: its steps and what earlier runs made do not count, and it is changed on the way.
///
/// # Errors
/// What it depends on and the snapshot does not know.
pub fn standing(
    asked: &mut Request,
    step: &Step,
    known: &Known,
    snapshot: &Snapshot,
) -> Result<Standing, BTreeSet<Need>> {
    let steps = |actions: &[Action]| actions.iter().map(|&action| Step { action, ..step.clone() }).collect();
    asked.earlier = None;
    asked.steps = steps(&[Action::Link]);
    let linked = survey(asked, snapshot);
    asked.steps = steps(&[Action::Unlink, Action::Link]);
    let relinked = survey(asked, snapshot);
    asked.steps = steps(&[Action::Unlink]);
    let refold = std::mem::replace(&mut asked.policy.refold, Refold::Never);
    let unlinked = survey(asked, snapshot);
    asked.policy.refold = refold;
    asked.steps = steps(&[Action::Link]);
    let request = &*asked;
    let (linked, relinked, unlinked) = match (linked, relinked, unlinked) {
        (Ok(linked), Ok(relinked), Ok(unlinked)) => (linked, relinked, unlinked),
        results => {
            let needs = [results.0, results.1, results.2].into_iter().filter_map(Result::err);
            return Err(needs.flatten().collect());
        }
    };
    let Some(source) = snapshot.source_at(request.origin(step), &step.package) else {
        let (stow_dir, package) = (request.origin(step).clone(), step.package.clone());
        return Err(BTreeSet::from([Need::Package { stow_dir, package }]));
    };
    let mut judge = Judge {
        request,
        known,
        snapshot,
        source,
        links: BTreeMap::new(),
        findings: BTreeMap::new(),
        needs: BTreeSet::new(),
    };
    judge.there(&unlinked.plan);
    judge.wanted(&linked);
    judge.unfolds(&relinked.plan);
    judge.folds(&step.mount);
    judge.finish(step)
}

/// Puts what three plans say together.
struct Judge<'a> {
    request: &'a Request,
    known: &'a Known,
    snapshot: &'a Snapshot,
    source: SourceId,
    links: BTreeMap<RelPath, Linked>,
    findings: BTreeMap<RelPath, Finds>,
    needs: BTreeSet<Need>,
}

/// What a package has at a path.
enum Has {
    /// Nobody has looked.
    Unread,
    Nothing,
    Entry(DirId, Node),
}

impl Judge<'_> {
    /// Enters the links that unlinking would remove: those that are there.
    fn there(&mut self, unlinked: &Plan) {
        for op in unlinked.ops.iter() {
            for (path, text) in links_that_go(&op) {
                self.link(path, text);
            }
        }
    }

    fn link(&mut self, path: RelPath, text: LinkText) {
        let entry = self.entry(&path, &text);
        let mut stands = Stands::ForEntry;
        let source = self.snapshot.source(self.source);
        match entry.as_ref().map_or(Has::Unread, |entry| look(&source.tree, entry)) {
            Has::Nothing => {
                self.findings.insert(path, Finds::Stale(text));
                return;
            }
            Has::Entry(_, Node::Dir(_)) => stands = Stands::ForDirectory,
            Has::Entry(dir, Node::Link(link)) => {
                match (link.leads, entry.as_ref().and_then(RelPath::split)) {
                    (Leads::Nothing, _) => {
                        self.findings.insert(path, Finds::Dangling(text));
                        return;
                    }
                    (Leads::Unknown, Some((_, name))) => {
                        self.needs.insert(Need::Leads { side: Side::Source(self.source), dir, name });
                    }
                    _ => {}
                }
            }
            Has::Unread | Has::Entry(..) => {}
        }
        self.links.insert(path.clone(), Linked { path, text, entry, stands });
    }

    /// Enters what linking would make, and what is in its way.
    fn wanted(&mut self, linked: &Survey) {
        for op in linked.plan.ops.iter() {
            match &op.change {
                Change::Make(Thing::Link(_) | Thing::File(_)) => self.missing(op.path.clone()),
                Change::Make(Thing::Dir(pieces)) | Change::Swap { new: Thing::Dir(pieces), .. } => {
                    for piece in pieces {
                        let path = op.path.join_path(&piece.path);
                        // What a directory that unfolds already showed is another package's.
                        let is_own = |text| self.entry(&path, text).is_some();
                        if piece.text.as_ref().is_some_and(is_own) {
                            self.missing(path);
                        }
                    }
                }
                Change::Swap { old: Thing::Link(text), .. } => {
                    self.find(op.path.clone(), Finds::Elsewhere(text.clone()));
                }
                Change::Displace { to: Place::Equal(_), .. } => self.find(op.path.clone(), Finds::Copy),
                Change::Swap { .. }
                | Change::Remove(_)
                | Change::Displace { .. }
                | Change::Restore { .. } => {}
            }
        }
        for Conflict { path, reason, .. } in &linked.conflicts {
            let above = std::iter::successors(Some(path.clone()), |path| Some(path.split()?.0));
            let was_made = above.into_iter().any(|path| self.known.links.contains_key(&path));
            let is_others = matches!(reason, Reason::OtherPackage { .. });
            self.find(
                path.clone(),
                match was_made && !is_others {
                    true => Finds::Replaced(reason.clone()),
                    false => Finds::Conflict(reason.clone()),
                },
            );
        }
    }

    fn missing(&mut self, path: RelPath) {
        let was_made = self.known.links.contains_key(&path);
        // A stale link of the same name is told of as such.
        if !self.findings.contains_key(&path) {
            self.find(path, if was_made { Finds::Gone } else { Finds::Missing });
        }
    }

    /// Enters which directories relinking would unfold.
    fn unfolds(&mut self, relinked: &Plan) {
        for op in relinked.ops.iter() {
            if let Change::Swap { old: Thing::Link(_), new: Thing::Dir(_) } = op.change
                && self.links.contains_key(&op.path)
            {
                self.find(op.path, Finds::MustUnfold);
            }
        }
    }

    /// Enters which directories would be one link if they were not there.
    fn folds(&mut self, mount: &Mount) {
        let dirs: BTreeSet<RelPath> = self.links.keys().filter_map(|path| Some(path.split()?.0)).collect();
        let mut tops = BTreeSet::new();
        let mut told = HashMap::new();
        for dir in dirs {
            // The directory that a package's content lands in is no part of it.
            let is_below = |dir: &RelPath| match (dir.below(mount.at()), mount) {
                (Some(below), Mount::Into(_)) => !below.is_root(),
                (below, _) => below.is_some(),
            };
            let above = std::iter::successors(Some(dir), |dir| Some(dir.split()?.0));
            let own = above.take_while(is_below).take_while(|dir| self.holds_only_links(dir, &mut told));
            tops.extend(own.last());
        }
        if tops.is_empty() {
            return;
        }
        let mut without = self.snapshot.clone();
        for top in &tops {
            if let Some((dir, name)) = top.split()
                && let Some(dir) = without.target.find(&dir)
            {
                without.target.remove(dir, &name);
            }
        }
        match survey(self.request, &without) {
            Ok(Survey { plan, .. }) => {
                for op in plan.ops.iter().filter(|op| tops.contains(&op.path)) {
                    if let Change::Make(Thing::Link(_)) = op.change {
                        self.findings.insert(op.path, Finds::CouldFold);
                    }
                }
            }
            Err(needs) => self.needs.extend(needs),
        }
    }

    /// Tells whether a target directory has nothing in it, at any depth, but right links of the package; `told` keeps what
    /// is found out of others.
    fn holds_only_links(&self, top: &RelPath, told: &mut HashMap<RelPath, bool>) -> bool {
        if let Some(&known) = told.get(top) {
            return known;
        }
        let target = &self.snapshot.target;
        let (mut todo, mut passed) = (vec![top.clone()], Vec::new());
        while let Some(dir) = todo.pop() {
            let holds = |(name, node)| {
                let path = dir.join(&name);
                match node {
                    Node::Dir(_) => told.get(&path).copied().unwrap_or_else(|| {
                        todo.push(path);
                        true
                    }),
                    Node::Link(_) => self.links.contains_key(&path),
                    _ => false,
                }
            };
            let entries = target.find(&dir).and_then(|dir| target.entries(dir));
            if !entries.is_some_and(|entries| entries.iter().all(holds)) {
                // Nor do those above it.
                let above = std::iter::successors(Some(dir), |dir| Some(dir.split()?.0));
                told.extend(above.map(|dir| (dir, false)));
                return false;
            }
            passed.push(dir);
        }
        told.extend(passed.into_iter().map(|dir| (dir, true)));
        true
    }

    fn find(&mut self, path: RelPath, what: Finds) {
        self.links.remove(&path);
        self.findings.insert(path, what);
    }

    fn finish(self, step: &Step) -> Result<Standing, BTreeSet<Need>> {
        if !self.needs.is_empty() {
            return Err(self.needs);
        }
        let findings = self.findings.into_iter().map(|(path, what)| Finding { path, what });
        Ok(Standing {
            package: step.package.clone(),
            links: self.links.into_values().collect(),
            findings: findings.collect(),
        })
    }

    /// Returns the package's entry that a link at `path` leads to by its text alone.
    fn entry(&self, path: &RelPath, text: &LinkText) -> Option<RelPath> {
        let (dir, _) = path.split()?;
        let route: Route = self.request.route_of(&dir, text);
        route.below(&self.snapshot.source(self.source).route())
    }
}

/// Returns the links that an operation takes away, with their paths.
fn links_that_go(op: &Op) -> Vec<(RelPath, LinkText)> {
    match &op.change {
        Change::Remove(Thing::Link(text)) | Change::Swap { old: Thing::Link(text), .. } => {
            vec![(op.path.clone(), text.clone())]
        }
        Change::Remove(Thing::Dir(pieces)) => {
            let link = |text: &LinkText, path: &RelPath| (op.path.join_path(path), text.clone());
            pieces.iter().filter_map(|it| Some(link(it.text.as_ref()?, &it.path))).collect()
        }
        _ => Vec::new(),
    }
}

/// Looks at what a package has at a path, as far as it was read.
fn look(tree: &Tree, path: &RelPath) -> Has {
    let Some((dir, last)) = path.split() else { return Has::Entry(ROOT, Node::Dir(ROOT)) };
    let mut at = ROOT;
    for name in dir.names() {
        match tree.get(at, &name) {
            Some(Some(Node::Dir(below))) => at = below,
            // Nobody looks behind a link of the package's own.
            None | Some(Some(Node::Link(_))) => return Has::Unread,
            Some(_) => return Has::Nothing,
        }
    }
    match tree.get(at, &last) {
        None => Has::Unread,
        Some(None) => Has::Nothing,
        Some(Some(node)) => Has::Entry(at, node),
    }
}
