//! Removing links when a plan does nothing else, as when packages are unlinked.
//!
//! Each link of a directory is taken away to one name of the run's own and looked at there, and the next one takes its
//! place; the last is removed. So what goes is never anything but a link that was looked at where nobody else had to do
//! with it. What is gone is made again when the run is taken back: the plan has its text, and its room has just become free.

use std::io;

use super::ground::{At, Ground, changed};
use super::perform::{OTHER, discard, stage};
use super::progress::State;
use super::undo::put_back;
use crate::error::Error;
use crate::op::{Change, Group, Op, Ops, Plan, Thing};

/// What the name for the links of a directory has behind the number of the first.
const TAKEN: &str = "t";

/// Returns the operations of a run that does nothing but remove links.
pub fn only_removal(phases: &[Plan]) -> Option<&Ops> {
    let [plan] = phases else { return None };
    plan.ops.only_remove_links().then_some(&plan.ops)
}

impl Ground<'_> {
    /// Removes the links of a group, one after the other: `go_on` is asked before each, whose `None` ends it, and `note` is
    /// told how far each has come.
    ///
    /// # Errors
    /// When something else is there, or the system says no; [`restore_links`](Self::restore_links) takes back what was done.
    pub fn remove_links<E: From<Error>>(
        &mut self,
        group: &Group,
        go_on: impl Fn() -> Result<Option<()>, E>,
        note: impl Fn(usize, State),
    ) -> Result<(), E> {
        let dir = self.opened(group.dir())?;
        let taken = self.own_in(group.first(), &dir, TAKEN);
        let fail = |name: &[u8], error: io::Error| match error.kind() {
            // The last link has the name, which no directory can take.
            io::ErrorKind::NotADirectory => dir.error("remove", name, changed(OTHER)),
            _ => dir.error("remove", name, error),
        };
        let mut found = Vec::new();
        for (index, (name, leads)) in (group.first()..).zip(group.links_removed()) {
            if go_on()?.is_none() {
                return Ok(());
            }
            let is_it = |text: &[u8]| match &leads {
                Ok(head) => text.strip_prefix(*head).and_then(|tail| tail.strip_prefix(b"/")) == Some(name),
                Err(whole) => text == whole.as_bytes(),
            };
            // Two names of one inode: a rename from one to the other would do nothing.
            if is_it(&found) {
                dir.unlink(&taken.name).map_err(|error| fail(name, error))?;
            }
            dir.rename_over(name, &taken.name).map_err(|error| fail(name, error))?;
            note(index, State::Begun);
            let looked = match dir.read_text(&taken.name, &mut found) {
                Ok(()) if is_it(&found) => Ok(()),
                Err(error) if error.kind() != io::ErrorKind::InvalidInput => Err(error),
                _ => Err(changed(OTHER)),
            };
            if let Err(error) = looked {
                let at = taken.beside(name);
                if taken.rename(&at).is_ok() {
                    note(index, State::NotBegun);
                } else {
                    // Where it would be looked for if it had been taken by itself.
                    let _ = taken.rename(&self.own(index, &taken, ""));
                }
                return Err(at.error("remove", error).into());
            }
            note(index, State::Done);
        }
        let removed = dir.unlink(&taken.name);
        Ok(removed.map_err(|error| dir.error("remove", &taken.name, error))?)
    }

    /// Takes back what was done of a group; returns what could not be. `has_begun` tells of which operations anything was
    /// done; without it that is not known.
    pub fn restore_links(&mut self, group: &Group, has_begun: Option<&dyn Fn(usize) -> bool>) -> Vec<Error> {
        let has_begun_any = |index| has_begun.is_none_or(|has_begun| has_begun(index));
        let ops: Vec<(usize, Op)> = group.numbered().collect();
        let Some((_, op)) = ops.iter().find(|(index, _)| has_begun_any(*index)) else { return Vec::new() };
        let at = match self.at_if_there(&op.path, has_begun.is_some()) {
            Ok(Some(at)) => at,
            Ok(None) => return Vec::new(),
            Err(error) => return vec![error],
        };
        let gone: Vec<Gone> = ops.into_iter().filter_map(|(index, op)| Gone::new(index, op, &at)).collect();
        let taken = self.own(group.first(), &at, TAKEN);
        let stays = match came_from(&taken, &gone) {
            Ok(Origin::Nowhere) => None,
            Ok(Origin::Place(Gone { index, at, link })) => {
                put_back_or_discard(&taken, at, link).err().map(|error| (Some(*index), error))
            }
            Ok(Origin::Unknown) => {
                let message = "it is not a link of farm's, and nothing tells where it was";
                Some((None, taken.error("put back", changed(message))))
            }
            // Empty places are what tells; they stay for the next try.
            Err(error) => return vec![error],
        };
        let (place, error) = stays.unzip();
        let is_to_come = |gone: &&Gone| has_begun_any(gone.index) && place != Some(Some(gone.index));
        let restored = gone.iter().rev().filter(is_to_come).filter_map(|gone| self.restore_link(gone).err());
        error.into_iter().chain(restored).collect()
    }

    fn restore_link(&self, gone: &Gone) -> Result<(), Error> {
        let Gone { index, at, link } = gone;
        let own = self.own(*index, at, "");
        own.settle(at)?;
        if own.exists()? {
            return put_back_or_discard(&own, at, link);
        }
        // What is there was never taken, or somebody put it there since.
        if at.exists()? { Ok(()) } else { stage(at, link) }
    }
}

/// A link that goes.
struct Gone {
    index: usize,
    at: At,
    link: Thing,
}

impl Gone {
    /// Returns the link that an operation removes, in the directory of `at`.
    fn new(index: usize, op: Op, at: &At) -> Option<Gone> {
        let (_, name) = op.path.split()?;
        let Change::Remove(link) = op.change else { return None };
        Some(Gone { index, at: at.beside(name.as_bytes()), link })
    }
}

/// Puts back what was taken from `at`; a link of farm's gives way to what somebody put there since.
fn put_back_or_discard(taken: &At, at: &At, link: &Thing) -> Result<(), Error> {
    if at.exists()? && taken.is(link)? { discard(taken, link) } else { put_back(taken, at) }
}

/// Where what was taken last was.
enum Origin<'g> {
    /// Nothing is taken.
    Nowhere,
    /// In the place of this link.
    Place(&'g Gone),
    /// Nothing tells.
    Unknown,
}

/// Returns where what was taken last was. A link of the group's knows its own place; what somebody put in the place of one
/// came from the last place that is empty.
fn came_from<'g>(taken: &At, gone: &'g [Gone]) -> Result<Origin<'g>, Error> {
    gone.iter().try_for_each(|Gone { at, .. }| taken.settle(at))?;
    if !taken.exists()? {
        return Ok(Origin::Nowhere);
    }
    for gone in gone {
        if taken.is(&gone.link)? {
            return Ok(Origin::Place(gone));
        }
    }
    let mut is_next_untaken = true;
    for gone in gone.iter().rev() {
        if !gone.at.exists()? {
            return Ok(if is_next_untaken { Origin::Place(gone) } else { Origin::Unknown });
        }
        is_next_untaken = gone.at.is(&gone.link)?;
    }
    Ok(Origin::Unknown)
}
