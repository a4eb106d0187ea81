//! From settings to options: directories found, names checked, in the order in which stow complains.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use farm::{
    Action, Fold, Mount, Naming, OnFile, OptionPatterns, Origin, PathPatterns, Policy, Refold, RelPath,
    Request, Route, RuleBook, ScanError, StartPatterns, Step, Walk,
};

use super::args::{Mode, Settings};
use super::{bytes, path};
use crate::environment::is_dir;

/// Everything one run of `stow` is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The stow directory: absolute, free of links.
    pub dir: PathBuf,
    /// The target directory: absolute, free of links.
    pub target: PathBuf,
    /// What to do to which package: all unstowing, then all stowing. Every package is a directory in `dir`.
    ///
    /// A name may be empty or `.`, the stow directory itself, as stow lets it pass.
    pub steps: Vec<(Mode, Vec<u8>)>,
    /// The first package that does not exist; the steps end before it, as stow plans until it gets there.
    pub missing: Option<Vec<u8>>,
    /// The patterns of `--ignore`, all of them valid.
    pub ignore: Vec<Vec<u8>>,
    /// The patterns of `--defer`, all of them valid.
    pub defer: Vec<Vec<u8>>,
    /// The patterns of `--override`, all of them valid.
    pub overrides: Vec<Vec<u8>>,
    /// Whether files in the way move into the package.
    pub adopt: bool,
    /// Whether directories are never linked whole.
    pub no_folding: bool,
    /// Whether `dot-x` becomes `.x`.
    pub dotfiles: bool,
    /// Whether unstowing walks the target.
    pub compat: bool,
    /// Whether nothing is changed.
    pub simulate: bool,
    /// How much is said: operations from 1, more from 2. It may be negative.
    pub verbosity: i64,
    /// The file of the user's own ignore list, when `HOME` says where that would be.
    pub global_list: Option<PathBuf>,
}

impl Options {
    /// Returns the options as a request in stow's dialect.
    pub fn request(&self) -> Request {
        let step = |(mode, name): &(Mode, Vec<u8>)| {
            let action = match mode {
                Mode::Unstow => Action::Unlink,
                Mode::Stow => Action::Link,
            };
            let mount = Mount::Into(RelPath::root());
            RelPath::new(name).map(|package| Step::new(action, package, mount))
        };
        // They were compiled once already, to complain in the order that stow does.
        let patterns = |patterns: &[Vec<u8>], origin| PathPatterns {
            starts: StartPatterns::new(patterns, origin).unwrap_or_default(),
            ..PathPatterns::default()
        };
        let mut policy = Policy::stow();
        if self.no_folding {
            policy.fold = Fold::Never;
            policy.refold = Refold::Never;
        }
        if self.dotfiles {
            policy.naming = Naming::Dotfiles;
        }
        if self.compat {
            policy.walk = Walk::Target;
        }
        if self.adopt {
            policy.on_file = OnFile::Adopt;
        }
        policy.defer = patterns(&self.defer, Origin::Defer);
        policy.overrides = patterns(&self.overrides, Origin::Override);
        Request {
            root: bytes(&self.target).to_vec(),
            stow_dir: Route::between(bytes(&self.target), bytes(&self.dir)),
            former: None,
            steps: self.steps.iter().filter_map(step).collect(),
            others: Default::default(),
            earlier: None,
            rendered: None,
            policy,
        }
    }

    /// Returns which entries of packages count.
    ///
    /// # Errors
    /// A pattern of `--ignore` that is no regular expression.
    pub fn rules(&self) -> Result<RuleBook, ScanError> {
        let options = OptionPatterns::new(&self.ignore)
            .map_err(|error| ScanError::Regex { file: "--ignore".into(), error })?;
        Ok(RuleBook::stow(options, self.global_list.as_deref()))
    }
}

/// Why the settings cannot be done.
#[derive(Debug)]
pub enum Refusal {
    /// `--dir` or `--target`, given or by default, is no directory.
    NoDirectory {
        /// The option.
        option: &'static str,
        /// Its value.
        value: Vec<u8>,
    },
    /// No package is named.
    NoPackages,
    /// A package's name has a slash in it.
    Slash,
    /// A package does not exist.
    NoPackage {
        /// The stow directory as seen from the target.
        dir: Vec<u8>,
        /// The package.
        name: Vec<u8>,
    },
    /// A directory exists but cannot be reached.
    Unreachable {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Checks the settings against the disk and the environment.
///
/// # Errors
/// The first thing that stow would complain about.
pub fn resolve(settings: Settings, variable: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Result<Options, Refusal> {
    let chosen = settings.dir.or_else(|| variable(b"STOW_DIR").filter(|dir| !dir.is_empty()));
    let here = || env::current_dir().unwrap_or_default().into_os_string().into_encoded_bytes();
    // A current directory that is gone has no name, and the check below says so.
    let dir = chosen.unwrap_or_else(here);
    let target = settings.target.unwrap_or_else(|| parent(&dir));
    for (option, value) in [("dir", &dir), ("target", &target)] {
        if !is_dir(&path(value.clone())) {
            return Err(Refusal::NoDirectory { option, value: value.clone() });
        }
    }
    if settings.steps.is_empty() {
        return Err(Refusal::NoPackages);
    }
    if settings.steps.iter().any(|(_, name)| name.contains(&b'/')) {
        return Err(Refusal::Slash);
    }
    let (dir, target) = (canonical(path(dir))?, canonical(path(target))?);
    let mut steps = settings.steps;
    let missing = missing(&dir, &mut steps);
    Ok(Options {
        dir,
        target,
        steps,
        missing,
        ignore: settings.ignore,
        defer: settings.defer,
        overrides: settings.overrides,
        adopt: settings.adopt,
        no_folding: settings.no_folding,
        dotfiles: settings.dotfiles,
        compat: settings.compat,
        simulate: settings.simulate,
        verbosity: settings.verbosity.unwrap_or(0),
        global_list: variable(b"HOME").map(|home| path([&home, &b"/.stow-global-ignore"[..]].concat())),
    })
}

/// Returns the default target: the stow directory without its last segment, `.` when nothing is left.
///
/// Purely a matter of text: the parent of `stow/.` is `stow`, and that of `/stow` is the current directory.
fn parent(dir: &[u8]) -> Vec<u8> {
    let mut end = dir.len();
    while end > 0 && dir[end - 1] == b'/' {
        end -= 1;
    }
    while end > 0 && dir[end - 1] != b'/' {
        end -= 1;
    }
    while end > 0 && dir[end - 1] == b'/' {
        end -= 1;
    }
    if end == 0 { b".".to_vec() } else { dir[..end].to_vec() }
}

fn canonical(path: PathBuf) -> Result<PathBuf, Refusal> {
    path.canonicalize().map_err(|source| Refusal::Unreachable { path, source })
}

/// Cuts the steps off before the first package that does not exist, and returns what to call it.
fn missing(dir: &Path, steps: &mut Vec<(Mode, Vec<u8>)>) -> Option<Vec<u8>> {
    let exists = |name: &[u8]| name != b".." && is_dir(&dir.join(path(name.to_vec())));
    let at = steps.iter().position(|(_, name)| !exists(name))?;
    steps.drain(at..).next().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stow 2.4.1 took as its target for these stow directories.
    #[test]
    fn the_default_target_is_the_parent_as_text() {
        for (dir, target) in [
            ("stow", "."),
            ("stow/", "."),
            ("./stow", "."),
            ("stow/.", "stow"),
            ("stow/sub/..", "stow/sub"),
            ("../", "."),
            ("../../stow", "../.."),
            ("/a/stow", "/a"),
            ("/a//stow//", "/a"),
            ("/stow", "."),
            ("/", "."),
            ("", "."),
        ] {
            assert_eq!(String::from_utf8_lossy(&parent(dir.as_bytes())), target, "stow directory {dir:?}");
        }
    }
}
