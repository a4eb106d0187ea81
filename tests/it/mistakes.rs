//! Everything that can be wrong with what a manifest asks for is told, where it is, before anything changes.

use crate::sandbox::Sandbox;

fn home(manifest: &str) -> Sandbox {
    let home = Sandbox::with(&["dotfiles/nvim/init.lua", "dotfiles/dir/a", "dotfiles/top.txt"]);
    home.write("dotfiles/farm.toml", manifest);
    home
}

/// Asserts that `farm switch` says just this and changes nothing.
#[track_caller]
fn refuses(home: &Sandbox, says: &str) {
    let before = (home.identity(), home.times());
    home.farm(&["switch"]).run().fails(1, says);
    assert_eq!((home.identity(), home.times()), before);
    home.farm(&["switch", "-n"]).run().fails(1, says);
    assert!(!home.state().join("targets").exists());
}

/// Returns what is said of one mistake: the title, `line:column`, the lines shown, and the mark with its label.
fn said(title: &str, place: &str, shown: &str) -> String {
    let width = shown.split(" | ").next().unwrap_or_default().len();
    let pad = " ".repeat(width);
    format!("error: {title}\n{pad}--> ~/dotfiles/farm.toml:{place}\n{pad} |\n{shown}\nnothing was changed\n")
}

#[test]
fn wrong_types_are_told_with_what_the_key_takes() {
    for (key, mark, found, takes) in [
        ("version = 'x'", "'x'", "a string", "a whole number"),
        ("defaults = 1", "1", "an integer", "a table"),
        ("defaults.target = 1", "1", "an integer", "a string"),
        ("defaults.fold = 'no'", "'no'", "a string", "true or false or a table"),
        ("defaults.dotfiles = 'no'", "'no'", "a string", "true or false"),
        (
            "defaults.conflict = true",
            "true",
            "a boolean",
            "\"stop\", \"skip\", \"backup\", \"adopt\", \"replace\" or \"ask\"",
        ),
        ("defaults.ignore = 'x'", "'x'", "a string", "a list of strings"),
        ("package.p = 1", "1", "an integer", "a table"),
        ("package.p.enable = 1", "1", "an integer", "true or false"),
        ("package.p.when = 'x'", "'x'", "a string", "a table"),
        ("files = []", "[]", "an array", "a table"),
        ("files.'~/x' = 1", "1", "an integer", "a string"),
        ("file.'~/x'.text = 1", "1", "an integer", "a string"),
        ("file.'~/x'.method = 1", "1", "an integer", "\"link\", \"copy\" or \"seed\""),
        ("file.'~/x'.recursive = 'x'", "'x'", "a string", "true or false"),
        ("session.path = 'x'", "'x'", "a string", "a list of strings"),
        ("profile.p.packages = 'x'", "'x'", "a string", "a list of strings"),
    ] {
        let column = key.len() - mark.len();
        let marks = "^".repeat(mark.len());
        let shown = format!("1 | {key}\n  | {}{marks} it takes {takes}", " ".repeat(column));
        refuses(
            &home(&format!("{key}\n")),
            &said(&format!("this is {found}"), &format!("1:{}", column + 1), &shown),
        );
    }
}

#[test]
fn systems_that_there_are_not_are_told_with_the_right_one() {
    let takes = "it takes \"linux\", \"macos\", \"android\", \"freebsd\", \"netbsd\", \"openbsd\", \"dragonfly\", \
                 \"illumos\", \"solaris\" or \"windows\"";
    for (value, wrong, meant) in [
        ("'osx'", "'osx'", "did you mean \"macos\"? "),
        ("'darwin'", "'darwin'", "did you mean \"macos\"? "),
        ("'macOS'", "'macOS'", "did you mean \"macos\"? "),
        ("['linux', 'macosx']", "'macosx'", "did you mean \"macos\"? "),
        ("'linxu'", "'linxu'", "did you mean \"linux\"? "),
        ("'beos-like'", "'beos-like'", ""),
    ] {
        let key = format!("package.nvim.when.os = {value}");
        let column = key.find(wrong).unwrap();
        let marks = " ".repeat(column) + &"^".repeat(wrong.len());
        let shown = format!("1 | {key}\n  | {marks} {meant}{takes}");
        let title = format!("unknown value {wrong}");
        refuses(&home(&format!("{key}\n")), &said(&title, &format!("1:{}", column + 1), &shown));
        let file = format!("file.'~/x' = {{ source = 'top.txt', when.os = {value} }}\n");
        home(&file).farm(&["switch"]).run().fails_with(1, &[&title, meant]);
    }
}

#[test]
fn keys_that_there_are_not_are_told_with_the_nearest() {
    for (text, title, place, shown) in [
        (
            "defualts = {}\n",
            "unknown key `defualts`",
            "1:1",
            "1 | defualts = {}\n  | ^^^^^^^^ did you mean `defaults`?",
        ),
        (
            "[package.p]\nfodl = 1\n",
            "unknown key `fodl`",
            "2:1",
            "2 | fodl = 1\n  | ^^^^ did you mean `fold`?",
        ),
        (
            "[file.'~/x']\ntxt = ''\n",
            "unknown key `txt`",
            "2:1",
            "2 | txt = ''\n  | ^^^ did you mean `text`?",
        ),
        (
            "[file.'~/x']\ntext = ''\nmethod = 'cpoy'\n",
            "unknown value 'cpoy'",
            "3:10",
            "3 | method = 'cpoy'\n  |          ^^^^^^ did you mean \"copy\"? it takes \"link\", \"copy\" or \"seed\"",
        ),
    ] {
        refuses(&home(text), &said(title, place, shown));
    }
}

#[test]
fn two_entries_at_one_place_are_both_shown() {
    refuses(
        &home("[file.'~/x']\ntext = 'a'\n[files]\n'~/x' = 'top.txt'\n"),
        &said(
            "~/x and ~/x have one target path, x",
            "4:1",
            "1 | [file.'~/x']\n  |       ----- this has it, too\n...\n4 | '~/x' = 'top.txt'\n  | ^^^^^ give one of them another",
        ),
    );
    for method in ["copy", "seed"] {
        refuses(
            &home(&format!("[package.nvim]\nas = '~/x'\n[file.'~/x/y']\ntext = 'a'\nmethod = '{method}'\n")),
            &said(
                "~/x/y would be in x, which is one link to nvim",
                "3:7",
                "2 | as = '~/x'\n  |      ----- this is linked as a whole\n3 | [file.'~/x/y']\n  |       ^^^^^^^ put it into nvim, or say `fold = false` there",
            ),
        );
    }
}

#[test]
fn targets_that_are_not_the_users_are_refused() {
    for (target, title, label) in [
        ("~bob/x", "this is the home directory of another user", "farm works in your own: begin with `~/`"),
        ("x", "nobody knows where this path begins", "begin it with `~/` or `/`"),
        (
            "~",
            "this is the target itself, which is never a link",
            "write `into` in the place of `as`, or a path below it",
        ),
        (
            "~/..",
            "this lies outside the target",
            "everything lands below ~; `target` in [defaults] names another",
        ),
        (
            "/etc/x",
            "this lies outside the target",
            "everything lands below ~; `target` in [defaults] names another",
        ),
        (
            "~/dotfiles/x",
            "this is in the dotfiles directory, or holds it",
            "links there would change the packages",
        ),
    ] {
        let marks = "^".repeat(target.len() + 2);
        let shown = format!("1 | [file.'{target}']\n  |       {marks} {label}");
        refuses(
            &home(&format!("[file.'{target}']\ntext = ''\nmethod = 'copy'\n")),
            &said(title, "1:7", &shown),
        );
    }
}

#[test]
fn sources_that_cannot_be_used_are_shown() {
    for (rest, title, place, shown) in [
        (
            "source = 'nothing'",
            "there is no ~/dotfiles/nothing",
            "2:10",
            "2 | source = 'nothing'\n  |          ^^^^^^^^^ make it, or leave this out",
        ),
        (
            "source = '../x'",
            "this leads out of the dotfiles directory",
            "2:10",
            "2 | source = '../x'\n  |          ^^^^^^ write a path below the directory of farm.toml",
        ),
        (
            "template = 'dir'",
            "~/dotfiles/dir is not a file",
            "2:12",
            "2 | template = 'dir'\n  |            ^^^^^ name another",
        ),
        (
            "source = 'dir'\nmethod = 'copy'",
            "~/dotfiles/dir is not a file",
            "2:10",
            "2 | source = 'dir'\n  |          ^^^^^ name another",
        ),
        (
            "source = 'pipe'\nmethod = 'seed'",
            "~/dotfiles/pipe is not a file",
            "2:10",
            "2 | source = 'pipe'\n  |          ^^^^^^ name another",
        ),
        (
            "source = 'dir'\nrecursive = true\nmethod = 'copy'",
            "`recursive` has no meaning here",
            "3:13",
            "3 | recursive = true\n  |             ^^^^ only links are made one by one: leave `method` out",
        ),
    ] {
        let home = home(&format!("[file.'~/x']\n{rest}\n"));
        home.fifo("dotfiles/pipe");
        refuses(&home, &said(title, place, shown));
    }
}

#[test]
fn what_may_not_be_read_is_shown() {
    for (rest, place, shown) in [
        (
            "template = 'top.txt'",
            "2:12",
            "2 | template = 'top.txt'\n  |            ^^^^^^^^^ permission denied",
        ),
        (
            "source = 'top.txt'\nmethod = 'copy'",
            "2:10",
            "2 | source = 'top.txt'\n  |          ^^^^^^^^^ permission denied",
        ),
        (
            "source = 'top.txt'\non-change = 'true'",
            "2:10",
            "2 | source = 'top.txt'\n  |          ^^^^^^^^^ permission denied",
        ),
    ] {
        let home = home(&format!("[file.'~/x']\n{rest}\n"));
        home.mode("dotfiles/top.txt", 0o000);
        // For root there is nothing that may not be read.
        if std::fs::read(home.path("dotfiles/top.txt")).is_err() {
            refuses(&home, &said("~/dotfiles/top.txt cannot be read", place, shown));
        }
    }
}

#[test]
fn a_template_with_a_mistake_is_shown_with_its_line() {
    let home = home("[file.'~/x']\ntemplate = 't.j2'\nmethod = 'copy'\n");
    home.write("dotfiles/t.j2", "one\ntwo {{ nobody }}\n");
    refuses(
        &home,
        "error: this template cannot be rendered\n --> ~/dotfiles/t.j2:2:8\n  |\n2 | two {{ nobody }}\n  |        ^^^^^^ undefined \
         value: `nobody` is undefined\nnothing was changed\n",
    );
}

#[test]
fn links_that_lead_in_a_circle_come_to_an_end() {
    for rest in ["source = 'loop'", "source = 'loop'\nmethod = 'copy'", "template = 'loop'"] {
        let home = home(&format!("[file.'~/x']\n{rest}\n"));
        home.link("dotfiles/loop", "loop");
        let column = rest.find('\'').unwrap() + 1;
        let run = home.farm(&["switch"]).run();
        assert!(run.code() == 1 && run.stderr.contains("dotfiles/loop cannot be read"), "{run}");
        assert!(run.stderr.contains(&format!(":2:{column}\n")), "{run}");
    }
    // Below a directory each link is one link, wherever it leads.
    let home = home("[file.'~/x']\nsource = 'dir'\nrecursive = true\non-change = 'true'\n");
    home.link("dotfiles/dir/self", "self");
    home.link("dotfiles/dir/up", "..");
    home.farm(&["switch"]).run().prints("switched: 3 links, 1 directory made, 1 command run\n");
    assert_eq!(
        home.tree(),
        "x/\nx/a -> ../dotfiles/dir/a\nx/self -> ../dotfiles/dir/self\nx/up -> ../dotfiles/dir/up\n"
    );
    home.farm(&["switch"]).run().prints("nothing to do: everything is as farm.toml says\n");
}

#[test]
fn a_manifest_that_is_no_text_or_may_not_be_read_is_refused() {
    let home = home("");
    home.write("dotfiles/farm.toml", b"version = 1\n# \xff\n");
    refuses(
        &home,
        &said("the file is not UTF-8", "2:3", "2 | # \u{fffd}\n  |   ^ this byte is no character"),
    );
    home.mode("dotfiles/farm.toml", 0o000);
    if std::fs::read(home.path("dotfiles/farm.toml")).is_err() {
        refuses(&home, "error: cannot read ~/dotfiles/farm.toml: Permission denied\nnothing was changed\n");
    }
}

#[test]
fn a_memory_that_a_newer_farm_wrote_is_refused() {
    let home = home("[file.'~/x']\ntext = 'a'\nmethod = 'copy'\n");
    home.farm(&["switch"]).run();
    let targets = std::fs::read_dir(home.state().join("targets")).unwrap().next().unwrap().unwrap();
    let record = targets.path().join("generations/1");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replacen("\"format\":1", "\"format\":9", 1)).unwrap();
    home.write("dotfiles/farm.toml", "[file.'~/x']\ntext = 'b'\nmethod = 'copy'\n");
    let before = home.identity();
    let run = home.farm(&["switch"]).run();
    assert!(run.code() == 1 && run.stdout.is_empty(), "{run}");
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(
        lines[0].starts_with("error: cannot read ")
            && lines[0].ends_with("generations/1: it was written by a newer farm"),
        "{run}"
    );
    let hint = "hint: use that farm here: it knows what was done, and this one does not";
    assert_eq!(lines[1..], ["nothing was changed", hint], "{run}");
    assert_eq!(home.identity(), before);
}
