//! A dotfiles directory that has moved: `relink --moved-from` finds its links and makes them anew.

use std::fs;

use crate::sandbox::{Call, Sandbox};

/// nvim folded, zsh linked file by file, and git with links of other hands: then the directory moves into `src`.
fn moved() -> Sandbox {
    let home = Sandbox::with(&[
        "dotfiles/nvim/.config/nvim/init.lua",
        "dotfiles/zsh/.config/zsh/prompt",
        "dotfiles/zsh/.zshrc",
        "dotfiles/git/.gitconfig",
        "dotfiles/never/.linked",
        "elsewhere/theirs",
    ]);
    home.farm(&["link", "-q", "nvim", "zsh"]).run();
    home.link(".gitconfig", home.path("dotfiles/git/.gitconfig"));
    home.link(".theirs", "elsewhere/theirs");
    home.dir("src");
    fs::rename(home.path("dotfiles"), home.path("src/dots")).expect("it moves");
    home
}

const AFTER: &str = "\
.config/
.config/nvim -> ../src/dots/nvim/.config/nvim
.config/zsh -> ../src/dots/zsh/.config/zsh
.gitconfig -> src/dots/git/.gitconfig
.theirs -> elsewhere/theirs
.zshrc -> src/dots/zsh/.zshrc
";

/// Calls farm with these arguments in the home, with the directories as they are now.
fn farm<'s>(home: &'s Sandbox, args: &[&str]) -> Call<'s> {
    home.farm(args).args(["-d", "src/dots", "-t", "."]).from("")
}

/// Returns the tree of the home without its directories of other things.
fn tree(home: &Sandbox) -> String {
    let tree = home.tree();
    let lines = tree.lines().filter(|line| !line.starts_with("src/") && !line.starts_with("elsewhere/"));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn all_links_into_the_former_directory_are_made_anew() {
    let home = moved();
    let before = tree(&home);
    let relink = ["relink", "--moved-from", "dotfiles"];
    farm(&home, &relink).args(["-n"]).run().prints(
        "\
~ .gitconfig -> src/dots/git/.gitconfig
~ .zshrc -> src/dots/zsh/.zshrc
~ .config/nvim -> ../src/dots/nvim/.config/nvim
~ .config/zsh -> ../src/dots/zsh/.config/zsh
would relink git, nvim, zsh: 4 links changed; nothing was changed
",
    );
    assert_eq!(tree(&home), before);
    farm(&home, &relink).run().prints("relinked git, nvim, zsh: 4 links changed\n");
    assert_eq!(tree(&home), AFTER);
    farm(&home, &relink).run().prints("nothing to do: git, nvim, zsh are linked already\n");
    farm(&home, &["undo", "-q"]).run().prints("");
    assert_eq!(tree(&home), before);
}

#[test]
fn without_it_they_are_somebody_elses() {
    let home = moved();
    farm(&home, &["relink", "zsh"]).run().fails_with(1, &[".zshrc", "not made by farm"]);
    farm(&home, &["relink", "--moved-from", "dotfiles", "zsh"])
        .run()
        .prints("relinked zsh: 2 links changed\n");
}

#[test]
fn a_link_that_was_left_in_the_former_place_is_not_followed() {
    let home = moved();
    home.link("dotfiles", "src/dots");
    farm(&home, &["relink", "--moved-from", "dotfiles"])
        .run()
        .prints("relinked git, nvim, zsh: 4 links changed\n");
    assert_eq!(tree(&home), AFTER);
}

#[test]
fn links_of_what_a_package_no_longer_has_go() {
    let home = moved();
    fs::remove_file(home.path("src/dots/zsh/.zshrc")).expect("it goes");
    farm(&home, &["relink", "-v", "--moved-from", "dotfiles", "zsh"]).run().prints(
        "\
- .zshrc -> dotfiles/zsh/.zshrc
~ .config/zsh -> ../src/dots/zsh/.config/zsh
relinked zsh: 1 link removed, 1 link changed
",
    );
}

#[test]
fn relink_wants_packages_or_where_they_were() {
    let home = moved();
    farm(&home, &["relink"]).run().fails_with(2, &["<PKG>"]);
    let home = Sandbox::with(&["src/dots/p/x"]);
    farm(&home, &["relink", "--moved-from", "old"])
        .run()
        .prints("nothing to do: no package has links here\n");
}

/// A manifest with packages, linked whole and file by file, files, copies and a template; all of it switched to, then
/// the directory moves.
fn switched_and_moved() -> Sandbox {
    let home = Sandbox::with(&[
        "dotfiles/nvim/init.lua",
        "dotfiles/nushell/env.nu",
        "dotfiles/zsh/zshrc",
        "dotfiles/t.j2",
    ]);
    home.write(
        "dotfiles/farm.toml",
        "\
[defaults]
as = '~/.config/{package}'
[package.nvim]
[package.nushell]
fold = false
[files]
'~/.zshrc' = 'zsh/zshrc'
[file.'~/.rendered']
template = 't.j2'
on-change = 'echo rendered >> log'
[file.'~/.copied']
text = 'copy'
method = 'copy'
[session.variables]
EDITOR = 'nvim'
",
    );
    home.farm(&["switch", "-q"]).from("").run();
    home.dir("src");
    fs::rename(home.path("dotfiles"), home.path("src/dots")).expect("it moves");
    home
}

#[test]
fn switch_takes_all_that_farm_toml_made_along() {
    let home = switched_and_moved();
    let before = tree(&home);
    let text = |path: &str| fs::read_to_string(home.path(path)).expect("it is there");
    let hint = "if the dotfiles directory was ~/dotfiles: `farm switch --moved-from ~/dotfiles`";
    farm(&home, &["switch"]).run().fails_with(1, &["not made by farm", hint, "nothing was changed"]);
    let switch = ["switch", "--moved-from", "dotfiles"];
    farm(&home, &switch)
        .run()
        .prints("switched: 4 links changed, 1 file changed, session changed for new shells\n");
    assert_eq!(fs::read_link(home.path(".zshrc")).unwrap().to_str(), Some("src/dots/zsh/zshrc"));
    assert_eq!(fs::read_link(home.path(".config/nvim")).unwrap().to_str(), Some("../src/dots/nvim"));
    assert_eq!(
        (text(".rendered"), text(".copied"), text("log")),
        ("dotfiles/t.j2".to_owned(), "copy".to_owned(), "rendered\n".to_owned(),)
    );
    farm(&home, &["switch"]).run().prints("nothing to do: everything is as farm.toml says\n");
    farm(&home, &["undo", "-q"]).run().prints("");
    assert_eq!(tree(&home), before);
    farm(&home, &switch).run();
    // What farm.toml no longer names goes, wherever it was written.
    home.write("src/dots/farm.toml", "[package.nvim]\nas = '~/.config/nvim'\n");
    farm(&home, &["switch", "-q"]).run().prints("");
    assert_eq!(tree(&home), ".config/\n.config/nvim -> ../src/dots/nvim\nlog\n");
}

#[test]
fn link_says_how_links_of_a_directory_that_has_moved_come_along() {
    let home = moved();
    let hint = "if the dotfiles directory was ~/dotfiles: `farm relink --moved-from ~/dotfiles`";
    farm(&home, &["link", "zsh"]).run().fails_with(1, &[hint]);
    // As long as something is there, they may be meant.
    home.file("dotfiles/zsh/.zshrc");
    home.file("dotfiles/zsh/.config/zsh/x");
    let run = farm(&home, &["link", "zsh"]).run();
    assert!(run.code() == 1 && !run.stderr.contains("moved-from"), "{run}");
}

#[test]
fn links_of_a_directory_that_has_moved_are_not_backed_up_without_a_word() {
    let home = moved();
    let relink = "if the dotfiles directory was ~/dotfiles: `farm relink --moved-from ~/dotfiles`";
    let undo =
        "if the dotfiles directory was ~/dotfiles: `farm undo`, then `farm relink --moved-from ~/dotfiles`";
    let dry = farm(&home, &["link", "-n", "--backup", "zsh"]).run();
    assert!(dry.code() == 0 && dry.stderr.contains(relink), "{dry}");
    let run = farm(&home, &["link", "--backup", "zsh"]).run();
    assert!(run.code() == 0 && run.stderr.contains(undo), "{run}");
    farm(&home, &["undo", "-q"]).run().prints("");
    farm(&home, &["relink", "-q", "--moved-from", "dotfiles"]).run().prints("");

    let home = switched_and_moved();
    let run = farm(&home, &["switch", "--backup"]).run();
    let undo =
        "if the dotfiles directory was ~/dotfiles: `farm undo`, then `farm switch --moved-from ~/dotfiles`";
    assert!(run.code() == 0 && run.stderr.contains(undo), "{run}");
    // Those of somebody else are nobody's mistake.
    let home = Sandbox::with(&["dotfiles/zsh/.zshrc"]);
    std::os::unix::fs::symlink("elsewhere", home.path(".zshrc")).expect("a link");
    let run = home.farm(&["link", "--backup", "zsh"]).run();
    assert!(run.code() == 0 && run.stderr.is_empty(), "{run}");
}
