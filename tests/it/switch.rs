//! `farm switch`: the farm becomes what farm.toml says, and what it no longer says goes.

use crate::sandbox::Sandbox;

const PACKAGES: &str =
    "[defaults]\nas = '~/.config/{package}'\n[package.zshrc]\ninto = '~'\n[package.nvim]\n[package.tmux]\n";

fn flat(manifest: &str) -> Sandbox {
    let home = Sandbox::with(&[
        "dotfiles/nvim/init.lua",
        "dotfiles/nvim/lua/a.lua",
        "dotfiles/tmux/tmux.conf",
        "dotfiles/zshrc/.zshrc",
        "dotfiles/ssh/ssh-config",
        "dotfiles/agents/one/a.md",
        "dotfiles/agents/b.md",
        "dotfiles/top.txt",
    ]);
    home.write("dotfiles/farm.toml", manifest);
    home
}

const LINKED: &str = "\
.config/
.config/nvim -> ../dotfiles/nvim
.config/tmux -> ../dotfiles/tmux
.zshrc -> dotfiles/zshrc/.zshrc
";

/// Returns what a file that farm has written holds.
fn content(home: &Sandbox, path: &str) -> String {
    assert!(home.path(path).is_symlink(), "{path}");
    std::fs::read_to_string(home.path(path)).unwrap()
}

#[test]
fn everything_is_linked_in_one_generation_and_again_nothing() {
    let home = flat(PACKAGES);
    let before = home.identity();
    let plan = "\
+ .config/
+ .config/nvim -> ../dotfiles/nvim
+ .config/tmux -> ../dotfiles/tmux
+ .zshrc -> dotfiles/zshrc/.zshrc
would switch: 3 links, 1 directory made; nothing was changed
";
    home.farm(&["switch", "-n"]).run().prints(plan);
    assert_eq!(home.identity(), before);
    home.farm(&["switch"]).run().prints("switched: 3 links, 1 directory made\n");
    assert_eq!(home.tree(), LINKED);
    let times = home.times();
    for _ in 0..2 {
        home.farm(&["switch"]).run().prints("nothing to do: everything is as farm.toml says\n");
    }
    assert_eq!(home.times(), times);
    assert_eq!(home.farm(&["generations"]).run().stdout.lines().count(), 1);
}

#[test]
fn what_is_no_longer_named_goes_with_the_directories_that_farm_made() {
    let home = flat(PACKAGES);
    home.farm(&["switch"]).run();
    home.write("dotfiles/farm.toml", "[package.zshrc]\n");
    home.farm(&["switch", "-v"]).run().prints(
        "- .config/\n- .config/nvim -> ../dotfiles/nvim\n- .config/tmux -> ../dotfiles/tmux\nswitched: 2 links removed\n",
    );
    assert_eq!(home.tree(), ".zshrc -> dotfiles/zshrc/.zshrc\n");
    home.farm(&["undo"]).run();
    assert_eq!(home.tree(), LINKED);
    // A directory that somebody uses stays, and so does a link that somebody changed.
    home.file(".config/mine");
    home.remove(".config/tmux");
    home.link(".config/tmux", "mine");
    home.farm(&["switch"]).run().prints("switched: 1 link removed\n");
    assert_eq!(
        home.tree(),
        ".config/\n.config/mine\n.config/tmux -> mine\n.zshrc -> dotfiles/zshrc/.zshrc\n"
    );
}

#[test]
fn links_of_others_stay() {
    let home = flat(PACKAGES);
    home.link(".config/other", "../dotfiles/ssh");
    home.link("foreign", "elsewhere");
    home.file("other-dotfiles/git/.gitconfig");
    home.farm(&["link", "-d", "../other-dotfiles", "-t", "..", "git"]).run();
    home.farm(&["switch"]).run();
    home.write("dotfiles/farm.toml", "[package.zshrc]\n");
    home.farm(&["switch"]).run();
    home.remove("other-dotfiles");
    assert_eq!(
        home.tree(),
        ".config/\n.config/other -> ../dotfiles/ssh\n.gitconfig -> other-dotfiles/git/.gitconfig\n\
         .zshrc -> dotfiles/zshrc/.zshrc\nforeign -> elsewhere\n"
    );
}

#[test]
fn links_that_others_made_and_that_are_right_are_taken_over() {
    let home = flat(PACKAGES);
    home.link(".config/nvim", home.path("dotfiles/nvim"));
    home.link("way", "dotfiles");
    home.link(".config/tmux", "../way/tmux");
    home.link(".zshrc", "dotfiles/zshrc/.zshrc");
    let tree = home.tree();
    home.farm(&["switch", "-n"]).run().prints("would switch: 3 links taken over; nothing was changed\n");
    home.farm(&["switch"]).run().prints("switched: 3 links taken over\n");
    assert_eq!(home.tree(), tree);
    home.farm(&["switch"]).run().prints("nothing to do: everything is as farm.toml says\n");
    home.write("dotfiles/farm.toml", "[package.zshrc]\n");
    home.farm(&["switch"]).run().prints("switched: 2 links removed\n");
    assert_eq!(home.tree(), ".config/\n.zshrc -> dotfiles/zshrc/.zshrc\nway -> dotfiles\n");
}

#[test]
fn what_earlier_generations_made_is_known_when_they_have_expired() {
    let home = flat(PACKAGES);
    home.farm(&["link", "nvim"]).run();
    home.farm(&["link", "tmux"]).run();
    home.farm(&["link", "zshrc"]).run();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    home.farm(&["generations", "--expire", "0s"]).run().prints("dropped 2 generations, 1 to 2\n");
    home.write("dotfiles/farm.toml", "[package.zshrc]\n");
    home.farm(&["switch"]).run().prints("switched: 2 links removed\n");
    assert_eq!(home.tree(), ".zshrc -> dotfiles/zshrc/.zshrc\n");
}

#[test]
fn a_profile_is_a_choice_of_packages() {
    let home = flat(&format!(
        "{PACKAGES}enable = false\n[profile.laptop]\npackages = ['nvim', 'zshrc', 'tmux']\n[profile.server]\npackages = ['zshrc', 'ssh']\n"
    ));
    let laptop = ".config/\n.config/nvim -> ../dotfiles/nvim\n.zshrc -> dotfiles/zshrc/.zshrc\n";
    let server = ".config/\n.config/ssh -> ../dotfiles/ssh\n.zshrc -> dotfiles/zshrc/.zshrc\n";
    for round in 0..5 {
        home.farm(&["switch", "laptop"]).run();
        assert_eq!(home.tree(), laptop);
        home.farm(&["switch", "server"]).run();
        assert_eq!(home.tree(), server);
        home.farm(&["undo"]).run();
        assert_eq!(home.tree(), laptop, "{round}");
        home.farm(&["rollback", "0"]).run();
        assert_eq!(home.tree(), "", "{round}");
        home.farm(&["rollback", "2"]).run();
        assert_eq!(home.tree(), server, "{round}");
    }
    home.farm(&["switch"]).run().fails(
        1,
        "error: the manifest has profiles, and none is named\nnothing was changed\nhint: say `farm switch PROFILE`: \
         laptop, server\n",
    );
    home.farm(&["switch", "labtop"])
        .run()
        .fails(1, "error: there is no profile labtop\nnothing was changed\nhint: there are laptop, server\n");
}

#[test]
fn single_files_land_where_they_are_named() {
    let home = flat(
        "[files]\n'~/.ssh/config' = 'ssh/ssh-config'\n'~/.top' = 'top.txt'\n'~/.whole' = 'agents'\n\
         [file.'~/.claude/agents']\nsource = 'agents'\nrecursive = true\n[file.'~/.no']\nsource = 'top.txt'\nenable = false\n",
    );
    home.farm(&["switch"]).run().prints("switched: 5 links, 4 directories made\n");
    let tree = "\
.claude/
.claude/agents/
.claude/agents/b.md -> ../../dotfiles/agents/b.md
.claude/agents/one/
.claude/agents/one/a.md -> ../../../dotfiles/agents/one/a.md
.ssh/
.ssh/config -> ../dotfiles/ssh/ssh-config
.top -> dotfiles/top.txt
.whole -> dotfiles/agents
";
    assert_eq!(home.tree(), tree);
    home.farm(&["switch"]).run().prints("nothing to do: everything is as farm.toml says\n");
    home.write("dotfiles/farm.toml", "[file.'~/.claude/agents']\nsource = 'agents'\n");
    home.farm(&["switch"]).run();
    assert_eq!(home.tree(), ".claude/\n.claude/agents -> ../dotfiles/agents\n");
}

#[test]
fn texts_and_templates_are_written_and_come_back_with_their_generation() {
    let manifest = |text: &str| {
        format!(
            "[file.'~/.hello']\ntext = \"{text}\\n\"\nmode = '0600'\n[file.'~/.run']\ntext = '#!/bin/sh'\nexecutable = \
             true\n[file.'~/.gitconfig']\ntemplate = 'git.j2'\n"
        )
    };
    let home = flat(&manifest("one"));
    home.write(
        "dotfiles/git.j2",
        "{% if os == 'nothing' %}\nno\n{% endif %}\nname = {{ env.ME }} on {{ os }}\n",
    );
    let call = || home.farm(&["switch"]).env("ME", "Ann");
    home.farm(&["switch", "-n"]).env("ME", "Ann").run();
    assert!(!home.state().join("targets").exists(), "a dry run writes nothing");
    call().run().prints("switched: 3 links\n");
    assert_eq!(content(&home, ".hello"), "one\n");
    assert_eq!(content(&home, ".gitconfig"), format!("name = Ann on {}\n", std::env::consts::OS));
    let mode = |path: &str| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(home.path(path)).unwrap().permissions().mode() & 0o7777
    };
    assert_eq!((mode(".hello"), mode(".run"), mode(".gitconfig")), (0o600, 0o755, 0o644));
    call().run().prints("nothing to do: everything is as farm.toml says\n");
    home.write("dotfiles/farm.toml", manifest("two"));
    call().run().prints("switched: 1 link changed\n");
    assert_eq!(content(&home, ".hello"), "two\n");
    home.farm(&["undo"]).run();
    assert_eq!(content(&home, ".hello"), "one\n");
    home.farm(&["rollback", "2"]).run();
    assert_eq!(content(&home, ".hello"), "two\n");
    home.write("dotfiles/farm.toml", "[package.zshrc]\n");
    call().run().prints("switched: 1 link, 3 links removed\n");
    assert_eq!(home.tree(), ".zshrc -> dotfiles/zshrc/.zshrc\n");
}

#[test]
fn a_file_with_the_same_text_becomes_the_link_and_another_is_in_the_way() {
    let home = flat("[file.'~/.hello']\ntext = 'hi'\n");
    home.write(".hello", "hi");
    home.mode(".hello", 0o644);
    home.farm(&["switch", "-n", "-q"]).run().prints("");
    home.farm(&["switch"]).run().prints("switched: 1 link\n");
    home.farm(&["undo"]).run();
    home.write(".hello", "mine");
    let says = "error: cannot link farm.toml: 1 thing is in the way\n  .hello  a file, not a link, and not equal to \
                farm.toml's\nnothing was changed\n";
    home.farm(&["switch"]).run().fails_with(1, &[says]);
    home.write("dotfiles/farm.toml", "[file.'~/.hello']\ntext = 'hi'\nforce = true\n");
    home.farm(&["switch"]).run().prints("switched: 1 link, 1 file replaced\n");
    assert_eq!(content(&home, ".hello"), "hi");
    home.farm(&["undo"]).run();
    assert_eq!(std::fs::read_to_string(home.path(".hello")).unwrap(), "mine");
}

#[test]
fn commands_run_after_linking_and_only_where_content_changed() {
    let home = flat(
        "[file.'~/.a']\nsource = 'top.txt'\non-change = 'readlink .a >> log; echo for you'\n[file.'~/.b']\ntext = \
         'b'\non-change = 'echo b >> log'\n",
    );
    let log = || std::fs::read_to_string(home.path("log")).unwrap_or_default();
    let call = |args: &[&str]| home.farm(&["-d", "dotfiles", "switch"]).args(args).from("").run();
    let plan = call(&["-n"]);
    assert!(
        plan.stdout.contains("! echo b >> log (for .b)\nwould switch: 2 links, 2 commands run; nothing"),
        "{plan}"
    );
    assert_eq!(log(), "");
    call(&[]).says(0, "switched: 2 links, 2 commands run\n", "for you\n");
    assert_eq!(log(), "dotfiles/top.txt\nb\n");
    call(&[]).prints("nothing to do: everything is as farm.toml says\n");
    home.write("dotfiles/top.txt", "new");
    call(&[]).says(0, "switched: 1 command run\n", "for you\n");
    assert_eq!(log(), "dotfiles/top.txt\nb\ndotfiles/top.txt\n");
    call(&[]).prints("nothing to do: everything is as farm.toml says\n");
}

#[test]
fn a_command_that_fails_is_told_and_the_links_stay() {
    let home = flat("[file.'~/.a']\ntext = 'a'\non-change = 'exit 7'\n");
    home.farm(&["switch"]).run().says(
        1,
        "switched: 1 link, 1 command run\n",
        "error: `exit 7` failed: exit status: 7\nit was run because .a has changed\nthe links are as farm.toml says\n",
    );
    assert_eq!(content(&home, ".a"), "a");
    let run = home.farm(&["undo"]).run();
    assert_eq!((run.code(), home.tree()), (0, String::new()), "{run}");
    let run = home.farm(&["switch", "--json"]).run();
    assert_eq!(
        run.json()["commands"],
        serde_json::json!([{"path": ".a", "command": "exit 7", "succeeded": false}])
    );
    assert_eq!(run.code(), 1);
}

#[test]
fn a_file_and_a_directory_in_the_way_are_backed_up() {
    let home = flat(
        &format!("{PACKAGES}[file.'~/.hello']\ntext = 'hi'\n")
            .replace("[defaults]", "[defaults]\nbackup = '.backup'"),
    );
    home.file(".zshrc");
    home.file(".hello/mine");
    home.file(".config/nvim");
    home.farm(&["switch"]).run().prints("switched: 4 links, 3 things backed up\n");
    assert!(home.path(".zshrc.backup").is_file() && home.path(".hello.backup/mine").is_file());
    assert!(home.path(".config/nvim.backup").is_file());
    home.farm(&["switch"]).run().prints("nothing to do: everything is as farm.toml says\n");
}

#[test]
fn what_a_manifest_names_and_cannot_be_used_is_shown() {
    for (manifest, words) in [
        ("[files]\n'~/x' = 'nothing'\n", ["error: there is no ~/dotfiles/nothing", "farm.toml:2:9"]),
        ("[package.nothing]\n", ["error: there is no ~/dotfiles/nothing", "farm.toml:1:10"]),
        ("[package.nvmi]\n", ["did you mean nvim?", "farm.toml:1:10"]),
        (
            "[file.'~/x']\nsource = 'top.txt'\nrecursive = true\n",
            ["~/dotfiles/top.txt is not a directory", ":2:10"],
        ),
        ("[file.'~/x']\ntemplate = 'nvim'\n", ["~/dotfiles/nvim is not a file", ":2:12"]),
        ("[file.'~/x']\nsource = 'pipe'\n", ["~/dotfiles/pipe is not a file or a directory", ":2:10"]),
        ("[file.'~/x']\ntemplate = 'bad.j2'\n", ["this template cannot be rendered", "bad.j2:2:6"]),
        ("[file.'~/x']\ntemplate = 'syntax.j2'\n", ["this template cannot be rendered", "syntax.j2:2:"]),
        ("[profile.p]\npackages = ['nothing']\n", ["error: there is no ~/dotfiles/nothing", ":2:13"]),
        ("[file.'~/x']\nsource = 'loop'\n", ["~/dotfiles/loop", ":2:10"]),
    ] {
        let home = flat(manifest);
        home.write("dotfiles/bad.j2", "ok\n  {{ nobody }}\n");
        home.write("dotfiles/syntax.j2", "ok\n{% if %}\n");
        home.fifo("dotfiles/pipe");
        home.link("dotfiles/loop", "loop");
        let before = (home.identity(), home.times());
        let profile: &[&str] = if manifest.starts_with("[profile") { &["switch", "p"] } else { &["switch"] };
        home.farm(profile).run().fails_with(1, &words).fails_with(1, &["nothing was changed"]);
        assert_eq!((home.identity(), home.times()), before, "{manifest}");
        assert!(!home.state().exists(), "{manifest}");
    }
}

#[test]
fn without_a_manifest_there_is_nothing_to_switch_to() {
    let home = Sandbox::with(&["dotfiles/nvim/init.lua"]);
    home.farm(&["switch"]).run().fails(
        1,
        "error: there is no farm.toml in ~/dotfiles\nnothing was changed\nhint: it says what to switch to; --dir names \
         another dotfiles directory\n",
    );
}

#[test]
fn without_a_state_directory_links_are_made_and_texts_refused() {
    let home = flat(PACKAGES);
    home.write("state-file", "");
    let switch = || home.farm(&["switch"]).env("FARM_STATE_DIR", home.path("state-file"));
    let run = switch().run();
    assert!(run.code() == 0 && run.stderr.contains("warning"), "{run}");
    home.write("dotfiles/farm.toml", format!("{PACKAGES}[file.'~/.hello']\ntext = 'hi'\n"));
    switch().run().fails_with(1, &["cannot write files of farm.toml: there is no state directory"]);
    assert!(!home.path(".hello").is_symlink());
}
