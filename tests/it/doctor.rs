//! `farm doctor` looks at everything that farm needs, and changes nothing.

use std::fs;

use serde_json::json;

use crate::sandbox::{Ran, Sandbox};

/// Runs `farm doctor`, which must leave everything as it was.
#[track_caller]
fn doctor(home: &Sandbox) -> Ran<'_> {
    let (before, times) = (home.identity(), home.times());
    let run = home.farm(&["doctor"]).run();
    assert_eq!((home.identity(), home.times()), (before, times), "{run}");
    run
}

#[test]
fn a_farm_that_is_well() {
    let home = Sandbox::with(&["dotfiles/nvim/.config/nvim/init.lua"]);
    let version = env!("CARGO_PKG_VERSION");
    let state = home.state().display().to_string();
    doctor(&home).prints(&format!(
        "\
fine     farm                {version}
fine     dotfiles directory  ~/dotfiles
fine     target              ~
fine     farm.toml           none: packages are linked as GNU Stow does it
fine     state directory     {state} is made with the first change
nothing is wrong
"
    ));
    assert!(!home.state().exists());
    home.write("dotfiles/farm.toml", "[package.nvim]\n[file.'~/.x']\ntext = 'x'\n");
    home.write(".stowrc", "--dotfiles\n");
    home.farm(&["switch", "-q"]).run().prints("");
    doctor(&home).prints(&format!(
        "\
fine     farm                {version}
fine     dotfiles directory  ~/dotfiles
fine     target              ~
fine     farm.toml           ~/dotfiles/farm.toml: 1 package, 1 file
fine     .stowrc             farm.toml takes its place: `farm stow` alone reads it
fine     state directory     {state}
fine     generations         1 can be gone back to
nothing is wrong
"
    ));
    home.farm(&["doctor", "-q"]).run().prints("");
}

#[test]
fn what_does_not_work_is_told_with_what_helps() {
    let home = Sandbox::with(&["dotfiles/nvim/.config/nvim/init.lua"]);
    home.write("dotfiles/farm.toml", "[package.nvim]\n[session.variables]\nEDITOR = 'nvim'\n");
    home.farm(&["link", "-q", "nvim"]).run().prints("");
    home.mode("../state", 0o755);
    home.link(".farm-0123-1", "nowhere");
    let run = home.farm(&["doctor"]).env("PATH", "/nonexistent").run();
    let state = home.state().display().to_string();
    for line in [
        &format!(
            "warning  state directory     {state} lets others in, and holds what was in the way: `chmod 700 {state}`"
        ),
        "warning  left over           ~/.farm-0123-1 is of a run that was interrupted and forgotten",
        "warning  session             new shells do not get what farm.toml says: `farm switch`",
        "warning  git                 it cannot be run: `farm status` does not see what programs write",
        "4 warnings",
    ] {
        assert!(run.stdout.lines().any(|it| it == line), "no {line:?} in {run}");
    }
    assert_eq!(run.code(), 0, "{run}");
}

#[test]
fn what_keeps_farm_from_working_is_an_error() {
    let home = Sandbox::with(&["dotfiles/nvim/.config/nvim/init.lua"]);
    home.farm(&["link", "-q", "nvim"]).run().prints("");
    let memory = fs::read_dir(home.state().join("targets")).unwrap().next().unwrap().unwrap().path();
    fs::write(memory.join("journal"), "{").unwrap();
    let run = doctor(&home);
    assert!(run.code() == 0 && run.stdout.contains("`farm recover` mends that"), "{run}");
    fs::remove_file(memory.join("journal")).unwrap();
    fs::write(memory.join("generations/1"), "{").unwrap();
    let run = doctor(&home);
    assert!(run.code() == 1 && run.stdout.contains("error    generations "), "{run}");
    assert!(run.stdout.ends_with("1 error\n"), "{run}");
    let report = home.farm(&["doctor", "--json"]).run().json();
    assert_eq!((&report["level"], &report["changed"]), (&json!("error"), &json!(false)));
    assert_eq!(
        report["findings"][0],
        json!({"about": "farm", "level": "fine", "says": env!("CARGO_PKG_VERSION")})
    );
    home.write("dotfiles/farm.toml", "[package.nosuch]\nas = 3\n");
    home.farm(&["doctor"]).run().fails_with(1, &["farm.toml:2:6", "nothing was changed"]);
}

#[test]
fn a_state_directory_that_is_a_file_is_an_error() {
    let home = Sandbox::with(&["dotfiles/nvim/.config/nvim/init.lua", "state"]);
    home.mode("state", 0o666);
    let run = home.farm(&["doctor"]).env("FARM_STATE_DIR", home.path("state")).run();
    let says = "error    state directory     ~/state is not a directory: no change can be undone\n1 error\n";
    assert!(run.code() == 1 && run.stdout.ends_with(says), "{run}");
}
