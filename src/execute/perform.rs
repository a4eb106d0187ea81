//! Doing one operation.

use std::io;
use std::ops::Range;

use super::ground::{At, Ground, changed};
use crate::copy;
use crate::error::Error;
use crate::op::{Change, Entry, Op, Piece, Place, Slot, Thing, What};
use crate::path::{Name, RelPath};
use crate::scan::equal;
use crate::sys::{Found, Handle};
use crate::tree::{Entries, Texts};

impl Ground<'_> {
    /// Does an operation, the run's number `index`.
    ///
    /// # Errors
    /// When the world is not as planned, or the system says no; [`undo`](Self::undo) takes back what was done of it.
    pub fn perform(&mut self, index: usize, op: &Op) -> Result<(), Error> {
        let at = self.at(&op.path)?;
        match &op.change {
            Change::Make(Thing::Link(text)) => {
                at.dir.symlink(text.as_bytes(), &at.name).map_err(|error| at.error("make link", error))
            }
            Change::Make(Thing::Dir(pieces)) if pieces.is_empty() => {
                at.dir.mkdir(&at.name).map_err(|error| at.error("make directory", error))
            }
            Change::Make(tree) => {
                let staged = self.own(index, &at, "");
                self.stage(&staged, tree)?;
                self.touch_files(&op.change, &at);
                let verb = if let Thing::File(_) = tree { "make file" } else { "make directory" };
                staged.rename(&at).map_err(|error| at.error(verb, error))
            }
            Change::Remove(thing) => {
                let aside = self.own(index, &at, "");
                self.touch_files(&op.change, &at);
                if let Thing::Dir(_) = thing {
                    self.close(&op.path);
                }
                take(&at, &aside, thing, "remove")
            }
            Change::Swap { old, new } => {
                let staged = self.own(index, &at, "");
                self.stage(&staged, new)?;
                self.touch_files(&op.change, &at);
                if let Thing::Dir(_) = old {
                    self.close(&op.path);
                }
                let aside = self.swap(index, &at, &staged)?;
                if aside.is(old)? { Ok(()) } else { Err(at.error("replace", changed(OTHER))) }
            }
            Change::Displace { what, to, new } => {
                self.close(&op.path);
                self.displace(index, op, &at, what, to, new)
            }
            Change::Restore { what, from, old } => {
                if !at.is(old)? {
                    return Err(at.error("replace", changed(OTHER)));
                }
                self.close(&op.path);
                self.restore(index, op, &at, what, from, old)
            }
        }
    }

    /// Makes those of a directory's links that `part` says: `begin` is asked before each, whose `None` ends it, and `done`
    /// is told after. The operations are numbered from `first`, that of the first link.
    ///
    /// # Errors
    /// When something is there, or the system says no.
    pub fn make_all<E: From<Error>>(
        &mut self,
        first: usize,
        dir: &RelPath,
        links: &Entries,
        part: Range<usize>,
        begin: impl Fn(usize) -> Result<Option<()>, E>,
        done: impl Fn(usize),
    ) -> Result<(), E> {
        let dir = self.opened(dir)?;
        let mut text = Vec::new();
        let links = (first..).zip(links.links()).take(part.end).skip(part.start);
        for (index, (name, leads)) in links {
            if begin(index)?.is_none() {
                return Ok(());
            }
            text.clear();
            match leads {
                Ok(head) => [head, b"/", name].iter().for_each(|part| text.extend_from_slice(part)),
                Err(whole) => text.extend_from_slice(whole.as_bytes()),
            }
            dir.symlink(&text, name).map_err(|error| dir.error("make link", name, error))?;
            done(index);
        }
        Ok(())
    }

    /// Looks whether an operation that moves somebody's bytes can be begun. When this fails nothing was done of it, and
    /// nothing is to be taken back: what stands where the bytes would go is somebody else's.
    ///
    /// # Errors
    /// When it cannot be begun.
    pub fn check(&mut self, op: &Op) -> Result<(), Error> {
        let Change::Displace { what, to, .. } = &op.change else { return Ok(()) };
        let at = self.at(&op.path)?;
        if !at.is_a(what)? {
            return Err(at.error("replace", changed(OTHER)));
        }
        match self.place(op, &at, to, false)? {
            Some(to_at)
                if !matches!(to, Place::Package { entry: Entry::Old(_), .. }) && to_at.exists()? =>
            {
                Err(to_at.error("move something to", io::ErrorKind::AlreadyExists))
            }
            _ => Ok(()),
        }
    }

    /// Tells whether the disk is as an operation expects.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn is_ready(&mut self, op: &Op) -> Result<bool, Error> {
        // Where there is no directory, nothing can be in the way, and nothing be taken away.
        let Some(at) = self.at_if_there(&op.path, false)? else { return Ok(false) };
        match &op.change {
            Change::Make(_) => Ok(!at.exists()?),
            Change::Remove(old) | Change::Swap { old, .. } => at.is(old),
            Change::Displace { what, to, new } => {
                if !at.is_a(what)? {
                    return Ok(false);
                }
                let to_at = self.place(op, &at, to, false)?;
                if let Place::Equal(_) = to {
                    let Ok(source) = self.behind(op, &at, new) else { return Ok(false) };
                    let same = equal(&at.dir, &at.name, &source.dir, &source.name);
                    return same.map_err(|error| at.error("compare", error));
                }
                let takes_turns = matches!(to, Place::Package { entry: Entry::Old(_), .. });
                Ok(takes_turns || to_at.map_or(Ok(true), |to| to.exists().map(|there| !there))?)
            }
            Change::Restore { what, from, old } => {
                let from = self.place(op, &at, from, false)?;
                Ok(at.is(old)? && from.map_or(Ok(false), |from| from.is_a(what))?)
            }
        }
    }

    /// Lets what is staged take the place of what is at `at`; returns where the old thing is now.
    fn swap(&self, index: usize, at: &At, staged: &At) -> Result<At, Error> {
        let fail = |error| at.error("replace", error);
        if at.exchange(staged).map_err(fail)? {
            return Ok(staged.clone());
        }
        // A file system without an exchange: the name is free for a moment.
        let aside = self.own(index, at, "a");
        at.rename(&aside).map_err(fail)?;
        staged.rename(at).map_err(fail)?;
        Ok(aside)
    }

    fn displace(
        &mut self,
        index: usize,
        op: &Op,
        at: &At,
        what: &What,
        to: &Place,
        new: &Thing,
    ) -> Result<(), Error> {
        let to_at = self.place(op, at, to, true)?;
        self.touch_package_dirs(to, true);
        let old_entry = match (to, &to_at) {
            (Place::Package { entry: Entry::Old(slot), .. }, Some(entry)) => {
                Some(self.take_old_entry(index, op, entry, *slot)?)
            }
            _ => None,
        };
        let now = match &to_at {
            Some(to_at) => self.give(index, at, to_at, new)?,
            None if matches!(to, Place::Equal(_)) => {
                let staged = self.own(index, at, "");
                self.stage(&staged, new)?;
                self.swap(index, at, &staged)?
            }
            None => return Err(at.error("keep", self.keeps_nothing())),
        };
        self.moved(at, &now);
        if !now.is_a(what)? {
            return Err(at.error("replace", changed(OTHER)));
        }
        if matches!(to, Place::Equal(_)) {
            let source = self.behind(op, at, new)?;
            let same = equal(&now.dir, &now.name, &source.dir, &source.name);
            if !same.map_err(|error| at.error("compare", error))? {
                return Err(at.error("replace", changed("it no longer equals the package's file")));
            }
        }
        if let Some((old, kept)) = old_entry {
            shift(&old, &kept, &self.own(index, &kept, "k"))?;
            self.moved(&old, &kept);
        }
        Ok(())
    }

    /// Moves what a package has in an adopted file's place to a name of the run's own; returns that, and where it will
    /// be kept.
    fn take_old_entry(&self, index: usize, op: &Op, entry: &At, slot: Slot) -> Result<(At, At), Error> {
        let Some(kept) = self.kept(op, slot, true)? else {
            return Err(entry.error("keep", self.keeps_nothing()));
        };
        if entry.look()? == Some(Found::Dir) {
            return Err(entry.error("replace", io::ErrorKind::IsADirectory));
        }
        if kept.exists()? {
            return Err(kept.error("keep something at", io::ErrorKind::AlreadyExists));
        }
        let old = self.own(index, entry, "e");
        entry.rename(&old).map_err(|error| entry.error("move aside", error))?;
        Ok((old, kept))
    }

    /// Moves what is at `at` to `to`, where nothing is, and puts `new` in its place, in one step if that can be;
    /// returns where the old thing is now.
    fn give(&self, index: usize, at: &At, to: &At, new: &Thing) -> Result<At, Error> {
        // The new thing is built where the old one goes, and the two change places.
        let built = self.own(index, to, "b");
        self.build(to, &built, new)?;
        match at.exchange(to) {
            Ok(true) => return Ok(to.clone()),
            Ok(false) => {
                unbuild(to, &built, new)?;
                let staged = self.own(index, at, "");
                self.stage(&staged, new)?;
                match at.rename(to) {
                    Ok(()) => {
                        staged.rename(at).map_err(|error| at.error("replace", error))?;
                        return Ok(to.clone());
                    }
                    Err(error) if error.kind() == io::ErrorKind::CrossesDevices => discard(&staged, new)?,
                    Err(error) => return Err(to.error("move to", error)),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => unbuild(to, &built, new)?,
            Err(error) => return Err(at.error("replace", error)),
        }
        // Another file system: the copy is complete and on the disk before it has its name, and the original stays
        // until all is done.
        let copied = self.own(index, to, "c");
        copy::copy(&at.dir, &at.name, &copied.dir, &copied.name).map_err(|error| at.error("copy", error))?;
        let staged = self.own(index, at, "");
        self.stage(&staged, new)?;
        copied.rename(to).map_err(|error| to.error("move to", error))?;
        let original = self.swap(index, at, &staged)?;
        if !is_copy_of(&original, to)? {
            return Err(at.error("move", changed("it changed while it was copied")));
        }
        Ok(to.clone())
    }

    fn restore(
        &mut self,
        index: usize,
        op: &Op,
        at: &At,
        what: &What,
        place: &Place,
        old: &Thing,
    ) -> Result<(), Error> {
        let from = self.place(op, at, place, false)?.filter(|from| from.is_a(what).unwrap_or(false));
        let Some(from) = from else {
            return Err(at.error("restore", changed("what should come back is not there any more")));
        };
        self.moved(&from, at);
        self.touch_package_dirs(place, false);
        let brought = self.bring(index, at, &from, old)?;
        if brought != Brought::Moved {
            // What is left there gets a name of the run's own: the place is free.
            let left = self.left(index, place, &from)?;
            from.rename(&left).map_err(|error| from.error("move aside", error))?;
            // Somebody may have put something else there just before.
            let is_it = match brought {
                Brought::Copied => is_copy_of(&left, at)?,
                _ => left.is(old)?,
            };
            if !is_it {
                return Err(from.error("restore", changed("it changed while it was brought back")));
            }
        }
        if let Place::Package { entry: Entry::Old(slot), .. } = place
            && let Some(kept) = self.kept(op, *slot, false)?
            && kept.exists()?
        {
            shift(&kept, &from, &self.own(index, &from, "c"))?;
            self.moved(&kept, &from);
            if kept.exists()? {
                let original = self.own(index, &kept, "k");
                kept.rename(&original).map_err(|error| kept.error("move aside", error))?;
            }
        }
        self.remove_package_dirs(place)
    }

    /// Lets what is at `from` take the place of `old` at `at`.
    fn bring(&self, index: usize, at: &At, from: &At, old: &Thing) -> Result<Brought, Error> {
        match at.exchange(from) {
            Ok(true) => {
                if from.is(old)? {
                    return Ok(Brought::Exchanged);
                }
                // Undoing tells by what is at `from` whether this was done, so it must not stay like that.
                at.exchange(from).map_err(|error| at.error("put back", error))?;
                return Err(at.error("restore", changed(OTHER)));
            }
            Ok(false) => {
                let aside = self.own(index, at, "a");
                take(at, &aside, old, "restore")?;
                match from.rename(at) {
                    Ok(()) => return Ok(Brought::Moved),
                    Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                        aside.rename(at).map_err(|error| at.error("put back", error))?;
                    }
                    Err(error) => return Err(at.error("restore", error)),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
            Err(error) => return Err(at.error("restore", error)),
        }
        let copied = self.own(index, at, "");
        let copy = copy::copy(&from.dir, &from.name, &copied.dir, &copied.name);
        copy.map_err(|error| from.error("copy", error))?;
        if !is_copy_of(from, &copied)? {
            return Err(from.error("restore", changed("it changed while it was copied")));
        }
        let aside = self.swap(index, at, &copied)?;
        if aside.is(old)? { Ok(Brought::Copied) } else { Err(at.error("restore", changed(OTHER))) }
    }

    /// As [`stage`](Self::stage), at a name that is not the run's own: there a directory or a file is complete or not there
    /// at all, so that nobody takes a part of it for something else. `built` is a name of the run's own beside it.
    fn build(&self, at: &At, built: &At, thing: &Thing) -> Result<(), Error> {
        if let Thing::Link(_) = thing {
            return stage(at, thing);
        }
        self.stage(built, thing)?;
        built.rename(at).map_err(|error| at.error("make", error))
    }

    /// Notes that the directory in which a file comes or goes must be on the disk before the commit.
    fn touch_files(&mut self, change: &Change, at: &At) {
        if change.files().next().is_some() {
            self.touch(at);
        }
    }

    /// Opens what a link at an operation's path leads to.
    pub fn behind(&self, op: &Op, at: &At, link: &Thing) -> Result<At, Error> {
        let bad = || Error::new("follow", at.path(), io::ErrorKind::NotFound);
        let (parent, _) = op.path.split().ok_or_else(bad)?;
        let route = link.as_link().and_then(|text| text.route_from(&parent)).ok_or_else(bad)?;
        self.package_entry(&route, 0, false)?.ok_or_else(bad)
    }
}

/// How something came back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Brought {
    /// Nothing is where it was.
    Moved,
    /// What it took the place of is where it was.
    Exchanged,
    /// A copy came; the original is where it was.
    Copied,
}

pub const OTHER: &str = "it is no longer what was there";

/// Takes `thing` away to the name `aside`, looks at what came, and leaves it there.
fn take(at: &At, aside: &At, thing: &Thing, verb: &'static str) -> Result<(), Error> {
    at.rename(aside).map_err(|error| at.error(verb, error))?;
    if aside.is(thing)? { Ok(()) } else { Err(at.error(verb, changed(OTHER))) }
}

/// Moves something to where nothing is; across file systems a copy gets the name and the original stays.
fn shift(from: &At, to: &At, copied: &At) -> Result<(), Error> {
    match from.rename(to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
        done => return done.map_err(|error| to.error("move to", error)),
    }
    let copy = || {
        copy::copy(&from.dir, &from.name, &copied.dir, &copied.name)?;
        copied.rename(to)
    };
    copy().map_err(|error| from.error("copy", error))
}

/// Tells whether two things are the same but for their names. In directories, names of the run's own do not count: what
/// earlier phases put out of the way was copied along, and is cleaned up in one of the two first.
pub fn is_copy_of(one: &At, other: &At) -> Result<bool, Error> {
    let same = copy::is_copy(&one.dir, &one.name, &other.dir, &other.name, |name| !one.is_own(name));
    same.map_err(|error| one.error("compare", error))
}

/// Builds links and directories under a name where nothing is.
pub fn stage(at: &At, thing: &Thing) -> Result<(), Error> {
    let pieces = match thing {
        Thing::Link(text) => {
            return at.dir.symlink(text.as_bytes(), &at.name).map_err(|error| at.error("make link", error));
        }
        Thing::File(_) => return Err(at.error("write", io::ErrorKind::Unsupported)),
        Thing::Dir(pieces) => pieces,
    };
    at.dir.mkdir(&at.name).map_err(|error| at.error("make directory", error))?;
    each_piece(at, pieces.iter(), false, |dir, name, piece| match &piece.text {
        Some(text) => dir.symlink(text.as_bytes(), name),
        None => dir.mkdir(name),
    })
}

/// As [`discard`], with the care of [`build`](Ground::build).
pub fn unbuild(at: &At, built: &At, thing: &Thing) -> Result<(), Error> {
    if let Thing::Link(_) = thing {
        return discard(at, thing);
    }
    at.rename(built).map_err(|error| at.error("remove", error))?;
    discard(built, thing)
}

/// Removes a thing of the farm's, and nothing else: what somebody put into a directory stays, and is an error.
pub fn discard(at: &At, thing: &Thing) -> Result<(), Error> {
    let fail = |error| at.error("remove", error);
    let pieces = match (thing, at.look()?) {
        (_, None) => return Ok(()),
        (Thing::Link(_), Some(Found::Link)) => return at.dir.unlink(&at.name).map_err(fail),
        (Thing::File(_), Some(Found::File)) if at.is(thing)? => {
            return at.dir.unlink(&at.name).map_err(fail);
        }
        (Thing::Dir(pieces), Some(Found::Dir)) => pieces,
        _ => return Err(fail(changed("it is not what farm made"))),
    };
    each_piece(at, pieces.iter().rev(), true, |dir, name, piece| {
        let removed = match &piece.text {
            Some(text) => match dir.link_text(name) {
                Ok(found) if found == *text => dir.unlink(name),
                // Somebody else's, then; the directory stays for it.
                Err(error) if error.kind() != io::ErrorKind::InvalidInput => Err(error),
                _ => Ok(()),
            },
            None => remove_dir(at, dir, name),
        };
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    })?;
    remove_dir(at, &at.dir, &at.name).map_err(fail)
}

/// Removes a directory in which nothing is but what the run itself put out of the way.
fn remove_dir(at: &At, dir: &Handle, name: &[u8]) -> io::Result<()> {
    match dir.rmdir(name) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
        done => return done,
    }
    let path = Name::new(name).map_or_else(RelPath::root, |name| RelPath::from_names([&name]));
    let inside = dir.open_below(&path)?;
    for name in dir.open_below(&path)?.list(Texts::None)?.names() {
        if at.is_own(name.as_bytes()) {
            copy::remove(&inside, name.as_bytes())?;
        }
    }
    dir.rmdir(name)
}

/// Does something for each piece of a directory; `skip` leaves those out whose directory is missing.
fn each_piece<'p>(
    at: &At,
    pieces: impl Iterator<Item = &'p Piece>,
    skip: bool,
    each: impl Fn(&Handle, &[u8], &Piece) -> io::Result<()>,
) -> Result<(), Error> {
    let Some(top) = Name::new(&at.name) else { return Ok(()) };
    let top = RelPath::from_names([&top]);
    let mut last: Option<(RelPath, Handle)> = None;
    for piece in pieces {
        let Some((above, name)) = piece.path.split() else { continue };
        let path = || at.path().join(crate::sys::os(piece.path.as_bytes()));
        let dir = match last.take() {
            Some((known, dir)) if known == above => dir,
            _ => match at.dir.open_below(&top.join_path(&above)) {
                Err(error) if skip && error.kind() == io::ErrorKind::NotFound => continue,
                dir => dir.map_err(|error| Error::new("open directory", path(), error))?,
            },
        };
        each(&dir, name.as_bytes(), piece).map_err(|error| Error::new("change", path(), error))?;
        last = Some((above, dir));
    }
    Ok(())
}
