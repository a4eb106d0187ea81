//! A run that is killed, stopped or hit by an error is taken back or finished, by itself or by the next run, and nothing
//! is lost. strace does the killing, at every system call that changes anything; where it is missing, those tests pass
//! with a note.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use assert_fs::TempDir;

use crate::sandbox::{Call, Sandbox, contents, left_over, on_all_processors, strace};

/// System calls that change a file system, on any machine, and opening, which may make a file.
const CHANGES: &str = "?symlink,symlinkat,?mkdir,mkdirat,?rename,?renameat,renameat2,?unlink,?rmdir,unlinkat,?link,\
                       linkat,write,?pwrite64,?writev,fsync,fdatasync,?chmod,fchmod,fchmodat,utimensat,?utimes,\
                       ftruncate,?truncate,?copy_file_range,?sendfile,?sendfile64,fsetxattr,openat";

const SIGKILL: i32 = 9;

/// A home, and where farm's memory of it lies.
struct World {
    home: Sandbox,
    /// Another file system.
    far: Option<TempDir>,
}

impl From<Sandbox> for World {
    fn from(home: Sandbox) -> World {
        World { home, far: None }
    }
}

impl World {
    fn state(&self) -> PathBuf {
        self.far.as_ref().map_or_else(|| self.home.state(), |far| far.path().join("state"))
    }

    fn farm(&self, args: &[&str]) -> Call<'_> {
        self.home.farm(args).env("FARM_STATE_DIR", self.state())
    }

    /// Returns a call of farm under strace, which also does `inject`.
    fn traced(&self, strace: &Path, calls: &str, inject: Option<&str>, args: &[&str]) -> Call<'_> {
        let trace = self.home.text("../trace");
        self.home
            .call(strace)
            .env("FARM_STATE_DIR", self.state())
            .args(["-f", "-qq", "-o", &trace, "-e", &format!("trace={calls}")])
            .args(inject.iter().flat_map(|inject| ["-e", inject]))
            .args([env!("CARGO_BIN_EXE_farm")])
            .args(args)
    }

    fn trace(&self) -> String {
        fs::read_to_string(self.home.path("../trace")).unwrap()
    }

    fn contents(&self) -> BTreeSet<Vec<u8>> {
        contents(&[&self.home.path(""), &self.state()])
    }

    #[track_caller]
    fn has_lost_nothing_of(&self, before: &BTreeSet<Vec<u8>>, what: &str) {
        let now = self.contents();
        let lost: Vec<_> = before.difference(&now).map(|bytes| String::from_utf8_lossy(bytes)).collect();
        assert!(lost.is_empty(), "{what}: lost {lost:?}");
    }

    /// Everything in the home that two homes can have in common.
    fn entries(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let all = self.home.identity().into_iter();
        all.map(|(path, entry)| (path, (entry.mode, entry.content))).collect()
    }

    /// The directory that holds farm's memory of the home.
    fn memory(&self) -> PathBuf {
        let targets = self.state().join("targets");
        let mut all = fs::read_dir(targets).into_iter().flatten().map(|entry| entry.unwrap().path());
        let first = all.next().unwrap_or_default();
        assert_eq!(all.next(), None, "one target, one memory");
        first
    }

    /// Tells whether an interrupted run waits for the next one.
    fn is_interrupted(&self) -> bool {
        ["journal", "committed"].iter().any(|name| self.memory().join(name).exists())
    }
}

/// A system call of a run: its name, and how many of that name there were with it.
struct At {
    call: String,
    nth: usize,
    line: String,
}

/// Returns the system calls of a trace that `is_meant` says yes to.
fn calls(trace: &str, is_meant: impl Fn(&str, &str) -> bool) -> Vec<At> {
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut all = Vec::new();
    for line in trace.lines() {
        let line = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        let Some((call, _)) = line.split_once('(') else { continue };
        if !call.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let nth = counts.entry(call).or_default();
        *nth += 1;
        if is_meant(call, line) {
            all.push(At { call: call.to_owned(), nth: *nth, line: line.to_owned() });
        }
    }
    all
}

/// Kills a run before each of its system calls that change anything, so after each one, too.
///
/// The next run, `farm recover` or a command that has nothing to do with it, must find or make exactly the state before
/// or exactly the planned one. Some of the next runs are killed, too.
fn every_kill(name: &str, start: impl Fn() -> Option<World> + Sync, args: &[&str]) {
    let Some(strace) = strace() else { return };
    let start = || {
        let world = start()?;
        world.home.file("dotfiles/other/other");
        Some(world)
    };
    let Some(done) = start() else { return };
    done.traced(&strace, CHANGES, None, args).run().fails_with(0, &[]);
    let end = done.entries();
    let trace = done.trace();
    let all = calls(&trace, |call, line| call != "openat" || line.contains("O_CREAT"));
    assert!(all.len() > 5, "there was hardly anything to kill:\n{trace}");
    let [took_back, finished, kills] = [0, 0, 0].map(AtomicUsize::new);
    on_all_processors(all.len(), |number| {
        let At { call, nth, line } = &all[number];
        let what = format!("{name}, killed at {call} {nth}, {line}");
        let world = start().unwrap();
        let (before, planted) = (world.home.identity(), world.contents());
        let kill = format!("inject={call}:signal=SIGKILL:when={nth}");
        let run = world.traced(&strace, CHANGES, Some(&kill), args).run_or_die();
        assert_eq!(run.signal(), Some(SIGKILL), "{what}: {run}");
        kills.fetch_add(1, Ordering::Relaxed);
        world.has_lost_nothing_of(&planted, &what);
        let was_interrupted = world.is_interrupted();
        if number % 3 == 0 {
            let kill =
                format!("inject=renameat2,unlinkat,symlinkat:signal=SIGKILL:when={}", 1 + number / 3 % 4);
            let run = world.traced(&strace, CHANGES, Some(&kill), &["recover"]).run_or_die();
            kills.fetch_add(usize::from(run.signal().is_some()), Ordering::Relaxed);
            world.has_lost_nothing_of(&planted, &format!("{what}, and again"));
        }
        let is_still_interrupted = world.is_interrupted();
        assert!(was_interrupted || !is_still_interrupted, "{what}");
        let run = if number % 2 == 0 {
            let run = world.farm(&["recover"]).run();
            assert_eq!(run.stdout.contains("nothing to recover"), !is_still_interrupted, "{what}: {run}");
            run
        } else {
            let run = world.farm(&["link", "other"]).run();
            assert_eq!(run.stdout, "linked other: 1 link\n", "{what}: {run}");
            assert_eq!(fs::read_link(world.home.path("other")).unwrap(), Path::new("dotfiles/other/other"));
            world.home.remove("other");
            run
        };
        assert_eq!(run.code(), 0, "{what}: {run}");
        assert_eq!(run.stderr.contains("what an interrupted `farm "), is_still_interrupted, "{what}: {run}");
        let is_before = world.home.identity() == before;
        if run.stderr.starts_with("took back ") {
            assert!(is_before, "not as before, {what}: {run}");
            took_back.fetch_add(1, Ordering::Relaxed);
        } else if run.stderr.starts_with("finished ") {
            assert!(world.entries() == end, "not as planned, {what}: {run}");
            finished.fetch_add(1, Ordering::Relaxed);
        }
        assert!(is_before || world.entries() == end, "neither before nor after, {what}: {run}");
        assert_eq!(left_over(&[&world.home.path(""), &world.state()]), Vec::<PathBuf>::new(), "{what}");
        world.has_lost_nothing_of(&planted, &format!("{what}, and recovered"));
        world.farm(&["recover", "-q"]).run().prints("");
        assert!(!world.is_interrupted(), "{what}: {run}");
    });
    println!(
        "{name}: {} calls, {} kills; taken back by the next run {}, finished {}",
        all.len(),
        kills.into_inner(),
        took_back.into_inner(),
        finished.into_inner()
    );
}

/// A home with the example packages, and things of the user's own.
fn examples() -> Sandbox {
    let home = Sandbox::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dotfiles"), &home.path("dotfiles"));
    home.file(".bashrc");
    home
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

const NINE: [&str; 10] =
    ["link", "aerospace", "ghostty", "nushell", "nvim", "skhd", "starship", "tmux", "wezterm", "zsh"];

/// A package in whose way there are a file, a directory and a foreign link.
fn crowded() -> Sandbox {
    let home = Sandbox::with(&["dotfiles/p/dir", "dotfiles/p/file", "dotfiles/p/folder/x", "dotfiles/p/new"]);
    home.write("file", "the user's file");
    home.write("dir/mine", "the user's file in a directory");
    home.write("dir/deep/mine", "the user's deep file");
    home.mode("dir/deep/mine", 0o600);
    home.link("folder", "the-user's/link");
    home
}

/// A home whose memory lies on another file system; `None`, with a note, where there is none at hand.
fn far(home: Sandbox) -> Option<World> {
    let far = TempDir::new_in("/dev/shm")
        .ok()
        .filter(|far| fs::metadata(far.path()).unwrap().dev() != fs::metadata(home.path("")).unwrap().dev());
    if far.is_none() {
        eprintln!("passed over: /dev/shm is no other file system");
    }
    Some(World { home, far: Some(far?) })
}

/// Two packages that share a directory; the first one is linked.
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

#[test]
fn killed_in_a_link_of_nine_packages() {
    every_kill("fresh link of nine packages", || Some(examples().into()), &NINE);
}

#[test]
fn killed_in_a_link_that_unfolds() {
    every_kill("link that unfolds", || Some(folded().into()), &["link", "q"]);
}

#[test]
fn killed_in_an_unlink_that_refolds() {
    let start = || {
        let home = folded();
        home.farm(&["link", "-q", "q"]).run().prints("");
        Some(home.into())
    };
    every_kill("unlink that refolds", start, &["unlink", "q"]);
}

#[test]
fn killed_in_an_adoption() {
    let start = || {
        let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "dotfiles/p/d/c"]);
        for (path, content) in [("a", "mine"), ("b", "mine, too"), ("d/c", "mine in a directory")] {
            home.write(path, content);
        }
        home.mode("b", 0o600);
        Some(home.into())
    };
    every_kill("adopt of three files", start, &["link", "--adopt", "p"]);
}

#[test]
fn killed_in_a_link_with_backups() {
    every_kill("link with backups", || Some(crowded().into()), &["link", "--backup", "p"]);
}

#[test]
fn killed_in_a_link_that_replaces() {
    every_kill("link that replaces", || Some(crowded().into()), &["link", "--replace", "p"]);
}

#[test]
fn killed_in_a_link_that_replaces_across_file_systems() {
    every_kill("link that replaces, memory elsewhere", || far(crowded()), &["link", "--replace", "p"]);
}

#[test]
fn killed_in_an_undo_across_file_systems() {
    let start = || {
        let world = far(crowded())?;
        world.farm(&["link", "-q", "--replace", "p"]).run().prints("");
        Some(world)
    };
    every_kill("undo, memory elsewhere", start, &["undo"]);
}

#[test]
fn killed_in_a_relink() {
    let start = || {
        let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/d/old", "dotfiles/p/e/x", "d/mine", "e/mine"]);
        home.farm(&["link", "-q", "p"]).run().prints("");
        home.remove("dotfiles/p/d/old");
        home.file("dotfiles/p/d/new");
        // Another spelling of the same link becomes stow's.
        home.remove("e/x");
        home.link("e/x", ".././dotfiles/p/e/x");
        Some(home.into())
    };
    every_kill("relink with a stale link", start, &["relink", "p"]);
}

#[test]
fn killed_in_a_link_that_takes_over() {
    let start = || {
        let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/d/x", "dotfiles/q/a", "dotfiles/q/d/y"]);
        home.farm(&["link", "-q", "p"]).run().prints("");
        Some(home.into())
    };
    every_kill("link that takes over", start, &["link", "--override", "a", "q"]);
}

#[test]
fn killed_in_an_unlink_that_restores() {
    let start = || {
        let home = crowded();
        home.farm(&["link", "-q", "--backup", "p"]).run().prints("");
        Some(home.into())
    };
    every_kill("unlink that restores backups", start, &["unlink", "--restore", "p"]);
}

#[test]
fn killed_in_an_undo() {
    let start = || {
        let home = crowded();
        home.farm(&["link", "-q", "--replace", "p"]).run().prints("");
        Some(home.into())
    };
    every_kill("undo", start, &["undo"]);
}

#[test]
fn killed_in_a_rollback_over_generations() {
    let start = || {
        let home = crowded();
        for file in ["dotfiles/q/.c/d/x", "dotfiles/r/.c/y", "dotfiles/r/adopted", "adopted"] {
            home.file(file);
        }
        home.farm(&["link", "-q", "q"]).run().prints("");
        home.farm(&["link", "-q", "--backup", "p"]).run().prints("");
        home.farm(&["link", "-q", "--adopt", "r"]).run().prints("");
        Some(home.into())
    };
    every_kill("rollback over three generations", start, &["rollback", "0"]);
}

/// Two packages that share a directory, where a file of the user's is in its way.
fn shared() -> Sandbox {
    let home =
        Sandbox::with(&["dotfiles/p/d/e/x", "dotfiles/p/d/f/x", "dotfiles/q/d/e/y", "dotfiles/q/d/f/y"]);
    home.write("d", "the user's file");
    home
}

#[test]
fn killed_while_a_directory_takes_a_files_place() {
    every_kill("backup below a directory", || Some(shared().into()), &["link", "--backup", "p", "q"]);
    every_kill("replacing by a directory", || Some(shared().into()), &["link", "--replace", "p", "q"]);
    every_kill("the same, memory elsewhere", || far(shared()), &["link", "--replace", "p", "q"]);
}

/// Runs something until its `nth` call of `call`, and kills it there.
fn killed(world: &World, strace: &Path, call: &str, nth: usize, args: &[&str]) {
    let kill = format!("inject={call}:signal=SIGKILL:when={nth}");
    let run = world.traced(strace, CHANGES, Some(&kill), args).run_or_die();
    assert_eq!(run.signal(), Some(SIGKILL), "{run}");
}

#[test]
fn what_somebody_changed_after_a_kill_is_named_and_left() {
    let Some(strace) = strace() else { return };
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "dotfiles/p/c"]);
    let world = World::from(home);
    let home = &world.home;
    killed(&world, &strace, "symlinkat", 3, &["link", "p"]);
    assert_eq!(home.tree(), "a -> dotfiles/p/a\nb -> dotfiles/p/b\n");
    home.remove("b");
    home.write("b", "made by hand");
    let stuck = "error: `farm link p` was interrupted, and not all of it could be taken back\n  \
                 cannot remove ~/b: somebody else changed it since\n\
                 hint: mend these and run `farm recover`; `farm recover --forget` leaves them as they are\n";
    for args in [&["recover"][..], &["link", "p"], &["recover", "--no-wait"]] {
        home.farm(args).run().fails(3, stuck);
        assert_eq!(home.tree(), "b\n");
        assert!(world.is_interrupted());
    }
    home.farm(&["link", "-n", "p"]).run().fails_with(1, &["an interrupted farm has left things half done"]);
    fs::rename(home.path("b"), home.path("mine")).unwrap();
    home.farm(&["recover"]).run().says(0, "", "took back what an interrupted `farm link p` had begun\n");
    assert_eq!((home.tree(), world.is_interrupted()), ("mine\n".to_owned(), false));
    assert_eq!(fs::read(home.path("mine")).unwrap(), b"made by hand");
    home.farm(&["link", "p"]).run().prints("linked p: 3 links\n");
    // A directory that others use now stays, too.
    let world = World::from(Sandbox::with(&["dotfiles/p/.c/x", "dotfiles/q/.c/y", "dotfiles/q/z"]));
    let home = &world.home;
    killed(&world, &strace, "symlinkat", 3, &["link", "p", "q"]);
    home.write(".c/mine", "made by hand");
    home.farm(&["link", "p"]).run().fails_with(
        3,
        &["\n  cannot remove directory ~/.c: somebody else put something into it\nhint: mend these"],
    );
    assert_eq!(home.tree(), ".c/\n.c/mine\n");
}

#[test]
fn a_file_put_in_the_place_of_a_backed_up_one_after_a_kill_is_named_and_left() {
    let Some(strace) = strace() else { return };
    for (way, kept) in [("--backup", "~/a.backup"), ("--replace", "/kept/1/a"), ("--adopt", "/dotfiles/p/a")]
    {
        let world = World::from(Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "b"]));
        let home = &world.home;
        home.write("a", "mine");
        home.write("b", "mine, too");
        let before = home.identity();
        let planted = world.contents();
        // The third exchange or the commit comes after both files made place.
        killed(&world, &strace, "renameat", 2, &["link", way, "p"]);
        assert!(fs::symlink_metadata(home.path("a")).unwrap().is_symlink());
        home.remove("a");
        home.write("a", "made by hand");
        let run = home.farm(&["recover"]).run();
        run.fails_with(3, &["cannot put back ~/a: somebody else changed it since\n"]);
        assert_eq!(fs::read(home.path("a")).unwrap(), b"made by hand", "{way}");
        assert_eq!(fs::read(home.path("b")).unwrap(), b"mine, too", "{way}");
        world.has_lost_nothing_of(&planted, kept);
        home.remove("a");
        home.farm(&["recover"]).run().fails_with(0, &["took back what an interrupted `farm link"]);
        assert_eq!(home.identity(), before, "{way}");
        assert_eq!(left_over(&[&home.path(""), &world.state()]), Vec::<PathBuf>::new());
    }
}

#[test]
fn what_appeared_where_nothing_had_gone_yet_is_passed_over() {
    let Some(strace) = strace() else { return };
    let start = || World::from(Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "a", "b"]));
    // Before the first step of the first operation, and before its exchange.
    for (call, nth, way, new) in [
        ("symlinkat", 1, &["--backup"][..], &["a.backup", "b.backup"][..]),
        ("renameat2", 1, &["--backup"], &["b.backup"]),
        ("symlinkat", 2, &["--backup"], &["b.backup"]),
    ] {
        let world = start();
        let home = &world.home;
        let before = home.identity();
        killed(&world, &strace, call, nth, &[&["link", "p"], way].concat());
        new.iter().for_each(|path| home.write(path, "somebody else's"));
        home.farm(&["recover"]).run().fails_with(0, &["took back what an interrupted `farm link p"]);
        let mut after = home.identity();
        for path in new {
            assert_eq!(after.remove(Path::new(path)).expect("it stays").content, b"somebody else's");
        }
        assert_eq!(after, before, "{call} {nth}");
    }
    // A package that got the file in the meantime.
    let world = World::from(Sandbox::with(&["dotfiles/q/other", "a", "b"]));
    let home = &world.home;
    let before = home.identity();
    killed(&world, &strace, "symlinkat", 2, &["adopt", "p", "../a", "../b"]);
    home.write("dotfiles/p/b", "somebody else's");
    home.farm(&["recover"]).run().fails_with(0, &["took back what an interrupted `farm adopt p"]);
    let mut after = home.identity();
    assert!(
        after.remove(Path::new("dotfiles/p/b")).is_some() && after.remove(Path::new("dotfiles/p")).is_some()
    );
    assert_eq!(after, before);
}

#[test]
fn a_journal_that_was_set_aside_does_not_stand_in_the_way() {
    let Some(strace) = strace() else { return };
    let world = World::from(Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b"]));
    let home = &world.home;
    home.write("a", "mine");
    killed(&world, &strace, "renameat", 2, &["link", "--replace", "p"]);
    assert!(fs::symlink_metadata(home.path("a")).unwrap().is_symlink());
    let set_aside = home.farm(&["recover", "--forget"]).run();
    assert!(set_aside.stdout.ends_with("/journal.set-aside.1\n"), "{set_aside}");
    home.remove("a");
    home.write("a", "mine again");
    home.farm(&["link", "--replace", "p"]).run().prints("linked p: 1 link, 1 file replaced\n");
    let all = world.contents();
    assert!(all.contains(&b"mine"[..]) && all.contains(&b"mine again"[..]), "{all:?}");
    home.farm(&["undo"]).run().fails_with(0, &[]);
    assert_eq!(fs::read(home.path("a")).unwrap(), b"mine again");
}

/// Returns a home with one generation, and the record of it.
fn with_a_record() -> (World, String) {
    let home = Sandbox::with(&["dotfiles/p/.c/a", "dotfiles/p/b", "dotfiles/q/.c/x"]);
    home.farm(&["link", "-q", "p"]).run().prints("");
    let world = World::from(home);
    let record = fs::read_to_string(world.memory().join("generations/1")).unwrap();
    (world, record)
}

#[test]
fn a_journal_that_cannot_be_used_is_refused_until_it_is_forgotten() {
    let (other, elsewhere) = with_a_record();
    let (_, record) = with_a_record();
    drop(other);
    let lines: Vec<&str> = record.lines().collect();
    let newer = record.replacen("\"format\":1", "\"format\":99", 1);
    let without_end = lines[..lines.len() - 1].join("\n");
    let without_a_step = [&lines[..1], &lines[2..]].concat().join("\n");
    for (journal, why) in [
        ("", "it is damaged, or no record of farm's"),
        ("#!/bin/sh\necho hello\n", "it is damaged, or no record of farm's"),
        ("{\"some\": \"json\"}\n", "it is damaged, or no record of farm's"),
        (&record[..record.len() / 2], "it is damaged, or no record of farm's"),
        (lines[0], "it is cut off"),
        (&without_end, "it is cut off"),
        (&without_a_step, "it is cut off"),
        (&newer, "it was written by a newer farm"),
        (&elsewhere, "it is about another target"),
    ] {
        for name in ["journal", "committed"] {
            let (world, _) = with_a_record();
            let (home, path) = (&world.home, world.memory().join(name));
            fs::write(&path, journal).unwrap();
            let before = home.identity();
            let says = format!(
                "error: cannot read {}: {why}\nnothing was changed\nhint: `farm recover --forget` sets it aside; links \
                 that are missing then come back with `farm relink`\n",
                path.display()
            );
            for args in [
                &["recover"][..],
                &["link", "q"],
                &["unlink", "p"],
                &["relink", "p"],
                &["undo"],
                &["rollback", "0"],
                &["generations"],
            ] {
                home.farm(args).run().fails(1, &says);
            }
            home.farm(&["stow", "q"]).run().fails_with(2, &[why]);
            assert_eq!(fs::read_to_string(&path).unwrap(), journal);
            assert_eq!(home.identity(), before);
            let aside = format!("{}.set-aside.1", path.display());
            home.farm(&["recover", "--forget"])
                .run()
                .prints(&format!("nothing was changed; the journal is now {aside}\n"));
            assert_eq!(fs::read_to_string(aside).unwrap(), journal);
            assert_eq!(home.identity(), before);
            home.farm(&["link", "-q", "q"]).run().prints("");
            home.farm(&["undo", "-q"]).run().prints("");
            assert_eq!(home.tree(), ".c -> dotfiles/p/.c\nb -> dotfiles/p/b\n");
        }
    }
}

#[test]
fn the_state_directory_may_be_deleted_at_any_time() {
    let home = Sandbox::with(&["dotfiles/p/.c/a", "dotfiles/q/.c/b"]);
    home.farm(&["link", "p"]).run().prints("linked p: 1 link\n");
    fs::remove_dir_all(home.state()).unwrap();
    home.farm(&["link", "q"]).run().prints("linked q: 1 directory unfolded\n");
    fs::remove_dir_all(home.state()).unwrap();
    home.farm(&["recover", "-q"]).run().prints("");
    let before = home.identity();
    home.farm(&["undo"]).run().prints("nothing to undo\n");
    assert_eq!(home.identity(), before);
    home.farm(&["unlink", "q"]).run().prints("unlinked q: 1 directory folded\n");
    fs::remove_dir_all(home.state()).unwrap();
    home.farm(&["unlink", "p"]).run().prints("unlinked p: 1 link removed\n");
    home.farm(&["undo"]).run().fails_with(0, &[]);
    assert_eq!(home.tree(), ".c -> dotfiles/p/.c\n");
}

#[test]
fn without_a_state_directory_farm_works_and_says_what_it_cannot_do() {
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "dotfiles/q/c", "file"]);
    let nowhere = home.text("file/state");
    let farm = |args: &[&str]| home.farm(args).env("FARM_STATE_DIR", &nowhere).run();
    let run = farm(&["link", "p"]);
    assert_eq!((run.code(), &*run.stdout), (0, "linked p: 2 links\n"), "{run}");
    let words = "this change cannot be undone later, nor recovered after a crash\n";
    assert!(run.stderr.starts_with("warning: cannot ") && run.stderr.ends_with(words), "{run}");
    assert_eq!(run.stderr.lines().count(), 1, "said once: {run}");
    farm(&["link", "p"]).prints("nothing to do: p is linked already\n");
    farm(&["unlink", "-q", "p"]).prints("");
    // What would be kept there stays where it is.
    home.write("c", "mine");
    let before = home.identity();
    let run = farm(&["link", "--replace", "q"]);
    assert_eq!(run.code(), 1, "{run}");
    assert!(run.stderr.contains("there is no state directory to keep it in"), "{run}");
    assert_eq!(home.identity(), before);
    farm(&["link", "-q", "--backup", "q"]).prints("");
    farm(&["undo"]).prints("nothing to undo\n");
}

#[test]
fn a_state_directory_that_became_read_only_is_done_without() {
    let world = World::from(Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "dotfiles/q/c"]));
    world.farm(&["link", "-q", "p"]).run().prints("");
    let link = &["link", "q"];
    let run = if rustix::process::geteuid().is_root() {
        // Root may write everywhere but on a file system that is read-only.
        let Some(strace) = strace() else { return };
        let inject = "inject=faccessat,?faccessat2:error=EROFS";
        world.traced(&strace, "faccessat,?faccessat2", Some(inject), link).run()
    } else {
        let memory = world.memory();
        fs::set_permissions(&memory, fs::Permissions::from_mode(0o500)).unwrap();
        let run = world.farm(link).run();
        fs::set_permissions(&memory, fs::Permissions::from_mode(0o700)).unwrap();
        run
    };
    assert_eq!((run.code(), &*run.stdout), (0, "linked q: 1 link\n"), "{run}");
    assert_eq!(run.stderr.matches("this change cannot be undone later").count(), 1, "{run}");
    assert_eq!(run.stderr.lines().count(), 1, "{run}");
}

#[test]
fn the_state_directory_is_private() {
    let world = World::from(crowded());
    world.farm(&["link", "-q", "--replace", "p"]).run().prints("");
    let mut dirs = vec![world.state()];
    let mut seen = 0;
    while let Some(dir) = dirs.pop() {
        seen += 1;
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o7777, 0o700, "{}", dir.display());
        // What is kept has the permissions that it had.
        let below = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
        dirs.extend(below.filter(|path| path.is_dir() && !path.ends_with("dir")));
    }
    assert!(seen >= 6, "state, targets, one of them, generations, kept, kept/1: {seen}");
}

#[test]
fn what_is_replaced_keeps_everything_on_another_file_system() {
    let Some(world) = far(crowded()) else { return };
    let home = &world.home;
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    home.mode("file", 0o640);
    home.mode("dir", 0o750);
    for path in ["file", "dir/mine", "dir/deep", "dir"] {
        fs::File::open(home.path(path)).unwrap().set_modified(old).unwrap();
    }
    let described = |path: &str| {
        let metadata = fs::symlink_metadata(home.path(path)).unwrap();
        (metadata.mode(), metadata.modified().unwrap(), fs::read(home.path(path)).ok())
    };
    let paths = ["file", "dir", "dir/mine", "dir/deep", "dir/deep/mine"];
    let before = (paths.map(described), world.entries());
    world.farm(&["link", "-q", "--replace", "p"]).run().prints("");
    assert_eq!(
        home.tree(),
        "dir -> dotfiles/p/dir\nfile -> dotfiles/p/file\nfolder -> dotfiles/p/folder\nnew -> dotfiles/p/new\n"
    );
    let kept = world.memory().join("kept/1");
    let file = fs::metadata(kept.join("file")).unwrap();
    assert_eq!((file.mode() & 0o7777, file.modified().unwrap()), (0o640, old));
    world.farm(&["undo", "-q"]).run().prints("");
    assert_eq!((paths.map(described), world.entries()), before);
}

#[test]
fn signals_take_everything_back() {
    let Some(strace) = strace() else { return };
    let trials = AtomicUsize::new(0);
    for (start, args) in [
        (folded as fn() -> Sandbox, &["link", "q"][..]),
        (crowded, &["link", "--replace", "p"]),
        (examples, &NINE),
    ] {
        let done = World::from(start());
        let interesting = |call: &str, _: &str| ["symlinkat", "renameat2", "mkdirat"].contains(&call);
        done.traced(&strace, CHANGES, None, args).run().fails_with(0, &[]);
        let (all, end) = (calls(&done.trace(), interesting), done.entries());
        on_all_processors(all.len(), |number| {
            let At { call, nth, line } = &all[number];
            let signal = ["SIGINT", "SIGTERM", "SIGHUP"][number % 3];
            let what = format!("{signal} at {call} {nth}, {line}");
            let world = World::from(start());
            let before = world.home.identity();
            let inject = format!("inject={call}:signal={signal}:when={nth}");
            let run = world.traced(&strace, CHANGES, Some(&inject), args).run_or_die();
            trials.fetch_add(1, Ordering::Relaxed);
            if run.signal().is_none() && run.code() == 0 {
                // There was nothing more to do that could be left.
                assert!(world.entries() == end, "{what}: {run}");
            } else {
                assert!(world.home.identity() == before, "{what}: {run}");
                if run.signal().is_none() {
                    assert_eq!((run.code(), &*run.stdout), (130, ""), "{what}: {run}");
                    assert!(run.stderr.starts_with("error: interrupted\n"), "{what}: {run}");
                } else {
                    // It was not ready for signals yet, and had not begun.
                    assert!(line.contains("0700"), "{what}: {run}");
                }
            }
            let recover = world.farm(&["recover"]).run();
            assert!(recover.stdout.starts_with("nothing to recover"), "{what}: {recover}");
            assert!(!world.is_interrupted() && left_over(&[&world.home.path(""), &world.state()]).is_empty());
        });
    }
    println!("signals: {} trials", trials.into_inner());
}

#[test]
fn an_error_while_reading_is_an_error_or_makes_no_difference() {
    let Some(strace) = strace() else { return };
    const READS: &str = "openat,?openat2,?open,getdents64,?newfstatat,?fstatat64,statx,?readlink,readlinkat";
    const ERRORS: [&str; 7] = ["EIO", "ENOSPC", "EACCES", "EDQUOT", "EROFS", "EINTR", "EMFILE"];
    let args = ["link", "q"];
    let done = World::from(folded());
    done.traced(&strace, READS, None, &args).run().fails_with(0, &[]);
    // The loader's and the runtime's are not farm's.
    let mut all = calls(&done.trace(), |_, _| true);
    let is_in = |at: &At, dirs: &[&str]| dirs.iter().any(|dir| at.line.contains(&format!("\"/{dir}")));
    let own = all.iter().rposition(|at| is_in(at, &["lib", "usr", "etc"])).map_or(0, |last| last + 1);
    all.drain(..own);
    all.retain(|at| !at.line.contains("AT_EMPTY_PATH") || own == 0);
    all.retain(|at| !is_in(at, &["proc", "sys", "dev"]));
    let end = done.entries();
    let [trials, refused] = [0, 0].map(AtomicUsize::new);
    on_all_processors(all.len() * ERRORS.len(), |number| {
        let (At { call, nth, line }, error) = (&all[number / ERRORS.len()], ERRORS[number % ERRORS.len()]);
        let what = format!("{error} from {call} {nth}, {line}");
        let world = World::from(folded());
        let before = world.home.identity();
        let inject = format!("inject={call}:error={error}:when={nth}");
        let run = world.traced(&strace, READS, Some(&inject), &args).run();
        assert!(world.trace().contains("(INJECTED)"), "{what}");
        trials.fetch_add(1, Ordering::Relaxed);
        match run.code() {
            0 => {
                // What had gone out of the way could not be removed: all is done, and the next run removes it.
                if world.is_interrupted() {
                    assert!(run.stderr.starts_with("warning: cannot "), "{what}: {run}");
                    world
                        .farm(&["recover"])
                        .run()
                        .fails_with(0, &["finished what an interrupted `farm link q`"]);
                }
                assert!(world.entries() == end, "{what}: {run}");
            }
            1 => {
                assert!(world.home.identity() == before, "{what}: {run}");
                let first = run.stderr.lines().next().unwrap_or_default();
                assert!(
                    first.starts_with("error: ") && first.contains(['/', '~']),
                    "names a path, {what}: {run}"
                );
                refused.fetch_add(1, Ordering::Relaxed);
            }
            code => panic!("{code}, {what}: {run}"),
        }
        assert!(!world.is_interrupted(), "{what}: {run}");
    });
    println!(
        "reading: {} calls, {} trials, {} refused",
        all.len(),
        trials.into_inner(),
        refused.into_inner()
    );
}
