//! Doing a plan: the only stage that changes the disk.
//!
//! Every step is a system call that succeeds only when the world is as planned, or is looked at right after and put
//! back. Existing things are never changed in place: something new is built under a name of its own beside them and
//! exchanged with them, so whoever opens the path finds the old or the new. What went out of the way stays until all
//! is done, and an error takes everything back, the last step first.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::error::Error;
use crate::op::{Change, Op, Piece, Place, Plan, Thing};
use crate::path::{LinkText, Name, RelPath, Route};
use crate::scan::equal;
use crate::sys::{Found, Handle, LONGEST_TEXT, os};

/// What executing a plan left behind on purpose.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Files of packages that others took the place of, where they were, and where they are kept.
    pub kept: Vec<(PathBuf, PathBuf)>,
    /// What went out of the way and could not be removed afterwards; the farm is as planned all the same.
    pub left_over: Vec<Error>,
}

/// Why a plan was not done.
#[derive(Debug)]
pub struct Failure {
    /// The step that failed.
    pub error: Error,
    /// What could not be taken back, because somebody else changed it or the disk failed again. Empty: all is as
    /// it was.
    pub stuck: Vec<Error>,
}

/// Does `plan` on the farm whose root is open as `root` and lies at `root_path`.
///
/// Package files whose place an adopted file takes move to a new directory below `keep`.
///
/// # Errors
/// The first step that fails; everything before it is taken back, as far as the failure's `stuck` does not say
/// otherwise.
pub fn execute(
    plan: &Plan,
    root: &Handle,
    root_path: &Path,
    keep: Option<&Path>,
) -> Result<Outcome, Failure> {
    let mut run = Run {
        root,
        root_path,
        keep,
        parent: None,
        done: Vec::new(),
        outcome: Outcome::default(),
        next_name: 0,
    };
    if let Some((path, text)) = plan.ops.iter().find_map(too_long) {
        let message = format!(
            "its text is too long, {} bytes where the system takes {LONGEST_TEXT}",
            text.as_bytes().len()
        );
        let error = Error::new("make link", root_path.join(os(path.as_bytes())), io::Error::other(message));
        return Err(Failure { error, stuck: Vec::new() });
    }
    for op in &plan.ops {
        if let Err(error) = run.op(op) {
            return Err(Failure { error, stuck: run.take_back() });
        }
    }
    Ok(run.finish())
}

/// Returns a link that an operation would make and the system would not, with its path.
///
/// Such a link is at the bottom of a very deep tree, so without a look ahead thousands of directories would come and
/// go before it is met.
fn too_long(op: &Op) -> Option<(RelPath, &LinkText)> {
    let is_too_long = |text: &&LinkText| text.as_bytes().len() > LONGEST_TEXT;
    match &op.change {
        Change::Make(new) | Change::Swap { new, .. } | Change::Displace { new, .. } => match new {
            Thing::Link(text) => Some(text).filter(is_too_long).map(|text| (op.path.clone(), text)),
            Thing::Dir(pieces) => pieces.iter().find_map(|piece| {
                let text = piece.text.as_ref().filter(is_too_long)?;
                Some((op.path.join_path(&piece.path), text))
            }),
        },
        Change::Remove(_) | Change::Restore { .. } => None,
    }
}

/// A step that was done and can be taken back.
enum Done {
    /// A link or an empty directory was made.
    Made { at: At, thing: Made },
    /// What was at the path is now under the name `aside` beside it, to be removed in the end.
    Aside { at: At, aside: Vec<u8>, what: Old },
    /// The two names changed places; what was at the path is now under the name `aside`.
    Exchanged { at: At, aside: Vec<u8>, old: Old },
    /// Something was built under a name of its own and is not in place yet.
    Staged { dir: Rc<Handle>, name: Vec<u8>, path: PathBuf },
    /// A name moved from one directory to another.
    Moved { from: At, to: At },
}

enum Made {
    Link(LinkText),
    /// An empty directory.
    Dir,
    /// A directory with links and directories in it.
    Tree,
}

/// What went out of the way, and how its last trace is removed.
enum Old {
    Link,
    Dir(Vec<Piece>),
    /// A file whose bytes are elsewhere, too.
    File,
}

/// A name in an open directory.
#[derive(Clone)]
struct At {
    dir: Rc<Handle>,
    name: Vec<u8>,
    /// For messages.
    path: PathBuf,
}

impl At {
    fn error(&self, verb: &'static str, source: impl Into<io::Error>) -> Error {
        Error::new(verb, &self.path, source)
    }
}

struct Run<'a> {
    root: &'a Handle,
    root_path: &'a Path,
    keep: Option<&'a Path>,
    /// The directory of the last operation: plans go directory by directory.
    parent: Option<(RelPath, Rc<Handle>)>,
    done: Vec<Done>,
    outcome: Outcome,
    next_name: u64,
}

fn changed(what: &'static str) -> io::Error {
    io::Error::other(what)
}

impl Run<'_> {
    fn op(&mut self, op: &Op) -> Result<(), Error> {
        let at = self.at(&op.path)?;
        match &op.change {
            Change::Make(Thing::Link(text)) => self.make_link(at, text),
            Change::Make(Thing::Dir(pieces)) if pieces.is_empty() => self.make_dir(at),
            Change::Make(tree @ Thing::Dir(_)) => self.make_tree(at, tree),
            Change::Remove(Thing::Link(text)) => self.remove_link(at, text),
            Change::Remove(Thing::Dir(pieces)) => self.remove_dir(at, pieces),
            Change::Swap { old, new } => self.swap(at, old, new),
            Change::Displace { to: Place::Equal(_), new: Thing::Link(text), .. } => {
                self.merge(&op.path, at, text)
            }
            Change::Displace { to: Place::Package { at: to, .. }, new: Thing::Link(text), .. } => {
                self.adopt(to, at, text)
            }
            Change::Displace { .. } => unreachable!(),
            Change::Restore { .. } => unreachable!(),
        }
    }

    /// Opens the directory that holds `path`, never through a link.
    fn at(&mut self, path: &RelPath) -> Result<At, Error> {
        let shown = self.root_path.join(os(path.as_bytes()));
        let Some((parent, name)) = path.split() else {
            return Err(Error::new("change", shown, io::ErrorKind::InvalidInput));
        };
        let dir = match &self.parent {
            Some((at, dir)) if *at == parent => dir.clone(),
            _ => {
                let dir = self.root.open_below(&parent);
                let shown = self.root_path.join(os(parent.as_bytes()));
                let dir = Rc::new(dir.map_err(|e| Error::new("open directory", shown, e))?);
                self.parent = Some((parent, dir.clone()));
                dir
            }
        };
        Ok(At { dir, name: name.as_bytes().to_vec(), path: shown })
    }

    fn make_link(&mut self, at: At, text: &LinkText) -> Result<(), Error> {
        at.dir.symlink(text, &at.name).map_err(|e| at.error("make link", e))?;
        self.done.push(Done::Made { at, thing: Made::Link(text.clone()) });
        Ok(())
    }

    fn make_dir(&mut self, at: At) -> Result<(), Error> {
        at.dir.mkdir(&at.name).map_err(|e| at.error("make directory", e))?;
        self.done.push(Done::Made { at, thing: Made::Dir });
        Ok(())
    }

    fn remove_link(&mut self, at: At, text: &LinkText) -> Result<(), Error> {
        let aside = self.move_aside(&at, "remove link")?;
        let found = at.dir.link_text(&aside);
        self.done.push(Done::Aside { at: at.clone(), aside, what: Old::Link });
        if found.map_err(|e| at.error("read link", e))? != *text {
            return Err(at.error("remove link", changed("it is no longer the link that was there")));
        }
        Ok(())
    }

    /// Builds a directory under a name of its own and puts it in place whole.
    fn make_tree(&mut self, at: At, tree: &Thing) -> Result<(), Error> {
        let staged = self.stage(&at, tree)?;
        at.dir.rename(&staged, &at.dir, &at.name).map_err(|e| at.error("make directory", e))?;
        self.done.pop();
        self.done.push(Done::Made { at, thing: Made::Tree });
        Ok(())
    }

    fn remove_dir(&mut self, at: At, pieces: &[Piece]) -> Result<(), Error> {
        let aside = self.move_aside(&at, "remove directory")?;
        let what = Old::Dir(pieces.to_vec());
        self.done.push(Done::Aside { at: at.clone(), aside: aside.clone(), what });
        if !same_pieces(&at.dir, &aside, pieces).map_err(|e| at.error("read directory", e))? {
            return Err(at.error("remove directory", changed("its content has changed")));
        }
        Ok(())
    }

    /// Moves what is at `at` to a name of its own in the same directory.
    fn move_aside(&mut self, at: &At, verb: &'static str) -> Result<Vec<u8>, Error> {
        self.with_own_name(|name| at.dir.rename(&at.name, &at.dir, name)).map_err(|e| at.error(verb, e))
    }

    /// Calls `make` with names that nobody uses until one is free.
    fn with_own_name(&mut self, make: impl Fn(&[u8]) -> io::Result<()>) -> io::Result<Vec<u8>> {
        loop {
            let name = format!(".farm-{}-{}", std::process::id(), self.next_name).into_bytes();
            self.next_name += 1;
            match make(&name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map(|()| name),
            }
        }
    }

    fn swap(&mut self, at: At, old: &Thing, new: &Thing) -> Result<(), Error> {
        let staged = self.stage(&at, new)?;
        self.exchange(&at, staged, old_of(old))?;
        let matches = match (self.done.last(), old) {
            (Some(Done::Exchanged { aside, .. }), Thing::Link(text)) => {
                at.dir.link_text(aside).ok().as_ref() == Some(text)
            }
            (Some(Done::Exchanged { aside, .. }), Thing::Dir(pieces)) => {
                same_pieces(&at.dir, aside, pieces).map_err(|e| at.error("read directory", e))?
            }
            _ => false,
        };
        if !matches {
            return Err(at.error("replace", changed("it is no longer what was there")));
        }
        Ok(())
    }

    /// Builds `thing` under a name of its own beside `at`.
    fn stage(&mut self, at: &At, thing: &Thing) -> Result<Vec<u8>, Error> {
        let name = match thing {
            Thing::Link(text) => {
                let made = self.with_own_name(|name| at.dir.symlink(text, name));
                made.map_err(|e| at.error("make link", e))?
            }
            Thing::Dir(_) => {
                let made = self.with_own_name(|name| at.dir.mkdir(name));
                made.map_err(|e| at.error("make directory", e))?
            }
        };
        self.done.push(Done::Staged { dir: at.dir.clone(), name: name.clone(), path: at.path.clone() });
        if let Thing::Dir(pieces) = thing {
            let top = RelPath::from_names(&Name::new(&name));
            let mut parent: Option<(RelPath, Handle)> = None;
            for piece in pieces {
                let path = at.path.join(os(piece.path.as_bytes()));
                let Some((above, name)) = piece.path.split() else { continue };
                let dir = match parent.take() {
                    Some((known, dir)) if known == above => dir,
                    _ => {
                        let dir = at.dir.open_below(&top.join_path(&above));
                        dir.map_err(|e| Error::new("open directory", &path, e))?
                    }
                };
                match &piece.text {
                    Some(text) => dir.symlink(text, name.as_bytes()),
                    None => dir.mkdir(name.as_bytes()),
                }
                .map_err(|e| Error::new("make", &path, e))?;
                parent = Some((above, dir));
            }
        }
        Ok(name)
    }

    /// Lets what was staged last change places with what is at `at`.
    fn exchange(&mut self, at: &At, staged: Vec<u8>, old: Old) -> Result<(), Error> {
        let fail = |e| at.error("replace", e);
        if at.dir.exchange(&staged, &at.name).map_err(fail)? {
            self.done.pop();
            self.done.push(Done::Exchanged { at: at.clone(), aside: staged, old });
            return Ok(());
        }
        // A file system without an exchange: the name is free for a moment.
        let aside = self.move_aside(at, "replace")?;
        let staged_step = self.done.pop();
        self.done.push(Done::Aside { at: at.clone(), aside: aside.clone(), what: Old::Link });
        self.done.extend(staged_step);
        at.dir.rename(&staged, &at.dir, &at.name).map_err(fail)?;
        self.done.truncate(self.done.len().saturating_sub(2));
        self.done.push(Done::Exchanged { at: at.clone(), aside, old });
        Ok(())
    }

    /// Replaces a file by a link to the package's equal one.
    fn merge(&mut self, path: &RelPath, at: At, text: &LinkText) -> Result<(), Error> {
        let source = self.source(path, text)?;
        let staged = self.stage(&at, &Thing::Link(text.clone()))?;
        self.exchange(&at, staged, Old::File)?;
        let Some(Done::Exchanged { aside, .. }) = self.done.last() else { return Ok(()) };
        let same = equal(&at.dir, aside, &source.dir, &source.name).map_err(|e| at.error("compare", e))?;
        if !same {
            return Err(at.error("replace", changed("it no longer equals the package's file")));
        }
        Ok(())
    }

    /// Replaces a link by a copy of the package's file.
    fn split(&mut self, path: &RelPath, at: At, text: &LinkText) -> Result<(), Error> {
        let source = self.source(path, text)?;
        let staged = self.stage_copy(&source, &at)?;
        self.exchange(&at, staged, Old::Link)?;
        self.check_link(&at, text)
    }

    /// Moves the file at `at` over the package's, and puts a link in its place.
    fn adopt(&mut self, to: &Route, at: At, text: &LinkText) -> Result<(), Error> {
        let source = self.entry(to)?;
        if at.dir.look(&at.name).map_err(|e| at.error("look at", e))? == Some(Found::Dir) {
            return Err(at.error("adopt", changed("it is a directory now")));
        }
        if source.dir.look(&source.name).map_err(|e| source.error("look at", e))? == Some(Found::Dir) {
            return Err(source.error("replace", io::ErrorKind::IsADirectory));
        }
        let same = equal(&at.dir, &at.name, &source.dir, &source.name).unwrap_or(false);
        if same {
            let aside = self.move_aside(&source, "move")?;
            self.done.push(Done::Aside { at: source.clone(), aside, what: Old::File });
        } else {
            self.keep(&source)?;
        }
        self.shift(&at, &source)?;
        self.make_link(at, text)
    }

    /// Moves the package's file back to where a link to it is.
    fn release(&mut self, path: &RelPath, at: At, text: &LinkText) -> Result<(), Error> {
        let source = self.source(path, text)?;
        self.remove_link(at.clone(), text)?;
        self.shift(&source, &at)
    }

    fn check_link(&mut self, at: &At, text: &LinkText) -> Result<(), Error> {
        let Some(Done::Exchanged { aside, .. }) = self.done.last() else { return Ok(()) };
        if at.dir.link_text(aside).map_err(|e| at.error("read link", e))? != *text {
            return Err(at.error("replace", changed("it is no longer the link that was there")));
        }
        Ok(())
    }

    /// Returns the package's entry that a link at `path` with `text` leads to.
    fn source(&self, path: &RelPath, text: &LinkText) -> Result<At, Error> {
        let bad =
            || Error::new("find the package's file of", os(path.as_bytes()), io::ErrorKind::InvalidInput);
        let (parent, _) = path.split().ok_or_else(bad)?;
        self.entry(&text.route_from(&parent).ok_or_else(bad)?)
    }

    fn entry(&self, route: &Route) -> Result<At, Error> {
        let bad =
            || Error::new("find the package's file at", os(&route.to_bytes()), io::ErrorKind::InvalidInput);
        let (above, name) = route.down.split().ok_or_else(bad)?;
        let above = Route { up: route.up, down: above };
        let dir = self.root_path.join(os(&above.to_bytes()));
        let handle = Handle::open(&dir).map_err(|e| Error::new("open directory", &dir, e))?;
        let name = name.as_bytes().to_vec();
        Ok(At { dir: Rc::new(handle), path: dir.join(os(&name)), name })
    }

    /// Moves what is at `from` to `to`, where nothing may be; across file systems by a copy.
    fn shift(&mut self, from: &At, to: &At) -> Result<(), Error> {
        match from.dir.rename(&from.name, &to.dir, &to.name) {
            Ok(()) => {
                self.done.push(Done::Moved { from: from.clone(), to: to.clone() });
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                let staged = self.stage_copy(from, to)?;
                let placed = to.dir.rename(&staged, &to.dir, &to.name);
                placed.map_err(|e| to.error("move file to", e))?;
                self.done.pop();
                self.done.push(Done::Exchanged { at: to.clone(), aside: Vec::new(), old: Old::File });
                let aside = self.move_aside(from, "move")?;
                self.done.push(Done::Aside { at: from.clone(), aside: aside.clone(), what: Old::File });
                let same = equal(&from.dir, &aside, &to.dir, &to.name);
                if !same.map_err(|e| from.error("compare", e))? {
                    return Err(from.error("move", changed("it changed while it was copied")));
                }
                Ok(())
            }
            Err(error) => Err(from.error("move", error)),
        }
    }

    /// Copies the file or link at `from`, with its permissions and times, to a name of its own beside `to`.
    fn stage_copy(&mut self, from: &At, to: &At) -> Result<Vec<u8>, Error> {
        let fail = |e| from.error("copy", e);
        if from.dir.look(&from.name).map_err(fail)? == Some(Found::Link) {
            let text = from.dir.link_text(&from.name).map_err(fail)?;
            return self.stage(to, &Thing::Link(text));
        }
        let mut reader = from.dir.open_file(&from.name).map_err(fail)?;
        let name = self.with_own_name(|name| to.dir.create_file(name).map(drop));
        let name = name.map_err(|e| to.error("make file", e))?;
        self.done.push(Done::Staged { dir: to.dir.clone(), name: name.clone(), path: to.path.clone() });
        let mut writer = to.dir.open_to_write(&name).map_err(|e| to.error("write", e))?;
        let copied = (|| {
            io::copy(&mut reader, &mut writer)?;
            let metadata = reader.metadata()?;
            writer.set_permissions(metadata.permissions())?;
            writer.set_modified(metadata.modified()?)?;
            writer.sync_all()
        })();
        copied.map_err(fail)?;
        Ok(name)
    }

    /// Moves a package's entry to where replaced ones are kept.
    fn keep(&mut self, source: &At) -> Result<(), Error> {
        let Some(keep) = self.keep else {
            return Err(source.error("keep", changed("there is no state directory to keep it in")));
        };
        let fail = |e| Error::new("make directory", keep, e);
        fs_err::create_dir_all(keep).map_err(fail)?;
        let handle = Rc::new(Handle::open(keep).map_err(fail)?);
        let from = source.path.file_name().map_or(&b""[..], |name| name.as_bytes());
        for n in 0.. {
            let mut name = from.to_vec();
            name.truncate(200);
            name.extend_from_slice(format!(".{}-{n}", std::process::id()).as_bytes());
            if handle.look(&name).map_err(fail)?.is_some() {
                continue;
            }
            let to = At { dir: handle.clone(), path: keep.join(os(&name)), name };
            self.shift(source, &to)?;
            self.outcome.kept.push((source.path.clone(), to.path));
            break;
        }
        Ok(())
    }

    /// Takes back all steps, the last one first; returns what could not be taken back.
    fn take_back(&mut self) -> Vec<Error> {
        let mut stuck = Vec::new();
        while let Some(step) = self.done.pop() {
            if let Err(error) = step.take_back() {
                stuck.push(error);
            }
        }
        stuck
    }

    /// Removes what went out of the way.
    fn finish(mut self) -> Outcome {
        for step in self.done.drain(..) {
            if let Done::Aside { at, aside, what } | Done::Exchanged { at, aside, old: what } = &step {
                self.outcome.left_over.extend(discard(at, aside, what).err());
            }
        }
        self.outcome
    }
}

impl Done {
    fn take_back(self) -> Result<(), Error> {
        match self {
            Done::Made { at, thing: Made::Tree } => {
                remove_staged(&at.dir, &at.name).map_err(|e| at.error("remove directory", e))
            }
            Done::Made { at, thing: Made::Dir } => {
                at.dir.rmdir(&at.name).map_err(|e| at.error("remove directory", e))
            }
            Done::Made { at, thing: Made::Link(text) } => {
                let found = at.dir.link_text(&at.name).map_err(|e| at.error("remove link", e))?;
                if found != text {
                    return Err(at.error("remove link", changed("somebody else changed it")));
                }
                at.dir.unlink(&at.name).map_err(|e| at.error("remove link", e))
            }
            Done::Aside { at, aside, .. } => {
                at.dir.rename(&aside, &at.dir, &at.name).map_err(|e| at.error("put back", e))
            }
            // A copy that went where nothing was; what it was copied from is still there.
            Done::Exchanged { at, aside, .. } if aside.is_empty() => {
                at.dir.unlink(&at.name).map_err(|e| at.error("remove", e))
            }
            Done::Exchanged { at, aside, .. } => {
                let fail = |e| at.error("put back", e);
                if at.dir.exchange(&aside, &at.name).map_err(fail)? {
                    return remove_staged(&at.dir, &aside).map_err(fail);
                }
                remove_staged(&at.dir, &at.name).map_err(fail)?;
                at.dir.rename(&aside, &at.dir, &at.name).map_err(fail)
            }
            Done::Staged { dir, name, path } => {
                remove_staged(&dir, &name).map_err(|e| Error::new("clean up beside", path, e))
            }
            Done::Moved { from, to } => {
                to.dir.rename(&to.name, &from.dir, &from.name).map_err(|e| from.error("put back", e))
            }
        }
    }
}

fn old_of(thing: &Thing) -> Old {
    match thing {
        Thing::Link(_) => Old::Link,
        Thing::Dir(pieces) => Old::Dir(pieces.clone()),
    }
}

/// Removes what an operation replaced, once all operations are done.
fn discard(at: &At, aside: &[u8], what: &Old) -> Result<(), Error> {
    let fail = |e| at.error("remove what was at", e);
    match what {
        Old::File if aside.is_empty() => Ok(()),
        Old::Link | Old::File => at.dir.unlink(aside).map_err(fail),
        Old::Dir(pieces) => {
            let Some(name) = Name::new(aside) else { return Ok(()) };
            let top = RelPath::from_names([&name]);
            for piece in pieces.iter().rev() {
                let Some((above, name)) = piece.path.split() else { continue };
                let dir = at.dir.open_below(&top.join_path(&above)).map_err(fail)?;
                match piece.text {
                    Some(_) => dir.unlink(name.as_bytes()),
                    None => dir.rmdir(name.as_bytes()),
                }
                .map_err(fail)?;
            }
            at.dir.rmdir(aside).map_err(fail)
        }
    }
}

/// Removes something that this process built: a file, a link, or a directory of links and directories.
fn remove_staged(dir: &Handle, name: &[u8]) -> io::Result<()> {
    if dir.look(name)? != Some(Found::Dir) {
        return dir.unlink(name);
    }
    let Some(top) = Name::new(name) else { return Ok(()) };
    let mut paths = vec![RelPath::from_names([&top])];
    let mut at = 0;
    while at < paths.len() {
        let below = dir.open_below(&paths[at])?;
        for entry in below.list(false)? {
            let path = paths[at].join(&entry.name);
            match entry.kind {
                crate::tree::Kind::Dir => paths.push(path),
                _ => dir.open_below(&paths[at])?.unlink(entry.name.as_bytes())?,
            }
        }
        at += 1;
    }
    for path in paths.iter().rev() {
        let Some((above, name)) = path.split() else { continue };
        dir.open_below(&above)?.rmdir(name.as_bytes())?;
    }
    Ok(())
}

/// Tells whether the directory `name` in `dir` holds exactly these pieces.
fn same_pieces(dir: &Handle, name: &[u8], pieces: &[Piece]) -> io::Result<bool> {
    let Some(name) = Name::new(name) else { return Ok(false) };
    let top = RelPath::from_names([&name]);
    let mut found = Vec::new();
    let mut todo = vec![RelPath::root()];
    while let Some(at) = todo.pop() {
        for entry in dir.open_below(&top.join_path(&at))?.list(true)? {
            let path = at.join(&entry.name);
            let text = match entry.kind {
                crate::tree::Kind::Dir => {
                    todo.push(path.clone());
                    None
                }
                crate::tree::Kind::Link(Some(text)) => Some(text),
                _ => return Ok(false),
            };
            found.push(Piece { path, text });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found == pieces)
}
