//! Whole outputs as they are seen on a terminal, with colour, and what pipes get of them: the same without.
//!
//! `INSTA_UPDATE=always cargo test terminal` writes what is seen anew.

use std::fmt::Write as _;

use crate::ask::has_script;
use crate::guide::lasting;
use crate::sandbox::Sandbox;

/// Runs a line of a shell on a terminal and into a pipe, and returns what is seen on the terminal.
fn seen(home: &Sandbox, line: &str) -> String {
    let farm = env!("CARGO_BIN_EXE_farm");
    let line = line.replace("farm ", &format!("'{farm}' ")) + " 2>&1";
    let call = |colour: &str| {
        let script = home.call("script").args(["-qec", &line, "/dev/null"]);
        let run = script.env("TERM", "xterm-256color").env("NO_COLOR", colour).env("TZ", "UTC").run();
        run.stdout.replace('\r', "")
    };
    let piped = home.call("sh").args(["-c", &format!("({line}) | cat")]).env("TZ", "UTC").run().stdout;
    let (terminal, plain) = (call(""), call("1"));
    assert_eq!(plain, piped, "{line}: NO_COLOR is no pipe");
    assert_eq!(anstream::adapter::strip_str(&terminal).to_string(), piped, "{line}: only colour differs");
    assert!(!piped.contains('\x1b'), "{line}: {piped:?}");
    terminal.lines().map(|line| format!("{}\n", lasting(line).replace('\x1b', "␛"))).collect()
}

#[test]
fn colour_is_all_that_a_terminal_gets_more() {
    if !has_script() {
        eprintln!("passed over: there is no script that makes a terminal");
        return;
    }
    let home = Sandbox::with(&[
        "dotfiles/zsh/.zshrc",
        "dotfiles/zsh/.zshenv",
        "dotfiles/nvim/.config/nvim/init.lua",
        "dotfiles/tmux/.config/tmux/tmux.conf",
        ".config/tmux/tmux.conf",
        "dotfiles/gone/.gone",
    ]);
    home.write(".config/tmux/tmux.conf", "mine\n");
    home.farm(&["link", "-q", "zsh", "gone"]).run().prints("");
    home.remove("dotfiles/gone");
    let mut all = String::new();
    for line in [
        "farm link -n nvim",
        "farm link tmux",
        "farm link -n --backup tmux",
        "farm unlink -n zsh",
        "farm status",
        "farm status --long tmux",
        "farm status --tree zsh nvim tmux",
        "farm diff tmux",
        "farm why ~/.zshrc",
        "farm list",
        "farm check",
        "farm prune -n",
        "farm generations",
        "farm link nvm",
        "farm bogus",
    ] {
        let _ = writeln!(all, "$ {line}\n{}", seen(&home, line));
    }
    insta::assert_snapshot!(all);
}
