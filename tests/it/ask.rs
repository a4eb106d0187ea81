//! `--on-conflict ask`: on a terminal each thing in the way is asked about. `script` makes the terminal; where it is
//! missing, the tests pass with a note.

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;

/// What a question about a file ends with.
const CHOICES: &str = "[b]ack up, [a]dopt, [r]eplace, [s]kip, show [d]iff, [q]uit (capital: all of these)? ";

/// The key that ends a program.
const CTRL_C: &str = "\x03";

/// What a program said on a terminal, what was typed among it, and its exit status.
struct Said {
    code: i32,
    text: String,
}

/// Runs farm on a terminal and types an answer after each question, then the end of the input; `None`, with a note, where
/// no program makes a terminal.
fn on_terminal(home: &Sandbox, args: &str, answers: &[&str]) -> Option<Said> {
    let farm = env!("CARGO_BIN_EXE_farm");
    let script = |line: &str| home.call("script").args(["-qefc", line, "/dev/null"]).env("NO_COLOR", "1");
    if !has_script() {
        eprintln!("passed over: there is no script that makes a terminal");
        return None;
    }
    // What runs in the background of a script may have been told to ignore it.
    let heed = if ignores_ctrl_c() { "env --default-signal=INT " } else { "" };
    let mut child = script(&format!("{heed}'{farm}' {args}")).spawn(Stdio::piped());
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watching = thread::spawn({
        let seen = seen.clone();
        move || {
            let mut buffer = [0; 1024];
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                seen.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        }
    });
    let questions = || String::from_utf8_lossy(&seen.lock().unwrap()).matches("all of these)? ").count();
    let start = Instant::now();
    for (number, answer) in answers.iter().enumerate() {
        while questions() <= number && !watching.is_finished() {
            assert!(start.elapsed() < Duration::from_secs(60), "question {number} never comes");
            thread::sleep(Duration::from_millis(5));
        }
        // Who is gone reads no answer.
        let _ = keyboard.write_all(answer.as_bytes());
    }
    // The end of what is typed must not be read in the place of a Ctrl-C that is on its way.
    while answers.last() == Some(&CTRL_C) && !watching.is_finished() {
        assert!(start.elapsed() < Duration::from_secs(60), "Ctrl-C changes nothing");
        thread::sleep(Duration::from_millis(5));
    }
    drop(keyboard);
    let code = child.wait().unwrap().code().unwrap();
    watching.join().unwrap();
    let text = String::from_utf8_lossy(&seen.lock().unwrap()).replace('\r', "");
    Some(Said { code, text: text.replace(home.path("").to_str().unwrap().trim_end_matches('/'), "~") })
}

/// Tells whether this process, and so what it starts, ignores SIGINT.
fn ignores_ctrl_c() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 2 != 0)
}

/// Tells whether there is a `script` of util-linux, which gives the exit status of what it runs.
pub fn has_script() -> bool {
    let run = Command::new("script").args(["-qefc", "exit 7", "/dev/null"]).stdin(Stdio::null()).output();
    run.is_ok_and(|run| run.status.code() == Some(7))
}

/// A package with two files and a link in its way.
fn home() -> Sandbox {
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "dotfiles/p/c", "dotfiles/p/d", "a", "c"]);
    home.link("b", "nowhere");
    home
}

const ASK: &str = "link --on-conflict ask p";

#[test]
fn each_answer_does_what_it_says() {
    for command in ["link", "relink"] {
        let home = home();
        let Some(said) =
            on_terminal(&home, &format!("{command} --on-conflict ask p"), &["b\n", "r\n", "a\n"])
        else {
            return;
        };
        assert_eq!(
            said.text,
            format!(
                "a: a file, not a link, and not equal to p's\n{CHOICES}b\nb: a link to nowhere, not made by farm\n\
                 [b]ack up, [r]eplace, [s]kip, [q]uit (capital: all of these)? r\nc: a file, not a link, and not equal \
                 to p's\n{CHOICES}a\n{command}ed p: 4 links, 1 file backed up, 1 file adopted, 1 foreign link replaced\n"
            )
        );
        assert_eq!(said.code, 0);
        assert_eq!(
            home.tree(),
            "a -> dotfiles/p/a\na.backup\nb -> dotfiles/p/b\nc -> dotfiles/p/c\nd -> dotfiles/p/d\n"
        );
        assert_eq!(fs::read(home.path("a.backup")).unwrap(), b"a");
        assert_eq!(fs::read(home.path("dotfiles/p/c")).unwrap(), b"c");
        home.farm(&["undo", "-q"]).run().prints("");
        assert_eq!(home.tree(), "a\nb -> nowhere\nc\n");
    }
}

#[test]
fn a_skipped_thing_stays_and_the_rest_is_linked() {
    let home = home();
    let Some(said) = on_terminal(&home, ASK, &["s\n", "s\n", "b\n"]) else { return };
    assert!(
        said.text.ends_with(
            "warning: left alone a: a file, not a link, and not equal to p's\nwarning: left alone b: a link to nowhere, \
             not made by farm\nlinked p: 2 links, 1 file backed up, 2 things left alone\n"
        ),
        "{}",
        said.text
    );
    assert_eq!(
        (said.code, &*home.tree()),
        (0, "a\nb -> nowhere\nc -> dotfiles/p/c\nc.backup\nd -> dotfiles/p/d\n")
    );
}

#[test]
fn a_capital_answers_for_all_the_rest() {
    for (answers, tree) in [
        (
            &["B\n"][..],
            "a -> dotfiles/p/a\na.backup\nb -> dotfiles/p/b\nb.backup -> nowhere\nc -> dotfiles/p/c\nc.backup\n\
             d -> dotfiles/p/d\n",
        ),
        (&["R\n"], "a -> dotfiles/p/a\nb -> dotfiles/p/b\nc -> dotfiles/p/c\nd -> dotfiles/p/d\n"),
        (&["S\n"], "a\nb -> nowhere\nc\nd -> dotfiles/p/d\n"),
        (&["s\n", "R\n"], "a\nb -> dotfiles/p/b\nc -> dotfiles/p/c\nd -> dotfiles/p/d\n"),
        // A link is not adopted, so it is asked about all the same.
        (&["A\n", "s\n"], "a -> dotfiles/p/a\nb -> nowhere\nc -> dotfiles/p/c\nd -> dotfiles/p/d\n"),
    ] {
        let home = home();
        let Some(said) = on_terminal(&home, ASK, answers) else { return };
        assert_eq!((said.code, &*home.tree()), (0, tree), "{answers:?}: {}", said.text);
        let asked = said.text.matches("all of these)? ").count();
        assert_eq!(asked, answers.len(), "{answers:?}: {}", said.text);
    }
}

#[test]
fn who_quits_or_says_nothing_changes_nothing() {
    for answers in [&["q\n"][..], &["Q\n"], &["b\n", "q\n"], &["S\n"][..0], &["b\n"], &["\x04"]] {
        let home = home();
        let before = home.identity();
        let Some(said) = on_terminal(&home, ASK, answers) else { return };
        assert!(said.text.ends_with("\nnothing was changed\n"), "{answers:?}: {}", said.text);
        assert_eq!((said.code, home.identity()), (1, before), "{answers:?}: {}", said.text);
    }
}

#[test]
fn ctrl_c_at_a_question_changes_nothing() {
    for answers in [&[CTRL_C][..], &["b\n", CTRL_C]] {
        let home = home();
        let before = home.identity();
        let Some(said) = on_terminal(&home, ASK, answers) else { return };
        assert_eq!((said.code, home.identity()), (130, before), "{}", said.text);
        home.farm(&["recover"]).run().prints("nothing to recover: no farm was interrupted in ~\n");
    }
}

#[test]
fn what_is_no_answer_is_said_and_asked_again() {
    let home = home();
    let Some(said) = on_terminal(&home, ASK, &["\n", "x\n", "back up\n", "é\n", " B \n"]) else { return };
    let again = |typed: &str| format!("{CHOICES}{typed}\nanswer with one of these letters\n");
    let asked = ["", "x", "back up", "é"].map(again).concat();
    assert!(said.text.starts_with(&format!("a: a file, not a link, and not equal to p's\n{asked}{CHOICES}")));
    assert_eq!(said.code, 0, "{}", said.text);
}

#[test]
fn a_taken_name_is_asked_about_again_without_the_answer_that_cannot_be() {
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "dotfiles/p/c", "a", "a.backup"]);
    home.link("b", "nowhere");
    let before = home.identity();
    let Some(said) = on_terminal(&home, "link -n --on-conflict ask p", &["d\n", "B\n", "r\n"]) else {
        return;
    };
    let without_backup = CHOICES.replace("[b]ack up, ", "");
    assert_eq!(
        said.text,
        format!(
            "a: a file, not a link, and not equal to p's\n{CHOICES}d\n--- ~/a\n+++ ~/dotfiles/p/a\n@@ -1 +1 @@\n-a\n\\ \
             No newline at end of file\n+dotfiles/p/a\n\\ No newline at end of file\n{CHOICES}B\na: a file, not a \
             link, and not equal to p's; a.backup exists already\n{without_backup}r\n~ a -> dotfiles/p/a (the file \
             there goes to the state directory)\n~ b -> dotfiles/p/b (the link there becomes b.backup)\n+ c -> \
             dotfiles/p/c\nwould link p: 3 links, 1 foreign link backed up, 1 file replaced; nothing was changed\n",
        )
    );
    assert_eq!((said.code, home.identity()), (0, before));
}

#[test]
fn a_diff_shows_no_binary_and_names_come_escaped() {
    let home = Sandbox::new();
    let name = "a\x1b[31m";
    home.write(format!("dotfiles/p/{name}"), b"\x7fELF\0\x01");
    home.write(name, b"\x7fELF\0\x02");
    home.file("dotfiles/p/l");
    home.link("l", "to\x07nowhere");
    let Some(said) = on_terminal(&home, ASK, &["d\n", "q\n"]) else { return };
    assert_eq!(
        said.text,
        format!(
            "a\\u{{1b}}[31m: a file, not a link, and not equal to p's\n{CHOICES}d\nnot text\n{CHOICES}q\nnothing was \
             changed\n"
        )
    );
    let Some(said) = on_terminal(&home, ASK, &["s\n", "b\n"]) else { return };
    assert!(said.text.contains("\nl: a link to to\\u{7}nowhere, not made by farm\n"), "{}", said.text);
    assert!(!said.text.contains(['\x1b', '\x07']), "{}", said.text);
    // In the head of a diff, too.
    home.write(name, "text\n");
    home.write(format!("dotfiles/p/{name}"), "other\n");
    let Some(said) = on_terminal(&home, ASK, &["d\n", "q\n"]) else { return };
    assert!(said.text.contains("\n--- ~/a\\u{1b}[31m\n+++ ~/dotfiles/p/a\\u{1b}[31m\n@@"), "{}", said.text);
}

#[test]
fn asking_needs_a_terminal() {
    let home = home();
    let before = home.identity();
    for command in ["link", "relink"] {
        home.farm(&[command, "--on-conflict", "ask", "p"]).run().fails(
            2,
            "error: --on-conflict ask needs a terminal for its questions\nhint: --on-conflict stop, skip, backup, adopt \
             and replace ask nothing\n",
        );
    }
    // A terminal to read from is not enough when nobody sees the questions.
    if let Some(said) = on_terminal(&home, "link --on-conflict ask p 2>/dev/null", &[]) {
        assert_eq!((said.code, &*said.text), (2, ""));
    }
    assert_eq!(home.identity(), before);
}

#[test]
fn nothing_is_asked_when_no_answer_could_help() {
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "dotfiles/q/b", "a"]);
    home.link("b", "dotfiles/q/b");
    let Some(said) = on_terminal(&home, ASK, &[]) else { return };
    assert!(said.text.starts_with("error: cannot link p: 2 things are in the way\n"), "{}", said.text);
    assert_eq!(said.code, 1);
    let Some(said) = on_terminal(&home, "link --on-conflict ask p q --keep-going", &[]) else { return };
    assert!(said.text.starts_with("a: a file, not a link"), "{}", said.text);
    assert_eq!(said.code, 1);
}
