//! `chkstow`: what in a target is not as stow would have it, or which packages are there.
//!
//! It looks at links' texts, never behind them, and keeps the directories it has yet to see in a list of its own,
//! so that neither loops nor depth can hurt it. Directories are read in byte order.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, FileType};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::getopt::{self, Dialect, Found, Spec, UsageError, Value};
use super::{bytes, path, variable, words};

/// What is asked for; the last one on the line counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Look {
    BadLinks,
    Aliens,
    List,
}

#[derive(Clone, Copy)]
enum Id {
    Target,
    Look(Look),
    Help,
}

const SPECS: &[Spec<Id>] = &[
    Spec { names: &["t", "target"], value: Value::Text, id: Id::Target },
    Spec { names: &["b", "badlinks"], value: Value::None, id: Id::Look(Look::BadLinks) },
    Spec { names: &["a", "aliens"], value: Value::None, id: Id::Look(Look::Aliens) },
    Spec { names: &["l", "list"], value: Value::None, id: Id::Look(Look::List) },
    // GNU Stow's does not know it and explains itself all the same, with a complaint.
    Spec { names: &["h", "help"], value: Value::None, id: Id::Help },
];

/// Returns what the options are called.
#[cfg(test)]
pub fn options() -> impl Iterator<Item = &'static str> {
    SPECS.iter().flat_map(|spec| spec.names).copied()
}

/// Runs `chkstow` with the arguments after its name; the exit status is 0 whatever it finds.
pub fn run(args: Vec<OsString>) -> u8 {
    // To Perl `0` is as good as nothing.
    let named = variable(b"STOW_DIR").filter(|dir| !matches!(&dir[..], b"" | b"0"));
    let default = named.unwrap_or(b"/usr/local/".to_vec());
    let line: Vec<Vec<u8>> = args.into_iter().map(OsString::into_vec).collect();
    let asked = if line.is_empty() { Err(Vec::new()) } else { parse(line) };
    match asked {
        Ok((target, look)) => {
            let report = check(path(target.unwrap_or(default)), look);
            words::say(&report.notices);
            words::tell(&report.findings);
        }
        Err(errors) => {
            words::say(&words::usage_errors(&errors));
            words::tell(&words::check_usage(&default));
        }
    }
    0
}

/// Returns the target, if one is named, and what to look for, or why the usage is to be told; words that are no options
/// do not count.
fn parse(line: Vec<Vec<u8>>) -> Result<(Option<Vec<u8>>, Look), Vec<UsageError>> {
    let (mut target, mut look, mut errors) = (None, Look::BadLinks, Vec::new());
    let mut needs_help = false;
    for found in getopt::read(SPECS, Dialect::Names, line) {
        match found {
            Found::Text(_, value) => target = Some(value),
            Found::Flag(Id::Look(asked)) => look = asked,
            Found::Error(error) => errors.push(error),
            Found::Flag(Id::Help) => needs_help = true,
            Found::Flag(Id::Target) | Found::Count(..) | Found::Word(_) => {}
        }
    }
    if errors.is_empty() && !needs_help { Ok((target, look)) } else { Err(errors) }
}

/// What a check has to say.
#[derive(Default)]
struct Report {
    findings: Vec<u8>,
    notices: Vec<u8>,
}

/// Looks at `target` and all that is below it.
fn check(target: PathBuf, look: Look) -> Report {
    let mut report = Report::default();
    let mut packages = BTreeSet::new();
    let mut waiting = Vec::new();
    match fs::symlink_metadata(&target) {
        Ok(found) => {
            let kind = found.file_type();
            // What is no directory is shown as an entry of the one it is in.
            let is_bare = !kind.is_dir() && !bytes(&target).contains(&b'/');
            waiting.push((if is_bare { Path::new(".").join(target) } else { target }, kind));
        }
        Err(error) => words::cannot(&mut report.notices, "stat", bytes(&target), &error),
    }
    while let Some((path, kind)) = waiting.pop() {
        if kind.is_dir() {
            match entries(&path) {
                Ok(entries) if is_marked(&entries) => words::skipping(&mut report.notices, shown(&path)),
                Ok(entries) => waiting.extend(entries.into_iter().rev()),
                Err(error) => words::cannot(&mut report.notices, "open", bytes(&path), &error),
            }
        } else if look == Look::Aliens {
            if !kind.is_symlink() {
                words::alien(&mut report.findings, bytes(&path));
            }
        } else if kind.is_symlink() {
            if look == Look::List {
                packages.extend(
                    fs::read_link(&path).ok().and_then(|text| package(bytes(&text)).map(<[u8]>::to_vec)),
                );
            } else if fs::metadata(&path).is_err() {
                words::bogus(&mut report.findings, bytes(&path));
            }
        }
    }
    packages.iter().for_each(|name| words::package(&mut report.findings, name));
    report
}

/// Returns what is in a directory, in byte order.
fn entries(dir: &Path) -> io::Result<Vec<(PathBuf, FileType)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        entries.push((entry.path(), entry.file_type()?));
    }
    entries.sort_by(|a, b| a.0.as_os_str().cmp(b.0.as_os_str()));
    Ok(entries)
}

/// Returns how a directory that is passed over is called: without the slash that the target may have been given with.
fn shown(dir: &Path) -> &[u8] {
    let whole = bytes(dir);
    whole.strip_suffix(b"/").filter(|rest| !rest.is_empty()).unwrap_or(whole)
}

/// Tells whether a directory with these entries is another stow directory, or declared to be none of stow's business.
fn is_marked(entries: &[(PathBuf, FileType)]) -> bool {
    entries.iter().any(|(path, kind)| {
        let marks = path.file_name().is_some_and(|name| name == ".stow" || name == ".notstowed");
        marks && (!kind.is_symlink() || fs::metadata(path).is_ok())
    })
}

/// Returns the package that a link's text names: the first segment, after any `../../stow/`.
fn package(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    while let Some(up) = rest.strip_prefix(b"../") {
        rest = up;
    }
    let inside = if rest.len() < text.len() { rest.strip_prefix(b"stow/") } else { None };
    let name = inside.unwrap_or(text).split(|&b| b == b'/').next()?;
    (!name.is_empty() && name != b"..").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What chkstow 2.4.1 listed for a link with this text.
    #[test]
    fn a_links_text_names_the_package() {
        for (text, name) in [
            ("../stow/p1", Some("p1")),
            ("../../stow/p1/f", Some("p1")),
            ("stow/p1/f", Some("stow")),
            ("./stow/p1/f", Some(".")),
            ("../dotfiles/p1/f", None),
            ("../stow", None),
            ("../stow/", None),
            ("../stow//p1/f", None),
            ("..//stow/p1", None),
            ("../x/stow/p1/f", None),
            ("/abs/stow/p1", None),
            ("../stow/../stow/p1", None),
            ("../../../stow/stow/p", Some("stow")),
            ("../stow/0", Some("0")),
            ("../stow2/p", None),
            ("x../stow/p", Some("x..")),
            ("a", Some("a")),
        ] {
            assert_eq!(package(text.as_bytes()), name.map(str::as_bytes), "{text}");
        }
    }

    fn parsed(words: &[&str]) -> Option<(Option<Vec<u8>>, Look)> {
        parse(words.iter().map(|w| w.as_bytes().to_vec()).collect()).ok()
    }

    #[test]
    fn the_last_look_counts() {
        assert_eq!(parsed(&["-l", "-b", "-t", "x"]), Some((Some(b"x".to_vec()), Look::BadLinks)));
        assert_eq!(parsed(&["-ALI", "extra"]), Some((None, Look::Aliens)));
        assert_eq!(parsed(&["-t=x", "--list"]), Some((Some(b"x".to_vec()), Look::List)));
        assert_eq!(parsed(&["-lt", "x"]), None);
    }
}
