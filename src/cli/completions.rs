//! `farm completions`, and what its scripts ask for: each Tab asks the program, which looks at names on the disk.
//!
//! A question changes nothing, waits for nobody and prints no message: where there is no answer, nothing is completed.

mod shells;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, CommandFactory as _, ValueEnum, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _};
use clap_complete::env::{EnvCompleter, Fish, Zsh};
use farm::look_at_generations;

use super::args::{self, Args, Global};
use super::resolve::{self, Farm};
use super::words::{self, Words};
use super::{Exit, StowRc, history, json};
use crate::environment;
use shells::{Nu, PowerShell, QuotingBash};

/// The variable by which a script asks; its value is the shell.
const ASKS: &str = "_FARM_COMPLETE";

/// A shell that can complete.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(alias = "nushell")]
    Nu,
    #[value(name = "powershell", alias = "pwsh")]
    Pwsh,
}

impl Shell {
    fn completer(self, ending: QuotingBash) -> Box<dyn EnvCompleter> {
        match self {
            Shell::Bash => Box::new(ending),
            Shell::Zsh => Box::new(Zsh),
            Shell::Fish => Box::new(Fish),
            Shell::Nu => Box::new(Nu),
            Shell::Pwsh => Box::new(PowerShell),
        }
    }
}

/// An option of the other command line.
#[derive(Clone, Copy, Debug)]
pub struct StowOption {
    /// What it is called, without hyphens.
    pub names: &'static [&'static str],
    /// What follows it.
    pub takes: Takes,
}

impl StowOption {
    /// Returns its longest name.
    fn id(&self) -> &'static str {
        self.names.last().copied().unwrap_or_default()
    }
}

/// What follows an option of the other command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    Nothing,
    Text,
    Directory,
}

/// Runs `farm completions`: prints what the shell reads.
pub fn print(global: &Global, asked: &args::Completions, words: &Words) -> Exit {
    let mut script = Vec::new();
    let program = program();
    let completer = asked.shell.completer(QuotingBash::default());
    let written = completer.write_registration(ASKS, "farm", "farm", &program, &mut script);
    written.expect("memory takes all");
    let script = String::from_utf8_lossy(&script);
    if global.json {
        json::completions(completer.name(), &script);
    } else {
        words.print(&script);
    }
    Exit::Done
}

/// Returns what the script is to call: the name, or the path from the top where a path was typed.
fn program() -> String {
    let typed = PathBuf::from(std::env::args_os().next().unwrap_or_default());
    let path = match typed.components().count() {
        0 | 1 => typed,
        _ => std::path::absolute(&typed).unwrap_or(typed),
    };
    path.to_string_lossy().into_owned()
}

/// Answers the question of a script, when this is one. `stowrc` reads the `.stowrc` files; `options` are those of
/// `farm stow`.
pub fn answer(
    args: &[OsString],
    stowrc: impl FnOnce() -> Result<StowRc, String>,
    options: &[StowOption],
) -> Option<Exit> {
    let shell = std::env::var_os(ASKS).filter(|shell| !shell.is_empty())?;
    // The program, two hyphens, and the line.
    let start = args.iter().position(|word| word == "--").map(|at| at + 1).filter(|&at| at < args.len());
    if let (Ok(shell), Some(start)) = (Shell::from_str(&shell.to_string_lossy(), false), start) {
        let line = Line::new(shell, args[start..].to_vec());
        let mut command = command(&line, stowrc().unwrap_or_default(), options);
        let mut found = Vec::new();
        let here = std::env::current_dir().ok();
        let completer = shell.completer(line.ending);
        if completer.write_complete(&mut command, line.words, here.as_deref(), &mut found).is_ok() {
            let _ = std::io::stdout().write_all(&found);
        }
    }
    Some(Exit::Done)
}

/// A command line that is being typed.
struct Line {
    /// Its words, the program's name first, as a program would get them.
    words: Vec<OsString>,
    /// The number of the word that is being completed.
    at: usize,
    /// What bash makes of that word.
    ending: QuotingBash,
}

impl Line {
    fn new(shell: Shell, mut words: Vec<OsString>) -> Line {
        let last = words.len().saturating_sub(1);
        let told = || std::env::var("_CLAP_COMPLETE_INDEX").ok()?.parse().ok();
        let mut ending = QuotingBash::default();
        match shell {
            Shell::Fish | Shell::Nu => Line { words, at: last, ending },
            Shell::Pwsh => {
                // The script puts an equals sign before the word that is being completed.
                let word = words.pop().unwrap_or_default();
                let word = word.as_bytes();
                words.push(OsStr::from_bytes(word.strip_prefix(b"=").unwrap_or(word)).to_owned());
                Line { words, at: last, ending }
            }
            Shell::Zsh => {
                let at = told().unwrap_or(last);
                Line { words: words.iter().map(|word| unquoted(word)).collect(), at, ending }
            }
            Shell::Bash => {
                words.truncate(told().unwrap_or(last) + 1);
                let current = words.last().map_or(&b""[..], |word| word.as_bytes());
                // Bash takes the quotation mark away, and leaves backslashes.
                ending.is_quoted = current.contains(&b' ') && !current.contains(&b'\\');
                let mut joined: Vec<OsString> = Vec::new();
                for (number, word) in words.iter().enumerate() {
                    let is_value = number > 0 && words[number - 1] == "=";
                    match joined.last_mut().filter(|last| is_option(last)) {
                        Some(option) if word == "=" || is_value => {
                            ending.cut = option.len();
                            option.push(unquoted(word));
                        }
                        _ => {
                            ending.cut = 0;
                            joined.push(unquoted(word));
                        }
                    }
                }
                Line { at: joined.len().saturating_sub(1), words: joined, ending }
            }
        }
    }

    fn current(&self) -> &OsStr {
        self.words.get(self.at).map_or(OsStr::new(""), OsString::as_os_str)
    }

    fn before(&self) -> &[OsString] {
        &self.words[..self.at.min(self.words.len())]
    }

    fn is_stow(&self) -> bool {
        self.at > 1 && self.words.get(1).is_some_and(|word| word == "stow" || word == "chkstow")
    }
}

/// Returns the command line as the engine takes it: every argument knows what fits there.
fn command(line: &Line, stowrc: StowRc, options: &[StowOption]) -> clap::Command {
    if line.is_stow() {
        return stow(line, stowrc, options);
    }
    let typed = Args::command().ignore_errors(true).try_get_matches_from(line.before()).ok();
    let taken = typed.as_ref().and_then(ArgMatches::subcommand).map_or(Vec::new(), |(_, it)| words_of(it));
    let option = |id: &str| {
        let matches = typed.as_ref()?;
        matches.try_get_one::<PathBuf>(id).ok()?.map(|path| expanded(path))
    };
    let chosen = Chosen { dir: option("dir"), target: option("target"), stowrc, taken };
    let whole = Args::command().mut_subcommands(|command| with_names(command, &chosen));
    if is_option(line.current()) { whole } else { behind(whole).mut_subcommands(behind) }
}

/// Puts options behind: they are shown to whoever begins one, or where nothing else fits.
fn behind(command: clap::Command) -> clap::Command {
    let command = command.disable_help_flag(true).disable_version_flag(true);
    command.mut_args(|arg| if arg.is_positional() { arg } else { arg.hide(true) })
}

/// Returns a word as the shell would give it to a program; one whose quotation mark is still to be closed, too.
fn unquoted(word: &OsStr) -> OsString {
    let bytes = word.as_bytes();
    let closed = |end: &[u8]| {
        let words: Vec<Vec<u8>> = shlex::bytes::split(&[bytes, end].concat())?;
        <[Vec<u8>; 1]>::try_from(words).ok().map(|[word]| OsString::from_vec(word))
    };
    [&b""[..], b"'", b"\""].iter().find_map(|end| closed(end)).unwrap_or_else(|| word.to_owned())
}

fn is_option(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

/// Adds what the arguments of a command are called on the disk, by what they are called in the program.
fn with_names(command: clap::Command, chosen: &Chosen) -> clap::Command {
    // Other names of a command are known, and shown to nobody who has not typed one.
    let aliases: Vec<String> = command.get_visible_aliases().map(str::to_owned).collect();
    command.visible_alias(None).aliases(aliases).mut_args(|arg| {
        let chosen = chosen.clone();
        match arg.get_id().as_str() {
            "names" | "package" => arg.add(ArgValueCompleter::new(move |word: &OsStr| chosen.packages(word))),
            "id" => arg.add(ArgValueCompleter::new(move |word: &OsStr| chosen.generations(word))),
            "profile" => arg.add(ArgValueCompleter::new(move |word: &OsStr| chosen.profiles(word))),
            _ => arg,
        }
    })
}

/// Returns the packages that stand on the line already.
fn words_of(matches: &ArgMatches) -> Vec<OsString> {
    let names = matches.try_get_many::<OsString>("names").ok().flatten();
    names.into_iter().flatten().cloned().collect()
}

/// Returns the command line of the other dialect, whose options are not those of farm's commands.
fn stow(line: &Line, stowrc: StowRc, options: &[StowOption]) -> clap::Command {
    let mut command = clap::Command::new("stow").disable_help_flag(true);
    for option in options {
        let mut arg = Arg::new(option.id());
        for name in option.names {
            let mut letters = name.chars();
            arg = match (letters.next(), letters.next(), arg.get_long()) {
                (Some(letter), None, _) => arg.short(letter),
                (_, _, None) => arg.long(*name),
                (_, _, Some(_)) => arg.visible_alias(*name),
            };
        }
        arg = match option.takes {
            Takes::Nothing => arg.action(ArgAction::SetTrue),
            Takes::Text => arg.action(ArgAction::Append),
            Takes::Directory => arg.action(ArgAction::Append).value_hint(ValueHint::DirPath),
        };
        command = command.arg(arg.hide(!is_option(line.current())));
    }
    let read =
        command.clone().arg(Arg::new("names").num_args(0..).value_parser(clap::value_parser!(OsString)));
    let typed = read.clone().ignore_errors(true).try_get_matches_from(&line.before()[1..]).ok();
    let value = |name: &str| {
        let found = typed.as_ref()?.try_get_raw(name).ok()??.next_back();
        found.map(|value| expanded(Path::new(value)))
    };
    let taken = typed.as_ref().map_or(Vec::new(), words_of);
    let chosen = Chosen { dir: value("dir"), target: None, stowrc, taken };
    let program = clap::Command::new("farm").disable_help_flag(true).disable_help_subcommand(true);
    let chkstow = clap::Command::new("chkstow").disable_help_flag(true);
    program.subcommand(with_names(read, &chosen)).subcommand(chkstow)
}

/// Returns a path that was typed, as the shell will give it.
fn expanded(typed: &Path) -> PathBuf {
    match (typed.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(below), Some(home)) => Path::new(&home).join(below),
        _ => typed.to_owned(),
    }
}

/// What the words before the cursor say.
#[derive(Clone)]
struct Chosen {
    dir: Option<PathBuf>,
    target: Option<PathBuf>,
    stowrc: StowRc,
    /// Packages that were named.
    taken: Vec<OsString>,
}

impl Chosen {
    fn farm(&self) -> Option<Farm> {
        Farm::find(self.dir.as_deref(), self.target.as_deref(), &self.stowrc).ok()
    }

    fn packages(&self, word: &OsStr) -> Vec<CompletionCandidate> {
        if word.as_encoded_bytes().contains(&b'/') {
            return PathCompleter::dir().complete(word);
        }
        // While the manifest has a mistake, or there is no target, the directories are there.
        let names = match self.farm() {
            Some(farm) => farm.names(),
            None => resolve::dotfiles_dir(self.dir.as_deref(), &self.stowrc)
                .map_or(Vec::new(), |dir| resolve::names_in(&dir)),
        };
        let taken: HashSet<&OsStr> = self.taken.iter().map(OsString::as_os_str).collect();
        let names = names.into_iter().filter(|name| !taken.contains(OsStr::new(name)));
        fitting(names.map(|name| (name, None)), word)
    }

    fn generations(&self, word: &OsStr) -> Vec<CompletionCandidate> {
        let (Some(farm), Some(state)) = (self.farm(), environment::state_dir()) else { return Vec::new() };
        let headers = look_at_generations(&state, &farm.target());
        let about = headers
            .iter()
            .map(|it| (it.id.to_string(), Some(words::generation(&history::date(it.time), it))));
        let first = (!headers.is_empty()).then(|| ("0".to_owned(), Some(words::BEFORE_THE_FIRST.to_owned())));
        fitting(about.chain(first), word)
    }

    fn profiles(&self, word: &OsStr) -> Vec<CompletionCandidate> {
        let Some(declared) = self.farm().and_then(|farm| farm.declared) else { return Vec::new() };
        let about = declared.manifest.profiles.iter().map(|(name, profile)| {
            let packages: Vec<&str> = profile.packages.iter().map(|said| said.value.as_str()).collect();
            (name.clone(), Some(packages.join(", ")))
        });
        fitting(about, word)
    }
}

/// Returns those that begin with what is typed.
fn fitting(
    names: impl IntoIterator<Item = (String, Option<String>)>,
    word: &OsStr,
) -> Vec<CompletionCandidate> {
    let begins = |name: &str| name.as_bytes().starts_with(word.as_encoded_bytes());
    // A line feed would end the answer.
    let names = names.into_iter().filter(|(name, _)| begins(name) && !name.contains(char::is_control));
    names
        .map(|(name, about)| {
            CompletionCandidate::new(name).help(about.filter(|it| !it.is_empty()).map(Into::into))
        })
        .collect()
}
