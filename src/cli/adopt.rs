//! `farm adopt` and `farm eject`: what moves between the target and a package.

use std::ffi::OsString;
use std::path::Path;

use farm::{Direction, Error, Fold, Mount, Naming, Policy, RelPath, Route, RuleBook, ScanError, Transfer};

use super::args::{self, Global, Verb};
use super::resolve::{Landed, Refusal};
use super::run::{self, SYNTAX};
use super::session::{self, Session};
use super::words::Words;
use super::{Exit, StowRc, json, resolve};

/// What is asked for, once the directories and the package are known.
struct Asked<'a> {
    farm: resolve::Farm,
    package: RelPath,
    /// Where it lands.
    mount: Mount,
    /// Whether the package is to be made.
    is_new: bool,
    paths: &'a [OsString],
    direction: Direction,
    ignore: &'a [String],
    policy: Policy,
}

/// Runs `farm adopt`.
pub fn adopt(global: &Global, args: &args::Adopt, stowrc: &StowRc, words: &Words) -> Exit {
    if args.paths.is_empty() {
        return run::change(Verb::Link, global, &args.of_all(), stowrc, words);
    }
    let found = resolve::Farm::find(global.dir.as_deref(), global.target.as_deref(), stowrc)
        .and_then(|farm| farm.package_or_new(&args.package).map(|package| (farm, package)));
    let (farm, (Landed { package, mount }, is_new)) = match found {
        Ok(found) => found,
        Err(refusal) => return words.refusal(&refusal),
    };
    let stowrc = &farm.stowrc(stowrc);
    let mut policy = match policy(&farm, args.dotfiles, stowrc) {
        Ok(policy) => policy,
        Err(refusal) => return words.refusal(&refusal),
    };
    if args.no_fold || stowrc.no_fold {
        policy.fold = Fold::Never;
    }
    let direction = Direction::Adopt { overwrite: args.overwrite };
    let (paths, ignore) = (&args.paths, &args.ignore);
    let asked = Asked { farm, package, mount, is_new, paths, direction, ignore, policy };
    transfer(&asked, global, stowrc, words)
}

/// Runs `farm eject`.
pub fn eject(global: &Global, args: &args::Eject, stowrc: &StowRc, words: &Words) -> Exit {
    let found = resolve::Farm::find(global.dir.as_deref(), global.target.as_deref(), stowrc)
        .and_then(|farm| farm.package(&args.package).map(|package| (farm, package)));
    let (farm, Landed { package, mount }) = match found {
        Ok(found) => found,
        Err(refusal) => return words.refusal(&refusal),
    };
    let stowrc = &farm.stowrc(stowrc);
    let policy = match policy(&farm, args.dotfiles, stowrc) {
        Ok(policy) => policy,
        Err(refusal) => return words.refusal(&refusal),
    };
    let (paths, direction) = (&args.paths, Direction::Eject);
    let asked = Asked { farm, package, mount, is_new: false, paths, direction, ignore: &[], policy };
    transfer(&asked, global, stowrc, words)
}

fn policy(farm: &resolve::Farm, dotfiles: bool, stowrc: &StowRc) -> Result<Policy, Refusal> {
    let mut policy = Policy::native();
    farm.enter(&mut policy)?;
    if dotfiles || stowrc.dotfiles {
        policy.naming = Naming::Dotfiles;
    }
    Ok(policy)
}

fn transfer(asked: &Asked, global: &Global, stowrc: &StowRc, words: &Words) -> Exit {
    let Asked { farm, package, mount, policy, .. } = asked;
    let paths: std::io::Result<Vec<Route>> = asked.paths.iter().map(|path| farm.locate(path)).collect();
    let paths = match paths {
        Ok(paths) => paths,
        Err(error) => return words.error(&Error::new("find the current directory", ".", error)),
    };
    let rules = match RuleBook::native(&farm.dir, farm.ignore(), asked.ignore, stowrc.ignore.clone()) {
        Ok(rules) => rules,
        Err(ScanError::Glob { file, error }) if file == Path::new("--ignore") => {
            return words.usage(&format!("--ignore: {error}"), SYNTAX);
        }
        Err(error) => return words.scan_error(&error),
    };
    let request = farm.request(Vec::new(), policy.clone());
    let (package, mount) = (package.clone(), mount.clone());
    let transfer = Transfer { direction: asked.direction, package, mount, paths };
    let wait = session::wait(global, words);
    let mut session = match Session::open(global, &farm.target(), &wait, words) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    let plan = || farm::plan_transfer(&request, &rules, &transfer).map_err(|error| words.scan_error(&error));
    let mut planned = match plan() {
        Ok(planned) => planned,
        Err(exit) => return exit,
    };
    let mut failure = None;
    if !global.dry_run && !planned.plan.is_empty() {
        match session.begin().and_then(|again| if again { plan().map(Some) } else { Ok(None) }) {
            Ok(again) => planned = again.unwrap_or(planned),
            Err(exit) => return exit,
        }
        if !planned.plan.is_empty() {
            failure = session.apply(&farm.root, std::slice::from_ref(&planned.plan)).err();
        }
    }
    if global.json {
        json::transferred(farm, &transfer, &planned, failure.as_deref(), global.dry_run);
    }
    words.transferred(farm, &transfer, asked.is_new, &planned, failure.as_deref())
}
