//! `.stowrc`: options that stow reads from files.

use crate::sandbox::Sandbox;

fn home() -> Sandbox {
    let home = Sandbox::with(&["dotfiles/p/x", "dotfiles/p/skip", "dotfiles/p/d/y"]);
    home.dir("t");
    home.dir("u");
    home
}

#[test]
fn the_file_in_the_current_directory_gives_options() {
    let home = home();
    home.write("dotfiles/.stowrc", "--target=../t\n--ignore=skip --no-folding\n");
    home.stow(&["p"]).run().prints("");
    assert_eq!(home.tree_below("t"), "d/\nd/y -> ../../dotfiles/p/d/y\nx -> ../dotfiles/p/x\n");
    home.stow(&["-D", "p"]).run().prints("");
    assert_eq!(home.tree_below("t"), "d/\n");
}

#[test]
fn the_command_line_outweighs_files_and_the_nearer_file_the_home() {
    let home = home();
    home.write(".stowrc", "-t ../t\n-d nowhere\n");
    home.write("dotfiles/.stowrc", "-d .\n");
    home.stow(&["p"]).run().prints("");
    assert_eq!(
        home.tree_below("t"),
        "d -> ../dotfiles/p/d\nskip -> ../dotfiles/p/skip\nx -> ../dotfiles/p/x\n"
    );
    home.stow(&["-t", "../u", "p"]).run().prints("");
    assert_eq!(
        home.tree_below("u"),
        "d -> ../dotfiles/p/d\nskip -> ../dotfiles/p/skip\nx -> ../dotfiles/p/x\n"
    );
}

#[test]
fn paths_may_name_variables_and_homes() {
    let home = home();
    for value in ["$HOME/t", "${HOME}/t", "~/t"] {
        home.write("dotfiles/.stowrc", format!("--target={value}\n"));
        home.stow(&["p"]).run().prints("");
        home.stow(&["-D", "p"]).run().prints("");
        assert_eq!(home.tree(), "t/\nu/\n");
    }
    home.write("dotfiles/.stowrc", "--target=$NOT_SET/t\n");
    let says = "--target option references undefined environment variable $NOT_SET; aborting!\n";
    home.stow(&["p"]).run().fails(255, says);
    assert_eq!(home.tree(), "t/\nu/\n");
}

#[test]
fn packages_in_a_file_do_not_count() {
    let home = home();
    home.write("dotfiles/.stowrc", "-t ../t p\n");
    home.stow(&[]).run().fails_with(1, &["stow: No packages to stow or unstow"]);
    assert_eq!(home.tree_below("t"), "");
}

#[test]
fn a_word_that_is_no_option_is_a_usage_error() {
    let home = home();
    home.write("dotfiles/.stowrc", "--frobnicate\n");
    home.stow(&["p"]).run().fails_with(1, &["Unknown option: frobnicate\n"]);
    assert_eq!(home.tree(), "t/\nu/\n");
}
