//! What is asked for, as data: packages, steps, and the request that holds them.

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

/// One step of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What happens.
    pub action: Action,
    /// The package: a directory of the dotfiles directory, by its path there. The root stands for the dotfiles
    /// directory itself, as in `stow .`.
    pub package: RelPath,
}

/// All that one call asks for; the steps are planned in order and done as one plan.
#[derive(Clone, Debug)]
pub struct Request {
    /// The farm's root: the absolute path, free of links, of the directory that all paths of a plan start from.
    pub root: Vec<u8>,
    /// The dotfiles directory (GNU Stow's stow directory), as seen from the farm's root.
    pub stow_dir: Route,
    /// The directory that packages mirror into, below the root; it is made when it is missing.
    pub mount: RelPath,
    /// What to do.
    pub steps: Vec<Step>,
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
