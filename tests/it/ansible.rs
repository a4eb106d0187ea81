//! The example playbook, run by ansible on this machine.

use crate::sandbox::{Ran, Sandbox};

/// Runs the playbook, and returns what it counts: `ok=1 changed=0 … failed=0 …`.
fn play<'s>(home: &'s Sandbox, more: &[&str]) -> Ran<'s> {
    let playbook = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/ansible/playbook.yml");
    let farm = format!("farm={}", env!("CARGO_BIN_EXE_farm"));
    let call = home.call("ansible-playbook").args(["-i", "localhost,", "-c", "local", "-e", &farm, playbook]);
    // The Python that runs it will do; and it runs in no other locale.
    let python = "ansible_python_interpreter={{ ansible_playbook_python }}";
    call.args(["-e", python]).args(more).env("LC_ALL", "C.UTF-8").env("ANSIBLE_NOCOLOR", "1").run()
}

#[track_caller]
fn counts(ran: Ran, changed: u32, failed: u32) {
    let recap =
        ran.stdout.lines().find(|line| line.starts_with("localhost") && line.contains("ok=")).unwrap_or("");
    let has = |count: &str| recap.split_whitespace().any(|word| word == count);
    assert!(has(&format!("changed={changed}")) && has(&format!("failed={failed}")), "{ran}");
}

#[test]
fn the_playbook_changes_what_is_to_be_changed_and_says_when_nothing_is() {
    let dirs = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&dirs).any(|dir| dir.join("ansible-playbook").is_file()) {
        eprintln!("passed over: there is no ansible-playbook");
        return;
    }
    let home = Sandbox::with(&["dotfiles/zsh/.zshrc"]);
    home.write("dotfiles/farm.toml", "[package.zsh]\n");
    counts(play(&home, &["--check"]), 1, 0);
    assert!(!home.path(".zshrc").is_symlink() && !home.state().exists(), "--check changes nothing");
    counts(play(&home, &[]), 1, 0);
    assert!(home.path(".zshrc").is_symlink());
    let times = home.path(".zshrc").symlink_metadata().unwrap();
    counts(play(&home, &[]), 0, 0);
    assert_eq!(
        home.path(".zshrc").symlink_metadata().unwrap().modified().unwrap(),
        times.modified().unwrap()
    );
    home.remove(".zshrc");
    home.write(".zshrc", "mine\n");
    counts(play(&home, &[]), 0, 1);
}
