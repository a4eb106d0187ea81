//! Cleaning up after one operation, once all are committed.
//!
//! Every name but the run's own is as planned by then. This only goes forward, can be interrupted anywhere, and be
//! done again.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use super::ground::{At, Ground, changed};
use super::perform::{discard, is_copy_of};
use crate::copy;
use crate::error::Error;
use crate::op::{Change, Entry, Op, Place, Thing};
use crate::path::RelPath;
use crate::sys::{Found, is_nowhere};

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
            Change::Displace { to, new, .. } => {
                // What was copied is on the disk in its new place; what equals the package's file, behind the link.
                let place = self.place(op, &at, to, false)?;
                let copy = match (&place, to) {
                    (None, Place::Equal(_)) => self.behind(op, &at, new).ok(),
                    _ => place.clone(),
                };
                remove_original(&staged, copy.as_ref())?;
                remove_original(&aside, copy.as_ref())?;
                let Some(place) = place else { return Ok(None) };
                match to {
                    Place::Package { entry: Entry::Old(slot), .. } => {
                        let kept = self.kept(op, *slot, false)?;
                        remove_original(&self.own(index, &place, "e"), kept.as_ref())?;
                        Ok(kept.map(|kept| (place.path(), kept.path())))
                    }
                    Place::Kept(_) => Ok(Some((at.path(), place.path()))),
                    Place::Package { .. } | Place::Beside(_) | Place::Equal(_) => Ok(None),
                }
            }
            Change::Restore { from, old, .. } => {
                discard(&staged, old)?;
                discard(&aside, old)?;
                let place = self.place(op, &at, from, false)?;
                remove_left(&self.left(index, from, place.as_ref().unwrap_or(&at))?, &at, old)?;
                if let Place::Package { entry: Entry::Old(slot), .. } = from
                    && let Some(kept) = self.kept(op, *slot, false)?
                {
                    remove_original(&self.own(index, &kept, "k"), place.as_ref())?;
                }
                Ok(None)
            }
        }
    }
}

/// Removes what something that came back left where it was: the farm's own thing, or the original of a copy.
fn remove_left(left: &At, at: &At, old: &Thing) -> Result<(), Error> {
    let is_old = left.is(old)?;
    // Of a directory of the farm's goes what the farm made, when somebody puts something into it.
    let is_changed =
        || Ok(matches!(old, Thing::Dir(_)) && left.look()? == Some(Found::Dir) && !is_copy_of(left, at)?);
    if is_old || !going(left).exists()? && is_changed()? {
        return discard(left, old);
    }
    remove_original(left, Some(at))
}

/// Removes the original of a copy: it is looked at once more, and stays when it has changed since. Then it gets another
/// name: half of it is no copy any more, and would be taken for changed when this is interrupted.
fn remove_original(original: &At, copy: Option<&At>) -> Result<(), Error> {
    let going = going(original);
    remove(&going)?;
    if !original.exists()? {
        return Ok(());
    }
    let same = copy.map_or(Ok(false), |copy| is_copy_of(original, copy))?;
    if !same {
        return Err(original.error("remove", changed("it or its copy changed since it was copied")));
    }
    original.rename(&going).map_err(|error| original.error("remove", error))?;
    remove(&going)
}

/// Returns the name under which an original goes.
fn going(original: &At) -> At {
    original.beside(&[&original.name[..], b"g"].concat())
}

fn remove(at: &At) -> Result<(), Error> {
    copy::remove(&at.dir, &at.name).map_err(|error| at.error("remove", error))
}
