//! `farm check` looks over a whole target, and `farm prune` removes links into packages that lead to nothing.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::sandbox::Sandbox;

/// A home with links that are right, and with all that can be wrong with one.
fn home() -> Sandbox {
    let home = Sandbox::with(&[
        "dotfiles/p/.config/p/a",
        "dotfiles/p/.config/p/gone",
        "dotfiles/q/.config/q/sub/b",
        "dotfiles/q/.q",
        ".config/other",
        ".config/p/mine",
        ".git/x",
    ]);
    home.farm(&["link", "-q", "--no-fold", "p", "q"]).run().prints("");
    home.remove("dotfiles/p/.config/p/gone");
    home.remove("dotfiles/q");
    home.link("twice", "dotfiles/p/.config/p/a");
    home.link(".git/dead", "../dotfiles/p/dead");
    home.link("foreign", "/nonexistent/dotfiles");
    home
}

const FOUND: &str = "\
.config/p/gone   a link to ../../dotfiles/p/.config/p/gone, where nothing is
.config/q/sub/b  a link to ../../../dotfiles/q/.config/q/sub/b, and there is no package q
.q               a link to dotfiles/q/.q, and there is no package q
twice            leads to the same as .config/p/a
5 links into packages, 3 lead to nothing, 1 is one too many
";
const HINT: &str = "hint: `farm prune` removes what leads to nothing\n";

#[test]
fn everything_that_leads_to_nothing_is_found() {
    let home = home();
    let (before, times) = (home.identity(), home.times());
    home.farm(&["check"]).run().says(1, FOUND, HINT);
    home.farm(&["check", "-q"]).run().says(1, "", "");
    let all = home.farm(&["check", "--all"]).run();
    assert!(all.stdout.contains(".git/dead "), "{all}");
    assert_eq!((home.identity(), home.times()), (before, times));
}

#[test]
fn what_lies_beside_links_of_packages_is_listed_when_asked_for() {
    let home = Sandbox::with(&["dotfiles/p/bin/a", "dotfiles/p/lib/b", "bin/mine", "lib/c", "elsewhere/x"]);
    home.farm(&["link", "-q", "p"]).run().prints("");
    home.farm(&["check"]).run().prints("2 links into packages\n");
    home.farm(&["check", "--aliens"]).run().says(
        1,
        "bin/mine  no link of a package\nlib/c     no link of a package\n2 links into packages, 2 files beside them\n",
        "",
    );
}

#[test]
fn prune_removes_dead_links_with_the_directories_that_farm_made_for_them() {
    let home = home();
    let (before, tree) = (home.identity(), home.tree());
    let plan = "\
- .q -> dotfiles/q/.q
- .config/q/
- .config/q/sub/
- .config/q/sub/b -> ../../../dotfiles/q/.config/q/sub/b
- .config/p/gone -> ../../dotfiles/p/.config/p/gone
";
    let would = format!("{plan}would prune: 3 links removed; nothing was changed\n");
    home.farm(&["prune", "-n"]).run().prints(&would);
    assert_eq!(home.identity(), before);
    home.farm(&["prune"]).run().prints(&format!("{plan}pruned: 3 links removed\n"));
    assert_eq!(
        home.tree(),
        "\
.config/
.config/other
.config/p/
.config/p/a -> ../../dotfiles/p/.config/p/a
.config/p/mine
.git/
.git/dead -> ../dotfiles/p/dead
.git/x
foreign -> /nonexistent/dotfiles
twice -> dotfiles/p/.config/p/a
"
    );
    home.farm(&["prune"]).run().prints("nothing to do: no link into packages leads to nothing\n");
    home.farm(&["undo", "-q"]).run().prints("");
    assert_eq!(home.tree(), tree);
    home.farm(&["prune", "-q"]).run().prints("");
    home.farm(&["check"])
        .run()
        .prints("twice  leads to the same as .config/p/a\n2 links into packages, 1 is one too many\n");
}

#[test]
fn links_by_way_of_other_links_are_seen() {
    let home = Sandbox::with(&["dotfiles/p/a"]);
    home.link("alias", "dotfiles");
    home.link("other", ".");
    home.link("x", home.path("other/dotfiles/p/none"));
    home.link("y", "alias/p/none");
    home.farm(&["check"]).run().says(
        1,
        "\
x  a link to ~/other/dotfiles/p/none, where nothing is
y  a link to alias/p/none, where nothing is
2 links into packages, 2 lead to nothing
",
        HINT,
    );
}

#[test]
fn json_has_each_finding() {
    let home = home();
    let run = home.farm(&["check", "--json", "--aliens"]).run();
    let report = run.json();
    let finding = |path: &str, finding: &str, to: &str| json!({"path": path, "finding": finding, "to": to});
    assert_eq!(
        report["findings"],
        json!([
            finding("~/.config/p/gone", "dangling", "../../dotfiles/p/.config/p/gone"),
            finding("~/.config/q/sub/b", "package-gone", "../../../dotfiles/q/.config/q/sub/b"),
            finding("~/.q", "package-gone", "dotfiles/q/.q"),
            {"path": "~/twice", "finding": "duplicate", "to": "dotfiles/p/.config/p/a", "other": "~/.config/p/a"},
            {"path": "~/.config/p/mine", "finding": "alien"},
        ])
    );
    assert_eq!(
        (run.code(), &report["off"], &report["links"], &report["changed"]),
        (1, &json!(true), &json!(5), &json!(false))
    );
    let pruned = home.farm(&["prune", "--json"]).run().json();
    assert_eq!(
        (&pruned["changed"], pruned["ops"].as_array().map(Vec::len)),
        (&json!(true), Some(3)),
        "{pruned}"
    );
    assert_eq!(home.farm(&["prune", "--json"]).run().json()["changed"], json!(false));
}

#[test]
fn what_may_not_be_read_is_told_and_the_rest_is_looked_at() {
    if rustix::process::geteuid().is_root() {
        eprintln!("passed over: root may read everywhere");
        return;
    }
    let home = home();
    home.dir("locked");
    home.mode("locked", 0o000);
    let run = home.farm(&["check"]).run();
    home.mode("locked", 0o755);
    run.says(1, FOUND, &format!("warning: cannot read directory ~/locked: permission denied\n{HINT}"));
}

#[test]
fn a_link_that_becomes_something_else_meanwhile_stays() {
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b"]);
    home.farm(&["link", "-q", "p"]).run().prints("");
    fs::remove_file(home.path("dotfiles/p/a")).unwrap();
    home.remove("a");
    home.write("a", "mine");
    home.farm(&["prune"]).run().prints("nothing to do: no link into packages leads to nothing\n");
    assert_eq!(fs::read_to_string(home.path("a")).unwrap(), "mine");
}

#[test]
fn links_into_a_directory_that_is_empty_stay() {
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/q/b"]);
    home.farm(&["link", "-q", "p", "q"]).run().prints("");
    let before = home.tree();
    home.remove("dotfiles/p");
    home.remove("dotfiles/q");
    home.farm(&["prune"]).run().fails(
        1,
        "error: there is no package in ~/dotfiles, to which links lead\nnothing was changed\nhint: is it on a disk that \
         is not mounted?\n",
    );
    assert_eq!(home.tree(), before);
}

#[test]
fn a_link_that_leads_somewhere_again_while_prune_waits_stays() {
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b"]);
    home.farm(&["link", "-q", "p"]).run().prints("");
    let memory = fs::read_dir(home.state().join("targets")).unwrap().next().unwrap().unwrap().path();
    let lock = fs::File::open(memory.join("lock")).unwrap();
    lock.lock().unwrap();
    home.remove("dotfiles/p/a");
    let mut prune = home.farm(&["prune"]).spawn(Stdio::null());
    thread::sleep(Duration::from_millis(500));
    home.file("dotfiles/p/a");
    drop(lock);
    assert!(prune.wait().unwrap().success());
    assert!(home.path("a").is_symlink());
}
