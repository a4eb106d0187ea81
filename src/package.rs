//! What is asked for, as data: packages, where they land, steps, and the request that holds them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::known::Known;
use crate::path::{LinkText, RelPath, Route};
use crate::policy::{Folds, Policy};
use crate::rendered::Rendered;

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

/// Where what a step links to comes from.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Supply {
    /// In the dotfiles directory.
    #[default]
    Dotfiles,
    /// Among the request's rendered files; the package is the root then.
    Rendered,
}

/// How what a step is about comes to be at its target path.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Method {
    /// As a link.
    #[default]
    Link,
    /// As a file that is kept equal.
    Copy,
    /// As a file that is written where nothing is, and somebody else's from then on.
    Seed,
}

/// One step of a request.
#[derive(Clone, Debug)]
pub struct Step {
    /// What happens.
    pub action: Action,
    /// Where it lies.
    pub supply: Supply,
    /// The package: a directory of the dotfiles directory, by its path there. The root stands for the dotfiles
    /// directory itself, as in `stow .`.
    pub package: RelPath,
    /// The part of the package that the step is about, by its path there; the root for the whole package.
    pub entry: RelPath,
    /// Where that lands.
    pub mount: Mount,
    /// How; anything but a link takes a rendered file that lands under a path of its own.
    pub method: Method,
    /// Which of its directories become one link, when the policy is not to say that.
    pub folds: Option<Folds>,
}

impl Step {
    /// Returns the step for a whole package.
    pub fn new(action: Action, package: RelPath, mount: Mount) -> Step {
        let (supply, entry) = (Supply::Dotfiles, RelPath::root());
        Step { action, supply, package, entry, mount, method: Method::Link, folds: None }
    }
}

/// All that one call asks for; the steps are planned in order and done as one plan.
#[derive(Clone, Debug)]
pub struct Request {
    /// The farm's root: the absolute path, free of links, of the directory that all paths of a plan start from.
    pub root: Vec<u8>,
    /// The dotfiles directory (GNU Stow's stow directory), as seen from the farm's root.
    pub stow_dir: Route,
    /// Where the dotfiles directory was before, as seen from the farm's root: links into it are the farm's, and lead wrong.
    pub former: Option<Route>,
    /// What to do.
    pub steps: Vec<Step>,
    /// Where packages land that no step is about, as far as that is known: folding respects it.
    pub others: BTreeMap<RelPath, Mount>,
    /// What earlier runs made, from the farm's root. Of that only what the steps want stays; without it, all of it does.
    pub earlier: Option<Known>,
    /// Files that farm writes itself, which steps may link to.
    pub rendered: Option<Arc<Rendered>>,
    /// How to do it.
    pub policy: Policy,
}

impl Request {
    /// Returns the same request with nothing to do.
    pub(crate) fn without_steps(&self) -> Request {
        let Request { root, stow_dir, former, steps: _, others, earlier, rendered, policy } = self;
        Request {
            root: root.clone(),
            stow_dir: stow_dir.clone(),
            former: former.clone(),
            steps: Vec::new(),
            others: others.clone(),
            earlier: earlier.clone(),
            rendered: rendered.clone(),
            policy: policy.clone(),
        }
    }

    /// Returns the directory that the package of `step` lies in, as seen from the farm's root.
    pub fn origin(&self, step: &Step) -> &Route {
        match (step.supply, &self.rendered) {
            (Supply::Rendered, Some(rendered)) => &rendered.dir,
            _ => &self.stow_dir,
        }
    }

    /// Returns where a link in the directory `dir` leads, lexically, also when its text is absolute.
    pub fn route_of(&self, dir: &RelPath, text: &LinkText) -> Route {
        if text.is_absolute() {
            return Route::between(&self.root, text.as_bytes());
        }
        let absolute = [&self.root[..], dir.as_bytes(), text.as_bytes()].join(&b'/');
        Route::between(&self.root, &absolute)
    }
}
