//! Errors and deaths at every system call, on real directories.
//!
//! `sys` counts its calls and lets one fail, or lets the process be dead from one on. After an error the tree is as it
//! was; after a death the next run's recovery makes it exactly the state before or exactly the planned one. Nothing is
//! ever lost and nothing is left over.
#![allow(clippy::print_stdout)]

mod races;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use assert_fs::TempDir;
use rustix::fs::RenameFlags;
use rustix::io::Errno;

use super::{Failure, Outcome};
use crate::farm::{Farm, Memory, Run};
use crate::op::{All, Change, Entry, Op, Ops, Piece, Place, Plan, Slot, Thing, What};
use crate::package::{Action, Mount, Request, Step};
use crate::path::{LinkText, Name, RelPath, Route};
use crate::policy::{Backup, Policy, Strategy};
use crate::rendered::{Content, Rendered, Stored};
use crate::rulebook::RuleBook;
use crate::store::is_interrupted;
use crate::sys::Handle;
use crate::sys::fault::{Fault, arm, aside, calls, without};
use crate::tree::{Leads, Node, Texts};

/// A farm on the disk, its state directory beside it or elsewhere.
struct World {
    temp: TempDir,
    /// On another file system.
    far: Option<TempDir>,
    /// Why plans were not done.
    said: RefCell<Vec<String>>,
}

/// What is at each path: `/`, a link's text, or a file's bytes.
type Seen = BTreeMap<PathBuf, String>;

impl World {
    fn new(far: bool) -> World {
        let files = [
            ("s/p/f", "package f"),
            ("s/p/g", "package g"),
            ("s/p/q/", ""),
            ("s/p/same", "same"),
            ("s/p/d/x", "package x"),
            ("s/p/d/y", "package y"),
            ("t/f", "user f"),
            ("t/g", "user g"),
            ("t/same", "same"),
            ("t/config/a", "user a"),
            ("t/config/b", "user b"),
            ("t/h.backup", "user h"),
            ("t/i", "user i"),
            ("t/j", "user j"),
            ("t/k", "user k"),
            ("t/n", "user n"),
            ("t/gone", WRITTEN),
            ("t/old", WRITTEN),
        ];
        let links = [
            ("t/folded", "../s/p/d"),
            ("t/stale", "../s/p/gone"),
            ("t/becomes", "../s/p/f"),
            ("t/foreign", "nowhere"),
            ("t/h", "../s/p/f"),
            ("t/d/l", "../../s/p/f"),
            ("t/many/a", "../../s/p/a"),
            ("t/many/b", "../../s/p/b"),
            ("t/many/c", "../../s/p/c"),
            ("t/d/e/l", "../../../s/p/g"),
        ];
        let world = World::with(far, &files, &links);
        fs::set_permissions(world.path("t/config/a"), fs::Permissions::from_mode(0o600)).expect("a mode");
        for written in ["t/gone", "t/old"] {
            fs::set_permissions(world.path(written), fs::Permissions::from_mode(0o600)).expect("a mode");
        }
        world
    }

    fn with(far: bool, files: &[(&str, &str)], links: &[(&str, &str)]) -> World {
        // Memory is fast; where there is no such directory the disk does.
        let in_memory = || TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).expect("a directory");
        let on_disk = || TempDir::new().expect("a temporary directory");
        let temp = if far { on_disk() } else { in_memory() };
        let world = World { temp, far: far.then(in_memory), said: RefCell::default() };
        let make = |path: &str| {
            let path = world.path(path);
            fs::create_dir_all(path.parent().expect("below the top")).expect("a directory");
            path
        };
        for (path, bytes) in files {
            match path.strip_suffix('/') {
                Some(dir) => fs::create_dir(make(dir)).expect("a directory"),
                None => fs::write(make(path), bytes).expect("a file"),
            }
        }
        for (path, text) in links {
            symlink(text, make(path)).expect("a link");
        }
        world
    }

    fn path(&self, path: &str) -> PathBuf {
        self.temp.path().join(path)
    }

    fn state(&self) -> PathBuf {
        self.far.as_ref().map_or_else(|| self.path("state"), |far| far.path().join("state"))
    }

    /// Everything but farm's own records.
    fn seen(&self) -> Seen {
        let mut seen = Seen::new();
        for top in ["t", "s"] {
            look(&self.path(top), &mut seen);
        }
        seen
    }

    /// The bytes of all files, those that are kept among them, in no order.
    fn bytes(&self) -> Vec<String> {
        let mut seen = self.seen();
        let targets = self.state().join("targets");
        for target in fs::read_dir(targets).into_iter().flatten().flatten() {
            look(&target.path().join("kept"), &mut seen);
        }
        // What farm wrote itself it can write again.
        let is_users =
            |it: &String| it.starts_with("file ") && ![WRITTEN, NEWER].iter().any(|own| it.ends_with(own));
        let mut bytes: Vec<String> = seen.into_values().filter(is_users).collect();
        bytes.sort();
        bytes
    }

    fn apply(&self, phases: &[Plan]) -> Result<Vec<String>, bool> {
        let root = self.path("t");
        let wait = || false;
        let (mut memory, _) = Memory::open(Some(&self.state()), &root, &wait).map_err(|_| false)?;
        memory.begin().map_err(|_| false)?;
        if let Some(store) = memory.store() {
            aside(|| store.render(&rendered())).map_err(|_| false)?;
        }
        self.came_to(memory.apply(&root, phases, &Run::new(["test"])))
    }

    /// Returns what a run has left over, or whether something could not be taken back.
    fn came_to(&self, done: Result<Outcome, Box<Failure>>) -> Result<Vec<String>, bool> {
        match done {
            Ok(outcome) => Ok(outcome.left_over.iter().map(ToString::to_string).collect()),
            Err(failure) => {
                let errors = failure.stuck.iter().chain([&failure.error]);
                self.said.borrow_mut().extend(errors.map(ToString::to_string));
                Err(!failure.stuck.is_empty())
            }
        }
    }

    fn is_interrupted(&self) -> bool {
        is_interrupted(&self.state(), &self.path("t")).expect("a state directory")
    }

    fn generations(&self) -> usize {
        let (memory, _) = Memory::open(Some(&self.state()), &self.path("t"), &|| false).expect("a memory");
        memory.generations().expect("generations").len()
    }

    /// What the next run does first.
    fn recover(&self) {
        let wait = || false;
        let root = self.path("t");
        let (_, recovered) =
            Memory::open(Some(&self.state()), &root, &wait).expect("a journal that can be read");
        if let Some(recovered) = recovered {
            let stuck: Vec<_> = recovered.stuck.iter().map(ToString::to_string).collect();
            assert!(stuck.is_empty(), "stuck: {stuck:?}");
        }
    }
}

/// What farm has written, and what it is about to write.
const WRITTEN: &str = "farm's own";
const NEWER: &str = "farm's own, and newer";

fn content(text: &str) -> Content {
    Content { bytes: text.as_bytes().to_vec(), mode: 0o600 }
}

fn rendered() -> Rendered {
    let files = [WRITTEN, NEWER].map(|text| (content(text).name(&name("f")), content(text)));
    Rendered { dir: Route::root(), shelf: name("shelf"), files: files.into() }
}

fn file(text: &str) -> Thing {
    Thing::File(Stored { shelf: name("shelf"), name: content(text).name(&name("f")) })
}

fn look(path: &Path, seen: &mut Seen) {
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    let what = if metadata.is_symlink() {
        format!("link {}", fs::read_link(path).expect("a link").display())
    } else if metadata.is_dir() {
        for entry in fs::read_dir(path).expect("a directory") {
            look(&entry.expect("an entry").path(), seen);
        }
        "/".to_owned()
    } else {
        let mode = metadata.permissions().mode() & 0o777;
        format!("file {mode:o} {}", fs::read_to_string(path).expect("a file"))
    };
    seen.insert(path.to_owned(), what);
}

fn at(path: &str) -> RelPath {
    RelPath::new(path.as_bytes()).expect("a path")
}

fn link(text: &str) -> Thing {
    Thing::Link(LinkText::new(text.as_bytes()))
}

fn dir(pieces: &[(&str, Option<&str>)]) -> Thing {
    let piece = |(path, text): &(&str, Option<&str>)| Piece {
        path: at(path),
        text: text.map(|text| LinkText::new(text.as_bytes())),
    };
    Thing::Dir(pieces.iter().map(piece).collect())
}

fn name(name: &str) -> Name {
    Name::new(name.as_bytes()).expect("a name")
}

fn package(path: &str, entry: Entry) -> Place {
    Place::Package { at: Route { up: 1, down: at(path) }, entry }
}

fn op(path: &str, change: Change) -> Op {
    Op { path: at(path), change }
}

fn displace(path: &str, what: What, to: Place, new: Thing) -> Op {
    op(path, Change::Displace { what, to, new })
}

/// Every kind of operation at least once.
fn everything() -> Vec<Op> {
    let old = package("s/p/g", Entry::Old(Slot::NEXT));
    let new = package("s/new/deep/config", Entry::New { dirs: 2 });
    let tree = dir(&[("in", None), ("in/l", Some("../../../s/p/f")), ("l", Some("../../s/p/f"))]);
    let d = dir(&[("e", None), ("e/l", Some("../../../s/p/g")), ("l", Some("../../s/p/f"))]);
    vec![
        op("becomes", Change::Swap { old: link("../s/p/f"), new: file(NEWER) }),
        displace("config", What::Dir, new, link("../s/new/deep/config")),
        op("d", Change::Swap { old: d, new: link("../s/p/d") }),
        displace("f", What::File, Place::Kept(Slot::NEXT), link("../s/p/f")),
        op("folded", Change::Swap { old: link("../s/p/d"), new: dir(&[("x", Some("../../s/p/d/x"))]) }),
        displace(
            "foreign",
            What::Link(LinkText::new(b"nowhere")),
            Place::Beside(name("foreign.backup")),
            link("../s/p/f"),
        ),
        op("gone", Change::Remove(file(WRITTEN))),
        displace("g", What::File, old, link("../s/p/g")),
        op(
            "h",
            Change::Restore {
                what: What::File,
                from: Place::Beside(name("h.backup")),
                old: link("../s/p/f"),
            },
        ),
        displace("i", What::File, Place::Beside(name("i.backup")), tree.clone()),
        displace("j", What::File, Place::Kept(Slot::NEXT), tree),
        displace("k", What::File, Place::Kept(Slot::NEXT), file(NEWER)),
        op("made", Change::Make(dir(&[]))),
        op("made/f", Change::Make(file(NEWER))),
        op("made/l", Change::Make(link("../../s/p/f"))),
        displace("n", What::File, Place::Beside(name("n.backup")), file(NEWER)),
        op("new", Change::Make(file(NEWER))),
        op("old", Change::Swap { old: file(WRITTEN), new: file(NEWER) }),
        displace("same", What::File, Place::Equal(Slot::NEXT), link("../s/p/same")),
        op("stale", Change::Remove(link("../s/p/gone"))),
        op("tree", Change::Make(dir(&[("in", None), ("in/l", Some("../../../s/p/f"))]))),
    ]
}

/// The errors that system calls are made to fail with.
const ERRORS: [Errno; 7] =
    [Errno::IO, Errno::NOSPC, Errno::ACCESS, Errno::DQUOT, Errno::ROFS, Errno::INTR, Errno::MFILE];

/// Plans for a farm as it is.
type Phases = Box<dyn Fn(&World) -> Vec<Plan>>;

/// Plans to try: all operations, their inverse, one after the other, and each by itself; links that go, and nothing else.
fn scenarios() -> Vec<(String, Vec<Plan>, Phases)> {
    let all = Plan { ops: everything().into_iter().collect() };
    let always = |phases: Vec<Plan>| -> Phases { Box::new(move |_| phases.clone()) };
    let mut scenarios = vec![
        ("all".to_owned(), Vec::new(), always(vec![all.clone()])),
        ("inverse".to_owned(), vec![all.clone()], always(vec![all.as_generation(1).inverse()])),
        ("both".to_owned(), Vec::new(), always(vec![all.clone(), all.as_generation(1).inverse()])),
        ("all links".to_owned(), Vec::new(), Box::new(|world| vec![all_go(world)])),
        ("links".to_owned(), Vec::new(), always(vec![links_go()])),
        // Several plans are not done like one.
        ("links, twice".to_owned(), Vec::new(), Box::new(|world| vec![all_go(world), stale_goes()])),
    ];
    for op in everything() {
        let path = String::from_utf8_lossy(op.path.as_bytes()).into_owned();
        if path.starts_with("made/") {
            continue;
        }
        let plan = Plan { ops: Ops::from_iter([op]) };
        scenarios.push((
            format!("inverse of {path}"),
            vec![plan.clone()],
            always(vec![plan.as_generation(1).inverse()]),
        ));
        scenarios.push((path, Vec::new(), always(vec![plan])));
    }
    scenarios
}

/// Lets all links of a directory go that was just read.
fn all_go(world: &World) -> Plan {
    let listing = Handle::open(&world.path("t/many")).and_then(|many| many.list(Texts::All));
    let mut ops = Ops::default();
    ops.push_all(All::Go, at("many"), Arc::new(listing.expect("a listing")));
    Plan { ops }
}

/// Lets links of several directories go.
fn links_go() -> Plan {
    let links = [
        ("d/l", "../../s/p/f"),
        ("d/e/l", "../../../s/p/g"),
        ("many/a", "../../s/p/a"),
        ("many/b", "../../s/p/b"),
        ("many/c", "../../s/p/c"),
        ("stale", "../s/p/gone"),
    ];
    Plan { ops: links.into_iter().map(|(path, text)| op(path, Change::Remove(link(text)))).collect() }
}

fn stale_goes() -> Plan {
    Plan { ops: Ops::from_iter([op("stale", Change::Remove(link("../s/p/gone")))]) }
}

fn is_ordinary(seen: &Seen) -> bool {
    seen.keys().all(|path| !path.to_string_lossy().contains(".farm-"))
}

/// Tries all scenarios with a fault at every call; returns the number of trials.
fn try_all(far: bool, unknown: RenameFlags, errors: &[Errno]) -> usize {
    let mut trials = 0;
    for (title, before, phases) in scenarios() {
        let world = || {
            without(unknown, Errno::INVAL);
            let world = World::new(far);
            for plan in &before {
                assert_eq!(world.apply(std::slice::from_ref(plan)), Ok(Vec::new()), "{title}: before");
            }
            world
        };
        // All errors are tried on the runs that do everything.
        let has_all = phases(&world()).iter().any(|plan| plan.ops.len() > 1);
        let errors = if has_all { errors } else { &errors[..1] };
        let run = |world: &World| {
            let planned = aside(|| phases(world));
            world.apply(&planned)
        };
        trials += try_one(&title, &world, &run, errors);
    }
    without(RenameFlags::empty(), Errno::INVAL);
    trials
}

/// Tries one scenario with a fault at every call; returns the number of trials.
fn try_one(
    title: &str,
    world: &dyn Fn() -> World,
    run: &dyn Fn(&World) -> Result<Vec<String>, bool>,
    errors: &[Errno],
) -> usize {
    let mut trials = 0;
    let undisturbed = world();
    let strip = |seen: Seen, world: &World| -> Seen {
        seen.into_iter()
            .map(|(path, what)| (path.strip_prefix(world.temp.path()).expect("below").to_owned(), what))
            .collect()
    };
    let start = strip(undisturbed.seen(), &undisturbed);
    let (bytes, before) = (undisturbed.bytes(), undisturbed.generations());
    arm(None);
    assert_eq!(run(&undisturbed), Ok(Vec::new()), "{title}: {:?}", undisturbed.said);
    let count = calls();
    let end = strip(undisturbed.seen(), &undisturbed);
    assert!(is_ordinary(&end), "{title}: {end:#?}");
    assert_eq!(undisturbed.bytes(), bytes, "{title}: bytes");
    for number in 0..count {
        let faults = errors.iter().map(|&errno| Fault::Once(errno)).chain([Fault::Death]);
        for fault in faults {
            let world = world();
            let about = format!("{title}: {fault:?} at call {number} of {count}");
            arm(Some((number, fault)));
            let result = run(&world);
            arm(None);
            trials += 1;
            let now = strip(world.seen(), &world);
            let lost: Vec<_> = bytes.iter().filter(|it| !world.bytes().contains(it)).collect();
            assert!(lost.is_empty(), "{about}: lost {lost:?}");
            if matches!(fault, Fault::Once(_)) {
                match &result {
                    // Cleaning up may fail when all is done.
                    Ok(left_over) if !left_over.is_empty() => {}
                    Ok(_) => assert_eq!(now, end, "{about}: done"),
                    Err(stuck) => {
                        assert!(!stuck, "{about}: stuck: {:?}", world.said);
                        assert_eq!(now, start, "{about}: refused");
                        assert!(!world.is_interrupted(), "{about}: all was taken back");
                    }
                }
            }
            world.recover();
            let now = strip(world.seen(), &world);
            assert!(now == start || now == end, "{about}: neither before nor after: {now:#?}");
            assert!(is_ordinary(&now), "{about}");
            // Where the state directory may not be used or has no room, farm does without.
            let is_unusable =
                matches!(fault, Fault::Once(Errno::ACCESS | Errno::ROFS | Errno::NOSPC | Errno::DQUOT));
            let forgets = is_unusable && result.is_ok();
            let (generations, made) = (world.generations() - before, usize::from(now == end));
            assert!(
                start == end || generations == made || forgets && generations == 0,
                "{about}: {generations} generations"
            );
            // And the next run can do what is asked.
            if now == start && start != end {
                assert_eq!(run(&world), Ok(Vec::new()), "{about}: again");
                assert_eq!(strip(world.seen(), &world), end, "{about}: again");
            }
        }
    }
    trials
}

/// Links packages, planning and all; with `strategy` for what is in the way.
fn link_all(world: &World, packages: &[&str], strategy: Strategy) -> Result<Vec<String>, bool> {
    let step = |package: &&str| Step::new(Action::Link, at(package), Mount::Into(RelPath::root()));
    let root = world.path("t");
    let request = Request {
        root: root.as_os_str().as_encoded_bytes().to_vec(),
        stow_dir: Route { up: 1, down: at("s") },
        former: None,
        steps: packages.iter().map(step).collect(),
        others: Default::default(),
        earlier: None,
        rendered: None,
        policy: Policy { strategy, ..Policy::native() },
    };
    let wait = || false;
    let (mut memory, _) = Memory::open(Some(&world.state()), &root, &wait).map_err(|_| false)?;
    let farm = Farm::open(&request, &RuleBook::All).map_err(|_| false)?;
    let planned = farm.plan().map_err(|_| false)?;
    assert!(planned.conflicts.is_empty(), "{:?}", planned.conflicts);
    memory.begin().map_err(|_| false)?;
    world.came_to(farm.apply(&planned.plan, &memory, &Run::new(["link"])))
}

#[test]
fn what_another_run_could_not_take_back_stops_who_came_before_there_was_a_journal() {
    let makes = [Plan { ops: Ops::from_iter([op("made", Change::Make(link("../s/p/f")))]) }];
    let world = World::new(false);
    arm(None);
    assert_eq!(world.apply(&makes), Ok(Vec::new()));
    let commit = calls() - 1;
    let world = World::new(false);
    let root = world.path("t");
    let (mut memory, _) = Memory::open(Some(&world.state()), &root, &|| false).expect("a memory");
    arm(Some((commit, Fault::Death)));
    assert!(world.apply(&makes).is_err());
    arm(None);
    fs::remove_file(world.path("t/made")).expect("a link");
    fs::write(world.path("t/made"), "somebody else's").expect("a file");
    let error = memory.begin().expect_err("not all could be taken back");
    assert!(error.to_string().contains("farm recover"), "{error}");
    assert!(world.is_interrupted());
}

/// The runs of `tests/it/runs.rs` that link with backups and unfold, here with the planner's reading, too.
#[test]
fn a_fault_at_any_call_of_a_whole_run_leaves_before_or_after() {
    let crowded = || {
        World::with(
            false,
            &[
                ("s/p/dir", "package dir"),
                ("s/p/file", "package file"),
                ("s/p/folder/x", "package x"),
                ("s/p/new", "package new"),
                ("t/file", "the user's file"),
                ("t/dir/mine", "the user's file in a directory"),
                ("t/dir/deep/mine", "the user's deep file"),
            ],
            &[("t/folder", "the-user's/link")],
        )
    };
    let backup = |world: &World| link_all(world, &["p"], Strategy::Backup(Backup::default()));
    let folded = || {
        let files = ["s/p/.c/d/x", "s/p/top", "s/q/.c/d/y", "s/q/.c/z", "s/q/end", "t/mine"];
        let world = World::with(false, &files.map(|file| (file, file)), &[]);
        assert_eq!(link_all(&world, &["p"], Strategy::Stop), Ok(Vec::new()));
        world
    };
    let unfold = |world: &World| link_all(world, &["q"], Strategy::Stop);
    let trials = try_one("link with backups", &crowded, &backup, &ERRORS)
        + try_one("link that unfolds", &folded, &unfold, &ERRORS);
    println!("trials: {trials} faults in whole runs");
}

#[test]
fn a_fault_at_any_call_leaves_before_or_after() {
    println!("trials: {} faults", try_all(false, RenameFlags::empty(), &ERRORS));
}

#[test]
fn a_fault_at_any_call_leaves_before_or_after_without_exchange() {
    println!("trials: {} faults without exchange", try_all(false, RenameFlags::EXCHANGE, &ERRORS[..1]));
}

#[test]
fn a_fault_at_any_call_leaves_before_or_after_where_renames_know_no_flags() {
    println!("trials: {} faults without flags", try_all(false, RenameFlags::all(), &ERRORS[..1]));
}

#[test]
fn a_fault_at_any_call_leaves_before_or_after_across_file_systems() {
    println!("trials: {} faults across file systems", try_all(true, RenameFlags::empty(), &ERRORS[..1]));
}

/// Links that several threads make and remove: too many for one.
fn many(change: fn(Thing) -> Change) -> Vec<Op> {
    let link = |(dir, number): (usize, usize)| {
        let text = LinkText::new(format!("../../s/p/{dir}/{number}").as_bytes());
        Op { path: at(&format!("dir-{dir}/{number}")), change: change(Thing::Link(text)) }
    };
    (0..20).flat_map(|dir| (0..40).map(move |number| link((dir, number)))).collect()
}

#[test]
fn what_several_threads_have_begun_is_taken_back_when_one_of_them_fails() {
    let world = World::new(false);
    (0..20).for_each(|dir| fs::create_dir(world.path(&format!("t/dir-{dir}"))).expect("a directory"));
    let make = Plan { ops: many(Change::Make).into_iter().collect() };
    let remove = Plan { ops: many(Change::Remove).into_iter().collect() };
    // Wherever something is in the way, first of all or last of all.
    for in_the_way in ["t/dir-0/0", "t/dir-9/39", "t/dir-19/39"] {
        fs::write(world.path(in_the_way), "mine").expect("a file");
        let start = world.seen();
        assert_eq!(world.apply(std::slice::from_ref(&make)), Err(false), "{:?}", world.said);
        assert_eq!(world.seen(), start);
        fs::remove_file(world.path(in_the_way)).expect("a file");
    }
    let empty = world.seen();
    assert_eq!(world.apply(std::slice::from_ref(&make)), Ok(Vec::new()));
    assert_eq!(world.seen().len(), empty.len() + make.ops.len());
    for replaced in ["t/dir-0/0", "t/dir-9/39", "t/dir-19/39"] {
        let text = fs::read_link(world.path(replaced)).expect("a link");
        fs::remove_file(world.path(replaced)).expect("a link");
        fs::write(world.path(replaced), "mine").expect("a file");
        let start = world.seen();
        assert_eq!(world.apply(std::slice::from_ref(&remove)), Err(false), "{:?}", world.said);
        assert_eq!(world.seen(), start);
        fs::remove_file(world.path(replaced)).expect("a file");
        symlink(text, world.path(replaced)).expect("a link");
    }
    assert_eq!(world.apply(std::slice::from_ref(&remove)), Ok(Vec::new()));
    assert_eq!(world.seen(), empty);
}

#[test]
fn the_links_of_large_directories_are_made_in_parts_and_all_or_none() {
    let world = World::new(false);
    let dirs = ["t/dir-0", "t/dir-1", "t/dir-2"];
    dirs.iter().for_each(|dir| fs::create_dir(world.path(dir)).expect("a directory"));
    let link = |number: usize| {
        let text = LinkText::new(format!("../../s/p/{number}").as_bytes());
        (name(&number.to_string()), Node::link(text, Leads::Other))
    };
    let mut ops = Ops::default();
    for dir in ["dir-0", "dir-1", "dir-2"] {
        ops.push_all(All::Come, at(dir), Arc::new((0..300).map(link).collect()));
    }
    let plan = Plan { ops };
    for in_the_way in ["t/dir-0/0", "t/dir-1/150", "t/dir-2/99"] {
        fs::write(world.path(in_the_way), "mine").expect("a file");
        let start = world.seen();
        assert_eq!(world.apply(std::slice::from_ref(&plan)), Err(false), "{:?}", world.said);
        assert_eq!(world.seen(), start);
        fs::remove_file(world.path(in_the_way)).expect("a file");
    }
    let empty = world.seen();
    assert_eq!(world.apply(std::slice::from_ref(&plan)), Ok(Vec::new()));
    let links = dirs.iter().flat_map(|dir| {
        let text = |number| format!("link ../../s/p/{number}");
        (0..300).map(move |number| (format!("{dir}/{number}"), text(number)))
    });
    let mut full = empty;
    full.extend(links.map(|(path, text)| (world.path(&path), text)));
    assert!(world.seen() == full, "not all, or something else");
}

#[test]
fn two_names_of_one_link_both_go() {
    let world = World::new(false);
    let before = world.seen();
    symlink("text", world.path("t/many/x")).expect("a link");
    fs::hard_link(world.path("t/many/x"), world.path("t/many/y")).expect("another name");
    let go = |name| op(name, Change::Remove(link("text")));
    let plan = Plan { ops: ["many/x", "many/y"].into_iter().map(go).collect() };
    assert_eq!(world.apply(std::slice::from_ref(&plan)), Ok(Vec::new()), "{:?}", world.said);
    assert_eq!(world.seen(), before);
}

#[test]
fn what_came_since_a_directory_was_read_is_not_taken_with_its_links() {
    let world = World::new(false);
    let plan = all_go(&world);
    let replace = |with: &dyn Fn()| {
        fs::remove_file(world.path("t/many/b")).expect("a link");
        with();
        let start = world.seen();
        assert_eq!(world.apply(std::slice::from_ref(&plan)), Err(false), "{:?}", world.said);
        assert_eq!(world.seen(), start);
    };
    replace(&|| fs::write(world.path("t/many/b"), "mine").expect("a file"));
    replace(&|| symlink("mine", world.path("t/many/b")).expect("a link"));
    replace(&|| ());
}

#[test]
fn what_comes_while_links_are_taken_is_not_taken_with_them() {
    // Made beside and moved there, as whoever is careful does.
    let moved = |path: &Path| fs::rename(path.with_extension("new"), path).expect("a move");
    let file = |path: &Path| {
        fs::write(path.with_extension("new"), "mine").expect("a file");
        moved(path);
    };
    let link = |text: String, path: &Path| {
        symlink(text, path.with_extension("new")).expect("a link");
        moved(path);
    };
    let other = |path: &Path| link("mine".to_owned(), path);
    let same = |path: &Path| link(format!("../../s/p/{}", path.file_name().expect("a name").display()), path);
    let nothing = |path: &Path| fs::remove_file(path).expect("a link");
    const SAME: usize = 2;
    let comes: [&(dyn Fn(&Path) + Sync); 4] = [&file, &other, &same, &nothing];
    // At the first question none has been taken, at the third the last one is about to be.
    for (question, name) in [(1, "a"), (1, "b"), (1, "c"), (2, "b"), (2, "c"), (3, "c")] {
        for (kind, come) in comes.iter().enumerate() {
            let world = World::new(false);
            let plan = all_go(&world);
            let path = world.path("t/many").join(name);
            let asked = AtomicUsize::new(0);
            let after = Mutex::new(Seen::new());
            let stop = || {
                if asked.fetch_add(1, Ordering::Relaxed) + 1 == question {
                    come(&path);
                    let mut seen = after.lock().expect("one thread");
                    look(&path, &mut seen);
                }
                false
            };
            let run = Run { stop: &stop, ..Run::new(["test"]) };
            let mut expected = world.seen();
            expected.remove(&path);
            let root = world.path("t");
            let (mut memory, _) = Memory::open(Some(&world.state()), &root, &|| false).expect("a memory");
            memory.begin().expect("a state directory");
            let done = world.came_to(memory.apply(&root, std::slice::from_ref(&plan), &run));
            if kind == SAME {
                // Whoever made it: it is the link that is to go.
                assert_eq!(done, Ok(Vec::new()), "{name} at {question}: {:?}", world.said);
                expected.retain(|at, _| at.parent() != path.parent());
            } else {
                assert_eq!(done, Err(false), "{name} at {question}, {kind}: {:?}", world.said);
                expected.append(&mut after.lock().expect("one thread"));
            }
            assert_eq!(world.seen(), expected, "{name} at {question}, {kind}");
        }
    }
}
