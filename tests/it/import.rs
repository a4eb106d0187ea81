//! `farm import` and `farm init`: a farm.toml from what is there.

use std::fs;

use crate::env::first_hint;
use crate::sandbox::Sandbox;

/// Lays the seed repository out: every file of it, its four small ones with their content.
fn seed() -> Sandbox {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/seed");
    let read = |name: &str| fs::read(format!("{data}/{name}")).unwrap();
    let home = Sandbox::new();
    for line in String::from_utf8(read("tree.tsv")).unwrap().lines() {
        let path = line.rsplit('\t').next().unwrap();
        home.write(format!("dotfiles/{path}"), path);
    }
    for (path, file) in [
        (".stowrc", "stowrc"),
        (".gitignore", "gitignore"),
        ("nix-darwin/home.nix", "home.nix"),
        ("nix-darwin/flake.nix", "flake.nix"),
    ] {
        home.write(format!("dotfiles/{path}"), read(file));
    }
    home
}

fn read(home: &Sandbox, path: &str) -> String {
    fs::read_to_string(home.path(path)).unwrap()
}

/// What the owner of the seed repository means: twelve directories and one file.
const MEANT: &str = "\
.config/
.config/aerospace -> ../dotfiles/aerospace
.config/ghostty -> ../dotfiles/ghostty
.config/nix -> ../dotfiles/nix
.config/nix-darwin -> ../dotfiles/nix-darwin
.config/nushell -> ../dotfiles/nushell
.config/nvim -> ../dotfiles/nvim
.config/sketchybar -> ../dotfiles/sketchybar
.config/skhd -> ../dotfiles/skhd
.config/starship -> ../dotfiles/starship
.config/tmux -> ../dotfiles/tmux
.config/wezterm -> ../dotfiles/wezterm
.config/zellij -> ../dotfiles/zellij
.zshrc -> dotfiles/zshrc/.zshrc
";

const IMPORT: [&str; 3] = ["import", "--commented", "nix-darwin/home.nix"];

#[test]
fn the_seed_repository_gets_what_its_owner_means() {
    let home = seed();
    home.farm(&IMPORT).run().says(
        0,
        "wrote ~/dotfiles/farm.toml: 12 packages, 1 file\n",
        "hint: `farm switch -n` shows what it makes\n\
         warning: left out home.nix:12: home.packages: it is no setting of files or of the session\n\
         warning: left out home.nix:42: programs.zsh.enable: it is no setting of files or of the session\n",
    );
    home.farm(&["switch"]).run().says(
        0,
        "switched: 13 links, 1 directory made, session changed for new shells\n",
        &first_hint(&home),
    );
    assert_eq!(home.tree(), MEANT);
    let before = (home.identity(), home.times());
    home.farm(&["switch"]).run().prints("nothing to do: everything is as farm.toml says\n");
    assert_eq!((home.identity(), home.times()), before);
    let session = fs::read_to_string(home.state().join("session.sh")).unwrap();
    assert!(session.contains("/run/current-system/sw/bin") && session.contains("nix-daemon.sh"), "{session}");
}

#[test]
fn what_is_in_the_way_of_the_seed_repository_is_backed_up_as_its_flake_says() {
    let home = seed();
    home.write(".zshrc", "mine");
    home.write(".config/nvim/init.lua", "mine, too");
    home.write(".config/nvim/lua/more.lua", "and mine");
    home.farm(&IMPORT).run();
    home.farm(&["switch"]).run();
    let backup = "\
.config/nvim.backup/
.config/nvim.backup/init.lua
.config/nvim.backup/lua/
.config/nvim.backup/lua/more.lua
";
    let meant = MEANT.replace("dotfiles/nvim\n", &format!("dotfiles/nvim\n{backup}"));
    assert_eq!(home.tree(), format!("{meant}.zshrc.backup\n"));
    assert_eq!(read(&home, ".zshrc.backup"), "mine");
    assert_eq!(read(&home, ".config/nvim.backup/init.lua"), "mine, too");
    assert_eq!(read(&home, ".config/nvim.backup/lua/more.lua"), "and mine");
    home.farm(&["switch"]).run().prints("nothing to do: everything is as farm.toml says\n");
    home.farm(&["undo", "-q"]).run();
    assert_eq!(read(&home, ".config/nvim/init.lua"), "mine, too");
}

#[test]
fn links_of_stow_and_home_manager_are_taken_over() {
    let home = seed();
    home.link(".config/nvim", home.path("dotfiles/nvim"));
    home.link(".config/tmux", "../dotfiles/tmux");
    home.link(".zshrc", home.path("dotfiles/zshrc/.zshrc"));
    home.farm(&IMPORT).run();
    home.farm(&["switch"]).run().says(
        0,
        "switched: 10 links, 3 links taken over, session changed for new shells\n",
        &first_hint(&home),
    );
    home.write("dotfiles/farm.toml", "[package.tmux]\nas = '~/.config/tmux'\n");
    home.farm(&["switch"]).run();
    assert_eq!(home.tree(), ".config/\n.config/tmux -> ../dotfiles/tmux\n");
}

#[test]
fn without_comments_only_what_counts_is_read() {
    let home = seed();
    let run = home.farm(&["import", "-n", "nix-darwin/home.nix"]).run();
    assert!(!run.stdout.contains("[package.") && run.stdout.contains("backup = \".backup\""), "{run}");
    assert!(run.stderr.contains("13 settings are in comments: --commented reads them, too"), "{run}");
    assert!(!home.path("dotfiles/farm.toml").exists());
}

const HOME_NIX: &str = r##"{ config, pkgs, lib, ... }:
let
  dotfiles = "${config.home.homeDirectory}/dotfiles";
  link = config.lib.file.mkOutOfStoreSymlink;
  name = "Ann";
in {
  home.homeDirectory = "/home/ann";
  home.file = {
    ".vimrc".source = config.lib.file.mkOutOfStoreSymlink "${dotfiles}/vim/vimrc";
    ".hello" = { text = ''
      hello ${name} of ''${x}
        deeper
    ''; executable = true; };
    "bin" = { source = ./scripts; recursive = true; force = true; };
    ".script" = { source = ./scripts/a; executable = true; onChange = "echo \"hi\""; };
    ".off".source = ./scripts/a;
    ".off".enable = false;
    ".gone".source = ./nothing;
    ".elsewhere".source = /etc/passwd;
    ".store".source = "${pkgs.vim}/share";
    "${name}".text = "x";
    ".read".text = builtins.readFile ./scripts/a;
  };
  xdg.configFile."git".source = /home/ann/dotfiles/git;
  home.sessionVariables = {
    EDITOR = "vim";
    DATA = "$HOME/data \"x\" \\$5";
    COUNT = 3;
    RUN = "$(id)";
    CACHE = "${config.xdg.cacheHome}/y";
  };
  programs.zsh.initContent = lib.mkOrder 500 ''
    echo "$HOME"
  '';
  programs.git.enable = lib.mkIf true true;
}
"##;

#[test]
fn nix_is_read_as_far_as_it_can_be_known() {
    let home = Sandbox::with(&["dotfiles/vim/vimrc", "dotfiles/scripts/a", "dotfiles/git/config"]);
    home.write("dotfiles/home.nix", HOME_NIX);
    let run = home.farm(&["import", "home.nix"]).run();
    for words in [
        "left out home.nix:15: home.file..script.executable: a link has the permissions of its source",
        "left out home.nix:18: home.file..gone.source: there is no ./nothing",
        "left out home.nix:19: home.file..elsewhere.source: /etc/passwd is not in the dotfiles directory",
        "left out home.nix:20: home.file..store.source: it takes Nix to know `pkgs.vim`",
        "left out home.nix:21: home.file: it takes Nix to know `\"${name}\".text`",
        "left out home.nix:29: home.sessionVariables.RUN: farm puts variables in, and runs no code of a shell",
        "left out home.nix:35: programs.git.enable: it is no setting of files or of the session",
    ] {
        assert!(run.stderr.contains(words), "{words}\n{run}");
    }
    assert_eq!((run.code(), run.stderr.matches("left out").count()), (0, 7), "{run}");
    home.farm(&["switch"]).run();
    assert_eq!(
        home.tree(),
        ".config/\n.config/git -> ../dotfiles/git\n.hello -> HELLO\n.read -> dotfiles/scripts/a\n.script -> \
         dotfiles/scripts/a\n.vimrc -> dotfiles/vim/vimrc\nbin/\nbin/a -> ../dotfiles/scripts/a\n"
            .replace("HELLO", fs::read_link(home.path(".hello")).unwrap().to_str().unwrap())
    );
    assert_eq!(read(&home, ".hello"), "hello Ann of ${x}\n  deeper\n");
    let session = home.farm(&["env", "--json"]).run().json();
    assert_eq!(
        session["variables"],
        serde_json::json!({"EDITOR": "vim", "DATA": "$HOME/data \"x\" $$5", "COUNT": "3", "CACHE": "$HOME/.cache/y"})
    );
    assert_eq!(session["init"]["zsh"], "echo \"$HOME\"\n");
}

/// What dotbot's own documentation has, and more.
const DOTBOT: &str = "\
- defaults:
    link:
      relink: true
      create: true
- clean: ['~']
- create:
    - ~/downloads
- link:
    ~/.vimrc:
    ~/.zshrc: zsh/zshrc
    $HOME/.config/nvim: nvim
    ~/.config/tmux/:
      path: tmux
      force: true
    ~/.config:
      glob: true
      path: config/*
    ~/.local/bin/:
      glob: true
      path: bin/*.sh
    ~/.hammerspoon:
      if: '[ `uname` = Darwin ]'
      path: hammerspoon
    ${XDG_CONFIG_HOME}/x: nvim
    /etc/motd: motd
    ~/.gone: gone
    ~/.hard: {path: vimrc, type: hardlink}
- defaults:
    link:
      force: true
- link:
    ~/.gitconfig: {path: git/config, strange: 1}
    ~/.vimrc: zsh/zshrc
- shell:
  - [git submodule update --init, Installing submodules]
  - command: echo hi
    description: say it
- apt: [zsh]
";

#[test]
fn dotbots_links_become_a_manifest_and_the_rest_is_listed() {
    let home = Sandbox::with(&[
        "dotfiles/vimrc",
        "dotfiles/zsh/zshrc",
        "dotfiles/nvim/init.lua",
        "dotfiles/tmux/tmux.conf",
        "dotfiles/config/kitty/kitty.conf",
        "dotfiles/config/starship.toml",
        "dotfiles/bin/x.sh",
        "dotfiles/git/config",
    ]);
    home.write("dotfiles/install.conf.yaml", DOTBOT);
    let left = "\
install.conf.yaml:5: clean: farm removes the links that it no longer makes
install.conf.yaml:6: create: farm makes the directories that links need
install.conf.yaml:18: ~/.local/bin/: the pattern bin/*.sh: name each, or the directory that has them
install.conf.yaml:21: ~/.hammerspoon: farm runs no command to decide, such as `[ `uname` = Darwin ]`; `when.os` and `when.host` may do
install.conf.yaml:24: ${XDG_CONFIG_HOME}/x: of variables farm knows only $HOME in paths
install.conf.yaml:25: /etc/motd: it is not in the home directory
install.conf.yaml:26: ~/.gone: there is no gone
install.conf.yaml:27: ~/.hard: farm makes symbolic links
install.conf.yaml:32: strange: it is no setting of files or of the session
install.conf.yaml:33: ~/.vimrc: its target path is taken by one before
install.conf.yaml:35: shell: farm runs commands only where a file has changed: `git submodule update --init`
install.conf.yaml:36: shell: farm runs commands only where a file has changed: `echo hi`
install.conf.yaml:38: apt: it is no setting of files or of the session
";
    let warnings: String = left.lines().map(|line| format!("warning: left out {line}\n")).collect();
    home.farm(&["import", "install.conf.yaml"]).run().says(
        0,
        "wrote ~/dotfiles/farm.toml: 2 packages, 4 files\n",
        &format!("hint: `farm switch -n` shows what it makes\n{warnings}"),
    );
    home.farm(&["switch"]).run().prints("switched: 7 links, 1 directory made\n");
    assert_eq!(
        home.tree(),
        "\
.config/
.config/kitty -> ../dotfiles/config/kitty
.config/nvim -> ../dotfiles/nvim
.config/starship.toml -> ../dotfiles/config/starship.toml
.config/tmux -> ../dotfiles/tmux
.gitconfig -> dotfiles/git/config
.vimrc -> dotfiles/vimrc
.zshrc -> dotfiles/zsh/zshrc
"
    );
}

#[test]
fn what_dotbot_would_not_read_is_told_with_its_line() {
    let home = Sandbox::with(&["dotfiles/vimrc"]);
    for (config, message) in [
        ("- link:\n    a: [\n", "install.conf.yaml:3 is not YAML: "),
        ("link:\n  ~/.vimrc: vimrc\n", "install.conf.yaml:1 is not dotbot's: a list of directives"),
        ("- link\n", "install.conf.yaml:1 is not dotbot's"),
        ("- link: [~/.vimrc]\n", "install.conf.yaml:1 is not dotbot's"),
        ("", "install.conf.yaml:1 is not dotbot's"),
        ("- shell: [ls]\n", "there is nothing that a farm.toml in ~/dotfiles could say"),
    ] {
        home.write("dotfiles/install.conf.yaml", config);
        home.farm(&["import", "install.conf.yaml"]).run().fails_with(1, &[message, "nothing was changed"]);
        assert!(!home.path("dotfiles/farm.toml").exists());
    }
}

#[test]
fn a_manifest_that_is_there_stays() {
    let home = Sandbox::with(&["dotfiles/vim/vimrc"]);
    home.write("dotfiles/home.nix", HOME_NIX);
    home.write("dotfiles/farm.toml", "# mine\n");
    for command in [&["init"][..], &["import", "home.nix"]] {
        home.farm(command).run().fails(
            1,
            "error: there is a ~/dotfiles/farm.toml already\nnothing was changed\nhint: -n prints what would be written\n",
        );
    }
    assert_eq!(read(&home, "dotfiles/farm.toml"), "# mine\n");
    home.write("dotfiles/home.nix", "{ a = ");
    home.farm(&["import", "-n", "home.nix"]).run().fails_with(1, &["home.nix:1 is not in the Nix language"]);
    home.farm(&["import", "-n", "none.nix"]).run().fails_with(1, &["cannot read none.nix"]);
}

#[test]
fn init_sees_plain_directories_and_those_for_stow() {
    let home = Sandbox::with(&[
        "dotfiles/nvim/init.lua",
        "dotfiles/zsh/.zshrc",
        "dotfiles/setup.sh",
        "dotfiles/.git/config",
    ]);
    home.farm(&["init"]).run().says(
        0,
        "wrote ~/dotfiles/farm.toml: 2 packages, 0 files\n",
        "hint: `farm switch -n` shows what it makes\n",
    );
    home.farm(&["switch"]).run();
    assert_eq!(home.tree(), ".config/\n.config/nvim -> ../dotfiles/nvim\n.zshrc -> dotfiles/zsh/.zshrc\n");
}

#[test]
fn init_takes_links_that_exist_for_what_is_meant() {
    let home = Sandbox::with(&[
        "dotfiles/nvim/init.lua",
        "dotfiles/zsh/.zshrc",
        "dotfiles/old/x",
        "dotfiles/bin/run",
    ]);
    home.link(".config/nvim", home.path("dotfiles/nvim"));
    home.link(".zshrc", "dotfiles/zsh/.zshrc");
    home.link(".local/bin", "../dotfiles/bin");
    let tree = home.tree();
    home.farm(&["init"]).run();
    let written = read(&home, "dotfiles/farm.toml");
    assert!(written.contains("# [package.old]") && written.contains("[package.bin]"), "{written}");
    home.farm(&["switch"]).run().prints("switched: 3 links taken over\n");
    assert_eq!(home.tree(), tree, "{written}");
}

#[test]
fn init_says_of_a_target_outside_the_home_where_it_is() {
    let home = Sandbox::with(&["dotfiles/nvim/init.lua", "dotfiles/zsh/.zshrc", "dotfiles/bin/run"]);
    home.link("../srv/lib/bin", home.path("dotfiles/bin"));
    // What the home has is not in this farm.
    home.link(".config/nvim", home.path("dotfiles/nvim"));
    home.file("dotfiles/zsh/srv/x");
    home.link("../srv/x", home.path("dotfiles/zsh/srv/x"));
    home.farm(&["init", "-t", "../../srv"]).run().fails_with(0, &["hint: `farm switch -n`"]);
    let written = read(&home, "dotfiles/farm.toml");
    let srv = home.path("").parent().unwrap().join("srv");
    for line in [&*format!("target = {srv:?}"), "[package.bin]", "# [package.nvim]"] {
        assert!(written.contains(line), "{line}\n{written}");
    }
    home.farm(&["switch", "-n"]).run().fails_with(0, &[]);
    home.farm(&["switch"]).run().prints("switched: 1 link taken over\n");
}

#[test]
fn init_takes_a_target_that_is_to_be_made_and_none_in_the_dotfiles_directory() {
    let home = Sandbox::with(&["dotfiles/nvim/init.lua", "dotfiles/zsh/.zshrc"]);
    home.farm(&["init", "-t", "../../srv/new"]).run().fails_with(0, &[]);
    home.farm(&["switch", "-q"]).run().prints("");
    assert!(home.path("../srv/new/.zshrc").is_symlink() && home.path("../srv/new/nvim").is_symlink());
    home.remove("dotfiles/farm.toml");
    home.farm(&["init", "-t", "zsh"]).run().fails_with(1, &["lies in the dotfiles directory"]);
    assert!(!home.path("dotfiles/farm.toml").exists());
}

#[test]
fn init_takes_the_target_of_the_environment() {
    let home = Sandbox::with(&["dotfiles/nvim/init.lua", "dotfiles/zsh/.zshrc"]);
    home.write("dotfiles/.stowrc", "--target=/elsewhere\n");
    let made = |args: &[&str], target: &str| {
        home.farm(&["init"]).args(args).env("FARM_TARGET", target).run().fails_with(0, &[]);
        let written = read(&home, "dotfiles/farm.toml");
        home.remove("dotfiles/farm.toml");
        written
    };
    let srv = home.path("").parent().unwrap().join("srv");
    let said = format!("target = {srv:?}");
    assert!(made(&[], "../../srv").contains(&said));
    assert!(made(&["-t", "../../srv"], "../../other").contains(&said), "the option goes over it");
    assert!(made(&[], "").contains("target = \"/elsewhere\""), "empty is as not set");
}

#[test]
fn init_reads_stowrc() {
    let home = seed();
    home.dir(".config");
    home.farm(&["init"]).run();
    let written = read(&home, "dotfiles/farm.toml");
    for line in [
        "as = \"~/.config/{package}\"",
        "ignore = [\"*.stowrc\", \"*DS_Store\"]",
        "# .stowrc ignores what matches the \
                 regular expressions atuin/*: say it in gitignore syntax in `ignore` of [defaults]",
    ] {
        assert!(written.contains(line), "{line}\n{written}");
    }
    home.farm(&["switch", "-n"]).run();
}
