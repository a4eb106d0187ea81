//! The guide in docs/ and README are true: their commands are run in order, and their screens are what those print.
//!
//! `FARM_GUIDE=write cargo test guide` writes the screens anew.

use std::path::Path;
use std::{env, fs};

use crate::runs::copy;
use crate::sandbox::Sandbox;

const GUIDES: [&str; 2] = ["docs/GUIDE.md", "README.md"];

/// A heading of this kind begins with a fresh home, in which the example packages lie.
const FRESH: &str = "## ";
/// A block of commands with what they print.
const SCREEN: &str = "```console";
/// Commands that readers need not see, in a comment.
const UNSEEN: &str = "<!-- sh";

/// A home, and where its shell is.
struct Shell {
    home: Sandbox,
    at: String,
}

impl Shell {
    fn new() -> Shell {
        let home = Sandbox::new();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dotfiles"), &home.path("dotfiles"));
        Shell { at: home.text(""), home }
    }

    /// Runs a command as if it were typed, and returns what is seen.
    fn run(&mut self, command: &str) -> String {
        let programs = Path::new(env!("CARGO_BIN_EXE_farm")).parent().unwrap().display().to_string();
        let path = format!("{programs}:{}", env::var("PATH").unwrap_or_default());
        let script = "cd \"$1\"; eval \"$2\" 2>&1; pwd > \"$HOME/.at\"";
        let ran = self
            .home
            .call("sh")
            .args(["-c", script, "sh", &self.at, command])
            .env("PATH", path)
            .env("TZ", "UTC")
            .env("FARM_STATE_DIR", self.home.path(".local/state/farm"))
            .run();
        self.at = fs::read_to_string(self.home.path(".at")).unwrap().trim_end().to_owned();
        self.home.remove(".at");
        ran.stdout.lines().map(|line| format!("{}\n", lasting(line))).collect()
    }
}

/// Returns a line without what differs from run to run: times of day, and numbers of directories in the state directory.
pub fn lasting(line: &str) -> String {
    let is_date = |word: &str| word.len() == 10 && word.starts_with("20") && word.split('-').count() == 3;
    let is_time = |word: &str| word.len() == 5 && word.as_bytes()[2] == b':';
    let words: Vec<String> = line
        .split(' ')
        .map(|word| match word {
            word if is_date(word) => "2026-03-01".to_owned(),
            word if is_time(word) => "09:30".to_owned(),
            word => shortened(word),
        })
        .collect();
    words.join(" ")
}

/// Returns a word with long hexadecimal numbers cut off.
fn shortened(word: &str) -> String {
    let is_hex = |part: &str| part.len() >= 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = word.split('/').map(|name| {
        let parts = name.split('-').map(|part| if is_hex(part) { &part[..0] } else { part });
        let parts: Vec<&str> = parts.collect();
        if parts.contains(&"") && name.bytes().filter(u8::is_ascii_hexdigit).count() >= 16 {
            parts.join("…")
        } else {
            name.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Returns a guide with the screens as they are when its commands are run.
fn run_again(guide: &str) -> String {
    let mut out = String::new();
    let mut shell = Shell::new();
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        out += &format!("{line}\n");
        if line.starts_with(FRESH) {
            shell = Shell::new();
        } else if line == UNSEEN {
            for line in lines.by_ref().take_while(|line| *line != "-->") {
                out += &format!("{line}\n");
                let seen = shell.run(line);
                assert_eq!(seen, "", "{line}");
            }
            out += "-->\n";
        } else if line == SCREEN {
            let screen: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            // What the first command of README prints is looked at elsewhere.
            let is_session = screen.first().is_some_and(|line| line.starts_with("$ "));
            for line in screen {
                match line.strip_prefix("$ ") {
                    Some(command) => out += &format!("{line}\n{}", shell.run(command)),
                    None if is_session => {}
                    None => out += &format!("{line}\n"),
                }
            }
            out += "```\n";
        }
    }
    out
}

#[test]
fn their_commands_print_what_their_screens_show() {
    for name in GUIDES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let guide = fs::read_to_string(&path).unwrap();
        let now = run_again(&guide);
        if env::var_os("FARM_GUIDE").is_some_and(|it| it == "write") {
            fs::write(&path, &now).unwrap();
            continue;
        }
        let differs = guide.lines().zip(now.lines()).position(|(then, now)| then != now);
        assert!(
            guide == now,
            "line {:?} of {name} is otherwise, see FARM_GUIDE",
            differs.map(|line| line + 1)
        );
    }
}
