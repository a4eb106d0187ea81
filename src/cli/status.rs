//! `farm status` and `farm list`: how packages stand, and where they land. Nothing is changed.

use farm::{Action, Farm, Finds, Linked, Policy, RelPath, Request, RuleBook, Standing, Stands};

use super::args::{self, Chosen, Global};
use super::resolve::{self, Claim, Landed, Refusal};
use super::told::Status;
use super::untracked::untracked;
use super::words::Words;
use super::{Exit, StowRc, json, run, session};

/// A farm that is only looked at.
pub struct View {
    /// Where it is.
    pub farm: resolve::Farm,
    /// The packages in question, and where they land.
    pub packages: Vec<(Landed, Claim)>,
    /// What linking them would ask for.
    pub request: Request,
    /// Which of their entries count.
    pub rules: RuleBook,
}

impl View {
    /// Finds the farm and the packages that were chosen.
    ///
    /// # Errors
    /// How to exit, when that has been said.
    pub fn open(global: &Global, chosen: &Chosen, stowrc: &StowRc, words: &Words) -> Result<View, Exit> {
        let refuse = |refusal: Refusal| words.refusal(&refusal);
        let farm =
            resolve::Farm::find(global.dir.as_deref(), global.target.as_deref(), stowrc).map_err(refuse)?;
        let stowrc = &farm.stowrc(stowrc);
        let packages = farm.packages_or_all(&chosen.names).map_err(refuse)?;
        let change = chosen.of_link();
        let mut policy: Policy =
            run::policy(&change, stowrc).map_err(|message| words.usage(&message, run::SYNTAX))?;
        farm.enter(&mut policy).map_err(refuse)?;
        run::refine(&mut policy, &change);
        let rules = RuleBook::native(&farm.dir, farm.ignore(), &[], stowrc.ignore.clone());
        let rules = rules.map_err(|error| words.scan_error(&error))?;
        let landed: Vec<Landed> = packages.iter().map(|(landed, _)| landed.clone()).collect();
        let request = farm.request(resolve::steps(&[Action::Link], &landed), policy);
        Ok(View { farm, packages, request, rules })
    }

    /// Returns how all the packages stand.
    ///
    /// # Errors
    /// How to exit, when that has been said.
    pub fn standings(&self, global: &Global, words: &Words) -> Result<Vec<Standing>, Exit> {
        let known = session::known(global, &self.farm, words)?;
        let opened = Farm::open(&self.request, &self.rules).map_err(|error| words.error(&error))?;
        opened.status(&known).map_err(|error| words.scan_error(&error))
    }

    /// Returns how the packages stand; those that no manifest asks for, and those of other machines that
    /// nobody named, only where they have links.
    ///
    /// # Errors
    /// How to exit, when that has been said.
    fn statuses(&self, global: &Global, chosen: &Chosen, words: &Words) -> Result<Vec<Status>, Exit> {
        let standings = self.standings(global, words)?;
        let is_folded =
            |standing: &Standing| standing.links.iter().any(|it| it.stands == Stands::ForDirectory);
        let untracked = match standings.iter().any(is_folded) {
            true => untracked(&self.farm.dir),
            false => Vec::new(),
        };
        let names_packages = self.packages.iter().any(|(_, claim)| *claim == Claim::Wanted);
        let statuses = standings.into_iter().zip(&self.packages).map(|(mut standing, &(_, claim))| {
            if claim == Claim::NotHere {
                standing.findings.retain(|finding| is_of_a_link(&finding.what));
            }
            Status { new: new_files(&standing, &untracked), standing, claim }
        });
        let counts = |it: &Status| match it.claim {
            Claim::Wanted => true,
            Claim::Found => !names_packages || it.standing.is_there(),
            Claim::NotHere => !chosen.names.is_empty() || it.standing.is_there(),
        };
        Ok(statuses.filter(counts).collect())
    }
}

/// Tells whether a finding is about a link that is there, and not about what linking would make.
fn is_of_a_link(what: &Finds) -> bool {
    match what {
        Finds::Stale(_) | Finds::Elsewhere(_) | Finds::MustUnfold => true,
        Finds::Missing
        | Finds::Gone
        | Finds::Copy
        | Finds::Conflict(_)
        | Finds::Replaced(_)
        | Finds::Dangling(_)
        | Finds::CouldFold => false,
    }
}

/// Returns those files of the dotfiles directory that are to be seen in the package's folded directories, by their paths
/// in the target.
fn new_files(standing: &Standing, untracked: &[RelPath]) -> Vec<RelPath> {
    let shown = |file: &RelPath, link: &Linked| {
        let entry = link.entry.as_ref().filter(|_| link.stands == Stands::ForDirectory)?;
        Some(link.path.join_path(&file.below(&standing.package.join_path(entry))?))
    };
    let files = untracked.iter();
    files.filter_map(|file| standing.links.iter().find_map(|link| shown(file, link))).collect()
}

/// Runs `farm status`.
pub fn status(global: &Global, asked: &args::Status, stowrc: &StowRc, words: &Words) -> Exit {
    do_status(global, asked, stowrc, words).unwrap_or_else(|exit| exit)
}

fn do_status(global: &Global, asked: &args::Status, stowrc: &StowRc, words: &Words) -> Result<Exit, Exit> {
    let view = View::open(global, &asked.chosen, stowrc, words)?;
    let statuses = view.statuses(global, &asked.chosen, words)?;
    if global.json {
        json::status(&view.farm, &statuses);
    } else if asked.tree {
        words.farm_tree(&view.farm, &statuses);
    } else if asked.long {
        words.long_status(&view.farm, &statuses);
    } else {
        words.status(&view.farm, &statuses);
    }
    let is_off = asked.check && statuses.iter().any(Status::is_off);
    Ok(if is_off { Exit::Refused } else { Exit::Done })
}

/// Runs `farm list`.
pub fn list(global: &Global, asked: &args::List, stowrc: &StowRc, words: &Words) -> Exit {
    let view = match View::open(global, &asked.chosen, stowrc, words) {
        Ok(view) => view,
        Err(exit) => return exit,
    };
    match global.json {
        true => json::list(&view.farm, &view.packages),
        false => words.list(&view.farm, &view.packages),
    }
    Exit::Done
}
