//! What is asked for, as data: packages, where they land, steps, and the request that holds them.

use std::collections::BTreeMap;

use crate::path::{LinkText, RelPath, Route};
use crate::policy::Policy;

/// What happens to one package.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Its links are removed.
    Unlink,
    /// Its links are made.
    Link,
}

/// Where a package lands, below the farm's root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mount {
    /// Its content appears in this directory, which is made when it is missing.
    Into(RelPath),
    /// It appears itself under this path: as one link, or as a directory where it cannot be one.
    As(RelPath),
}

impl Mount {
    /// Returns the path.
    pub fn at(&self) -> &RelPath {
        match self {
            Mount::Into(at) | Mount::As(at) => at,
        }
    }
}

/// One step of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What happens.
    pub action: Action,
    /// The package: a directory of the dotfiles directory, by its path there. The root stands for the dotfiles
    /// directory itself, as in `stow .`.
    pub package: RelPath,
    /// The part of the package that the step is about, by its path there; the root for the whole package.
    pub entry: RelPath,
    /// Where that lands.
    pub mount: Mount,
}

impl Step {
    /// Returns the step for a whole package.
    pub fn new(action: Action, package: RelPath, mount: Mount) -> Step {
        Step { action, package, entry: RelPath::root(), mount }
    }
}

/// All that one call asks for; the steps are planned in order and done as one plan.
#[derive(Clone, Debug)]
pub struct Request {
    /// The farm's root: the absolute path, free of links, of the directory that all paths of a plan start from.
    pub root: Vec<u8>,
    /// The dotfiles directory (GNU Stow's stow directory), as seen from the farm's root.
    pub stow_dir: Route,
    /// What to do.
    pub steps: Vec<Step>,
    /// Where packages land that no step is about, as far as that is known: folding respects it.
    pub others: BTreeMap<RelPath, Mount>,
    /// How to do it.
    pub policy: Policy,
}

impl Request {
    /// Returns where a link in the directory `dir` leads, lexically, also when its text is absolute.
    pub fn route_of(&self, dir: &RelPath, text: &LinkText) -> Route {
        if text.is_absolute() {
            return Route::between(&self.root, text.as_bytes());
        }
        let absolute = [&self.root[..], dir.as_bytes(), text.as_bytes()].join(&b'/');
        Route::between(&self.root, &absolute)
    }
}
