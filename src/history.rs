//! Generations: what earlier plans did to a target, and the way back.
//!
//! Every change is a generation, a rollback too. The way from one state to another is the plans in between, forward or
//! inverse, one after the other.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::execute::{Site, is_ready};
use crate::farm::Memory;
use crate::journal::{Header, Record};
use crate::op::{Change, Place, Plan};
use crate::path::{Name, RelPath, Route};
use crate::store::Store;
use crate::sys::{Handle, os};

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

    /// Returns the way to the state that generation `to` made, or to the one before the present.
    ///
    /// # Errors
    /// When there is no such generation, or it has expired, or cannot be read.
    pub fn way(&self, to: Option<u64>) -> Result<Way> {
        let headers = self.generations()?;
        let (Some(first), Some(last)) = (headers.first(), headers.last()) else {
            return Err(missing(to.unwrap_or(0)));
        };
        let state = |id| state_of(&headers, id);
        let now = state(last.id);
        let to = match to {
            Some(to) if to > last.id || to + 1 < first.id => return Err(missing(to)),
            Some(to) => to,
            // Before the first that is known, nothing is.
            None => now.checked_sub(1).filter(|before| before + 1 >= first.id).ok_or_else(|| missing(0))?,
        };
        let goal = state(to);
        let store = self.store().ok_or_else(|| missing(to))?;
        let is_known = |from: u64, to: u64| from.min(to) + 1 >= first.id;
        // What was rolled back to is where things are, whatever lies between.
        let (from, goal) = if is_known(now, goal) { (now, goal) } else { (last.id, to) };
        let ids: Vec<u64> =
            if goal < from { (goal + 1..=from).rev().collect() } else { (from + 1..=goal).collect() };
        let records = ids.iter().map(|&id| store.generation(id)).collect::<Result<Vec<_>>>()?;
        let roots = records.iter().map(|record| &record.header.root);
        let root = roots.min_by_key(|root| root.depth()).cloned().unwrap_or_else(|| last.root.clone());
        let mut phases = Vec::new();
        for record in records {
            let prefix = record.header.root.below(&root).unwrap_or_default();
            let plans = record.phases.iter().map(|plan| rebased(plan, &prefix));
            if goal < from {
                phases.extend(plans.rev().map(|plan| plan.inverse()));
            } else {
                phases.extend(plans);
            }
        }
        let root = Path::new("/").join(os(root.as_bytes()));
        let changed = changed(store, &root, last, &phases)?;
        for plan in &mut phases {
            plan.ops.retain(|op| !changed.iter().any(|path| op.path.below(path).is_some()));
        }
        phases.retain(|plan| !plan.is_empty());
        Ok(Way { to, root, phases, changed })
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
            for op in record.phases.into_iter().flat_map(|plan| plan.ops) {
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

    /// Drops the generations that were begun before `time`, in seconds since 1970, with what they kept, but never the
    /// last; returns their numbers.
    ///
    /// # Errors
    /// When one cannot be read or removed; those before it are gone.
    pub fn expire(&self, time: i64) -> Result<Vec<u64>> {
        let Some(store) = self.store() else { return Ok(Vec::new()) };
        let headers = self.generations()?;
        let old =
            headers.iter().take(headers.len().saturating_sub(1)).take_while(|header| header.time < time);
        let ids: Vec<u64> = old.map(|header| header.id).collect();
        for &id in &ids {
            store.drop_generation(id)?;
        }
        Ok(ids)
    }
}

fn missing(id: u64) -> Error {
    let error = io::Error::new(io::ErrorKind::NotFound, "there is none, or it has expired");
    Error::new("go back to generation", id.to_string(), error)
}

/// Returns the generation that first made the state that generation `id` made.
fn state_of(headers: &[Header], id: u64) -> u64 {
    let mut id = id;
    while let Some(back) = headers.iter().find(|header| header.id == id).and_then(|header| header.back_to) {
        id = back;
    }
    id
}

/// Returns a plan for a farm whose root lies above that of `plan` by `prefix`.
fn rebased(plan: &Plan, prefix: &RelPath) -> Plan {
    let mut plan = plan.clone();
    if prefix.is_root() {
        return plan;
    }
    for op in &mut plan.ops {
        op.path = prefix.join_path(&op.path);
        if let Change::Displace { to: Place::Package { at, .. }, .. }
        | Change::Restore { from: Place::Package { at, .. }, .. } = &mut op.change
        {
            *at = Route::below_root(prefix.clone()).follow(&at.to_bytes());
        }
    }
    plan
}

/// Returns the paths where the disk is not as the first operation there expects.
fn changed(store: &Store, root: &Path, header: &Header, phases: &[Plan]) -> Result<Vec<RelPath>> {
    let handle = Handle::open(root).map_err(|error| Error::new("open", root, error))?;
    let site = Site { root: &handle, root_path: root, store: Some(store), stop: &|| false };
    let mut seen: Vec<&RelPath> = Vec::new();
    let mut changed = Vec::new();
    for op in phases.iter().flat_map(|plan| &plan.ops) {
        // What an earlier operation does there, or above, decides what this one finds.
        if seen.iter().any(|path| op.path.below(path).is_some()) {
            continue;
        }
        if !is_ready(&site, header, op)? {
            changed.push(op.path.clone());
        }
        seen.push(&op.path);
    }
    Ok(changed)
}
