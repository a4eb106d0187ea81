//! `farm adopt` and `farm eject`: files, directories and links move into a package, and back.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::XattrFlags;
use serde_json::json;

use crate::runs::far;
use crate::sandbox::Sandbox;

/// A home with some files that no package has yet.
fn home() -> Sandbox {
    Sandbox::with(&[
        ".zshrc",
        ".config/nvim/init.lua",
        ".config/nvim/lua/x.lua",
        ".config/other",
        "dotfiles/zsh/.zprofile",
    ])
}

#[test]
fn a_dry_run_shows_what_would_move_and_changes_nothing() {
    let home = home();
    let (before, times) = (home.identity(), home.times());
    let plan = "\
~ .zshrc -> dotfiles/zsh/.zshrc (the file there moves into the package)
would adopt .zshrc into zsh: 1 file moved, 1 link; nothing was changed
";
    home.farm(&["adopt", "-n", "zsh", "../.zshrc"]).run().prints(plan);
    let plan = "\
~ .config/nvim -> ../dotfiles/nvim/.config/nvim (the directory there moves into the package)
would adopt .config/nvim into nvim, a new package: 1 directory moved, 1 link; nothing was changed
";
    home.farm(&["adopt", "-n", "nvim", &home.text(".config/nvim")]).run().prints(plan);
    assert_eq!((home.identity(), home.times()), (before, times));
}

#[test]
fn a_package_of_other_machines_takes_nothing_in() {
    let home = home();
    home.write("dotfiles/farm.toml", "[package.zsh]\nwhen.host = 'other'\n[package.new]\nenable = false\n");
    let before = (home.identity(), home.times());
    for package in ["zsh", "new"] {
        home.farm(&["adopt", package, "../.zshrc"]).run().fails(
            1,
            &format!(
                "error: {package} is not for this machine\nnothing was changed\nhint: ~/dotfiles/farm.toml says when it is: \
                 `when`, `enable`\n"
            ),
        );
    }
    assert_eq!((home.identity(), home.times()), before);
}

#[test]
fn json_says_what_moves_and_what_is_refused() {
    let home = home();
    let run = home.farm(&["adopt", "-n", "--json", "zsh", "../.zshrc"]).run();
    let expected = json!({
        "command": "adopt", "dry_run": true, "changed": false,
        "dir": "~/dotfiles", "target": "~", "package": "zsh",
        "ops": [{
            "op": "adopt", "path": "~/.zshrc", "to": "dotfiles/zsh/.zshrc",
            "what": "file", "other_path": "~/dotfiles/zsh/.zshrc",
        }],
        "refused": [], "left": [],
    });
    assert_eq!((run.code(), &*run.stderr, run.json()), (0, "", expected), "{run}");
    home.link(".vimrc", "dotfiles/vim/.vimrc");
    let run = home.farm(&["adopt", "--json", "zsh", "../.vimrc", "/", "../.config/nvim/none"]).run();
    let expected = json!([
        {"path": "~/.config/nvim/none", "reason": "missing"},
        {"path": "~/.vimrc", "reason": "in-farm", "owner": "vim", "other": "~/.vimrc"},
        {"path": "/", "reason": "outside-target"},
    ]);
    assert_eq!(
        (run.code(), &run.json()["refused"], &run.json()["changed"]),
        (1, &expected, &json!(false)),
        "{run}"
    );
}

#[test]
fn everything_that_is_refused_is_listed_at_once() {
    let home = home();
    home.farm(&["link", "-q", "zsh"]).run().prints("");
    home.link(".config/foreign", "../elsewhere");
    home.file("elsewhere/x");
    home.fifo(".config/pipe");
    home.write("dotfiles/zsh/.zshrc", "other");
    home.write("dotfiles/zsh/.farmignore", "*.key\n");
    home.file("a.key");
    let before = home.identity();
    let says = "\
error: cannot adopt into zsh: 11 things stand against it
  ~                        the target itself
  .config/foreign          a link to ../elsewhere, which would lead elsewhere from the package
  .config/pipe             in .config, which was named, too
  .config/pipe             a FIFO, socket or device
  .zprofile                in the farm already: a link into zsh
  .zshrc                   zsh has another file there
  a.key                    the ignore rules keep it out of zsh
  dotfiles                 the dotfiles directory itself
  dotfiles/zsh/.zprofile   in the dotfiles directory
  nowhere                  nothing is there
  /etc/passwd              not in the target, ~
nothing was changed
hint: make the link absolute first
hint: --overwrite takes it all the same; what the package has goes to the state directory
";
    let run = home
        .farm(&["adopt", "zsh", "/etc/passwd", "..", ".", "zsh/.zprofile", "../.zprofile", "../nowhere"])
        .args(["../.config", "../.config/pipe", "../.zshrc", "../a.key"])
        .run();
    // The target's own path is as long as the temporary directory's, and takes part in the width.
    let squeezed = |text: &str| {
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    assert_eq!((run.code(), squeezed(&run.stderr)), (1, squeezed(says)), "{run}");
    let says = "\
error: cannot adopt into zsh: 3 things stand against it
  .zprofile    in the farm already: a link into zsh
  .zshrc       zsh has another file there
  /etc/passwd  not in the target, ~
nothing was changed
hint: --overwrite takes it all the same; what the package has goes to the state directory
";
    home.farm(&["adopt", "zsh", "../.zshrc", "/etc/passwd", "../.zprofile"]).run().fails(1, says);
    let says = "\
error: cannot adopt into zsh: 3 things stand against it
  .config/foreign/x  behind .config/foreign, a link to ../elsewhere, not made by farm
  ~/dotfiles         the dotfiles directory itself
  dotfiles/zsh       in the dotfiles directory
nothing was changed
";
    let says = says
        .replace("~/dotfiles ", "dotfiles ")
        .replace("  dotfiles         the", "  dotfiles           the");
    home.farm(&["adopt", "zsh", "../.config/foreign/x", ".", "zsh"]).run().fails(1, &says);
    assert_eq!(home.identity(), before);
}

#[test]
fn a_path_is_found_by_whatever_way_it_is_typed() {
    let home = home();
    home.dir("dotfiles/nvim");
    let plan = |args: &[&str], from: &str| {
        let run = home.farm(&["adopt", "-n", "-d"]).args([home.text("dotfiles")]).args(args).from(from).run();
        assert_eq!((run.code(), &*run.stderr), (0, ""), "{run}");
        run.stdout.lines().next().unwrap().split(' ').nth(1).unwrap().to_owned()
    };
    // From anywhere, and up again.
    assert_eq!(plan(&["nvim", "nvim"], ".config"), ".config/nvim");
    assert_eq!(plan(&["nvim", "."], ".config/nvim"), ".config/nvim");
    assert_eq!(plan(&["nvim", "../"], ".config/nvim/lua"), ".config/nvim");
    assert_eq!(plan(&["nvim", "./nvim//lua/../init.lua"], ".config"), ".config/nvim/init.lua");
    // What it ends in is not followed: this is the link, not what it leads to.
    home.link("link", "/etc/hostname");
    assert_eq!(plan(&["nvim", "link"], ""), "link");
    // In a folded directory the shell knows better than the system where it is.
    home.farm(&["link", "-q", "zsh"]).run();
    home.file("dotfiles/vim/.vim/rc");
    home.farm(&["link", "-q", "vim"]).run();
    let run = home.farm(&["eject", "-n", "-d", &home.text("dotfiles"), "vim", "rc"]).from(".vim");
    run.env("PWD", home.path(".vim")).run().prints(
        "~ .vim/ (a link becomes a directory)\n+ .vim/rc -> ../dotfiles/vim/.vim/rc\n\
         ~ .vim/rc (comes back from the package)\n\
         would eject .vim/rc from vim: 1 file moved back, 1 directory unfolded; nothing was changed\n",
    );
}

#[test]
fn the_home_may_be_a_link() {
    let home = home();
    home.link("../alias", "home");
    let alias = home.path("../alias").to_str().unwrap().to_owned();
    let says = "would adopt .zshrc into zsh: 1 file moved, 1 link; nothing was changed";
    let run = home.farm(&["adopt", "-n", "-t", &alias, "zsh", &format!("{alias}/.zshrc")]).run();
    assert!(run.code() == 0 && run.stdout.contains(says), "{run}");
}

#[test]
fn a_new_package_needs_a_name() {
    let home = home();
    home.link("dotfiles/dangling", "nowhere");
    for (name, why) in [
        ("a/b", "it is no directory directly in the dotfiles directory ~/dotfiles"),
        ("..", "it is no directory directly in the dotfiles directory ~/dotfiles"),
        ("", "a package's name is not empty"),
        ("dangling", "it is a link that leads nowhere"),
    ] {
        home.farm(&["adopt", name, "../.zshrc"]).run().fails_with(1, &[why, "nothing was changed"]);
    }
    home.farm(&["eject", "zsh"]).run().fails_with(2, &["PATH"]);
    home.farm(&["eject", "zhs", "../.zshrc"])
        .run()
        .fails_with(1, &["there is no package zhs", "did you mean zsh?"]);
}

#[test]
fn eject_says_whose_a_link_is() {
    let home = home();
    home.file("dotfiles/vim/.vim/rc");
    home.link("foreign", "/mnt");
    home.farm(&["link", "-q", "zsh", "vim"]).run().prints("");
    let before = home.identity();
    let says = "\
error: cannot eject from vim: 4 things stand against it
  .config    a directory without a link into vim
  .zprofile  a link into zsh, not vim
  .zshrc     not a link
  foreign    a link to /mnt, not made by farm
nothing was changed
hint: `farm eject zsh PATH`
";
    home.farm(&["eject", "vim", "../.zprofile", "../.zshrc", "../.config", "../foreign"])
        .run()
        .fails(1, says);
    assert_eq!(home.identity(), before);
}

#[test]
fn a_file_and_a_directory_move_in_with_all_that_they_are() {
    let home = home();
    home.mode(".zshrc", 0o600);
    let inode = |path: &str| fs::symlink_metadata(home.path(path)).unwrap().ino();
    let (file, dir) = (inode(".zshrc"), inode(".config/nvim"));
    home.farm(&["adopt", "zsh", "../.zshrc"]).run().prints("adopted .zshrc into zsh: 1 file moved, 1 link\n");
    home.farm(&["adopt", "nvim", "../.config/nvim"])
        .run()
        .prints("adopted .config/nvim into nvim, a new package: 1 directory moved, 1 link\n");
    assert_eq!(
        home.tree(),
        ".config/\n.config/nvim -> ../dotfiles/nvim/.config/nvim\n.config/other\n.zshrc -> dotfiles/zsh/.zshrc\n"
    );
    assert_eq!((inode("dotfiles/zsh/.zshrc"), inode("dotfiles/nvim/.config/nvim")), (file, dir));
    let mode = fs::metadata(home.path(".zshrc")).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode, fs::read_to_string(home.path(".zshrc")).unwrap().as_str()), (0o600, ".zshrc"));
    home.farm(&["link", "nvim"]).run().prints("nothing to do: nvim is linked already\n");
}

#[test]
fn eject_is_the_reverse_of_adopt() {
    let home = home();
    home.link("link", "/etc/hostname");
    let before = home.identity();
    let paths = ["../.zshrc", "../.config/nvim", "../link"];
    home.farm(&["adopt", "zsh"])
        .args(paths)
        .run()
        .prints("adopted .config/nvim, .zshrc, link into zsh: 1 file moved, 1 directory moved, 1 link moved, 3 links\n");
    home.farm(&["eject", "zsh"]).args(paths).run().prints(
        "ejected .config/nvim, .zshrc, link from zsh: 1 file moved back, 1 directory moved back, 1 link moved back\n",
    );
    assert_eq!(home.identity(), before);
}

#[test]
fn a_directory_where_farm_toml_lets_a_package_land_becomes_the_package() {
    let home = home();
    home.write(
        "dotfiles/farm.toml",
        "[defaults]\nas = '~/.config/{package}'\n[package.other]\n[package.nushell]\nfold = false\n",
    );
    home.file(".config/nushell/env.nu");
    let before = home.identity();
    home.farm(&["adopt", "nvim", "../.config/nvim"])
        .run()
        .prints("adopted .config/nvim into nvim, a new package: 1 directory moved, 1 link\n");
    assert_eq!(home.tree_below("dotfiles/nvim"), "init.lua\nlua/\nlua/x.lua\n");
    assert_eq!(fs::read_link(home.path(".config/nvim")).unwrap(), Path::new("../dotfiles/nvim"));
    home.farm(&["link", "nvim"]).run().prints("nothing to do: nvim is linked already\n");
    home.farm(&["eject", "nvim", "../.config/nvim"])
        .run()
        .prints("ejected .config/nvim from nvim: 1 directory moved back\n");
    assert_eq!(home.identity(), before);
    home.farm(&["adopt", "nushell", "../.config/nushell"])
        .run()
        .prints("adopted .config/nushell into nushell, a new package: 1 file moved, 1 link\n");
    assert!(home.path(".config/nushell/env.nu").is_symlink());
    home.farm(&["adopt", "other", "../.config/other"]).run().fails(
        1,
        "error: cannot adopt into other: 1 thing stands against it\n  .config/other  not a directory, as a package is\n\
         nothing was changed\n",
    );
}

#[test]
fn a_package_is_left_without_empty_directories() {
    let home = Sandbox::with(&["dotfiles/p/.config/a/x", "dotfiles/p/.config/b"]);
    home.farm(&["link", "-q", "p"]).run().prints("");
    home.farm(&["eject", "-q", "p", "../.config/a/x", "../.config/b"]).run().prints("");
    assert_eq!(home.tree(), ".config/\n.config/a/\n.config/a/x\n.config/b\n");
    assert_eq!(home.tree_below("dotfiles"), "p/\n");
}

#[test]
fn eject_unfolds_down_to_the_path() {
    let home = Sandbox::with(&["dotfiles/p/.config/a/x", "dotfiles/p/.config/a/y", "dotfiles/p/.config/b"]);
    home.farm(&["link", "-q", "p"]).run().prints("");
    home.farm(&["eject", "p", "../.config/a/x"])
        .run()
        .prints("ejected .config/a/x from p: 1 file moved back, 1 directory unfolded\n");
    let tree = "\
.config/
.config/a/
.config/a/x
.config/a/y -> ../../dotfiles/p/.config/a/y
.config/b -> ../dotfiles/p/.config/b
";
    assert_eq!(home.tree(), tree);
    assert_eq!(fs::read_to_string(home.path(".config/a/x")).unwrap(), "dotfiles/p/.config/a/x");
    assert!(!home.path("dotfiles/p/.config/a/x").exists());
}

/// Runs a command and takes it back: all files are the same ones again, all else is there again, and nothing more.
#[track_caller]
fn check_undo(args: &[&str]) {
    let home = home();
    home.file("dotfiles/p/.vim/a/x");
    home.file("dotfiles/p/.vim/b");
    home.farm(&["link", "-q", "p"]).run().prints("");
    let before = home.identity();
    let run = home.farm(args).run();
    assert!(run.code() == 0 && home.identity() != before, "{run}");
    let run = home.farm(&["undo"]).run();
    assert_eq!(run.code(), 0, "{run}");
    let after = home.identity();
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{run}");
    for (path, identity) in &before {
        let is_file = fs::symlink_metadata(home.path(path)).unwrap().is_file();
        assert!(!is_file || after.get(path) == Some(identity), "{path:?}\n{run}");
    }
}

#[test]
fn undo_takes_an_adoption_back() {
    check_undo(&["adopt", "zsh", "../.config/nvim", "../.zshrc"]);
    check_undo(&["adopt", "--no-fold", "p", "../.config"]);
}

#[test]
fn undo_takes_a_new_package_away() {
    check_undo(&["adopt", "new", "../.zshrc"]);
    check_undo(&["adopt", "new", "../.config/nvim", "../.zshrc"]);
}

#[test]
fn undo_takes_an_ejection_back() {
    check_undo(&["eject", "p", "../.vim/a/x"]);
    check_undo(&["eject", "p", "../.vim/a/x", "../.vim/b"]);
    check_undo(&["eject", "p", "../.vim"]);
}

#[test]
fn dot_names_are_given_and_taken_back() {
    let home = home();
    home.farm(&["adopt", "--dotfiles", "zsh", "../.zshrc"])
        .run()
        .prints("adopted .zshrc into zsh: 1 file moved, 1 link\n");
    assert_eq!(fs::read_link(home.path(".zshrc")).unwrap().to_str(), Some("dotfiles/zsh/dot-zshrc"));
    home.farm(&["eject", "--dotfiles", "zsh", "../.zshrc"])
        .run()
        .prints("ejected .zshrc from zsh: 1 file moved back\n");
    assert!(!home.path(".zshrc").is_symlink());
}

#[test]
fn an_equal_file_becomes_a_link_and_another_is_kept_aside() {
    let home = home();
    home.write("dotfiles/zsh/.zshrc", ".zshrc");
    home.farm(&["adopt", "zsh", "../.zshrc"])
        .run()
        .prints("adopted .zshrc into zsh: 1 equal file replaced, 1 link\n");
    home.write("dotfiles/zsh/.config/other", "the package's");
    home.farm(&["adopt", "--overwrite", "zsh", "../.config/other"])
        .run()
        .prints("adopted .config/other into zsh: 1 file moved, 1 file of the package kept aside, 1 link\n");
    assert_eq!(fs::read_to_string(home.path("dotfiles/zsh/.config/other")).unwrap(), ".config/other");
    home.farm(&["undo", "-q"]).run().prints("");
    assert_eq!(fs::read_to_string(home.path("dotfiles/zsh/.config/other")).unwrap(), "the package's");
    assert_eq!(fs::read_to_string(home.path(".config/other")).unwrap(), ".config/other");
}

#[test]
fn what_moves_to_another_file_system_and_back_keeps_all_that_it_is() {
    let home = home();
    let Some(far) = far(Sandbox::new()) else { return };
    let dotfiles = far.state().join("dotfiles");
    fs::create_dir_all(&dotfiles).unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    home.mode(".zshrc", 0o600);
    home.mode(".config/nvim", 0o750);
    home.link(".config/nvim/link", "/etc/hostname");
    // Not every file system has these.
    let note = |path: &Path| rustix::fs::setxattr(path, "user.note", b"mine", XattrFlags::empty()).is_ok();
    fs::write(dotfiles.join("probe"), "").unwrap();
    let has_notes =
        note(&dotfiles.join("probe")) && note(&home.path(".zshrc")) && note(&home.path(".config/nvim"));
    for path in [".zshrc", ".config/nvim/init.lua", ".config/nvim/lua", ".config/nvim"] {
        fs::File::open(home.path(path)).unwrap().set_modified(old).unwrap();
    }
    let described = || {
        [".zshrc", ".config/nvim", ".config/nvim/init.lua", ".config/nvim/lua", ".config/nvim/lua/x.lua"].map(
            |path| {
                let (path, mut note) = (home.path(path), [0; 9]);
                let metadata = fs::metadata(&path).unwrap();
                let length = rustix::fs::getxattr(&path, "user.note", &mut note).unwrap_or_default();
                (
                    metadata.mode(),
                    metadata.modified().unwrap(),
                    fs::read(path).ok(),
                    note[..length].to_owned(),
                )
            },
        )
    };
    let before = (described(), home.tree());
    assert_eq!(before.0[0].3, if has_notes { &b"mine"[..] } else { b"" });
    let farm = |command: &str| {
        let call = home.farm(&[command, "-q", "-t", &home.text(""), "-d"]).args([&dotfiles]);
        call.args(["p", "../.zshrc", "../.config/nvim"]).run().prints("");
    };
    farm("adopt");
    assert!(home.path(".zshrc").is_symlink() && home.path(".config/nvim").is_symlink());
    assert_eq!(described(), before.0);
    assert!(dotfiles.join("p/.config/nvim/link").is_symlink());
    farm("eject");
    assert_eq!((described(), home.tree()), before);
}

#[test]
fn what_the_ignore_rules_keep_out_stays_in_its_directory() {
    let home = home();
    home.file(".config/nvim/secret.key");
    home.farm(&["adopt", "--ignore", "*.key", "nvim", "../.config/nvim"]).run().says(
        0,
        "adopted .config/nvim into nvim, a new package: 1 file moved, 1 directory moved, 2 links\n",
        "warning: left .config/nvim/secret.key: the ignore rules keep it out of nvim\n",
    );
    assert!(home.tree().contains(".config/nvim/secret.key\n"));
    assert_eq!(
        home.tree_below("dotfiles/nvim"),
        ".config/\n.config/nvim/\n.config/nvim/init.lua\n.config/nvim/lua/\n.config/nvim/lua/x.lua\n"
    );
}

#[test]
fn without_paths_every_file_in_the_packages_way_is_adopted() {
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/.c/b", "dotfiles/p/new"]);
    home.write("a", "my a");
    home.write(".c/b", "my b");
    home.farm(&["adopt", "p"]).run().prints("linked p: 3 links, 2 files adopted\n");
    assert_eq!(home.tree(), ".c/\n.c/b -> ../dotfiles/p/.c/b\na -> dotfiles/p/a\nnew -> dotfiles/p/new\n");
    assert_eq!(fs::read_to_string(home.path("dotfiles/p/a")).unwrap(), "my a");
    home.farm(&["undo"]).run().fails_with(0, &[]);
    assert_eq!(fs::read_to_string(home.path("dotfiles/p/a")).unwrap(), "dotfiles/p/a");
    assert_eq!(fs::read_to_string(home.path(".c/b")).unwrap(), "my b");
}

#[test]
fn where_a_package_lands_is_told_to_who_adopts_from_elsewhere() {
    let home = Sandbox::with(&[".gitconfig", "dotfiles/nvim/init.lua"]);
    home.write("dotfiles/farm.toml", "[defaults]\nas = '~/.config/{package}'\n");
    let before = home.identity();
    let says = "\
error: cannot adopt into git: 2 things stand against it
  .gitconfig  not in ~/.config/git, where git lands
  /usr        not in the target, ~
nothing was changed
hint: `as` and `into` in farm.toml say where a package lands
";
    home.farm(&["adopt", "git", "../.gitconfig", "/usr"]).run().fails(1, says);
    assert_eq!(home.identity(), before);
}
