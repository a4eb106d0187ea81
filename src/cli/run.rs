//! `farm link`, `farm unlink` and `farm relink`: three ends of one pipeline.

use std::ffi::OsStr;
use std::io::{self, BufRead, IsTerminal as _, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use farm::{
    Action, Compared, Conflict, Error, Farm, Fold, Globs, Naming, OnConflict, PathPatterns, Planned, Policy,
    Reason, Refold, RelPath, Request, RuleBook, ScanError, StartPatterns,
};

use super::args::{Change, DefaultWay, Global, InTheWay, Verb, Way};
use super::ask::{Asker, Files, Question};
use super::json;
use super::progress::Progress;
use super::resolve::{self, Landed, Terminal};
use super::session::{self, Session};
use super::words::{self, Words, reading};
use super::{Exit, StowRc};

/// Where to read about patterns.
pub(super) const SYNTAX: &str = "see `man 5 gitignore` for the syntax";

/// Runs one of the three commands.
pub fn change(verb: Verb, global: &Global, change: &Change, stowrc: &StowRc, words: &Words) -> Exit {
    let farm = match resolve::Farm::find(global.dir.as_deref(), global.target.as_deref(), stowrc) {
        Ok(farm) => farm,
        Err(refusal) => return words.refusal(&refusal),
    };
    let stowrc = &farm.stowrc(stowrc);
    let action = if verb == Verb::Unlink { Action::Unlink } else { Action::Link };
    let names = &change.packages.names;
    let landed = match names.is_empty() {
        // Which of all they are, their links will tell.
        true => farm.packages_or_all(&[]).map(|all| all.into_iter().map(|(landed, _)| landed).collect()),
        false => farm.packages(names, action),
    };
    let mut landed = match landed {
        Ok(landed) => landed,
        Err(refusal) => return words.refusal(&refusal),
    };
    let former = match change.moved_from.as_deref().map(|dir| farm.former(dir)).transpose() {
        Ok(former) => former,
        Err(refusal) => return words.refusal(&refusal),
    };
    let default = match action {
        Action::Link => farm.default_way(can_ask()),
        Action::Unlink => DefaultWay::default(),
    };
    let way = match way(&change.in_the_way, &default, words) {
        Ok(way) => way,
        Err(exit) => return exit,
    };
    let mut policy = match policy(change, stowrc) {
        Ok(policy) => policy,
        Err(message) => return words.usage(&message, SYNTAX),
    };
    if let Err(refusal) = farm.enter(&mut policy) {
        return words.refusal(&refusal);
    }
    refine(&mut policy, change);
    if let Way::All(strategy) = &way {
        policy.strategy = strategy.clone();
    }
    let wait = session::wait(global, words);
    // Generations tell which backups are farm's, to a dry run, too.
    let opened = match change.restore {
        true => Session::open_to_read(global, &farm.target(), &wait, words),
        false => Session::open(global, &farm.target(), &wait, words),
    };
    let mut session = match opened {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    if change.restore {
        match session.memory().backups(&farm.root) {
            Ok(backups) => policy.restore = backups,
            Err(error) => return words.memory_error(&error),
        }
    }
    let rules = match RuleBook::native(&farm.dir, farm.ignore(), &change.ignore, stowrc.ignore.clone()) {
        Ok(rules) => rules,
        Err(ScanError::Glob { file, error }) if file == Path::new("--ignore") => {
            return words.usage(&format!("--ignore: {error}"), SYNTAX);
        }
        Err(error) => return words.scan_error(&error),
    };
    let request_for = |actions, landed: &[Landed]| Request {
        former: former.clone(),
        ..farm.request(resolve::steps(actions, landed), policy.clone())
    };
    if names.is_empty() {
        let mut with_links = Vec::new();
        for it in landed {
            let request = request_for(&[Action::Unlink], std::slice::from_ref(&it));
            match Farm::open(&request, &rules).map_err(ScanError::from).and_then(|farm| farm.plan()) {
                Ok(planned) if planned.plan.is_empty() => {}
                Ok(_) => with_links.push(it),
                Err(error) => return words.scan_error(&error),
            }
        }
        landed = with_links;
    }
    let packages: Vec<RelPath> = landed.iter().map(|landed| landed.package.clone()).collect();
    let mut request = request_for(verb.actions(), &landed);
    if let Way::Ask(backup) = way {
        let asker = Asker::new(io::stdin().lock(), anstream::stderr(), backup);
        match ask(&farm, &mut request, &rules, asker) {
            Ok(true) => {}
            Ok(false) => return words.quit(),
            Err(error) => return words.scan_error(&error),
        }
    }
    let opened = match Farm::open(&request, &rules) {
        Ok(opened) => opened,
        Err(error) => return words.error(&error),
    };
    let planning = Progress::begin(words, reading);
    let plan = opened.plan();
    drop(planning);
    let mut planned = match plan {
        Ok(planned) => planned,
        Err(error) => return words.scan_error(&error),
    };
    let mut failure = None;
    if !global.dry_run && !planned.plan.is_empty() {
        match session.begin() {
            Ok(false) => {}
            Ok(true) => match opened.plan() {
                Ok(again) => planned = again,
                Err(error) => return words.scan_error(&error),
            },
            Err(exit) => return exit,
        }
        if !planned.plan.is_empty() {
            failure = session.apply(&farm.root, std::slice::from_ref(&planned.plan)).err();
        }
    }
    if global.json {
        json::print(verb, &farm, &packages, &planned, &[], None, failure.as_deref(), global.dry_run);
    }
    words.result(verb, &farm, &packages, &planned, failure.as_deref())
}

/// Returns what becomes of things in the way, or says why that cannot be.
pub(super) fn way(in_the_way: &InTheWay, default: &DefaultWay, words: &Words) -> Result<Way, Exit> {
    let Some(way) = in_the_way.way(default) else {
        let hint = "add --backup, or leave it out";
        return Err(words.usage("--backup-existing says how backups are named, and none are made", hint));
    };
    if matches!(way, Way::Ask(_)) && can_ask() == Terminal::Absent {
        let hint = "--on-conflict stop, skip, backup, adopt and replace ask nothing";
        return Err(words.usage("--on-conflict ask needs a terminal for its questions", hint));
    }
    Ok(way)
}

/// Asks what becomes of each thing in the way and enters the answers into the request; `false` when the answer is to
/// change nothing.
///
/// Where an answer turns out not to work, because a backup's name is taken, say, the question comes again without it.
pub(super) fn ask<R: BufRead, W: Write>(
    farm: &resolve::Farm,
    request: &mut Request,
    rules: &RuleBook,
    mut asker: Asker<R, W>,
) -> Result<bool, ScanError> {
    loop {
        let planned = Farm::open(request, rules)?.plan()?;
        let questions = questions(farm, &planned, request.policy.on_conflict);
        if questions.is_empty() {
            return Ok(true);
        }
        let answers = asker.ask(&questions).map_err(|error| Error::new("ask on", "the terminal", error))?;
        let Some(answers) = answers else { return Ok(false) };
        request.policy.decisions.extend(answers);
    }
}

/// Returns a question for each path where something is in the way; none when the answers could not help.
fn questions<'a>(farm: &resolve::Farm, planned: &'a Planned, on_conflict: OnConflict) -> Vec<Question<'a>> {
    let resolvable = |conflict: &&Conflict| conflict.reason.is_resolvable();
    if on_conflict == OnConflict::Stop && !planned.conflicts.iter().all(|c| resolvable(&c)) {
        return Vec::new();
    }
    let mut conflicts: Vec<&Conflict> = planned.conflicts.iter().filter(resolvable).collect();
    conflicts.sort_by(|a, b| (&a.path, &a.package).cmp(&(&b.path, &b.package)));
    conflicts.dedup_by(|a, b| a.path == b.path);
    conflicts.into_iter().map(|conflict| question(farm, conflict)).collect()
}

fn question<'a>(farm: &resolve::Farm, conflict: &'a Conflict) -> Question<'a> {
    let plain = match &conflict.reason {
        Reason::Unresolved { of, .. } => of,
        reason => reason,
    };
    let files = match plain {
        Reason::File { source, compared: Compared::Differ } => Some(Files {
            target: farm.root.join(OsStr::from_bytes(conflict.path.as_bytes())),
            package: farm.absolute(source),
        }),
        _ => None,
    };
    let says = words::in_the_way(farm, conflict);
    Question { path: &conflict.path, reason: &conflict.reason, says, files }
}

/// Tells whether there is somebody to ask.
pub(super) fn can_ask() -> Terminal {
    match io::stdin().is_terminal() && io::stderr().is_terminal() {
        true => Terminal::Present,
        false => Terminal::Absent,
    }
}

pub(super) fn policy(change: &Change, stowrc: &StowRc) -> Result<Policy, String> {
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
    if stowrc.no_fold {
        never_fold(&mut policy);
    }
    if stowrc.dotfiles {
        policy.naming = Naming::Dotfiles;
    }
    Ok(policy)
}

/// Enters what the options say over what files say.
pub(super) fn refine(policy: &mut Policy, change: &Change) {
    if change.no_fold {
        never_fold(policy);
    }
    if change.packages.dotfiles {
        policy.naming = Naming::Dotfiles;
    }
    if change.packages.keep_going {
        policy.on_conflict = OnConflict::HoldBack;
    }
}

fn never_fold(policy: &mut Policy) {
    policy.fold = Fold::Never;
    policy.refold = Refold::Never;
    policy.folds_of.clear();
}
