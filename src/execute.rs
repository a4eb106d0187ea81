//! Doing plans: the only stage that changes the disk.
//!
//! Every step is a system call that succeeds only when the world is as planned, or is looked at right after and put
//! back. Existing things are never changed in place: something new is built under a name of its own and exchanged
//! with them, so whoever opens the path finds the old or the new. What went out of the way stays until all is done.
//!
//! What has been done is read off the disk, never remembered: the names that an operation uses follow from the
//! journal, and each state that it can be interrupted in looks different. So an error, a signal and a crash are taken
//! back by the same code (`undo`), by this process or by the next one.

mod finish;
mod ground;
mod perform;
mod progress;
mod removal;
#[cfg(test)]
mod tests;
mod trail;
mod undo;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use crate::error::Error;
use crate::journal::{Header, Record};
use crate::op::{All, Change, Group, Op, Ops, Plan, Stretch, Thing, Unit};
use crate::path::{LinkText, RelPath};
use crate::store::{Interrupted, Store};
use crate::sys::{Handle, LONGEST_TEXT, os};
use crate::threads;

use ground::Ground;
use progress::{Progress, State};
use removal::only_removal;

/// Fewer operations than this are done by one thread: a second one costs more than it saves.
const WORTH_SHARING: usize = 96;

/// A directory that gets more links than this gets them in parts, each by whoever has time. Threads that make links in one
/// directory wait for each other, so there are few.
const PART: usize = if cfg!(test) { 16 } else { 1024 };

/// A path that leads through more links than this leads nowhere.
const LINKS: usize = 40;

/// What executing a plan left behind on purpose.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The number of the generation that the plan became; `None` without a state directory.
    pub generation: Option<u64>,
    /// Why the plan became none, where the state directory had no room for it.
    pub unrecorded: Option<Error>,
    /// What the state directory keeps now: where it was, and where it is.
    pub kept: Vec<(PathBuf, PathBuf)>,
    /// What went out of the way and could not be removed afterwards; the farm is as planned all the same.
    pub left_over: Vec<Error>,
}

/// Why a plan was not done.
#[derive(Debug)]
pub struct Failure {
    /// The step that failed.
    pub error: Error,
    /// Somebody asked to stop.
    pub interrupted: bool,
    /// Whether anything had been changed before the step that failed.
    pub begun: bool,
    /// What could not be taken back, because somebody else changed it or the disk failed again. Empty: all is as
    /// it was.
    pub stuck: Vec<Error>,
}

/// What became of a plan that an earlier run was interrupted in.
#[derive(Debug)]
pub struct Recovered {
    /// The run.
    pub header: Header,
    /// All was done but the cleaning up; else it was taken back.
    pub finished: bool,
    /// What could not be taken back, or not be cleaned up.
    pub stuck: Vec<Error>,
}

/// Where and how plans are done.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The farm's root, open.
    pub root: &'a Handle,
    /// Where it lies.
    pub root_path: &'a Path,
    /// The memory of the farm; without it a crash cannot be recovered from.
    pub store: Option<&'a Store>,
    /// Why there is no memory.
    pub problem: Option<&'a Error>,
    /// Tells whether to stop and take everything back.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// Does plans one after the other, all of them or nothing.
///
/// # Errors
/// The first step that fails; everything before it is taken back, as far as the failure's `stuck` does not say
/// otherwise.
pub fn execute(site: &Site, header: &Header, phases: &[Plan]) -> Result<Outcome, Failure> {
    let refused = |error| Failure { error, interrupted: false, begun: false, stuck: Vec::new() };
    if phases.iter().any(|plan| plan.ops.longest_text() > LONGEST_TEXT)
        && let Some((path, text)) =
            phases.iter().flat_map(|plan| plan.ops.iter()).find_map(|op| too_long(&op))
    {
        let message = format!(
            "its text is too long, {} bytes where the system takes {LONGEST_TEXT}",
            text.as_bytes().len()
        );
        let path = site.root_path.join(os(path.as_bytes()));
        return Err(refused(Error::new("make link", path, io::Error::other(message))));
    }
    if let Some(error) = site.store.and_then(|store| moves_state(site, store, phases)) {
        return Err(refused(error));
    }
    let durable = phases.iter().any(|plan| plan.moves_bytes() || plan.has_files());
    let mut header = header.clone();
    if durable {
        header.inodes = inodes(site, &header, phases).map_err(refused)?;
    }
    let header = &header;
    let mut site = *site;
    let mut unrecorded = None;
    if let Some(Err(error)) = site.store.map(|store| store.begin(header, phases, durable)) {
        // Links can do without a journal, as where there is no state directory at all.
        if durable || header.back_to.is_some() || !error.is_for_want_of_room() {
            return Err(refused(error));
        }
        site.store = None;
        unrecorded = Some(error);
    }
    let site = &site;
    let mut ground = Ground::new(site, header, phases);
    let progress = Progress::new(phases.iter().map(|plan| plan.ops.len()).sum());
    match perform_all(site, &mut ground, phases, durable, &progress) {
        Ok(()) => {}
        Err(stopped) => {
            let mut stuck = undo_begun(&mut ground, phases, &progress);
            ground.tidy_kept(phases);
            if let Some(store) = site.store
                && stuck.is_empty()
            {
                stuck.extend(store.forget().err());
            }
            return Err(Failure {
                error: stopped.error,
                interrupted: stopped.interrupted,
                begun: progress.has_any_done(),
                stuck,
            });
        }
    }
    let outcome = match needs_finish(phases) {
        true => finish(site, &mut ground, header, phases),
        false => Outcome { generation: site.store.map(|_| header.id), ..Outcome::default() },
    };
    Ok(Outcome { unrecorded, ..outcome })
}

/// Takes back what was begun of a run that failed; returns what could not be.
fn undo_begun(ground: &mut Ground, phases: &[Plan], progress: &Progress) -> Vec<Error> {
    if let Some(ops) = only_removal(phases) {
        return restore_links(ground, ops, Some(&|index| progress.of(index) != State::NotBegun));
    }
    let mut stuck = Vec::new();
    for (index, op) in last_first(phases) {
        let undone = match progress.of(index) {
            State::NotBegun => continue,
            // The step that failed may have left things half way, unless it is one call.
            State::Begun if is_one_call(&op) => continue,
            State::Begun => ground.undo(index, &op, false),
            State::Done => ground.undo(index, &op, true),
        };
        stuck.extend(undone.err());
    }
    stuck
}

/// Takes back what was done of a run that only removes links.
fn restore_links(ground: &mut Ground, ops: &Ops, has_begun: Option<&dyn Fn(usize) -> bool>) -> Vec<Error> {
    ops.groups().iter().rev().flat_map(|group| ground.restore_links(group, has_begun)).collect()
}

/// Returns the operations with their numbers in the run, the last one first.
fn last_first(phases: &[Plan]) -> impl Iterator<Item = (usize, Op)> {
    let count = phases.iter().map(|plan| plan.ops.len()).sum::<usize>();
    (0..count).rev().zip(phases.iter().rev().flat_map(|plan| plan.ops.iter().rev()))
}

/// Returns the inode of each thing that plans move out of the way, by the number of the operation: as long as it is at
/// its path, it has not been moved.
fn inodes(site: &Site, header: &Header, phases: &[Plan]) -> Result<BTreeMap<usize, u64>, Error> {
    let mut ground = Ground::new(site, header, &[]);
    let mut inodes = BTreeMap::new();
    for (index, op) in phases.iter().flat_map(|plan| plan.ops.iter()).enumerate() {
        // What an earlier phase puts there is not there yet, and has none.
        if let Change::Displace { .. } = op.change
            && let Some(at) = ground.at_if_there(&op.path, false)?
            && let Some(inode) = at.inode()?
        {
            inodes.insert(index, inode);
        }
    }
    Ok(inodes)
}

struct Stopped {
    error: Error,
    interrupted: bool,
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Stopped {
        Stopped { error, interrupted: false }
    }
}

/// Does all operations and commits them.
fn perform_all(
    site: &Site,
    ground: &mut Ground,
    phases: &[Plan],
    durable: bool,
    progress: &Progress,
) -> Result<(), Stopped> {
    match only_removal(phases) {
        Some(ops) => remove_links(site, ground, ops, progress)?,
        None => perform_phases(site, ground, phases, durable, progress)?,
    }
    ground.sync()?;
    if let Some(store) = site.store {
        if needs_finish(phases) {
            store.commit(durable)?;
        } else {
            store.commit_and_file(ground.header.id, durable)?;
        }
    }
    Ok(())
}

/// Removes links, those of different directories by several threads.
fn remove_links(site: &Site, ground: &mut Ground, ops: &Ops, progress: &Progress) -> Result<(), Stopped> {
    let remove = |ground: &mut Ground, group: &Group| {
        // Another thread tells why.
        let begin = || (!progress.has_failed()).then(|| go_on(site, group.dir())).transpose();
        let removed = ground.remove_links(group, begin, |index, state| progress.note(index, state));
        removed.inspect_err(|_| progress.fail())
    };
    let groups = ops.groups();
    if groups.len() < 2 || ops.len() < WORTH_SHARING || !threads::start() {
        return groups.iter().try_for_each(|group| remove(ground, group));
    }
    let ground = || Ground::new(site, ground.header, &[]);
    groups.par_iter().with_max_len(threads::AT_A_TIME).try_for_each_init(ground, remove)
}

/// Does all operations, phase by phase.
fn perform_phases(
    site: &Site,
    ground: &mut Ground,
    phases: &[Plan],
    durable: bool,
    progress: &Progress,
) -> Result<(), Stopped> {
    let mut first = 0;
    for (number, plan) in phases.iter().enumerate() {
        for stretch in plan.ops.stretches() {
            match &stretch {
                Stretch::InOrder(unit) => perform_groups(site, ground, first, unit.groups(), progress)?,
                Stretch::Apart(units) if is_worth_sharing(units) && threads::start() => {
                    let ground = || Ground::new(site, ground.header, &[]);
                    let shared = units.par_iter().with_max_len(threads::AT_A_TIME);
                    shared.try_for_each_init(ground, |ground, unit| {
                        let groups = unit.groups().iter().filter(|group| parts(group).is_none());
                        perform_groups(site, ground, first, groups, progress)
                    })?;
                    // Nothing needs a link, so what takes long is shared out when the rest is done.
                    let groups = units.iter().flat_map(Unit::groups);
                    let parts: Vec<_> = groups
                        .filter_map(|group| Some((group, parts(group)?)))
                        .flat_map(|(group, parts)| parts.map(move |part| (group, part)))
                        .collect();
                    let shared = parts.par_iter().with_max_len(1);
                    shared.try_for_each_init(ground, |ground, (group, part)| {
                        make_links(site, ground, first, group, part.clone(), progress)
                            .inspect_err(|_| progress.fail())
                    })?;
                }
                Stretch::Apart(units) => {
                    let groups = units.iter().flat_map(Unit::groups);
                    perform_groups(site, ground, first, groups, progress)?;
                }
            }
        }
        first += plan.ops.len();
        if let Some(store) = site.store
            && number + 1 < phases.len()
        {
            store.phase_done(number + 1, durable)?;
        }
    }
    Ok(())
}

/// Tells whether there is enough to do for more than one thread.
fn is_worth_sharing(units: &[Unit]) -> bool {
    units.len() > 1 && units.iter().map(Unit::len).sum::<usize>() >= WORTH_SHARING
}

/// Returns the parts in which the links of a directory are made when there are many.
fn parts(group: &Group) -> Option<impl Iterator<Item = Range<usize>> + use<>> {
    let (All::Come, _, _, links) = group.all()? else { return None };
    let count = links.len();
    (count > PART).then(|| (0..count).step_by(PART).map(move |start| start..count.min(start + PART)))
}

/// Does operations one after the other; `first` is the number in the run of the plan's first one.
fn perform_groups<'g>(
    site: &Site,
    ground: &mut Ground,
    first: usize,
    groups: impl IntoIterator<Item = &'g Group>,
    progress: &Progress,
) -> Result<(), Stopped> {
    for group in groups {
        perform_group(site, ground, first, group, progress).inspect_err(|_| progress.fail())?;
    }
    Ok(())
}

fn perform_group(
    site: &Site,
    ground: &mut Ground,
    first: usize,
    group: &Group,
    progress: &Progress,
) -> Result<(), Stopped> {
    if let Some((All::Come, _, _, links)) = group.all() {
        return make_links(site, ground, first, group, 0..links.len(), progress);
    }
    for (number, op) in group.numbered() {
        let index = first + number;
        // Another thread tells why.
        if progress.has_failed() {
            return Ok(());
        }
        go_on(site, &op.path)?;
        ground.check(&op)?;
        progress.note(index, State::Begun);
        ground.perform(index, &op)?;
        progress.note(index, State::Done);
    }
    Ok(())
}

/// Makes a part of the links of a directory that gets nothing else.
fn make_links(
    site: &Site,
    ground: &mut Ground,
    first: usize,
    group: &Group,
    part: Range<usize>,
    progress: &Progress,
) -> Result<(), Stopped> {
    let Some((All::Come, number, dir, links)) = group.all() else { return Ok(()) };
    // Another thread tells why.
    let begin = |index| (!progress.has_failed()).then(|| begin(site, dir, index, progress)).transpose();
    let done = |index| progress.note(index, State::Done);
    ground.make_all(first + number, dir, links, part, begin, done)
}

fn begin(site: &Site, path: &RelPath, index: usize, progress: &Progress) -> Result<(), Stopped> {
    go_on(site, path)?;
    progress.note(index, State::Begun);
    Ok(())
}

fn go_on(site: &Site, path: &RelPath) -> Result<(), Stopped> {
    if !(site.stop)() {
        return Ok(());
    }
    let error = io::Error::new(io::ErrorKind::Interrupted, "interrupted");
    let error = Error::new("go on at", site.root_path.join(os(path.as_bytes())), error);
    Err(Stopped { error, interrupted: true })
}

/// Tells whether an operation is one system call, which is done or not.
fn is_one_call(op: &Op) -> bool {
    match &op.change {
        Change::Make(Thing::Link(_)) => true,
        Change::Make(Thing::Dir(pieces)) => pieces.is_empty(),
        _ => false,
    }
}

/// Tells whether something went out of the way and must still be removed or put where it stays.
fn needs_finish(phases: &[Plan]) -> bool {
    only_removal(phases).is_none() && !phases.iter().all(|plan| plan.ops.only_make())
}

/// Cleans up after a plan that was committed. What fails here leaves the farm as planned.
fn finish(site: &Site, ground: &mut Ground, header: &Header, phases: &[Plan]) -> Outcome {
    let mut outcome = Outcome { generation: site.store.map(|_| header.id), ..Outcome::default() };
    let mut first = 0;
    for (number, plan) in phases.iter().enumerate() {
        let later = &phases[number + 1..];
        for stretch in plan.ops.stretches() {
            match &stretch {
                Stretch::InOrder(unit) => outcome.add(finish_unit(ground, first, unit, later)),
                Stretch::Apart(units) if is_worth_sharing(units) && threads::start() => {
                    let finished = units.par_iter().with_max_len(threads::AT_A_TIME).map_init(
                        || Ground::new(site, header, &[]),
                        |ground, unit| finish_unit(ground, first, unit, later),
                    );
                    finished.collect::<Vec<_>>().into_iter().for_each(|finished| outcome.add(finished));
                }
                Stretch::Apart(units) => {
                    units.iter().for_each(|unit| outcome.add(finish_unit(ground, first, unit, later)));
                }
            }
        }
        first += plan.ops.len();
    }
    ground.tidy_kept(phases);
    // With something left over the record stays where the next run finds it and tries again.
    if let Some(store) = site.store
        && outcome.left_over.is_empty()
    {
        outcome.left_over.extend(store.file(header.id).err());
    }
    outcome
}

/// Cleans up after operations; `first` is the number in the run of the plan's first one, `later` are the phases after it.
fn finish_unit(ground: &mut Ground, first: usize, unit: &Unit, later: &[Plan]) -> Outcome {
    let mut outcome = Outcome::default();
    for group in unit.groups() {
        if let Some((All::Come, ..)) = group.all() {
            continue;
        }
        for (index, op) in group.numbered() {
            match ground.finish(first + index, &op, later) {
                Ok(kept) => outcome.kept.extend(kept),
                Err(error) => outcome.left_over.push(error),
            }
        }
    }
    outcome
}

impl Outcome {
    fn add(&mut self, other: Outcome) {
        self.kept.extend(other.kept);
        self.left_over.extend(other.left_over);
    }
}

/// Takes back or finishes what an interrupted run has left on the farm whose memory is `store`.
///
/// # Errors
/// When the journal, or the farm's root, cannot be read.
pub fn recover(store: &Store) -> Result<Option<Recovered>, Error> {
    match store.interrupted()? {
        None => Ok(None),
        Some(Interrupted::Committed(Record { header, phases, .. })) => {
            let (root_path, root) = root_of(&header)?;
            let site = Site {
                root: &root,
                root_path: &root_path,
                store: Some(store),
                problem: None,
                stop: &|| false,
            };
            let outcome = finish(&site, &mut Ground::new(&site, &header, &phases), &header, &phases);
            Ok(Some(Recovered { header, finished: true, stuck: outcome.left_over }))
        }
        Some(Interrupted::Begun(record)) => {
            let (root_path, root) = root_of(&record.header)?;
            let site = Site {
                root: &root,
                root_path: &root_path,
                store: Some(store),
                problem: None,
                stop: &|| false,
            };
            let mut ground = Ground::new(&site, &record.header, &record.phases);
            // The phase after the last that is known to be done may have been begun, the next ones were not.
            let begun = record.phases.len().min(record.phases_done + 1);
            let certain: usize =
                record.phases.iter().take(record.phases_done).map(|plan| plan.ops.len()).sum();
            let undo = |(index, op)| ground.undo(index, &op, index < certain).err();
            let stuck = match only_removal(&record.phases) {
                Some(ops) => restore_links(&mut ground, ops, None),
                None => last_first(&record.phases[..begun]).filter_map(undo).collect(),
            };
            ground.tidy_kept(&record.phases);
            if stuck.is_empty() {
                store.forget()?;
            }
            Ok(Some(Recovered { header: record.header, finished: false, stuck }))
        }
    }
}

/// Returns the paths at which the disk is not as these operations expect.
///
/// # Errors
/// When that cannot be told.
pub fn not_ready(site: &Site, header: &Header, ops: &[Op]) -> Result<Vec<RelPath>, Error> {
    let mut ground = Ground::new(site, header, &[]);
    let mut paths = Vec::new();
    for op in ops {
        if !ground.is_ready(op)? {
            paths.push(op.path.clone());
        }
    }
    Ok(paths)
}

/// Opens the root of the farm that a record is about.
fn root_of(header: &Header) -> Result<(PathBuf, Handle), Error> {
    let path = Path::new("/").join(os(header.root.as_bytes()));
    let root = Handle::open(&path).map_err(|error| Error::new("open", &path, error))?;
    Ok((path, root))
}

/// Returns an error about what a plan would take away from the way to farm's own memory: a directory that the memory lies
/// in, or a link that leads there.
fn moves_state(site: &Site, store: &Store, phases: &[Plan]) -> Option<Error> {
    if phases.iter().all(|plan| plan.ops.only_make()) {
        return None;
    }
    let way = way_to(&store.kept());
    let below_root =
        |path: &PathBuf| RelPath::new(path.strip_prefix(site.root_path).ok()?.as_os_str().as_bytes());
    let way: BTreeSet<RelPath> = way.iter().filter_map(below_root).collect();
    let groups = phases.iter().flat_map(|plan| plan.ops.groups());
    let in_group = |group: &Group| match group.all() {
        Some((All::Come, ..)) => None,
        Some((All::Go, _, dir, links)) => way.iter().find(|path| {
            path.split().is_some_and(|(above, name)| above == *dir && links.contains(name.as_bytes()))
        }),
        None => group.numbered().find_map(|(_, op)| way.get(&op.path).filter(|_| !stays(site, &op))),
    };
    let path = site.root_path.join(os(groups.filter_map(in_group).next()?.as_bytes()));
    let (verb, message) = match path.is_symlink() {
        true => (
            "change",
            "farm's state directory is reached through it; let FARM_STATE_DIR name it by another path",
        ),
        false => ("move", "farm's state directory lies in it"),
    };
    Some(Error::new(verb, path, io::Error::other(message)))
}

/// Tells whether what was found at an operation's path before is found there after it.
fn stays(site: &Site, op: &Op) -> bool {
    match &op.change {
        Change::Make(_) => true,
        Change::Swap { old: Thing::Link(_), new: Thing::Link(text) } => {
            let path = site.root_path.join(os(op.path.as_bytes()));
            let led = path.canonicalize();
            let leads = path.parent().map(|dir| dir.join(os(text.as_bytes())).canonicalize());
            matches!((led, leads), (Ok(led), Some(Ok(leads))) if led == leads)
        }
        _ => false,
    }
}

/// Returns all directories and links that lead to `path`, each by its own path free of links.
fn way_to(path: &Path) -> BTreeSet<PathBuf> {
    let mut way = BTreeSet::new();
    let names = |path: &Path| {
        let names =
            path.components().rev().filter(|it| matches!(it, Component::Normal(_) | Component::ParentDir));
        names.map(|name| name.as_os_str().to_owned()).collect::<Vec<_>>()
    };
    let mut at = PathBuf::from("/");
    let mut todo = names(path);
    let mut links = 0;
    while let Some(name) = todo.pop() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(name);
        way.insert(next.clone());
        match std::fs::read_link(&next) {
            Ok(text) if links < LINKS => {
                links += 1;
                if text.is_absolute() {
                    at = PathBuf::from("/");
                }
                todo.extend(names(&text));
            }
            _ => at = next,
        }
    }
    way
}

/// Returns a link that an operation would make and the system would not, with its path.
///
/// Such a link is at the bottom of a very deep tree, so without a look ahead thousands of directories would come and
/// go before it is met.
fn too_long(op: &Op) -> Option<(RelPath, LinkText)> {
    let is_too_long = |text: &&LinkText| text.as_bytes().len() > LONGEST_TEXT;
    match &op.change {
        Change::Make(new) | Change::Swap { new, .. } | Change::Displace { new, .. } => match new {
            Thing::Link(text) => Some(text).filter(is_too_long).map(|text| (op.path.clone(), text.clone())),
            Thing::File(_) => None,
            Thing::Dir(pieces) => pieces.iter().find_map(|piece| {
                let text = piece.text.as_ref().filter(is_too_long)?;
                Some((op.path.join_path(&piece.path), text.clone()))
            }),
        },
        Change::Remove(_) | Change::Restore { .. } => None,
    }
}

/// The directories whose names were changed by moves of what is not the farm's: they are synced before the commit.
#[derive(Default)]
struct Touched {
    /// Those into which something came: they are first, so that what moved is on the disk before it is gone elsewhere.
    came: BTreeSet<PathBuf>,
    /// Those out of which something went.
    went: BTreeSet<PathBuf>,
}
