//! A walk over a whole target: which links in it lead into the dotfiles directory, and whether there is anything.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;

use farm::{Error, LinkText, Policy, RelPath, Request, Route};
use ignore::{DirEntry, WalkBuilder, WalkState};

use super::progress::Progress;
use super::resolve::{self, Farm};
use crate::environment;

/// Directories that programs fill and nobody links into: what they hold is made again, or version control's.
const SKIPPED: [&str; 8] = [".git", ".hg", ".svn", ".jj", ".cache", "node_modules", "__pycache__", ".Trash"];

/// The same, on macOS.
const CACHES: &str = "Library/Caches";

/// Where a walk goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Everywhere but caches, version control's directories, and other file systems.
    Usual,
    /// Everywhere.
    All,
}

/// What a walk came to.
#[derive(Debug, Default)]
pub struct Survey {
    /// The links that lead into the dotfiles directory, in path order.
    pub links: Vec<Link>,
    /// What could not be looked at.
    pub errors: Vec<Error>,
    /// How many entries were seen.
    pub seen: u64,
}

/// A link that leads into the dotfiles directory.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Link {
    /// Where it is, from the farm's root.
    pub path: RelPath,
    /// Its text.
    pub text: LinkText,
    /// Where it leads, from the dotfiles directory.
    pub to: RelPath,
    /// What is there.
    pub state: LinkState,
}

/// What a link leads to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LinkState {
    /// To something.
    Alive,
    /// To nothing; the package is there.
    Dangling,
    /// To nothing, and the package is gone.
    PackageGone,
}

impl LinkState {
    /// Tells whether it leads to nothing.
    pub fn is_dead(self) -> bool {
        self != LinkState::Alive
    }
}

/// Walks over the target with all processors.
pub fn walk(farm: &Farm, scope: Scope, progress: &Progress) -> Survey {
    let mut survey = Survey::default();
    if !farm.mount.is_root() {
        // The target is still to be made.
        return survey;
    }
    let closed: Vec<PathBuf> =
        [Some(farm.dir.clone()), environment::state_dir()].into_iter().flatten().collect();
    let is_entered = move |entry: &DirEntry| {
        let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
        let is_skipped = scope == Scope::Usual
            && entry.depth() > 0
            && (SKIPPED.iter().any(|name| entry.file_name() == OsStr::new(name))
                || entry.path().ends_with(CACHES));
        !is_dir || !(is_skipped || closed.iter().any(|dir| entry.path() == dir))
    };
    let place =
        Place { root: &farm.root, dir: &farm.dir, request: farm.request(Vec::new(), Policy::native()) };
    let mut builder = WalkBuilder::new(&farm.root);
    builder.standard_filters(false).hidden(false).follow_links(false).filter_entry(is_entered);
    builder.same_file_system(scope == Scope::Usual);
    builder.threads(std::thread::available_parallelism().map_or(1, usize::from));
    let (found, finds) = channel::<Result<Link, Error>>();
    builder.build_parallel().run(|| {
        let (found, place) = (found.clone(), &place);
        Box::new(move |entry| {
            progress.count().fetch_add(1, Ordering::Relaxed);
            let seen = match entry {
                Ok(entry) if entry.path_is_symlink() => place.look(entry.path()).transpose(),
                Ok(_) => None,
                Err(error) => Some(Err(of_walk(&error, place.root))),
            };
            if let Some(seen) = seen {
                // The other end lives until all is walked.
                let _ = found.send(seen);
            }
            WalkState::Continue
        })
    });
    drop(found);
    for find in finds {
        match find {
            Ok(link) => survey.links.push(link),
            Err(error) => survey.errors.push(error),
        }
    }
    survey.links.sort();
    survey.errors.sort_by(|a, b| a.path.cmp(&b.path));
    survey.seen = progress.count().load(Ordering::Relaxed);
    survey
}

/// What it takes to see whether a link leads into the dotfiles directory.
struct Place<'a> {
    root: &'a Path,
    /// The dotfiles directory.
    dir: &'a Path,
    request: Request,
}

impl Place<'_> {
    /// Returns a link that leads into the dotfiles directory.
    fn look(&self, path: &Path) -> Result<Option<Link>, Error> {
        let is_nothing = |error: &io::Error| {
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        };
        let text = match fs::read_link(path) {
            Ok(text) => LinkText::new(text.as_os_str().as_bytes()),
            // It is gone meanwhile.
            Err(error) if is_nothing(&error) => return Ok(None),
            Err(error) => return Err(Error::new("read link", path, error)),
        };
        let below = path.strip_prefix(self.root).ok().map(|below| below.as_os_str().as_bytes());
        let Some(below) = below.and_then(RelPath::new) else { return Ok(None) };
        let Some((dir, _)) = below.split() else { return Ok(None) };
        let route = self.request.route_of(&dir, &text);
        let to = match route.below(&self.request.stow_dir) {
            Some(to) => to,
            None => match self.behind_links(&dir, &text) {
                Some(to) => to,
                None => return Ok(None),
            },
        };
        let Some(top) = to.names().next() else { return Ok(None) };
        let os = |bytes| OsStr::from_bytes(bytes);
        let destination = self.dir.join(os(to.as_bytes()));
        let state = match destination.symlink_metadata() {
            Ok(_) => LinkState::Alive,
            Err(error) if !is_nothing(&error) => return Err(Error::new("look at", destination, error)),
            Err(_) if self.dir.join(os(top.as_bytes())).is_dir() => LinkState::Dangling,
            Err(_) => LinkState::PackageGone,
        };
        Ok(Some(Link { path: below, text, to, state }))
    }

    /// Returns where in the dotfiles directory a link leads by way of other links.
    fn behind_links(&self, dir: &RelPath, text: &LinkText) -> Option<RelPath> {
        // Most links lead to something beside them, and a walk is in real directories.
        if !text.as_bytes().contains(&b'/') {
            return None;
        }
        let path = self.root.join(OsStr::from_bytes(dir.as_bytes())).join(OsStr::from_bytes(text.as_bytes()));
        let (real, missing) = resolve::existing(&path).ok()?;
        let real = real.join(OsStr::from_bytes(missing.as_bytes()));
        RelPath::new(real.strip_prefix(self.dir).ok()?.as_os_str().as_bytes())
    }
}

fn of_walk(error: &ignore::Error, root: &Path) -> Error {
    let path = path_of(error).unwrap_or(root);
    let source = error.io_error().map(|error| error.kind()).unwrap_or(io::ErrorKind::Other);
    Error::new("read directory", path, source)
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } => path_of(err),
        _ => None,
    }
}

/// Returns links that lead to what an earlier one leads to, each with that one.
pub fn duplicates(links: &[Link]) -> Vec<(&Link, &Link)> {
    let mut first: BTreeMap<&RelPath, &Link> = BTreeMap::new();
    let mut again = Vec::new();
    for link in links.iter().filter(|link| !link.state.is_dead()) {
        match first.get(&link.to) {
            Some(other) => again.push((link, *other)),
            None => drop(first.insert(&link.to, link)),
        }
    }
    again
}

/// Returns what is no link in the real directories that hold links of packages, in path order.
pub fn aliens(farm: &Farm, links: &[Link]) -> Result<Vec<RelPath>, Error> {
    let mut dirs: Vec<RelPath> = links.iter().filter_map(|link| Some(link.path.split()?.0)).collect();
    dirs.sort();
    dirs.dedup();
    let mut aliens = Vec::new();
    for dir in dirs {
        let path = farm.absolute(&Route::below_root(dir.clone()));
        for entry in
            fs_err::read_dir(&path).map_err(|error| Error::new("read directory", &path, error.kind()))?
        {
            let entry = entry.map_err(|error| Error::new("read directory", &path, error))?;
            let kind = entry.file_type().map_err(|error| Error::new("look at", entry.path(), error))?;
            let Some(name) = farm::Name::new(entry.file_name().as_bytes()) else { continue };
            if !kind.is_dir() && !kind.is_symlink() {
                aliens.push(dir.join(&name));
            }
        }
    }
    aliens.sort();
    Ok(aliens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(path: &str, to: &str, state: LinkState) -> Link {
        let rel = |path: &str| RelPath::new(path.as_bytes()).unwrap();
        Link { path: rel(path), text: LinkText::new(to.as_bytes()), to: rel(to), state }
    }

    #[test]
    fn the_first_of_two_links_to_one_thing_is_none_too_many() {
        let links = [
            link("a", "p/x", LinkState::Alive),
            link("b", "p/y", LinkState::Alive),
            link("c", "p/x", LinkState::Alive),
            link("d", "p/z", LinkState::Dangling),
            link("e", "p/z", LinkState::Dangling),
            link("f", "p/x", LinkState::Alive),
        ];
        assert_eq!(duplicates(&links), [(&links[2], &links[0]), (&links[5], &links[0])]);
    }
}
