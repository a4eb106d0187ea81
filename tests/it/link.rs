//! `farm link`, `farm unlink`, `farm relink`: packages come, go and are made right.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::sandbox::Sandbox;

/// Two packages that share `~/.config`.
fn two() -> Sandbox {
    Sandbox::with(&[
        "dotfiles/nvim/.config/nvim/init.lua",
        "dotfiles/zsh/.config/zsh/prompt",
        "dotfiles/zsh/.zshrc",
    ])
}

const NVIM: &str = ".config -> dotfiles/nvim/.config\n";
const BOTH: &str = "\
.config/
.config/nvim -> ../dotfiles/nvim/.config/nvim
.config/zsh -> ../dotfiles/zsh/.config/zsh
.zshrc -> dotfiles/zsh/.zshrc
";

#[test]
fn a_link_that_leads_to_the_state_directory_stays() {
    let home = Sandbox::with(&["dotfiles/p/.local/bin/b", "dotfiles/p/c", "dotfiles/q/.local/d"]);
    home.link(".local", "dotfiles/p/.local");
    home.link("c", "dotfiles/p/c");
    home.file("dotfiles/p/.local/state/x");
    let farm = |args: &[&str]| home.farm(args).env_remove("FARM_STATE_DIR").run();
    let tree = home.tree();
    // Unlinking takes it away, another package unfolds it.
    for args in [&["unlink", "p"][..], &["link", "q"], &["stow", "-t", "..", "-D", "p"]] {
        let words = ["~/.local: farm's state directory is reached through it", "FARM_STATE_DIR"];
        let ran = farm(args);
        assert_ne!(ran.code(), 0, "{ran}");
        ran.fails_with(if args[0] == "stow" { 2 } else { 1 }, &words);
        assert_eq!(home.tree(), tree);
    }
}

#[test]
fn the_first_run_makes_room_for_the_state_directory_that_it_makes_in_the_target() {
    let first =
        [&["link", "p"][..], &["switch"], &["stow", "-t", "..", "p"], &["adopt", "p", "~/.local/share/y"]];
    for args in first {
        let home = Sandbox::with(&["dotfiles/p/.local/bin/b", "dotfiles/p/.local/state/x"]);
        if args[0] == "switch" {
            home.write("dotfiles/farm.toml", "[package.p]\n");
        }
        if args[0] == "adopt" {
            home.file(".local/share/y");
        }
        let args: Vec<String> = args.iter().map(|arg| arg.replace('~', &home.text(""))).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        home.farm(&args).env_remove("FARM_STATE_DIR").run().fails_with(0, &[]);
        if args[0] != "adopt" {
            assert!(home.path(".local/bin").is_symlink(), "{args:?}");
        }
        home.farm(&["undo"]).env_remove("FARM_STATE_DIR").run().fails_with(0, &[]);
        assert!(!home.path(".local/bin").exists(), "{args:?}");
    }
}

#[test]
fn links_a_whole_directory_with_one_link() {
    let home = two();
    home.farm(&["link", "nvim"]).run().prints("linked nvim: 1 link\n");
    assert_eq!(home.tree(), NVIM);
    home.farm(&["link", "nvim"]).run().prints("nothing to do: nvim is linked already\n");
}

#[test]
fn a_package_without_anything_to_link_is_not_called_linked() {
    let home = two();
    home.dir("dotfiles/empty");
    home.file("dotfiles/left/README.md");
    home.file("dotfiles/left/doc/a~");
    home.dir("doc");
    home.farm(&["link", "-q", "nvim"]).run();
    for command in ["link", "relink"] {
        let says = |packages: &[&str], says: &str| {
            home.farm(&[command]).args(packages).run().prints(&format!("nothing to do: {says}\n"));
        };
        says(&["empty"], "there is nothing to link in empty");
        says(&["left"], "everything in left is ignored");
        says(&["empty", "left"], "there is nothing to link in empty, left");
        says(&["nvim", "empty"], "nvim is linked already, and there is nothing to link in empty");
    }
    home.farm(&["unlink", "empty"]).run().prints("nothing to do: empty has no links here\n");
    // An empty directory is something to link, and then linked.
    home.dir("dotfiles/empty/dir");
    home.farm(&["link", "empty"]).run().prints("linked empty: 1 link\n");
    home.farm(&["link", "empty"]).run().prints("nothing to do: empty is linked already\n");
}

#[test]
fn only_packages_with_something_to_link_are_called_linked() {
    let home = two();
    home.dir("dotfiles/empty");
    home.file("dotfiles/left/README.md");
    home.farm(&["link", "-n", "empty", "nvim"]).run().prints(
        "+ .config -> dotfiles/nvim/.config\nwould link nvim: 1 link; there is nothing to link in empty; nothing was \
         changed\n",
    );
    home.farm(&["link", "left", "nvim"]).run().prints("linked nvim: 1 link; everything in left is ignored\n");
    // A directory that is made, if for nothing, is something.
    home.file("dotfiles/left/doc/a~");
    home.farm(&["link", "--no-fold", "left"]).run().prints("linked left: 1 directory made\n");
    // An emptied package loses its links.
    home.remove("dotfiles/nvim/.config");
    home.farm(&["relink", "nvim"]).run().prints("relinked nvim: 1 link removed\n");
}

#[test]
fn unfolds_when_a_second_package_joins_and_refolds_when_it_leaves() {
    let home = two();
    home.farm(&["link", "-q", "nvim"]).run().prints("");
    home.farm(&["link", "zsh"]).run().prints("linked zsh: 1 link, 1 directory unfolded\n");
    assert_eq!(home.tree(), BOTH);
    home.farm(&["unlink", "zsh"]).run().prints("unlinked zsh: 1 link removed, 1 directory folded\n");
    assert_eq!(home.tree(), NVIM);
    home.farm(&["unlink", "nvim"]).run().prints("unlinked nvim: 1 link removed\n");
    assert_eq!(home.tree(), "");
    home.farm(&["unlink", "nvim", "zsh"]).run().prints("nothing to do: nvim, zsh have no links here\n");
}

#[test]
fn several_packages_are_one_plan() {
    let home = two();
    let plan = "\
+ .config/
+ .config/nvim -> ../dotfiles/nvim/.config/nvim
+ .config/zsh -> ../dotfiles/zsh/.config/zsh
+ .zshrc -> dotfiles/zsh/.zshrc
linked nvim, zsh: 3 links, 1 directory made
";
    home.farm(&["link", "-v", "nvim", "zsh", "nvim"]).run().prints(plan);
    assert_eq!(home.tree(), BOTH);
    home.farm(&["unlink", "-q", "nvim", "zsh"]).run().prints("");
    assert!(!home.tree().contains("->"));
}

#[test]
fn commands_go_by_all_their_names() {
    for (link, unlink, relink) in
        [("link", "unlink", "relink"), ("add", "rm", "restow"), ("add", "unstow", "relink")]
    {
        let home = two();
        home.farm(&[link, "nvim"]).run().prints("linked nvim: 1 link\n");
        home.farm(&[relink, "nvim"]).run().prints("nothing to do: nvim is linked already\n");
        home.farm(&[unlink, "nvim"]).run().prints("unlinked nvim: 1 link removed\n");
    }
}

#[test]
fn options_stand_before_or_after_the_name_of_the_command() {
    let says = "+ new/.config -> ../dotfiles/nvim/.config\nwould link nvim: 1 link; nothing was changed\n";
    for line in [
        ["-d", "dotfiles", "-t", "new", "-n", "link", "nvim"],
        ["-n", "link", "-d", "dotfiles", "-t", "new", "nvim"],
        ["-t", "new", "link", "nvim", "-d", "dotfiles", "-n"],
    ] {
        let home = two();
        home.dir("new");
        let says = says.replace("new/", "");
        home.farm(&line).from("").run().prints(&says);
        assert_eq!(home.tree(), "new/\n");
    }
}

#[test]
fn an_optional_value_is_only_taken_with_an_equals_sign() {
    let home = two();
    let run = home.farm(&["link", "-n", "--color", "nvim"]).run();
    assert_eq!((run.code(), run.stdout.contains("\x1b[")), (0, true), "{run}");
    let run = home.farm(&["link", "-n", "--color=never", "nvim"]).run();
    assert_eq!((run.code(), run.stdout.contains("\x1b[")), (0, false), "{run}");
}

#[test]
fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let home = two();
    home.farm(&["link", "nvim"]).run();
    let (before, times) = (home.identity(), home.times());
    let plan = "\
~ .config/ (a link becomes a directory)
+ .config/nvim -> ../dotfiles/nvim/.config/nvim
+ .config/zsh -> ../dotfiles/zsh/.config/zsh
+ .zshrc -> dotfiles/zsh/.zshrc
would link zsh: 1 link, 1 directory unfolded; nothing was changed
";
    home.farm(&["link", "--dry-run", "zsh"]).run().prints(plan);
    let plan = "- .config -> dotfiles/nvim/.config\nwould unlink nvim: 1 link removed; nothing was changed\n";
    home.farm(&["unlink", "-n", "nvim"]).run().prints(plan);
    assert_eq!((home.identity(), home.times()), (before, times));
}

#[test]
fn quiet_leaves_errors_and_verbose_shows_the_plan() {
    let home = two();
    home.farm(&["-q", "link", "nvim"]).run().prints("");
    home.farm(&["-v", "unlink", "nvim"])
        .run()
        .prints("- .config -> dotfiles/nvim/.config\nunlinked nvim: 1 link removed\n");
    home.farm(&["-q", "link", "vim"]).run().fails(
        1,
        "error: there is no package vim in ~/dotfiles\nnothing was changed\nhint: did you mean nvim?\n",
    );
    home.farm(&["-qv", "link", "nvim"]).run().fails_with(2, &["cannot be used with"]);
}

#[test]
fn json_is_one_object_that_says_whether_anything_changed() {
    let home = two();
    let link = |args: &[&str]| {
        let run = home.farm(args).run();
        assert_eq!((run.code(), &*run.stderr), (0, ""), "{run}");
        run.json()
    };
    let expected = json!({
        "command": "link", "dry_run": true, "changed": false,
        "dir": "~/dotfiles", "target": "~", "packages": ["nvim"], "held_back": [],
        "ops": [{"op": "make-link", "path": "~/.config", "to": "dotfiles/nvim/.config"}],
        "conflicts": [], "skipped": [], "notices": [],
    });
    assert_eq!(link(&["link", "--json", "-n", "nvim"]), expected);
    assert_eq!(link(&["--json", "link", "nvim"])["changed"], true);
    assert_eq!(link(&["--json", "link", "nvim"])["changed"], false);
    let unfold = link(&["--json", "link", "zsh"]);
    assert_eq!(
        unfold["ops"],
        json!([
            {"op": "unfold", "path": "~/.config", "from": "dotfiles/nvim/.config", "content": [
                {"path": "nvim", "to": "../dotfiles/nvim/.config/nvim"},
                {"path": "zsh", "to": "../dotfiles/zsh/.config/zsh"},
            ]},
            {"op": "make-link", "path": "~/.zshrc", "to": "dotfiles/zsh/.zshrc"},
        ])
    );
    let run = home.farm(&["--json", "link", "nope"]).run();
    assert_eq!(run.json(), json!({"changed": false, "error": "there is no package nope in ~/dotfiles"}));
    assert_eq!(run.code(), 1);
}

#[test]
fn no_fold_makes_real_directories_and_does_not_fold_them_up() {
    let home = two();
    home.farm(&["link", "--no-fold", "nvim"]).run().prints("linked nvim: 1 link, 2 directories made\n");
    let open =
        ".config/\n.config/nvim/\n.config/nvim/init.lua -> ../../dotfiles/nvim/.config/nvim/init.lua\n";
    assert_eq!(home.tree(), open);
    home.farm(&["link", "zsh"]).run();
    home.farm(&["unlink", "--no-fold", "zsh"]).run();
    assert_eq!(home.tree(), open);
}

#[test]
fn dotfiles_turns_dot_names_into_hidden_ones() {
    let home =
        Sandbox::with(&["dotfiles/zsh/dot-zshrc", "dotfiles/zsh/dot-config/zsh/dot-x", "dotfiles/zsh/plain"]);
    home.farm(&["link", "--dotfiles", "zsh"]).run().prints("linked zsh: 3 links\n");
    assert_eq!(
        home.tree(),
        ".config -> dotfiles/zsh/dot-config\n.zshrc -> dotfiles/zsh/dot-zshrc\nplain -> dotfiles/zsh/plain\n"
    );
    home.farm(&["unlink", "--dotfiles", "zsh"]).run().prints("unlinked zsh: 3 links removed\n");
    assert_eq!(home.tree(), "");
}

#[test]
fn an_ignored_file_is_left_out_and_no_fold_hides_it() {
    let files = ["dotfiles/p/a/keep", "dotfiles/p/a/secret.key", "dotfiles/p/b/c/d", "dotfiles/p/b/c/x.key"];
    let tree = "a/\na/keep -> ../dotfiles/p/a/keep\nb/\nb/c/\nb/c/d -> ../../dotfiles/p/b/c/d\n";
    let home = Sandbox::with(&files);
    home.farm(&["link", "--ignore", "*.key", "p"]).run().prints("linked p: 2 links, 3 directories made\n");
    assert_eq!(home.tree(), tree);

    let home = Sandbox::with(&files);
    home.write("dotfiles/p/.farmignore", "# secrets\n*.key\n");
    home.farm(&["link", "p"]).run();
    assert_eq!(home.tree(), tree);

    let home = Sandbox::with(&files);
    home.write("dotfiles/.farmignore", "*.key\n");
    home.farm(&["link", "p"]).run();
    assert_eq!(home.tree(), tree);

    let home = Sandbox::with(&files);
    home.write("dotfiles/.farmignore", "/other/a\n/p/b\n");
    home.farm(&["link", "p"]).run();
    assert_eq!(home.tree(), "a -> dotfiles/p/a\n");
}

#[test]
fn later_ignore_lists_have_the_last_word() {
    let home = Sandbox::with(&["dotfiles/p/a.log", "dotfiles/p/b.log", "dotfiles/p/c.log"]);
    home.write("dotfiles/.farmignore", "*.log\n");
    home.write("dotfiles/p/.farmignore", "!b.log\n!c.log\n");
    home.farm(&["link", "--ignore", "c.log", "p"]).run();
    assert_eq!(home.tree(), "b.log -> dotfiles/p/b.log\n");
}

#[test]
fn a_stow_local_ignore_keeps_its_meaning() {
    let home = Sandbox::with(&["dotfiles/p/README.md", "dotfiles/p/a/notes.txt", "dotfiles/p/a/keep"]);
    home.farm(&["link", "p"]).run();
    assert_eq!(home.tree(), "a -> dotfiles/p/a\n", "the built-in list has README");
    home.farm(&["unlink", "p"]).run();
    home.write("dotfiles/p/.stow-local-ignore", "note.*\\.txt # Perl's, no glob\n");
    home.farm(&["link", "p"]).run();
    assert_eq!(
        home.tree(),
        "README.md -> dotfiles/p/README.md\na/\na/keep -> ../dotfiles/p/a/keep\n",
        "the package's own list replaces the built-in one"
    );
}

#[test]
fn defer_leaves_and_override_takes_what_another_package_has() {
    let home = Sandbox::with(&["dotfiles/p/.x/rc", "dotfiles/q/.x/rc", "dotfiles/q/other"]);
    home.farm(&["link", "--no-fold", "p"]).run();
    let before = home.identity();
    home.farm(&["link", "q"]).run().fails(
        1,
        "error: cannot link q: 1 thing is in the way\n  .x/rc  a link to ../dotfiles/p/.x/rc, which is p's\nnothing \
         was changed\nhint: --override PATH takes it over, --defer PATH leaves it\n",
    );
    home.farm(&["link", "--override=rc", "q"]).run().fails_with(1, &[".x/rc"]);
    assert_eq!(home.identity(), before);
    home.farm(&["link", "--defer", ".x/*", "q"]).run().prints("linked q: 1 link\n");
    assert_eq!(home.tree(), ".x/\n.x/rc -> ../dotfiles/p/.x/rc\nother -> dotfiles/q/other\n");
    home.farm(&["link", "--override", "**/rc", "q"]).run().prints("linked q: 1 link changed\n");
    assert_eq!(home.tree(), ".x/\n.x/rc -> ../dotfiles/q/.x/rc\nother -> dotfiles/q/other\n");
}

#[test]
fn the_dotfiles_directory_is_found() {
    // Each of these has the package p, and its own parent is the target.
    let home = Sandbox::new();
    for dir in ["cwd", "env", "stow", "manifest", "option"] {
        home.file(&format!("{dir}/dots/p/{dir}"));
    }
    home.write("manifest/dots/farm.toml", "");
    home.dir("manifest/dots/p/deep");
    let links_in = |dir: &str, call: crate::sandbox::Call| {
        let run = call.run();
        assert_eq!(run.code(), 0, "{run}");
        assert!(home.path(dir).join(dir).is_symlink(), "{run}");
        home.remove(format!("{dir}/{dir}"));
    };
    let link = || home.farm(&["link", "p"]);
    links_in("cwd", link().from("cwd/dots"));
    links_in("manifest", link().from("manifest/dots"));
    let link_deep = home.farm(&["link", "--ignore=deep", "p"]);
    links_in("manifest", link_deep.from("manifest/dots/p/deep"));
    links_in("stow", link().env("STOW_DIR", home.path("stow/dots")).from("manifest/dots"));
    let env = || link().env("FARM_DIR", home.path("env/dots")).env("STOW_DIR", home.path("stow/dots"));
    links_in("env", env().from("manifest/dots"));
    links_in("option", env().args(["--dir", "../../option/dots"]).from("cwd/dots"));
    links_in("cwd", link().env("FARM_DIR", "").env("STOW_DIR", "").from("cwd/dots"));
}

#[test]
fn the_target_is_found() {
    let home = two();
    home.dir("env");
    let link = || home.farm(&["link", "nvim"]);
    link().env("FARM_TARGET", home.path("env")).run();
    assert_eq!(home.tree(), "env/\nenv/.config -> ../dotfiles/nvim/.config\n");
    link().env("FARM_TARGET", home.path("env")).args(["-t", "../option"]).run();
    link().env("FARM_TARGET", "").run();
    assert_eq!(
        home.tree(),
        ".config -> dotfiles/nvim/.config\nenv/\nenv/.config -> ../dotfiles/nvim/.config\noption/\n\
         option/.config -> ../dotfiles/nvim/.config\n"
    );
}

#[test]
fn packages_may_be_typed_as_a_shell_completes_them() {
    let home = two();
    for (dir, typed) in [
        ("dotfiles", "nvim/"),
        ("dotfiles", "./nvim"),
        ("dotfiles", "../dotfiles/nvim//"),
        ("", "dotfiles/nvim/"),
        ("dotfiles/nvim", "."),
        ("dotfiles/nvim/.config", ".."),
    ] {
        let call = || home.farm(&["-d", &home.text("dotfiles")]).from(dir);
        call().args(["link", typed]).run().prints("linked nvim: 1 link\n");
        assert_eq!(home.tree(), NVIM);
        call().args(["unlink", typed]).run().prints("unlinked nvim: 1 link removed\n");
    }
    let absolute = home.text("dotfiles/nvim");
    home.farm(&["link", &absolute]).run().prints("linked nvim: 1 link\n");
}

#[test]
fn an_equal_file_becomes_the_link() {
    let home = two();
    home.write(".zshrc", "dotfiles/zsh/.zshrc");
    home.farm(&["link", "-v", "zsh"]).run().prints(
        "+ .config -> dotfiles/zsh/.config\n~ .zshrc -> dotfiles/zsh/.zshrc (an equal file becomes a link)\nlinked \
         zsh: 2 links\n",
    );
    assert_eq!(home.tree(), ".config -> dotfiles/zsh/.config\n.zshrc -> dotfiles/zsh/.zshrc\n");
    assert_eq!(fs::read(home.path("dotfiles/zsh/.zshrc")).unwrap(), b"dotfiles/zsh/.zshrc");
}

#[test]
fn a_file_of_other_bytes_or_mode_is_in_the_way() {
    let home = two();
    home.write(".zshrc", "dotfiles/zsh/.zshrc");
    home.mode(".zshrc", 0o600);
    home.mode("dotfiles/zsh/.zshrc", 0o644);
    home.write(".config/zsh", "mine");
    let before = home.identity();
    home.farm(&["link", "zsh"]).run().fails(
        1,
        "error: cannot link zsh: 2 things are in the way\n  .config/zsh  a file, not a link\n  .zshrc       a file, \
         not a link, and not equal to zsh's\nnothing was changed\nhint: --backup moves them aside\n",
    );
    assert_eq!(home.identity(), before);
    let mode = fs::metadata(home.path(".zshrc")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn every_conflict_is_shown_and_nothing_changes() {
    let home =
        Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b/x", "dotfiles/p/c", "dotfiles/p/d", "dotfiles/p/ok"]);
    home.file("a");
    home.file("b");
    home.dir("c/d");
    home.link("d", "elsewhere");
    let before = home.identity();
    home.farm(&["link", "p"]).run().fails(
        1,
        "error: cannot link p: 4 things are in the way\n  a  a file, not a link, and not equal to p's\n  b  a file, \
         not a link\n  c  a directory, where p has none\n  d  a link to elsewhere, not made by farm\nnothing was \
         changed\nhint: --backup moves them aside\n",
    );
    assert_eq!(home.identity(), before);
    let json = home.farm(&["link", "--json", "p"]).run().json();
    assert_eq!(json["changed"], false);
    let reasons: Vec<_> = json["conflicts"].as_array().unwrap().iter().map(|c| &c["reason"]).collect();
    assert_eq!(reasons, ["file-differs", "file", "directory", "foreign-link"]);
}

#[test]
fn keep_going_holds_back_only_what_something_is_in_the_way_of() {
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "dotfiles/q/c", ".keep", "b"]);
    let conflict =
        "error: cannot link p: 1 thing is in the way\n  b  a file, not a link, and not equal to p's\n";
    let hint = "hint: --backup moves it aside; `farm adopt p` takes it into the package\n";
    home.farm(&["link", "p", "q"]).run().fails(
        1,
        &format!(
            "{conflict}nothing was changed\n{hint}hint: --keep-going holds back only the packages that something is in \
             the way of\n"
        ),
    );
    assert_eq!(home.tree(), ".keep\nb\n");
    let run = home.farm(&["link", "--keep-going", "p", "q"]).run();
    run.says(1, "linked q: 1 link\n", &format!("{conflict}{hint}"));
    assert_eq!(home.tree(), ".keep\nb\nc -> dotfiles/q/c\n");
}

#[test]
fn links_that_lead_to_the_right_place_are_right() {
    let home = Sandbox::with(&["dotfiles/p/abs", "dotfiles/p/far/x", "dotfiles/p/near"]);
    home.link("abs", home.path("dotfiles/p/abs"));
    home.link("way", "dotfiles/p");
    home.link("far", "way/far");
    home.link("near", "./dotfiles/../dotfiles/p/near");
    let (before, times) = (home.identity(), home.times());
    for command in ["link", "relink"] {
        home.farm(&[command, "p"]).run().prints("nothing to do: p is linked already\n");
        assert_eq!((home.identity(), home.times()), (before.clone(), times.clone()));
    }
    home.farm(&["unlink", "p"]).run().prints("unlinked p: 3 links removed\n");
    assert_eq!(home.tree(), "way -> dotfiles/p\n");
}

#[test]
fn missing_target_directories_are_made() {
    let home = two();
    home.farm(&["link", "-t", "../new/deep", "nvim"])
        .run()
        .prints("linked nvim: 1 link, 2 directories made\n");
    assert_eq!(home.tree(), "new/\nnew/deep/\nnew/deep/.config -> ../../dotfiles/nvim/.config\n");
}

#[test]
fn unlinking_makes_no_directories() {
    let home = two();
    home.farm(&["unlink", "-t", "../new/deep", "nvim"])
        .run()
        .prints("nothing to do: nvim has no links here\n");
    assert_eq!(home.tree(), "");
}

#[test]
fn a_target_in_the_dotfiles_directory_is_refused() {
    let home = two();
    let before = home.identity();
    home.link("way", "dotfiles/nvim");
    for (typed, real) in [
        (".", "~/dotfiles"),
        ("nvim", "~/dotfiles/nvim"),
        ("../way", "~/dotfiles/nvim"),
        ("new/dir", "~/dotfiles/new/dir"),
    ] {
        let says = format!(
            "error: the target {real} lies in the dotfiles directory ~/dotfiles: links there would change the \
             packages\nnothing was changed\nhint: name another with --target\n"
        );
        home.farm(&["link", "-t", typed, "zsh"]).run().fails(1, &says);
    }
    home.remove("way");
    assert_eq!(home.identity(), before);
}

#[test]
fn a_link_in_the_target_that_leads_into_the_dotfiles_directory_is_not_written_through() {
    let home = Sandbox::with(&["dotfiles/p/d/x", "dotfiles/q/other"]);
    home.link("d", "dotfiles/q");
    let packages = home.tree_below("dotfiles");
    home.farm(&["link", "p"]).run().prints("linked p: 1 directory unfolded\n");
    assert_eq!(home.tree_below("dotfiles"), packages);
    assert_eq!(home.tree(), "d/\nd/other -> ../dotfiles/q/other\nd/x -> ../dotfiles/p/d/x\n");
}

#[test]
fn a_relink_of_what_is_right_touches_nothing() {
    let home = two();
    home.farm(&["link", "nvim", "zsh"]).run();
    let (before, times) = (home.identity(), home.times());
    home.farm(&["relink", "nvim", "zsh"]).run().prints("nothing to do: nvim, zsh are linked already\n");
    assert_eq!((home.identity(), home.times()), (before, times));
}

#[test]
fn a_relink_makes_right_what_the_package_has_changed() {
    let home = two();
    home.farm(&["link", "nvim", "zsh"]).run();
    home.remove("dotfiles/zsh/.zshrc");
    home.file("dotfiles/zsh/.zprofile");
    let plan = "+ .zprofile -> dotfiles/zsh/.zprofile\n- .zshrc -> dotfiles/zsh/.zshrc\n";
    home.farm(&["relink", "-v", "zsh"])
        .run()
        .prints(&format!("{plan}relinked zsh: 1 link, 1 link removed\n"));
    assert!(!home.path(".zshrc").is_symlink());
}

#[test]
fn what_is_not_the_farms_stays() {
    let home = two();
    home.file(".config/mine/file");
    home.link(".config/theirs", "mine");
    home.farm(&["link", "nvim"]).run();
    home.farm(&["unlink", "nvim"]).run();
    assert_eq!(home.tree(), ".config/\n.config/mine/\n.config/mine/file\n.config/theirs -> mine\n");
}

#[test]
fn nested_stow_directories_are_left_alone() {
    let home = Sandbox::with(&["dotfiles/p/local/bin", "local/.stow"]);
    home.farm(&["link", "p"]).run().says(
        0,
        "nothing to do: p is linked already\n",
        "warning: left out local: a .stow file in it says that it holds packages\n",
    );
    assert_eq!(home.tree(), "local/\nlocal/.stow\n");
}

#[test]
fn a_command_line_without_sense_is_a_usage_error() {
    let home = two();
    for line in [&["link"][..], &["link", "--nope", "nvim"], &["frobnicate"], &["-n", "stow", "nvim"], &[]] {
        let run = home.farm(line).run();
        assert_eq!((run.code(), &*run.stdout), (2, ""), "{run}");
    }
    assert_eq!(home.tree(), "");
}

#[test]
fn a_link_that_led_right_by_way_of_another_leads_right_afterwards() {
    let home = Sandbox::with(&["dotfiles/p/.dots/x", "dotfiles/zsh/.zshrc"]);
    home.link(".dots", "dotfiles/zsh");
    home.link(".zshrc", ".dots/.zshrc");
    home.farm(&["link", "zsh"]).run().prints("nothing to do: zsh is linked already\n");
    home.farm(&["link", "-v", "p", "zsh"]).run().prints(
        "~ .dots/ (a link becomes a directory)\n+ .dots/.zshrc -> ../dotfiles/zsh/.zshrc\n\
         + .dots/x -> ../dotfiles/p/.dots/x\n~ .zshrc -> dotfiles/zsh/.zshrc\nlinked p, zsh: 1 link changed, 1 directory \
         unfolded\n",
    );
    home.farm(&["link", "p", "zsh"]).run().prints("nothing to do: p, zsh are linked already\n");
    home.farm(&["undo", "-q"]).run().prints("");
    assert_eq!(home.tree(), ".dots -> dotfiles/zsh\n.zshrc -> .dots/.zshrc\n");
}

/// What may have happened to a directory, whose links farm made or is about to make; `f03` is not there.
const CHANGES: [fn(&Sandbox); 9] = [
    |home| home.link(".config/app/f03", "../../dotfiles/p/.config/app/f03"),
    |home| home.file(".config/app/mine"),
    |home| home.link(".config/app/f03", "../../dotfiles/q/f03"),
    |home| home.file(".config/app/f03"),
    |home| home.write(".config/app/f03", "as the package has it"),
    |home| home.dir(".config/app/f03"),
    |home| home.fifo(".config/app/f03"),
    |home| home.file(".config/app/.stow"),
    |home| home.link(".config/app/.nonstow", "f00"),
];

#[test]
fn linking_sees_in_a_large_directory_what_it_sees_in_a_small_one() {
    for (number, change) in CHANGES.iter().enumerate() {
        for (line, is_linked) in [(&["link", "p"][..], false), (&["link", "p"], true), (&["stow", "p"], true)]
        {
            let seen = [8, 80].map(|files| {
                let home = Sandbox::with(&["dotfiles/q/f03"]);
                home.dir(".config/app");
                for n in 0..files {
                    home.write(format!("dotfiles/p/.config/app/f{n:02}"), "as the package has it");
                }
                if is_linked {
                    home.farm(&["link", "-q", "p"]).run().prints("");
                    home.remove(".config/app/f03");
                }
                change(&home);
                let ran = home.farm(line).run();
                // What only the large one has is not compared.
                let is_of_both =
                    |line: &&str| !line.starts_with(".config/app/f") || *line < ".config/app/f08";
                let tree: Vec<String> = home.tree().lines().filter(is_of_both).map(str::to_owned).collect();
                let said = ran.stdout.replace("80 links", "8 links").replace("79 links", "7 links");
                (ran.code(), said, ran.stderr.clone(), tree)
            });
            assert_eq!(seen[0], seen[1], "change {number}, {line:?}");
        }
    }
}

#[test]
fn a_directory_that_somebody_closed_to_others_is_not_folded() {
    let home = Sandbox::with(&["dotfiles/p/.ssh/config", "dotfiles/q/.ssh/known"]);
    home.dir(".ssh");
    home.mode(".ssh", 0o700);
    home.farm(&["link", "p"]).run().fails_with(0, &[]);
    let linked = home.tree();
    home.farm(&["unlink", "q"]).run().prints("nothing to do: q has no links here\n");
    home.farm(&["link", "q"]).run().fails_with(0, &[]);
    home.farm(&["unlink", "q"]).run().prints("unlinked q: 1 link removed\n");
    assert_eq!(home.tree(), linked);
}

#[test]
fn what_takes_the_place_of_a_link_folds_no_more_than_where_nothing_was() {
    let home =
        Sandbox::with(&["dotfiles/p/bin/f", "dotfiles/one/a/f", "dotfiles/two/a/f", "dotfiles/two/a/secret"]);
    home.link("bin", "dotfiles/gone/bin");
    home.farm(&["link", "--no-fold", "p"]).run().fails_with(0, &[]);
    home.write("dotfiles/two/.farmignore", "secret\n");
    home.farm(&["link", "one"]).run().fails_with(0, &[]);
    home.farm(&["link", "--override", "**", "two"]).run().fails_with(0, &[]);
    assert_eq!(home.tree(), "a/\na/f -> ../dotfiles/two/a/f\nbin/\nbin/f -> ../dotfiles/p/bin/f\n");
}

#[test]
fn a_package_that_was_deleted_is_in_nobodys_way() {
    let home = Sandbox::with(&["dotfiles/gcc/bin/gcc", "dotfiles/perl/bin/perl"]);
    home.farm(&["link", "-q", "gcc", "perl"]).run().prints("");
    // What is left of it in a directory looks like what could be folded.
    home.remove("dotfiles/perl");
    home.farm(&["status"]).run().prints("gcc  linked      1 link\n");
    home.farm(&["relink", "gcc"]).run().prints("nothing to do: gcc is linked already\n");
    home.farm(&["unlink", "gcc"]).run().prints("unlinked gcc: 1 link removed\n");
    assert_eq!(home.tree(), "bin/\nbin/perl -> ../dotfiles/perl/bin/perl\n");
    home.farm(&["why", "../bin/gcc"]).run().prints("bin/gcc: not linked, and nothing keeps gcc from it\n");
    home.farm(&["link", "gcc"]).run().prints("linked gcc: 1 link\n");
}

#[test]
fn a_package_that_was_deleted_stays_behind_when_the_dotfiles_move() {
    let home = Sandbox::with(&["dotfiles/gcc/bin/gcc", "dotfiles/perl/bin/perl"]);
    home.farm(&["link", "-q", "gcc", "perl"]).run().prints("");
    home.remove("dotfiles/perl");
    std::fs::rename(home.path("dotfiles"), home.path("dots")).unwrap();
    let moved = ["relink", "--moved-from", "../dotfiles"];
    home.farm(&moved).from("dots").run().prints("relinked gcc: 1 link changed\n");
    assert_eq!(home.tree_below("bin"), "gcc -> ../dots/gcc/bin/gcc\nperl -> ../dotfiles/perl/bin/perl\n",);
}

#[test]
fn who_is_in_the_wrong_directory_is_told_which_is_the_dotfiles_directory() {
    let home = two();
    let says = "\
error: dotfiles/nvim is not a package: it is no directory directly in the dotfiles directory ~
nothing was changed
hint: --dir names another dotfiles directory
";
    home.farm(&["link", "dotfiles/nvim"]).from("").run().fails(1, says);
    home.farm(&["link", "nvim"]).from("").run().fails_with(1, &["no package nvim in ~\n", "--dir"]);
    home.farm(&["link", "-q", "-d", "dotfiles", "dotfiles/nvim"]).from("").run().prints("");
    let long = "a".repeat(300);
    let says =
        format!("error: cannot look at package ~/dotfiles/{long}: File name too long\nnothing was changed\n");
    home.farm(&["link", &long]).run().fails(1, &says);
}
