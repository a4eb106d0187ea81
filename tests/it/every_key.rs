//! One manifest with every key: what it comes to on three platforms, and in two profiles, back and forth.

use std::collections::BTreeMap;

use farm::manifest::{Base, Machine, Manifest};
use farm::{Name, RelPath};

use crate::sandbox::Sandbox;

const MANIFEST: &str = r##"
version = 1

[defaults]
target = "~"
as = "~/.config/{package}"
fold = { never = ["~/.config/nvim/lua"] }
dotfiles = true
conflict = "backup"
backup = ".old"
backup-existing = "number"
ignore = ["*.swp"]

[package.nvim]
[package.off]
enable = false
[package.shell]
source = "zsh"
into = "~"
[package.nushell]
source = "nu"
linux.as = "~/.config/nushell"
macos.as = "~/Library/Application Support/nushell"
[package.tmux]
[package.work]
when = { os = ["linux", "macos"], host = "*", env = { WORK = "y*" }, exists = "~/dotfiles/work" }
fold = false

[files]
"~/.ssh/config" = "ssh/config"

[file."~/.agents"]
source = "agents"
recursive = true
[file."~/.forced"]
text = "forced"
force = true
[file."~/.gitconfig"]
template = "git.j2"
mode = "0600"
[file."~/.on"]
text = "x"
on-change = "echo ran >> log"
[file."~/.platform"]
source = "ssh/config"
linux.text = "linux"
macos.template = "git.j2"
[file."~/.run"]
text = "#!/bin/sh\n"
executable = true
method = "copy"
[file."~/.seed"]
source = "seed.toml"
method = "seed"
[file."~/.windows"]
source = "ssh/config"
when.os = "windows"

[session]
path = ["$HOME/bin"]
[session.variables]
EDITOR = "nvim"
[session.init]
zsh = "true"

[profile.laptop]
packages = ["nvim", "shell", "nushell", "tmux", "work"]
[profile.server]
packages = ["shell"]
"##;

fn home() -> Sandbox {
    let home = Sandbox::with(&[
        "dotfiles/nvim/init.lua",
        "dotfiles/nvim/init.swp",
        "dotfiles/nvim/lua/a.lua",
        "dotfiles/off/x",
        "dotfiles/zsh/dot-zshrc",
        "dotfiles/nu/config.nu",
        "dotfiles/tmux/tmux.conf",
        "dotfiles/work/notes",
        "dotfiles/ssh/config",
        "dotfiles/agents/a.md",
        "dotfiles/agents/one/b.md",
        "dotfiles/seed.toml",
    ]);
    home.write("dotfiles/git.j2", "on {{ profile }}");
    home.write("dotfiles/farm.toml", MANIFEST);
    home.write(".config/tmux", "mine");
    home.write(".forced", "mine, too");
    home
}

/// Everything in the home but the dotfiles, with the content of what farm has written.
fn seen(home: &Sandbox) -> String {
    let line = |line: &str| {
        let path = line.split(" -> ").next().unwrap_or(line);
        match line.contains("/rendered/") || !line.contains(" -> ") && !line.ends_with('/') {
            true => format!("{path} = {:?}\n", std::fs::read_to_string(home.path(path)).unwrap()),
            false => format!("{line}\n"),
        }
    };
    home.tree().lines().map(line).collect()
}

fn expected(profile: &str) -> String {
    let nushell = match cfg!(target_os = "macos") {
        true => {
            "Library/\nLibrary/Application Support/\nLibrary/Application Support/nushell -> ../../dotfiles/nu\n"
        }
        false => ".config/nushell -> ../dotfiles/nu\n",
    };
    let platform = if cfg!(target_os = "macos") { format!("on {profile}") } else { "linux".to_owned() };
    let mut lines: Vec<String> = format!(
        "\
.agents/
.agents/a.md -> ../dotfiles/agents/a.md
.agents/one/
.agents/one/b.md -> ../../dotfiles/agents/one/b.md
.config/
.config/tmux.old = \"mine\"
.forced = \"forced\"
.gitconfig = \"on {profile}\"
.on = \"x\"
.platform = {platform:?}
.run = \"#!/bin/sh\\n\"
.seed = \"dotfiles/seed.toml\"
.ssh/
.ssh/config -> ../dotfiles/ssh/config
.zshrc -> dotfiles/zsh/dot-zshrc
"
    )
    .lines()
    .map(str::to_owned)
    .collect();
    if profile == "laptop" {
        let more = format!(
            "\
.config/nvim/
.config/nvim/init.lua -> ../../dotfiles/nvim/init.lua
.config/nvim/lua/
.config/nvim/lua/a.lua -> ../../../dotfiles/nvim/lua/a.lua
.config/tmux -> ../dotfiles/tmux
.config/work/
.config/work/notes -> ../../dotfiles/work/notes
{nushell}"
        );
        lines.extend(more.lines().map(str::to_owned));
    }
    lines.sort();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Lines in another order are the same tree.
fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn two_profiles_are_switched_back_and_forth_with_rollbacks_between() {
    let home = home();
    let start = home.tree();
    let call = |args: &[&str]| {
        let run = home.farm(args).env("WORK", "yes").run();
        assert_eq!(run.code(), 0, "{run}");
    };
    let is =
        |profile: &str, round: i32| assert_eq!(sorted(&seen(&home)), expected(profile), "{profile}, {round}");
    for round in 0..10 {
        call(&["switch", "laptop"]);
        is("laptop", round);
        call(&["switch", "server"]);
        is("server", round);
        call(&["undo"]);
        is("laptop", round);
        if round % 5 == 4 {
            call(&["rollback", "0"]);
            assert_eq!(home.tree(), start);
            assert_eq!(std::fs::read_to_string(home.path(".config/tmux")).unwrap(), "mine");
            assert_eq!(std::fs::read_to_string(home.path(".forced")).unwrap(), "mine, too");
        } else {
            call(&["rollback", "2"]);
            is("server", round);
        }
    }
    let log = std::fs::read_to_string(home.path("dotfiles/log")).unwrap();
    assert_eq!(log, "ran\nran\n", "once from nothing, and once more after everything had gone");
}

/// What lands where on a machine with this system.
fn lands(os: &str) -> BTreeMap<String, String> {
    let manifest = Manifest::parse(MANIFEST).expect("no mistakes");
    let machine = Machine {
        os: os.to_owned(),
        host: "here".to_owned(),
        home: Some(b"/home/ann".to_vec()),
        env: [("WORK".to_owned(), b"yes".to_vec())].into(),
        there: ["~/dotfiles/work".to_owned()].into(),
    };
    let mount = RelPath::root();
    let base = Base { target: b"/home/ann".to_vec(), dotfiles: b"/home/ann/dotfiles".to_vec(), mount };
    let named: Vec<Name> = ["nvim", "tmux"].iter().filter_map(|name| Name::new(name.as_bytes())).collect();
    let layout = manifest.layout(&named, &machine, &base).expect("no mistakes");
    let text = |path: &RelPath| String::from_utf8_lossy(path.as_bytes()).into_owned();
    let packages = layout.packages.iter().map(|placed| {
        let name = String::from_utf8_lossy(placed.name.as_bytes()).into_owned();
        (name, format!("{} at {}", text(&placed.source), text(placed.mount.at())))
    });
    let content = |content: &farm::manifest::Content| match content {
        farm::manifest::Content::Source(said) => format!("source {}", said.value),
        farm::manifest::Content::Text(said) => format!("text {:?}", said.value),
        farm::manifest::Content::Template(said) => format!("template {}", said.value),
    };
    let entries = layout.entries.iter().map(|entry| (text(&entry.at), content(&entry.content)));
    packages.chain(entries).collect()
}

#[test]
fn three_platforms_get_what_is_for_them() {
    let all = [
        (".agents", "source agents"),
        (".forced", "text \"forced\""),
        (".gitconfig", "template git.j2"),
        (".on", "text \"x\""),
        (".run", "text \"#!/bin/sh\\n\""),
        (".seed", "source seed.toml"),
        (".ssh/config", "source ssh/config"),
        ("nvim", "nvim at .config/nvim"),
        ("shell", "zsh at "),
        ("tmux", "tmux at .config/tmux"),
    ];
    let work = ("work", "work at .config/work");
    for (os, own) in [
        ("linux", vec![(".platform", "text \"linux\""), ("nushell", "nu at .config/nushell"), work]),
        (
            "macos",
            vec![
                (".platform", "template git.j2"),
                ("nushell", "nu at Library/Application Support/nushell"),
                work,
            ],
        ),
        (
            "windows",
            vec![
                (".platform", "source ssh/config"),
                (".windows", "source ssh/config"),
                ("nushell", "nu at .config/nushell"),
            ],
        ),
    ] {
        let expected = all.iter().chain(&own).map(|(at, what)| ((*at).to_owned(), (*what).to_owned()));
        assert_eq!(lands(os), expected.collect(), "{os}");
    }
}
