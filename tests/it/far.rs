//! What moves to another file system is there what it was, or does not move.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown};
use std::path::Path;

use rustix::fs::XattrFlags;

use crate::runs::{World, far};
use crate::sandbox::{Sandbox, left_over, strace};

/// Whom nothing belongs to, and who is not root.
const NOBODY: u32 = 65534;

/// Returns a home in which `file` and `dir` are in a package's way, with a memory on another file system.
fn crowded() -> Option<World> {
    let home = Sandbox::with(&["dotfiles/p/dir", "dotfiles/p/file", "dotfiles/q/q"]);
    home.write("file", "the user's file");
    home.write("dir/in/mine", "the user's file in a directory");
    far(home)
}

fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("passed over: only root may give files away");
    }
    is_root
}

/// Gives everything to somebody who is not root.
fn give(path: &Path) {
    lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if fs::symlink_metadata(path).unwrap().is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path()));
    }
}

/// Gives the whole world to nobody; `false`, with a note, where nobody may start farm.
fn give_all(world: &World) -> bool {
    fs::create_dir_all(world.state()).unwrap();
    give(&world.home.path(".."));
    give(world.state().parent().unwrap());
    let can_start = world.farm(&["--version"]).by_nobody().can_start();
    if !can_start {
        eprintln!("passed over: farm lies where only root may start it");
    }
    can_start
}

/// Who owns each thing, and what may be done with it.
fn owners(world: &World) -> Vec<(u32, u32, u32)> {
    let paths = ["file", "dir", "dir/in", "dir/in/mine", "dir/link"];
    let metadata = paths.map(|path| fs::symlink_metadata(world.home.path(path)).unwrap());
    metadata.iter().map(|it| (it.uid(), it.gid(), it.mode())).collect()
}

#[test]
fn who_owns_something_owns_it_on_the_other_file_system_and_back() {
    let Some(world) = crowded().filter(|_| is_root()) else { return };
    let home = &world.home;
    home.link("dir/link", "in");
    for path in ["file", "dir", "dir/in/mine"] {
        chown(home.path(path), Some(NOBODY), Some(12345)).unwrap();
    }
    lchown(home.path("dir/link"), Some(NOBODY), Some(12345)).unwrap();
    home.mode("file", 0o4755);
    home.mode("dir", 0o2775);
    home.mode("dir/in/mine", 0o6750);
    let before = owners(&world);
    world.farm(&["link", "-q", "--replace", "p"]).run().prints("");
    let kept = fs::metadata(world.memory().join("kept/1/file")).unwrap();
    assert_eq!((kept.uid(), kept.gid(), kept.mode() & 0o7777), (NOBODY, 12345, 0o4755));
    world.farm(&["undo", "-q"]).run().prints("");
    assert_eq!(owners(&world), before);
}

#[test]
fn what_would_get_another_owner_does_not_move() {
    let Some(world) = crowded().filter(|_| is_root()) else { return };
    let home = &world.home;
    if !give_all(&world) {
        return;
    }
    chown(home.path("dir/in/mine"), Some(0), Some(0)).unwrap();
    let before = home.identity();
    let run = world.farm(&["link", "--replace", "p"]).by_nobody().run();
    run.fails(
        1,
        "error: cannot copy ~/dir: in/mine: it belongs to another user, and a copy there cannot\n\
         nothing was changed\n",
    );
    assert_eq!(home.identity(), before);
}

#[test]
fn what_would_get_another_group_loses_the_rights_that_come_with_it() {
    let Some(world) = crowded().filter(|_| is_root()) else { return };
    let home = &world.home;
    if !give_all(&world) {
        return;
    }
    chown(home.path("file"), None, Some(12345)).unwrap();
    home.mode("file", 0o6755);
    world.farm(&["link", "-q", "--replace", "p"]).by_nobody().run().prints("");
    let kept = fs::metadata(world.memory().join("kept/1/file")).unwrap();
    assert_eq!((kept.uid(), kept.gid(), kept.mode() & 0o7777), (NOBODY, NOBODY, 0o755));
    world.farm(&["undo", "-q"]).by_nobody().run().prints("");
    assert_eq!(fs::read_to_string(home.path("file")).unwrap(), "the user's file");
}

#[test]
fn what_cannot_keep_an_attribute_does_not_move() {
    let (Some(strace), Some(world)) = (strace(), crowded()) else { return };
    let home = &world.home;
    let note = rustix::fs::setxattr(home.path("dir/in/mine"), "user.note", b"mine", XattrFlags::empty());
    if note.is_err() {
        eprintln!("passed over: the file system has no attributes");
        return;
    }
    let before = home.identity();
    for error in ["EOPNOTSUPP", "EPERM", "EACCES"] {
        let inject = format!("inject=fsetxattr:error={error}");
        let run = world.traced(&strace, "fsetxattr", Some(&inject), &["link", "--replace", "p"]).run();
        run.fails_with(
            1,
            &[
                "error: cannot copy ~/dir: in/mine: its attribute user.note cannot be kept there: ",
                "nothing was changed\n",
            ],
        );
        assert_eq!(home.identity(), before);
    }
}

#[test]
fn a_directory_that_its_owner_may_not_write_moves_and_comes_back() {
    let Some(world) = crowded() else { return };
    let home = &world.home;
    let is_root = rustix::process::geteuid().is_root();
    if is_root && !give_all(&world) {
        return;
    }
    home.mode("dir/in", 0o555);
    home.mode("dir", 0o555);
    let tree = home.tree();
    let farm = |args: &[&str]| if is_root { world.farm(args).by_nobody() } else { world.farm(args) };
    farm(&["link", "-q", "--replace", "p"]).run().prints("");
    assert_eq!(home.tree(), "dir -> dotfiles/p/dir\nfile -> dotfiles/p/file\n");
    farm(&["undo", "-q"]).run().prints("");
    assert_eq!(home.tree(), tree);
    assert_eq!(fs::metadata(home.path("dir/in")).unwrap().permissions().mode() & 0o777, 0o555);
    assert_eq!(left_over(&[&home.path(""), &world.state()]), Vec::<std::path::PathBuf>::new());
    // What is taken back, too: there is no room for the last file.
    if let Some(strace) = strace() {
        let inject = Some("inject=symlinkat:error=ENOSPC:when=3");
        let call = world.traced(&strace, "symlinkat", inject, &["link", "--replace", "p"]);
        let run = if is_root { call.by_nobody() } else { call }.run();
        assert_eq!((run.code(), home.tree()), (1, tree), "{run}");
        let recover = farm(&["recover"]).run();
        assert!(recover.stdout.starts_with("nothing to recover"), "{recover}");
    }
    home.mode("dir", 0o755);
    home.mode("dir/in", 0o755);
}
