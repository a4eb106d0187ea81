//! An error in the middle takes everything back. strace makes one system call after the other fail; where it is missing,
//! the tests pass with a note.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::runs::{At, CHANGES, MAIN, MORE, READS, Run, calls, unfolded};
use crate::sandbox::{Sandbox, left_over, on_all_processors, strace};

/// What system calls are made to fail with.
const ERRORS: [&str; 7] = ["EIO", "ENOSPC", "EACCES", "EDQUOT", "EROFS", "EINTR", "EMFILE"];

/// With this call the runtime takes over from the loader.
const STARTS: &str = "sigaltstack";

/// Which errors are tried at a call.
#[derive(Clone, Copy)]
enum Tried {
    /// All of them, one after the other.
    All,
    /// So many, other ones at the next call.
    InTurn(usize),
}

/// Lets each system call of a run fail; returns the number of trials.
///
/// A run that says it failed must leave the start, and can then be done; one that does not, the end.
fn every_error(strace: &Path, run: &Run, at_changes: Tried, at_reads: Tried) -> usize {
    let Run { name, start, args, refused } = run;
    let both = format!("{CHANGES},{READS},{STARTS}");
    let Some(done) = start() else { return 0 };
    done.traced(strace, &both, None, args).run().fails_with(0, &[]);
    let end = done.entries();
    let mut all = calls(&done.trace(), |_, _| true);
    // What comes before is the loader's.
    let own = all.iter().position(|at| at.call == STARTS).map_or(0, |start| start + 1);
    all.drain(..own);
    all.retain(|at| {
        at.call != STARTS
            && !["/proc", "/sys", "/dev"].iter().any(|dir| at.line.contains(&format!("\"{dir}/")))
    });
    let is_change = |at: &At| CHANGES.split(',').any(|call| call.trim_start_matches('?') == at.call);
    let trials: Vec<(&At, &str)> = all
        .iter()
        .enumerate()
        .flat_map(|(number, at)| {
            let tried = match if is_change(at) { at_changes } else { at_reads } {
                Tried::All => ERRORS.len(),
                Tried::InTurn(count) => count,
            };
            (0..tried).map(move |turn| (at, ERRORS[(number * tried + turn) % ERRORS.len()]))
        })
        .collect();
    let [taken_back, left_over_by] = [0, 0].map(AtomicUsize::new);
    on_all_processors(trials.len(), |number| {
        let (At { call, nth, line }, error) = trials[number];
        let what = format!("{name}, {error} from {call} {nth}, {line}");
        let world = start().unwrap();
        let (before, planted) = (world.home.identity(), world.contents());
        let inject = format!("inject={call}:error={error}:when={nth}");
        let ran = world.traced(strace, &both, Some(&inject), args).run();
        assert!(world.trace().contains("(INJECTED)"), "{what}");
        world.has_lost_nothing_of(&planted, &what);
        match ran.code() {
            0 => {
                // What had gone out of the way could not be removed: all is done, and the next run removes it.
                if world.is_interrupted() {
                    let is_said = ran.stderr.to_lowercase().contains("warning: cannot ") || call == "write";
                    assert!(is_said, "{what}: {ran}");
                    world.farm(&["recover"]).run().fails_with(0, &["finished what an interrupted `farm "]);
                    left_over_by.fetch_add(1, Ordering::Relaxed);
                }
                assert!(world.entries() == end, "{what}: {ran}");
            }
            code => {
                // What cannot be looked at is a usage error to stow.
                let is_usage = *refused == 2 && code == 1 && ran.stderr.contains("is not a valid directory");
                assert!(code == *refused || is_usage, "{what}: {ran}");
                assert!(world.home.identity() == before, "{what}: {ran}");
                let first = ran.stderr.lines().next().unwrap_or_default();
                assert!(
                    is_usage
                        || first.to_lowercase().contains("cannot ")
                            && (first.contains(['/', '~']) || call == "getcwd"),
                    "verb and path, {what}: {ran}"
                );
                assert!(!world.is_interrupted(), "{what}: {ran}");
                if error == ERRORS[0] {
                    world.farm(args).run().fails_with(0, &[]);
                    assert!(world.entries() == end, "again, {what}: {ran}");
                }
                taken_back.fetch_add(1, Ordering::Relaxed);
            }
        }
        assert_eq!(left_over(&[&world.home.path(""), &world.state()]), Vec::<PathBuf>::new(), "{what}");
        world.has_lost_nothing_of(&planted, &what);
    });
    println!(
        "{name}: {} calls, {} errors; taken back {}, all done but the cleaning up {}",
        all.len(),
        trials.len(),
        taken_back.into_inner(),
        left_over_by.into_inner()
    );
    trials.len()
}

/// `FARM_TRIALS=all` tries every error at every call of the main runs; else those that look get some of them.
#[test]
fn an_error_from_any_call_takes_everything_back_or_makes_no_difference() {
    let Some(strace) = strace() else { return };
    let at_reads =
        if env::var_os("FARM_TRIALS").is_some_and(|it| it == "all") { Tried::All } else { Tried::InTurn(1) };
    let main = MAIN.iter().map(|run| every_error(&strace, run, Tried::All, at_reads));
    let more = MORE.iter().map(|run| every_error(&strace, run, Tried::InTurn(2), Tried::InTurn(1)));
    println!("trials: {} errors", main.chain(more).sum::<usize>());
}

#[test]
fn a_directory_that_may_not_be_written() {
    if rustix::process::geteuid().is_root() {
        eprintln!("passed over: root may write everywhere");
        return;
    }
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/locked/x", "locked/mine"]);
    home.mode("locked", 0o555);
    let before = home.identity();
    let run = home.farm(&["link", "p"]).run();
    let same = home.identity() == before;
    home.mode("locked", 0o755);
    assert!(same, "{run}");
    run.fails(
        1,
        "error: cannot make link ~/locked/x: permission denied\neverything done so far was taken back: nothing was changed\n",
    );
}

/// Returns the system calls of a run as strace shows them.
fn traced(home: &Sandbox, strace: &Path, args: &[&str]) -> String {
    let trace = home.text("../trace");
    home.call(strace)
        .args(["-f", "-qq", "-o", &trace])
        .args([env!("CARGO_BIN_EXE_farm")])
        .args(args)
        .run()
        .fails_with(0, &[]);
    fs::read_to_string(trace).unwrap()
}

#[test]
fn a_relink_of_what_is_right_makes_no_call_that_changes_anything() {
    let Some(strace) = strace() else { return };
    let home = unfolded();
    for args in
        [&["relink", "p", "q"][..], &["link", "p", "q"], &["stow", "p", "q"], &["stow", "-R", "p", "q"]]
    {
        let trace = traced(&home, &strace, args);
        let changes = [
            "symlink", "mkdir", "rename", "unlink", "rmdir", "link(", "linkat", "chmod", "chown", "utime",
            "O_CREAT", "O_WRONLY", "O_RDWR",
        ];
        let bad: Vec<&str> = trace
            .lines()
            .filter(|line| changes.iter().any(|change| line.contains(change)))
            .filter(|line| !line.contains("readlink") && !line.contains("/dev/"))
            .collect();
        assert_eq!(bad, Vec::<&str>::new(), "{args:?}");
    }
}

#[test]
fn only_what_is_worth_it_starts_a_thread() {
    let Some(strace) = strace() else { return };
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for (files, dirs, is_shared) in [(80, 10, false), (600, 40, processors > 1)] {
        let home = Sandbox::new();
        for n in 0..files {
            home.file(&format!("dotfiles/p/dir{}/{n}", n % dirs));
        }
        for args in [&["link", "--no-fold", "p"][..], &["relink", "p"], &["unlink", "p"]] {
            let trace = traced(&home, &strace, args);
            let starts = trace.lines().any(|line| line.contains("clone(") || line.contains("clone3("));
            assert_eq!(starts, is_shared, "{files} files: {args:?}");
        }
    }
}
