//! `farm init`: a `farm.toml` from what is there: the directories, `.stowrc`, and the links that exist.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::args::Global;
use super::draft::{Counts, Draft, Line, Table};
use super::resolve::{self, Refusal};
use super::words::{Because, Words};
use super::{Exit, StowRc, create};
use crate::environment;

/// Where a link leads that exists: into this package, which as a whole appears so.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Seen {
    landing: Landing,
    /// The link's path.
    link: String,
}

/// Where a package appears.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Landing {
    As(String),
    Into(String),
}

/// Runs `farm init`.
pub fn init(global: &Global, stowrc: &StowRc, words: &Words) -> Exit {
    let made = resolve::dotfiles_dir(global.dir.as_deref(), stowrc).and_then(|dir| {
        let from_env = resolve::target_of_environment();
        let target = global.target.as_deref().or(from_env.as_deref()).or(stowrc.target.as_deref());
        let target = target.map(resolve::real);
        if let Some(target) = target.as_ref().filter(|target| target.starts_with(&dir)) {
            return Err(Refusal::TargetInside { target: target.clone(), dir });
        }
        let draft = draft(&dir, target, stowrc, words);
        create::create("init", global, &dir, draft, words, Words::made)
    });
    made.unwrap_or_else(|refusal| words.refusal(&refusal))
}

fn draft(dir: &Path, target: Option<PathBuf>, stowrc: &StowRc, words: &Words) -> Draft {
    let home = environment::machine().home.map(|home| PathBuf::from(OsStr::from_bytes(&home)));
    let home = home.map(|home| fs_err::canonicalize(&home).unwrap_or(home));
    let shown = |path: &Path| said(path, home.as_deref());
    let top = target.as_deref().map_or("~".to_owned(), shown);
    // Stow may be told a directory of the home for plain directories, but what a home has is meant for the home.
    let into = if top.starts_with("~/") { "~".to_owned() } else { top.clone() };
    let mut draft = Draft { head: words.init_head(), ..Draft::default() };
    let comment = |because: Because| words.init_comment(&because);
    let config = home.as_ref().map(|home| home.join(".config"));
    let mut tops = [target.clone(), home.clone(), config].into_iter().flatten().collect::<Vec<_>>();
    // farm.toml takes the home for the target unless it is told another, and nothing lands outside that.
    let outside = target.filter(|_| !top.starts_with('~'));
    tops.retain(|top| outside.as_ref().is_none_or(|target| top.starts_with(target)));
    let seen = links(dir, &tops, outside.as_deref().or(home.as_deref()), home.as_deref());
    let plain = match top != "~" {
        true => format!("{}/{{package}}", top.trim_end_matches('/')),
        false => "~/.config/{package}".to_owned(),
    };
    let mut uses_plain = false;
    for package in packages(dir) {
        let is_home = looks_like_home(&dir.join(&package));
        let mut table = |landing: Option<&Landing>, because, counts| {
            let usual = Landing::As(plain.replace("{package}", &package));
            let landing = match (landing, is_home) {
                (Some(landing), _) => landing.clone(),
                (None, true) => Landing::Into(into.clone()),
                (None, false) => usual.clone(),
            };
            uses_plain |= landing == usual;
            let lines = match &landing {
                landing if *landing == usual => Vec::new(),
                Landing::As(at) => vec![Line::text("as", at, "")],
                Landing::Into(at) => vec![Line::text("into", at, "")],
            };
            draft.packages.push(Table { name: package.clone(), comment: comment(because), lines, counts });
        };
        match seen.get(&package) {
            Some(seen) => table(Some(&seen.landing), Because::Linked(seen.link.clone()), Counts::Yes),
            None if !seen.is_empty() => table(None, Because::NotLinked, Counts::No),
            None if is_home => table(None, Because::Home, Counts::Yes),
            None => table(None, Because::Flat, Counts::Yes),
        }
    }
    if uses_plain {
        draft.defaults.push(Line::text("as", &plain, words.default_as()));
    }
    if stowrc.no_fold {
        draft.defaults.push(Line::flag("fold", false, comment(Because::StowRc("--no-folding"))));
    }
    if stowrc.dotfiles {
        draft.defaults.push(Line::flag("dotfiles", true, comment(Because::StowRc("--dotfiles"))));
    }
    let (names, patterns): (Vec<_>, Vec<_>) = stowrc.ignored.iter().partition(|pattern| is_name(pattern));
    // Stow's expressions match the end of a path: what looks like a name is one, or the end of one.
    let names: Vec<String> = names.into_iter().map(|name| name.replace("\\.", ".")).collect();
    if !names.is_empty() {
        let globs: Vec<String> = names.iter().map(|name| format!("*{name}")).collect();
        draft.defaults.push(Line::texts("ignore", &globs, comment(Because::StowRc("--ignore"))));
    }
    if !patterns.is_empty() {
        draft.foot.push(comment(Because::StowIgnores(patterns.into_iter().cloned().collect())));
    }
    if outside.is_some() && !draft.is_empty() {
        draft.defaults.insert(0, Line::text("target", &top, words.default_target()));
    }
    draft
}

/// Tells whether a regular expression is a name, in which a dot may stand for any character.
fn is_name(pattern: &str) -> bool {
    let plain = pattern.replace("\\.", ".");
    !plain.is_empty() && plain.chars().all(|c| c.is_alphanumeric() || "._-".contains(c))
}

/// Returns the directories that may be packages.
fn packages(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs_err::read_dir(dir) else { return Vec::new() };
    let dirs =
        entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let names = dirs.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

/// Tells whether a package is laid out as a home directory: all that is in it is hidden, or `dot-`, or what homes have.
fn looks_like_home(package: &Path) -> bool {
    let Ok(entries) = fs_err::read_dir(package) else { return false };
    let names = entries.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned());
    let names: Vec<String> =
        names.filter(|name| !["README.md", "README", "LICENSE"].contains(&name.as_str())).collect();
    let of_home = |name: &String| {
        name.starts_with('.') || name.starts_with("dot-") || ["bin", "Library"].contains(&name.as_str())
    };
    !names.is_empty() && names.iter().all(of_home)
}

/// Returns what links directly in `tops`, or a directory below, say of packages, as far as those land in `target`.
fn links(dir: &Path, tops: &[PathBuf], target: Option<&Path>, home: Option<&Path>) -> BTreeMap<String, Seen> {
    let mut seen = BTreeMap::new();
    let mut todo: Vec<(PathBuf, usize)> = tops.iter().map(|top| (top.clone(), 1)).collect();
    while let Some((at, depth)) = todo.pop() {
        let Ok(entries) = fs_err::read_dir(&at) else { continue };
        for entry in entries.filter_map(Result::ok) {
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            if kind.is_symlink() {
                if let Some((package, landing)) = landing(dir, &path, target, home) {
                    seen.entry(package).or_insert(Seen { landing, link: said(&path, home) });
                }
            } else if kind.is_dir() && depth > 0 && path != dir && !tops.contains(&path) {
                todo.push((path, depth - 1));
            }
        }
    }
    seen
}

/// Returns the package that a link leads to, and where that appears in `target`.
fn landing(dir: &Path, link: &Path, target: Option<&Path>, home: Option<&Path>) -> Option<(String, Landing)> {
    let real = fs_err::canonicalize(link).ok()?;
    let below = real.strip_prefix(dir).ok()?;
    let mut names = below.iter();
    let package = names.next()?.to_str()?.to_owned();
    let rest = names.as_path();
    if rest.as_os_str().is_empty() {
        return real.is_dir().then(|| (package, Landing::As(said(link, home))));
    }
    // Only where the link has the names that its source has.
    let ends = link.ends_with(rest);
    let into = link.ancestors().nth(rest.iter().count()).filter(|_| ends)?;
    if target.is_some_and(|target| !into.starts_with(target)) {
        return None;
    }
    Some((package, Landing::Into(said(into, home))))
}

/// Returns a path as people write it.
fn said(path: &Path, home: Option<&Path>) -> String {
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(below) if below.as_os_str().is_empty() => "~".to_owned(),
        Some(below) => format!("~/{}", below.display()),
        None => path.display().to_string(),
    }
}
