//! Bad input: a clear message that names the path, the documented exit status, nothing changed, never a panic, never a hang.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixListener;
use std::process::Command;

use rustix::fs::{CWD, Mode, OFlags};
use serde_json::json;

use crate::runs::{World, far};
use crate::sandbox::{Call, Ran, Sandbox, is_fifo};

fn package() -> Sandbox {
    Sandbox::with(&["dotfiles/nvim/init.lua"])
}

/// Runs `call`, which must fail with `code` and these words, and leave everything as it is.
#[track_caller]
fn refused<'s>(home: &Sandbox, call: Call<'s>, code: i32, words: &[&str]) -> Ran<'s> {
    let before = home.identity();
    let run = call.run().fails_with(code, words);
    assert_eq!(home.identity(), before, "{run}");
    run
}

/// Runs one line natively and under stow's name; both must refuse it.
#[track_caller]
fn both_refuse(home: &Sandbox, line: &[&str], native: &[&str], stow: (i32, &[&str])) {
    let farm = [&["link"], line].concat();
    refused(home, home.farm(&farm), 1, native);
    refused(home, home.farm(&farm), 1, &["error: ", "nothing was changed\n"]);
    refused(home, home.stow(line), stow.0, stow.1);
}

/// Permissions mean nothing to root; the tests that need them say so and pass.
fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if root {
        eprintln!("passed over: root may read and write everything");
    }
    root
}

#[test]
fn an_unknown_package() {
    let home = package();
    let says = ["there is no package nvm in ~/dotfiles\n", "did you mean nvim?"];
    both_refuse(
        &home,
        &["nvm"],
        &says,
        (2, &["stow: ERROR: The stow directory dotfiles does not contain package nvm\n"]),
    );
    refused(&home, home.farm(&["unlink", "nvm"]), 1, &says);
    refused(&home, home.farm(&["relink", "nvim", "nvm"]), 1, &says);
    for name in ["", "..", "../dotfiles", "nvim/init.lua", "/", "no/such", "nvim/../.."] {
        refused(&home, home.farm(&["link", name]), 1, &["error: ", name, "nothing was changed"]);
    }
}

#[test]
fn a_package_that_is_a_file() {
    let home = package();
    home.file("dotfiles/file");
    home.fifo("dotfiles/pipe");
    home.link("dotfiles/dangling", "nowhere");
    home.link("dotfiles/loop", "loop");
    for name in ["file", "pipe", "dangling", "loop"] {
        let stow = format!("does not contain package {name}\n");
        both_refuse(&home, &[name], &[name], (2, &[&stow]));
    }
}

#[test]
fn a_dotfiles_directory_that_cannot_be_used() {
    let home = package();
    home.file("file");
    home.link("dangling", "nowhere");
    home.link("loop", "loop");
    for (dir, state) in [
        ("../missing", "does not exist"),
        ("../file", "is not a directory"),
        ("../file/below", "is not a directory"),
        ("../dangling", "is a link that leads nowhere"),
        ("../loop", ""),
    ] {
        let native = ["the dotfiles directory", dir, state];
        let stow = format!("stow: --dir value '{dir}' is not a valid directory\n");
        both_refuse(&home, &["-d", dir, "-t", "..", "nvim"], &native, (1, &[&stow]));
        let says = ["the dotfiles directory", dir, "(from $FARM_DIR)", state];
        refused(&home, home.farm(&["link", "nvim"]).env("FARM_DIR", dir), 1, &says);
    }
    refused(&home, home.farm(&["link", "-d", "", "nvim"]), 2, &["--dir"]);
    refused(&home, home.stow(&["-d", "", "nvim"]), 1, &["stow: --dir value '' is not a valid directory\n"]);
}

#[test]
fn a_target_that_cannot_be_used() {
    let home = package();
    home.file("file");
    home.link("dangling", "nowhere");
    home.link("loop", "loop");
    for (target, state) in [
        ("../file", "is not a directory"),
        ("../file/below", "is not a directory"),
        ("../dangling", "is a link that leads nowhere"),
        ("../dangling/below", ""),
        ("../loop", ""),
    ] {
        let stow = format!("stow: --target value '{target}' is not a valid directory\n");
        both_refuse(&home, &["-t", target, "nvim"], &["the target directory", state], (1, &[&stow]));
    }
    // Farm makes a missing target, stow does not.
    let says = "stow: --target value '../missing' is not a valid directory\n";
    refused(&home, home.stow(&["-t", "../missing", "nvim"]), 1, &[says]);
    home.farm(&["link", "-t", "../missing", "nvim"]).run().prints("linked nvim: 1 link, 1 directory made\n");
}

#[test]
fn directories_that_may_not_be_read() {
    if is_root() {
        return;
    }
    let home = package();
    home.file("dotfiles/p/a/x");
    home.file("dotfiles/q/a/y");
    home.dir("locked");
    for (path, line) in [
        ("dotfiles/nvim", &["nvim"][..]),
        ("locked", &["-t", "../locked", "nvim"]),
        ("dotfiles/p/a", &["--ignore=z", "p"]),
    ] {
        home.mode(path, 0o000);
        let run = home.farm(&[&["link"], line].concat()).run().fails_with(1, &[path, "permission denied"]);
        home.mode(path, 0o755);
        drop(run);
    }
    assert_eq!(home.tree(), "locked/\n");
}

#[test]
fn a_target_inside_a_package() {
    let home = package();
    home.dir("dotfiles/nvim/in");
    refused(
        &home,
        home.farm(&["link", "-t", "nvim/in", "nvim"]),
        1,
        &["~/dotfiles/nvim/in", "lies in the dotfiles directory"],
    );
    // Stow lets it pass: the links are as asked for.
    let run = home.stow(&["-t", "nvim/in", "nvim"]).run();
    assert!(matches!(run.code(), 0 | 1), "{run}");
}

#[test]
fn a_package_that_contains_the_target() {
    let home = Sandbox::with(&["dots/home/x", "dots/p/y"]);
    // `~/dots` as a package of `~`, with the target in it.
    refused(
        &home,
        home.farm(&["link", "-d", "..", "-t", "../dots/home", "dots"]),
        1,
        &["~/dots/home", "lies in the dotfiles directory"],
    );
    let run = home.stow(&["-d", "..", "-t", "../dots/home", "dots"]).run();
    assert!(matches!(run.code(), 0 | 1), "{run}");
}

#[test]
fn a_package_that_mirrors_the_dotfiles_directory() {
    let home = Sandbox::with(&["dotfiles/p/dotfiles/p/evil"]);
    refused(
        &home,
        home.farm(&["link", "p"]),
        1,
        &["the dotfiles directory; links in it would change the packages"],
    );
    let run = home.stow(&["p"]).run();
    assert!(run.stderr.contains("skipping target which was current stow directory dotfiles"), "{run}");
    assert_eq!(home.tree_below("dotfiles"), "p/\np/dotfiles/\np/dotfiles/p/\np/dotfiles/p/evil\n");
}

#[test]
fn packages_with_links_to_themselves() {
    for name in ["link", "stow"] {
        let home = Sandbox::new();
        home.link("dotfiles/a/loop", ".");
        home.link("dotfiles/b/loop", ".");
        home.link("dotfiles/a/self", "self");
        home.farm(&[name, "a"]).run().fails_with(0, &[]);
        let tree = "loop -> dotfiles/a/loop\nself -> dotfiles/a/self\n";
        assert_eq!(home.tree(), tree);
        let run = home.farm(&[name, "b"]).run();
        assert_eq!((run.code(), home.tree()), (1, tree.to_owned()), "{run}");
        for args in [&["relink", "a"][..], &["link", "--no-fold", "a"], &["unlink", "b"]] {
            let run = home.farm(args).run();
            assert_eq!((run.code(), home.tree()), (0, tree.to_owned()), "{run}");
        }
        home.farm(&["unlink", "a"]).run().fails_with(0, &[]);
        assert_eq!(home.tree(), "");
    }
}

#[test]
fn packages_with_links_to_each_other_and_upwards() {
    let home = Sandbox::with(&["dotfiles/a/d/x", "dotfiles/b/d/y"]);
    home.link("dotfiles/a/d/up", "..");
    home.link("dotfiles/b/d/up", "..");
    home.link("dotfiles/a/d/other", "../../b");
    home.link("dotfiles/b/d/other", "../../a");
    for args in [&["link", "a"][..], &["link", "b"], &["relink", "a", "b"], &["link", "--no-fold", "a", "b"]]
    {
        let run = home.farm(args).run();
        assert!(matches!(run.code(), 0 | 1), "{run}");
    }
    home.farm(&["unlink", "a", "b"]).run().fails_with(0, &[]);
}

#[test]
fn links_in_the_target_that_go_round() {
    let home = Sandbox::with(&["dotfiles/p/x/f", "dotfiles/p/y/f"]);
    home.link("x", "x");
    home.link("y", "z");
    home.link("z", "y");
    let native = [
        "cannot link p: 2 things are in the way\n",
        "  x  a link to x",
        "  y  a link to z",
        "nothing was changed",
    ];
    both_refuse(&home, &["p"], &native, (1, &["existing target is not owned by stow: x\n"]));
    // Links on the way round into a package.
    let home = Sandbox::with(&["dotfiles/p/d/f"]);
    home.link("d", "dotfiles/p/../../d");
    let run = home.farm(&["link", "p"]).run();
    assert!(matches!(run.code(), 0 | 1), "{run}");
}

#[test]
fn absolute_links_in_packages() {
    let home = Sandbox::with(&["dotfiles/p/file"]);
    home.link("dotfiles/p/abs", "/nowhere");
    refused(&home, home.stow(&["p"]), 1, &["source is an absolute symlink dotfiles/p/abs => /nowhere\n"]);
    home.farm(&["link", "p"]).run().prints("linked p: 2 links\n");
    assert_eq!(home.tree(), "abs -> dotfiles/p/abs\nfile -> dotfiles/p/file\n");
    home.farm(&["unlink", "p"]).run().prints("unlinked p: 2 links removed\n");
}

#[test]
fn fifos_sockets_and_devices_in_packages_are_linked_like_files() {
    let home = Sandbox::with(&["dotfiles/p/file"]);
    home.fifo("dotfiles/p/fifo");
    let _socket = UnixListener::bind(home.path("dotfiles/p/socket")).unwrap();
    let device = Command::new("mknod").arg(home.path("dotfiles/p/null")).args(["c", "1", "3"]).output();
    let device = device.is_ok_and(|run| run.status.success());
    let mut tree =
        "fifo -> dotfiles/p/fifo\nfile -> dotfiles/p/file\nsocket -> dotfiles/p/socket\n".to_owned();
    if device {
        tree.insert_str(tree.find("socket").unwrap(), "null -> dotfiles/p/null\n");
    }
    for [link, unlink] in [[&["link", "p"][..], &["unlink", "p"]], [&["stow", "p"], &["stow", "-D", "p"]]] {
        home.farm(link).run().fails_with(0, &[]);
        assert_eq!(home.tree(), tree);
        home.farm(unlink).run().fails_with(0, &[]);
        assert_eq!(home.tree(), "");
    }
    // In the way of one another: not compared, not opened.
    home.fifo("file");
    home.file("fifo");
    refused(
        &home,
        home.farm(&["link", "p"]),
        1,
        &["  fifo  a file, not a link", "  file  a file, not a link"],
    );
    assert!(is_fifo(&home.path("file")));
    let run = home.stow(&["--adopt", "p"]).run();
    assert!(matches!(run.code(), 0 | 2), "{run}");
}

#[test]
fn a_fifo_where_a_list_should_be_blocks_nobody() {
    let home = package();
    for (path, words) in [
        ("dotfiles/.farmignore", "~/dotfiles/.farmignore"),
        ("dotfiles/nvim/.farmignore", "~/dotfiles/nvim/.farmignore"),
        ("dotfiles/nvim/.stow-local-ignore", "~/dotfiles/nvim/.stow-local-ignore"),
    ] {
        home.fifo(path);
        refused(
            &home,
            home.farm(&["link", "nvim"]),
            1,
            &[words, "not a regular file", "nothing was changed"],
        );
        home.remove(path);
        home.dir(path);
        refused(&home, home.farm(&["link", "nvim"]), 1, &[words, "nothing was changed"]);
        home.remove(path);
    }
    for path in ["dotfiles/nvim/.stow-local-ignore", ".stow-global-ignore", "dotfiles/.stowrc", ".stowrc"] {
        home.fifo(path);
        let name = path.rsplit('/').next().unwrap();
        refused(&home, home.stow(&["nvim"]), 2, &["stow: ERROR: ", name, "not a regular file"]);
        let run = home.farm(&["link", "-n", "nvim"]).run();
        assert!(matches!(run.code(), 0 | 1), "{run}");
        home.remove(path);
    }
}

#[test]
fn names_that_a_terminal_would_obey_are_escaped() {
    let home = Sandbox::new();
    home.write("dotfiles/p/line\nbreak", "");
    home.write("dotfiles/p/\x1b[31mred\x07", "");
    home.write("dotfiles/p/tab\there", "");
    let run = home.farm(&["link", "-v", "p"]).run().prints(
        "+ \\u{1b}[31mred\\u{7} -> dotfiles/p/\\u{1b}[31mred\\u{7}\n+ line\\nbreak -> dotfiles/p/line\\nbreak\n+ \
         tab\\there -> dotfiles/p/tab\\there\nlinked p: 3 links\n",
    );
    drop(run);
    home.farm(&["unlink", "p"]).run();
    home.file("line\nbreak");
    refused(&home, home.farm(&["link", "p"]), 1, &["  line\\nbreak  a file"]);
    refused(&home, home.farm(&["link", "no\x1b[2J"]), 1, &["there is no package no\\u{1b}[2J in"]);
    refused(&home, home.farm(&["link", "-d", "no\x1b[2J", "p"]), 1, &["no\\u{1b}[2J"]);
    home.remove("line\nbreak");
    home.write("dotfiles/p/.farmignore", "\x1b[2J[z-a]\n");
    let run = refused(&home, home.farm(&["link", "p"]), 1, &["~/dotfiles/p/.farmignore"]);
    assert!(!run.stderr.contains('\x1b'), "{run}");
    let run = refused(&home, home.farm(&["link", "--defer", "\x1b[2J[", "p"]), 2, &[]);
    assert!(!run.stderr.contains('\x1b'), "{run}");
}

#[test]
fn names_that_are_not_utf_8_are_linked_and_come_whole_in_json() {
    let home = Sandbox::new();
    let name = OsStr::from_bytes(b"caf\xe9");
    home.write(home.path("dotfiles/p").join(name), "");
    let run = home.farm(&["link", "--json", "p"]).run();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let ops = json!([{
        "op": "make-link",
        "path": {"hex": hex(home.path(name).as_os_str().as_bytes())},
        "to": {"hex": hex(b"dotfiles/p/caf\xe9")},
    }]);
    assert_eq!(run.json()["ops"], ops, "{run}");
    assert!(home.path(name).is_symlink());
    home.farm(&["unlink", "-v", "p"])
        .run()
        .prints("- caf\u{fffd} -> dotfiles/p/caf\u{fffd}\nunlinked p: 1 link removed\n");
    // As a package, as a directory and in a pattern.
    home.write(home.path("dotfiles").join(name).join("f"), "");
    home.call(env!("CARGO_BIN_EXE_farm")).args([OsStr::new("link"), name]).run().fails_with(0, &[]);
    assert!(home.path("f").is_symlink());
    let pattern = OsString::from_vec(b"--ignore=\xff".to_vec());
    let run =
        home.call(env!("CARGO_BIN_EXE_farm")).args([OsStr::new("link"), &pattern, OsStr::new("p")]).run();
    assert!(matches!(run.code(), 0 | 2), "{run}");
    let missing = OsStr::from_bytes(b"no\xff");
    home.call(env!("CARGO_BIN_EXE_farm"))
        .args([OsStr::new("link"), missing])
        .run()
        .fails_with(1, &["no\u{fffd}"]);
    home.call(env!("CARGO_BIN_EXE_farm")).args([OsStr::new("stow"), missing]).run().fails_with(2, &["no"]);
}

#[test]
fn names_of_255_bytes() {
    let home = Sandbox::new();
    let long = "n".repeat(255);
    home.file(&format!("dotfiles/{long}/{long}/{long}"));
    home.file(&format!("dotfiles/q/{long}/other"));
    home.farm(&["link", &long]).run().fails_with(0, &[]);
    home.farm(&["link", "q"]).run().fails_with(0, &[]);
    assert_eq!(
        fs::read(home.path(&long).join(&long)).unwrap(),
        format!("dotfiles/{long}/{long}/{long}").as_bytes()
    );
    home.farm(&["unlink", "q"]).run().fails_with(0, &[]);
    home.farm(&["unlink", &long]).run().fails_with(0, &[]);
    assert_eq!(home.tree(), "");
    let longer = "n".repeat(256);
    refused(&home, home.farm(&["link", &longer]), 1, &[&longer, "nothing was changed"]);
    refused(&home, home.stow(&[&longer]), 2, &[&longer]);
    refused(&home, home.farm(&["link", "-t", &format!("../{longer}"), "q"]), 1, &[&longer]);
}

/// Makes a chain of directories, deeper than any path can name, below `top`; `file` is what stands at its end.
fn chain(home: &Sandbox, top: &str, name: &str, depth: usize, file: Option<&str>) {
    home.dir(top);
    let open = |at: &rustix::fd::OwnedFd, name: &str| {
        rustix::fs::openat(at, name, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap()
    };
    let mut at =
        rustix::fs::openat(CWD, home.path(top), OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    for _ in 0..depth {
        rustix::fs::mkdirat(&at, name, Mode::from_raw_mode(0o755)).unwrap();
        at = open(&at, name);
    }
    if let Some(file) = file {
        rustix::fs::openat(
            &at,
            file,
            OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC,
            Mode::from_raw_mode(0o644),
        )
        .unwrap();
    }
}

/// Returns how deep the chain of `name`s below `top` is.
fn depth(home: &Sandbox, top: &str, name: &str) -> usize {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut at = rustix::fs::openat(CWD, home.path(top), flags, Mode::empty()).unwrap();
    let mut depth = 0;
    while let Ok(below) = rustix::fs::openat(&at, name, flags, Mode::empty()) {
        at = below;
        depth += 1;
    }
    depth
}

const DEEP: usize = 5000;

#[test]
fn a_tree_5000_deep_is_one_link() {
    for (link, relink, unlink) in [
        (&["link", "p"][..], &["relink", "p"][..], &["unlink", "p"][..]),
        (&["stow", "p"], &["stow", "-R", "p"], &["stow", "-D", "p"]),
    ] {
        let home = Sandbox::new();
        chain(&home, "dotfiles/p", "d", DEEP, Some("file"));
        home.farm(link).run().fails_with(0, &[]);
        assert_eq!(fs::read_link(home.path("d")).unwrap().to_str(), Some("dotfiles/p/d"));
        home.farm(relink).run().fails_with(0, &[]);
        home.farm(unlink).run().fails_with(0, &[]);
        assert!(!home.path("d").is_symlink());
    }
}

#[test]
fn two_deep_trees_that_meet_come_to_an_end() {
    let home = Sandbox::new();
    chain(&home, "dotfiles/p", "d", 2000, Some("file"));
    chain(&home, ".", "d", 1999, None);
    // The link at the bottom would need more than the system allows.
    home.farm(&["link", "p"]).run().fails_with(1, &["too long", "nothing was changed"]);
    home.farm(&["unlink", "p"]).run().prints("nothing to do: p has no links here\n");
    assert_eq!(depth(&home, "", "d"), 1999);
}

#[test]
fn a_deep_tree_that_must_not_fold_is_refused_before_anything_is_made() {
    let home = Sandbox::new();
    chain(&home, "dotfiles/p", "d", 3000, Some("file"));
    home.farm(&["link", "--no-fold", "p"]).run().fails_with(1, &["too long", "nothing was changed"]);
    assert_eq!(depth(&home, "", "d"), 0);
}

#[test]
fn paths_longer_than_the_systems_limit() {
    let home = Sandbox::new();
    let name = "n".repeat(250);
    // 20 segments of 250 bytes: no path names the end.
    chain(&home, "dotfiles/p", &name, 20, Some("file"));
    home.farm(&["link", "p"]).run().fails_with(0, &[]);
    home.farm(&["unlink", "p"]).run().fails_with(0, &[]);
    let run = home.farm(&["link", "--no-fold", "p"]).run().fails_with(1, &["too long"]);
    drop(run);
    assert_eq!(depth(&home, "", &name), 0);
    let typed = format!("../{}", [&*name; 20].join("/"));
    for (args, code) in
        [(["link", "-d", &typed, "p"], 1), (["stow", "-t", &typed, "p"], 1), (["stow", "-d", &typed, "p"], 1)]
    {
        let run = home.farm(&args).run();
        assert_eq!(run.code(), code, "{run}");
    }
    let run = home.farm(&["link", &typed]).run();
    assert_eq!(run.code(), 1, "{run}");
}

#[test]
fn directories_1400_deep_move_as_a_whole_and_come_back() {
    const DEEP: usize = 1400;
    let home = Sandbox::new();
    home.file("dotfiles/p/mine");
    chain(&home, "mine", "d", DEEP, Some("file"));
    let is_back = |home: &Sandbox, how: &str| {
        assert!(!home.path("mine").is_symlink(), "{how}");
        assert_eq!(depth(home, "mine", "d"), DEEP, "{how}");
    };
    for (there, back) in [
        (&["link", "--backup", "p"][..], &["unlink", "--restore", "p"][..]),
        (&["link", "--replace", "p"], &["undo"]),
        (&["adopt", "q", "../mine"], &["eject", "q", "../mine"]),
    ] {
        home.farm(there).run().fails_with(0, &[]);
        assert!(home.path("mine").is_symlink(), "{there:?}");
        home.farm(back).run().fails_with(0, &[]);
        is_back(&home, there[1]);
    }
    // Copied, directory by directory.
    let Some(world) = far(home) else { return };
    world.farm(&["link", "--replace", "p"]).run().fails_with(0, &[]);
    assert!(world.home.path("mine").is_symlink());
    world.farm(&["undo"]).run().fails_with(0, &[]);
    is_back(&world.home, "copied");
}

#[test]
fn a_directory_of_100000_entries() {
    let home = Sandbox::with(&["dotfiles/q/many/mine"]);
    home.dir("dotfiles/p/many");
    let dir =
        rustix::fs::openat(CWD, home.path("dotfiles/p/many"), OFlags::DIRECTORY, Mode::empty()).unwrap();
    for n in 0..100_000 {
        rustix::fs::symlinkat("x", &dir, format!("{n:06}")).unwrap();
    }
    home.farm(&["link", "p"]).run().prints("linked p: 1 link\n");
    // Making so many links is the file system's work, and slow on some; planning them is farm's.
    let run = home.farm(&["link", "-n", "--json", "q"]).run();
    assert_eq!(run.json()["ops"][0]["content"].as_array().map(Vec::len), Some(100_001));
    home.stow(&["-n", "q"]).run().fails_with(0, &["simulation mode"]);
    home.farm(&["unlink", "p"]).run().prints("unlinked p: 1 link removed\n");
}

#[test]
fn a_current_directory_that_is_gone() {
    let home = package();
    home.dir("gone");
    let farm = env!("CARGO_BIN_EXE_farm");
    let run = |line: &str| {
        home.dir("gone");
        home.call("sh").args(["-c", &format!("rmdir ../gone && {line}"), "sh", farm]).from("gone").run()
    };
    run("\"$1\" link nvim").fails_with(1, &["error: the dotfiles directory", "nothing was changed"]);
    run("\"$1\" stow nvim").fails_with(1, &["is not a valid directory"]);
    run("\"$1\" link -d dotfiles nvim")
        .fails_with(1, &["error: the dotfiles directory dotfiles does not exist"]);
    run("\"$1\" link -d \"$HOME/dotfiles\" -t x nvim")
        .fails_with(1, &["error: the target directory x", "nothing was changed"]);
    run("\"$1\" link -d \"$HOME/dotfiles\" ./nvim").fails_with(1, &["./nvim"]);
    assert_eq!(home.tree(), "");
    run("\"$1\" link -d \"$HOME/dotfiles\" nvim").prints("linked nvim: 1 link\n");
    run("\"$1\" stow -d \"$HOME/dotfiles\" -D nvim").prints("");
    assert_eq!(home.tree(), "");
}

#[test]
fn a_home_that_is_unset_relative_or_missing() {
    let home = package();
    let calls: [fn(Call) -> Call; 4] = [
        |call| call.env_remove("HOME").env_remove("FARM_STATE_DIR"),
        |call| call.env("HOME", "").env_remove("FARM_STATE_DIR"),
        |call| call.env("HOME", "relative/home").env_remove("FARM_STATE_DIR"),
        |call| call.env("HOME", "/no/such/home").env_remove("FARM_STATE_DIR"),
    ];
    let warning = "warning: cannot find a state directory: neither FARM_STATE_DIR nor HOME says where: this change \
                   cannot be undone later, nor recovered after a crash\n";
    for with in calls {
        with(home.farm(&["link", "nvim"])).run().says(0, "linked nvim: 1 link\n", warning);
        with(home.farm(&["relink", "nvim"])).run().prints("nothing to do: nvim is linked already\n");
        with(home.farm(&["unlink", "nvim"])).run().says(0, "unlinked nvim: 1 link removed\n", warning);
        with(home.stow(&["nvim"])).run().prints("");
        with(home.stow(&["-D", "nvim"])).run().prints("");
        assert_eq!(home.tree(), "");
        assert_eq!(home.tree_below("dotfiles"), "nvim/\nnvim/init.lua\n");
    }
}

#[test]
fn a_bad_pattern_in_a_list_or_an_option() {
    let home = package();
    for path in ["dotfiles/.farmignore", "dotfiles/nvim/.farmignore"] {
        home.write(path, "fine\n[z-a]\n");
        refused(
            &home,
            home.farm(&["link", "nvim"]),
            1,
            &[&format!("error: ~/{path}: "), "`[z-a]`", "nothing was changed"],
        );
        home.remove(path);
    }
    home.write("dotfiles/nvim/.stow-local-ignore", "fine\n(\n");
    refused(
        &home,
        home.farm(&["link", "nvim"]),
        1,
        &["~/dotfiles/nvim/.stow-local-ignore", "nothing was changed"],
    );
    refused(&home, home.stow(&["nvim"]), 255, &["Failed to compile regexp: "]);
    home.remove("dotfiles/nvim/.stow-local-ignore");
    home.write(".stow-global-ignore", "(\n");
    refused(&home, home.stow(&["nvim"]), 255, &["Failed to compile regexp: "]);
    home.remove(".stow-global-ignore");
    for option in ["--defer", "--override", "--ignore"] {
        let said = format!("error: {option}: bad pattern `[z-a]`");
        refused(&home, home.farm(&["link", &format!("{option}=[z-a]"), "nvim"]), 2, &[&said]);
    }
    for option in ["--ignore=(", "--defer=(", "--override=("] {
        let name = option.trim_start_matches('-').trim_end_matches("=(");
        refused(&home, home.stow(&[option, "nvim"]), 1, &[&format!("Value \"(\" invalid for option {name}")]);
    }
    home.write("dotfiles/.stowrc", "--ignore=(\n");
    refused(&home, home.stow(&["nvim"]), 1, &["Value \"(\" invalid for option ignore"]);
    home.remove("dotfiles/.stowrc");
    // Bytes that are no text.
    home.write("dotfiles/nvim/.farmignore", b"\xff\xfe\0\n");
    home.write("dotfiles/nvim/.stow-local-ignore", b"\xff\xfe\0\n");
    home.farm(&["link", "-n", "nvim"]).run();
    home.stow(&["-n", "nvim"]).run();
}

#[test]
fn a_pattern_that_would_search_for_ever_ends() {
    let home = Sandbox::new();
    home.file(&format!("dotfiles/p/{}", "a".repeat(200)));
    home.write("dotfiles/p/.stow-local-ignore", "(a+)+b\n");
    let run = home.stow(&["p"]).run();
    assert!(matches!(run.code(), 0..=2 | 255), "{run}");
    home.farm(&["link", "p"]).run();
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let home = Sandbox::new();
    for n in 0..2000 {
        home.file(&format!("dotfiles/p/{n:05}"));
    }
    let farm = env!("CARGO_BIN_EXE_farm");
    for line in
        ["link -nv p", "link -n --json p", "--help", "stow --help", "stow -nv p 2>&1", "chkstow -l -t .."]
    {
        let shell = format!("\"$1\" {line} | head -1 >/dev/null");
        home.call("sh").args(["-c", &shell, "sh", farm]).run().fails(0, "");
    }
    let line = "set -o pipefail; \"$1\" link -v p | head -1; echo $?";
    if Command::new("bash").arg("--version").output().is_ok() {
        let run = home.call("bash").args(["-c", line, "sh", farm]).run();
        assert_eq!((run.stdout.lines().last(), &*run.stderr), (Some("0"), ""), "{run}");
        assert_eq!(home.tree().lines().count(), 2000);
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let home = Sandbox::with(&["dotfiles/p/x"]);
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let full = |line: &str| {
        let shell = format!("\"$1\" {line} >/dev/full");
        home.call("sh").args(["-c", &shell, "sh", env!("CARGO_BIN_EXE_farm")]).run()
    };
    let says = "cannot write the output: No space left on device\n";
    for line in ["schema", "list", "list --json", "link -nv p", "link --json -n p", "init -n"] {
        full(line).fails(1, &format!("error: {says}"));
    }
    home.write("dotfiles/farm.toml", "[session.variables]\nEDITOR = 'nvim'\n");
    full("env").fails(1, &format!("error: {says}"));
    // What was asked for is done.
    full("link p").fails(0, &format!("warning: {says}"));
    assert_eq!(home.tree(), "x -> dotfiles/p/x\n");
    home.farm(&["rollback", "x"]).run().fails_with(2, &["`farm generations` lists them"]);
    home.farm(&["import", "none.nix"]).run().fails_with(1, &["cannot read none.nix: No such file"]);
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_like_any_other() {
    let home = Sandbox::new();
    home.dir("d");
    for n in 0..300 {
        home.file(&format!("dotfiles/p/d/a name of some length {n}"));
    }
    home.file("dotfiles/q/large");
    home.write("large", vec![b'x'; 100_000]);
    let limited = |world: &World, blocks: usize, line: &str| {
        let shell = format!("ulimit -f {blocks} && exec \"$1\" {line}");
        let call = world.home.call("sh").args(["-c", &shell, "sh", env!("CARGO_BIN_EXE_farm")]);
        let before = world.home.identity();
        let run = call.env("FARM_STATE_DIR", world.state()).run();
        let said = run.stderr.to_lowercase();
        assert!(said.contains("cannot ") && said.contains("file too large"), "{run}");
        assert!(world.home.identity() == before && !world.is_interrupted(), "{run}");
        run.code()
    };
    let world = World::from(home);
    // The journal.
    assert_eq!(limited(&world, 1, "link p"), 1);
    assert_eq!(limited(&world, 1, "stow p"), 2);
    // A copy on another file system.
    let Some(world) = far(world.home) else { return };
    assert_eq!(limited(&world, 20, "link --replace q"), 1);
}

#[test]
fn closed_streams_change_nothing_about_the_work() {
    let home = package();
    let farm = env!("CARGO_BIN_EXE_farm");
    let sh = |line: &str| home.call("sh").args(["-c", &format!("\"$1\" {line}"), "sh", farm]).run();
    for closed in [">&-", "2>&-", "<&-", ">&- 2>&-", ">&- 2>&- <&-"] {
        for (link, unlink) in [
            ("link -v nvim", "unlink -v nvim"),
            ("stow -v nvim", "stow -vD nvim"),
            ("link --json nvim", "unlink --json nvim"),
        ] {
            let run = sh(&format!("{link} {closed}"));
            assert_eq!(
                (run.code(), home.tree()),
                (0, "init.lua -> dotfiles/nvim/init.lua\n".to_owned()),
                "{run}"
            );
            let run = sh(&format!("{unlink} {closed}"));
            assert_eq!((run.code(), home.tree()), (0, String::new()), "{run}");
        }
        assert_eq!(sh(&format!("link nope {closed}")).code(), 1);
        assert_eq!(sh(&format!("stow nope {closed}")).code(), 2);
        assert_eq!(sh(&format!("frob {closed}")).code(), 2);
    }
    // A full disk behind standard output.
    if fs::metadata("/dev/full").is_ok() {
        let run = sh("link -v nvim >/dev/full");
        assert!(home.path("init.lua").is_symlink(), "{run}");
    }
}
