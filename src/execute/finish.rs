//! Cleaning up after one operation, once all are committed.
//!
//! Every name but the run's own is as planned by then. This only goes forward, can be interrupted anywhere, and be
//! done again.

use std::io;
use std::path::PathBuf;

use super::ground::{At, Ground, changed};
use super::perform::{discard, is_copy_of};
use super::trail::Spot;
use crate::copy;
use crate::error::Error;
use crate::op::{Change, Entry, Op, Place, Plan, Thing};
use crate::sys::Found;

/// What the state directory keeps now: where it was, and where it is.
type Kept = Option<(PathBuf, PathBuf)>;

impl Ground<'_> {
    /// Removes what an operation, the run's number `index`, has put out of the way; `later` are the phases after its own.
    ///
    /// # Errors
    /// The system's; the farm is as planned all the same.
    pub fn finish(&mut self, index: usize, op: &Op, later: &[Plan]) -> Result<Kept, Error> {
        if let Change::Make(_) = op.change {
            return Ok(None);
        }
        let Some(at) = self.spot(&Spot::Target(op.path.clone()).beside_after(later))? else {
            return Ok(None);
        };
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
                let place = match to {
                    Place::Package { .. } => self.spot(&Spot::of(&op.path, to).beside_after(later))?,
                    _ => self.place(op, &at, to, false)?,
                };
                let copy = match (&place, to) {
                    (None, Place::Equal(_)) => self.behind(op, &at, new).ok(),
                    _ => None,
                };
                for original in [&staged, &aside] {
                    match &copy {
                        Some(copy) => remove_original(original, |original| is_copy_of(original, copy))?,
                        None => self.remove_original(original, Spot::of(&op.path, to), later)?,
                    }
                }
                let Some(place) = place else { return Ok(None) };
                match to {
                    Place::Package { entry: Entry::Old(slot), .. } => {
                        let kept = self.kept(op, *slot, false)?;
                        let original = self.own(index, &place, "e");
                        self.remove_original(&original, Spot::Kept(*slot, op.path.clone()), later)?;
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
                let left = self.left(index, from, place.as_ref().unwrap_or(&at))?;
                self.remove_left(&left, Spot::Target(op.path.clone()), old, later)?;
                if let Place::Package { entry: Entry::Old(slot), .. } = from
                    && let Some(kept) = self.kept(op, *slot, false)?
                {
                    let original = self.own(index, &kept, "k");
                    self.remove_original(&original, Spot::of(&op.path, from), later)?;
                }
                Ok(None)
            }
        }
    }

    /// Removes what something that came back to `spot` left where it was: the farm's own thing, or the original of a copy.
    fn remove_left(&mut self, left: &At, spot: Spot, old: &Thing, later: &[Plan]) -> Result<(), Error> {
        if left.is(old)? {
            return discard(left, old);
        }
        // Of a directory of the farm's goes what the farm made, when somebody put something into it.
        if let (Thing::Dir(_), Some(Found::Dir)) = (old, left.look()?)
            && !going(left).exists()?
            && !self.is_copied(left, spot.clone(), later)?
        {
            return discard(left, old);
        }
        self.remove_original(left, spot, later)
    }

    /// Removes the original of what was copied to `spot`.
    fn remove_original(&mut self, original: &At, spot: Spot, later: &[Plan]) -> Result<(), Error> {
        remove_original(original, |original| self.is_copied(original, spot, later))
    }

    /// Tells whether what was copied to `spot` is still the same as its original, as far as the run itself did not change
    /// it since.
    fn is_copied(&mut self, original: &At, spot: Spot, later: &[Plan]) -> Result<bool, Error> {
        let Some(spot) = spot.after(later) else { return Ok(true) };
        let copy = self.spot(&spot)?;
        copy.map_or(Ok(false), |copy| is_copy_of(original, &copy))
    }
}

/// Removes the original of a copy: it is looked at once more, and stays when it has changed since. Then it gets another
/// name: half of it is no copy any more, and would be taken for changed when this is interrupted.
fn remove_original(original: &At, is_copied: impl FnOnce(&At) -> Result<bool, Error>) -> Result<(), Error> {
    let going = going(original);
    remove(&going)?;
    if !original.exists()? {
        return Ok(());
    }
    if !is_copied(original)? {
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
