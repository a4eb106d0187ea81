//! Properties of plans over random farms that never touch a disk.
//!
//! A [`World`] is a whole file system in memory: the target with the stow directory `s` in it. It answers the
//! planner's needs the way reading the disk would.

mod mount;
mod transfer;

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::*;
use crate::op::{Change, Op, Ops, Place, Thing, What};
use crate::package::{Mount, Step};
use crate::path::Route;
use crate::policy::{Backup, Existing, Fold, Naming, OnFile, Policy, Strategy as Way, Walk};
use crate::rules::{GlobList, IgnoreList, NativeRules, Rules, StowRules};
use crate::snapshot::{Fact, MARKERS, Pair};
use crate::tree::{Leads, Link, ROOT, Texts};

/// How many farms each property is tried on.
const CASES: u32 = 10_000;

const PACKAGES: [&str; 3] = ["p", "q", "r"];

#[derive(Clone)]
struct World {
    tree: Tree,
    /// Globs that keep entries of packages out.
    ignore: &'static str,
    /// From how many entries on a directory is large.
    large: usize,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ignoring {:?}: {:#?}", self.ignore, self.tree.lines())
    }
}

/// What following a path came to.
#[derive(Clone, Debug)]
enum Seen {
    Dir(DirId),
    File,
}

impl World {
    /// Follows `text` from the directory at `dir`, links and all; `None` where it leads nowhere or outside.
    fn follow(&self, dir: &RelPath, text: &[u8]) -> Option<(RelPath, Seen)> {
        self.follow_past(dir, text, &mut Vec::new())
    }

    /// As [`follow`](Self::follow); `passed` gets the places of the links on the way.
    fn follow_past(&self, dir: &RelPath, text: &[u8], passed: &mut Vec<Route>) -> Option<(RelPath, Seen)> {
        let mut at: Vec<Name> = dir.names().collect();
        let mut rest: Vec<Vec<u8>> = text.split(|&b| b == b'/').rev().map(<[u8]>::to_vec).collect();
        let mut file = false;
        if text.starts_with(b"/") {
            return None;
        }
        while let Some(segment) = rest.pop() {
            match &segment[..] {
                b"" | b"." => continue,
                b".." => {
                    at.pop()?;
                    continue;
                }
                _ if file => return None,
                _ => {}
            }
            let name = Name::new(&segment)?;
            let here = self.tree.find(&RelPath::from_names(&at))?;
            match self.tree.get(here, &name)?? {
                Node::Dir(_) => at.push(name),
                Node::File | Node::Other => {
                    at.push(name);
                    file = true;
                }
                Node::Link(link) => {
                    passed.push(Route::below_root(RelPath::from_names(at.iter().chain([&name]))));
                    let text = link.text.as_ref().filter(|text| passed.len() < 40 && !text.is_absolute())?;
                    rest.extend(text.as_bytes().split(|&b| b == b'/').rev().map(<[u8]>::to_vec));
                }
            }
        }
        let path = RelPath::from_names(&at);
        let seen = if file { Seen::File } else { Seen::Dir(self.tree.find(&path)?) };
        Some((path, seen))
    }

    fn place(&self, snapshot: &Snapshot, side: Side, dir: DirId) -> RelPath {
        let path = snapshot.tree(side).path(dir);
        match side {
            Side::Target => path,
            Side::Source(id) => {
                let source = snapshot.source(id);
                source.route().down.join_path(&path)
            }
        }
    }

    fn answer(&self, snapshot: &Snapshot, request: &Request, need: &Need) -> Fact {
        let naming = request.policy.naming;
        match need {
            Need::Package { package, .. } | Need::NewPackage { package, .. } => {
                let name = package.names().next().expect("packages have names");
                let list = GlobList::new(crate::rules::Base::Package, self.ignore.as_bytes());
                let base = StowRules { options: Arc::default(), list: Arc::new(IgnoreList::BuiltIn) };
                let lists = vec![list.expect("good globs")];
                Fact::Package(Rules::Native(NativeRules::new(name, lists, base)))
            }
            Need::Listing { side, dir, texts } => {
                let path = self.place(snapshot, *side, *dir);
                let Some((_, Seen::Dir(dir))) = self.follow(&RelPath::root(), path.as_bytes()) else {
                    panic!("{path:?} was asked for and is no directory");
                };
                let entries = self.tree.entries(dir).expect("all is known");
                let is_much = *texts == Texts::Few && entries.count_links() > 2;
                let seen = |(name, node)| match node {
                    Node::Link(Link { leads, .. }) if *texts == Texts::None || is_much => {
                        (name, Node::Link(Link { text: None, leads }))
                    }
                    node => (name, node),
                };
                Fact::Listing(Arc::new(entries.iter().map(seen).collect()))
            }
            Need::Start { dir, texts } => {
                let need = Need::Listing { side: Side::Target, dir: *dir, texts: *texts };
                match self.answer(snapshot, request, &need) {
                    Fact::Listing(whole) if *texts != Texts::All && whole.len() >= self.large => Fact::Large,
                    fact => fact,
                }
            }
            &Need::Pair { dir, source, source_dir, texts } => {
                let at = self.tree.find(&snapshot.target.path(dir)).expect("a directory");
                let here = Need::Listing { side: Side::Source(source), dir: source_dir, texts: Texts::All };
                let Fact::Listing(entries) = self.answer(snapshot, request, &here) else {
                    panic!("a listing")
                };
                let pair = Pair::new(snapshot, request, need, entries).expect("a pair");
                if let Some(links) = pair.links()
                    && links.iter().all(|(name, link)| {
                        let (Node::Link(a), Some(Some(Node::Link(b)))) = (link, self.tree.get(at, &name))
                        else {
                            return false;
                        };
                        a.text == b.text
                    })
                    && MARKERS.iter().all(|name| !self.tree.contains(at, &Name::new(name).expect("a name")))
                {
                    return pair.with_links(links);
                }
                let there = match self.answer(snapshot, request, &Need::Start { dir, texts }) {
                    Fact::Large => self.look_up(snapshot, request, (dir, texts), pair.names()),
                    there => there,
                };
                pair.with(there, |name| name.as_bytes() != b"b")
            }
            Need::Names { dir, source, source_dir, texts } => {
                let unknown: Vec<Name> = snapshot.unknown_names(*dir, *source, *source_dir, naming).collect();
                self.look_up(snapshot, request, (*dir, *texts), unknown)
            }
            Need::Texts { dir, source, source_dir } => {
                let at = self.tree.find(&snapshot.target.path(*dir)).expect("a directory");
                let names = snapshot.unread_texts(*dir, *source, *source_dir, naming);
                let link = |name: Name| {
                    let link = self.tree.get(at, &name).flatten().expect("it was listed");
                    (name, link)
                };
                Fact::Texts(Arc::new(names.map(link).collect()))
            }
            Need::Stored { .. } => panic!("{need:?}: the trees of these tests know no content"),
            Need::InStep { .. }
            | Need::Below { .. }
            | Need::Merged { .. }
            | Need::WayDown { .. }
            | Need::Under { .. } => {
                panic!("{need:?} has no fact for an answer")
            }
            Need::Mirror { source, dir, target_dir, rules_dir } => {
                snapshot.make_mirror(*source, *dir, target_dir, rules_dir)
            }
            Need::Hides { source, dir } => Fact::Holds(snapshot.find_hides(*source, *dir)),
            Need::Sifted { source, dir } => {
                let need = Need::Listing { side: Side::Source(*source), dir: *dir, texts: Texts::All };
                let Fact::Listing(entries) = self.answer(snapshot, request, &need) else {
                    panic!("a listing")
                };
                let hides = snapshot.hides_among(*source, *dir, &entries);
                Fact::Sifted(entries, hides)
            }
            Need::Text { dir, name } => {
                let at = self.tree.find(&snapshot.target.path(*dir)).expect("a directory");
                match self.tree.get(at, name) {
                    Some(Some(Node::Link(link))) => Fact::Text(link.text.clone().expect("all is known")),
                    other => panic!("{name:?} was asked for its text and is {other:?}"),
                }
            }
            Need::Leads { side, dir, name } => {
                Fact::Leads(self.leads(&self.place(snapshot, *side, *dir).join(name)))
            }
            Need::AllLead { dir } => {
                let at = snapshot.target.path(*dir);
                let entries = snapshot.target.entries(*dir).expect("it was listed");
                let lead = |name| self.leads(&at.join(&Name::new(name).expect("a name")));
                Fact::AllLead(entries.link_names().map(lead).collect())
            }
            Need::At(route) if route.up == 0 => Fact::Leads(self.leads(&route.down)),
            Need::At(_) => Fact::Leads(Leads::Nothing),
            Need::Marked(route) => {
                let inside = route.up == 0 && self.follow(&route.down, b".stow").is_some();
                Fact::Holds(inside)
            }
            Need::Present(route) => {
                let seen = self.follow(&RelPath::root(), route.down.as_bytes());
                Fact::Holds(route.up == 0 && matches!(seen, Some((_, Seen::Dir(_)))))
            }
            Need::Endless { source, dir } => {
                let package = snapshot.source(*source).route().down;
                let names: Vec<Name> = snapshot.source(*source).tree.path(*dir).names().collect();
                let real = |count| {
                    self.follow(&package, RelPath::from_names(&names[..count]).as_bytes()).map(|p| p.0)
                };
                let last = real(names.len());
                Fact::Holds(last.is_none() || (0..names.len()).any(|count| real(count) == last))
            }
            Need::Real { dir, name } => {
                let path = snapshot.target.path(*dir).join(name);
                let real = self.follow(&RelPath::root(), path.as_bytes());
                Fact::Real(real.map(|(path, _)| Route::below_root(path)))
            }
            Need::Way { dir, name } => {
                let mut passed = Vec::new();
                self.follow_past(&snapshot.target.path(*dir), name.as_bytes(), &mut passed);
                Fact::Way(passed)
            }
            Need::SameMode { .. } => Fact::Holds(true),
            Need::Equal { name, .. } => Fact::Holds(name.as_bytes() == b"b"),
        }
    }

    fn look_up(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        (dir, texts): (DirId, Texts),
        unknown: Vec<Name>,
    ) -> Fact {
        let at = self.tree.find(&snapshot.target.path(dir)).expect("a directory");
        if self.tree.entries(at).is_some_and(|all| unknown.len() > all.len()) {
            return self.answer(snapshot, request, &Need::Listing { side: Side::Target, dir, texts });
        }
        let mut names = Entries::partial();
        for name in unknown {
            match self.tree.get(at, &name).flatten() {
                Some(node) => names.set(&name, &node),
                None => names.set_absent(name.as_bytes()),
            }
        }
        if texts != Texts::None
            && let Some((name, node)) = self.tree.entries(at).and_then(|entries| entries.iter().next())
        {
            names.set(&name, &node);
        }
        Fact::Names(names.into())
    }

    fn leads(&self, path: &RelPath) -> Leads {
        match self.follow(&RelPath::root(), path.as_bytes()) {
            Some((_, Seen::Dir(_))) => Leads::Dir,
            Some((_, Seen::File)) => Leads::Other,
            None => Leads::Nothing,
        }
    }

    /// Plans as on a disk; panics when the planner asks for the same thing twice.
    fn plan(&self, request: &Request) -> Planned {
        self.plan_in_rounds(request).0
    }

    /// As [`plan`](Self::plan), with how often the planner had to begin.
    fn plan_in_rounds(&self, request: &Request) -> (Planned, usize) {
        let mut snapshot = Snapshot::unread();
        let mut asked = BTreeSet::new();
        for round in 1.. {
            match plan(request, &snapshot) {
                Ok(planned) => return (planned, round),
                Err(needs) => {
                    assert!(asked.len() < 1000, "there is no end to what is asked");
                    let naming = request.policy.naming;
                    let learned = snapshot.learn(naming, needs.into_iter().collect(), |snapshot, needs| {
                        let answered = |need: Need| {
                            assert!(asked.insert(need.clone()), "{need:?} was answered already");
                            let fact = self.answer(snapshot, request, &need);
                            (need, fact)
                        };
                        Ok::<_, std::convert::Infallible>(needs.into_iter().map(answered).collect())
                    });
                    learned.unwrap_or_else(|never| match never {});
                }
            }
        }
        unreachable!("the rounds have no end")
    }

    fn apply(&mut self, planned: &Planned) {
        if let Err(path) = planned.plan.apply(&mut self.tree) {
            panic!("{path:?} is not as planned in\n{}\n{:#?}", self.tree.lines().join("\n"), planned.plan);
        }
    }

    fn has_links_in_packages(&self) -> bool {
        self.tree.lines().iter().any(|line| line.starts_with("s/") && line.contains(" -> "))
    }

    fn has_empty_directories(&self) -> bool {
        let lines = self.tree.lines();
        let empty = |line: &&String| {
            line.ends_with('/') && lines.iter().filter(|l| l.starts_with(*line)).count() == 1
        };
        lines.iter().filter(|line| line.len() > 4).any(|line| empty(&line))
    }

    /// Returns the lines of the files, FIFOs and links in the target that farm did not make.
    fn not_made_by_farm(&self) -> Vec<String> {
        let inside = RelPath::new(b"s").expect("a path");
        let in_package = |path: &RelPath| path.below(&inside).is_some_and(|below| !below.is_root());
        let owned = |line: &String| {
            let Some((path, text)) = line.split_once(" -> ") else { return false };
            let (dir, _) = path_of(path).split().expect("not the root");
            let text = LinkText::new(text.as_bytes());
            let request = request(&Policy::native(), &[]);
            let route = request.route_of(&dir, &text);
            let real = self.follow(&dir, text.as_bytes()).map(|(path, _)| path);
            route.up == 0 && in_package(&route.down) || real.is_some_and(|real| in_package(&real))
        };
        let mut lines = self.target();
        lines.retain(|line| line != "s" && !line.ends_with('/') && !owned(line));
        lines
    }

    /// Returns the lines of the target without the stow directory.
    fn target(&self) -> Vec<String> {
        self.tree.lines().into_iter().filter(|line| !line.starts_with("s/")).collect()
    }
}

fn request(policy: &Policy, steps: &[(Action, usize)]) -> Request {
    let step = |&(action, package): &(Action, usize)| {
        let package = RelPath::new(PACKAGES[package].as_bytes()).expect("a name");
        Step::new(action, package, Mount::Into(RelPath::root()))
    };
    Request {
        root: b"/home".to_vec(),
        stow_dir: Route::below_root(RelPath::new(b"s").expect("a path")),
        former: None,
        steps: steps.iter().map(step).collect(),
        others: Default::default(),
        earlier: None,
        rendered: None,
        policy: policy.clone(),
    }
}

/// Puts an entry into a tree unless something that is no directory is in the way.
fn put(tree: &mut Tree, path: &str, node: Option<Node>) {
    let path = RelPath::new(path.as_bytes()).expect("a path");
    let Some((parent, last)) = path.split() else { return };
    let mut dir = ROOT;
    for name in parent.names() {
        dir = match tree.get(dir, &name).flatten() {
            Some(Node::Dir(id)) => id,
            None => tree.make_dir(dir, &name),
            Some(_) => return,
        };
    }
    match (tree.get(dir, &last).flatten(), node) {
        (None, None) => drop(tree.make_dir(dir, &last)),
        (None, Some(node)) => tree.set(dir, last, node),
        (Some(_), _) => {}
    }
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "dot-a", ".a"]), 1..4)
        .prop_map(|names| names.join("/"))
}

/// An entry of a package: a file, a directory, or a link.
fn package_entry() -> impl Strategy<Value = (String, Option<Node>)> {
    let link = |text: &'static str| Some(Node::link(LinkText::new(text.as_bytes()), Leads::Unknown));
    let node = prop_oneof![
        6 => Just(Some(Node::File)),
        1 => Just(None),
        1 => prop::sample::select(vec!["a", "b", "../a", "nowhere", ".", "/abs"]).prop_map(link),
    ];
    (path(), node)
}

/// An entry of the target: a file, a directory, a link into a package, to something else in the target, or elsewhere.
fn target_entry() -> impl Strategy<Value = (String, Option<Node>)> {
    let node = prop_oneof![
        2 => Just(Some(String::new())),
        1 => Just(Some("|".to_owned())),
        2 => Just(None),
        3 => (prop::sample::select(PACKAGES.to_vec()), path()).prop_map(|(p, path)| Some(format!("s/{p}/{path}"))),
        1 => prop::sample::select(vec!["x", "s", "s/p", "/abs", "a", "/home/s/p/a"])
            .prop_map(|text| Some(text.to_owned())),
        // By way of something else in the target, perhaps of another link.
        1 => path().prop_map(|path| Some(format!("@{path}"))),
    ];
    (path(), node).prop_map(|(path, node)| {
        let node = node.map(|text| match text.as_str() {
            "" => Node::File,
            "|" => Node::Other,
            text => {
                let up = match text.starts_with(['s', '@']) {
                    true => "../".repeat(path.matches('/').count()),
                    false => String::new(),
                };
                let text = up + text.trim_start_matches('@');
                Node::link(LinkText::new(text.as_bytes()), Leads::Unknown)
            }
        });
        (path, node)
    })
}

/// A world: a target in some state, some packages, and perhaps something that is ignored.
fn world(entries: std::ops::Range<usize>, ignores: bool) -> impl Strategy<Value = World> {
    let packages = prop::collection::vec(prop::collection::vec(package_entry(), 0..6), 3);
    let target = prop::collection::vec(target_entry(), entries);
    let ignore = prop::sample::select(if ignores { vec!["", "", "c", "/a/b"] } else { vec![""] });
    (packages, target, ignore).prop_map(|(packages, target, ignore)| {
        let mut tree = Tree::empty();
        for (name, entries) in PACKAGES.iter().zip(packages) {
            put(&mut tree, &format!("s/{name}"), None);
            for (path, node) in entries {
                put(&mut tree, &format!("s/{name}/{path}"), node);
            }
        }
        for (path, node) in target {
            put(&mut tree, &path, node);
        }
        World { tree, ignore, large: usize::MAX }
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), 0..4, way()).prop_map(
        |(native, fold, dots, adopt, walk, way)| {
            let mut policy = if native { Policy::native() } else { Policy::stow() };
            if native {
                policy.strategy = way;
                // Names that the worlds have, so that some of them are there.
                let restore = [("a", ".a"), ("b", "c"), ("a/b", "c"), ("a/b/c", "a")];
                policy.restore = restore
                    .map(|(path, backup)| (RelPath::new(path.as_bytes()).expect("a path"), name(backup)))
                    .into();
            }
            if !fold {
                policy.fold = Fold::Never;
                policy.refold = Refold::Never;
            }
            if dots {
                policy.naming = Naming::Dotfiles;
            }
            if adopt && !native {
                policy.on_file = OnFile::Adopt;
            }
            if walk == 0 && !native {
                policy.walk = Walk::Target;
            }
            policy
        },
    )
}

/// What becomes of things in the way.
fn way() -> impl Strategy<Value = Way> {
    let backup = |suffix: &str, existing| {
        Way::Backup(Backup { suffix: Name::new(suffix.as_bytes()).expect("a name"), existing })
    };
    prop::sample::select(vec![
        Way::Stop,
        Way::Skip,
        backup("~", Existing::Refuse),
        backup("~", Existing::Number),
        // One that turns names of the farm into each other: `.a` and `.a.a`.
        backup(".a", Existing::Number),
        Way::Adopt,
        Way::Replace,
    ])
}

/// Farm's own policy with something that makes way.
fn native(way: Way, fold: bool) -> Policy {
    let mut policy = Policy { strategy: way, ..Policy::native() };
    if !fold {
        policy.fold = Fold::Never;
        policy.refold = Refold::Never;
    }
    policy
}

fn steps() -> impl Strategy<Value = Vec<(Action, usize)>> {
    let action = prop::sample::select(vec![Action::Link, Action::Link, Action::Unlink]);
    prop::collection::vec((action, 0..PACKAGES.len()), 1..5)
}

fn paths(ops: &Ops) -> Vec<RelPath> {
    ops.iter().map(|op| op.path).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_makes_what_was_planned_and_its_inverse_takes_it_back(
        world in world(0..7, true), policy in policy(), steps in steps()
    ) {
        let planned = world.plan(&request(&policy, &steps));
        let mut after = world.clone();
        after.apply(&planned);
        prop_assert_eq!(after.target(), planned_lines(&after, &planned));
        planned.plan.inverse().apply(&mut after.tree).expect("the inverse fits");
        prop_assert_eq!(but_replaced(&planned, after.tree.lines()), but_replaced(&planned, world.tree.lines()));
    }

    #[test]
    fn what_farm_did_not_make_is_where_it_was_or_where_the_plan_says(
        world in world(0..9, true), way in way(), fold in any::<bool>(), steps in steps()
    ) {
        let planned = world.plan(&request(&native(way, fold), &steps));
        let mut after = world.clone();
        after.apply(&planned);
        let there = after.target();
        for line in world.not_made_by_farm() {
            let path = path_of(&line);
            let moved = planned.plan.ops.iter().find_map(|op| match &op.change {
                Change::Displace { to, .. } => Some((path.below(&op.path)?, op.path.clone(), to.clone())),
                _ => None,
            });
            let expected = match moved {
                Some((below, from, Place::Beside(name))) => {
                    let to = from.split().expect("not the root").0.join(&name).join_path(&below);
                    line.replacen(&shown(&path), &shown(&to), 1)
                }
                Some((below, _, place)) => {
                    prop_assert!(below.is_root() || matches!(place, Place::Kept(_)), "{line} goes to {place:?}");
                    continue;
                }
                None => line.clone(),
            };
            prop_assert!(there.contains(&expected), "{line} is not {expected} in {there:#?}");
        }
    }

    #[test]
    fn making_way_leaves_nothing_to_do(
        world in world(0..9, true), way in way(), fold in any::<bool>(), steps in steps()
    ) {
        let links: Vec<_> = steps.iter().map(|&(_, package)| (Action::Link, package)).collect();
        let request = request(&native(way.clone(), fold), &links);
        let mut world = world;
        let first = world.plan(&request);
        world.apply(&first);
        // What one package skips another may take, and a link may lead into a package by way of a new link: the next
        // time that is another package's.
        let taken = |skipped: &Conflict| {
            let taken = first.plan.ops.iter().any(|op| op.path == skipped.path);
            taken || matches!(skipped.reason, Reason::NotOwned(_))
        };
        if first.conflicts.is_empty() && !first.skipped.iter().any(taken) {
            let second = world.plan(&request);
            prop_assert_eq!(second.plan.ops, Ops::default());
            prop_assert_eq!(second.conflicts, vec![]);
            prop_assert_eq!(&second.skipped, &first.skipped);
        }
        prop_assert!(first.skipped.is_empty() || way == Way::Skip);
    }

    #[test]
    fn backups_come_back(
        world in world(0..9, false), fold in any::<bool>(), number in any::<bool>(), steps in steps()
    ) {
        let existing = if number { Existing::Number } else { Existing::Refuse };
        let suffix = Name::new(b"~").expect("a name");
        let policy = native(Way::Backup(Backup { suffix, existing }), fold);
        let of = |action| steps.iter().map(|&(_, package)| (action, package)).collect::<Vec<_>>();
        let mut world = world;
        let before = world.not_made_by_farm();
        let link = world.plan(&request(&policy, &of(Action::Link)));
        world.apply(&link);
        let mut policy = policy;
        let mut equal = Vec::new();
        for op in link.plan.ops.iter() {
            match &op.change {
                Change::Displace { to: Place::Beside(name), .. } => {
                    policy.restore.insert(op.path.clone(), name.clone());
                }
                Change::Displace { to: Place::Equal(_), .. } => equal.push(shown(&op.path)),
                _ => {}
            }
        }
        let unlink = world.plan(&request(&policy, &of(Action::Unlink)));
        world.apply(&unlink);
        let there = world.target();
        for line in before {
            // A file that was equal to the package's is now the package's alone.
            prop_assert!(equal.contains(&line) || there.contains(&line), "{line} is not back in {there:#?}");
        }
        prop_assert!(!there.iter().any(|line| path_of(line).as_bytes().contains(&b'~')));
        prop_assert_eq!(unlink.notices.iter().filter(|n| matches!(n, Notice::NoBackup { .. })).count(), 0);
        // A link to a directory that was folded leads into the package now, so it is the package's.
        let leads_on = |line: &String| line.split_once(" -> ").is_some_and(|(_, text)| !text.contains("s/"));
        if !there.iter().any(leads_on) {
            let again = world.plan(&request(&policy, &of(Action::Unlink)));
            prop_assert_eq!(again.plan.ops, Ops::default());
        }
    }

    #[test]
    fn no_path_is_changed_twice_and_packages_stay_as_they_are(
        world in world(0..7, true), policy in policy(), steps in steps()
    ) {
        let planned = world.plan(&request(&policy, &steps));
        let mut paths = paths(&planned.plan.ops);
        paths.sort();
        let count = paths.len();
        paths.dedup();
        prop_assert_eq!(paths.len(), count);
        let inside = RelPath::new(b"s").expect("a path");
        prop_assert!(paths.iter().all(|path| path.below(&inside).is_none()));
    }

    #[test]
    fn a_conflict_means_no_operation(world in world(0..9, true), policy in policy(), steps in steps()) {
        let planned = world.plan(&request(&policy, &steps));
        prop_assert!(planned.conflicts.is_empty() || planned.plan.is_empty());
    }

    #[test]
    fn linking_again_changes_nothing(world in world(0..7, true), policy in policy(), steps in steps()) {
        // A package may spell two of its names alike then: `.a` and `dot-a`.
        let policy = settled(Policy { naming: Naming::AsIs, ..policy }, &world);
        let links: Vec<_> = steps.iter().map(|&(_, package)| (Action::Link, package)).collect();
        let request = request(&policy, &links);
        let mut world = world;
        let first = world.plan(&request);
        world.apply(&first);
        if first.conflicts.is_empty() {
            let second = world.plan(&request);
            prop_assert_eq!(second.plan.ops, Ops::default());
            prop_assert_eq!(second.conflicts, vec![]);
        }
    }

    #[test]
    fn relinking_what_is_right_changes_nothing(
        world in world(0..7, true), policy in policy(), package in 0..PACKAGES.len()
    ) {
        // Known of stow: with `--compat` what is ignored stays behind, and a package's own `.x` with `--dotfiles`; and it
        // folds a directory when what is left in it is a link to another place in the package, as adopting may have it.
        let on_file = if policy.on_file == OnFile::Adopt { OnFile::Stop } else { policy.on_file };
        let policy = settled(Policy { walk: Walk::Package, on_file, ..policy }, &world);
        let link = request(&policy, &[(Action::Link, package)]);
        let relink = request(&policy, &[(Action::Unlink, package), (Action::Link, package)]);
        let mut world = world;
        let first = world.plan(&relink);
        world.apply(&first);
        if first.conflicts.is_empty() {
            let again = world.plan(&relink);
            prop_assert_eq!(again.plan.ops, Ops::default());
            prop_assert_eq!(world.plan(&link).plan.ops, Ops::default());
        }
    }

    #[test]
    fn unlinking_what_was_linked_is_the_start(world in world(0..7, false), package in 0..PACKAGES.len()) {
        check_round_trip(world, package)?;
    }

    #[test]
    fn new_links_are_as_few_as_folding_allows(world in world(0..5, false), steps in steps()) {
        let links: Vec<_> = steps.iter().map(|&(_, package)| (Action::Link, package)).collect();
        let planned = world.plan(&request(&Policy::stow(), &links));
        for op in planned.plan.ops.iter() {
            // An unfold makes a directory for two.
            if op.change != Change::Make(Thing::Dir(Vec::new())) {
                continue;
            }
            let dir = planned.after.find(&op.path).expect("it was made");
            let contributes = |package: &str| {
                let package = RelPath::new(format!("s/{package}").as_bytes()).expect("a path");
                matches!(world.follow(&package, op.path.as_bytes()), Some((_, Seen::Dir(_))))
            };
            let shared = PACKAGES.iter().filter(|package| contributes(package)).count() > 1;
            prop_assert!(shared || needs_a_directory(&planned.after, dir), "{:?} could be one link", op.path);
        }
    }

    #[test]
    fn every_new_link_leads_to_its_own_place_in_a_package(
        world in world(0..7, true), steps in steps(), native in any::<bool>()
    ) {
        let policy = if native { Policy::native() } else { Policy::stow() };
        let links: Vec<_> = steps.iter().map(|&(_, package)| (Action::Link, package)).collect();
        let planned = world.plan(&request(&policy, &links));
        for op in planned.plan.ops.iter() {
            if let Change::Make(Thing::Link(text)) = &op.change {
                let (dir, _) = op.path.split().expect("not the root");
                let route = text.route_from(&dir).expect("relative");
                let below = route.down.below(&RelPath::new(b"s").expect("a path")).expect("in the stow directory");
                let place = RelPath::new(&below.as_bytes()[2..]).expect("below the package");
                prop_assert_eq!(&place, &op.path);
            }
        }
    }

    #[test]
    fn what_is_adopted_is_where_the_link_leads(
        world in world(0..7, true), steps in steps(), native in any::<bool>()
    ) {
        let links: Vec<_> = steps.iter().map(|&(_, package)| (Action::Link, package)).collect();
        let planned = world.plan(&request(&taking_over(native), &links));
        for op in planned.plan.ops.iter() {
            if let Change::Displace { to: Place::Package { at, .. }, new, .. } = &op.change {
                let Thing::Link(text) = new else { panic!("{new:?} is no link") };
                let (dir, _) = op.path.split().expect("not the root");
                prop_assert_eq!(&text.route_from(&dir).expect("relative"), at);
            }
        }
    }

    #[test]
    fn a_large_directory_is_planned_like_any_other(
        world in world(0..7, true), steps in steps(), policy in policy(), unlink in any::<bool>()
    ) {
        let action = if unlink { Action::Unlink } else { Action::Link };
        let steps: Vec<_> = steps.iter().map(|&(_, package)| (action, package)).collect();
        let request = request(&policy, &steps);
        let whole = world.plan(&request);
        // What dangles in a directory that many share is left where it is.
        let dangles = |line: &String| line.split_once(" -> ").is_some_and(|(path, _)| {
            world.follow(&RelPath::root(), path.as_bytes()).is_none()
        });
        if unlink && world.target().iter().any(dangles) {
            return Ok(());
        }
        let large = World { large: 1, ..world.clone() }.plan(&request);
        prop_assert_eq!(large.plan.ops, whole.plan.ops);
        prop_assert_eq!(large.conflicts, whole.conflicts);
        prop_assert_eq!(large.skipped, whole.skipped);
    }

    #[test]
    fn holding_back_packages_leaves_the_others_as_if_alone(world in world(0..7, true), steps in steps()) {
        let links: Vec<_> = steps.iter().map(|&(_, package)| (Action::Link, package)).collect();
        let policy = Policy { on_conflict: OnConflict::HoldBack, ..Policy::native() };
        let planned = world.plan(&request(&policy, &links));
        let rest: Vec<_> = links
            .iter()
            .filter(|(_, package)| !planned.held_back.iter().any(|n| n.as_bytes() == PACKAGES[*package].as_bytes()))
            .copied()
            .collect();
        let alone = world.plan(&request(&policy, &rest));
        prop_assert_eq!(alone.conflicts, vec![]);
        prop_assert_eq!(alone.plan, planned.plan);
    }
}

/// Returns the policy, or farm's own where stow's would not come to rest: it takes links to a package's own dangling
/// link for dangling, removes them, and lets the next package have their place.
fn settled(policy: Policy, world: &World) -> Policy {
    // What is skipped for one package may be taken by another, see below.
    let strategy = if policy.strategy == Way::Skip { Way::Stop } else { policy.strategy.clone() };
    match world.has_links_in_packages() {
        true => Policy { fold: policy.fold, naming: policy.naming, strategy, ..Policy::native() },
        // What frees a place for a backup is not linking.
        false => Policy { strategy, restore: Default::default(), ..policy },
    }
}

fn shown(path: &RelPath) -> String {
    String::from_utf8_lossy(path.as_bytes()).into_owned()
}

/// Returns the path of a line of a tree.
fn path_of(line: &str) -> RelPath {
    let path = line.split(" -> ").next().expect("a line has a beginning");
    RelPath::new(path.trim_end_matches('|').as_bytes()).expect("a path")
}

/// Returns lines of a tree without what is in directories that a plan replaces: nobody reads the state directory here.
fn but_replaced(planned: &Planned, lines: Vec<String>) -> Vec<String> {
    let mut replaced = planned.plan.ops.iter().filter_map(|op| match &op.change {
        Change::Displace { what: What::Dir, to: Place::Kept(_), .. } => Some(format!("{}/", shown(&op.path))),
        _ => None,
    });
    let replaced: Vec<String> = replaced.by_ref().collect();
    let kept = |line: &String| !replaced.iter().any(|dir| line.starts_with(dir.as_str()));
    lines.into_iter().filter(kept).collect()
}

/// Returns the lines of the planned target: what was read, as planned; what was not read, as it is.
fn planned_lines(world: &World, planned: &Planned) -> Vec<String> {
    let read = planned.after.lines();
    let mut lines: Vec<String> = world.target();
    for line in &read {
        let known = line.ends_with("/?") || line.ends_with(" -> ?") || lines.contains(line);
        assert!(known || line.starts_with("s/"), "planned, and not there: {line}");
    }
    lines.retain(|line| !line.starts_with("s/"));
    lines
}

/// Tells whether a directory holds anything but links that one link could stand for.
fn needs_a_directory(tree: &Tree, dir: DirId) -> bool {
    let entries = tree.entries(dir).expect("it was made");
    let mut parents: Vec<Vec<u8>> = Vec::new();
    for node in entries.nodes() {
        match node {
            Node::Link(link) => parents.push(link.text.as_ref().expect("planned").split().0.to_vec()),
            _ => return true,
        }
    }
    parents.dedup();
    parents.len() != 1
}

fn replaces_directories(planned: &Planned) -> bool {
    planned.plan.ops.iter().any(|op| matches!(op.change, Change::Swap { new: Thing::Dir(_), .. }))
}

/// Links a package and unlinks it: only empty directories that linking made may be left.
fn check_round_trip(mut world: World, package: usize) -> TestCaseResult {
    let policy = Policy::native();
    // Links of the package that were there before would go with it, and equal files become links: not the start.
    let start = world.plan(&request(&policy, &[(Action::Unlink, package)]));
    world.apply(&start);
    let before = world.target();
    let link = world.plan(&request(&policy, &[(Action::Link, package)]));
    let merges = link.plan.ops.iter().any(|op| matches!(op.change, Change::Displace { .. }));
    // Nor is it when a dangling link was replaced, or a link to an empty directory, or by way of another link, gave
    // way to a real one.
    let replaces = link.plan.ops.iter().any(|op| match &op.change {
        Change::Swap { old: Thing::Link(_), new: Thing::Link(_) } => true,
        Change::Swap { old: Thing::Link(text), new: Thing::Dir(_) } => {
            let (dir, _) = op.path.split().expect("not the root");
            match world.follow(&dir, text.as_bytes()) {
                Some((path, Seen::Dir(dir))) => {
                    let direct = text.route_from(&op.path.split().expect("not the root").0);
                    direct != Some(Route::below_root(path))
                        || world.tree.entries(dir).expect("all is known").is_empty()
                }
                _ => true,
            }
        }
        _ => false,
    });
    // Directories without a link in them cannot tell whose they are.
    let nameless = replaces_directories(&link) && world.has_empty_directories();
    if !link.conflicts.is_empty() || merges || replaces || nameless {
        return Ok(());
    }
    let made: Vec<String> = link
        .plan
        .ops
        .iter()
        .filter(|op| matches!(op.change, Change::Make(Thing::Dir(_))))
        .map(|op| format!("{}/", String::from_utf8_lossy(op.path.as_bytes())))
        .collect();
    world.apply(&link);
    let unlink = world.plan(&request(&policy, &[(Action::Unlink, package)]));
    world.apply(&unlink);
    let after: Vec<String> = world.target().into_iter().filter(|line| !made.contains(line)).collect();
    prop_assert_eq!(before, after);
    Ok(())
}

/// A world with nothing ignored.
fn literal(lines: &[&str]) -> World {
    World { tree: Tree::from_lines(lines.iter().copied()), ignore: "", large: usize::MAX }
}

fn backing_up(existing: Existing) -> Policy {
    native(Way::Backup(Backup { existing, ..Backup::default() }), true)
}

/// Links packages in a literal world with a policy.
fn link(lines: &[&str], policy: &Policy, packages: &[usize]) -> Planned {
    let steps: Vec<_> = packages.iter().map(|&package| (Action::Link, package)).collect();
    literal(lines).plan(&request(policy, &steps))
}

/// Returns the only obstacle, and where it is.
#[track_caller]
fn obstacle(planned: &Planned) -> (String, Obstacle) {
    match &planned.conflicts[..] {
        [Conflict { path, reason: Reason::Unresolved { why, .. }, .. }] => (shown(path), why.clone()),
        other => panic!("{other:?} is not one obstacle"),
    }
}

fn name(s: &str) -> Name {
    Name::new(s.as_bytes()).expect("a name")
}

/// Returns the target of a planned tree.
fn target(planned: &Planned) -> Vec<String> {
    let lines = planned.after.lines();
    lines.into_iter().filter(|line| line != "s/" && line != "s/?" && !line.starts_with("s/")).collect()
}

#[test]
fn a_deep_tree_that_packages_share_takes_no_round_for_each_level() {
    let [p, q, both] = [&[0][..], &[1], &[0, 1]];
    let of = |action, packages: &[usize]| -> Vec<_> { packages.iter().map(|&it| (action, it)).collect() };
    let rounds = |levels: usize| {
        let dirs: Vec<String> = (0..levels).map(|level| "a/".repeat(level)).collect();
        let lines = dirs.iter().flat_map(|dir| ["p", "q"].map(|it| format!("s/{it}/{dir}f{it}")));
        let mut world = World { tree: Tree::from_lines([]), ignore: "", large: usize::MAX };
        lines.for_each(|line| put(&mut world.tree, &line, Some(Node::File)));
        let mut run = |steps: Vec<(Action, usize)>| {
            let (planned, rounds) = world.plan_in_rounds(&request(&Policy::native(), &steps));
            assert_eq!(planned.conflicts.len(), 0, "{steps:?}");
            world.apply(&planned);
            rounds
        };
        [
            run(of(Action::Link, p)),
            run(of(Action::Link, q)),
            run([of(Action::Unlink, p), of(Action::Link, p)].concat()),
            run([of(Action::Unlink, both), of(Action::Link, both)].concat()),
            run(of(Action::Unlink, p)),
            run(of(Action::Link, p)),
            run(of(Action::Unlink, both)),
        ]
    };
    assert_eq!(rounds(40), rounds(5));
}

#[test]
fn a_link_is_made_anew_when_the_way_that_it_took_changes() {
    let policy = Policy::native();
    let lines = ["s/p/a/x", "s/q/b", "s/q/c", "a -> s/q", "b -> a/b", "c -> s/q/c"];
    let planned = link(&lines, &policy, &[0, 1]);
    assert_eq!(
        target(&planned),
        ["a/", "a/b -> ../s/q/b", "a/c -> ../s/q/c", "a/x -> ../s/p/a/x", "b -> s/q/b", "c -> s/q/c"]
    );
    // Nobody touches its way: it is as good as any.
    let planned = link(&["s/p/x", "s/q/b", "a -> s/q", "b -> a/b"], &policy, &[0, 1]);
    assert_eq!(target(&planned), ["a -> ?", "b -> a/b", "x -> s/p/x"]);
    // A long way round, of which only the end is changed.
    let lines = ["s/p/a/x", "s/q/b", "s/q/d/e", "a -> s/q", "b -> f/../b", "d -> a/d", "f -> d"];
    let planned = link(&lines, &policy, &[0, 1]);
    assert!(target(&planned).contains(&"b -> s/q/b".to_owned()), "{:?}", target(&planned));
}

#[test]
fn unlinking_folds_nothing_over_a_link_that_it_takes_the_way_from() {
    let lines = ["s/p/.a/b", "s/p/a/a", "a -> s/p/a", ".a/a -> ../a/a", ".a/b -> ../s/p/.a/b"];
    let planned = literal(&lines).plan(&request(&Policy::native(), &[(Action::Unlink, 0)]));
    assert_eq!(target(&planned), [".a/", ".a/a -> ../a/a"]);
}

#[test]
fn packages_that_hold_themselves_under_two_names_come_to_an_end() {
    for lines in [
        &["s/p/.a -> .", "s/p/dot-a/dot-a -> ."][..],
        &["s/p/.a/", "s/p/c/.a/a", "s/p/c/dot-a -> .", "s/p/dot-a -> ."],
    ] {
        for fold in [Fold::Always, Fold::Never] {
            let policy = Policy { naming: Naming::Dotfiles, fold, ..Policy::stow() };
            let planned = link(lines, &policy, &[0]);
            assert!(planned.conflicts.len() + planned.plan.ops.len() < 200);
        }
    }
}

#[test]
fn a_backup_has_the_suffix_at_its_end() {
    let planned =
        link(&["s/p/f", "s/p/d", "s/p/l", "f", "d/x", "l -> x"], &backing_up(Existing::Refuse), &[0]);
    assert_eq!(
        target(&planned),
        ["d -> s/p/d", "d.backup/", "d.backup/x", "f -> s/p/f", "f.backup", "l -> s/p/l", "l.backup -> x"]
    );
}

#[test]
fn a_backup_never_takes_the_place_of_anything() {
    let lines = ["s/p/f", "f", "f.backup", "f.backup.1 -> x", "f.backup.2/"];
    let taken = |name| Obstacle::BackupExists(name);
    let refused = link(&lines, &backing_up(Existing::Refuse), &[0]);
    assert_eq!(obstacle(&refused), ("f".to_owned(), taken(name("f.backup"))));
    let numbered = link(&lines, &backing_up(Existing::Number), &[0]);
    assert!(target(&numbered).contains(&"f.backup.3".to_owned()), "{:?}", target(&numbered));
    let first = link(&lines[..3], &backing_up(Existing::Number), &[0]);
    assert!(target(&first).contains(&"f.backup.1".to_owned()), "{:?}", target(&first));
}

#[test]
fn a_name_that_the_plan_frees_is_taken_all_the_same() {
    let world = literal(&["s/p/f", "s/q/f.backup", "f", "f.backup -> s/q/f.backup"]);
    let steps = [(Action::Unlink, 1), (Action::Link, 0)];
    let planned = world.plan(&request(&backing_up(Existing::Refuse), &steps));
    assert_eq!(obstacle(&planned).1, Obstacle::BackupExists(name("f.backup")));
}

#[test]
fn a_backups_name_is_no_longer_than_a_system_takes() {
    for (length, existing, fits) in [
        (255 - 7, Existing::Refuse, true),
        (255 - 6, Existing::Refuse, false),
        (255 - 9, Existing::Number, true),
        (255 - 8, Existing::Number, false),
    ] {
        let file = "f".repeat(length);
        let package = format!("s/p/{file}");
        let taken = format!("{file}.backup");
        let taken = if existing == Existing::Number { &taken[..] } else { "other" };
        let planned = link(&[&package, &file, taken], &backing_up(existing), &[0]);
        assert_eq!(planned.conflicts.is_empty(), fits, "{length}");
        if !fits {
            assert!(
                matches!(obstacle(&planned).1, Obstacle::BackupTooLong(name) if name.as_bytes().len() == 256)
            );
        }
    }
}

#[test]
fn what_a_package_has_under_a_backups_name_is_in_the_way() {
    for there in ["f", "f/x"] {
        let planned = link(&["s/p/f", "s/q/f.backup", there], &backing_up(Existing::Number), &[0, 1]);
        assert_eq!(planned.conflicts.len(), 1);
        assert_eq!(
            (&planned.conflicts[0].reason, shown(&planned.conflicts[0].path)),
            (&Reason::BackupPlace, "f.backup".to_owned())
        );
    }
    // The other way round the name is taken.
    let planned = link(&["s/p/f", "s/q/f.backup", "f"], &backing_up(Existing::Refuse), &[1, 0]);
    assert_eq!(obstacle(&planned).1, Obstacle::BackupExists(name("f.backup")));
}

#[test]
fn what_gave_way_to_one_package_gives_way_to_two() {
    for there in ["d", "d -> nowhere", "d|"] {
        let lines = ["s/p/d/x", "s/q/d/y", there];
        let planned = link(&lines, &backing_up(Existing::Refuse), &[0, 1]);
        assert!(matches!(
            &planned.plan.ops.iter().collect::<Vec<_>>()[..],
            [Op { change: Change::Displace { to: Place::Beside(_), new: Thing::Dir(pieces), .. }, .. }]
                if pieces.len() == 2
        ));
    }
}

#[test]
fn a_directory_stays_where_it_is_when_others_need_it() {
    let policy = native(Way::Replace, true);
    let of = |lines: &[&str]| obstacle(&link(lines, &policy, &[0]));
    let owner = |package: &str| Obstacle::HoldsLinks { owner: RelPath::new(package.as_bytes()) };
    let place = |path: &str| RelPath::new(path.as_bytes()).expect("a path");
    let at = |path: &str| path.to_owned();
    assert_eq!(of(&["s/p/s", "s/q/x"]), (at("s"), Obstacle::HoldsStowDir));
    assert_eq!(of(&["s/p/d", "d/e/.stow"]), (at("d"), Obstacle::HoldsMarked(place("d/e"))));
    assert_eq!(of(&["s/p/d", "d/.nonstow", "d/x"]), (at("d"), Obstacle::HoldsMarked(place("d"))));
    assert_eq!(of(&["s/p/d", "s/q/d/e/x", "d/e/x -> ../../s/q/d/e/x"]), (at("d"), owner("q")));
    assert_eq!(of(&["s/p/d", "s/q/d/x", "way -> s/q", "d/x -> ../way/d/x"]), (at("d"), owner("q")));
    let both = link(&["s/p/d", "s/q/d/x", "d/y"], &policy, &[1, 0]);
    assert_eq!(obstacle(&both).1, Obstacle::HoldsLinks { owner: None });
    // Its own old links, and those that lead to nothing in a package any more, keep nothing.
    let stale = ["s/p/d", "s/q/", "d/x -> ../s/p/d/x", "d/y -> ../s/q/d/y"];
    assert_eq!(link(&stale, &policy, &[0]).conflicts, vec![]);
}

#[test]
fn unlinking_in_a_directory_keeps_it_where_it_is() {
    let world = literal(&["s/p/d", "s/q/d/x", "d/x -> ../s/q/d/x", "d/y"]);
    let steps = [(Action::Unlink, 1), (Action::Link, 0)];
    let planned = world.plan(&request(&backing_up(Existing::Refuse), &steps));
    assert_eq!(obstacle(&planned).1, Obstacle::HoldsLinks { owner: None });
}

#[test]
fn only_a_file_is_adopted_and_only_in_a_files_place() {
    let policy = native(Way::Adopt, true);
    let planned = link(&["s/p/f", "f"], &policy, &[0]);
    let [Op { change: Change::Displace { what: What::File, to: Place::Package { at, .. }, .. }, .. }] =
        &planned.plan.ops.iter().collect::<Vec<_>>()[..]
    else {
        panic!("{:?}", planned.plan.ops)
    };
    assert_eq!(at.to_bytes(), b"s/p/f");
    for lines in [
        &["s/p/f", "f|"][..],
        &["s/p/f", "f -> x"],
        &["s/p/f", "f/x"],
        &["s/p/f/x", "f"],
        &["s/p/f -> x", "s/p/x/", "f"],
        &["s/p/f -> x", "s/p/x", "f"],
    ] {
        let planned = link(lines, &policy, &[0]);
        assert!(planned.conflicts.iter().any(|c| c.path.as_bytes() == b"f"), "{lines:?}");
        assert_eq!(obstacle(&planned).1, Obstacle::NotAdoptable, "{lines:?}");
    }
}

/// Adopts what is in the way and takes over what another package has, as stow or farm does.
fn taking_over(is_native: bool) -> Policy {
    let policy = match is_native {
        true => native(Way::Adopt, true),
        false => Policy { on_file: OnFile::Adopt, ..Policy::stow() },
    };
    let globs = crate::rules::Globs::new(["**"]).expect("a good glob");
    Policy { overrides: crate::rules::PathPatterns { globs, ..Default::default() }, ..policy }
}

#[test]
fn a_file_is_adopted_by_the_package_that_has_its_place_in_the_end() {
    for is_native in [true, false] {
        for (packages, last) in [(&[0, 1][..], "q"), (&[1, 0], "p"), (&[1, 2, 0, 1], "q")] {
            let lines = ["s/p/f", "s/q/f", "s/r/f", "f"];
            let planned = link(&lines, &taking_over(is_native), packages);
            let [Op { change: Change::Displace { to: Place::Package { at, .. }, .. }, .. }] =
                &planned.plan.ops.iter().collect::<Vec<_>>()[..]
            else {
                panic!("{:?}", planned.plan.ops)
            };
            assert_eq!(at.to_bytes(), format!("s/{last}/f").into_bytes());
            assert_eq!(target(&planned), [format!("f -> s/{last}/f")]);
        }
    }
}

#[test]
fn what_the_last_package_cannot_adopt_is_in_its_way() {
    let in_the_way = |lines: &[&str], is_native| {
        let planned = link(lines, &taking_over(is_native), &[0, 1]);
        let [Conflict { package, reason, .. }] = &planned.conflicts[..] else {
            panic!("{:?}", planned.conflicts)
        };
        assert_eq!(package.as_bytes(), b"q");
        reason.clone()
    };
    // To these worlds only files of the name `b` are equal.
    for name in ["f", "b"] {
        let lines = [&format!("s/p/{name}"), &format!("s/q/{name}/x"), name];
        assert!(matches!(in_the_way(&lines, false), Reason::FileForDirectory { .. }));
        let reason = in_the_way(&lines, true);
        assert!(matches!(reason, Reason::Unresolved { why: Obstacle::NotAdoptable, .. }), "{reason:?}");
    }
}

#[test]
fn what_is_skipped_is_told_and_the_rest_linked() {
    let planned = link(&["s/p/f", "s/p/g", "f"], &native(Way::Skip, true), &[0]);
    assert_eq!(target(&planned), ["f", "g -> s/p/g"]);
    let skipped: Vec<_> = planned.skipped.iter().map(|conflict| shown(&conflict.path)).collect();
    assert_eq!((skipped, planned.conflicts), (vec!["f".to_owned()], vec![]));
}

#[test]
fn a_decision_goes_over_the_strategy() {
    let mut policy = native(Way::Skip, true);
    let path = RelPath::new(b"g").expect("a path");
    policy.decisions.insert(path, Way::Backup(Backup::default()));
    let planned = link(&["s/p/f", "s/p/g", "f", "g"], &policy, &[0]);
    assert_eq!(target(&planned), ["f", "g -> s/p/g", "g.backup"]);
    let mut policy = Policy::native();
    policy.decisions.insert(RelPath::new(b"f").expect("a path"), Way::Replace);
    let planned = link(&["s/p/f", "s/p/g", "f", "g"], &policy, &[0]);
    assert_eq!(planned.conflicts.iter().map(|c| shown(&c.path)).collect::<Vec<_>>(), ["g"]);
}

#[test]
fn what_is_another_packages_gives_way_to_no_strategy() {
    let strategies = [Way::Skip, Way::Backup(Backup::default()), Way::Adopt, Way::Replace];
    for (lines, reason) in
        [(&["s/p/f", "s/q/f", "f -> s/q/f"][..], "OtherPackage"), (&["s/p/s/x"], "StowDir")]
    {
        for strategy in &strategies {
            let planned = link(lines, &native(strategy.clone(), true), &[0]);
            assert_eq!(planned.conflicts.len(), 1, "{strategy:?} {lines:?}");
            let found = format!("{:?}", planned.conflicts[0].reason);
            assert!(found.starts_with(reason), "{strategy:?}: {found}");
            assert!(!planned.conflicts[0].reason.is_resolvable());
        }
    }
}

/// Farm's own policy with backups to bring back.
fn restoring(backups: &[(&str, &str)]) -> Policy {
    let path = |path: &str| RelPath::new(path.as_bytes()).expect("a path");
    let restore = backups.iter().map(|(at, backup)| (path(at), name(backup))).collect();
    Policy { restore, ..Policy::native() }
}

#[test]
fn a_backup_comes_back_when_its_place_is_free() {
    let policy = restoring(&[("f", "f~"), ("d/g", "g~"), ("other", "other~")]);
    let lines = ["s/p/f", "s/p/d/g", "f -> s/p/f", "f~", "d/g -> ../s/p/d/g", "d/g~ -> x", "other~"];
    let planned = literal(&lines).plan(&request(&policy, &[(Action::Unlink, 0)]));
    assert_eq!(target(&planned), ["d/", "d/g -> x", "f", "other~"]);
    assert!(planned.plan.ops.iter().all(|op| matches!(op.change, Change::Restore { .. })));
    assert_eq!(planned.plan.ops.len(), 2);
}

#[test]
fn a_backup_that_is_gone_is_told() {
    let policy = restoring(&[("f", "f~"), ("g", "g~")]);
    let lines = ["s/p/f", "s/p/g", "s/q/g~", "f -> s/p/f", "g -> s/p/g", "g~ -> s/q/g~"];
    let planned = literal(&lines).plan(&request(&policy, &[(Action::Unlink, 0)]));
    assert_eq!(target(&planned), ["g~ -> s/q/g~"]);
    let notice = |path: &str, backup| {
        let path = RelPath::new(path.as_bytes()).expect("a path");
        Notice::NoBackup { path, backup: name(backup) }
    };
    assert_eq!(planned.notices, [notice("f", "f~"), notice("g", "g~")]);
}

#[test]
fn what_is_in_a_backup_that_comes_back_stays_as_it_is() {
    let policy = Policy { naming: Naming::Dotfiles, ..restoring(&[("a", ".a"), ("a/b", "c")]) };
    let lines = ["s/p/dot-a/b/", ".a/b/", ".a/c/a", "a -> s/p/a"];
    let planned = literal(&lines).plan(&request(&policy, &[(Action::Unlink, 0)]));
    assert_eq!(
        planned.plan.ops.iter().map(|op| op.path).collect::<Vec<_>>(),
        [name("a")].map(|name| RelPath::from_names([&name]))
    );
}

#[test]
fn a_directory_that_a_backup_comes_back_to_is_not_folded() {
    let policy = restoring(&[("d/f", "f~")]);
    let lines = ["s/p/d/f", "s/q/d/g", "d/f -> ../s/p/d/f", "d/f~", "d/g -> ../s/q/d/g"];
    let planned = literal(&lines).plan(&request(&policy, &[(Action::Unlink, 0)]));
    assert_eq!(target(&planned), ["d/", "d/f", "d/g -> ../s/q/d/g"]);
}

#[test]
fn a_backup_of_what_two_packages_share_comes_back_when_both_are_gone() {
    let policy = restoring(&[("d", "d~")]);
    let lines = ["s/p/d/x", "s/q/d/y", "d/x -> ../s/p/d/x", "d/y -> ../s/q/d/y", "d~"];
    let one = literal(&lines).plan(&request(&policy, &[(Action::Unlink, 0)]));
    assert_eq!(target(&one), ["d -> s/q/d", "d~"]);
    let both = literal(&lines).plan(&request(&policy, &[(Action::Unlink, 0), (Action::Unlink, 1)]));
    assert_eq!(target(&both), ["d"]);
    let relink = literal(&lines)
        .plan(&request(&policy, &[(Action::Unlink, 0), (Action::Unlink, 1), (Action::Link, 0)]));
    assert_eq!(target(&relink), ["d/", "d/x -> ../s/p/d/x", "d~"]);
}

#[test]
fn a_backup_stays_while_something_else_is_in_its_place() {
    let policy = restoring(&[("f", "f~"), ("d", "d~")]);
    let mine = ["s/p/f", "s/p/d/x", "f", "f~", "d/x -> ../s/p/d/x", "d/mine", "d~"];
    let planned = literal(&mine).plan(&request(&policy, &[(Action::Unlink, 0)]));
    assert_eq!(target(&planned), ["d/", "d/mine", "d~", "f", "f~"]);
}
