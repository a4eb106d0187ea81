//! Cleaning up after one operation, once all are committed.
//!
//! Every name but the run's own is as planned by then. This only goes forward, can be interrupted anywhere, and be
//! done again.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use super::ground::{At, Ground};
use super::perform::discard;
use crate::copy;
use crate::error::Error;
use crate::op::{Change, Entry, Op, Place, Thing};
use crate::path::RelPath;
use crate::sys::is_nowhere;

/// What the state directory keeps now: where it was, and where it is.
type Kept = Option<(PathBuf, PathBuf)>;

impl Ground<'_> {
    /// Removes the links of a directory that [`take_all`](Self::take_all) has put out of the way; returns what is left
    /// over.
    pub fn finish_all(&mut self, indices: Range<usize>, dir: &RelPath) -> Vec<Error> {
        let dir = match self.opened(dir) {
            Ok(dir) => dir,
            Err(error) if is_nowhere(&error.source) => return Vec::new(),
            Err(error) => return vec![error],
        };
        let mut left_over = Vec::new();
        let mut own = Vec::new();
        for index in indices {
            self.name_own(index, &mut own);
            match dir.unlink(&own) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    left_over.push(dir.error("remove", &own, error));
                }
                _ => {}
            }
        }
        left_over
    }

    /// Removes what an operation, the run's number `index`, has put out of the way.
    ///
    /// # Errors
    /// The system's; the farm is as planned all the same.
    pub fn finish(&mut self, index: usize, op: &Op) -> Result<Kept, Error> {
        if let Change::Make(_) = op.change {
            return Ok(None);
        }
        let Some(at) = self.at_if_there(&op.path, false)? else { return Ok(None) };
        let (staged, aside) = (self.own(index, &at, ""), self.own(index, &at, "a"));
        match &op.change {
            Change::Make(_) => Ok(None),
            // What lies there was looked at when it was taken.
            Change::Remove(Thing::Link(_)) => match staged.dir.unlink(&staged.name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(staged.error("remove", error)),
                _ => Ok(None),
            },
            Change::Remove(thing) => discard(&staged, thing).map(|()| None),
            Change::Swap { old, .. } => {
                discard(&staged, old)?;
                discard(&aside, old).map(|()| None)
            }
            Change::Displace { to, .. } => {
                // What was copied is on the disk in its new place.
                remove(&staged)?;
                remove(&aside)?;
                let Some(place) = self.place(op, &at, to, false)? else { return Ok(None) };
                match to {
                    Place::Package { entry: Entry::Old(slot), .. } => {
                        remove(&self.own(index, &place, "e"))?;
                        Ok(self.kept(op, *slot, false)?.map(|kept| (place.path(), kept.path())))
                    }
                    Place::Kept(_) => Ok(Some((at.path(), place.path()))),
                    Place::Package { .. } | Place::Beside(_) | Place::Equal(_) => Ok(None),
                }
            }
            Change::Restore { from, old, .. } => {
                remove_old(&staged, old)?;
                remove_old(&aside, old)?;
                let place = self.place(op, &at, from, false)?;
                remove_old(&self.left(index, from, place.as_ref().unwrap_or(&at))?, old)?;
                if let Place::Package { entry: Entry::Old(slot), .. } = from
                    && let Some(kept) = self.kept(op, *slot, false)?
                {
                    remove(&self.own(index, &kept, "k"))?;
                }
                Ok(None)
            }
        }
    }
}

/// Removes the farm's own thing with care, and what else is there because it was copied.
fn remove_old(at: &At, old: &Thing) -> Result<(), Error> {
    if at.is(old)? { discard(at, old) } else { remove(at) }
}

fn remove(at: &At) -> Result<(), Error> {
    copy::remove(&at.dir, &at.name).map_err(|error| at.error("remove", error))
}
