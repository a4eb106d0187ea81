//! Others at work at the same time: readers, editors, directories that are swapped, a second farm.
//!
//! Each test goes on for a second or two. What must hold, holds at every instant: a reader finds what it opens, nothing
//! outside the target changes, and what somebody wrote is somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::sandbox::Sandbox;

/// How long each race is run.
const RACE: Duration = Duration::from_millis(1500);

/// Ends a race when it goes, after a failed assertion, too.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does `disturb` over and over while `work` runs again and again for the length of a race; returns how often the two
/// were done.
fn race(disturb: impl Fn(usize) + Sync, mut work: impl FnMut(usize)) -> (usize, usize) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let disturber = scope.spawn(|| {
            let mut count = 0;
            while !over.load(Ordering::Relaxed) {
                disturb(count);
                count += 1;
            }
            count
        });
        let end = Over(&over);
        let start = Instant::now();
        let mut count = 0;
        while start.elapsed() < RACE {
            work(count);
            count += 1;
        }
        drop(end);
        (disturber.join().expect("the disturber goes on"), count)
    })
}

/// Lets two names change places; `false` where the file system cannot.
fn exchange(one: &Path, other: &Path) -> bool {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

/// All that is written anywhere: in the home, in packages, in the state directory.
fn written(home: &Sandbox) -> Vec<String> {
    fn collect(path: &Path, into: &mut Vec<String>) {
        let Ok(metadata) = fs::symlink_metadata(path) else { return };
        if metadata.is_dir() {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                collect(&entry.path(), into);
            }
        } else if metadata.is_file() {
            into.extend(fs::read_to_string(path));
        }
    }
    let mut all = Vec::new();
    collect(&home.path(""), &mut all);
    collect(&home.path("../state"), &mut all);
    all
}

/// Nothing of farm's own is left in the home.
fn is_tidy(home: &Sandbox) -> bool {
    !home.tree().contains(".farm-") && !home.tree_below("dotfiles").contains(".farm-")
}

#[test]
fn a_reader_never_finds_a_path_missing_while_farm_works_at_it() {
    let home = Sandbox::with(&[
        "dotfiles/p/.c/nvim/init",
        "dotfiles/q/.c/nvim/other",
        "dotfiles/r/rc",
        ".c/x",
        "rc",
    ]);
    home.dir("a");
    home.dir("b");
    if !exchange(&home.path("a"), &home.path("b")) {
        return;
    }
    home.farm(&["link", "-q", "p"]).run().prints("");
    let (folded, file) = (home.path(".c/nvim/init"), home.path("rc"));
    // Who has read the link when the file leaves the package, finds it gone.
    // The number is odd while one leaves.
    let leaves = AtomicUsize::new(0);
    let read = |_| {
        for path in [&folded, &file] {
            let before = leaves.load(Ordering::SeqCst);
            if let Err(error) = fs::File::open(path) {
                assert!(
                    before % 2 == 1 || leaves.load(Ordering::SeqCst) != before,
                    "{}: {error}",
                    path.display()
                );
            }
        }
    };
    let (reads, rounds) = race(read, |_| {
        // Unfolded, backed up; folded, restored; taken into the state directory and out of it; adopted and undone.
        home.farm(&["link", "-q", "--backup", "q", "r"]).run().prints("");
        home.farm(&["unlink", "-q", "--restore", "q", "r"]).run().prints("");
        home.farm(&["link", "-q", "--replace", "q", "r"]).run().prints("");
        home.farm(&["undo", "-q"]).run().prints("");
        home.farm(&["adopt", "-q", "r"]).run().prints("");
        leaves.fetch_add(1, Ordering::SeqCst);
        home.farm(&["undo", "-q"]).run().prints("");
        leaves.fetch_add(1, Ordering::SeqCst);
    });
    assert!(reads > rounds && rounds > 0, "{reads} reads in {rounds} rounds");
}

#[test]
fn a_directory_that_is_swapped_for_a_link_leads_nobody_outside() {
    let home = Sandbox::with(&["dotfiles/p/d/e/x", "dotfiles/p/d/e/y", "dotfiles/q/d/e/z", "d/e/mine"]);
    fs::create_dir_all(home.path("../outside/e")).expect("a directory");
    fs::write(home.path("../outside/e/theirs"), "theirs").expect("a file");
    home.link("away", home.path("../outside"));
    let (dir, away) = (home.path("d"), home.path("away"));
    let swap = |_| {
        exchange(&dir, &away);
        thread::yield_now();
    };
    let names = || {
        let mut names: Vec<_> = fs::read_dir(home.path("../outside/e"))
            .expect("the directory outside")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    let (swaps, rounds) = race(swap, |number| {
        let args: &[&str] =
            if number % 2 == 0 { &["link", "-q", "p", "q"] } else { &["unlink", "-q", "p", "q"] };
        let ran = home.farm(args).run();
        assert!([0, 1, 3].contains(&ran.code()), "{ran}");
        assert_eq!(names(), ["theirs"], "{ran}");
    });
    assert!(swaps > rounds && rounds > 5, "{swaps} swaps, {rounds} rounds");
    if fs::symlink_metadata(&dir).expect("d").is_symlink() {
        exchange(&dir, &away);
    }
    home.farm(&["recover"]).run().fails_with(0, &[]);
    home.farm(&["unlink", "-q", "p", "q"]).run().prints("");
    assert_eq!(home.tree_below("d"), "e/\ne/mine\n");
    assert_eq!(fs::read_to_string(home.path("../outside/e/theirs")).expect("their file"), "theirs");
    assert!(is_tidy(&home));
}

#[test]
fn what_an_editor_saved_is_never_lost() {
    let home = Sandbox::with(&["dotfiles/p/rc", "rc", "rc.new"]);
    home.dir("earlier");
    // The more farm has to do between looking and acting, the sooner they meet.
    (0..300).for_each(|number| home.file(&format!("dotfiles/p/f{number}")));
    let (file, new) = (home.path("rc"), home.path("rc.new"));
    if !exchange(&new, &file) {
        return;
    }
    // As careful editors save: the new file changes places with what is there, whatever that is, and a file that was
    // there is kept. So nobody but farm could lose a save.
    let save = |number| {
        fs::write(&new, format!("save {number}")).expect("a new file");
        if !exchange(&new, &file) {
            let _ = renameat_with(CWD, &new, CWD, &file, RenameFlags::NOREPLACE);
        }
        match fs::symlink_metadata(&new) {
            Ok(old) if old.is_symlink() => fs::remove_file(&new).expect("the link goes"),
            Ok(_) => fs::rename(&new, home.path(format!("earlier/{number}"))).expect("a rename"),
            Err(_) => {}
        }
        // Now at once, now late: some saves come between the look and the act.
        thread::sleep(Duration::from_micros(100 * (number as u64 * 7919 % 150)));
    };
    let (saves, rounds) = race(save, |number| {
        let args: &[&str] = match number % 4 {
            0 => &["link", "-q", "--backup", "--backup-existing=number", "p"],
            1 => &["unlink", "-q", "--restore", "p"],
            2 => &["link", "-q", "--replace", "p"],
            _ => &["undo", "-q"],
        };
        let ran = home.farm(args).run();
        assert!([0, 1, 3].contains(&ran.code()), "{ran}");
    });
    home.farm(&["recover"]).run().fails_with(0, &[]);
    let written: BTreeSet<String> = written(&home).into_iter().collect();
    let lost: Vec<_> = (0..saves).filter(|number| !written.contains(&format!("save {number}"))).collect();
    assert!(lost.is_empty(), "{lost:?} of {saves} saves in {rounds} rounds");
    assert!(written.contains("dotfiles/p/rc"), "the package's own file");
    assert!(is_tidy(&home));
}

#[test]
fn two_farms_take_turns() {
    let home = Sandbox::with(&["dotfiles/p/.c/x", "dotfiles/q/.c/y"]);
    let both = ".c/\n.c/x -> ../dotfiles/p/.c/x\n.c/y -> ../dotfiles/q/.c/y\n";
    for _ in 0..10 {
        thread::scope(|scope| {
            for package in ["p", "q"] {
                let home = &home;
                scope.spawn(move || home.farm(&["link", "-q", package]).run().fails_with(0, &[]));
            }
        });
        assert_eq!(home.tree(), both);
        thread::scope(|scope| {
            for args in [["unlink", "-q", "p"], ["link", "-q", "p"]] {
                let home = &home;
                scope.spawn(move || home.farm(&args).run().fails_with(0, &[]));
            }
        });
        assert!([both, ".c -> dotfiles/q/.c\n"].contains(&&*home.tree()), "{}", home.tree());
        home.farm(&["unlink", "-q", "p"]).run();
        home.farm(&["unlink", "-q", "q"]).run();
        assert_eq!(home.tree(), "");
    }
}

#[test]
fn who_does_not_wait_is_told() -> io::Result<()> {
    let home = Sandbox::with(&["dotfiles/p/x"]);
    home.farm(&["link", "-q", "p"]).run().prints("");
    let target = fs::read_dir(home.path("../state/targets"))?.next().expect("a target")?.path();
    let lock = fs::File::open(target.join("lock"))?;
    lock.lock()?;
    let refused = home.farm(&["unlink", "--no-wait", "p"]).run();
    refused.fails_with(
        1,
        &["another farm is at work there", "nothing was changed", "without --no-wait farm waits"],
    );
    thread::scope(|scope| {
        let waiting = scope.spawn(|| home.farm(&["unlink", "p"]).run().stderr.clone());
        thread::sleep(Duration::from_millis(300));
        assert_eq!(home.tree(), "x -> dotfiles/p/x\n");
        lock.unlock()?;
        let said = waiting.join().expect("the one that waits goes on");
        assert_eq!(said, "waiting for another farm to finish with this target\n");
        Ok::<(), io::Error>(())
    })?;
    assert_eq!(home.tree(), "");
    Ok(())
}
