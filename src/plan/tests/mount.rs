//! Packages that land elsewhere than at the farm's root, as a whole or with their content.

use super::*;
use crate::known::Known;

/// Places where packages land; names that the worlds have are among them.
const PLACES: [&str; 6] = ["m", "m/p", "a", "a/b", "m/n/o", ".a"];

fn rel(path: &str) -> RelPath {
    RelPath::new(path.as_bytes()).expect("a path")
}

fn into(at: &str) -> Mount {
    Mount::Into(rel(at))
}

fn whole(at: &str) -> Mount {
    Mount::As(rel(at))
}

/// Where each of the three packages lands.
type Mounts = [Mount; 3];

fn mounts() -> impl Strategy<Value = Mounts> {
    let place = || prop::sample::select(PLACES.to_vec());
    let mount = || {
        prop_oneof![
            1 => Just(into("")),
            2 => place().prop_map(into),
            3 => place().prop_map(whole),
        ]
    };
    [mount(), mount(), mount()]
}

fn mounted(policy: &Policy, steps: &[(Action, usize)], mounts: &Mounts) -> Request {
    let mut asked = request(policy, steps);
    for (step, (_, package)) in asked.steps.iter_mut().zip(steps) {
        step.mount = mounts[*package].clone();
    }
    asked
}

fn links(steps: &[(Action, usize)]) -> Vec<(Action, usize)> {
    steps.iter().map(|&(_, package)| (Action::Link, package)).collect()
}

fn folding(fold: bool) -> Policy {
    native(Way::Stop, fold)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_makes_what_was_planned_and_its_inverse_takes_it_back_wherever_packages_land(
        world in world(0..7, true), fold in any::<bool>(), way in way(), steps in steps(), mounts in mounts()
    ) {
        let planned = world.plan(&mounted(&native(way, fold), &steps, &mounts));
        let mut after = world.clone();
        after.apply(&planned);
        prop_assert_eq!(after.target(), planned_lines(&after, &planned));
        planned.plan.inverse().apply(&mut after.tree).expect("the inverse fits");
        prop_assert_eq!(but_replaced(&planned, after.tree.lines()), but_replaced(&planned, world.tree.lines()));
        let inside = rel("s");
        prop_assert!(paths(&planned.plan.ops).iter().all(|path| path.below(&inside).is_none()));
        prop_assert!(planned.conflicts.is_empty() || planned.plan.is_empty());
    }

    #[test]
    fn linking_again_changes_nothing_wherever_packages_land(
        world in world(0..7, true), fold in any::<bool>(), steps in steps(), mounts in mounts()
    ) {
        let request = mounted(&folding(fold), &links(&steps), &mounts);
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
    fn relinking_what_is_right_changes_nothing_wherever_packages_land(
        world in world(0..7, true), fold in any::<bool>(), package in 0..PACKAGES.len(), mounts in mounts()
    ) {
        let link = mounted(&folding(fold), &[(Action::Link, package)], &mounts);
        let relink = mounted(&folding(fold), &[(Action::Unlink, package), (Action::Link, package)], &mounts);
        let mut world = world;
        let first = world.plan(&relink);
        world.apply(&first);
        if first.conflicts.is_empty() {
            prop_assert_eq!(world.plan(&relink).plan.ops, Ops::default());
            prop_assert_eq!(world.plan(&link).plan.ops, Ops::default());
        }
    }

    #[test]
    fn unlinking_what_was_linked_is_the_start_wherever_packages_land(
        world in world(0..7, false), package in 0..PACKAGES.len(), mounts in mounts()
    ) {
        let step = |action| mounted(&Policy::native(), &[(action, package)], &mounts);
        check_there_and_back(world, &step(Action::Link), &step(Action::Unlink))?;
    }

    #[test]
    fn every_new_link_leads_to_the_place_in_the_package_that_lands_there(
        world in world(0..7, true), fold in any::<bool>(), steps in steps(), mounts in mounts()
    ) {
        let planned = world.plan(&mounted(&folding(fold), &links(&steps), &mounts));
        for op in planned.plan.ops.iter() {
            if let Change::Make(Thing::Link(text)) = &op.change {
                let (dir, _) = op.path.split().expect("not the root");
                let route = text.route_from(&dir).expect("relative");
                let below = route.down.below(&rel("s")).expect("in the stow directory");
                let package = below.names().next().expect("in a package");
                let place = below.below(&RelPath::from_names([&package])).expect("below the package");
                let number = PACKAGES.iter().position(|name| name.as_bytes() == package.as_bytes());
                let mount = &mounts[number.expect("one of the packages")];
                prop_assert_eq!(&mount.at().join_path(&place), &op.path);
                prop_assert!(!place.is_root() || matches!(mount, Mount::As(_)), "{:?} is a link", op.path);
            }
        }
    }

    #[test]
    fn the_order_of_disjoint_packages_makes_no_difference(
        world in world(0..1, true), fold in any::<bool>(), mounts in mounts()
    ) {
        let mut trees = Vec::new();
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let steps = order.map(|package| (Action::Link, package));
            let planned = world.plan(&mounted(&folding(fold), &steps, &mounts));
            if !planned.conflicts.is_empty() {
                return Ok(());
            }
            trees.push(target(&planned));
        }
        prop_assert!(trees.windows(2).all(|two| two[0] == two[1]), "{trees:#?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_switch_comes_to_what_linking_at_first_would_have(
        world in world(0..5, false), fold in any::<bool>(),
        (one, first) in (steps(), mounts()), (other, second) in (steps(), mounts()),
    ) {
        let fresh = world.plan(&mounted(&folding(fold), &links(&other), &second));
        let mut asked = mounted(&folding(fold), &links(&one), &first);
        asked.earlier = Some(Known::default());
        let mut world = world;
        let made = world.plan(&asked);
        let only_makes = |planned: &Planned| {
            planned.conflicts.is_empty() && planned.plan.ops.iter().all(|op| matches!(op.change, Change::Make(_)))
        };
        // What is right already is taken over, and is not the start.
        let has_links = world.target().iter().any(|line| line.contains(" -> "));
        if has_links || !only_makes(&made) || !only_makes(&fresh) {
            return Ok(());
        }
        let mut expected = world.clone();
        expected.apply(&fresh);
        world.apply(&made);
        let known = after(&Known::default(), &made);
        let mut switch = mounted(&folding(fold), &links(&other), &second);
        switch.earlier = Some(known.clone());
        let switched = world.plan(&switch);
        prop_assert_eq!(&switched.conflicts, &vec![]);
        world.apply(&switched);
        prop_assert_eq!(world.target(), expected.target());
        prop_assert_eq!(switched.links.keys().cloned().collect::<Vec<_>>(), fresh_links(&expected, &switch));
        // And again nothing, since all is known.
        switch.earlier = Some(after(&known, &switched));
        prop_assert_eq!(world.plan(&switch).plan.ops, Ops::default());
        // A switch to nothing is the start.
        switch.steps.clear();
        let nothing = world.plan(&switch);
        world.apply(&nothing);
        prop_assert!(!world.target().iter().any(|line| switched.links.keys().any(|path| path_of(line) == *path)));
    }
}

/// Returns what is known after a plan, as a run would remember it.
fn after(known: &Known, planned: &Planned) -> Known {
    let mut known = known.clone();
    planned.plan.ops.iter().for_each(|op| known.enter(&op, &RelPath::root()));
    known.links = planned.links.clone();
    known
}

/// Returns the links that a request stands for in a world where all is as it says.
fn fresh_links(world: &World, asked: &Request) -> Vec<RelPath> {
    let again = world.plan(&Request { earlier: Some(Known::default()), ..asked.clone() });

    again.links.into_keys().collect()
}

/// As [`check_round_trip`], for other requests.
fn check_there_and_back(mut world: World, link: &Request, unlink: &Request) -> TestCaseResult {
    let start = world.plan(unlink);
    world.apply(&start);
    let before = world.target();
    let linked = world.plan(link);
    let differs =
        |op: Op| matches!(op.change, Change::Displace { .. } | Change::Swap { old: Thing::Link(_), .. });
    if !linked.conflicts.is_empty() || linked.plan.ops.iter().any(differs) {
        return Ok(());
    }
    let made: Vec<String> = linked
        .plan
        .ops
        .iter()
        .filter(|op| matches!(op.change, Change::Make(Thing::Dir(_))))
        .map(|op| format!("{}/", shown(&op.path)))
        .collect();
    world.apply(&linked);
    let unlinked = world.plan(unlink);
    world.apply(&unlinked);
    let after: Vec<String> = world.target().into_iter().filter(|line| !made.contains(line)).collect();
    prop_assert_eq!(before, after);
    Ok(())
}

/// Plans these steps in a literal world, each package with its mount.
fn plan_at(lines: &[&str], policy: &Policy, steps: &[(Action, usize)], mounts: [Mount; 3]) -> Planned {
    literal(lines).plan(&mounted(policy, steps, &mounts))
}

const LINK_P: [(Action, usize); 1] = [(Action::Link, 0)];
const UNLINK_P: [(Action, usize); 1] = [(Action::Unlink, 0)];

#[test]
fn a_package_that_lands_as_a_whole_is_one_link() {
    let mounts = [whole("c/p"), into(""), into("")];
    let planned = plan_at(&["s/p/x", "s/p/d/y"], &Policy::native(), &LINK_P, mounts.clone());
    assert_eq!(target(&planned), ["c/", "c/p -> ../s/p"]);
    let gone = plan_at(&["s/p/x", "c/p -> ../s/p"], &Policy::native(), &UNLINK_P, mounts);
    assert_eq!(target(&gone), ["c/"]);
}

#[test]
fn a_directory_in_its_place_gets_its_content() {
    let mounts = [whole("c/p"), into(""), into("")];
    let lines = ["s/p/x", "s/p/d/y", "c/p/mine"];
    let planned = plan_at(&lines, &Policy::native(), &LINK_P, mounts.clone());
    assert_eq!(target(&planned), ["c/", "c/p/", "c/p/d -> ../../s/p/d", "c/p/mine", "c/p/x -> ../../s/p/x"]);
    let lines = ["s/p/x", "s/p/d/y", "c/p/mine", "c/p/x -> ../../s/p/x", "c/p/d/y -> ../../../s/p/d/y"];
    let gone = plan_at(&lines, &Policy::native(), &UNLINK_P, mounts);
    assert_eq!(target(&gone), ["c/", "c/p/", "c/p/d/", "c/p/mine"]);
}

#[test]
fn its_directory_is_folded_when_the_others_are_gone() {
    let lines = ["s/p/x", "s/q/y", "c/p/x -> ../../s/p/x", "c/p/y -> ../../s/q/y"];
    let unlink_q = [(Action::Unlink, 1), (Action::Link, 0)];
    let planned = plan_at(&lines, &Policy::native(), &unlink_q, [whole("c/p"), into("c/p"), into("")]);
    assert_eq!(target(&planned), ["c/", "c/p -> ../s/p"]);
    // Not where the package's content is to be in a directory, whether this request says so or another would.
    let planned = plan_at(&lines, &Policy::native(), &unlink_q, [into("c/p"), into("c/p"), into("")]);
    assert_eq!(target(&planned), ["c/", "c/p/", "c/p/x -> ../../s/p/x"]);
    let mut asked = mounted(&Policy::native(), &unlink_q[..1], &[into(""), into("c/p"), into("")]);
    assert_eq!(target(&literal(&lines).plan(&asked)), ["c/", "c/p -> ../s/p"]);
    asked.others.insert(rel("p"), into("c/p"));
    assert_eq!(target(&literal(&lines).plan(&asked)), ["c/", "c/p/", "c/p/x -> ../../s/p/x"]);
}

#[test]
fn a_folded_directory_on_the_way_is_unfolded() {
    let lines = ["s/p/x", "s/q/c/f", "c -> s/q/c"];
    let planned = plan_at(&lines, &Policy::native(), &LINK_P, [whole("c/p"), into(""), into("")]);
    assert_eq!(target(&planned), ["c/", "c/f -> ../s/q/c/f", "c/p -> ../s/p"]);
}

#[test]
fn what_is_no_directory_on_the_way_is_in_the_way() {
    for (there, reason) in [
        ("c", Reason::NotADirectory),
        ("c|", Reason::NotADirectory),
        ("c -> elsewhere", Reason::OnTheWay(LinkText::new(b"elsewhere"))),
    ] {
        let lines = ["s/p/x", "elsewhere/", there];
        for mount in [whole("c/p"), into("c/p")] {
            let planned = plan_at(&lines, &Policy::native(), &LINK_P, [mount, into(""), into("")]);
            let found: Vec<_> =
                planned.conflicts.iter().map(|c| (shown(&c.path), c.reason.clone())).collect();
            assert_eq!(found, [("c".to_owned(), reason.clone())], "{there}");
            assert!(planned.plan.is_empty());
        }
    }
}

#[test]
fn two_packages_that_land_at_one_path_share_a_directory() {
    let both = [(Action::Link, 0), (Action::Link, 1)];
    let lines = ["s/p/x", "s/q/y"];
    let planned = plan_at(&lines, &Policy::native(), &both, [whole("c/p"), into("c/p"), into("")]);
    assert_eq!(target(&planned), ["c/", "c/p/", "c/p/x -> ../../s/p/x", "c/p/y -> ../../s/q/y"]);
}

#[test]
fn a_file_of_a_package_lands_by_itself() {
    let lines = ["s/p/d/f", "s/p/other", "c/"];
    let mut asked = mounted(&Policy::native(), &LINK_P, &[whole("c/.g"), into(""), into("")]);
    asked.steps[0].entry = rel("d/f");
    assert_eq!(target(&literal(&lines).plan(&asked)), ["c/", "c/.g -> ../s/p/d/f"]);
    asked.steps[0].action = Action::Unlink;
    let linked = ["s/p/d/f", "c/.g -> ../s/p/d/f", "c/h -> ../s/p/d/f"];
    let gone: Vec<_> = literal(&linked).plan(&asked).plan.ops.iter().map(|op| shown(&op.path)).collect();
    assert_eq!(gone, ["c/.g"]);
    asked.steps[0].action = Action::Link;
    asked.steps[0].entry = rel("d/nothing");
    let planned = literal(&lines).plan(&asked);
    assert!(matches!(planned.conflicts[0].reason, Reason::NoSource { .. }));
}

#[test]
fn what_never_folds_is_a_real_directory_and_so_is_all_above_it() {
    let never = |glob| crate::rules::Globs::new([glob]).expect("a glob");
    let lines = ["s/p/h/S/a/x", "s/p/h/f", "s/p/k/y"];
    for (glob, expected) in [
        ("**/S", vec!["c/", "c/p/", "c/p/h/", "c/p/h/S/", "c/p/h/S/a -> ../../../../s/p/h/S/a"]),
        ("c/p", vec!["c/", "c/p/", "c/p/h -> ../../s/p/h"]),
        ("c", vec!["c/", "c/p -> ../s/p"]),
        ("h/S", vec!["c/", "c/p -> ../s/p"]),
    ] {
        let policy = Policy { never_fold: never(glob), ..Policy::native() };
        let planned = plan_at(&lines, &policy, &LINK_P, [whole("c/p"), into(""), into("")]);
        assert_eq!(target(&planned)[..expected.len()], expected, "{glob}");
    }
}

#[test]
fn a_package_may_fold_where_others_do_not() {
    let folds = |fold| crate::policy::Folds { fold, never: Default::default() };
    let mut policy = folding(false);
    policy.folds_of.insert(rel("q"), folds(Fold::Whole));
    let both = [(Action::Link, 0), (Action::Link, 1)];
    let lines = ["s/p/d/x", "s/q/e/y"];
    let planned = plan_at(&lines, &policy, &both, [into(""), into(""), into("")]);
    assert_eq!(target(&planned), ["d/", "d/x -> ../s/p/d/x", "e -> s/q/e"]);
}

#[test]
fn a_readme_at_the_top_is_left_out_wherever_the_package_lands() {
    let lines = ["s/p/README.md", "s/p/d/README.md", "c/p/mine"];
    for mount in [whole("c/p"), into("c/p")] {
        let planned = plan_at(&lines, &Policy::native(), &LINK_P, [mount, into(""), into("")]);
        assert_eq!(target(&planned), ["c/", "c/p/", "c/p/d -> ../../s/p/d", "c/p/mine"]);
    }
}

#[test]
fn a_package_that_holds_itself_can_change_its_place() {
    let lines = ["s/q/a -> .", "a -> s/q/a"];
    let twice = [(Action::Link, 1), (Action::Link, 1)];
    let mut switch = mounted(&Policy::native(), &twice, &[into(""), whole("a"), into("")]);
    let mut known = Known::default();
    known.links.insert(rel("a"), LinkText::new(b"s/q/a"));
    switch.earlier = Some(known);
    let planned = literal(&lines).plan(&switch);
    assert_eq!(planned.conflicts, []);
    assert_eq!(target(&planned), ["a -> s/q"]);
}

#[test]
fn a_directory_in_the_way_of_one_that_lands_by_itself_is_backed_up_as_a_whole() {
    let policy = Policy { strategy: Way::Backup(Backup::default()), ..Policy::native() };
    let mounts = [whole("c/p"), into(""), into("")];
    let lines = ["s/p/x", "s/p/d/y", "c/p/x", "c/p/mine"];
    let planned = plan_at(&lines, &policy, &LINK_P, mounts.clone());
    assert_eq!(target(&planned), ["c/", "c/p -> ../s/p", "c/p.backup/", "c/p.backup/mine", "c/p.backup/x"]);
    // Where another package has links, and where nothing is somebody's own, the two are merged.
    let lines = ["s/p/x", "s/q/y", "c/p/mine", "c/p/y -> ../../s/q/y"];
    let planned = plan_at(&lines, &policy, &LINK_P, mounts.clone());
    assert_eq!(target(&planned), ["c/", "c/p/", "c/p/mine", "c/p/x -> ../../s/p/x", "c/p/y -> ../../s/q/y"]);
    let lines = ["s/p/x", "s/p/y", "c/p/x -> ../../s/p/x"];
    let planned = plan_at(&lines, &policy, &LINK_P, mounts);
    assert_eq!(target(&planned), ["c/", "c/p/", "c/p/x -> ../../s/p/x", "c/p/y -> ../../s/p/y"]);
}
