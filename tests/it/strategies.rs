//! `--on-conflict` and its short forms: what is in the way is skipped, backed up, adopted or replaced.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::sandbox::{Sandbox, is_fifo};

/// A package whose every entry has something of another kind in its way: a file, a directory, a link, a FIFO, and one
/// that has nothing.
fn crowded() -> Sandbox {
    let home = Sandbox::with(&[
        "dotfiles/p/dir",
        "dotfiles/p/fifo",
        "dotfiles/p/file",
        "dotfiles/p/folder/x",
        "dotfiles/p/link",
        "dotfiles/p/new",
    ]);
    home.file("file");
    home.file("dir/mine");
    home.link("link", "elsewhere");
    home.link("folder", "nowhere");
    home.fifo("fifo");
    home
}

const BACKED_UP: &str = "\
dir -> dotfiles/p/dir
dir.backup/
dir.backup/mine
fifo -> dotfiles/p/fifo
fifo.backup
file -> dotfiles/p/file
file.backup
folder -> dotfiles/p/folder
folder.backup -> nowhere
link -> dotfiles/p/link
link.backup -> elsewhere
new -> dotfiles/p/new
";

const LINKED: &str = "\
dir -> dotfiles/p/dir
fifo -> dotfiles/p/fifo
file -> dotfiles/p/file
folder -> dotfiles/p/folder
link -> dotfiles/p/link
new -> dotfiles/p/new
";

#[test]
fn a_directory_that_was_replaced_comes_back_with_its_empty_directories() {
    let home = Sandbox::with(&["dotfiles/p/.config/app", "dotfiles/p/.empty", ".config/app/cache/f"]);
    home.dir(".config/app/empty/deep");
    home.dir(".empty");
    let before = home.identity();
    home.farm(&["link", "p", "--on-conflict", "replace"]).run().fails_with(0, &[]);
    assert!(home.path(".config/app").is_symlink() && home.path(".empty").is_symlink());
    home.farm(&["undo"]).run().fails_with(0, &[]);
    assert_eq!(home.identity(), before);
}

#[test]
fn backup_moves_anything_aside() {
    for line in
        [&["--backup"][..], &["--on-conflict", "backup"], &["--backup=.backup", "--backup-existing=refuse"]]
    {
        for command in ["link", "relink"] {
            let home = crowded();
            let run = home.farm(&[command, "p"]).args(line).run();
            run.prints(&format!("{command}ed p: 6 links, 5 things backed up\n"));
            assert_eq!(home.tree(), BACKED_UP);
            assert_eq!(fs::read(home.path("file.backup")).unwrap(), b"file");
            assert_eq!(fs::read(home.path("dir.backup/mine")).unwrap(), b"dir/mine");
            assert!(is_fifo(&home.path("fifo.backup")));
            home.farm(&[command, "p"]).args(line).run().prints("nothing to do: p is linked already\n");
        }
    }
}

#[test]
fn relink_treats_what_is_in_the_way_as_link_does_and_undo_and_restore_bring_it_back() {
    let long = "n".repeat(250);
    let files = ["dotfiles/p/.c/f", "dotfiles/p/file", "dotfiles/p/new", ".c/f", ".c/mine", "file"];
    let taken = [&files[..], &["file.backup"]].concat();
    let in_package = format!("dotfiles/p/{long}");
    let too_long = [&files[..], &[&long, &in_package]].concat();
    let without_inodes = |home: &Sandbox| {
        let all = home.identity().into_iter();
        all.map(|(path, it)| (path, it.mode, it.content)).collect::<Vec<_>>()
    };
    for (files, way, code) in [
        (&files[..], &[][..], 1),
        (&files, &["--skip"], 0),
        (&files, &["--backup"], 0),
        (&files, &["--adopt"], 0),
        (&files, &["--replace"], 0),
        (&taken, &["--backup"], 1),
        (&taken, &["--backup", "--backup-existing=refuse"], 1),
        (&taken, &["--backup", "--backup-existing=number"], 0),
        (&taken, &["--backup=~"], 0),
        (&too_long, &["--backup"], 1),
        (&too_long, &["--backup=~", "--backup-existing=number"], 0),
        (&too_long, &["--replace"], 0),
    ] {
        let [link, relink] = ["link", "relink"].map(|command| {
            let home = Sandbox::with(files);
            let before = without_inodes(&home);
            let run = home.farm(&[command, "p"]).args(way).run();
            assert_eq!(run.code(), code, "{run}");
            let linked = without_inodes(&home);
            assert_eq!(linked == before, code == 1, "{run}");
            if way.iter().any(|option| option.starts_with("--backup")) {
                home.farm(&["unlink", "-q", "--restore", "p"]).run().prints("");
                assert_eq!(without_inodes(&home), before);
                home.farm(&[command, "p"]).args(way).run().fails_with(code, &[]);
            }
            home.farm(&["rollback", "-q", "0"]).run().fails_with(code, &[]);
            assert_eq!(without_inodes(&home), before);
            (run.stdout.replace("relink", "link"), run.stderr.replace("relink", "link"), linked)
        });
        assert_eq!(link, relink, "{way:?}");
    }
}

#[test]
fn a_plan_says_what_moves_where() {
    let home = crowded();
    let before = home.identity();
    home.farm(&["link", "-n", "--backup=~", "p"]).run().prints(
        "~ dir -> dotfiles/p/dir (the directory there becomes dir~)\n\
         ~ fifo -> dotfiles/p/fifo (the special file there becomes fifo~)\n\
         ~ file -> dotfiles/p/file (the file there becomes file~)\n\
         ~ folder -> dotfiles/p/folder (the link there becomes folder~)\n\
         ~ link -> dotfiles/p/link (the link there becomes link~)\n\
         + new -> dotfiles/p/new\n\
         would link p: 6 links, 5 things backed up; nothing was changed\n",
    );
    let replaced = home.farm(&["link", "-n", "--replace", "p"]).run();
    assert!(
        replaced
            .stdout
            .contains("~ dir -> dotfiles/p/dir (the directory there goes to the state directory)\n")
    );
    assert!(
        replaced.stdout.ends_with("would link p: 6 links, 5 things replaced; nothing was changed\n"),
        "{replaced}"
    );
    assert_eq!(home.identity(), before);
}

#[test]
fn a_backups_name_that_is_taken_is_in_the_way_or_numbered() {
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "a", "a.backup", "b"]);
    let before = home.identity();
    home.farm(&["link", "--backup", "p"]).run().fails(
        1,
        "error: cannot link p: 1 thing is in the way\n  a  a file, not a link, and not equal to p's; a.backup exists \
         already\nnothing was changed\nhint: --backup-existing number gives backups the next free number\n",
    );
    assert_eq!(home.identity(), before);
    let json = home.farm(&["link", "--backup", "--json", "p"]).run().json();
    assert_eq!(
        json["conflicts"],
        json!([{"package": "p", "path": "~/a", "reason": "file-differs", "obstacle": "backup-exists", "backup": "a.backup"}])
    );
    home.farm(&["link", "-n", "--backup", "--backup-existing", "number", "p"]).run().prints(
        "~ a -> dotfiles/p/a (the file there becomes a.backup.1)\n~ b -> dotfiles/p/b (the file there becomes \
         b.backup)\nwould link p: 2 links, 2 files backed up; nothing was changed\n",
    );
    home.farm(&["link", "--backup", "--backup-existing", "number", "p"])
        .run()
        .prints("linked p: 2 links, 2 files backed up\n");
    assert_eq!(home.tree(), "a -> dotfiles/p/a\na.backup\na.backup.1\nb -> dotfiles/p/b\nb.backup\n");
    assert_eq!(fs::read(home.path("a.backup.1")).unwrap(), b"a");
}

#[test]
fn a_backups_name_that_is_too_long_is_an_error_before_anything_happens() {
    let long = "n".repeat(250);
    let home = Sandbox::with(&["dotfiles/p/a", "a", &long, &format!("dotfiles/p/{long}")]);
    let before = home.identity();
    home.farm(&["link", "--backup", "p"]).run().fails(
        1,
        &format!(
            "error: cannot link p: 1 thing is in the way\n  {long}  a file, not a link, and not equal to p's; its \
             backup's name would have 257 bytes, and 255 is the most\nnothing was changed\nhint: --backup=SUFFIX \
             takes a shorter one, --replace needs no name\n"
        ),
    );
    assert_eq!(home.identity(), before);
    let run = home.farm(&["link", "-n", "--backup=.old", "p"]).run();
    assert_eq!(run.code(), 0, "{run}");
}

#[test]
fn skip_leaves_what_is_in_the_way_and_links_the_rest() {
    for line in [&["--skip"][..], &["--on-conflict=skip"]] {
        let home = crowded();
        let left = "\
warning: left alone dir: a directory, where p has none
warning: left alone fifo: a file, not a link
warning: left alone file: a file, not a link, and not equal to p's
warning: left alone folder: a link to nowhere, not made by farm
warning: left alone link: a link to elsewhere, not made by farm
";
        let before = home.identity();
        home.farm(&["link", "p"]).args(line).run().says(0, "linked p: 1 link, 5 things left alone\n", left);
        let mut after = home.identity();
        after.remove(Path::new("new")).expect("the rest is linked");
        assert_eq!(after, before);
        home.farm(&["link", "p"]).args(line).run().says(
            0,
            "nothing to do: 5 things in the way were left alone\n",
            left,
        );
        home.farm(&["link", "-q", "p"]).args(line).run().prints("");
        let json = home.farm(&["link", "--json", "p"]).args(line).run().json();
        assert_eq!((json["skipped"].as_array().unwrap().len(), &json["conflicts"]), (5, &json!([])));
        assert_eq!(
            json["skipped"][4],
            json!({
                "package": "p", "path": "~/link", "reason": "foreign-link", "to": "elsewhere",
            })
        );
    }
}

#[test]
fn adopt_takes_files_into_the_package() {
    for line in [&["--adopt"][..], &["--on-conflict=adopt"]] {
        let home = Sandbox::with(&["dotfiles/p/.config/f", "dotfiles/p/g", ".config/f", ".config/mine"]);
        home.farm(&["link", "p"]).args(line).run().prints("linked p: 2 links, 1 file adopted\n");
        assert_eq!(
            home.tree(),
            ".config/\n.config/f -> ../dotfiles/p/.config/f\n.config/mine\ng -> dotfiles/p/g\n"
        );
        assert_eq!(fs::read(home.path("dotfiles/p/.config/f")).unwrap(), b".config/f");
    }
}

#[test]
fn of_two_packages_the_one_that_is_linked_adopts_the_file() {
    let calls = [
        &["link", "-v", "--adopt", "--override", "f", "p", "q"][..],
        &["link", "-v", "--on-conflict=adopt", "--override", "f", "p", "q"],
        &["relink", "-v", "--adopt", "--override", "f", "p", "q"],
        &["stow", "-v", "--adopt", "--override=f", "p", "q"],
    ];
    for call in calls {
        // The file is equal to none, to the first package's and to the second's.
        for mine in ["mine", "dotfiles/p/f", "dotfiles/q/f"] {
            let home = Sandbox::with(&["dotfiles/p/f", "dotfiles/q/f"]);
            home.write("f", mine);
            let before = home.identity();
            let (out, log) = match (call[0], mine) {
                ("stow", _) => ("", "MV: f -> dotfiles/q/f\nLINK: f => dotfiles/q/f\n"),
                (_, "dotfiles/q/f") => ("~ f -> dotfiles/q/f (an equal file becomes a link)\n", ""),
                _ => ("~ f -> dotfiles/q/f (the file there moves into the package)\n", ""),
            };
            let run = home.farm(call).run();
            assert!(run.stdout.starts_with(out) && run.stderr == log, "{call:?}\n{run}");
            assert_eq!(home.tree(), "f -> dotfiles/q/f\n", "{call:?}");
            let text = |path| fs::read_to_string(home.path(path)).unwrap();
            assert_eq!(
                (text("f").as_str(), text("dotfiles/p/f").as_str()),
                (mine, "dotfiles/p/f"),
                "{call:?}"
            );
            home.farm(&["undo", "-q"]).run().prints("");
            assert_eq!(home.identity(), before, "{call:?}");
        }
    }
}

#[test]
fn a_file_that_the_linked_package_cannot_adopt_stays() {
    let home = Sandbox::with(&["dotfiles/p/f", "dotfiles/q/f/x", "f"]);
    let before = home.identity();
    home.farm(&["link", "--adopt", "--override", "f", "p", "q"]).run().fails(
        1,
        "error: cannot link q: 1 thing is in the way\n  f  a file, not a link; only a file is adopted, and only in a \
         file's place\nnothing was changed\nhint: --backup moves anything aside\n\
         hint: --keep-going holds back only the packages that something is in the way of\n",
    );
    home.stow(&["--adopt", "--override=f", "p", "q"]).run().fails(
        1,
        "WARNING! stowing q would cause conflicts:\n  * cannot stow directory dotfiles/q/f over existing non-directory \
         target f\nAll operations aborted.\n",
    );
    assert_eq!(home.identity(), before);
}

#[test]
fn adopt_says_what_it_cannot_take() {
    let home = crowded();
    let before = home.identity();
    let why = "only a file is adopted, and only in a file's place";
    home.farm(&["link", "--adopt", "p"]).run().fails(
        1,
        &format!(
            "error: cannot link p: 4 things are in the way\n  dir     a directory, where p has none; {why}\n  \
             fifo    a file, not a link; {why}\n  folder  a link to nowhere, not made by farm; {why}\n  link    a \
             link to elsewhere, not made by farm; {why}\nnothing was changed\nhint: --backup moves anything aside\n"
        ),
    );
    assert_eq!(home.identity(), before);
    let json = home.farm(&["link", "--adopt", "--json", "p"]).run().json();
    let obstacles: Vec<_> = json["conflicts"].as_array().unwrap().iter().map(|c| &c["obstacle"]).collect();
    assert_eq!(obstacles, ["not-adoptable"; 4]);
}

#[test]
fn replace_moves_what_is_in_the_way_to_the_state_directory() {
    for line in [&["--replace"][..], &["--on-conflict=replace"]] {
        let home = crowded();
        let run = home.farm(&["link", "p"]).args(line).run();
        run.prints("linked p: 6 links, 5 things replaced\n");
        assert_eq!(home.tree(), LINKED);
    }
}

#[test]
fn json_says_what_moves_where() {
    let home = Sandbox::with(&["dotfiles/p/.config/f", ".config/f"]);
    let op = |way: &str| home.farm(&["link", "-n", "--json", way, "p"]).run().json()["ops"][0].clone();
    let link = "../dotfiles/p/.config/f";
    assert_eq!(
        op("--backup"),
        json!({"op": "backup", "path": "~/.config/f", "to": link, "what": "file", "other_path": "~/.config/f.backup"})
    );
    assert_eq!(
        op("--adopt"),
        json!({"op": "adopt", "path": "~/.config/f", "to": link, "what": "file",
            "other_path": "~/dotfiles/p/.config/f"})
    );
    assert_eq!(op("--replace"), json!({"op": "replace", "path": "~/.config/f", "to": link, "what": "file"}));
}

#[test]
fn an_equal_file_is_merged_under_every_strategy() {
    for way in ["--skip", "--backup", "--adopt", "--replace"] {
        let home = Sandbox::with(&["dotfiles/p/f"]);
        home.write("f", "dotfiles/p/f");
        home.farm(&["link", way, "p"]).run().prints("linked p: 1 link\n");
        assert_eq!(home.tree(), "f -> dotfiles/p/f\n");
    }
}

#[test]
fn what_is_anothers_gives_way_to_nothing() {
    let home = Sandbox::with(&["dotfiles/p/f", "dotfiles/q/f", "dotfiles/p/d", "d/.nonstow", "d/x"]);
    home.link("f", "dotfiles/q/f");
    let before = home.identity();
    for way in ["--skip", "--backup", "--adopt", "--replace"] {
        let run = home.farm(&["link", way, "p"]).run();
        run.fails_with(1, &["  f  a link to dotfiles/q/f, which is q's\n", "hint: --override PATH"]);
    }
    home.remove("f");
    for way in ["--backup", "--replace"] {
        home.farm(&["link", way, "p"]).run().fails(
            1,
            "error: cannot link p: 1 thing is in the way\n  d  a directory, where p has none; a .stow or .nonstow \
             file protects d\nnothing was changed\n",
        );
    }
    home.link("f", "dotfiles/q/f");
    assert_eq!(home.tree(), "d/\nd/.nonstow\nd/x\nf -> dotfiles/q/f\n");
    assert_eq!(home.identity().len(), before.len());
}

#[test]
fn the_dotfiles_directory_is_never_moved() {
    let home = Sandbox::with(&["dotfiles/p/dotfiles", "dotfiles/p/x"]);
    for way in ["--backup", "--replace"] {
        home.farm(&["link", way, "p"]).run().fails(
            1,
            "error: cannot link p: 1 thing is in the way\n  dotfiles  a directory, where p has none; it is, or holds, \
             the dotfiles directory\nnothing was changed\n",
        );
    }
}

#[test]
fn a_directory_with_another_packages_links_is_not_moved() {
    let home = Sandbox::with(&["dotfiles/p/d", "dotfiles/q/d/e/x", "d/e/mine"]);
    home.farm(&["link", "q"]).run();
    home.farm(&["link", "--backup", "p"]).run().fails_with(1, &["links of q are in it\n"]);
    home.farm(&["unlink", "q"]).run();
    home.farm(&["link", "-n", "--backup", "p"]).run().fails_with(0, &[]);
}

#[test]
fn two_packages_share_the_place_of_a_backup() {
    let home = Sandbox::with(&["dotfiles/p/.config/x", "dotfiles/q/.config/y", ".config"]);
    home.farm(&["link", "-v", "--backup", "p", "q"]).run().prints(
        "~ .config/ (the file there becomes .config.backup)\n+ .config/x -> ../dotfiles/p/.config/x\n+ .config/y -> \
         ../dotfiles/q/.config/y\nlinked p, q: 2 links, 1 directory made, 1 file backed up\n",
    );
    assert_eq!(
        home.tree(),
        ".config.backup\n.config/\n.config/x -> ../dotfiles/p/.config/x\n.config/y -> ../dotfiles/q/.config/y\n"
    );
}

#[test]
fn strategies_that_make_no_sense_are_usage_errors() {
    let home = crowded();
    let before = home.identity();
    for line in [
        &["--backup", "--adopt"][..],
        &["--on-conflict=skip", "--skip"],
        &["--on-conflict=nope"],
        &["--backup="],
        &["--backup=a/b"],
        &["--backup-existing=number"],
        &["--replace", "--backup-existing=number"],
    ] {
        let run = home.farm(&["link", "p"]).args(line).run();
        assert_eq!((run.code(), &*run.stdout), (2, ""), "{run}");
        let run = home.farm(&["unlink", "p"]).args(line).run();
        assert_eq!(run.code(), 2, "{run}");
    }
    // A value stands after an equals sign: this is a package.
    home.farm(&["link", "p", "--backup", ".old"]).run().fails_with(1, &["there is no package .old"]);
    assert_eq!(home.identity(), before);
}

#[test]
fn a_directory_that_holds_farms_memory_does_not_move() {
    let home = Sandbox::with(&["dotfiles/p/.local", ".local/share/x"]);
    let state = home.text(".local/state/farm");
    let ran = home.farm(&["link", "--backup", "p"]).env("FARM_STATE_DIR", &state).run();
    ran.fails_with(1, &["cannot move ~/.local: farm's state directory lies in it", "nothing was changed"]);
    assert!(home.path(".local/share/x").exists());
}
