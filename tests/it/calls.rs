//! How many system calls a link costs, and that there is none that changes anything where nothing is to do. strace
//! counts; where it is missing, these tests pass with a note.

use std::fs;
use std::path::Path;

use crate::sandbox::{Sandbox, strace};

const FILES: usize = 100;

/// A package with directories of a hundred files each, which the target has, too, so that none of them folds.
fn farm_of(dirs: usize) -> Sandbox {
    let home = Sandbox::new();
    for dir in 0..dirs {
        home.dir(format!("dir-{dir:03}"));
        home.dir(format!("dotfiles/p/dir-{dir:03}"));
        for file in 0..FILES {
            let path = home.path(format!("dotfiles/p/dir-{dir:03}/file-{file:03}"));
            fs::write(path, "").expect("a new file");
        }
    }
    home
}

/// Returns the names of the system calls that a run makes. Waiting for one another is no work, and asking for flags is
/// how a debug build makes sure of what it closes.
fn calls(home: &Sandbox, strace: &Path, args: &[&str]) -> Vec<String> {
    let log = home.text("../trace");
    let ran = home
        .call(strace)
        .args(["-f", "-qq", "-e", "signal=none", "-o", &log])
        .args([env!("CARGO_BIN_EXE_farm")])
        .args(args)
        .run();
    assert_eq!(ran.code(), 0, "{ran}");
    let trace = fs::read_to_string(&log).expect("strace wrote it");
    fs::remove_file(log).expect("it is there");
    let call = |line: &str| {
        let rest = line.split_once(' ')?.1.trim_start();
        let (call, args) = rest.split_once('(')?;
        let makes = call == "openat" && ["O_CREAT", "O_WRONLY", "O_RDWR"].iter().any(|it| args.contains(it));
        Some(if makes { format!("{call} to write") } else { call.to_owned() })
    };
    let others = ["futex", "sched_yield", "restart_syscall", "fcntl"];
    trace.lines().filter_map(call).filter(|call| !others.contains(&call.as_str())).collect()
}

/// Calls a link, counted between two farms, so that what it takes to start does not count.
fn a_link(strace: &Path, before: &[&[&str]], args: &[&str]) -> f64 {
    let count = |dirs| {
        let home = farm_of(dirs);
        for args in before {
            home.farm(args).run();
        }
        calls(&home, strace, args).len()
    };
    (count(60) - count(20)) as f64 / (40 * FILES) as f64
}

const LINK: [&[&str]; 2] = [&["link", "-q", "p"], &["stow", "-t", "..", "p"]];

/// Returns the directories below the sandbox that a run waits for, in this order.
fn synced(home: &Sandbox, strace: &Path, args: &[&str]) -> Vec<String> {
    let log = home.text("../trace");
    let ran = home
        .call(strace)
        .args(["-f", "-qq", "-y", "-e", "signal=none", "-e", "trace=fsync", "-o", &log])
        .args([env!("CARGO_BIN_EXE_farm")])
        .args(args)
        .run();
    assert_eq!(ran.code(), 0, "{ran}");
    let trace = fs::read_to_string(&log).expect("strace wrote it");
    let top = home.path("..").canonicalize().expect("it is there");
    let top = format!("<{}/", top.to_str().expect("text"));
    let target = fs::read_dir(home.state().join("targets")).expect("a memory").next().expect("a target");
    let target = target.expect("a name").file_name().into_string().expect("text");
    let path = |line: &str| Some(line.split_once(&top)?.1.split_once('>')?.0.replace(&target, "T"));
    trace.lines().filter_map(path).collect()
}

#[test]
fn what_moves_is_on_the_disk_where_it_goes_before_it_is_gone_where_it_was() {
    let Some(strace) = strace() else { return };
    let home = Sandbox::with(&["dotfiles/p/d/f", "d/f", "d/g"]);
    let paths = synced(&home, &strace, &["link", "--replace", "p"]);
    let find = |path: &str| paths.iter().rposition(|it| it == path);
    for made in ["state", "state/targets", "state/targets/T/kept", "state/targets/T/kept/1"] {
        assert!(find(made).is_some(), "{made}: {paths:?}");
    }
    let (kept, target) = (find("state/targets/T/kept/1/d"), find("home/d"));
    assert!(kept.is_some() && kept < target && target < find("state/targets/T"), "{paths:?}");
}

#[test]
fn a_plan_that_only_makes_files_is_on_the_disk_when_it_is_done() {
    let Some(strace) = strace() else { return };
    let home = Sandbox::new();
    home.write("dotfiles/farm.toml", "[file.'~/.a']\ntext = 'a'\nmethod = 'copy'\n");
    let paths = synced(&home, &strace, &["switch"]);
    let end = ["state/targets/T/generations", "state/targets/T"];
    assert_eq!(paths[paths.len() - 2..], end, "{paths:?}");
}

#[test]
fn a_link_costs_little_more_than_the_call_that_makes_it() {
    let Some(strace) = strace() else { return };
    for link in LINK {
        let cost = a_link(&strace, &[], link);
        assert!(cost <= 1.15, "{link:?}: {cost}");
    }
}

#[test]
fn a_right_link_costs_little_more_than_a_look_at_it() {
    let Some(strace) = strace() else { return };
    for relink in [&["relink", "-q", "p"][..], &["stow", "-t", "..", "-R", "p"], LINK[0], LINK[1]] {
        let cost = a_link(&strace, &LINK[..1], relink);
        assert!(cost <= 1.15, "{relink:?}: {cost}");
    }
}

#[test]
fn linking_again_reads_what_the_package_has_and_asks_for_that() {
    let Some(strace) = strace() else { return };
    for link in LINK {
        let reads = [20, 60].map(|dirs| {
            let home = farm_of(dirs);
            home.farm(LINK[0]).run();
            calls(&home, &strace, link).iter().filter(|call| *call == "getdents64").count()
        });
        assert_eq!(reads[1] - reads[0], 2 * (60 - 20), "{link:?}");
    }
}

#[test]
fn a_link_is_looked_at_and_taken_before_it_goes() {
    let Some(strace) = strace() else { return };
    for unlink in [&["unlink", "-q", "p"][..], &["stow", "-t", "..", "-D", "p"]] {
        let cost = a_link(&strace, &LINK[..1], unlink);
        assert!((2.0..=3.3).contains(&cost), "{unlink:?}: {cost}");
    }
}

#[test]
fn where_nothing_is_to_do_nothing_is_changed() {
    let Some(strace) = strace() else { return };
    let home = farm_of(2);
    home.farm(LINK[0]).run();
    for again in [&["relink", "-q", "p"][..], &["link", "-q", "p"], &["stow", "-t", "..", "-R", "p"]] {
        let calls = calls(&home, &strace, again);
        let changes = |call: &&String| {
            let verbs = ["link", "rename", "mkdir", "mknod", "chmod", "chown", "utime", "truncate", "sync"];
            let looks = ["readlink", "readlinkat"].contains(&call.as_str());
            !looks && (verbs.iter().any(|verb| call.contains(verb)) || call.ends_with("to write"))
        };
        assert_eq!(calls.iter().filter(changes).collect::<Vec<_>>(), Vec::<&String>::new(), "{again:?}");
    }
}
