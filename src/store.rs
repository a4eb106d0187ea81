//! The state directory: what farm remembers of one target.
//!
//! Below it each target has a directory with a lock, the journal of the plan that is being done, the records of those
//! that were (generations), and what they moved out of the way. Losing it loses history, never the farm.

use std::collections::BTreeSet;
use std::fs::{File, Permissions, TryLockError};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::journal::{self, Header, Record};
use crate::known::Known;
use crate::op::{Plan, Slot};
use crate::path::{Name, RelPath};
use crate::rendered::{Content, Rendered, Stored};
use crate::sys::{Handle, fault, is_nowhere, os, wants_writing};
use crate::tree::Texts;

const LOCK: &str = "lock";
const JOURNAL: &str = "journal";
const UNFINISHED: &str = "journal.new";
const COMMITTED: &str = "committed";
const GENERATIONS: &str = "generations";
const KEPT: &str = "kept";
const RENDERED: &str = "rendered";
/// What the name of a file begins with that is being written; the others begin with a number.
const UNFINISHED_FILE: &[u8] = b"new-";
const SET_ASIDE: &str = ".set-aside.";
const EXPIRED: &str = ".expired.";
const BASE: &str = "known";
const NEW_BASE: &str = "known.new";
const PENDING: &str = "pending";
const NEW_PENDING: &str = "pending.new";

/// The verb of an error about the record of a generation.
pub const READ_GENERATION: &str = "read generation";

/// Asked when another farm is at work on the target; tells whether to wait for it.
pub type Wait<'a> = &'a dyn Fn() -> bool;

/// The memory of one target, locked: nobody else changes the farm as long as this lives.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    dir: Handle,
    /// The target, from the file system's root.
    target: RelPath,
    /// Held until the process ends, however it ends.
    _lock: File,
}

/// What a plan that was interrupted has left.
#[derive(Debug)]
pub enum Interrupted {
    /// A journal: the plan was begun.
    Begun(Record),
    /// A committed record: the plan was done, and what went out of the way is still there.
    Committed(Record),
}

/// Returns the directory that holds the memory of the target.
pub fn directory(state: &Path, target: &Path) -> PathBuf {
    state.join("targets").join(name_of(target))
}

/// Returns a name that stands for an absolute path.
fn name_of(target: &Path) -> String {
    // FNV-1a: the same on every machine and in every version, and nobody attacks the name of a directory of their own.
    let hash = target.as_os_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let name = target.file_name().map_or("root".into(), |name| name.to_string_lossy());
    // Two hundred bytes at most: a name takes 255.
    let name: String = name.chars().take(50).collect();
    format!("{name}-{hash:016x}")
}

/// What was done to files that farm wrote into the state directory.
#[derive(Debug, Default)]
pub struct Touched {
    /// Those that have other bytes or permissions now, and where they are.
    pub edited: Vec<(Name, PathBuf)>,
    /// Some are not there.
    pub are_missing: bool,
}

/// Returns the name of the directory that holds the files that farm writes for a dotfiles directory.
pub fn shelf(dotfiles: &Path) -> Name {
    Name::new(name_of(dotfiles).as_bytes()).expect("a file name and a number")
}

/// Returns the directory that holds the files that farm writes for the target as a dotfiles directory's manifest says.
pub fn rendered_dir(state: &Path, target: &Path, dotfiles: &Path) -> PathBuf {
    directory(state, target).join(RENDERED).join(name_of(dotfiles))
}

/// Tells whether an interrupted plan waits for recovery, without touching anything.
///
/// # Errors
/// When nobody can look.
pub fn is_interrupted(state: &Path, target: &Path) -> Result<bool> {
    let dir = directory(state, target);
    for name in [JOURNAL, COMMITTED] {
        match dir.join(name).symlink_metadata() {
            Ok(_) => return Ok(true),
            Err(error) if is_nowhere(&error) => {}
            Err(error) => return Err(Error::new("look into", dir, error)),
        }
    }
    Ok(false)
}

/// Returns the headers of a target's generations, the newest first, without waiting for anybody and without touching
/// anything: for who only wants to name them. What cannot be read is left out.
pub fn look_at_generations(state: &Path, target: &Path) -> Vec<Header> {
    let dir = directory(state, target).join(GENERATIONS);
    let names = std::fs::read_dir(&dir).into_iter().flatten().filter_map(|entry| entry.ok());
    let mut ids: Vec<u64> = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    let header = |id: &u64| {
        let path = dir.join(id.to_string());
        let file = path.is_file().then(|| File::open(path).ok()).flatten()?;
        journal::read_header(&mut BufReader::new(file)).ok()
    };
    ids.iter().filter_map(header).collect()
}

impl Store {
    /// Opens and locks the memory of the target; `None` when there is none.
    ///
    /// # Errors
    /// The system's, and "would block" when another farm is at work and `wait` says no.
    pub fn open(state: &Path, target: &Path, wait: Wait) -> Result<Option<Store>> {
        let path = directory(state, target);
        match Handle::open(&path).and_then(|dir| Ok((dir.open_lock(LOCK.as_bytes(), false)?, dir))) {
            Ok((lock, dir)) => Store::lock(path, dir, lock, target, wait),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::new("open", path, error)),
        }
    }

    /// As [`open`](Self::open), making what is missing.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn create(state: &Path, target: &Path, wait: Wait) -> Result<Store> {
        let path = directory(state, target);
        loop {
            let fail = |error| Error::new("make directory", &path, error);
            let dir = private_dirs(&path).map_err(fail)?;
            for name in [GENERATIONS, KEPT] {
                dir.make_private_dir(name.as_bytes()).map_err(fail)?;
            }
            let lock = dir.open_lock(LOCK.as_bytes(), true);
            let lock = lock.map_err(|error| Error::new("open", path.join(LOCK), error))?;
            if let Some(store) = Store::lock(path.clone(), dir, lock, target, wait)? {
                return Ok(store);
            }
        }
    }

    /// Locks; `None` when somebody removed the state directory meanwhile.
    fn lock(path: PathBuf, dir: Handle, mut lock: File, target: &Path, wait: Wait) -> Result<Option<Store>> {
        let fail = |error| Error::new("lock", path.join(LOCK), error);
        let mut tried = lock.try_lock();
        if let Err(TryLockError::Error(error)) = &tried
            && wants_writing(error)
        {
            lock = dir.open_to_write(LOCK.as_bytes()).map_err(fail)?;
            tried = lock.try_lock();
        }
        match tried {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if wait() => lock.lock().map_err(fail)?,
            Err(TryLockError::WouldBlock) => {
                return Err(fail(io::Error::new(io::ErrorKind::WouldBlock, "another farm is at work there")));
            }
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        let held = lock.metadata().map_err(fail)?;
        match std::fs::metadata(path.join(LOCK)) {
            Ok(there) if (there.dev(), there.ino()) == (held.dev(), held.ino()) => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
            _ => return Ok(None),
        }
        let target = RelPath::new(target.as_os_str().as_bytes().strip_prefix(b"/").unwrap_or_default());
        Ok(target.map(|target| Store { path, dir, target, _lock: lock }))
    }

    /// Looks whether anything can be written here.
    ///
    /// # Errors
    /// Why not.
    pub fn check_writable(&self) -> Result<()> {
        self.dir.check_writable().map_err(|error| Error::new("write in", &self.path, error))
    }

    /// Returns the target, from the file system's root.
    pub fn target(&self) -> &RelPath {
        &self.target
    }

    /// Returns the directory that keeps what plans moved out of the way.
    pub fn kept(&self) -> PathBuf {
        self.path.join(KEPT)
    }

    /// Returns where the journal is.
    pub fn journal_path(&self) -> PathBuf {
        self.path.join(JOURNAL)
    }

    fn error(&self, verb: &'static str, name: &str, source: io::Error) -> Error {
        Error::new(verb, self.path.join(name), source)
    }

    /// Returns what an interrupted plan left, if one did.
    ///
    /// # Errors
    /// When there is something that cannot be read, or is no journal of this target.
    pub fn interrupted(&self) -> Result<Option<Interrupted>> {
        if let Some(record) = self.read(JOURNAL)? {
            return Ok(Some(Interrupted::Begun(record)));
        }
        Ok(self.read(COMMITTED)?.map(Interrupted::Committed))
    }

    fn read(&self, name: &str) -> Result<Option<Record>> {
        let fail = |error| self.error("read", name, error);
        let file = match self.dir.open_file(name.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(fail)?,
        };
        let record = journal::read(&mut BufReader::new(file)).map_err(fail)?;
        if self.target.below(&record.header.root).is_none() {
            return Err(fail(io::Error::new(io::ErrorKind::InvalidData, "it is about another target")));
        }
        Ok(Some(record))
    }

    /// Writes the journal; from now on the plan counts as begun. `durable` says that it must be on the disk before
    /// anything is changed.
    ///
    /// # Errors
    /// The system's; then nothing is begun.
    pub fn begin(&self, header: &Header, phases: &[Plan], durable: bool) -> Result<()> {
        let write = || {
            fault::point()?;
            let file = match self.dir.create_file(UNFINISHED.as_bytes()) {
                // An earlier run died here; what was not renamed was not begun.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    self.dir.unlink(UNFINISHED.as_bytes())?;
                    self.dir.create_file(UNFINISHED.as_bytes())?
                }
                made => made?,
            };
            let mut file = BufWriter::with_capacity(1 << 16, file);
            journal::write(header, phases, &mut file)?;
            file.flush()?;
            if durable {
                fault::point()?;
                file.get_ref().sync_all()?;
            }
            self.dir.rename_over(UNFINISHED.as_bytes(), JOURNAL.as_bytes())?;
            if durable { self.dir.sync() } else { Ok(()) }
        };
        write().map_err(|error| {
            // Nothing was begun, and nobody should think so.
            for name in [UNFINISHED, JOURNAL] {
                let _ = self.dir.unlink(name.as_bytes());
            }
            self.error("write", JOURNAL, error)
        })
    }

    /// Notes that so many phases are done.
    ///
    /// # Errors
    /// The system's.
    pub fn phase_done(&self, phases: usize, durable: bool) -> Result<()> {
        let write = || {
            let mut file = self.dir.open_to_append(JOURNAL.as_bytes())?;
            journal::write_done(phases, &mut file)?;
            fault::point()?;
            if durable { file.sync_all() } else { Ok(()) }
        };
        write().map_err(|error| self.error("write", JOURNAL, error))
    }

    /// Makes the plan count as done: after this it is never taken back by itself.
    ///
    /// # Errors
    /// The system's; then the plan is not committed.
    pub fn commit(&self, durable: bool) -> Result<()> {
        let commit = || {
            self.dir.rename_over(JOURNAL.as_bytes(), COMMITTED.as_bytes())?;
            let synced = if durable { self.dir.sync() } else { Ok(()) };
            // What may not be on the disk is not committed, as long as that can be taken back.
            match synced {
                Err(error) if self.dir.rename_over(COMMITTED.as_bytes(), JOURNAL.as_bytes()).is_ok() => {
                    Err(error)
                }
                _ => Ok(()),
            }
        };
        commit().map_err(|error| self.error("commit", JOURNAL, error))
    }

    /// Files a committed plan, of which nothing is left to clean up, among the generations.
    ///
    /// # Errors
    /// The system's.
    pub fn file(&self, id: u64) -> Result<()> {
        self.file_as(COMMITTED, id, false)
    }

    /// Commits a plan that leaves nothing to clean up, and files it, in one step.
    ///
    /// # Errors
    /// The system's; then the plan is not committed.
    pub fn commit_and_file(&self, id: u64, durable: bool) -> Result<()> {
        self.file_as(JOURNAL, id, durable)
    }

    fn file_as(&self, name: &str, id: u64, durable: bool) -> Result<()> {
        let file = || {
            let generations = self.dir.open_below(&below(GENERATIONS))?;
            let id = id.to_string();
            self.dir.rename(name.as_bytes(), &generations, id.as_bytes())?;
            let sync = || generations.sync().and_then(|()| self.dir.sync());
            let synced = if durable { sync() } else { Ok(()) };
            // As with a commit: what may not be on the disk is not done, as long as that can be taken back.
            match synced {
                Err(error) if generations.rename(id.as_bytes(), &self.dir, name.as_bytes()).is_ok() => {
                    Err(error)
                }
                _ => Ok(()),
            }
        };
        file().map_err(|error| self.error("record", name, error))
    }

    /// Forgets the journal: all was taken back.
    ///
    /// # Errors
    /// The system's.
    pub fn forget(&self) -> Result<()> {
        match self.dir.unlink(JOURNAL.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.error("remove", JOURNAL, error))
            }
            _ => Ok(()),
        }
    }

    /// Sets a journal aside that cannot be used, with what its plan kept, and returns where the journal is.
    ///
    /// # Errors
    /// The system's.
    pub fn set_aside(&self) -> Result<Option<PathBuf>> {
        // The next plan has the number of the one that was interrupted: its slot must be empty.
        let id = self.next_generation()?;
        let kept = self.dir.open_below(&below(KEPT)).map_err(|error| self.error("open", KEPT, error))?;
        for name in [JOURNAL, COMMITTED] {
            if let Some(aside) = self.rename_aside(&self.dir, name, SET_ASIDE)? {
                self.rename_aside(&kept, &id.to_string(), SET_ASIDE)?;
                return Ok(Some(self.path.join(aside)));
            }
        }
        Ok(None)
    }

    /// Gives something in `dir` a name with `what` became of it and a number, and returns it, if there is something.
    fn rename_aside(&self, dir: &Handle, name: &str, what: &str) -> Result<Option<String>> {
        if dir.look(name.as_bytes()).map_err(|error| self.error("look at", name, error))?.is_none() {
            return Ok(None);
        }
        let mut number = 1_u32;
        loop {
            let aside = format!("{name}{what}{number}");
            match dir.rename(name.as_bytes(), dir, aside.as_bytes()) {
                Ok(()) => return Ok(Some(aside)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(self.error("set aside", name, error)),
            }
        }
    }

    /// Returns the numbers of all generations, the oldest first.
    ///
    /// # Errors
    /// The system's.
    pub fn generations(&self) -> Result<Vec<u64>> {
        let mut numbers = Vec::new();
        self.each_generation(|number| numbers.push(number))?;
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Returns the number that the next generation has: one more than the newest's, or 1.
    ///
    /// # Errors
    /// The system's.
    pub fn next_generation(&self) -> Result<u64> {
        let mut newest = 0;
        self.each_generation(|number| newest = number.max(newest))?;
        Ok(newest + 1)
    }

    fn each_generation(&self, mut tell: impl FnMut(u64)) -> Result<()> {
        let number = |name: &[u8]| std::str::from_utf8(name).ok()?.parse().ok();
        let listed = self
            .dir
            .open_below(&below(GENERATIONS))
            .and_then(|dir| dir.each_name(|name| number(name).into_iter().for_each(&mut tell)));
        listed.map_err(|error| self.error("read directory", GENERATIONS, error))
    }

    /// Returns the header of a generation.
    ///
    /// # Errors
    /// The system's; "not found" when there is no such generation; "invalid data" when it cannot be understood.
    pub fn header(&self, id: u64) -> Result<Header> {
        self.generation_file(id, journal::read_header)
    }

    /// As [`header`](Self::header), and whether the generation says itself what is known of the farm.
    ///
    /// # Errors
    /// As [`header`](Self::header).
    pub fn header_and_known(&self, id: u64) -> Result<(Header, bool)> {
        self.generation_file(id, |file| Ok((journal::read_header(file)?, journal::has_known(file)?)))
    }

    /// Returns the record of a generation.
    ///
    /// # Errors
    /// As [`header`](Self::header).
    pub fn generation(&self, id: u64) -> Result<Record> {
        self.generation_file(id, journal::read)
    }

    fn generation_file<T>(
        &self,
        id: u64,
        read: impl FnOnce(&mut BufReader<File>) -> io::Result<T>,
    ) -> Result<T> {
        let name = format!("{GENERATIONS}/{id}");
        let file =
            self.dir.open_below(&below(GENERATIONS)).and_then(|dir| dir.open_file(id.to_string().as_bytes()));
        let value = file.and_then(|file| read(&mut BufReader::new(file)));
        value.map_err(|error| self.error(READ_GENERATION, &name, error))
    }

    /// Drops a generation. What these slots keep loses its name with it, and goes with
    /// [`remove_expired`](Self::remove_expired): no generation shall lead to what is half removed.
    ///
    /// # Errors
    /// The system's; then all is as it was.
    pub fn drop_generation(&self, id: u64, slots: &BTreeSet<u64>) -> Result<()> {
        let kept = self.dir.open_below(&below(KEPT)).map_err(|error| self.error("open", KEPT, error))?;
        let mut renamed = Vec::new();
        let mut drop_both = || {
            for slot in slots {
                let slot = slot.to_string();
                let expired = self.rename_aside(&kept, &slot, EXPIRED)?;
                renamed.extend(expired.map(|expired| (slot, expired)));
            }
            let name = id.to_string();
            let record = || {
                let generations = self.dir.open_below(&below(GENERATIONS))?;
                generations.unlink(name.as_bytes())?;
                kept.sync()?;
                generations.sync()
            };
            record().map_err(|error| self.error("remove generation", &name, error))
        };
        let dropped = drop_both();
        if dropped.is_err() && self.header(id).is_ok() {
            for (slot, expired) in renamed {
                let _ = kept.rename(expired.as_bytes(), &kept, slot.as_bytes());
            }
        }
        dropped
    }

    /// Removes what dropped generations kept, also what could not be removed earlier; returns why something is still
    /// there.
    ///
    /// # Errors
    /// When nobody can look.
    pub fn remove_expired(&self) -> Result<Vec<Error>> {
        let opened = self.dir.open_below(&below(KEPT)).and_then(|dir| Ok((dir.list(Texts::None)?, dir)));
        let fail = |error| self.error("read directory", KEPT, error);
        let (listing, kept) = opened.map_err(fail)?;
        let mut left = Vec::new();
        for name in listing.names() {
            let text = String::from_utf8_lossy(name.as_bytes());
            if let Some((slot, _)) = text.split_once(EXPIRED)
                && slot.parse::<u64>().is_ok()
                && let Err(error) = crate::copy::remove(&kept, name.as_bytes())
            {
                left.push(self.error("remove", &format!("{KEPT}/{text}"), error));
            }
        }
        Ok(left)
    }

    /// Opens the directory with the files that farm has written for a dotfiles directory.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn shelf(&self, shelf: &Name) -> io::Result<Handle> {
        self.dir.open_below(&below(RENDERED).join(shelf))
    }

    /// Writes those of the files that are not there yet.
    ///
    /// # Errors
    /// The system's. What was written by then stays: nothing leads to it.
    pub fn render(&self, rendered: &Rendered) -> Result<()> {
        let shelf = &rendered.shelf;
        let write = |name: &Name, content: &Content| -> io::Result<()> {
            self.dir.make_private_dir(RENDERED.as_bytes())?;
            let dir = self.dir.open_below(&below(RENDERED))?;
            dir.make_private_dir(shelf.as_bytes())?;
            let dir = self.shelf(shelf)?;
            if crate::written::holds(&dir, name, content)? {
                return Ok(());
            }
            let temporary = [UNFINISHED_FILE, name.as_bytes()].concat();
            match dir.unlink(&temporary) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = dir.create_file(&temporary)?;
            file.write_all(&content.bytes)?;
            file.set_permissions(Permissions::from_mode(content.mode))?;
            file.sync_all()?;
            // What is there was edited since farm wrote it.
            dir.rename(&temporary, &dir, name.as_bytes())?;
            dir.sync()
        };
        for (name, content) in &rendered.files {
            let text = |name: &Name| String::from_utf8_lossy(name.as_bytes()).into_owned();
            let path = format!("{RENDERED}/{}/{}", text(shelf), text(name));
            write(name, content).map_err(|error| self.error("write", &path, error))?;
        }
        Ok(())
    }

    /// Tells what somebody has done to the files of these names, which farm may have written.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn touched<'n>(&self, shelf: &Name, names: impl IntoIterator<Item = &'n Name>) -> Result<Touched> {
        let mut touched = Touched::default();
        for name in names {
            let stored = Stored { shelf: shelf.clone(), name: name.clone() };
            let found = match self.shelf(shelf) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                dir => dir.and_then(|dir| crate::written::read(&dir, name.as_bytes())),
            };
            let path = self.path.join(RENDERED).join(os(shelf.as_bytes())).join(os(name.as_bytes()));
            match found.map_err(|error| Error::new("read", &path, error))? {
                Some(content) if stored.is(&content) => {}
                Some(_) => touched.edited.push((name.clone(), path)),
                None => touched.are_missing = true,
            }
        }
        Ok(touched)
    }

    /// Removes the files that farm has written whose names are none of these. What somebody has edited since stays.
    ///
    /// # Errors
    /// The system's.
    pub fn keep_rendered(&self, names: &BTreeSet<Vec<u8>>) -> Result<()> {
        let remove = || {
            let shelves = match self.dir.open_below(&below(RENDERED)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                opened => opened?.list(Texts::None)?,
            };
            for shelf in shelves.names() {
                let dir = self.shelf(&shelf)?;
                for name in self.shelf(&shelf)?.list(Texts::None)?.names() {
                    if names.contains(name.as_bytes()) {
                        continue;
                    }
                    let content = crate::written::read(&dir, name.as_bytes())?;
                    let stored = Stored { shelf: shelf.clone(), name: name.clone() };
                    if content.is_some_and(|content| stored.is(&content))
                        || name.as_bytes().starts_with(UNFINISHED_FILE)
                    {
                        dir.unlink(name.as_bytes())?;
                    }
                }
            }
            Ok(())
        };
        remove().map_err(|error| self.error("remove files in", RENDERED, error))
    }

    /// Returns the target paths, from the file system's root, for which commands have not yet succeeded.
    ///
    /// # Errors
    /// When that cannot be read or understood.
    pub fn pending(&self) -> Result<BTreeSet<RelPath>> {
        let file = match self.dir.open_file(PENDING.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            opened => opened.map_err(|error| self.error("read", PENDING, error))?,
        };
        let paths = serde_json::from_reader(BufReader::new(file));
        paths.map_err(|error| self.error("read", PENDING, error.into()))
    }

    /// Remembers for which target paths commands have not yet succeeded.
    ///
    /// # Errors
    /// The system's.
    pub fn set_pending(&self, paths: &BTreeSet<RelPath>) -> Result<()> {
        self.replace(PENDING, NEW_PENDING, paths)
    }

    /// Returns what is known of the farm from generations that were dropped, by paths from the file system's root.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn base(&self) -> Result<Known> {
        let file = match self.dir.open_file(BASE.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Known::default()),
            opened => opened.map_err(|error| self.error("read", BASE, error))?,
        };
        serde_json::from_reader(BufReader::new(file)).map_err(|error| self.error("read", BASE, error.into()))
    }

    /// Remembers what is known of the farm from generations that are about to be dropped.
    ///
    /// # Errors
    /// The system's.
    pub fn set_base(&self, known: &Known) -> Result<()> {
        self.replace(BASE, NEW_BASE, known)
    }

    /// Writes a file anew; `new` is its name until it is complete and on the disk.
    fn replace(&self, name: &str, new: &str, value: &impl Serialize) -> Result<()> {
        let write = || {
            match self.dir.unlink(new.as_bytes()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = BufWriter::new(self.dir.create_file(new.as_bytes())?);
            serde_json::to_writer(&mut file, value)?;
            file.flush()?;
            file.get_ref().sync_all()?;
            self.dir.rename_over(new.as_bytes(), name.as_bytes())
        };
        write().map_err(|error| self.error("write", name, error))
    }

    /// Removes the directories that were made in a slot to keep what was at these paths, as far as they are empty; never
    /// what is kept.
    pub fn tidy(&self, slot: Slot, paths: &BTreeSet<RelPath>) {
        let Ok(kept) = self.dir.open_below(&below(KEPT)) else { return };
        let slot = below(&slot.0.to_string());
        let mut made = BTreeSet::new();
        for path in paths {
            let above = std::iter::successors(path.split(), |(above, _)| above.split());
            made.extend(above.map(|(above, _)| above).filter(|above| !paths.contains(above)));
        }
        // Those below others come after them.
        for path in made.iter().rev() {
            if let Some((above, name)) = slot.join_path(path).split()
                && let Ok(above) = kept.open_below(&above)
            {
                // Not empty: it keeps something.
                let _ = above.rmdir(name.as_bytes());
            }
        }
    }
}

fn below(name: &str) -> RelPath {
    RelPath::new(name.as_bytes()).unwrap_or_default()
}

/// Opens a directory, making it and those above it, where they are missing, for their owner only; those that it makes are
/// on the disk.
pub(crate) fn private_dirs(path: &Path) -> io::Result<Handle> {
    match Handle::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let above = private_dirs(above)?;
    above.make_private_dir(name.as_bytes())?;
    above.sync()?;
    Handle::open(path)
}
