//! What takes long shows on a terminal how far it has come, and nowhere else. `script` makes the terminal and strace the
//! wait; where one is missing, the tests pass with a note.

use crate::ask::has_script;
use crate::sandbox::{Ran, Sandbox, strace};

/// Runs farm on a terminal, and lets a system call take a second.
fn slow<'s>(home: &'s Sandbox, call: &str, args: &str) -> Option<Ran<'s>> {
    let (strace, true) = (strace()?, has_script()) else {
        eprintln!("passed over: there is no script that makes a terminal");
        return None;
    };
    let farm = env!("CARGO_BIN_EXE_farm");
    let inject = format!("-e trace={call} -e inject={call}:delay_enter=1000000:when=1");
    let trace = home.text("../trace");
    let line = format!("'{}' -f -qq -o '{trace}' {inject} '{farm}' {args}", strace.display());
    Some(home.call("script").args(["-qefc", &line, "/dev/null"]).env("TERM", "xterm").run())
}

fn home() -> Sandbox {
    Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "dotfiles/q/c"])
}

#[test]
fn what_takes_long_shows_how_far_it_is() {
    let home = home();
    for (call, args, shows, ends) in [
        ("getdents64", "link p", "reading and planning", "linked p: 2 links"),
        ("symlinkat", "link q", "1 of 1 changes", "linked q: 1 link"),
        ("readlink", "check", "looked at ", "3 links into packages"),
        ("unlinkat", "unlink p", " of 2 changes", "unlinked p: 2 links removed"),
    ] {
        let Some(run) = slow(&home, call, args) else { return };
        assert!(run.stdout.contains(shows) && run.stdout.contains(ends), "{args}: {run}");
        // It is gone when there is something to say.
        let shown = run.stdout.rfind(shows).unwrap();
        assert!(run.stdout[shown..].contains("\x1b[2K"), "{args}: {run}");
    }
}

#[test]
fn nobody_who_wants_none_of_it_sees_it() {
    let home = home();
    for args in ["link -q p", "relink --json p"] {
        let Some(run) = slow(&home, "getdents64", args) else { return };
        assert!(!run.stdout.contains("planning"), "{args}: {run}");
    }
}
