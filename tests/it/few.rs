//! What a system gives little of: open files, and locks for who only reads.

use crate::runs::World;
use crate::sandbox::{Call, Sandbox, strace};

const DIRS: usize = 300;

/// A package whose directories are the target's, too, so that none of them folds.
fn wide() -> World {
    let home = Sandbox::new();
    for dir in 0..DIRS {
        home.dir(format!("dir-{dir}"));
        home.file(&format!("dotfiles/p/dir-{dir}/a"));
        home.file(&format!("dotfiles/p/dir-{dir}/b"));
    }
    World::from(home)
}

/// Calls farm as a process that may have forty files open, under `trace` if there is one.
fn with_few<'w>(world: &'w World, trace: &[&str], args: &[&str]) -> Call<'w> {
    let call = world.home.call("sh").args(["-c", "ulimit -n 40; exec \"$@\"", "sh"]).args(trace);
    call.args([env!("CARGO_BIN_EXE_farm")]).args(args)
}

#[test]
fn many_directories_are_linked_with_few_descriptors() {
    let world = wide();
    let start = world.home.tree();
    with_few(&world, &[], &["link", "-q", "p"]).run().prints("");
    assert_eq!(world.home.tree().matches(" -> ").count(), 2 * DIRS);
    with_few(&world, &[], &["relink", "-q", "p"]).run().prints("");
    with_few(&world, &[], &["undo", "-q"]).run().prints("");
    assert_eq!(world.home.tree(), start);
}

#[test]
fn what_was_begun_is_taken_back_with_few_descriptors() {
    let Some(strace) = strace() else { return };
    let world = wide();
    let start = world.home.tree();
    let trace = world.home.text("../trace");
    let strace = strace.to_str().unwrap();
    for inject in ["inject=symlinkat:error=EIO:when=200", "inject=symlinkat:signal=SIGKILL:when=200"] {
        let under = [strace, "-f", "-qq", "-o", &trace, "-e", "trace=symlinkat", "-e", inject];
        let run = with_few(&world, &under, &["link", "p"]).run_or_die();
        if run.signal().is_none() {
            assert_eq!((run.code(), world.home.tree()), (1, start.clone()), "{run}");
        }
        with_few(&world, &[], &["recover"]).run().fails_with(0, &[]);
        assert_eq!(world.home.tree(), start);
        assert!(!world.is_interrupted());
    }
}

/// So it is on NFS, where a lock is one on the server's bytes.
#[test]
fn a_lock_that_must_be_open_for_writing_is_taken() {
    let Some(strace) = strace() else { return };
    let world = World::from(Sandbox::with(&["dotfiles/p/a"]));
    for args in [["link", "-q", "p"], ["relink", "-q", "p"], ["unlink", "-q", "p"]] {
        world.traced(&strace, "flock", Some("inject=flock:error=EBADF:when=1"), &args).run().prints("");
    }
    assert_eq!(world.home.tree(), "");
}
