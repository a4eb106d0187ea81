//! `farm.toml`: packages by name from anywhere, landing where it says, and mistakes shown where they are.

use crate::sandbox::Sandbox;

const FLAT: &str = "[defaults]\nas = \"~/.config/{package}\"\n\n[package.zshrc]\ninto = \"~\"\n";

/// Plain application directories, as their owners keep them, and a manifest.
fn flat(manifest: &str) -> Sandbox {
    let home = Sandbox::with(&[
        "dotfiles/nvim/init.lua",
        "dotfiles/nvim/lua/a.lua",
        "dotfiles/nvim/README.md",
        "dotfiles/tmux/tmux.conf",
        "dotfiles/zshrc/.zshrc",
        "dotfiles/setup.sh",
    ]);
    home.write("dotfiles/farm.toml", manifest);
    home
}

const LINKED: &str = "\
.config/
.config/nvim -> ../dotfiles/nvim
.config/tmux -> ../dotfiles/tmux
.zshrc -> dotfiles/zshrc/.zshrc
elsewhere/
";

#[test]
fn packages_are_linked_by_name_from_anywhere() {
    let home = flat(FLAT);
    home.dir("elsewhere");
    for (dir, args) in [
        ("dotfiles", vec![]),
        ("dotfiles/nvim/lua", vec![]),
        ("elsewhere", vec![]),
        ("elsewhere", vec!["-d", "../dotfiles"]),
        ("", vec!["--dir=dotfiles"]),
    ] {
        let call = |words: &[&str]| home.farm(&args).args(words).from(dir).run();
        call(&["link", "nvim", "tmux", "zshrc"])
            .prints("linked nvim, tmux, zshrc: 3 links, 1 directory made\n");
        assert_eq!(home.tree(), LINKED);
        let times = home.times();
        call(&["link", "nvim", "zshrc"]).prints("nothing to do: nvim, zshrc are linked already\n");
        call(&["relink", "nvim", "tmux", "zshrc"])
            .prints("nothing to do: nvim, tmux, zshrc are linked already\n");
        assert_eq!(home.times(), times);
        call(&["unlink", "nvim", "tmux", "zshrc"]).prints("unlinked nvim, tmux, zshrc: 3 links removed\n");
        assert_eq!(home.tree(), ".config/\nelsewhere/\n");
        home.remove(".config");
    }
}

#[test]
fn a_dotfiles_directory_with_a_manifest_is_found_in_the_usual_places() {
    for usual in ["dotfiles", ".dotfiles", ".config/dotfiles"] {
        let home = Sandbox::with(&["elsewhere/x", "dotfiles/other"]);
        home.file(&format!("{usual}/nvim/init.lua"));
        home.write(format!("{usual}/farm.toml"), FLAT);
        home.farm(&["link", "nvim"]).from("elsewhere").run();
        assert!(home.path(".config/nvim/init.lua").is_file(), "{usual}");
    }
    // Without a manifest nobody guesses.
    let home = Sandbox::with(&["elsewhere/x", "dotfiles/nvim/init.lua"]);
    home.farm(&["link", "nvim"])
        .from("elsewhere")
        .run()
        .fails_with(1, &["there is no package nvim in ~/elsewhere"]);
}

#[test]
fn a_directory_in_its_place_is_shared_and_comes_back() {
    let home = flat(FLAT);
    home.file(".config/nvim/mine");
    home.farm(&["link", "-v", "nvim"]).run().prints(
        "+ .config/nvim/init.lua -> ../../dotfiles/nvim/init.lua\n+ .config/nvim/lua -> \
         ../../dotfiles/nvim/lua\nlinked nvim: 2 links\n",
    );
    home.farm(&["unlink", "nvim"]).run();
    assert_eq!(home.tree(), ".config/\n.config/nvim/\n.config/nvim/mine\n");
}

#[test]
fn folding_of_another_package_gives_way() {
    let home = flat(FLAT);
    home.file("dotfiles/base/.config/x");
    home.write("dotfiles/farm.toml", format!("{FLAT}[package.base]\ninto = '~'\n"));
    home.farm(&["link", "base"]).run().prints("linked base: 1 link\n");
    assert_eq!(home.tree(), ".config -> dotfiles/base/.config\n");
    home.farm(&["link", "nvim"]).run().prints("linked nvim: 1 directory unfolded\n");
    assert_eq!(
        home.tree(),
        ".config/\n.config/nvim -> ../dotfiles/nvim\n.config/x -> ../dotfiles/base/.config/x\n"
    );
}

#[test]
fn a_package_may_have_another_directory_and_another_place_on_each_platform() {
    let home = flat(
        "[package.editor]\nsource = 'nvim'\nas = '~/a'\nlinux.as = '~/on-linux'\nmacos.as = '~/on-macos'\n",
    );
    let place = if cfg!(target_os = "macos") { "on-macos" } else { "on-linux" };
    home.farm(&["link", "editor"]).run().prints("linked nvim: 1 link\n");
    assert_eq!(home.tree(), format!("{place} -> dotfiles/nvim\n"));
    home.farm(&["unlink", "nvim/"]).run().prints("unlinked nvim: 1 link removed\n");
}

#[test]
fn what_never_folds_stays_a_real_directory() {
    let home = flat("[defaults]\nas = '~/.config/{package}'\nfold = { never = ['~/.config/nvim/lua'] }\n");
    home.farm(&["link", "nvim", "tmux"]).run();
    assert_eq!(
        home.tree(),
        ".config/\n.config/nvim/\n.config/nvim/init.lua -> ../../dotfiles/nvim/init.lua\n.config/nvim/lua/\n\
         .config/nvim/lua/a.lua -> ../../../dotfiles/nvim/lua/a.lua\n.config/tmux -> ../dotfiles/tmux\n"
    );
    home.farm(&["relink", "nvim"]).run().prints("nothing to do: nvim is linked already\n");
    home.write(
        "dotfiles/farm.toml",
        "[defaults]\nas = '~/.config/{package}'\nfold = false\n[package.tmux]\nfold = true\n",
    );
    home.farm(&["unlink", "nvim", "tmux"]).run();
    home.remove(".config");
    home.farm(&["link", "tmux", "nvim"]).run().prints("linked tmux, nvim: 3 links, 3 directories made\n");
}

#[test]
fn what_is_in_the_way_goes_where_the_manifest_says_unless_an_option_says_otherwise() {
    let home = flat("[defaults]\nas = '~/.config/{package}'\nbackup = '.old'\n");
    home.file(".config/tmux");
    home.farm(&["link", "--on-conflict=stop", "tmux"])
        .run()
        .fails_with(1, &[".config/tmux  a file, not a link"]);
    home.farm(&["link", "--skip", "tmux"]).run();
    assert_eq!(home.tree(), ".config/\n.config/tmux\n");
    home.farm(&["link", "tmux"]).run().prints("linked tmux: 1 link, 1 file backed up\n");
    assert_eq!(home.tree(), ".config/\n.config/tmux -> ../dotfiles/tmux\n.config/tmux.old\n");
    home.farm(&["undo"]).run();
    home.write(
        "dotfiles/farm.toml",
        "[defaults]\nas = '~/.config/{package}'\nbackup = '.old'\nconflict = 'stop'\n",
    );
    home.farm(&["link", "tmux"]).run().fails_with(1, &[".config/tmux  a file, not a link"]);
    home.farm(&["link", "--backup", "tmux"]).run().prints("linked tmux: 1 link, 1 file backed up\n");
    assert!(home.path(".config/tmux.old").is_file());
}

#[test]
fn patterns_of_the_manifest_add_up_with_the_others() {
    let home = flat("[defaults]\nas = '~/.config/{package}'\nignore = ['*.lua', '.DS_Store']\n");
    home.file("dotfiles/tmux/.DS_Store");
    home.farm(&["link", "--ignore=x", "nvim", "tmux"]).run();
    assert_eq!(home.tree(), ".config/\n.config/nvim/\n.config/nvim/lua/\n.config/tmux -> ../dotfiles/tmux\n");
    home.write("dotfiles/nvim/.farmignore", "!init.lua\n");
    home.farm(&["link", "nvim"]).run().prints("linked nvim: 1 link\n");
}

#[test]
fn names_are_translated_when_the_manifest_says_so() {
    let home = Sandbox::with(&["dotfiles/zsh/dot-zshrc"]);
    home.write("dotfiles/farm.toml", "[defaults]\ndotfiles = true\n");
    home.farm(&["link", "zsh"]).run();
    assert_eq!(home.tree(), ".zshrc -> dotfiles/zsh/dot-zshrc\n");
}

#[test]
fn adopting_and_ejecting_know_where_a_package_lands() {
    let home = flat(FLAT);
    home.farm(&["link", "nvim"]).run();
    home.file(".config/tmux/extra/keys.conf");
    home.farm(&["adopt", "tmux", &home.text(".config/tmux/extra")]).run();
    assert!(home.path("dotfiles/tmux/extra/keys.conf").is_file());
    assert_eq!(
        home.tree(),
        ".config/\n.config/nvim -> ../dotfiles/nvim\n.config/tmux/\n.config/tmux/extra -> ../../dotfiles/tmux/extra\n"
    );
    home.farm(&["eject", "tmux", &home.text(".config/tmux/extra")]).run();
    assert!(
        !home.path("dotfiles/tmux/extra").exists() && home.path(".config/tmux/extra/keys.conf").is_file()
    );
}

#[test]
fn a_manifest_takes_the_place_of_stowrc() {
    let home = flat(FLAT);
    home.write("dotfiles/.stowrc", "--target=~/t --ignore=init.lua --no-folding\n");
    home.dir("t");
    home.farm(&["link", "nvim"]).run().prints("linked nvim: 1 link, 1 directory made\n");
    assert_eq!(home.tree(), ".config/\n.config/nvim -> ../dotfiles/nvim\nt/\n");
    // One that says nothing marks the directory, and that is all.
    home.write("dotfiles/farm.toml", "# mine\n");
    home.farm(&["link", "tmux"]).run();
    assert_eq!(home.tree_below("t"), "tmux.conf -> ../dotfiles/tmux/tmux.conf\n");
}

#[test]
fn another_target_gets_the_same_layout() {
    let home = flat("[defaults]\ntarget = '~/farm'\nas = '~/farm/.config/{package}'\n");
    home.farm(&["link", "nvim"]).run();
    assert_eq!(home.tree_below("farm"), ".config/\n.config/nvim -> ../../dotfiles/nvim\n");
    home.farm(&["link", "-t", "../new/home", "nvim"]).run();
    assert_eq!(home.tree_below("new/home"), ".config/\n.config/nvim -> ../../../dotfiles/nvim\n");
}

#[test]
fn a_package_that_is_not_for_this_machine_is_refused() {
    for line in
        ["enable = false", "when.host = 'nowhere'", "when.exists = '~/nothing'", "when.env.NOTHING = '*'"]
    {
        let home = flat(&format!("[package.tmux]\n{line}\n"));
        home.farm(&["link", "tmux"]).run().fails(
            1,
            "error: tmux is not for this machine\nnothing was changed\nhint: ~/dotfiles/farm.toml says when it is: \
             `when`, `enable`\n",
        );
        home.farm(&["unlink", "tmux"]).run().prints("nothing to do: tmux has no links here\n");
    }
    let home = flat("[package.tmux]\nwhen = { exists = '~/dotfiles', env.MINE = 'y*' }\n");
    home.farm(&["link", "tmux"]).env("MINE", "yes").run().prints("linked tmux: 1 link\n");
}

#[test]
fn mistakes_are_shown_where_they_are_and_change_nothing() {
    let home = flat("version = 1\n[defaults]\nfodl = true\n\n[package.nvim]\nas = \"~bob/nvim\"\ninto = 3\n");
    let before = (home.identity(), home.times());
    let says = "\
error: unknown key `fodl`
 --> ~/dotfiles/farm.toml:3:1
  |
3 | fodl = true
  | ^^^^ did you mean `fold`?
error: this is an integer
 --> ~/dotfiles/farm.toml:7:8
  |
7 | into = 3
  |        ^ it takes a string
nothing was changed
";
    home.farm(&["link", "tmux"]).run().fails(1, says);
    let run = home.farm(&["link", "--json", "tmux"]).run();
    let expected = "~/dotfiles/farm.toml:3:1: unknown key `fodl`: did you mean `fold`?\n~/dotfiles/farm.toml:7:8: this \
                    is an integer: it takes a string";
    assert_eq!(run.json()["error"], expected);
    assert_eq!((home.identity(), home.times()), before);
}

#[test]
fn two_entries_for_one_path_are_both_shown() {
    let home = flat("[package.nvim]\nas = \"~/.config/x\"\n[files]\n\"~/.config/x/y\" = \"setup.sh\"\n");
    let says = "\
error: ~/.config/x/y would be in .config/x, which is one link to nvim
 --> ~/dotfiles/farm.toml:4:1
  |
2 | as = \"~/.config/x\"
  |      ------------- this is linked as a whole
3 | [files]
4 | \"~/.config/x/y\" = \"setup.sh\"
  | ^^^^^^^^^^^^^^^ put it into nvim, or say `fold = false` there
nothing was changed
";
    home.farm(&["link", "tmux"]).run().fails(1, says);
    // A package need not be mentioned to be in the way of one that is.
    home.write(
        "dotfiles/farm.toml",
        "[defaults]\nas = \"~/.config/{package}\"\n[package.x]\nas = \"~/.config/nvim\"\n",
    );
    let title = "error: nvim and x have one target path, .config/nvim\n";
    home.farm(&["link", "nvim"]).run().fails_with(1, &[title, "farm.toml:4:6"]);
    home.farm(&["link", "tmux"]).run().prints("linked tmux: 1 link, 1 directory made\n");
}

#[test]
fn a_package_whose_directory_is_missing_is_shown_with_the_nearest() {
    let home = flat("[package.editor]\nsource = \"nvmi\"\n[package.script]\nsource = \"setup.sh\"\n");
    let says = "\
error: there is no ~/dotfiles/nvmi
 --> ~/dotfiles/farm.toml:2:10
  |
2 | source = \"nvmi\"
  |          ^^^^^^ did you mean nvim?
nothing was changed
";
    home.farm(&["link", "editor"]).run().fails(1, says);
    home.farm(&["link", "script"])
        .run()
        .fails_with(1, &["error: ~/dotfiles/setup.sh is not a directory", ":4:10"]);
    home.farm(&["link", "nvmi"]).run().fails_with(1, &["there is no ~/dotfiles/nvmi"]);
    home.farm(&["link", "tmxu"]).run().fails(
        1,
        "error: there is no package tmxu in ~/dotfiles\nnothing was changed\nhint: did you mean tmux?\n",
    );
}

#[test]
fn a_manifest_that_is_no_text_is_refused() {
    let home = flat("");
    home.write("dotfiles/farm.toml", b"version = 1\n# \xff\n");
    home.farm(&["link", "tmux"]).run().fails_with(1, &["error: the file is not UTF-8", "farm.toml:2:3"]);
    home.write("dotfiles/farm.toml", "version = 2\nnew = true\n");
    let says = "\
error: the file has version 2, and this farm knows version 1
 --> ~/dotfiles/farm.toml:1:11
  |
1 | version = 2
  |           ^ use a newer farm, or write `version = 1` and what that version knows
nothing was changed
";
    home.farm(&["link", "tmux"]).run().fails(1, says);
    home.write("dotfiles/farm.toml", "version = \n");
    home.farm(&["link", "tmux"]).run().fails_with(1, &["error: this is not TOML", "farm.toml:1:11"]);
    home.mode("dotfiles/farm.toml", 0o000);
    if std::fs::read(home.path("dotfiles/farm.toml")).is_err() {
        home.farm(&["link", "tmux"]).run().fails_with(1, &["cannot read ~/dotfiles/farm.toml"]);
    }
    assert_eq!(home.tree(), "");
}

#[test]
fn names_in_a_manifest_cannot_talk_to_the_terminal() {
    let home =
        flat("[package.\"a\\u001b[31m\"]\nas = \"~/x\"\n[package.b]\nas = \"~/x\"\n\"c\u{1b}[31md\" = 1\n");
    let run = home.farm(&["link", "tmux"]).run();
    assert!(run.code() == 1 && !run.stderr.contains('\u{1b}'), "{run}");
    home.write("dotfiles/farm.toml", "[package.\"a\\u001b[31m\"]\nas = \"~/x\"\n[package.b]\nas = \"~/x\"\n");
    let run = home.farm(&["link", "tmux"]).run();
    assert!(run.code() == 1 && !run.stderr.contains('\u{1b}'), "{run}");
}
