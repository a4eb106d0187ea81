//! Somebody else saves something while a run goes from one file system to another, or takes links away, at each instant
//! in turn: what was saved is somewhere afterwards.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

#[cfg(target_os = "linux")]
use super::dir;
use super::{Seen, World, displace, link, links_go, look, op};
use rustix::io::Errno;

use crate::farm::Memory;
use crate::op::{Change, Op, Place, Plan, Slot, What};
use crate::sys::fault::{Fault, arm, calls, is_waiting, meanwhile};
use crate::sys::os;

const SAVED: &str = "saved meanwhile";

/// Tells whether what was saved is still somewhere, under whatever name.
fn is_somewhere(world: &World) -> bool {
    let mut seen = Seen::new();
    look(world.temp.path(), &mut seen);
    world.far.iter().for_each(|far| look(far.path(), &mut seen));
    seen.into_values().any(|it| it.ends_with(SAVED))
}

fn plan(ops: impl IntoIterator<Item = Op>) -> Plan {
    Plan { ops: ops.into_iter().collect() }
}

/// Takes the user's file into the state directory, which is on the other file system.
fn keep() -> Op {
    displace("f", What::File, Place::Kept(Slot::NEXT), link("../s/p/f"))
}

/// Returns the directory of the state directory that is about the target.
fn memory(world: &World) -> PathBuf {
    // It is there from the start.
    drop(
        Memory::open(Some(&world.state()), &world.path("t"), &|| false).map(|(mut memory, _)| memory.begin()),
    );
    let targets = fs::read_dir(world.state().join("targets")).expect("a state directory");
    targets.flatten().next().expect("a target").path()
}

/// Saves as careful programs do, in the place of a file that is there; tells whether one was.
fn save(path: &Path) -> bool {
    let is_there = path.is_file() && !path.is_symlink();
    if is_there {
        let new = path.with_extension("new");
        fs::write(&new, SAVED).expect("a file");
        fs::rename(new, path).expect("a move");
    }
    is_there
}

/// Does a plan, then at each call of the next one in turn lets somebody save the file that `path` says.
fn save_at_each_call(before: Option<&Plan>, next: &Plan, path: fn(&World) -> PathBuf) {
    let start = || {
        let world = World::new(true);
        before.iter().for_each(|plan| assert_eq!(world.apply(&[Plan::clone(plan)]), Ok(Vec::new())));
        world
    };
    let world = start();
    arm(None);
    let _ = world.apply(std::slice::from_ref(next));
    let (count, mut saves) = (calls(), 0);
    for number in 0..count {
        let world = start();
        let (path, has_saved) = (path(&world), Rc::new(Cell::new(false)));
        let saved = has_saved.clone();
        meanwhile(move |call| {
            if call == number {
                saved.set(save(&path));
            }
            call == number
        });
        let done = world.apply(std::slice::from_ref(next));
        // The run may be over before.
        is_waiting();
        saves += usize::from(has_saved.get());
        let is_safe = || !has_saved.get() || is_somewhere(&world);
        assert!(is_safe(), "call {number} of {count}: {done:?} {:?}", world.said);
        // Whoever comes next tries again what could not be done.
        let again = world.apply(&[plan([])]);
        assert!(is_safe(), "again, call {number} of {count}: {again:?} {:?}", world.said);
    }
    assert!(saves > 5, "{saves}");
}

fn kept(world: &World) -> PathBuf {
    memory(world).join("kept/1/f")
}

fn in_the_target(world: &World) -> PathBuf {
    world.path("t/f")
}

#[test]
fn what_is_saved_while_a_file_is_kept_is_not_lost() {
    save_at_each_call(None, &plan([keep()]), in_the_target);
    save_at_each_call(None, &plan([keep()]), kept);
}

#[test]
fn what_is_saved_while_a_file_is_kept_and_comes_back_is_not_lost() {
    // There is a link already.
    let fails = op("stale", Change::Make(link("../s/p/f")));
    save_at_each_call(None, &plan([keep(), fails.clone()]), in_the_target);
    save_at_each_call(None, &plan([keep(), fails]), kept);
}

#[test]
fn what_is_saved_while_a_file_is_brought_back_is_not_lost() {
    let before = plan([keep()]);
    let inverse = before.as_generation(1).inverse();
    save_at_each_call(Some(&before), &inverse, kept);
    save_at_each_call(Some(&before), &inverse, in_the_target);
}

/// Saves something in the place of a link that goes, at the call `saves`, and has the fault at the call `fails`; tells
/// whether the link was still there. `again` puts something else there when the run is over.
fn save_while_links_go(name: &str, saves: usize, fails: (usize, Fault), again: bool) -> bool {
    let world = World::new(false);
    let start = world.seen();
    let (path, was_there) = (world.path("t/many").join(name), Rc::new(Cell::new(false)));
    let (saved, there) = (path.clone(), was_there.clone());
    meanwhile(move |call| {
        if call == saves {
            there.set(saved.is_symlink());
            fs::write(saved.with_extension("new"), SAVED).expect("a file");
            fs::rename(saved.with_extension("new"), &saved).expect("a move");
        }
        call == saves
    });
    arm(Some(fails));
    let done = world.apply(&[links_go()]);
    arm(None);
    let about = format!("{name} at {saves}, {fails:?}: {done:?}");
    let has_saved = !is_waiting();
    let moved_away = !path.is_file() && has_saved;
    if moved_away && again {
        fs::write(&path, "something else").expect("a file");
    }
    // Whoever comes next tries again what could not be done.
    let next = world.apply(&[plan([])]);
    let mut seen = world.seen();
    if moved_away && again {
        // Nothing tells any more where it was, so it stays where it is.
        let is_it = |it: &String| it.ends_with(SAVED);
        let found: Vec<_> = seen.iter().filter(|(_, it)| is_it(it)).map(|(path, _)| path).collect();
        let is_own = |path: &Path| path.to_string_lossy().contains(".farm-");
        assert!(matches!(found[..], [path] if is_own(path)), "{about}, then {next:?}: {seen:#?}");
        return was_there.get();
    }
    let mut all = start.clone();
    if has_saved {
        let found = seen.remove(&path);
        assert!(found.is_some_and(|it| it.ends_with(SAVED)), "{about}, then {next:?}: {:#?}", world.seen());
        all.remove(&path);
    }
    let is_done =
        links_go().ops.iter().all(|op| !seen.contains_key(&world.path("t").join(os(op.path.as_bytes()))));
    assert!(seen == all || is_done, "{about}, then {next:?}: {seen:#?}");
    was_there.get()
}

#[test]
fn what_is_saved_while_links_go_stays_where_it_was_saved() {
    let world = World::new(false);
    arm(None);
    assert_eq!(world.apply(&[links_go()]), Ok(Vec::new()));
    let (count, mut saves) = (calls(), 0);
    for name in ["a", "b", "c"] {
        for number in 0..count {
            // What comes much later has nothing to do with it.
            for fails in number..count.min(number + 16) {
                for fault in [Fault::Once(Errno::IO), Fault::Death] {
                    saves += usize::from(save_while_links_go(name, number, (fails, fault), false));
                    save_while_links_go(name, number, (fails, fault), true);
                }
            }
        }
    }
    assert!(saves > 100, "{saves}");
}

/// Saves something in the place of a link that has its turn, and dies when it was taken; `None` when the call `saves` is
/// another one.
fn die_with_saved(saves: usize) -> Option<World> {
    let world = World::new(false);
    let path = world.path("t/many/b");
    let saved = path.clone();
    meanwhile(move |call| {
        if call == saves && saved.is_symlink() {
            fs::write(saved.with_extension("new"), SAVED).expect("a file");
            fs::rename(saved.with_extension("new"), &saved).expect("a move");
        }
        call == saves
    });
    arm(Some((saves + 1, Fault::Death)));
    let _ = world.apply(&[links_go()]);
    arm(None);
    is_waiting();
    let is_taken = !path.is_file() && is_somewhere(&world);
    is_taken.then_some(world)
}

#[test]
fn what_was_saved_goes_back_to_its_place_when_the_first_recovery_fails() {
    let world = World::new(false);
    let mut all = world.seen();
    arm(None);
    assert_eq!(world.apply(&[links_go()]), Ok(Vec::new()));
    let taken = (0..calls()).find(|&number| die_with_saved(number).is_some()).expect("it is taken");
    let recover = |world: &World| Memory::open(Some(&world.state()), &world.path("t"), &|| false).map(|_| ());
    let first = die_with_saved(taken).expect("it is taken");
    arm(None);
    recover(&first).expect("a journal");
    let count = calls();
    let strip = |world: &World, seen: Seen| -> Seen {
        seen.into_iter()
            .map(|(path, it)| (path.strip_prefix(world.temp.path()).expect("below").to_owned(), it))
            .collect()
    };
    all.remove(&world.path("t/many/b"));
    let all = strip(&world, all);
    for number in 0..count {
        let world = die_with_saved(taken).expect("it is taken");
        arm(Some((number, Fault::Once(Errno::IO))));
        let tried = recover(&world);
        arm(None);
        world.recover();
        let mut seen = strip(&world, world.seen());
        let found = seen.remove(Path::new("t/many/b"));
        let about = format!("call {number} of {count}: {tried:?}");
        assert!(found.is_some_and(|it| it.ends_with(SAVED)), "{about}: {:#?}", world.seen());
        assert_eq!(seen, all, "{about}");
    }
}

/// Makes a file in a directory that a process has open as soon as the plan is committed.
#[cfg(target_os = "linux")]
fn make_when_committed(far: bool, open: &str, next: &dyn Fn(&World) -> Plan) {
    use std::os::fd::AsRawFd;

    let world = World::new(far);
    let next = next(&world);
    let held = fs::File::open(world.path(open)).expect("a directory");
    let new = format!("/proc/self/fd/{}/new", held.as_raw_fd());
    let committed = memory(&world).join("committed");
    meanwhile(move |_| {
        let is_committed = committed.exists();
        if is_committed {
            fs::write(&new, SAVED).expect("a file");
        }
        is_committed
    });
    let done = world.apply(&[next]);
    assert!(!is_waiting(), "{:?}", world.said);
    assert!(is_somewhere(&world), "{done:?}");
    assert!(done.as_ref().is_ok_and(|left_over| !left_over.is_empty()), "{done:?}");
    // Nobody removes it later.
    let again = world.apply(&[plan([])]);
    assert!(is_somewhere(&world), "{again:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_made_in_a_directory_that_was_copied_stays() {
    make_when_committed(true, "t/config", &|_| {
        plan([displace("config", What::Dir, Place::Kept(Slot::NEXT), link("../s/p/f"))])
    });
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_made_in_a_directory_of_links_that_gave_way_stays() {
    make_when_committed(false, "t/d", &|world| {
        fs::write(world.path("t/d.backup"), "user d").expect("a file");
        let old = dir(&[("e", None), ("e/l", Some("../../../s/p/g")), ("l", Some("../../s/p/f"))]);
        let from = Place::Beside(super::name("d.backup"));
        plan([op("d", Change::Restore { what: What::File, from, old })])
    });
}

#[test]
fn what_later_phases_move_on_leaves_nothing_over() {
    // Into the state directory, back, and there again under another number; what is in a directory goes by itself.
    let config = displace("config", What::Dir, Place::Kept(Slot(1)), link("../s/p/d"));
    let file = displace("f", What::File, Place::Kept(Slot(1)), link("../s/p/f"));
    let there = plan([config, file]);
    let a = displace("config/a", What::File, Place::Kept(Slot(2)), link("../../s/p/f"));
    let file = displace("f", What::File, Place::Kept(Slot(2)), link("../s/p/f"));
    let phases = [there.clone(), there.inverse(), plan([a, file])];
    let world = World::new(true);
    assert_eq!(world.apply(&phases), Ok(Vec::new()), "{:?}", world.said);
    let read = |path: &str| fs::read_to_string(memory(&world).join("kept/2").join(path)).expect("a file");
    assert_eq!([read("config/a"), read("f")], ["user a", "user f"]);
    world.recover();
}

#[test]
fn what_was_put_out_of_the_way_in_a_directory_that_is_copied_later_leaves_nothing_over() {
    let world = World::new(true);
    std::os::unix::fs::symlink("../../s/p/f", world.path("t/config/l")).expect("a link");
    let goes = op("config/l", Change::Remove(link("../../s/p/f")));
    let config = displace("config", What::Dir, Place::Kept(Slot(1)), link("../s/p/d"));
    assert_eq!(world.apply(&[plan([goes]), plan([config])]), Ok(Vec::new()), "{:?}", world.said);
    let kept = memory(&world).join("kept/1/config");
    let names = fs::read_dir(kept).expect("a directory").flatten().map(|entry| entry.file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["a", "b"]);
    world.recover();
}
