//! `farm completions`: what Tab offers, asked in the shells themselves.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::sandbox::Sandbox;

/// Lines that are being typed, and what their last words may become. The home is that of [`home`].
const LINES: &[(&[&str], &[&str])] = &[
    (&["farm", "unli"], &["unlink"]),
    (&["farm", "rm", "gi"], &["git"]),
    (&["farm", "link", ""], &["editor", "git", "my pkg", "zsh"]),
    (&["farm", "link", "git", "zsh", ""], &["editor", "my pkg"]),
    (&["farm", "link", "g", "--no-fold", "z"], &["zsh"]),
    (&["farm", "adopt", "zs"], &["zsh"]),
    (&["farm", "--dir", "../more", "link", ""], &["tools"]),
    (&["farm", "link", "-nvd", "../more", ""], &["tools"]),
    (&["farm", "link", "-d", "~/more", ""], &["tools"]),
    (&["farm", "rollback", ""], &["2", "1", "0"]),
    (&["farm", "switch", "-n", ""], &["laptop", "server"]),
    (&["farm", "switch", "ser"], &["server"]),
    (&["farm", "link", "--on-conflict", "re"], &["replace"]),
    (&["farm", "link", "--no-f"], &["--no-fold"]),
    (&["farm", "completions", "z"], &["zsh"]),
    (&["farm", "stow", "--no-f"], &["--no-folding"]),
    (&["farm", "stow", "-vd", "../more", "-R", ""], &["tools"]),
    (&["farm", "stow", "-d", "../mo"], &["../more/"]),
    (&["farm", "-d", "/nowhere", "link", "z"], &[]),
    (&["farm", "nonsense", "z"], &[]),
];

/// A shell, and how it is asked: a script that reads the completions from `$SCRIPT`, and prints what the words of a line
/// may become, one in a line. `LINE` is the words, quoted.
struct Shell {
    name: &'static str,
    program: &'static str,
    args: &'static [&'static str],
    asks: &'static str,
}

const SHELLS: &[Shell] = &[
    Shell {
        name: "bash",
        program: "bash",
        args: &["--norc", "-c"],
        asks: r#". "$SCRIPT"; COMP_WORDS=(LINE); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_clap_complete_farm farm "${COMP_WORDS[COMP_CWORD]}" x
for it in "${COMPREPLY[@]}"; do eval "printf '%s\n' $it"; done"#,
    },
    Shell {
        name: "zsh",
        program: "zsh",
        args: &["-f", "-c"],
        asks: r#"compdef() { :; }
_describe() { shift 2; for it in "${(@P)1}"; do it=${it//\\:/$'\1'}; it=${it%%:*}; [[ "$*" == *-S* ]] && it+=/; print -r -- ${it//$'\1'/:}; done; }
. "$SCRIPT"; words=(LINE); CURRENT=$#words; _clap_dynamic_completer_farm"#,
    },
    Shell {
        name: "fish",
        program: "fish",
        args: &["-N", "-c"],
        asks: "source $SCRIPT; complete -C (string join ' ' -- LINE) | string replace -r '\\t.*' ''",
    },
    Shell {
        name: "nu",
        program: "nu",
        args: &["-n", "-c"],
        asks: "source SCRIPT; do $env.config.completions.external.completer [LINE] | get value? | each { str trim -c '\"' } | str join \"\\n\" | print",
    },
    Shell {
        name: "powershell",
        program: "pwsh",
        args: &["-NoProfile", "-NonInteractive", "-Command"],
        asks: "& ([scriptblock]::Create((Get-Content -Raw $env:SCRIPT))); $line = @(LINE) -join ' '; \
               (TabExpansion2 -inputScript $line -cursorColumn $line.Length).CompletionMatches | ForEach-Object { $_.ListItemText }",
    },
];

impl Shell {
    /// Returns the program, or says that the shell is passed over.
    fn installed(&self) -> Option<PathBuf> {
        let dirs = std::env::var_os("PATH").unwrap_or_default();
        let found =
            std::env::split_paths(&dirs).map(|dir| dir.join(self.program)).find(|path| path.is_file());
        if found.is_none() {
            eprintln!("passed over: there is no {}", self.program);
        }
        found
    }

    /// Runs a script in the shell, where the program is known by its path.
    fn run(&self, program: &PathBuf, home: &Sandbox, script: &str) -> Output {
        let completions = home.state().with_file_name(format!("completions.{}", self.name));
        let printed =
            Command::new(env!("CARGO_BIN_EXE_farm")).args(["completions", self.name]).output().unwrap();
        std::fs::write(&completions, printed.stdout).unwrap();
        let script = script.replace("source SCRIPT", &format!("source {}", completions.display()));
        Command::new(program)
            .args(self.args)
            .arg(script)
            .current_dir(home.path("dotfiles"))
            .env_clear()
            .env("HOME", home.path(""))
            .env("FARM_STATE_DIR", home.state())
            .env("PATH", "/usr/bin:/bin")
            .env("SCRIPT", completions)
            .output()
            .unwrap()
    }
}

fn home() -> Sandbox {
    let home = Sandbox::with(&["dotfiles/git/.gitconfig", "dotfiles/nvim/.vimrc", "dotfiles/zsh/.zshrc"]);
    home.file("dotfiles/my pkg/.myrc");
    home.file("dotfiles/away/.awayrc");
    home.file("more/tools/.toolsrc");
    home.farm(&["link", "git"]).run();
    home.farm(&["unlink", "git"]).run();
    home.write(
        "dotfiles/farm.toml",
        "[package.editor]\nsource = \"nvim\"\n[package.away]\nenable = false\n[profile.server]\npackages = \
         [\"zsh\"]\n[profile.laptop]\npackages = [\"zsh\", \"git\"]\n",
    );
    home
}

#[test]
fn tab_offers_what_is_on_the_disk() {
    let home = home();
    let times = home.times();
    for shell in SHELLS {
        let Some(program) = shell.installed() else { continue };
        for (words, expected) in LINES {
            // Words with a tilde stand there as they are typed.
            let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            let script = shell.asks.replace("LINE", &quoted.join(" "));
            let output = shell.run(&program, &home, &script);
            let text = String::from_utf8_lossy(&output.stdout);
            let mut offered: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
            let mut expected = expected.to_vec();
            if shell.name == "fish" {
                // It sorts what it lists.
                offered.sort_unstable();
                expected.sort_unstable();
            }
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_eq!((offered, &*errors), (expected, ""), "{}: {words:?}", shell.name);
        }
    }
    // Shells make files of their own.
    let mut later = home.times();
    later.retain(|path, _| times.contains_key(path));
    assert_eq!(later, times, "a question changes nothing");
}

#[test]
fn zsh_puts_the_word_into_the_line() {
    let home = home();
    let zsh = &SHELLS[1];
    let Some(program) = zsh.installed() else { return };
    let script = r#"zmodload zsh/zpty || exit 3
zpty z "$ZSH_PROGRAM -f -i"
zpty -w z "PS1=; autoload -Uz compinit; compinit -u -D; . '$SCRIPT'; echo READY\$((1+1))"
zpty -r z out '*READY2*'
zpty -w -n z $'farm link m\t; echo DONE\$((1+1))\n'
zpty -r z out '*DONE2*'
print -r -- $out
zpty -d z"#;
    let script = script.replace("$ZSH_PROGRAM", program.to_str().unwrap());
    let output = zsh.run(&program, &home, &script);
    if output.status.code() == Some(3) {
        eprintln!("passed over: this zsh has no pseudo-terminals");
        return;
    }
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains(r"farm link my\ pkg"), "{shown}");
}

#[test]
fn what_is_in_quotes_and_behind_an_equals_sign_is_completed_in_bash() {
    let home = home();
    let bash = &SHELLS[0];
    let Some(program) = bash.installed() else { panic!("there is no bash") };
    // The words as bash splits them, and the last as it hands it over.
    for (words, last, expected) in [
        (r"farm link my", "my", r"my\ pkg"),
        (r"farm link my\\ p", r"my\ p", r"my\ pkg"),
        (r#"farm link '"my p'"#, "my p", "my pkg"),
        ("farm --dir = ../mo", "../mo", "../more/"),
        ("farm link --on-conflict = ba", "ba", "backup"),
    ] {
        let script = format!(
            r#". "$SCRIPT"; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_clap_complete_farm farm '{last}' x; printf '%s\n' "${{COMPREPLY[@]}}""#
        );
        let output = bash.run(&program, &home, &script);
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{expected}\n"), "{words}");
    }
}

#[test]
fn a_question_says_nothing_but_its_answer() {
    let home = home();
    let ask = |shell: &str, args: &[&str]| home.farm(args).env("_FARM_COMPLETE", shell).run();
    ask("fish", &["--", "farm", "link", "z"]).prints("zsh\n");
    for (shell, args) in [
        ("tcsh", &["--", "farm", "link", "z"][..]),
        ("fish", &["--"]),
        ("fish", &["link", "zsh"]),
        ("bash", &["--"]),
        ("zsh", &["--"]),
    ] {
        ask(shell, args).prints("");
    }
    // What is wrong with a file is said to who runs a command, not to who types one.
    home.write("dotfiles/farm.toml", "[pakage");
    ask("fish", &["--", "farm", "link", "z"]).prints("zsh\n");
    ask("fish", &["--", "farm", "switch", "s"]).prints("");
    home.remove("dotfiles/farm.toml");
    home.write(".stowrc", "--unknown\n");
    ask("fish", &["--", "farm", "link", "z"]).prints("zsh\n");
    assert!(!home.path(".zshrc").is_symlink());
}

#[test]
fn a_name_that_would_break_the_line_is_not_offered() {
    let home = Sandbox::with(&["dotfiles/a\nb/x", "dotfiles/a$(c)/x"]);
    home.farm(&["--", "farm", "link", "a"]).env("_FARM_COMPLETE", "bash").run().prints(r"a\$\(c\)");
}

#[test]
fn completions_are_written_for_five_shells() {
    let home = home();
    for shell in ["bash", "zsh", "fish", "nu", "nushell", "powershell", "pwsh"] {
        let ran = home.farm(&["completions", shell]).run();
        assert!(ran.code() == 0 && ran.stdout.contains("_FARM_COMPLETE"), "{ran}");
    }
    home.farm(&["completions", "tcsh"])
        .run()
        .fails_with(2, &["possible values: bash, zsh, fish, nu, powershell"]);
}
