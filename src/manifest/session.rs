//! What a new shell gets, as a script for each shell: `hm-session-vars.sh` of Home Manager, for fish and nushell, too.
//!
//! In a directory or a value `$NAME` and `${NAME}` stand for a variable at the time at which the shell starts, `$$` for a
//! dollar, and a `~/` at the beginning for the home directory. All else is itself: no quotes, no commands, no globs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::Session;

/// The variable that holds the hash of what a shell has got.
const GUARD: &str = "__FARM_SESSION";

/// A language in which a session is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Script {
    /// For sh, bash and zsh.
    Sh,
    /// For fish.
    Fish,
    /// For nushell.
    Nu,
}

/// A piece of a value.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Plain(String),
    Variable(String),
}

impl Script {
    /// Every language.
    pub const ALL: [Script; 3] = [Script::Sh, Script::Fish, Script::Nu];

    /// Returns the name of the file that holds a session.
    pub fn file(self) -> &'static str {
        match self {
            Script::Sh => "session.sh",
            Script::Fish => "session.fish",
            Script::Nu => "session.nu",
        }
    }

    fn word(self, pieces: &[Piece]) -> String {
        match self {
            Script::Sh => sh_word(pieces),
            Script::Fish => fish_word(pieces),
            Script::Nu => nu_word(pieces),
        }
    }

    fn set(self, name: &str, word: &str) -> String {
        match self {
            Script::Sh => format!("export {name}={word}"),
            Script::Fish => format!("set -gx {name} {word}"),
            Script::Nu => format!("$env.{name} = {word}"),
        }
    }

    /// Returns the lines that put a directory before `PATH`, if it is not in it.
    fn prepend(self, word: &str) -> String {
        match self {
            Script::Sh => format!(
                "case \":${{PATH-}}:\" in\n    *:{word}:*) ;;\n    *) export PATH={word}\"${{PATH:+:$PATH}}\" ;;\n  esac"
            ),
            Script::Fish => format!("contains -- {word} $PATH; or set -gx PATH {word} $PATH"),
            Script::Nu => format!(
                "if {word} not-in ($env.PATH | split row (char esep)) {{ $env.PATH = ($env.PATH | split row (char esep) | \
                 prepend {word}) }}"
            ),
        }
    }

    fn guarded(self, hash: &str, body: &str) -> String {
        match self {
            Script::Sh => {
                format!("if [ \"${{{GUARD}-}}\" != {hash} ]; then\n  export {GUARD}={hash}\n{body}fi\n")
            }
            Script::Fish => {
                format!("if test \"${GUARD}\" != {hash}\n  set -gx {GUARD} {hash}\n{body}end\n")
            }
            Script::Nu => {
                format!("if ($env.{GUARD}? != \"{hash}\") {{\n  $env.{GUARD} = \"{hash}\"\n{body}}}\n")
            }
        }
    }
}

impl Session {
    /// Tells whether a new shell gets nothing.
    pub fn is_empty(&self) -> bool {
        let Session { path, variables, init } = self;
        path.is_empty() && variables.is_empty() && init.is_empty()
    }

    /// Returns the script that gives a shell what it gets.
    ///
    /// Variables and directories are entered once: a shell that has got them, or was started by one that has, goes past
    /// them, unless they have changed. The lines of `init` are run by every shell, for functions and aliases are not
    /// handed on.
    pub fn script(&self, script: Script) -> String {
        let mut body = String::new();
        for name in self.in_order() {
            let word = script.word(&pieces(&self.variables[name]));
            let _ = writeln!(body, "  {}", script.set(name, &word));
        }
        for dir in self.path.iter().rev() {
            let _ = writeln!(body, "  {}", script.prepend(&script.word(&pieces(dir))));
        }
        let mut text = "# Written by farm from farm.toml: change that, and run `farm switch`.\n".to_owned();
        if !body.is_empty() {
            text += &script.guarded(&hash(&body), &body);
        }
        text + &self.init_of(script)
    }

    fn init_of(&self, script: Script) -> String {
        let lines = |shell: &str| self.init.get(shell);
        match script {
            Script::Sh => {
                let plain = lines("sh").map(|lines| ended(lines)).unwrap_or_default();
                // Quoted, because one shell cannot even read what is meant for another.
                let only = |shell: &str, version: &str| {
                    let lines = lines(shell)?;
                    let word = sh_word(&[Piece::Plain(lines.clone())]);
                    Some(format!("if [ -n \"${{{version}-}}\" ]; then\n  eval {word}\nfi\n"))
                };
                let own = [only("bash", "BASH_VERSION"), only("zsh", "ZSH_VERSION")];
                plain + &own.into_iter().flatten().collect::<String>()
            }
            Script::Fish => lines("fish").map(|lines| ended(lines)).unwrap_or_default(),
            Script::Nu => lines("nu").map(|lines| ended(lines)).unwrap_or_default(),
        }
    }

    /// Returns the names of the variables, those that others name first; in a circle as they come.
    fn in_order(&self) -> Vec<&str> {
        let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
        self.variables.keys().for_each(|name| self.visit(name, &mut seen, &mut order));
        order
    }

    fn visit<'s>(&'s self, name: &str, seen: &mut BTreeSet<&'s str>, order: &mut Vec<&'s str>) {
        let Some((name, value)) = self.variables.get_key_value(name) else { return };
        if !seen.insert(name) {
            return;
        }
        for piece in pieces(value) {
            if let Piece::Variable(other) = piece {
                self.visit(&other, seen, order);
            }
        }
        order.push(name);
    }
}

/// Returns lines that end with the end of a line.
fn ended(lines: &str) -> String {
    format!("{}\n", lines.strip_suffix('\n').unwrap_or(lines))
}

fn hash(body: &str) -> String {
    Sha256::digest(body).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns what a value consists of.
fn pieces(value: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = value;
    let mut plain = String::new();
    if value == "~" || value.starts_with("~/") {
        pieces.push(Piece::Variable("HOME".to_owned()));
        rest = &value[1..];
    }
    while let Some(at) = rest.find('$') {
        plain += &rest[..at];
        let after = &rest[at + 1..];
        let (name, end) = match after.strip_prefix('{').and_then(|braced| braced.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let end = after.find(|c: char| !is_word(c)).unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        if let Some(after) = after.strip_prefix('$') {
            plain.push('$');
            rest = after;
        } else if !name.is_empty()
            && name.chars().all(is_word)
            && !name.starts_with(|c: char| c.is_ascii_digit())
        {
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Variable(name.to_owned()));
            rest = &after[end..];
        } else {
            plain.push('$');
            rest = after;
        }
    }
    plain += rest;
    if !plain.is_empty() {
        pieces.push(Piece::Plain(plain));
    }
    pieces
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn sh_word(pieces: &[Piece]) -> String {
    let word = |piece: &Piece| match piece {
        Piece::Plain(text) => format!("'{}'", text.replace('\'', "'\\''")),
        Piece::Variable(name) => format!("\"${{{name}-}}\""),
    };
    if pieces.is_empty() { "''".to_owned() } else { pieces.iter().map(word).collect() }
}

fn fish_word(pieces: &[Piece]) -> String {
    let word = |piece: &Piece| match piece {
        Piece::Plain(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        Piece::Variable(name) => format!("\"${name}\""),
    };
    if pieces.is_empty() { "''".to_owned() } else { pieces.iter().map(word).collect() }
}

fn nu_word(pieces: &[Piece]) -> String {
    let word = |piece: &Piece| match piece {
        Piece::Plain(text) => {
            let text =
                text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
            format!("\"{text}\"")
        }
        // PATH is a list there.
        Piece::Variable(name) => format!("($env.{name}? | default \"\" | str join (char esep))"),
    };
    match pieces {
        [] => "\"\"".to_owned(),
        [piece] => word(piece),
        pieces => format!("([{}] | str join)", pieces.iter().map(word).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dollar_stands_for_a_variable_and_all_else_for_itself() {
        let plain = |text: &str| Piece::Plain(text.to_owned());
        let variable = |name: &str| Piece::Variable(name.to_owned());
        for (value, expected) in [
            ("", vec![]),
            ("~", vec![variable("HOME")]),
            ("~/a", vec![variable("HOME"), plain("/a")]),
            ("~a", vec![plain("~a")]),
            ("$HOME/b", vec![variable("HOME"), plain("/b")]),
            ("a${B}c", vec![plain("a"), variable("B"), plain("c")]),
            ("$$HOME", vec![plain("$HOME")]),
            ("$(id) ${X:-y} $1 `x` $", vec![plain("$(id) ${X:-y} $1 `x` $")]),
        ] {
            assert_eq!(pieces(value), expected, "{value}");
        }
    }

    #[test]
    fn a_variable_comes_after_those_that_it_names() {
        let pairs = [("A", "$Z/a"), ("B", "$C"), ("C", "$B"), ("Z", "z")];
        let variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let session = Session { variables, ..Session::default() };
        assert_eq!(session.in_order(), ["Z", "A", "C", "B"]);
    }
}
