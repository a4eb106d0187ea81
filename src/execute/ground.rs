//! Where operations are done: open directories, and the names that a run uses.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::LazyLock;

use super::perform::stage;
use super::{Site, Touched};
use crate::error::Error;
use crate::journal::Header;
use crate::op::{Change, Entry, Op, Piece, Place, Plan, Slot, Thing, What};
use crate::path::{Name, RelPath, Route};
use crate::store::private_dirs;
use crate::sys::{Found, Handle, is_for_want_of_descriptors, is_nowhere, most_open_files, os};
use crate::threads;
use crate::tree::{Link, Node, Texts};
use crate::written;

/// So many directories may always stay open.
const FEW: usize = 4;

/// How many directories each thread keeps open; a process may have some hundreds only, and needs some for other things.
fn most_open() -> usize {
    static TO_SPARE: LazyLock<usize> = LazyLock::new(|| most_open_files().saturating_sub(32));
    // A thread that works alone leaves some to those that may yet be started.
    (*TO_SPARE / threads::count().max(2)).clamp(FEW, 128)
}

/// The farm's directories, as far as operations have opened them.
pub struct Ground<'a> {
    pub header: &'a Header,
    /// What the names of the run's own begin with.
    own: Rc<[u8]>,
    root: &'a Handle,
    root_path: &'a Path,
    kept: Option<PathBuf>,
    /// The directories of packages that go with what is taken out of them.
    going: HashSet<Route>,
    store: Option<&'a crate::store::Store>,
    problem: Option<&'a Error>,
    open: HashMap<RelPath, Rc<OpenDir>>,
    /// The last one: plans go directory by directory.
    last: Option<(RelPath, Rc<OpenDir>)>,
    touched: Touched,
}

/// An open directory, and where it is, for messages.
pub struct OpenDir {
    handle: Handle,
    path: PathBuf,
}

impl OpenDir {
    /// Returns an error about a name in it; about itself, when the name is empty.
    pub fn error(&self, verb: &'static str, name: &[u8], source: impl Into<io::Error>) -> Error {
        Error::new(verb, self.path.join(os(name)), source)
    }
}

impl Deref for OpenDir {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

/// A name in an open directory.
#[derive(Clone)]
pub struct At {
    pub dir: Rc<OpenDir>,
    pub name: Vec<u8>,
    /// What the names of the run's own begin with.
    own: Rc<[u8]>,
}

impl At {
    pub fn error(&self, verb: &'static str, source: impl Into<io::Error>) -> Error {
        Error::new(verb, self.path(), source)
    }

    /// Returns the whole path.
    pub fn path(&self) -> PathBuf {
        self.dir.path.join(os(&self.name))
    }

    /// Returns another name in the same directory.
    pub fn beside(&self, name: &[u8]) -> At {
        At { dir: self.dir.clone(), name: name.to_vec(), own: self.own.clone() }
    }

    /// Tells whether something is there.
    pub fn exists(&self) -> Result<bool, Error> {
        Ok(self.look()?.is_some())
    }

    pub fn look(&self) -> Result<Option<Found>, Error> {
        self.dir.look(&self.name).map_err(|error| self.error("look at", error))
    }

    /// Returns the inode of what is there, if something is.
    pub fn inode(&self) -> Result<Option<u64>, Error> {
        self.dir.inode(&self.name).map_err(|error| self.error("look at", error))
    }

    /// Tells whether exactly this is there. In directories, names of the run's own do not count: what earlier
    /// operations put out of the way stays until all is done.
    pub fn is(&self, thing: &Thing) -> Result<bool, Error> {
        let is_it = match thing {
            Thing::Link(text) => match self.dir.link_text(&self.name) {
                Ok(found) => Ok(found == *text),
                // No link, or nothing at all.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput || is_nowhere(&error) => Ok(false),
                Err(error) => Err(error),
            },
            Thing::File(stored) => written::read(&self.dir, &self.name)
                .map(|found| found.is_some_and(|content| stored.is(&content))),
            Thing::Dir(pieces) => pieces_at(&self.dir, &self.name, &self.own)
                .map(|found| found.is_some_and(|found| found == *pieces)),
        };
        is_it.map_err(|error| self.error("look at", error))
    }

    /// Tells whether a name is one of the run's own.
    pub fn is_own(&self, name: &[u8]) -> bool {
        name.starts_with(&self.own)
    }

    /// Tells whether this is there, or a part of it: what there was time to make, or not to remove.
    pub fn is_part_of(&self, thing: &Thing) -> Result<bool, Error> {
        let Thing::Dir(pieces) = thing else { return self.is(thing) };
        let found =
            pieces_at(&self.dir, &self.name, &self.own).map_err(|error| self.error("look at", error))?;
        Ok(found.is_some_and(|found| {
            found.iter().all(|piece| {
                pieces.binary_search_by(|it| it.path.cmp(&piece.path)).is_ok_and(|at| pieces[at] == *piece)
            })
        }))
    }

    /// Tells whether something of this kind is there.
    pub fn is_a(&self, what: &What) -> Result<bool, Error> {
        Ok(match (self.look()?, what) {
            (Some(Found::File), What::File)
            | (Some(Found::Dir), What::Dir)
            | (Some(Found::Other), What::Other) => true,
            (Some(Found::Link), What::Link(text)) => self.is(&Thing::Link(text.clone()))?,
            _ => false,
        })
    }

    /// Moves what is there to another name, where nothing may be.
    pub fn rename(&self, to: &At) -> io::Result<()> {
        if self.is_own(&self.name) && !to.is_own(&to.name) {
            return self.dir.place(&self.name, &to.dir, &to.name);
        }
        self.dir.rename(&self.name, &to.dir, &to.name)
    }

    /// Removes this name, one of the run's own, when `at` is another of the same thing: somebody was interrupted when he
    /// placed it there, or put it back.
    pub fn settle(&self, at: &At) -> Result<(), Error> {
        let settle = || match self.dir.is_second_name(&self.name, &at.dir, &at.name)? {
            true => self.dir.unlink(&self.name),
            false => Ok(()),
        };
        settle().map_err(|error| self.error("remove", error))
    }

    /// Lets two names change places; `Ok(false)` where the file system cannot.
    pub fn exchange(&self, other: &At) -> io::Result<bool> {
        self.dir.exchange(&self.name, &other.dir, &other.name)
    }
}

/// Returns the name that a file has until it is complete.
pub fn building(at: &At) -> At {
    at.beside(&[&at.name[..], b"w"].concat())
}

pub fn changed(what: &'static str) -> io::Error {
    io::Error::other(what)
}

impl<'a> Ground<'a> {
    /// Returns the ground for these plans.
    pub fn new(site: &Site<'a>, header: &'a Header, phases: &[Plan]) -> Ground<'a> {
        let mut going = HashSet::new();
        for op in phases.iter().flat_map(|plan| plan.ops.unusual()) {
            if let Change::Restore { from: Place::Package { at, entry: Entry::New { dirs } }, .. } =
                &op.change
            {
                let mut down = at.down.clone();
                for _ in 0..*dirs {
                    down = down.split().map_or_else(RelPath::root, |(above, _)| above);
                    going.insert(Route { up: at.up, down: down.clone() });
                }
            }
        }
        Ground {
            going,
            header,
            own: format!(".farm-{}-", header.token).into_bytes().into(),
            root: site.root,
            root_path: site.root_path,
            kept: site.store.map(|store| store.kept()),
            store: site.store,
            problem: site.problem,
            open: HashMap::new(),
            last: None,
            touched: Touched::default(),
        }
    }

    /// Opens the directory that holds an operation's path, never through a link.
    pub fn at(&mut self, path: &RelPath) -> Result<At, Error> {
        let Some((parent, name)) = path.split() else {
            return Err(Error::new("change", self.root_path, io::ErrorKind::InvalidInput));
        };
        let dir = match &self.last {
            Some((at, dir)) if *at == parent => dir.clone(),
            _ => self.dir(parent)?,
        };
        Ok(At { dir, name: name.as_bytes().to_vec(), own: self.own.clone() })
    }

    /// Opens a directory as [`at`](Self::at) does.
    pub fn opened(&mut self, dir: &RelPath) -> Result<Rc<OpenDir>, Error> {
        self.dir(dir.clone())
    }

    fn dir(&mut self, path: RelPath) -> Result<Rc<OpenDir>, Error> {
        let dir = match self.open.get(&path) {
            Some(dir) => dir.clone(),
            None => {
                let shown = self.root_path.join(os(path.as_bytes()));
                let mut opened = self.root.open_below(&path);
                if opened.as_ref().is_err_and(is_for_want_of_descriptors) {
                    self.open.clear();
                    self.last = None;
                    opened = self.root.open_below(&path);
                }
                let dir = match opened {
                    Ok(handle) => Rc::new(OpenDir { handle, path: shown }),
                    Err(error) => return Err(Error::new("open directory", shown, error)),
                };
                if self.open.len() < FEW || self.open.len() < most_open() {
                    self.open.insert(path.clone(), dir.clone());
                }
                dir
            }
        };
        self.last = Some((path, dir.clone()));
        Ok(dir)
    }

    /// As [`at`](Self::at); `None` when there is no such directory, so that nothing can have been done there.
    ///
    /// `certain` says that something has been: then a way that leads elsewhere is an error.
    pub fn at_if_there(&mut self, path: &RelPath, certain: bool) -> Result<Option<At>, Error> {
        match self.at(path) {
            Err(error) if error.source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if !certain && is_nowhere(&error.source) => Ok(None),
            at => at.map(Some),
        }
    }

    /// Returns an operation's path as people know it.
    pub fn shown_path(&self, path: &RelPath) -> PathBuf {
        self.root_path.join(os(path.as_bytes()))
    }

    /// Forgets the open directories at and below a path that is another directory now, or none.
    pub fn close(&mut self, path: &RelPath) {
        self.open.retain(|open, _| open.below(path).is_none());
        if self.last.as_ref().is_some_and(|(last, _)| last.below(path).is_some()) {
            self.last = None;
        }
    }

    /// Returns a name of the run's own beside `at`: `purpose` tells apart those of one operation.
    pub fn own(&self, index: usize, at: &At, purpose: &str) -> At {
        at.beside(&[&self.own, format!("{index}{purpose}").as_bytes()].concat())
    }

    /// Returns the name that [`own`](Self::own) gives the operation `index` whose path is in `dir`.
    pub fn own_in(&self, index: usize, dir: &Rc<OpenDir>, purpose: &str) -> At {
        let name = [&self.own, format!("{index}{purpose}").as_bytes()].concat();
        At { dir: dir.clone(), name, own: self.own.clone() }
    }

    /// Returns where something goes or comes from; `None` for the state directory when there is none.
    ///
    /// Missing directories on the way are made if `make` says so; else the answer is `None`, too.
    pub fn place(&self, op: &Op, at: &At, place: &Place, make: bool) -> Result<Option<At>, Error> {
        match place {
            Place::Beside(name) => Ok(Some(at.beside(name.as_bytes()))),
            Place::Kept(slot) | Place::Equal(slot) => self.kept(op, *slot, make),
            Place::Package { at: route, entry: Entry::New { dirs } } => {
                self.package_entry(route, *dirs, make)
            }
            Place::Package { at: route, entry: Entry::Old(_) } => self.package_entry(route, 0, make),
        }
    }

    /// Returns a place in a package, above which `dirs` directories are missing at first.
    pub fn package_entry(&self, route: &Route, dirs: usize, make: bool) -> Result<Option<At>, Error> {
        let Some((above, name)) = route.down.split() else {
            return Err(Error::new("adopt into", self.shown(route), io::ErrorKind::InvalidInput));
        };
        let above = Route { up: route.up, down: above };
        let dir = if make {
            Some(self.package_dir(&above, dirs)?)
        } else {
            self.open_if_there(&self.shown(&above))?
        };
        let name = name.as_bytes().to_vec();
        let at = |handle| {
            let dir = Rc::new(OpenDir { handle, path: self.shown(&above) });
            At { dir, name, own: self.own.clone() }
        };
        Ok(dir.map(at))
    }

    /// Returns the name of the run's own for what is left where something came back from: beside it, or above the
    /// directories that go because nothing else is in them.
    pub fn left(&self, index: usize, place: &Place, from: &At) -> Result<At, Error> {
        let Place::Package { at: route, .. } = place else { return Ok(self.own(index, from, "o")) };
        let mut entry = route.clone();
        while let Some((above, _)) = entry.down.split()
            && self.going.contains(&Route { up: entry.up, down: above.clone() })
        {
            entry.down = above;
        }
        let top = self.package_entry(&entry, 0, false)?;
        Ok(self.own(index, top.as_ref().unwrap_or(from), "o"))
    }

    /// Makes those of a package's directories anew that [`remove_package_dirs`](Self::remove_package_dirs) removed.
    pub fn remake_package_dirs(&self, place: &Place) -> Result<(), Error> {
        let Place::Package { at: route, entry: Entry::New { dirs } } = place else { return Ok(()) };
        let names: Vec<Name> = route.down.names().collect();
        for missing in (1..=*dirs).rev() {
            let down = RelPath::from_names(&names[..names.len().saturating_sub(missing)]);
            if let Some(dir) = self.package_entry(&Route { up: route.up, down }, 0, false)?
                && !dir.exists()?
            {
                dir.dir.mkdir(&dir.name).map_err(|error| dir.error("make directory", error))?;
            }
        }
        Ok(())
    }

    /// Returns where the state directory keeps what an operation moved out of the way.
    pub fn kept(&self, op: &Op, slot: Slot, make: bool) -> Result<Option<At>, Error> {
        self.kept_at(&op.path, slot, make)
    }

    /// As [`kept`](Self::kept), for what was at `target`.
    pub fn kept_at(&self, target: &RelPath, slot: Slot, make: bool) -> Result<Option<At>, Error> {
        let Some(kept) = &self.kept else { return Ok(None) };
        let path = kept.join(slot.0.to_string()).join(os(target.as_bytes()));
        let (Some(above), Some((_, name))) = (path.parent(), target.split()) else { return Ok(None) };
        let dir = if make {
            Some(private_dirs(above).map_err(|error| Error::new("make directory", above, error))?)
        } else {
            self.open_if_there(above)?
        };
        let at = |handle| {
            let dir = Rc::new(OpenDir { handle, path: above.to_owned() });
            At { dir, name: name.as_bytes().to_vec(), own: self.own.clone() }
        };
        Ok(dir.map(at))
    }

    /// Returns why nothing can be kept in the state directory.
    pub fn keeps_nothing(&self) -> io::Error {
        let is_nowhere = |problem: &Error| {
            matches!(problem.source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        };
        io::Error::other(match self.problem {
            None => "there is no state directory to keep it in".to_owned(),
            Some(problem) if is_nowhere(problem) => {
                format!("there is no state directory to keep it in ({problem})")
            }
            Some(problem) => format!("the state directory cannot keep it ({problem})"),
        })
    }

    /// Builds a thing under a name where nothing is; a file has it once it is complete and on the disk.
    pub fn stage(&self, at: &At, thing: &Thing) -> Result<(), Error> {
        let stored = match thing {
            Thing::File(stored) => stored,
            Thing::Link(_) | Thing::Dir(_) => return stage(at, thing),
        };
        let fail = |error| at.error("write", error);
        let Some(store) = self.store else { return Err(fail(changed("there is no state directory"))) };
        let shelf = store.shelf(&stored.shelf).map_err(fail)?;
        written::put(&shelf, stored, &at.dir, &building(at).name, &at.name).map_err(fail)
    }

    /// Removes the directories that were made for these plans to keep something and keep nothing.
    pub fn tidy_kept(&self, phases: &[Plan]) {
        let slot = Slot(self.header.id);
        let ops = phases.iter().flat_map(|plan| plan.ops.unusual());
        let paths: BTreeSet<RelPath> =
            ops.filter(|op| op.change.slot() == Some(slot)).map(|op| op.path).collect();
        if let Some(store) = self.store
            && !paths.is_empty()
        {
            store.tidy(slot, &paths);
        }
    }

    pub fn shown(&self, route: &Route) -> PathBuf {
        let root = RelPath::new(
            self.root_path.as_os_str().as_encoded_bytes().strip_prefix(b"/").unwrap_or_default(),
        );
        let route = Route::below_root(root.unwrap_or_default()).follow(&route.to_bytes());
        Path::new("/").join(os(route.down.as_bytes()))
    }

    fn open_if_there(&self, path: &Path) -> Result<Option<Handle>, Error> {
        match Handle::open(path) {
            Err(error) if is_nowhere(&error) => Ok(None),
            opened => opened.map(Some).map_err(|error| Error::new("open directory", path, error)),
        }
    }

    /// Opens a package's directory, of which the last `dirs` segments are made.
    fn package_dir(&self, route: &Route, dirs: usize) -> Result<Handle, Error> {
        let names: Vec<Name> = route.down.names().collect();
        let (there, missing) = names.split_at(names.len().saturating_sub(dirs));
        let mut path = self.shown(&Route { up: route.up, down: RelPath::from_names(there) });
        let open =
            |path: &Path| Handle::open(path).map_err(|error| Error::new("open directory", path, error));
        let mut dir = open(&path)?;
        for name in missing {
            path.push(os(name.as_bytes()));
            dir.mkdir(name.as_bytes()).map_err(|error| Error::new("make directory", &path, error))?;
            dir = open(&path)?;
        }
        Ok(dir)
    }

    /// Removes the directories that were made in a package to adopt something into them, as far as they are empty.
    pub fn remove_package_dirs(&self, place: &Place) -> Result<(), Error> {
        let Place::Package { at: route, entry: Entry::New { dirs } } = place else { return Ok(()) };
        let mut down = route.down.clone();
        for _ in 0..*dirs {
            let Some((dir, _)) = down.split() else { break };
            let Some((above, name)) = dir.split() else { break };
            let above = self.shown(&Route { up: route.up, down: above });
            if let Some(handle) = self.open_if_there(&above)? {
                match handle.rmdir(name.as_bytes()) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    // Somebody else uses it.
                    Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => break,
                    done => done.map_err(|error| {
                        Error::new("remove directory", above.join(os(name.as_bytes())), error)
                    })?,
                }
            }
            down = dir;
        }
        Ok(())
    }

    /// Notes that something went from one directory to another: both must be on the disk before the commit.
    pub fn moved(&mut self, from: &At, to: &At) {
        self.touched.came.insert(to.dir.path.clone());
        self.touched.went.insert(from.dir.path.clone());
    }

    /// Notes that something came or went in a directory, which must be on the disk before the commit.
    pub fn touch(&mut self, at: &At) {
        self.touched.came.insert(at.dir.path.clone());
    }

    /// Notes that directories were made for a package's entry, or removed with it; `made` says which.
    pub fn touch_package_dirs(&mut self, place: &Place, made: bool) {
        let Place::Package { at: route, entry: Entry::New { dirs } } = place else { return };
        let path = self.shown(route);
        let touched = if made { &mut self.touched.came } else { &mut self.touched.went };
        touched.extend(path.ancestors().skip(1).take(dirs + 1).map(Path::to_owned));
    }

    /// Waits until what moved is on the disk in its new place, then until it is gone from the old one.
    pub fn sync(&self) -> Result<(), Error> {
        let Touched { came, went } = &self.touched;
        for path in came.iter().chain(went.difference(came)) {
            // A directory that went is on the disk as gone when the one above is.
            for path in path.ancestors() {
                match Handle::open(path).and_then(|dir| dir.sync()) {
                    Err(error) if is_nowhere(&error) => {}
                    Err(error) => return Err(Error::new("sync", path, error)),
                    Ok(()) => break,
                }
            }
        }
        Ok(())
    }
}

/// Returns the pieces that the directory `name` in `dir` consists of; `None` if there is something else in it, or it is
/// none.
fn pieces_at(dir: &Handle, name: &[u8], own: &[u8]) -> io::Result<Option<Vec<Piece>>> {
    let Some(name) = Name::new(name) else { return Ok(None) };
    if dir.look(name.as_bytes())? != Some(Found::Dir) {
        return Ok(None);
    }
    let top = RelPath::from_names([&name]);
    let mut found = Vec::new();
    let mut todo = vec![RelPath::root()];
    while let Some(at) = todo.pop() {
        for (name, node) in dir.open_below(&top.join_path(&at))?.list(Texts::All)?.iter() {
            if name.as_bytes().starts_with(own) {
                continue;
            }
            let path = at.join(&name);
            let text = match node {
                Node::Dir(_) => {
                    todo.push(path.clone());
                    None
                }
                Node::Link(Link { text: Some(text), .. }) => Some(text),
                _ => return Ok(None),
            };
            found.push(Piece { path, text });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Some(found))
}
