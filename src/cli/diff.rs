//! `farm diff`: what links would replace. Nothing is changed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use farm::{Compared, Finding, Finds, Reason, RelPath};

use super::args::{self, Global};
use super::ask::{self, Files};
use super::resolve::{self, Claim};
use super::status::View;
use super::told::Difference;
use super::words::Words;
use super::{Exit, StowRc, json};

/// Runs `farm diff`.
pub fn diff(global: &Global, asked: &args::Diff, stowrc: &StowRc, words: &Words) -> Exit {
    do_diff(global, asked, stowrc, words).unwrap_or_else(|exit| exit)
}

fn do_diff(global: &Global, asked: &args::Diff, stowrc: &StowRc, words: &Words) -> Result<Exit, Exit> {
    let view = View::open(global, &asked.chosen, stowrc, words)?;
    let mut differences = Vec::new();
    let standings = view.standings(global, words)?.into_iter().zip(&view.packages);
    // Packages of other machines are not linked here.
    for (standing, _) in standings.filter(|(_, (_, claim))| *claim != Claim::NotHere) {
        for Finding { path, what } in standing.findings {
            if let Finds::Conflict(reason) | Finds::Replaced(reason) = what {
                let diff = compared(&view.farm, &path, &reason);
                differences.push(Difference { package: standing.package.clone(), path, reason, diff });
            }
        }
    }
    match global.json {
        true => json::differences(&view.farm, &differences),
        false => words.differences(&view.farm, &differences),
    }
    Ok(Exit::Done)
}

/// Returns the difference between a file in the way and the package's; `None` when they are not two files.
fn compared(farm: &resolve::Farm, path: &RelPath, reason: &Reason) -> Option<Result<String, String>> {
    let Reason::File { source, compared: Compared::Differ } = reason else { return None };
    let target = farm.root.join(OsStr::from_bytes(path.as_bytes()));
    Some(ask::compare(&Files { target, package: farm.absolute(source) }))
}
