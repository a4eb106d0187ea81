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
        "error: farm.toml has profiles, and none is named\nnothing was changed\nhint: say `farm switch PROFILE`: \
         laptop, server\n",
    );
    home.farm(&["switch", "labtop"]).run().fails(
        1,
        "error: there is no profile labtop\nnothing was changed\nhint: the profiles are laptop, server\n",
    );
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
    let says = "error: cannot switch: 1 thing is in the way\n  .hello  a file, not a link, and not equal to \
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
        "error: `exit 7` failed: exit status: 7\nit was run because .a has changed\nthe links are as farm.toml says\nhint: \
         the next `farm switch` runs it again\n",
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

/// Returns what a regular file holds, with its permissions.
fn file(home: &Sandbox, path: &str) -> (String, u32) {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::symlink_metadata(home.path(path)).unwrap();
    assert!(metadata.is_file(), "{path}");
    (std::fs::read_to_string(home.path(path)).unwrap(), metadata.permissions().mode() & 0o7777)
}

#[test]
fn templates_know_the_user_without_an_environment_too() {
    let home = flat("[file.'~/.a']\ntemplate = 'a.j2'\n");
    home.write("dotfiles/a.j2", "{{ user }}\n");
    let name = home.call("id").args(["-un"]).run().stdout;
    for call in [home.farm(&["switch"]), home.farm(&["switch"]).env("USER", "")] {
        call.run().fails_with(0, &[]);
        assert_eq!(content(&home, ".a"), name);
    }
    home.farm(&["switch"]).env("LOGNAME", "log").run().fails_with(0, &[]);
    assert_eq!(content(&home, ".a"), "log\n");
    home.farm(&["switch"]).env("LOGNAME", "log").env("USER", "me").run().fails_with(0, &[]);
    assert_eq!(content(&home, ".a"), "me\n");
}

#[test]
fn what_is_adopted_counts_as_changed_once() {
    let home = flat(
        "[file.'~/.a']\nsource = 'top.txt'\non-change = 'cat .a >> log'\n[file.'~/.d']\nsource = 'dir'\nrecursive = \
         true\non-change = 'cat .d/x >> log'\n",
    );
    home.write("dotfiles/top.txt", "theirs ");
    home.write("dotfiles/dir/x", "their x ");
    home.write(".a", "mine ");
    home.write(".d/x", "my x ");
    let log = || std::fs::read_to_string(home.path("log")).unwrap_or_default();
    let call = |args: &[&str]| home.farm(&["-d", "dotfiles", "switch"]).args(args).from("").run();
    call(&["--adopt"]).fails_with(0, &[]);
    assert_eq!(log(), "mine my x ");
    call(&[]).prints("nothing to do: everything is as farm.toml says\n");
    assert_eq!(log(), "mine my x ");
    // A program has replaced the link: its content is new when it is adopted, not at the switch after that.
    home.remove(".a");
    home.write(".a", "again ");
    call(&["--adopt", "-n"]).fails_with(0, &[]);
    call(&["--adopt"]).fails_with(0, &[]);
    assert_eq!(log(), "mine my x again ");
    call(&[]).prints("nothing to do: everything is as farm.toml says\n");
}

const COPIES: &str = "[file.'~/.d/copy']\nsource = 'top.txt'\nmethod = 'copy'\n[file.'~/.d/text']\ntext = 'one'\nmethod = \
                      'copy'\nmode = '0600'\n[file.'~/.run']\ntemplate = 'run.j2'\nmethod = 'copy'\nexecutable = true\n";

#[test]
fn a_copy_is_a_file_that_is_kept_equal_and_comes_back_with_its_generation() {
    let home = flat(COPIES);
    home.write("dotfiles/run.j2", "{{ os }}");
    home.mode("dotfiles/top.txt", 0o640);
    let os = std::env::consts::OS;
    home.farm(&["switch", "-n", "-v"]).run().prints(
        "+ .d/\n+ .d/copy (a file)\n+ .d/text (a file)\n+ .run (a file)\nwould switch: 3 files written, 1 directory made; \
         nothing was changed\n",
    );
    home.farm(&["switch"]).run().prints("switched: 3 files written, 1 directory made\n");
    let first = [
        (".d/copy", ("dotfiles/top.txt".to_owned(), 0o640)),
        (".d/text", ("one".to_owned(), 0o600)),
        (".run", (os.to_owned(), 0o755)),
    ];
    let is_first = || first.iter().for_each(|(path, it)| assert_eq!(file(&home, path), *it));
    is_first();
    home.farm(&["switch"]).run().prints("nothing to do: everything is as farm.toml says\n");
    home.write("dotfiles/top.txt", "new");
    home.write("dotfiles/farm.toml", COPIES.replace("'one'", "'two'").replace("0600", "0644"));
    home.farm(&["switch", "-v"])
        .run()
        .prints("~ .d/copy (a file)\n~ .d/text (a file)\nswitched: 2 files changed\n");
    assert_eq!(file(&home, ".d/copy"), ("new".to_owned(), 0o640));
    assert_eq!(file(&home, ".d/text"), ("two".to_owned(), 0o644));
    home.farm(&["undo"]).run();
    is_first();
    home.write("dotfiles/farm.toml", "[file.'~/.run']\ntext = 'x'\n");
    home.farm(&["switch"]).run().prints("switched: 1 link, 2 files removed\n");
    assert_eq!(home.tree().lines().count(), 1);
    home.farm(&["undo"]).run();
    is_first();
    home.farm(&["rollback", "0"]).run();
    assert_eq!(home.tree(), "");
    home.farm(&["rollback", "1"]).run();
    is_first();
}

#[test]
fn a_copy_that_somebody_has_changed_is_in_the_way_and_is_never_lost() {
    let home =
        flat("[defaults]\nbackup-existing = 'number'\n[file.'~/.d/text']\ntext = 'one'\nmethod = 'copy'\n");
    home.farm(&["switch"]).run();
    home.write(".d/text", "mine");
    let before = home.identity();
    home.farm(&["switch"]).run().fails(
        1,
        "error: cannot switch: 1 thing is in the way\n  .d/text  a file that farm wrote, and somebody has changed \
         since\nnothing was changed\nhint: --backup moves it aside\n",
    );
    home.farm(&["switch", "--adopt"]).run().fails_with(1, &["only a file is adopted"]);
    assert_eq!(home.identity(), before);
    home.farm(&["undo"]).run().fails_with(1, &["1 path was changed since", ".d/text"]);
    assert_eq!(home.identity(), before);
    home.farm(&["switch", "--skip"]).run();
    assert_eq!(home.identity(), before);
    home.farm(&["switch", "--backup"]).run().prints("switched: 1 file written, 1 file backed up\n");
    assert_eq!(file(&home, ".d/text").0, "one");
    assert_eq!(file(&home, ".d/text.backup").0, "mine");
    home.farm(&["undo"]).run();
    assert_eq!(home.identity(), before);
    home.farm(&["switch", "--replace"]).run().prints("switched: 1 file written, 1 file replaced\n");
    assert_eq!(file(&home, ".d/text").0, "one");
    home.write(".d/text", "mine again");
    home.write("dotfiles/farm.toml", "[package.zshrc]\n");
    home.farm(&["switch"]).run().says(
        0,
        "switched: 1 link\n",
        "warning: left .d/text: farm wrote it, and somebody has changed it since\n",
    );
    assert_eq!(file(&home, ".d/text").0, "mine again");
    home.farm(&["switch"]).run().says(0, "nothing to do: everything is as farm.toml says\n", "");
}

#[test]
fn going_back_leaves_a_changed_copy_with_its_directory() {
    let home = flat(
        "[package.zshrc]\n[file.'~/.d/text']\ntext = 'one'\nmethod = 'copy'\n[file.'~/.e']\ntext = 'one'\n",
    );
    home.farm(&["switch"]).run();
    home.write(".d/text", "mine");
    home.farm(&["rollback", "0"]).run().fails_with(1, &["1 path was changed since", "  .d/text"]);
    let run = home.farm(&["rollback", "0", "--keep-going"]).run();
    assert_eq!((run.code(), home.tree().as_str()), (0, ".d/\n.d/text\n"), "{run}");
    assert_eq!(file(&home, ".d/text").0, "mine");
}

#[test]
fn what_is_in_the_way_of_a_copy_gives_way_as_it_is_asked() {
    let home = flat(
        "[file.'~/.same']\ntext = 'one'\nmethod = 'copy'\n[file.'~/.x']\ntext = 'one'\nmethod = 'copy'\n",
    );
    home.write(".same", "one");
    home.mode(".same", 0o644);
    home.file(".x/mine");
    home.farm(&["switch"]).run().fails_with(1, &["  .x  a directory, where farm.toml has none\n"]);
    home.farm(&["switch", "--backup"]).run().prints("switched: 1 file written, 1 directory backed up\n");
    assert_eq!((file(&home, ".x").0, file(&home, ".same").0), ("one".to_owned(), "one".to_owned()));
    assert!(home.path(".x.backup/mine").is_file());
    home.remove(".x");
    home.link(".x", "elsewhere");
    home.farm(&["switch"]).run().fails_with(1, &["  .x  a link to elsewhere, not made by farm\n"]);
    home.farm(&["switch", "--replace"]).run().prints("switched: 1 file written, 1 foreign link replaced\n");
    // From a copy to a link and back.
    let copy = std::fs::read_to_string(home.path("dotfiles/farm.toml")).unwrap();
    home.write("dotfiles/farm.toml", copy.replace("method = 'copy'\n", ""));
    home.farm(&["switch"]).run().prints("switched: 2 links\n");
    assert_eq!(content(&home, ".x"), "one");
    home.write("dotfiles/farm.toml", copy);
    home.farm(&["switch"]).run().prints("switched: 2 files written\n");
    assert_eq!(file(&home, ".x").0, "one");
    home.write("dotfiles/farm.toml", "[package.zshrc]\n");
    home.farm(&["switch"]).run().prints("switched: 1 link, 2 files removed\n");
}

#[test]
fn a_seed_is_written_once_and_somebody_elses_from_then_on() {
    let seed = |text: &str| format!("[file.'~/.d/seed']\ntext = '{text}'\nmethod = 'seed'\n");
    let home = flat(&seed("one"));
    home.farm(&["switch"]).run().prints("switched: 1 file written, 1 directory made\n");
    home.write("dotfiles/farm.toml", seed("two"));
    home.farm(&["switch"]).run().prints("nothing to do: everything is as farm.toml says\n");
    assert_eq!(file(&home, ".d/seed").0, "one");
    home.write(".d/seed", "mine");
    home.farm(&["switch"]).run().prints("nothing to do: everything is as farm.toml says\n");
    home.write("dotfiles/farm.toml", "[package.zshrc]\n");
    home.farm(&["switch"]).run().says(
        0,
        "switched: 1 link\n",
        "warning: left .d/seed: farm wrote it, and somebody has changed it since\n",
    );
    assert_eq!(file(&home, ".d/seed").0, "mine");
    // Whatever is there stays; where nothing is, it is written; and it goes as it was written.
    home.write("dotfiles/farm.toml", seed("three"));
    home.farm(&["switch"]).run().prints("switched: 1 link removed\n");
    assert_eq!(file(&home, ".d/seed").0, "mine");
    home.remove(".d/seed");
    home.farm(&["switch"]).run().prints("switched: 1 file written\n");
    home.write("dotfiles/farm.toml", "[package.zshrc]\n");
    home.farm(&["switch"]).run().prints("switched: 1 link, 1 file removed\n");
    assert!(!home.path(".d/seed").exists());
}

#[test]
fn a_command_that_failed_is_run_again_until_it_succeeds() {
    let home = flat(
        "[file.'~/.a']\ntext = 'a'\non-change = 'echo a >> log; test -e ready'\n[file.'~/.b']\ntext = 'b'\non-change = \
         'echo b >> log'\n",
    );
    let call = |args: &[&str]| home.farm(&["-d", "dotfiles", "switch"]).args(args).from("").run();
    let log = || std::fs::read_to_string(home.path("log")).unwrap_or_default();
    assert_eq!((call(&[]).code(), log().as_str()), (1, "a\nb\n"));
    let generations = || home.farm(&["generations"]).run().stdout.lines().count();
    let count = generations();
    call(&["-n"]).prints(
        "! echo a >> log; test -e ready (for .a)\nwould switch: 1 command run; nothing was changed\n",
    );
    assert_eq!((call(&[]).code(), log().as_str()), (1, "a\nb\na\n"));
    home.write("ready", "");
    call(&[]).prints("switched: 1 command run\n");
    assert_eq!((generations(), log().as_str()), (count, "a\nb\na\na\n"));
    call(&[]).prints("nothing to do: everything is as farm.toml says\n");
}

#[test]
fn a_command_that_failed_waits_while_another_dotfiles_directory_is_switched_to() {
    let home = Sandbox::with(&[]);
    home.write("one/farm.toml", "[file.'~/.a']\ntext = 'a'\non-change = 'echo a >> log; test -e ready'\n");
    home.write("two/farm.toml", "[file.'~/.b']\ntext = 'b'\non-change = 'echo b >> log'\n");
    let call = |dir: &str| home.farm(&["-d", dir, "switch"]).from("").run().code();
    assert_eq!([call("one"), call("two")], [1, 0]);
    home.write("ready", "");
    assert_eq!([call("one"), call("one"), call("two")], [0, 0, 0]);
    assert_eq!(std::fs::read_to_string(home.path("log")).unwrap(), "a\nb\na\n");
}

#[test]
fn what_no_generation_names_goes_when_generations_expire() {
    let text = |text: &str| {
        format!("[file.'~/.a']\ntext = '{text}'\n[file.'~/.b']\ntext = '{text}b'\nmethod = 'copy'\n")
    };
    let home = flat(&text("one"));
    home.farm(&["switch"]).run();
    for version in ["two", "three"] {
        home.write("dotfiles/farm.toml", text(version));
        home.farm(&["switch"]).run();
    }
    let stored = || {
        let targets = std::fs::read_dir(home.state().join("targets")).unwrap().next().unwrap().unwrap();
        let shelf = std::fs::read_dir(targets.path().join("rendered")).unwrap().next().unwrap().unwrap();
        std::fs::read_dir(shelf.path()).unwrap().count()
    };
    assert_eq!(stored(), 6);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    home.farm(&["generations", "--expire", "0s", "-n"]).run();
    assert_eq!(stored(), 6);
    home.farm(&["generations", "--expire", "0s"]).run().prints("dropped 2 generations, 1 to 2\n");
    assert_eq!(stored(), 4);
    home.farm(&["undo"]).run();
    assert_eq!((content(&home, ".a").as_str(), file(&home, ".b").0.as_str()), ("two", "twob"));
    home.farm(&["switch"]).run().prints("switched: 1 link changed, 1 file changed\n");
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
    switch().run().fails_with(1, &["cannot use state directory ", "Not a directory"]);
    assert!(!home.path(".hello").is_symlink());
}

#[test]
fn what_was_edited_through_the_link_to_a_file_that_farm_wrote_is_not_written_over() {
    let home = flat("[file.'~/.hello']\ntext = 'one'\n");
    home.farm(&["switch"]).run().fails_with(0, &[]);
    std::fs::write(home.path(".hello"), "an edit").unwrap();
    let other = "[file.'~/.hello']\ntext = 'one'\n[file.'~/.other']\ntext = 'b'\n";
    // The same text again, and another one.
    for manifest in [other, "[file.'~/.hello']\ntext = 'two'\n"] {
        home.write("dotfiles/farm.toml", manifest);
        let before = home.identity();
        for dry in [&["switch"][..], &["switch", "-n"]] {
            let words = [".hello was edited through its link since farm wrote it", "nothing was changed"];
            home.farm(dry).run().fails_with(1, &words);
        }
        assert_eq!(home.identity(), before);
    }
    // The hint's way out: the file goes, and is written anew.
    let edited = std::fs::canonicalize(home.path(".hello")).unwrap();
    home.write("dotfiles/farm.toml", "[file.'~/.hello']\ntext = 'one'\n");
    std::fs::remove_file(&edited).unwrap();
    home.farm(&["switch"]).run().fails_with(0, &[]);
    assert_eq!(content(&home, ".hello"), "one");
}

#[test]
fn what_was_edited_stays_when_its_generation_expires() {
    let home = flat("[file.'~/.hello']\ntext = 'one'\n");
    home.farm(&["switch"]).run().fails_with(0, &[]);
    let edited = std::fs::canonicalize(home.path(".hello")).unwrap();
    home.write("dotfiles/farm.toml", "[package.zshrc]\ninto = '~'\n");
    home.farm(&["switch"]).run().fails_with(0, &[]);
    std::fs::write(&edited, "an edit").unwrap();
    // The first generation is not the one before the current one any more.
    home.write("dotfiles/farm.toml", "[file.'~/.hello']\ntext = 'two'\n");
    home.farm(&["switch"]).run().fails_with(0, &[]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    home.farm(&["generations", "--expire", "0s"]).run().fails_with(0, &[]);
    assert_eq!(std::fs::read_to_string(&edited).unwrap(), "an edit");
}
