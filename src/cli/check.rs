//! `farm check` looks over a whole target for links that lead to nothing, and `farm prune` removes them.

use farm::{Farm, Known, Memory, Planned, Policy, RelPath, RuleBook};

use super::args::{self, Global};
use super::progress::Progress;
use super::resolve::Refusal;
use super::session::{self, Session};
use super::survey::{self, Scope, Survey};
use super::told::Checked;
use super::words::{Words, seen};
use super::{Exit, StowRc, json, resolve};

/// Runs `farm check`.
pub fn check(global: &Global, asked: &args::Check, stowrc: &StowRc, words: &Words) -> Exit {
    let farm = match resolve::Farm::find(global.dir.as_deref(), global.target.as_deref(), stowrc) {
        Ok(farm) => farm,
        Err(refusal) => return words.refusal(&refusal),
    };
    let survey = look_over(words, &farm, asked.all);
    let aliens = match asked.aliens {
        true => survey::aliens(&farm, &survey.links),
        false => Ok(Vec::new()),
    };
    let checked = match aliens {
        Ok(aliens) => Checked { survey, aliens },
        Err(error) => return words.error(&error),
    };
    match global.json {
        true => json::checked(&farm, &checked),
        false => words.checked(&farm, &checked),
    }
    if checked.is_off() { Exit::Refused } else { Exit::Done }
}

fn look_over(words: &Words, farm: &resolve::Farm, all: bool) -> Survey {
    let scope = if all { Scope::All } else { Scope::Usual };
    survey::walk(farm, scope, &Progress::begin(words, seen))
}

/// Runs `farm prune`.
pub fn prune(global: &Global, asked: &args::Prune, stowrc: &StowRc, words: &Words) -> Exit {
    do_prune(global, asked, stowrc, words).unwrap_or_else(|exit| exit)
}

fn do_prune(global: &Global, asked: &args::Prune, stowrc: &StowRc, words: &Words) -> Result<Exit, Exit> {
    let farm = resolve::Farm::find(global.dir.as_deref(), global.target.as_deref(), stowrc)
        .map_err(|refusal| words.refusal(&refusal))?;
    let wait = session::wait(global, words);
    let mut session = Session::open_to_read(global, &farm.target(), &wait, words)?;
    // Not before: what another farm had begun decides what is dead.
    let mut survey = look_over(words, &farm, asked.all);
    // All links would be dead while a disk with the dotfiles on it is elsewhere.
    if survey.links.iter().any(|link| link.state.is_dead()) && farm.there().is_empty() {
        return Err(words.refusal(&Refusal::NoPackages { dir: farm.dir.clone() }));
    }
    let mut planned = plan(&farm, &survey, session.memory(), words)?;
    let mut failure = None;
    if !global.dry_run && !planned.plan.is_empty() {
        if session.begin()? {
            survey = look_over(words, &farm, asked.all);
            planned = plan(&farm, &survey, session.memory(), words)?;
        }
        if !planned.plan.is_empty() {
            failure = session.apply(&farm.root, std::slice::from_ref(&planned.plan)).err();
        }
    }
    if global.json {
        json::pruned(&farm, &planned, &survey.errors, failure.as_deref(), global.dry_run);
    }
    Ok(words.pruned(&farm, &planned, &survey.errors, failure.as_deref()))
}

/// Plans to remove the dead links that are still as they were seen, and what farm made for them and they leave empty.
fn plan(farm: &resolve::Farm, survey: &Survey, memory: &Memory, words: &Words) -> Result<Planned, Exit> {
    let dead = survey.links.iter().filter(|link| link.state.is_dead());
    let links = dead.map(|link| (link.path.clone(), link.text.clone())).collect();
    let mut earlier = Known { links, ..Known::default() };
    let known = memory.known(&farm.root).map_err(|error| words.memory_error(&error))?;
    let holds_dead = |dir: &RelPath| earlier.links.keys().any(|path| path.below(dir).is_some());
    earlier.dirs = known.dirs.into_iter().filter(holds_dead).collect();
    let mut request = farm.request(Vec::new(), Policy::native());
    request.earlier = Some(earlier);
    let rules = RuleBook::native(&farm.dir, farm.ignore(), &[], Default::default());
    let rules = rules.map_err(|error| words.scan_error(&error))?;
    let opened = Farm::open(&request, &rules).map_err(|error| words.error(&error))?;
    opened.plan().map_err(|error| words.scan_error(&error))
}
