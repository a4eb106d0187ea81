//! Somebody else saves something while a run goes from one file system to another, at each instant in turn: what was
//! saved is somewhere afterwards.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

#[cfg(target_os = "linux")]
use super::dir;
use super::{Seen, World, displace, link, look, op};
use crate::farm::Memory;
use crate::op::{Change, Op, Place, Plan, Slot, What};
use crate::sys::fault::{arm, calls, is_waiting, meanwhile};

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
