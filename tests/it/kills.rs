//! A run that is killed, stopped or hit by an error is taken back or finished, by itself or by the next run, and nothing
//! is lost. strace does the killing, at every system call that changes anything; where it is missing, those tests pass
//! with a note.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use crate::runs::{
    At, CHANGES, MAIN, MORE, NINE_PACKAGES, Run, World, calls, crowded, examples, far, folded,
};
use crate::sandbox::{Sandbox, contents, left_over, on_all_processors, strace};

const SIGKILL: i32 = 9;

/// Kills a run before each of its system calls that change anything, so after each one, too; returns the number of kills.
///
/// The next run, `farm recover` or a command that has nothing to do with it, must find or make exactly the state before
/// or exactly the planned one. Some of the next runs are killed, too.
fn every_kill(strace: &Path, run: &Run) -> usize {
    let Run { name, args, .. } = run;
    let start = || {
        let world = (run.start)()?;
        world.home.file("dotfiles/other/other");
        Some(world)
    };
    let Some(done) = start() else { return 0 };
    done.traced(strace, CHANGES, None, args).run().fails_with(0, &[]);
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
        let run = world.traced(strace, CHANGES, Some(&kill), args).run_or_die();
        assert_eq!(run.signal(), Some(SIGKILL), "{what}: {run}");
        kills.fetch_add(1, Ordering::Relaxed);
        world.has_lost_nothing_of(&planted, &what);
        let was_interrupted = world.is_interrupted();
        if number % 3 == 0 {
            let kill =
                format!("inject=renameat2,unlinkat,symlinkat:signal=SIGKILL:when={}", 1 + number / 3 % 4);
            let run = world.traced(strace, CHANGES, Some(&kill), &["recover"]).run_or_die();
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
    let kills = kills.into_inner();
    println!(
        "{name}: {} calls, {kills} kills; taken back by the next run {}, finished {}",
        all.len(),
        took_back.into_inner(),
        finished.into_inner()
    );
    kills
}

#[test]
fn what_was_moved_out_of_a_directory_that_is_gone_waits_for_it() {
    let Some(strace) = strace() else { return };
    for (how, rest) in [("--replace", "kept/1/d/f"), ("--adopt", "")] {
        let home = Sandbox::with(&["dotfiles/p/d/f", "dotfiles/p/d/g", "d/f", "d/g", "dotfiles/q/q"]);
        let killed = home
            .call(&strace)
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=renameat2:signal=KILL:when=2"])
            .args([env!("CARGO_BIN_EXE_farm"), "link", how, "p"])
            .run_or_die();
        assert_eq!(killed.signal(), Some(SIGKILL), "{killed}");
        let bytes = || contents(&[&home.path(""), &home.state()]);
        let before = bytes();
        fs::rename(home.path("d"), home.path("d.old")).unwrap();
        for args in [&["recover"][..], &["link", "q"]] {
            home.farm(args)
                .run()
                .fails_with(3, &["cannot put back ~/d/f", "its directory is not there", rest]);
            assert_eq!(bytes(), before);
        }
        fs::rename(home.path("d.old"), home.path("d")).unwrap();
        home.farm(&["recover"]).run().fails_with(0, &["took back"]);
        assert_eq!(home.tree(), "d/\nd/f\nd/g\n", "{how}");
        assert_eq!(fs::read_to_string(home.path("d/f")).unwrap(), "d/f");
    }
}

#[test]
fn a_run_that_is_killed_anywhere_is_taken_back_or_finished_by_the_next() {
    let Some(strace) = strace() else { return };
    let kills: usize = MAIN.iter().chain(&MORE).map(|run| every_kill(&strace, run)).sum();
    println!("trials: {kills} kills");
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

#[test]
fn what_a_failed_run_cannot_take_back_is_named_and_the_next_one_takes_it_back() {
    let Some(strace) = strace() else { return };
    let world = World::from(Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b"]));
    // The second link cannot be made, and then the first one not be taken away.
    let (fails, sticks) = ("inject=symlinkat:error=EIO:when=2", "inject=renameat2:error=EIO");
    let call = world.home.call(&strace).args(["-f", "-qq", "-o", "/dev/null", "-e", fails, "-e", sticks]);
    call.args([env!("CARGO_BIN_EXE_farm"), "link", "p"]).run().fails(
        3,
        "error: cannot make link ~/b: Input/output error\nall else was taken back, but not this:\n  cannot remove ~/a: \
         Input/output error\nhint: mend these and run `farm recover`\n",
    );
    assert!(world.is_interrupted());
    world.farm(&["recover"]).run().says(0, "", "took back what an interrupted `farm link p` had begun\n");
    assert_eq!((world.home.tree(), world.is_interrupted()), (String::new(), false));
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
            let hint = match journal == newer {
                true => "use that farm here: it knows what was done, and this one does not",
                false => {
                    "`farm recover --forget` sets it aside; links that are missing then come back with `farm relink`"
                }
            };
            let path_shown = path.display();
            let says = format!("error: cannot read {path_shown}: {why}\nnothing was changed\nhint: {hint}\n");
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
fn stow_needs_no_state_directory_and_says_nothing_of_it() {
    let world = World::from(Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "file"]));
    let home = &world.home;
    let nowhere = home.text("file/state");
    let both = "a -> dotfiles/p/a\nb -> dotfiles/p/b\nfile\n";
    // No place is named, or none can be made.
    for state in [None, Some(&nowhere)] {
        let stow = |args: &[&str]| {
            let call = home.stow(args).env_remove("HOME").env_remove("FARM_STATE_DIR");
            match state {
                Some(state) => call.env("FARM_STATE_DIR", state).run().prints(""),
                None => call.run().prints(""),
            };
        };
        stow(&["p"]);
        assert_eq!(home.tree(), both);
        stow(&["-D", "p"]);
        assert_eq!(home.tree(), "file\n");
    }
    let Some(strace) = strace() else { return };
    let stow = |inject: &str, args: &[&str]| {
        let call = world.traced(&strace, "mkdirat,write,symlinkat", Some(inject), &["stow"]);
        call.args(args).run()
    };
    // A home that cannot be written, and a disk that is full already; then one that fills up.
    for inject in ["inject=mkdirat:error=EROFS", "inject=mkdirat:error=ENOSPC", "inject=write:error=ENOSPC"] {
        stow(inject, &["p"]).prints("");
        assert_eq!(home.tree(), both, "{inject}");
        stow(inject, &["-D", "p"]).prints("");
        assert_eq!(home.tree(), "file\n", "{inject}");
    }
    assert!(world.memory().exists() && !world.is_interrupted());
    // All or nothing it is all the same.
    let before = home.identity();
    let call = world.traced(&strace, "symlinkat", Some("inject=symlinkat:error=EIO:when=2"), &["stow", "p"]);
    let run = call.env("FARM_STATE_DIR", &nowhere).run();
    run.fails_with(2, &["cannot make link ~/b", "All operations were taken back."]);
    assert_eq!(home.identity(), before);
}

#[test]
fn stow_adopts_an_equal_file_without_a_state_directory() {
    let home = Sandbox::new();
    for path in ["dotfiles/p/a", "a", "dotfiles/p/b", "file"] {
        home.write(path, "equal");
    }
    home.write("b", "other");
    let stow = |args: &[&str]| home.stow(args).env_remove("HOME").env_remove("FARM_STATE_DIR");
    let nowhere = home.text("file/state");
    let before = home.identity();
    let words = "there is no state directory to keep it in (cannot ";
    stow(&["--adopt", "p"]).run().fails_with(2, &[words, "neither FARM_STATE_DIR nor HOME says where"]);
    let run = stow(&["--adopt", "p"]).env("FARM_STATE_DIR", &nowhere).run();
    run.fails_with(2, &[words, "/file", "Not a directory"]);
    assert_eq!(home.identity(), before);
    home.remove("b");
    let said = "MV: a -> dotfiles/p/a\nLINK: a => dotfiles/p/a\nLINK: b => dotfiles/p/b\n";
    stow(&["-v", "--adopt", "p"]).run().says(0, "", said);
    assert_eq!(home.tree(), "a -> dotfiles/p/a\nb -> dotfiles/p/b\nfile\n");
    // A mode is something to lose.
    home.remove("a");
    home.write("a", "equal");
    home.mode("a", 0o600);
    let before = home.identity();
    stow(&["--adopt", "p"]).run().fails_with(2, &[words]);
    assert_eq!(home.identity(), before);
}

#[test]
fn links_need_no_room_for_a_journal_and_what_moves_does() {
    let Some(strace) = strace() else { return };
    let world = World::from(Sandbox::with(&["dotfiles/p/a", "dotfiles/q/b", "b"]));
    world.farm(&["link", "-q", "p"]).run().prints("");
    let journal = world.memory().join("journal");
    let problem = format!("cannot write {}: No space left on device", journal.display());
    let full =
        |args: &[&str]| world.traced(&strace, "write", Some("inject=write:error=ENOSPC:when=1"), args).run();
    let before = world.home.identity();
    full(&["link", "--backup", "q"]).fails(1, &format!("error: {problem}\nnothing was changed\n"));
    full(&["undo"]).fails_with(1, &[&problem, "nothing was changed"]);
    assert_eq!(world.home.identity(), before);
    let said =
        format!("warning: {problem}: this change cannot be undone later, nor recovered after a crash\n");
    full(&["unlink", "p"]).says(0, "unlinked p: 1 link removed\n", &said);
    assert_eq!(world.home.tree(), "b\n");
    assert!(!world.is_interrupted());
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
        (examples, NINE_PACKAGES.args),
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
    println!("trials: {} signals", trials.into_inner());
}
