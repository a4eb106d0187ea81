//! An error in the middle takes everything back. strace makes one system call after the other fail; where it is missing,
//! the tests pass with a note.

use std::fs;
use std::path::Path;

use crate::sandbox::{Ran, Sandbox, strace};

/// System calls that change a file system, and those with which steps are checked.
const CALLS: [&str; 5] = ["symlinkat", "mkdirat", "renameat2", "unlinkat", "readlinkat"];

/// More calls than any of these runs makes.
const MANY: usize = 60;

/// Two packages that share a directory of a directory; the first one is linked.
fn folded() -> Sandbox {
    let home = Sandbox::with(&[
        "dotfiles/p/.c/d/x",
        "dotfiles/p/top",
        "dotfiles/q/.c/d/y",
        "dotfiles/q/.c/z",
        "dotfiles/q/end",
    ]);
    home.farm(&["link", "-q", "p"]).run().prints("");
    home
}

/// Both packages linked.
fn unfolded() -> Sandbox {
    let home = folded();
    home.farm(&["link", "-q", "q"]).run().prints("");
    home
}

/// Runs `args` where the `nth` call of `call` fails.
fn with_fault<'s>(home: &'s Sandbox, strace: &Path, args: &[&str], call: &str, nth: usize) -> Ran<'s> {
    let inject = format!("inject={call}:error=ENOSPC:when={nth}");
    home.call(strace)
        .args(["-f", "-qq", "-o", &home.text("../trace"), "-e", &format!("trace={call}"), "-e", &inject])
        .args([env!("CARGO_BIN_EXE_farm")])
        .args(args)
        .run()
}

/// Tries every call of every kind; a run that fails must leave the start, one that does not the end.
fn every_fault(start: impl Fn() -> Sandbox, args: &[&str], failure: i32) {
    let Some(strace) = strace() else { return };
    let done = start();
    done.farm(args).run().fails_with(0, &[]);
    let end = done.tree();
    let mut all = 0;
    for call in CALLS {
        let mut faults = 0;
        for nth in 1..MANY {
            let home = start();
            let before = home.identity();
            let run = with_fault(&home, &strace, args, call, nth);
            let trace = fs::read_to_string(home.path("../trace")).unwrap();
            if !trace.contains("(INJECTED)") {
                assert_eq!((run.code(), home.tree()), (0, end.clone()), "{call} {nth}: {run}");
                break;
            }
            faults += 1;
            if run.code() == 0 {
                // What failed was the removal of something that had gone out of the way, and a warning says so.
                assert!(
                    run.stderr.to_lowercase().contains("warning: cannot ") || home.tree() == end,
                    "{call} {nth}: {run}"
                );
                let kept: String = home
                    .tree()
                    .lines()
                    .filter(|line| !line.contains(".farm-"))
                    .map(|l| format!("{l}\n"))
                    .collect();
                assert_eq!(kept, end, "{call} {nth}: {run}");
                continue;
            }
            assert_eq!(run.code(), failure, "{call} {nth}: {run}");
            assert_eq!(home.identity(), before, "{call} {nth}: {run}");
            let first = run.stderr.lines().next().unwrap_or_default();
            assert!(
                first.contains("cannot ") && (first.contains("~") || first.contains("/state/")),
                "verb and path, {call} {nth}: {run}"
            );
            assert!(
                first.to_lowercase().contains("no space left on device") || call == "readlinkat",
                "cause, {call} {nth}: {run}"
            );
        }
        all += faults;
        assert!(faults < MANY - 1, "{call} has more calls than were tried");
    }
    assert!(all > 2, "there was hardly anything to fail");
}

#[test]
fn a_link_that_unfolds() {
    every_fault(folded, &["link", "q"], 1);
}

#[test]
fn a_link_into_nothing() {
    let start =
        || Sandbox::with(&["dotfiles/p/.c/d/x", "dotfiles/q/.c/d/y", "dotfiles/q/.c/z", "dotfiles/q/end"]);
    every_fault(start, &["link", "p", "q"], 1);
}

#[test]
fn an_unlink_that_refolds() {
    every_fault(unfolded, &["unlink", "q"], 1);
}

#[test]
fn a_file_that_becomes_a_link() {
    let start = || {
        let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b"]);
        home.write("b", "dotfiles/p/b");
        home
    };
    every_fault(start, &["link", "p"], 1);
}

#[test]
fn under_stows_name() {
    every_fault(folded, &["stow", "q"], 2);
    every_fault(unfolded, &["stow", "-D", "q"], 2);
}

#[test]
fn an_adoption() {
    let start = || {
        let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b"]);
        home.write("a", "mine");
        home.write("b", "dotfiles/p/b");
        home
    };
    every_fault(start, &["stow", "--adopt", "p"], 2);
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

/// Returns the names of the system calls of a run, with what they were called with.
fn calls(home: &Sandbox, strace: &Path, args: &[&str]) -> String {
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
        let trace = calls(&home, &strace, args);
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
fn small_work_starts_no_thread() {
    let Some(strace) = strace() else { return };
    let home = Sandbox::new();
    for n in 0..300 {
        home.file(&format!("dotfiles/p/dir{}/{n}", n % 20));
    }
    for args in [&["link", "--no-fold", "p"][..], &["relink", "p"], &["unlink", "p"], &["stow", "p"]] {
        let trace = calls(&home, &strace, args);
        assert!(!trace.lines().any(|line| line.contains("clone")), "{args:?}");
    }
}
