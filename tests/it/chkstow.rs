//! `farm chkstow`: what in a target is not as stow would have it, or which packages are there.

use crate::sandbox::Sandbox;

fn target() -> Sandbox {
    let home = Sandbox::with(&[
        "stow/.stow",
        "stow/p/x",
        "stow/q/y",
        "t/file",
        "t/d/alien",
        "t/left/.notstowed",
        "t/left/file",
    ]);
    home.link("t/x", "../stow/p/x");
    home.link("t/d/y", "../../stow/q/y");
    home.link("t/d/gone", "../../stow/q/gone");
    home.link("t/loop", "loop");
    home
}

#[test]
fn finds_links_that_lead_nowhere() {
    let home = target();
    for args in [&["chkstow", "-b", "-t", "../t"][..], &["chkstow", "-t", "../t"]] {
        home.farm(args).run().says(
            0,
            "Bogus link: ../t/d/gone\nBogus link: ../t/loop\n",
            "skipping ../t/left\n",
        );
    }
}

#[test]
fn finds_files_that_are_not_stowed() {
    let home = target();
    home.farm(&["chkstow", "-a", "-t", "../t"]).run().says(
        0,
        "Unstowed file: ../t/d/alien\nUnstowed file: ../t/file\n",
        "skipping ../t/left\n",
    );
}

#[test]
fn lists_packages() {
    let home = target();
    home.farm(&["chkstow", "-l", "-t", "../t"]).run().says(0, "loop\np\nq\n", "skipping ../t/left\n");
}

#[test]
fn looks_where_stow_dir_says_and_explains_itself() {
    let home = target();
    home.farm(&["chkstow", "-a"]).env("STOW_DIR", "../t/d").run().prints("Unstowed file: ../t/d/alien\n");
    let run = home.farm(&["chkstow"]).env("STOW_DIR", "../t/d").run();
    assert!(run.code() == 0 && run.stdout.contains("(default: ../t/d)"), "{run}");
    home.farm(&["chkstow", "-b", "-t", "../none"]).run().says(
        0,
        "",
        "Can't stat ../none: No such file or directory\n",
    );
}

#[test]
fn explains_itself_when_asked_as_stow_does() {
    let home = target();
    let usage = home.farm(&["chkstow"]).run().stdout;
    for word in ["--help", "-h"] {
        home.farm(&["chkstow", word]).run().prints(&usage);
        home.farm(&["chkstow", "-a", word]).run().prints(&usage);
    }
    // clap knows nothing of their options.
    home.farm(&["help", "chkstow"]).run().prints(&usage);
    let usage = home.farm(&["stow", "--help"]).run().stdout;
    home.farm(&["help", "stow"]).run().prints(&usage);
}

#[test]
fn a_link_can_be_looked_at_alone_and_a_directory_named_0_is_none() {
    let home = target();
    home.link("t/0", "nowhere");
    let chkstow = |args: &[&str]| home.farm(&[&["chkstow"], args].concat()).from("t");
    chkstow(&["-t", "loop"]).run().says(0, "Bogus link: ./loop\n", "");
    chkstow(&["-a", "-t", "file"]).run().says(0, "Unstowed file: ./file\n", "");
    chkstow(&["-t", "d/gone"]).run().says(0, "Bogus link: d/gone\n", "");
    let run = chkstow(&[]).env("STOW_DIR", "0").run();
    assert!(run.stdout.contains("(default: /usr/local/)"), "{run}");
}
