//! `farm link`, `farm unlink` and `farm relink`: three ends of one pipeline.

use std::ffi::OsStr;
use std::path::Path;

use farm::{
    Farm, Fold, Globs, Naming, OnConflict, PathPatterns, Policy, Refold, RelPath, RuleBook, ScanError,
    StartPatterns,
};

use super::args::{Change, Global, Verb};
use super::json;
use super::resolve::{self, Refusal};
use super::words::Words;
use super::{Exit, StowRc};

/// Where to read about patterns.
pub(super) const SYNTAX: &str = "see `man 5 gitignore` for the syntax";

/// Runs one of the three commands.
pub fn change(verb: Verb, global: &Global, change: &Change, stowrc: &StowRc, words: &Words) -> Exit {
    let farm = match resolve::Farm::find(global.dir.as_deref(), global.target.as_deref(), stowrc) {
        Ok(farm) => farm,
        Err(refusal) => return words.refusal(&refusal),
    };
    let packages = match packages(&farm, change) {
        Ok(packages) => packages,
        Err(refusal) => return words.refusal(&refusal),
    };
    let policy = match policy(change, stowrc) {
        Ok(policy) => policy,
        Err(message) => return words.usage(&message, SYNTAX),
    };
    let rules = match RuleBook::native(&farm.dir, &change.ignore, stowrc.ignore.clone()) {
        Ok(rules) => rules,
        Err(ScanError::Glob { file, error }) if file == Path::new("--ignore") => {
            return words.usage(&format!("--ignore: {error}"), SYNTAX);
        }
        Err(error) => return words.scan_error(&error),
    };
    let request = farm.request(resolve::steps(verb.actions(), &packages), policy);
    let opened = match Farm::open(&request, &rules) {
        Ok(opened) => opened,
        Err(error) => return words.error(&error),
    };
    let planned = match opened.plan() {
        Ok(planned) => planned,
        Err(error) => return words.scan_error(&error),
    };
    let failure = if global.dry_run || planned.plan.is_empty() {
        None
    } else {
        match opened.apply(&planned.plan, None) {
            Ok(outcome) => {
                words.left_over(&outcome.left_over);
                None
            }
            Err(failure) => Some(failure),
        }
    };
    if global.json {
        json::print(verb, &farm, &packages, &planned, failure.as_deref(), global.dry_run);
    }
    words.result(verb, &farm, &packages, &planned, failure.as_deref())
}

fn packages(farm: &resolve::Farm, change: &Change) -> Result<Vec<RelPath>, Refusal> {
    let mut packages: Vec<RelPath> = Vec::new();
    for typed in &change.packages.names {
        let package = farm.package(OsStr::new(typed))?;
        if !packages.contains(&package) {
            packages.push(package);
        }
    }
    Ok(packages)
}

fn policy(change: &Change, stowrc: &StowRc) -> Result<Policy, String> {
    let patterns = |option: &str, globs: &[String], starts: &StartPatterns| {
        let globs = Globs::new(globs.iter().map(String::as_str));
        let globs = globs.map_err(|error| format!("{option}: {error}"))?;
        Ok::<_, String>(PathPatterns { globs, starts: starts.clone() })
    };
    let mut policy = Policy {
        defer: patterns("--defer", &change.defer, &stowrc.defer)?,
        overrides: patterns("--override", &change.overrides, &stowrc.overrides)?,
        ..Policy::native()
    };
    if change.no_fold || stowrc.no_fold {
        policy.fold = Fold::Never;
        policy.refold = Refold::Never;
    }
    if change.packages.dotfiles || stowrc.dotfiles {
        policy.naming = Naming::Dotfiles;
    }
    if change.packages.keep_going {
        policy.on_conflict = OnConflict::HoldBack;
    }
    Ok(policy)
}
