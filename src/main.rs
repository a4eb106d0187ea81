//! The `farm` program. Under the names `stow` and `chkstow` it speaks as GNU Stow's programs do.
#![forbid(unsafe_code)]

mod cli;
mod environment;
mod passwd;
mod stow;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use cli::completions::{StowOption, Takes};
use farm::{OptionPatterns, Origin, StartPatterns};

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if let Some(exit) = cli::completions::answer(&args, stowrc, &stow_options()) {
        return exit.into();
    }
    let called = args.first().map(Path::new).and_then(Path::file_name).and_then(dialect);
    let word = |at: usize| args.get(at).map(OsString::as_os_str);
    let asked = word(1).and_then(dialect);
    // clap knows nothing of their options, and would tell of its own.
    let explained = word(2).filter(|_| word(1) == Some(OsStr::new("help"))).and_then(dialect);
    match (called, asked.or(explained)) {
        (Some(run), _) => run(args.into_iter().skip(1).collect()).into(),
        (None, Some(run)) if asked.is_none() => run(vec!["--help".into()]).into(),
        (None, Some(run)) => run(args.into_iter().skip(2).collect()).into(),
        (None, None) => cli::run(args, stowrc).into(),
    }
}

/// Returns what farm's own commands take from stow's resource files.
fn stowrc() -> Result<cli::StowRc, String> {
    let found = stow::resources()?;
    let patterns = |patterns: &[Vec<u8>], origin| {
        StartPatterns::new(patterns, origin).map_err(|error| format!(".stowrc: {error}"))
    };
    Ok(cli::StowRc {
        ignore: OptionPatterns::new(&found.ignore).map_err(|error| format!(".stowrc: {error}"))?,
        ignored: found.ignore.iter().map(|pattern| String::from_utf8_lossy(pattern).into_owned()).collect(),
        defer: patterns(&found.defer, Origin::Defer)?,
        overrides: patterns(&found.overrides, Origin::Override)?,
        dir: found.dir.map(stow::path),
        target: found.target.map(stow::path),
        dotfiles: found.dotfiles,
        no_fold: found.no_folding,
    })
}

/// Returns the options of `farm stow`, for those who complete them.
fn stow_options() -> Vec<StowOption> {
    let options = stow::command_line_options().map(|(names, value)| StowOption {
        names,
        takes: match (names, value) {
            (["d", _] | ["t", _], _) => Takes::Directory,
            (_, stow::Value::Text) => Takes::Text,
            (_, stow::Value::None | stow::Value::Count) => Takes::Nothing,
        },
    });
    options.collect()
}

/// Returns the program of GNU Stow's that goes by `name`.
fn dialect(name: &OsStr) -> Option<fn(Vec<OsString>) -> u8> {
    match name.as_encoded_bytes() {
        b"stow" => Some(stow::run),
        b"chkstow" => Some(stow::chkstow::run),
        _ => None,
    }
}
