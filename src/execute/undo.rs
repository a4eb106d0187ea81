//! Taking one operation back, from whatever point it was interrupted at.
//!
//! Nothing is remembered: each state that [`perform`](Ground::perform) goes through can be told from what stands at the
//! operation's path, under the run's own names beside it, and where things go. So taking back can itself be
//! interrupted, and done again.

use std::io;

use super::ground::{At, Ground, building, changed};
use super::perform::{discard, is_copy_of, unbuild};
use crate::copy;
use crate::error::Error;
use crate::op::{Change, Entry, Op, Place, Slot, Thing};

const ELSE: &str = "somebody else changed it since";
const IN_USE: &str = "somebody else put something into it";

impl Ground<'_> {
    /// Takes back what was done of an operation, the run's number `index`, if anything was.
    ///
    /// `certain` says that it was done completely.
    ///
    /// # Errors
    /// When somebody else changed what it made, or the system says no; what is there stays then.
    pub fn undo(&mut self, index: usize, op: &Op, certain: bool) -> Result<(), Error> {
        let Some(at) = self.at_if_there(&op.path, certain)? else { return self.look_elsewhere(index, op) };
        let staged = self.own(index, &at, "");
        self.settle(index, op, &at)?;
        if op.change.files().next().is_some() {
            remove_begun(&staged)?;
        }
        match &op.change {
            Change::Make(thing) => self.unmake(op, &at, &staged, thing, certain),
            Change::Remove(_) => {
                if staged.exists()? {
                    self.close(&op.path);
                    put_back(&staged, &at)?;
                }
                Ok(())
            }
            Change::Swap { new, .. } => {
                self.close(&op.path);
                self.unswap(index, &at, &staged, new)
            }
            Change::Displace { to, new, .. } => {
                self.close(&op.path);
                self.undisplace(index, op, &at, to, new)
            }
            Change::Restore { from, old, .. } => {
                self.close(&op.path);
                self.unrestore(index, op, &at, from, old)
            }
        }
    }

    /// Removes names of the run's own for what has its place, or is back in it.
    fn settle(&self, index: usize, op: &Op, at: &At) -> Result<(), Error> {
        ["", "a", "n"].iter().try_for_each(|purpose| self.own(index, at, purpose).settle(at))?;
        let (Change::Displace { to: place, .. } | Change::Restore { from: place, .. }) = &op.change else {
            return Ok(());
        };
        if let Some(place_at) = self.place(op, at, place, false)? {
            ["b", "c", "e"]
                .iter()
                .try_for_each(|purpose| self.own(index, &place_at, purpose).settle(&place_at))?;
            taken(&self.own(index, &place_at, "c")).settle(&place_at)?;
            self.left(index, place, &place_at)?.settle(&place_at)?;
        }
        if let Some(kept) = op.change.slot().map_or(Ok(None), |slot| self.kept(op, slot, false))? {
            let copied = self.own(index, &kept, "k");
            copied.settle(&kept)?;
            taken(&copied).settle(&kept)?;
        }
        Ok(())
    }

    /// Looks whether something of an operation is where things go or come from, when the directory of its path is gone:
    /// moved away, or on a disk that is not there now.
    fn look_elsewhere(&self, index: usize, op: &Op) -> Result<(), Error> {
        let (Change::Displace { to: place, .. } | Change::Restore { from: place, .. }) = &op.change else {
            return Ok(());
        };
        let entry = match place {
            Place::Package { at, .. } => self.package_entry(at, 0, false)?,
            Place::Kept(_) | Place::Equal(_) | Place::Beside(_) => None,
        };
        let kept = op.change.slot().map_or(Ok(None), |slot| self.kept(op, slot, false))?;
        let is_ours = |at: &At, purposes: &[&str]| {
            let exist = purposes.iter().map(|purpose| self.own(index, at, purpose).exists());
            exist.collect::<Result<Vec<bool>, Error>>().map(|exist| exist.contains(&true))
        };
        for (at, is_entry) in entry.iter().map(|at| (at, true)).chain(kept.iter().map(|at| (at, false))) {
            let is_here = match (&op.change, place) {
                // Nothing was there before.
                (Change::Displace { .. }, Place::Package { entry: Entry::Old(_), .. }) if is_entry => {
                    let inode = self.header.inodes.get(&index);
                    inode.is_some() && at.inode()?.as_ref() == inode
                }
                (Change::Displace { .. }, _) => at.exists()?,
                (Change::Restore { old, .. }, _) => at.is(old)? || self.left(index, place, at)?.exists()?,
                _ => false,
            };
            if is_here || is_ours(at, &["b", "c", "e", "k"])? {
                let path = self.shown_path(&op.path);
                let message = format!("its directory is not there, and {} is of it", at.path().display());
                return Err(Error::new("put back", path, io::Error::new(io::ErrorKind::NotFound, message)));
            }
        }
        Ok(())
    }

    fn unmake(&mut self, op: &Op, at: &At, staged: &At, thing: &Thing, certain: bool) -> Result<(), Error> {
        // Only a directory that is more than one call is staged, and whatever is taken back.
        if staged.exists()? {
            return discard(staged, thing);
        }
        let is_empty_dir = matches!(thing, Thing::Dir(pieces) if pieces.is_empty());
        if is_empty_dir {
            self.close(&op.path);
            return match at.dir.rmdir(&at.name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                // It may have been there already, when the step was never done.
                Err(error) if !certain && error.kind() == io::ErrorKind::NotADirectory => Ok(()),
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                    Err(at.error("remove directory", changed(IN_USE)))
                }
                removed => removed.map_err(|error| at.error("remove directory", error)),
            };
        }
        if at.is(thing)? {
            self.close(&op.path);
            at.rename(staged).map_err(|error| at.error("remove", error))?;
            if !staged.is(thing)? {
                put_back(staged, at)?;
                return Err(at.error("remove", changed(ELSE)));
            }
            return discard(staged, thing);
        }
        if at.exists()? { Err(at.error("remove", changed(ELSE))) } else { Ok(()) }
    }

    fn unswap(&self, index: usize, at: &At, staged: &At, new: &Thing) -> Result<(), Error> {
        if self.unswap_without_exchange(index, at, staged, new)? || !staged.exists()? {
            return Ok(());
        }
        if !staged.is_part_of(new)? {
            self.exchange_back(index, at, staged, new)?;
        }
        discard(staged, new)
    }

    /// Takes back a swap on a file system without an exchange, as far as it has begun; tells whether it had.
    fn unswap_without_exchange(
        &self,
        index: usize,
        at: &At,
        staged: &At,
        new: &Thing,
    ) -> Result<bool, Error> {
        let aside = self.own(index, at, "a");
        if !aside.exists()? {
            return Ok(false);
        }
        if at.is(new)? {
            at.rename(staged).map_err(|error| at.error("remove", error))?;
        }
        put_back(&aside, at)?;
        discard(staged, new)?;
        Ok(true)
    }

    /// Puts what is at `other` back in the place of `new`, or where `new` is no more.
    fn exchange_back(&self, index: usize, at: &At, other: &At, new: &Thing) -> Result<(), Error> {
        if !at.is(new)? {
            return put_back(other, at);
        }
        if at.exchange(other).map_err(|error| at.error("put back", error))? {
            return Ok(());
        }
        // Only where a file system lost its exchange between doing and taking back.
        let new = self.own(index, at, "n");
        at.rename(&new).map_err(|error| at.error("put back", error))?;
        put_back(other, at)?;
        new.rename(other).map_err(|error| at.error("put back", error))
    }

    fn undisplace(
        &mut self,
        index: usize,
        op: &Op,
        at: &At,
        place: &Place,
        new: &Thing,
    ) -> Result<(), Error> {
        let to = self.place(op, at, place, false)?;
        match &to {
            Some(to) => {
                self.take_back(index, at, to, new)?;
                // What is there now and is not what a package had came from `at`, where somebody else put something.
                let had_something = match place {
                    Place::Package { entry: Entry::Old(slot), .. } => {
                        !self.own(index, to, "e").exists()?
                            && self.kept(op, *slot, false)?.map_or(Ok(true), |kept| Ok(!kept.exists()?))?
                    }
                    _ => false,
                };
                // As long as the thing itself is at `at`, nothing came from there: somebody else put something at `to`.
                if !had_something && to.exists()? && !self.is_unmoved(index, at)? {
                    put_back(to, at)?;
                }
            }
            None => {
                let staged = self.own(index, at, "");
                if !self.unswap_without_exchange(index, at, &staged, new)? && staged.exists()? {
                    if !staged.is_part_of(new)? {
                        self.exchange_back(index, at, &staged, new)?;
                    }
                    discard(&staged, new)?;
                }
            }
        }
        if let (Place::Package { entry: Entry::Old(slot), .. }, Some(entry)) = (place, &to) {
            self.return_old_entry(index, op, entry, *slot)?;
        }
        self.remove_package_dirs(place)
    }

    /// Tells whether what an operation moves out of the way is where it was.
    fn is_unmoved(&self, index: usize, at: &At) -> Result<bool, Error> {
        let inode = self.header.inodes.get(&index);
        Ok(inode.is_some() && at.inode()?.as_ref() == inode)
    }

    /// Puts back what a package had in an adopted file's place.
    fn return_old_entry(&self, index: usize, op: &Op, entry: &At, slot: Slot) -> Result<(), Error> {
        let Some(kept) = self.kept(op, slot, false)? else { return Ok(()) };
        let (old, copied) = (self.own(index, entry, "e"), self.own(index, &kept, "k"));
        copy::remove(&copied.dir, &copied.name).map_err(|error| copied.error("remove", error))?;
        if old.exists()? {
            remove_taken(&old, &kept, &copied)?;
            if kept.exists()? {
                remove_copy(&old, &kept, &copied)?;
            }
            return put_back(&old, entry);
        }
        if kept.exists()? && !entry.exists()? { put_back(&kept, entry) } else { Ok(()) }
    }

    /// Takes back what went to `to`; see [`give`](Ground::give) for the ways it may have gone.
    fn take_back(&self, index: usize, at: &At, to: &At, new: &Thing) -> Result<(), Error> {
        let staged = self.own(index, at, "");
        let (built, copied) = (self.own(index, to, "b"), self.own(index, to, "c"));
        if let Thing::File(_) = new {
            remove_begun(&built)?;
        }
        discard(&built, new)?;
        let mut has_copy_begun = copied.exists()?;
        if has_copy_begun {
            copy::remove(&copied.dir, &copied.name).map_err(|error| copied.error("remove", error))?;
        }
        let aside = self.own(index, at, "a");
        if aside.exists()? {
            if at.is(new)? {
                at.rename(&staged).map_err(|error| at.error("remove", error))?;
            }
            put_back(&aside, at)?;
        }
        if staged.exists()? {
            let is_new = staged.is_part_of(new)?;
            has_copy_begun |= remove_taken(if is_new { at } else { &staged }, to, &copied)?;
            if !is_new {
                if !at.exists()? && !has_copy_begun && to.exists()? {
                    remove_copy(&staged, to, &copied)?;
                }
                self.exchange_back(index, at, &staged, new)?;
            } else if !at.exists()? {
                // It went to `to` while the name was free.
                put_back(to, at)?;
                return discard(&staged, new);
            }
            // The copy goes before what is staged, which tells that there is one.
            if !has_copy_begun && to.exists()? {
                remove_copy(at, to, &copied)?;
            }
            return discard(&staged, new);
        }
        if to.is(new)? {
            return unbuild(to, &built, new);
        }
        if at.is(new)? {
            if !to.exists()? {
                return Err(at.error("put back", changed("what was there is gone")));
            }
            if at.exchange(to).map_err(|error| at.error("put back", error))? {
                return unbuild(to, &built, new);
            }
            at.rename(&staged).map_err(|error| at.error("put back", error))?;
            put_back(to, at)?;
            return discard(&staged, new);
        }
        Ok(())
    }

    fn unrestore(&self, index: usize, op: &Op, at: &At, place: &Place, old: &Thing) -> Result<(), Error> {
        let remove =
            |copy: &At| copy::remove(&copy.dir, &copy.name).map_err(|error| copy.error("remove", error));
        let (staged, aside) = (self.own(index, at, ""), self.own(index, at, "a"));
        let from = self.place(op, at, place, false)?;
        let left = match &from {
            Some(from) => self.left(index, place, from)?,
            // The directories that it came from went.
            None => self.left(index, place, at)?,
        };
        if left.exists()? || aside.exists()? {
            self.remake_package_dirs(place)?;
        }
        let Some(from) = self.place(op, at, place, false)? else { return Ok(()) };
        if (left.exists()? || aside.exists()? && at.exists()?)
            && let Place::Package { entry: Entry::Old(slot), .. } = place
        {
            self.keep_again(index, op, &from, *slot)?;
        }
        if left.exists()? {
            put_back(&left, &from)?;
        }
        if aside.exists()? {
            if at.exists()? {
                // A copy came, when the original is still there.
                let is_copy = from.exists()?;
                let back = if is_copy { &staged } else { &from };
                at.rename(back).map_err(|error| at.error("put back", error))?;
                if is_copy && !is_copy_of(&staged, &from)? {
                    put_back(&staged, at)?;
                    return Err(at.error("remove the copy", changed(ELSE)));
                }
            }
            put_back(&aside, at)?;
            return remove(&staged);
        }
        if staged.exists()? {
            if staged.is(old)? {
                if !at.exists()? {
                    return put_back(&staged, at);
                }
                trade_back(at, &staged)?;
                if !is_copy_of(&staged, &from)? {
                    // As it was: that what is there is no copy is seen again the next time.
                    trade_back(at, &staged)?;
                    return Err(at.error("remove the copy", changed(ELSE)));
                }
            } else if !at.is(old)? && is_copy_of(at, &from)? {
                // What went out of the copy's way is somebody else's.
                trade_back(at, &staged)?;
            }
            return remove(&staged);
        }
        if from.is(old)? && !at.is(old)? {
            if !at.exists()? {
                return put_back(&from, at);
            }
            trade_back(at, &from)?;
        }
        Ok(())
    }

    /// Moves what a package got back to where it was kept.
    fn keep_again(&self, index: usize, op: &Op, entry: &At, slot: Slot) -> Result<(), Error> {
        let copied = self.own(index, entry, "c");
        copy::remove(&copied.dir, &copied.name).map_err(|error| copied.error("remove", error))?;
        let Some(kept) = self.kept(op, slot, true)? else { return Ok(()) };
        let original = self.own(index, &kept, "k");
        if original.exists()? {
            put_back(&original, &kept)?;
        }
        remove_taken(&kept, entry, &copied)?;
        match (entry.exists()?, kept.exists()?) {
            (true, true) => remove_copy(&kept, entry, &copied),
            (true, false) => put_back(entry, &kept),
            _ => Ok(()),
        }
    }
}

/// Removes the part of a file that there was time to write for the name `at`.
fn remove_begun(at: &At) -> Result<(), Error> {
    let begun = building(at);
    copy::remove(&begun.dir, &begun.name).map_err(|error| begun.error("remove", error))
}

/// Removes the copy at `to` of what is at `at`. It is taken first and then looked at: what is no copy goes back. A copy
/// gets the name `aside`: half of one is none any more, and would be taken for somebody else's when this is interrupted.
fn remove_copy(at: &At, to: &At, aside: &At) -> Result<(), Error> {
    to.rename(&taken(aside)).map_err(|error| to.error("remove the copy", error))?;
    remove_taken(at, to, aside).map(|_| ())
}

/// Goes on with [`remove_copy`] where that was interrupted; tells whether it was.
fn remove_taken(at: &At, to: &At, aside: &At) -> Result<bool, Error> {
    let taken = taken(aside);
    if !taken.exists()? {
        return Ok(false);
    }
    let same = is_copy_of(&taken, at);
    if !matches!(same, Ok(true)) {
        put_back(&taken, to)?;
        return same.and_then(|_| Err(to.error("remove the copy", changed(ELSE))));
    }
    taken.rename(aside).map_err(|error| to.error("remove the copy", error))?;
    copy::remove(&aside.dir, &aside.name).map_err(|error| to.error("remove the copy", error))?;
    Ok(true)
}

/// Returns the name under which a copy is looked at before it gets the name `aside` and goes.
fn taken(aside: &At) -> At {
    aside.beside(&[&aside.name[..], b"t"].concat())
}

/// Lets what came back and the farm's own thing change places again.
fn trade_back(at: &At, other: &At) -> Result<(), Error> {
    match at.exchange(other) {
        Ok(true) => Ok(()),
        Ok(false) => Err(at.error("put back", io::ErrorKind::Unsupported)),
        Err(error) => Err(at.error("put back", error)),
    }
}

/// Moves something back to where nothing is.
pub fn put_back(from: &At, to: &At) -> Result<(), Error> {
    from.rename(to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => to.error("put back", changed(ELSE)),
        _ => to.error("put back", error),
    })
}
