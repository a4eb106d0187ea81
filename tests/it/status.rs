//! `farm status` and `farm list`: how packages stand, and where they land.

use crate::sandbox::Sandbox;

const HINT: &str = "hint: `farm status --long` says what is wrong\n";

fn home() -> Sandbox {
    Sandbox::with(&[
        "dotfiles/nvim/.config/nvim/init.lua",
        "dotfiles/tmux/.config/tmux/tmux.conf",
        "dotfiles/zsh/.zprofile",
        "dotfiles/zsh/.zshrc",
    ])
}

#[test]
fn each_package_is_linked_or_not() {
    let home = home();
    home.dir("dotfiles/empty");
    home.farm(&["link", "nvim", "zsh"]).run();
    let times = home.times();
    let says = "\
empty  empty       nothing to link
nvim   linked      1 link
tmux   not linked  1 missing
zsh    linked      2 links
";
    home.farm(&["status"]).run().prints(says);
    // Nobody said that tmux is to be linked.
    home.farm(&["st", "--check"]).run().prints(says);
    let says = "tmux  not linked  1 missing\n";
    home.farm(&["status", "--check", "tmux"]).run().says(1, says, HINT);
    home.farm(&["status", "--check", "-q", "tmux"]).run().fails(1, "");
    home.farm(&["status", "-q"]).run().prints("");
    assert_eq!(home.times(), times, "a look changes nothing");
}

#[test]
fn a_package_that_the_manifest_names_is_to_be_linked() {
    let home = home();
    home.write("dotfiles/farm.toml", "[package.tmux]\n[package.zsh]\n");
    home.farm(&["switch"]).run();
    let linked = "tmux  linked      1 link\nzsh   linked      2 links\n";
    home.farm(&["status", "--check"]).run().prints(linked);
    home.farm(&["unlink", "tmux"]).run();
    home.farm(&["link", "nvim"]).run();
    let says = "nvim  linked      1 link\ntmux  not linked  1 missing\nzsh   linked      2 links\n";
    home.farm(&["status", "--check"]).run().says(1, says, HINT);
}

#[test]
fn a_package_of_other_machines_is_not_missing() {
    let home = home();
    home.write("dotfiles/farm.toml", "[package.tmux]\nwhen.host = 'other'\n[package.zsh]\n");
    home.farm(&["switch", "-q"]).run();
    let says = "tmux  not here    not for this machine\nzsh   linked      2 links\n";
    home.farm(&["status", "--check", "tmux", "zsh"]).run().prints(says);
    home.farm(&["status", "--check", "--long", "tmux"])
        .run()
        .prints("tmux  not here    not for this machine\n");
    let json = home.farm(&["status", "--json", "tmux"]).run().json();
    assert_eq!((&json["packages"][0]["state"], &json["off"]), (&"not-here".into(), &false.into()));
    // Unasked, only what farm.toml wants is told, and what has links.
    home.farm(&["status"]).run().prints("zsh  linked      2 links\n");
    home.write("dotfiles/farm.toml", "[package.tmux]\nwhen.host = 'other'\n");
    home.farm(&["status", "zsh", "tmux"]).run().fails_with(0, &[]);
    home.farm(&["list", "tmux"]).run().prints("tmux  into  ~  (not for this machine)\n");
    // What is there of it all the same is told.
    home.link(".config/tmux", "../dotfiles/tmux/.config/tmux");
    home.farm(&["status", "tmux"]).run().prints("tmux  linked      1 link, not for this machine\n");
}

#[test]
fn each_path_has_its_reason() {
    let home = home();
    home.link("dotfiles/zsh/.zlogin", "nowhere");
    home.file("dotfiles/zsh/.zshenv");
    home.file("dotfiles/zsh/.zlogout");
    home.file("dotfiles/zsh/.hushlogin");
    home.farm(&["link", "nvim", "zsh"]).run();
    home.remove(".zshrc");
    home.write(".zshrc", "written by a program");
    home.remove(".zprofile");
    home.remove("dotfiles/zsh/.zshenv");
    home.remove(".zlogout");
    home.write(".zlogout", "dotfiles/zsh/.zlogout");
    home.file("dotfiles/zsh/.zfunc");
    home.link(".zlocal", "elsewhere");
    home.file("dotfiles/zsh/.zlocal");
    let says = "\
zsh  conflict    1 link, 1 missing, 1 in the way, 1 dangling, 1 a copy, 1 gone, 1 stale, 1 replaced
  = .hushlogin  a link to dotfiles/zsh/.hushlogin
  + .zfunc      no link yet
  ! .zlocal     a link to elsewhere, not made by farm
  ! .zlogin     a link to dotfiles/zsh/.zlogin, which is itself a link that leads nowhere
  ~ .zlogout    a file equal to zsh's, not a link
  + .zprofile   the link that farm made is gone
  - .zshenv     a link to dotfiles/zsh/.zshenv, which zsh no longer has
  ! .zshrc      a file, not a link, and not equal to zsh's; it has replaced a link that farm made
";
    let hints = "\
hint: `farm adopt zsh` takes what is there into the package, `farm relink --replace zsh` puts the link back
hint: `farm link --backup zsh` moves what is in the way aside
";
    home.farm(&["status", "--long", "--check", "zsh"]).run().says(1, says, hints);
    home.remove(".zlocal");
    home.remove("dotfiles/zsh/.zlogin");
    // What the hint says is true.
    home.farm(&["relink", "--replace", "zsh"]).run();
    home.farm(&["status", "--check", "zsh"]).run().prints("zsh  linked      6 links\n");
}

#[test]
fn folds_that_could_be_and_folds_that_must_not_are_told() {
    let home = home();
    home.farm(&["link", "--no-fold", "nvim"]).run();
    home.farm(&["link", "tmux"]).run();
    home.write("dotfiles/tmux/.farmignore", "*.log");
    home.file("dotfiles/tmux/.config/tmux/a.log");
    let says = "\
nvim  linked      1 link, 1 foldable
  ~ .config/nvim           a directory that could be one link
  = .config/nvim/init.lua  a link to ../../dotfiles/nvim/.config/nvim/init.lua
tmux  drifted     1 to unfold
  ~ .config/tmux  one link, and something in the directory is not to be linked
";
    let hint = "hint: `farm relink tmux` makes the links right\n";
    home.farm(&["status", "--long", "--check", "nvim", "tmux"]).run().says(1, says, hint);
    home.farm(&["relink", "tmux"]).run();
    home.file(".config/nvim/mine");
    let says = "nvim  linked      1 link\ntmux  linked      1 link\n";
    home.farm(&["status", "--check", "nvim", "tmux"]).run().prints(says);
}

#[test]
fn packages_that_share_a_directory_stand_by_themselves() {
    let home = home();
    home.file("dotfiles/other/.config/nvim/init.lua");
    home.file("dotfiles/more/.config/nvim/more.lua");
    home.farm(&["link", "nvim"]).run();
    let says = "\
more   not linked  1 missing
  + .config/nvim/more.lua  no link yet
nvim   linked      1 link
  = .config  a link to dotfiles/nvim/.config, a directory
other  conflict    1 in the way
  ! .config/nvim/init.lua  a link to ../../dotfiles/nvim/.config/nvim/init.lua, which is nvim's
tmux   not linked  1 missing
  + .config/tmux  no link yet
zsh    not linked  2 missing
  + .zprofile  no link yet
  + .zshrc     no link yet
";
    home.farm(&["status", "--long"]).run().prints(says);
}

#[test]
fn files_that_programs_write_into_a_folded_directory_are_told_where_git_does_not_know_them() {
    let home = home();
    home.write("dotfiles/.gitignore", "*.log\n");
    for args in [&["init", "-q"][..], &["add", "."]] {
        home.call("git").args(args).run();
    }
    home.farm(&["link", "nvim", "zsh"]).run();
    home.file(".config/nvim/lazy-lock.json");
    home.file(".config/nvim/nvim.log");
    home.file("dotfiles/zsh/README.md");
    let says = "\
nvim  linked      1 link, 1 file new to git
  = .config                      a link to dotfiles/nvim/.config, a directory
  ? .config/nvim/lazy-lock.json  a file in nvim that git does not know
";
    home.farm(&["status", "--long", "--check", "nvim"]).run().prints(says);
    let elsewhere = home.path("none/.git");
    home.farm(&["status", "nvim"])
        .env("GIT_DIR", elsewhere)
        .run()
        .prints("nvim  linked      1 link, 1 file new to git\n");
    home.farm(&["status", "nvim"]).env("PATH", "").run().prints("nvim  linked      1 link\n");
}

#[test]
fn the_farm_is_drawn_as_a_tree() {
    let home = home();
    home.farm(&["link", "nvim", "tmux", "zsh"]).run();
    home.remove(".zshrc");
    let tree = "\
~
├── .config/
│   ├── nvim/ -> nvim
│   └── tmux/ -> tmux
├── .zprofile -> zsh
└── .zshrc  gone (zsh)
";
    home.farm(&["status", "--tree"]).run().prints(tree);
    let colour = home.farm(&["status", "--tree", "--color", "zsh"]).run().stdout;
    let tree = "~\n├── .zprofile -> \u{1b}[36mzsh\u{1b}[0m\n└── .zshrc  \u{1b}[32mgone\u{1b}[0m (\u{1b}[36mzsh\u{1b}[0m)\n";
    assert_eq!(colour, tree);
    let plain = home.farm(&["status", "--color=auto", "zsh"]).env("NO_COLOR", "1").run().stdout;
    assert_eq!(plain, "zsh  drifted     1 link, 1 gone\n");
}

#[test]
fn a_list_says_where_packages_land() {
    let home = home();
    home.farm(&["list"]).run().prints("nvim  into  ~\ntmux  into  ~\nzsh   into  ~\n");
    home.write(
        "dotfiles/farm.toml",
        "[defaults]\nas = '~/.config/{package}'\n[package.zsh]\ninto = '~'\n[package.tmux]\n",
    );
    home.farm(&["list", "tmux", "zsh"]).run().prints("tmux  as    ~/.config/tmux\nzsh   into  ~\n");
}

#[test]
fn a_farm_without_packages_says_so() {
    let home = Sandbox::new();
    for command in ["status", "list"] {
        home.farm(&[command]).run().prints("there are no packages in ~/dotfiles\n");
    }
    home.farm(&["status", "nvim"])
        .run()
        .fails(
            1,
            "error: there is no package nvim in ~/dotfiles\nnothing was changed\nhint: `farm list` names the packages, --dir \
             another dotfiles directory; `farm prune` removes links of a package that is gone\n",
        );
}

#[test]
fn json_has_each_path_with_its_finding() {
    let home = home();
    home.farm(&["link", "nvim", "zsh"]).run();
    home.remove(".zshrc");
    home.write(".zshrc", "mine");
    let json = home.farm(&["status", "--json"]).run().json();
    let path = |path: &str| format!("~/{path}");
    let tmux = serde_json::json!({
        "package": "tmux", "state": "not-linked", "off": false, "links": [], "new": [],
        "findings": [{ "path": path(".config/tmux"), "finding": "missing" }],
    });
    let zsh = serde_json::json!({
        "package": "zsh", "state": "drifted", "off": true, "new": [],
        "links": [{ "path": path(".zprofile"), "to": "dotfiles/zsh/.zprofile", "directory": false }],
        "findings": [{ "path": path(".zshrc"), "finding": "replaced", "reason": "file-differs" }],
    });
    let nvim = serde_json::json!({
        "package": "nvim", "state": "linked", "off": false, "new": [], "findings": [],
        "links": [{ "path": path(".config"), "to": "dotfiles/nvim/.config", "directory": true }],
    });
    let all = serde_json::json!({
        "command": "status", "changed": false, "dir": path("dotfiles"), "target": "~",
        "off": true, "packages": [nvim, tmux, zsh],
    });
    assert_eq!(json, all);
    let json = home.farm(&["list", "--json", "zsh"]).run().json();
    let landed = serde_json::json!([{ "package": "zsh", "landing": "into", "path": "~", "here": true }]);
    assert_eq!((&json["packages"], &json["changed"]), (&landed, &false.into()));
}

#[test]
fn what_only_another_user_may_look_at_is_no_interrupted_run() {
    let home = Sandbox::with(&["dotfiles/nvim/.config/nvim/init.lua"]);
    home.farm(&["link", "-q", "nvim"]).run().prints("");
    let target = std::fs::read_dir(home.state().join("targets")).unwrap().next().unwrap().unwrap().path();
    // As after `sudo farm`, which leaves the state directory to root.
    let is_root = rustix::process::geteuid().is_root();
    home.mode("..", 0o755);
    home.mode("../state", if is_root { 0o700 } else { 0 });
    let farm = |args: &[&str]| if is_root { home.farm(args).by_nobody() } else { home.farm(args) };
    if farm(&["--version"]).can_start() {
        let problem = format!("cannot look into {}: Permission denied", target.display());
        farm(&["status"]).run().says(
            0,
            "nvim  linked      1 link\n",
            &format!("warning: {problem}: what farm made here is not known\n"),
        );
        farm(&["recover"]).run().fails_with(1, &[&problem, "nothing was changed", "FARM_STATE_DIR"]);
    }
    home.mode("../state", 0o700);
}
