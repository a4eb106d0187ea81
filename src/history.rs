//! Generations: what earlier plans did to a target, and the way back.
//!
//! Every change is a generation, a rollback too. The way from one state to another is the plans in between, forward or
//! inverse, one after the other.

mod chain;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::execute::{Site, not_ready};
use crate::farm::Memory;
use crate::journal::{Header, Record};
use crate::known::Known;
use crate::op::{Change, Op, Place, Plan, Thing};
use crate::path::{LinkText, Name, RelPath, Route};
use crate::store::Store;
use crate::sys::{Handle, os};
use crate::tree::Texts;

/// The way from the present state to another.
#[derive(Debug)]
pub struct Way {
    /// The generation whose state it leads to; 0 is the state before the first.
    pub to: u64,
    /// The root of the plans.
    pub root: PathBuf,
    /// The plans, to be done in this order; none when the state is that already.
    pub phases: Vec<Plan>,
    /// Paths that somebody changed since in other ways, which the plans leave alone.
    pub changed: Vec<RelPath>,
    /// Whether some of the plans were done before and are done again.
    pub is_forward: bool,
    /// The scripts that new shells run in that state, when they are others than now.
    pub session: Option<Vec<String>>,
    /// What is known of the farm in that state, by paths below `root`, where that is more than what the plans do.
    pub known: Option<Known>,
}

/// What became of generations that were to be dropped.
#[derive(Debug, Default)]
pub struct Expired {
    /// Those that were dropped.
    pub ids: Vec<u64>,
    /// What of them, or of ones that were dropped earlier, could not be removed; the next time tries again.
    pub left_over: Vec<Error>,
}

impl Way {
    /// Tells whether the state is that already.
    pub fn is_empty(&self) -> bool {
        self.phases.is_empty() && self.session.is_none()
    }
}

impl Memory<'_> {
    /// Returns the headers of all generations, the oldest first.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn generations(&self) -> Result<Vec<Header>> {
        let Some(store) = self.store() else { return Ok(Vec::new()) };
        store.generations()?.into_iter().map(|id| store.header(id)).collect()
    }

    /// Returns the record of a generation.
    ///
    /// # Errors
    /// When it cannot be read; "not found" when there is none.
    pub fn generation(&self, id: u64) -> Result<Record> {
        match self.store() {
            Some(store) => store.generation(id),
            None => Err(missing(id)),
        }
    }

    /// Returns the state before the present: the generation that made it, or 0; `None` when there is none, or it is
    /// not known any more.
    ///
    /// # Errors
    /// When a generation cannot be read.
    pub fn before(&self) -> Result<Option<u64>> {
        let headers = self.generations()?;
        Ok(headers.last().and_then(|last| History { headers: &headers }.before(last.id)))
    }

    /// Returns the way to the state that generation `to` made.
    ///
    /// # Errors
    /// When there is no such generation, or it has expired, or cannot be read.
    pub fn way(&self, to: u64) -> Result<Way> {
        let headers = self.generations()?;
        let last = headers.last().ok_or_else(|| missing(to))?;
        let history = History { headers: &headers };
        let steps = history.steps(last.id, to).ok_or_else(|| missing(to))?;
        let store = self.store().ok_or_else(|| missing(to))?;
        let read = |step: &Step| store.generation(step.id).map(|record| (record, step.is_back));
        let records = steps.iter().map(read).collect::<Result<Vec<_>>>()?;
        let roots = records.iter().map(|(record, _)| &record.header.root);
        let root = roots.min_by_key(|root| root.depth()).cloned().unwrap_or_else(|| last.root.clone());
        let mut phases = Vec::new();
        for (record, is_back) in records {
            let prefix = record.header.root.below(&root).unwrap_or_default();
            let plans = record.phases.iter().map(|plan| rebased(plan, &prefix));
            if is_back {
                phases.extend(plans.rev().map(|plan| plan.inverse()));
            } else {
                phases.extend(plans);
            }
        }
        let broken = chain::mend(&mut phases);
        let above = root;
        let root = Path::new("/").join(os(above.as_bytes()));
        let mut changed = changed(store, &root, last, &phases)?;
        changed.extend(broken);
        changed.sort();
        changed.dedup();
        // A directory with something in it that stays must stay, too.
        let held = |op: &Op| {
            let is_dir = op.change.old().is_some_and(|old| matches!(old, Thing::Dir(_)));
            is_dir && changed.iter().any(|path| path.below(&op.path).is_some())
        };
        let held: Vec<RelPath> =
            phases.iter().flat_map(|plan| plan.ops.unusual()).filter(held).map(|op| op.path).collect();
        for plan in &mut phases {
            let is_left = |op: &Op| {
                !changed.iter().any(|path| op.path.below(path).is_some())
                    && !held.iter().any(|path| match op.change {
                        // The files in it have operations of their own, which are done.
                        Change::Remove(_) => op.path == *path,
                        _ => op.path.below(path).is_some(),
                    })
            };
            plan.ops = plan.ops.iter().filter(is_left).collect();
        }
        phases.retain(|plan| !plan.is_empty());
        let ids: Vec<u64> = headers.iter().map(|header| header.id).collect();
        let mut at = BTreeMap::new();
        let now = known_through(store, store.base()?, &ids, &mut at, Some(history.state(to)))?;
        let then = at.remove(&history.state(to));
        let session = then.as_ref().map(|then| then.session.clone());
        let session = session.filter(|session| *session != now.session);
        // The generation that says the rest may expire before the way to it does.
        let mut entered = now;
        phases.iter().flat_map(|plan| plan.ops.iter()).for_each(|op| entered.enter(&op, &above));
        let known = then.filter(|then| *then != entered).map(|then| then.rebased(|path| path.below(&above)));
        let is_forward = steps.iter().any(|step| !step.is_back);
        Ok(Way { to, root, phases, changed, is_forward, session, known })
    }

    /// Returns the backups that plans made beside their links and that no plan has put back: the link's path below
    /// `root`, and the backup's name.
    ///
    /// # Errors
    /// When a generation cannot be read.
    pub fn backups(&self, root: &Path) -> Result<BTreeMap<RelPath, Name>> {
        use std::os::unix::ffi::OsStrExt;
        let mut backups = BTreeMap::new();
        let Some(store) = self.store() else { return Ok(backups) };
        let root = root.as_os_str().as_bytes().strip_prefix(b"/").unwrap_or_default();
        let Some(root) = RelPath::new(root) else { return Ok(backups) };
        for id in store.generations()? {
            let record = store.generation(id)?;
            for op in record.phases.iter().flat_map(|plan| plan.ops.iter()) {
                let Some(path) = record.header.root.join_path(&op.path).below(&root) else { continue };
                match op.change {
                    Change::Displace { to: Place::Beside(name), .. } => drop(backups.insert(path, name)),
                    Change::Restore { from: Place::Beside(_), .. } => drop(backups.remove(&path)),
                    _ => {}
                }
            }
        }
        Ok(backups)
    }

    /// Returns what plans made below `root`, or found there and took over, and nothing has taken away since.
    ///
    /// # Errors
    /// When a generation cannot be read.
    pub fn known(&self, root: &Path) -> Result<Known> {
        use std::os::unix::ffi::OsStrExt;
        let Some(store) = self.store() else { return Ok(Known::default()) };
        let root = root.as_os_str().as_bytes().strip_prefix(b"/").unwrap_or_default();
        let Some(root) = RelPath::new(root) else { return Ok(Known::default()) };
        let (ids, base) = (store.generations()?, store.base()?);
        let known = match says_all(store, &ids, &base)? {
            Some(at) => all_known(store, Known::default(), &ids[at..])?,
            None => all_known(store, base, &ids)?,
        };
        Ok(known.rebased(|path| path.below(&root)))
    }

    /// Returns the numbers of the generations that were begun before `time`, in seconds since 1970; never the last's.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn older(&self, time: i64) -> Result<Vec<u64>> {
        let headers = self.generations()?;
        let old =
            headers.iter().take(headers.len().saturating_sub(1)).take_while(|header| header.time < time);
        Ok(old.map(|header| header.id).collect())
    }

    /// Drops generations, the oldest that there are, with all that they keep and no other names.
    ///
    /// # Errors
    /// When one cannot be read, or the first of them not be dropped; then nothing is.
    pub fn expire(&self, ids: &[u64]) -> Result<Expired> {
        let mut expired = Expired::default();
        let Some(store) = self.store() else { return Ok(expired) };
        let mut slots = BTreeMap::new();
        for id in store.generations()? {
            slots.insert(id, slots_of(&store.generation(id)?));
        }
        for &id in ids {
            let mut gone = slots.remove(&id).unwrap_or_default();
            gone.insert(id);
            // A rollback that does a plan again uses the slot of the generation that the plan is from.
            gone.retain(|slot| !slots.contains_key(slot) && !slots.values().any(|used| used.contains(slot)));
            let drop_it = || {
                // What it made stays known without it. Going through it twice, after an interruption, comes to the same.
                store.set_base(&all_known(store, store.base()?, &[id])?)?;
                store.drop_generation(id, &gone)
            };
            match drop_it() {
                Ok(()) => expired.ids.push(id),
                Err(error) if expired.ids.is_empty() => return Err(error),
                Err(error) => {
                    expired.left_over.push(error);
                    break;
                }
            }
        }
        match store.remove_expired() {
            Ok(left) => expired.left_over.extend(left),
            Err(error) => expired.left_over.push(error),
        }
        expired.left_over.extend(self.drop_unnamed().err());
        Ok(expired)
    }

    /// Drops the files that farm wrote and that neither a generation names, nor what is known of the farm.
    ///
    /// # Errors
    /// When a generation cannot be read, or a file not be removed.
    fn drop_unnamed(&self) -> Result<()> {
        let Some(store) = self.store() else { return Ok(()) };
        let mut named = BTreeSet::new();
        let mut name = |known: &Known| {
            named.extend(known.links.values().map(last_name));
            named.extend(known.files.values().map(|stored| stored.name.as_bytes().to_vec()));
            let scripts = known.session.iter().filter_map(|path| path.rsplit('/').next());
            named.extend(scripts.map(|name| name.as_bytes().to_vec()));
        };
        name(&store.base()?);
        let mut changes = Vec::new();
        for id in store.generations()? {
            let record = store.generation(id)?;
            record.header.known.iter().for_each(&mut name);
            changes.push(record.phases);
        }
        for change in changes.iter().flatten().flat_map(|plan| plan.ops.changes()) {
            named.extend(change.texts().map(last_name));
            named.extend(change.files().map(|stored| stored.name.as_bytes().to_vec()));
        }
        store.keep_rendered(&named)
    }
}

/// Returns the slots that a record's plans use.
fn slots_of(record: &Record) -> BTreeSet<u64> {
    let changes = record.phases.iter().flat_map(|plan| plan.ops.changes());
    changes.filter_map(|change| change.slot()).map(|slot| slot.0).collect()
}

/// Returns what is known after these generations, by paths from the file system's root, when `base` is what was before.
fn all_known(store: &Store, base: Known, ids: &[u64]) -> Result<Known> {
    known_through(store, base, ids, &mut BTreeMap::new(), None)
}

/// Returns which of the generations is the last that says all that is known, so that those before it need not be read:
/// there may be hundreds, each as long as the farm is large. None when one that follows goes back to before it.
fn says_all(store: &Store, ids: &[u64], base: &Known) -> Result<Option<usize>> {
    let headers = ids.iter().map(|&id| store.header_and_known(id)).collect::<Result<Vec<_>>>()?;
    let Some(at) = headers.iter().rposition(|(_, says_all)| *says_all) else { return Ok(None) };
    let root = &headers[at].0.root;
    let outside = base.rebased(|path| path.below(root).is_none().then(|| path.clone()));
    let is_whole = headers[..at].iter().all(|(header, _)| header.root.below(root).is_some())
        && outside == Known { session: outside.session.clone(), ..Known::default() };
    let is_after = |(header, _): &(Header, bool)| header.back_to.is_none_or(|to| to >= ids[at]);
    Ok(Some(at).filter(|_| is_whole && headers[at..].iter().all(is_after)))
}

/// As [`all_known`], and enters what was known after each of the generations in `at` that others go back to, and `also`
/// after that one.
fn known_through(
    store: &Store,
    base: Known,
    ids: &[u64],
    at: &mut BTreeMap<u64, Known>,
    also: Option<u64>,
) -> Result<Known> {
    let mut known = base;
    let back_to = ids.iter().map(|&id| store.header(id).map(|header| header.back_to));
    let mut back_to: BTreeSet<u64> = back_to.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    back_to.extend(also);
    if let Some(before) = ids.first().and_then(|first| first.checked_sub(1)) {
        at.insert(before, known.clone());
    }
    for &id in ids {
        let record = store.generation(id)?;
        let root = &record.header.root;
        match record.header.back_to.and_then(|id| at.get(&id)) {
            Some(before) => known = before.clone(),
            None => {
                let ops = record.phases.iter().flat_map(|plan| plan.ops.iter());
                ops.for_each(|op| known.enter(&op, root));
            }
        }
        if let Some(whole) = &record.header.known {
            // It says all of what is below its root, and nothing of the rest.
            let mut rest = known.rebased(|path| path.below(root).is_none().then(|| path.clone()));
            let whole = whole.rebased(|path| Some(root.join_path(path)));
            rest.links.extend(whole.links);
            rest.dirs.extend(whole.dirs);
            rest.files.extend(whole.files);
            rest.contents.extend(whole.contents);
            rest.session = whole.session;
            known = rest;
        }
        if back_to.contains(&id) {
            at.insert(id, known.clone());
        }
    }
    Ok(known)
}

/// Returns what comes last in a link's text: of a file that farm wrote, its name.
fn last_name(text: &LinkText) -> Vec<u8> {
    text.as_bytes().rsplit(|&byte| byte == b'/').next().unwrap_or_default().to_vec()
}

fn missing(id: u64) -> Error {
    let error = io::Error::new(io::ErrorKind::NotFound, "there is none, or it has expired");
    Error::new("go back to generation", id.to_string(), error)
}

/// Generations as states: each that is no rollback made one out of another.
struct History<'a> {
    headers: &'a [Header],
}

/// A generation to be done or taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Step {
    id: u64,
    is_back: bool,
}

impl History<'_> {
    fn header(&self, id: u64) -> Option<&Header> {
        let at = self.headers.binary_search_by_key(&id, |header| header.id).ok()?;
        self.headers.get(at)
    }

    /// Returns the generation that first made the state that generation `id` made; where that has expired and a rollback
    /// made the state again, the rollback.
    fn state(&self, id: u64) -> u64 {
        let mut id = id;
        while let Some(header) = self.header(id)
            && let Some(back) = header.back_to
            && !(header.is_forward && self.header(back).is_none())
        {
            id = back;
        }
        id
    }

    /// Returns the state that generation `id` made its own out of; `None` where that has been forgotten.
    fn before(&self, id: u64) -> Option<u64> {
        let state = self.state(id);
        self.header(state)?;
        state.checked_sub(1).map(|before| self.state(before))
    }

    /// Returns a state and those that it came from, the oldest last.
    fn ancestry(&self, id: u64) -> Vec<u64> {
        std::iter::successors(Some(self.state(id)), |&state| self.before(state)).collect()
    }

    /// Returns what leads from the state that one generation made to another's: back to where the two parted, then
    /// forward.
    fn steps(&self, from: u64, to: u64) -> Option<Vec<Step>> {
        let (there, here) = (self.ancestry(to), self.ancestry(from));
        let parted = *here.iter().find(|state| there.contains(state))?;
        let back = here.iter().take_while(|&&state| state != parted).map(|&id| Step { id, is_back: true });
        let forward: Vec<_> = there.iter().take_while(|&&state| state != parted).collect();
        let forward = forward.into_iter().rev().map(|&id| Step { id, is_back: false });
        Some(back.chain(forward).collect())
    }
}

/// Returns a plan for a farm whose root lies above that of `plan` by `prefix`.
fn rebased(plan: &Plan, prefix: &RelPath) -> Plan {
    let mut plan = plan.clone();
    if prefix.is_root() {
        return plan;
    }
    plan.ops.edit(|op| {
        op.path = prefix.join_path(&op.path);
        if let Change::Displace { to: Place::Package { at, .. }, .. }
        | Change::Restore { from: Place::Package { at, .. }, .. } = &mut op.change
        {
            *at = Route::below_root(prefix.clone()).follow(&at.to_bytes());
        }
    });
    plan
}

/// Returns the paths where the disk is not as the first operation there expects.
fn changed(store: &Store, root: &Path, header: &Header, phases: &[Plan]) -> Result<Vec<RelPath>> {
    let handle = Handle::open(root).map_err(|error| Error::new("open", root, error))?;
    let site = Site { root: &handle, root_path: root, store: Some(store), problem: None, stop: &|| false };
    let mut seen: BTreeSet<RelPath> = BTreeSet::new();
    let (mut first, mut added) = (Vec::new(), Vec::new());
    for op in phases.iter().flat_map(|plan| plan.ops.iter()) {
        // What an earlier operation does there, above, or below decides what this one finds.
        let above = std::iter::successors(Some(op.path.clone()), |path| Some(path.split()?.0));
        let is_seen = above.into_iter().any(|path| seen.contains(&path))
            || seen.range(&op.path..).next().is_some_and(|path| path.below(&op.path).is_some());
        if !is_seen {
            seen.insert(op.path.clone());
            first.push(op);
            continue;
        }
        if let Change::Remove(Thing::Dir(pieces)) = &op.change {
            let dirs = pieces.iter().filter(|piece| piece.text.is_none()).map(|piece| &piece.path);
            for dir in std::iter::once(&RelPath::root()).chain(dirs) {
                let there = handle.open_below(&op.path.join_path(dir)).and_then(|dir| dir.list(Texts::None));
                let Ok(there) = there else { continue };
                let is_known = |path: &RelPath| {
                    pieces.iter().any(|piece| piece.path == *path) || {
                        let path = op.path.join_path(path);
                        seen.range(&path..).next().is_some_and(|seen| seen.below(&path).is_some())
                    }
                };
                let names = there.names().map(|name| dir.join(&name)).filter(|path| !is_known(path));
                added.extend(names.map(|path| op.path.join_path(&path)));
            }
        }
        seen.insert(op.path.clone());
    }
    let mut changed = not_ready(&site, header, &first)?;
    changed.extend(added);
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Generations from 1 on; what a number says is the generation that it goes back to.
    fn headers(back: &[Option<u64>]) -> Vec<Header> {
        let header = |(at, back_to): (usize, &Option<u64>)| {
            let mut header = Header::new(at as u64 + 1, String::new(), RelPath::root(), 0, Vec::new());
            header.back_to = *back_to;
            header
        };
        back.iter().enumerate().map(header).collect()
    }

    fn steps(headers: &[Header], from: u64, to: u64) -> Option<Vec<i64>> {
        let signed = |step: Step| if step.is_back { -(step.id as i64) } else { step.id as i64 };
        Some(History { headers }.steps(from, to)?.into_iter().map(signed).collect())
    }

    #[test]
    fn the_way_back_takes_back_one_after_the_other() {
        let headers = headers(&[None, None, None]);
        assert_eq!(steps(&headers, 3, 1), Some(vec![-3, -2]));
        assert_eq!(steps(&headers, 3, 0), Some(vec![-3, -2, -1]));
        assert_eq!(steps(&headers, 3, 3), Some(vec![]));
        assert_eq!(steps(&headers, 3, 4), None);
    }

    #[test]
    fn what_was_gone_back_to_is_where_things_are() {
        // 3 undoes 2, 4 undoes 1, 5 goes forward to 2 again, 6 is something new.
        let headers = headers(&[None, None, Some(1), Some(0), Some(2), None]);
        assert_eq!(History { headers: &headers }.before(3), Some(0));
        assert_eq!(History { headers: &headers }.before(4), None);
        assert_eq!(steps(&headers, 4, 2), Some(vec![1, 2]));
        assert_eq!(steps(&headers, 6, 3), Some(vec![-6, -2]));
        assert_eq!(steps(&headers, 6, 0), Some(vec![-6, -2, -1]));
    }

    #[test]
    fn states_that_parted_are_reached_by_way_of_what_they_share() {
        // 3 undoes 2, 4 is another way on from 1.
        let headers = headers(&[None, None, Some(1), None]);
        assert_eq!(steps(&headers, 4, 2), Some(vec![-4, 2]));
    }

    #[test]
    fn what_has_expired_is_no_way() {
        let all = headers(&[None, None, None, Some(2)]);
        let headers = &all[2..];
        assert_eq!(steps(headers, 3, 2), Some(vec![-3]));
        assert_eq!(steps(headers, 3, 1), None);
    }

    #[test]
    fn what_was_done_again_can_be_taken_back_when_the_first_time_has_expired() {
        // 2 undoes 1, 3 does it again.
        let mut all = headers(&[None, Some(0), Some(1), None]);
        all[2].is_forward = true;
        assert_eq!(steps(&all, 4, 0), Some(vec![-4, -1]));
        assert_eq!(steps(&all[1..], 4, 0), Some(vec![-4, -3]));
        let headers = &all[2..];
        assert_eq!(History { headers }.before(3), Some(2));
        assert_eq!(steps(headers, 4, 3), Some(vec![-4]));
        assert_eq!(steps(headers, 4, 2), Some(vec![-4, -3]));
    }
}
