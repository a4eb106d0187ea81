//! Reading: answers what a planner needs from the disk, in parallel where there is enough to share.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::error::{Error, Result, ScanError};
use crate::known::Known;
use crate::package::{Request, Step};
use crate::path::{LinkText, Name, RelPath, Route};
use crate::plan::{Planned, Transfer, Transferred, plan, transfer};
use crate::policy::OnFile;
use crate::rulebook::RuleBook;
use crate::rules::{Candidate, Kept, Rules};
use crate::snapshot::{Fact, MARKERS, Need, Pair, Side, Snapshot, SourceId};
use crate::status::{Standing, standing};
use crate::sys::{self, Handle, os};
use crate::threads;
use crate::tree::{DirId, Entries, LARGE, Leads, Node, Texts};
use crate::written;

/// Fewer needs than this are answered one after the other: a thread costs more than it saves.
const WORTH_SHARING: usize = 24;

/// A directory with no more bytes than this for each name that is asked is read as a whole: four names in it take as long
/// to read as one to look up.
const WORTH_LISTING: u64 = 80;

/// So many names of others tell in nearly every large directory that no one link could stand for it.
const SAMPLE: usize = 4;

/// Where so many directories in a row do not have the links that they may have, the next ones are not expected to.
const IN_VAIN: usize = 4;

/// How so many packages stand is found out together. All of thousands would be compared with what all others have beside
/// them.
const LOOKED_AT_TOGETHER: usize = 16;

/// Nobody follows more links than this on one way; Linux stops at 40, macOS at 32.
const MOST_LINKS: usize = 40;

/// Reads one farm.
pub struct Scanner<'a> {
    request: &'a Request,
    rules: &'a RuleBook,
    root: Handle,
    /// The request's stow directory, where it can be opened: packages are reached from it.
    stow_dir: Option<Handle>,
    /// In how many directories links were looked for by name and not found, since they last were.
    in_vain: AtomicUsize,
}

/// Plans what is to move between the target and a package, on the farm that `request` is about; the request's own steps
/// do not count. Changes nothing.
///
/// # Errors
/// When the root cannot be opened, or something cannot be read.
pub fn plan_transfer(
    request: &Request,
    rules: &RuleBook,
    asked: &Transfer,
) -> Result<Transferred, ScanError> {
    Scanner::open(request, rules)?.transfer(asked)
}

impl<'a> Scanner<'a> {
    /// Opens the farm that `request` is about.
    ///
    /// # Errors
    /// When the root cannot be opened.
    pub fn open(request: &'a Request, rules: &'a RuleBook) -> Result<Scanner<'a>> {
        let root = Path::new(os(&request.root));
        let root = Handle::open(root).map_err(|e| Error::new("open target directory", root, e))?;
        let mut scanner = Scanner { request, rules, root, stow_dir: None, in_vain: AtomicUsize::new(0) };
        scanner.stow_dir = Handle::open(&scanner.absolute(&request.stow_dir)).ok();
        Ok(scanner)
    }

    /// Returns the handle of the farm's root.
    pub fn root(&self) -> &Handle {
        &self.root
    }

    /// Plans the request, reading what that takes.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn plan(&self) -> Result<Planned, ScanError> {
        self.think(|snapshot| plan(self.request, snapshot))
    }

    /// Plans what is to move between the target and a package, reading what that takes.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn transfer(&self, asked: &Transfer) -> Result<Transferred, ScanError> {
        self.think(|snapshot| transfer(self.request, asked, snapshot))
    }

    /// Returns how each package of the request's steps stands, reading what that takes.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn status(&self, known: &Known) -> Result<Vec<Standing>, ScanError> {
        let some = |steps: &[Step]| self.status_of(steps, known);
        let all = match self.request.steps.len() > LOOKED_AT_TOGETHER && threads::start() {
            true => {
                self.request.steps.par_chunks(LOOKED_AT_TOGETHER).map(some).collect::<Result<Vec<_>, _>>()
            }
            false => self.request.steps.chunks(LOOKED_AT_TOGETHER).map(some).collect(),
        };
        Ok(all?.into_iter().flatten().collect())
    }

    /// As [`status`](Self::status), of a few packages.
    fn status_of(&self, steps: &[Step], known: &Known) -> Result<Vec<Standing>, ScanError> {
        let mut snapshot = Snapshot::unread();
        let mut found: Vec<Option<Standing>> = vec![None; steps.len()];
        let mut asked = self.request.without_steps();
        loop {
            let mut needs = BTreeSet::new();
            for (step, found) in steps.iter().zip(&mut found).filter(|(_, it)| it.is_none()) {
                match standing(&mut asked, step, known, &snapshot) {
                    Ok(standing) => *found = Some(standing),
                    Err(lacking) => needs.extend(lacking),
                }
            }
            if needs.is_empty() {
                return Ok(found.into_iter().flatten().collect());
            }
            self.read(&mut snapshot, needs)?;
        }
    }

    /// Returns what keeps an entry of a package out, or a directory above it, with the path in the package of what is kept
    /// out.
    ///
    /// # Errors
    /// When the package or its rules cannot be read.
    pub fn kept_out(&self, package: &RelPath, entry: &RelPath) -> Result<Option<(RelPath, Kept)>, ScanError> {
        let route = self.request.stow_dir.join_path(package);
        let rules = self.package(&route)?;
        let naming = self.request.policy.naming;
        let mut source_dir = RelPath::root();
        for name in entry.names() {
            let path = source_dir.join(&name);
            let on_disk = std::fs::symlink_metadata(self.absolute(&route.join_path(&path)));
            let is_dir = on_disk.is_ok_and(|found| found.is_dir());
            let spelled: Vec<Name> = source_dir.names().map(|name| naming.target_name(&name)).collect();
            let target_dir = &RelPath::from_names(&spelled);
            let candidate = Candidate { source_dir: &source_dir, target_dir, name: name.as_bytes(), is_dir };
            if let Some(kept) = rules.keeps(&candidate) {
                return Ok(Some((path, kept)));
            }
            source_dir = path;
        }
        Ok(None)
    }

    /// Lets a planner think until it lacks nothing.
    fn think<T>(&self, plan: impl Fn(&Snapshot) -> Result<T, BTreeSet<Need>>) -> Result<T, ScanError> {
        let mut snapshot = Snapshot::unread();
        loop {
            match plan(&snapshot) {
                Ok(planned) => return Ok(planned),
                Err(needs) => self.read(&mut snapshot, needs)?,
            }
        }
    }

    /// Answers needs.
    ///
    /// # Errors
    /// The first thing that cannot be read.
    pub fn read(&self, snapshot: &mut Snapshot, needs: BTreeSet<Need>) -> Result<(), ScanError> {
        let needs = needs.into_iter().collect();
        snapshot.learn(self.request.policy.naming, needs, |snapshot, needs| {
            let is_large = |need: &&Need| match need {
                Need::Listing { side: Side::Target, dir, .. } => {
                    snapshot.target.known_entries(*dir).is_some_and(Entries::is_partial)
                }
                _ => false,
            };
            let dirs = needs.iter().map(|need| if matches!(need, Need::Pair { .. }) { 2 } else { 1 });
            let is_much = dirs.sum::<usize>() >= WORTH_SHARING || needs.iter().filter(is_large).count() > 1;
            if is_much && threads::start() {
                let needs = needs.into_par_iter().with_max_len(threads::AT_A_TIME);
                needs.map(|need| self.fact(snapshot, need)).collect()
            } else {
                needs.into_iter().map(|need| self.fact(snapshot, need)).collect()
            }
        })
    }

    fn fact(&self, snapshot: &Snapshot, need: Need) -> Result<(Need, Fact), ScanError> {
        if let Some(fact) = written::answer(self.request.rendered.as_deref(), snapshot, &self.root, &need)
            .map_err(|error| Error::new("compare files in", os(&self.request.root), error))?
        {
            return Ok((need, fact));
        }
        let fact = match &need {
            Need::Package { stow_dir, package } => self.linked_package(stow_dir, package)?,
            Need::NewPackage { stow_dir, package } => {
                Fact::Package(self.rules.rules_for_new(&self.absolute(&stow_dir.join_path(package)))?)
            }
            Need::Listing { side, dir, texts } => {
                Fact::Listing(self.listing(snapshot, *side, *dir, *texts)?.into())
            }
            Need::Sifted { source, dir } => {
                let entries = self.listing(snapshot, Side::Source(*source), *dir, Texts::All)?;
                let hides = snapshot.hides_among(*source, *dir, &entries);
                Fact::Sifted(entries.into(), hides)
            }
            Need::Start { dir, texts } => {
                let path = snapshot.target.path(*dir);
                let start = self.root.open_below(&path).and_then(|handle| start(&handle, *texts));
                start.map_err(|e| self.error(snapshot, "read directory", Side::Target, &path, e))?
            }
            Need::Pair { .. } => self.pair(snapshot, &need)?,
            Need::Names { dir, source, source_dir, texts } => {
                let path = snapshot.target.path(*dir);
                let naming = self.request.policy.naming;
                let unknown = snapshot.unknown_names(*dir, *source, *source_dir, naming).collect();
                let found = self.root.open_below(&path).and_then(|handle| look_up(&handle, unknown, *texts));
                found.map_err(|e| self.error(snapshot, "look into", Side::Target, &path, e))?
            }
            Need::Texts { dir, source, source_dir } => {
                let path = snapshot.target.path(*dir);
                let names = snapshot.unread_texts(*dir, *source, *source_dir, self.request.policy.naming);
                let links = self.root.open_below(&path).and_then(|handle| handle.link_texts(names));
                let links =
                    links.map_err(|e| self.error(snapshot, "read links in", Side::Target, &path, e))?;
                Fact::Texts(links.into())
            }
            Need::InStep { .. }
            | Need::Below { .. }
            | Need::Merged { .. }
            | Need::WayDown { .. }
            | Need::Under { .. } => {
                unreachable!("`learn` asks for listings instead")
            }
            Need::Mirror { source, dir, target_dir, rules_dir } => {
                snapshot.make_mirror(*source, *dir, target_dir, rules_dir)
            }
            Need::Hides { source, dir } => Fact::Holds(snapshot.find_hides(*source, *dir)),
            Need::Text { dir, name } => {
                let path = snapshot.target.path(*dir).join(name);
                let text = self.root.read_link(&path);
                Fact::Text(text.map_err(|e| self.error(snapshot, "read link", Side::Target, &path, e))?)
            }
            Need::Leads { side, dir, name } => {
                let path = snapshot.tree(*side).path(*dir).join(name);
                let leads = match side {
                    Side::Target => self.root.leads(&path),
                    Side::Source(id) => {
                        self.source(snapshot, *id, &RelPath::root()).and_then(|source| source.leads(&path))
                    }
                };
                Fact::Leads(leads.map_err(|e| self.error(snapshot, "look at", *side, &path, e))?)
            }
            Need::At(route) => {
                let path = self.absolute(route);
                Fact::Leads(sys::leads(&path).map_err(|e| Error::new("look at", path, e))?)
            }
            Need::AllLead { dir } => {
                let path = snapshot.target.path(*dir);
                let entries = snapshot.target.entries(*dir);
                let links: Vec<_> = entries.into_iter().flat_map(Entries::link_names).collect();
                let lead = |handle: Handle| {
                    threads::start();
                    let leads = links.into_par_iter().map(|name| handle.name_leads(name));
                    leads.collect::<io::Result<Vec<Leads>>>()
                };
                let leads = self.root.open_below(&path).and_then(lead);
                let leads = leads.map_err(|e| self.error(snapshot, "look into", Side::Target, &path, e))?;
                Fact::AllLead(leads)
            }
            Need::Marked(route) => {
                let mut path = route.to_bytes();
                path.extend_from_slice(b"/.stow");
                let holds = self.root.holds(&path);
                Fact::Holds(holds.map_err(|e| Error::new("look at", self.absolute(route).join(".stow"), e))?)
            }
            Need::Present(route) => {
                let path = self.absolute(route);
                Fact::Holds(match std::fs::metadata(&path) {
                    Ok(found) => found.is_dir(),
                    Err(error) if sys::is_nowhere(&error) => false,
                    Err(error) => return Err(Error::new("look at package", path, error).into()),
                })
            }
            Need::Endless { source, dir } => {
                let source = snapshot.source(*source);
                let mut at = self.absolute(&source.route());
                let mut passed = vec![fs_err::canonicalize(&at).ok()];
                for name in source.tree.path(*dir).names() {
                    at.push(os(name.as_bytes()));
                    passed.push(fs_err::canonicalize(&at).ok());
                }
                let last = passed.pop();
                Fact::Holds(last.is_none_or(|last| last.is_none() || passed.contains(&last)))
            }
            Need::Real { dir, name } => {
                let path = snapshot.target.path(*dir).join(name);
                let text = match snapshot.target.get(*dir, name) {
                    Some(Some(Node::Link(link))) => link.text,
                    _ => None,
                };
                let text = text.map_or_else(|| self.root.read_link(&path), Ok);
                let text = text.map_err(|e| self.error(snapshot, "read link", Side::Target, &path, e))?;
                let real = self.real(&snapshot.target.path(*dir), &text);
                Fact::Real(real.map_err(|e| self.error(snapshot, "follow", Side::Target, &path, e))?)
            }
            Need::Way { dir, name } => {
                let dir = snapshot.target.path(*dir);
                let way = self.way(&dir, name);
                Fact::Way(way.map_err(|e| self.error(snapshot, "follow", Side::Target, &dir.join(name), e))?)
            }
            Need::SameMode { dir, source, source_dir } => {
                let path = snapshot.target.path(*dir);
                let mode = |handle: Handle| handle.length_and_mode(b".").map(|(_, mode)| mode);
                let there = self.root.open_below(&path).and_then(mode);
                let there = there.map_err(|e| self.error(snapshot, "look at", Side::Target, &path, e))?;
                let path = snapshot.source(*source).tree.path(*source_dir);
                let here = self.source(snapshot, *source, &path).and_then(mode);
                let side = Side::Source(*source);
                Fact::Holds(there == here.map_err(|e| self.error(snapshot, "look at", side, &path, e))?)
            }
            Need::Stored { .. } => unreachable!("`written` answers it"),
            Need::Equal { dir, name, source, source_dir, source_name } => {
                let path = snapshot.target.path(*dir).join(name);
                let source_path = snapshot.source(*source).tree.path(*source_dir);
                let looks = [
                    self.shown(snapshot, Side::Target, &path),
                    self.shown(snapshot, Side::Source(*source), &source_path.join(source_name)),
                ];
                let compare = || {
                    // Most that differ do so at first sight. What cannot be seen so, the longer way tells of.
                    if let [Ok(there), Ok(package)] = looks.map(std::fs::symlink_metadata)
                        && (there.len(), there.mode()) != (package.len(), package.mode())
                    {
                        return Ok(false);
                    }
                    let target = self.root.open_below(&snapshot.target.path(*dir))?;
                    let package = self.source(snapshot, *source, &source_path)?;
                    equal(&target, name.as_bytes(), &package, source_name.as_bytes())
                };
                match compare() {
                    // Who adopts moves what he may not read, too.
                    Err(error)
                        if self.request.policy.on_file == OnFile::Adopt
                            && error.kind() == io::ErrorKind::PermissionDenied =>
                    {
                        Fact::Holds(false)
                    }
                    compared => Fact::Holds(
                        compared.map_err(|e| self.error(snapshot, "compare", Side::Target, &path, e))?,
                    ),
                }
            }
        };
        Ok((need, fact))
    }

    /// Answers [`Need::Pair`].
    fn pair(&self, snapshot: &Snapshot, need: &Need) -> Result<Fact, ScanError> {
        let &Need::Pair { dir, source, source_dir, texts } = need else {
            unreachable!("it is asked of pairs")
        };
        if self.request.rendered.is_some() {
            // What is not on the disk is not compared with what is.
            let here = Need::Listing { side: Side::Source(source), dir: source_dir, texts: Texts::All };
            let there = Need::Start { dir, texts };
            return Ok(Fact::Many(vec![self.fact(snapshot, here)?, self.fact(snapshot, there)?]));
        }
        let side = Side::Source(source);
        let path = snapshot.tree(side).path(source_dir);
        let read = self
            .source(snapshot, source, &path)
            .and_then(|package| package.list(Texts::All).map(|entries| (package, entries)));
        let (package, entries) = read.map_err(|e| self.error(snapshot, "read directory", side, &path, e))?;
        let pair = Pair::new(snapshot, self.request, need, entries.into()).expect("it is one");
        let path = snapshot.target.path(dir);
        let read = || {
            let target = self.root.open_below(&path)?;
            if self.in_vain.load(Ordering::Relaxed) < IN_VAIN
                && let Some(links) = pair.links()
            {
                if target.has_links(&links, &MARKERS)? {
                    self.in_vain.store(0, Ordering::Relaxed);
                    return Ok(pair.with_links(links));
                }
                self.in_vain.fetch_add(1, Ordering::Relaxed);
            }
            let differ = |name: &Name| {
                let looks = [&target, &package].map(|dir| dir.length_and_mode(name.as_bytes()));
                // What cannot be seen so, the longer way tells of.
                matches!(looks, [Ok(there), Ok(here)] if there != here)
            };
            let there = match start(&target, texts)? {
                Fact::Large => look_up(&target, pair.names(), texts)?,
                listing => listing,
            };
            Ok(pair.with(there, differ))
        };
        Ok(read().map_err(|e| self.error(snapshot, "read directory", Side::Target, &path, e))?)
    }

    fn listing(
        &self,
        snapshot: &Snapshot,
        side: Side,
        dir: DirId,
        texts: Texts,
    ) -> Result<Entries, ScanError> {
        let path = snapshot.tree(side).path(dir);
        let listing = match side {
            Side::Target => self.root.open_below(&path).and_then(|handle| handle.list(texts)),
            Side::Source(id) => self.source(snapshot, id, &path).and_then(|handle| handle.list(texts)),
        };
        Ok(listing.map_err(|e| self.error(snapshot, "read directory", side, &path, e))?)
    }

    /// Opens a directory of a package.
    fn source(&self, snapshot: &Snapshot, id: SourceId, path: &RelPath) -> io::Result<Handle> {
        let source = snapshot.source(id);
        match &self.stow_dir {
            Some(stow_dir) if source.stow_dir == self.request.stow_dir => {
                stow_dir.open_through(&source.package.join_path(path))
            }
            _ => Handle::open(&self.shown(snapshot, Side::Source(id), path)),
        }
    }

    /// Makes known a package that steps name, or that links lead into: who deleted such a one need not have unlinked it.
    fn linked_package(&self, stow_dir: &Route, package: &RelPath) -> Result<Fact, ScanError> {
        let mut steps = self.request.steps.iter();
        match self.package(&stow_dir.join_path(package)) {
            Err(ScanError::NoPackage { .. })
                if !steps.any(|step| step.package == *package && self.request.origin(step) == stow_dir) =>
            {
                Ok(Fact::Gone)
            }
            rules => rules.map(Fact::Package),
        }
    }

    fn package(&self, route: &Route) -> Result<Rules, ScanError> {
        let path = self.absolute(route);
        match Handle::open(&path) {
            Ok(package) => self.rules.rules_for(&package, &path),
            Err(error) if sys::is_nowhere(&error) => Err(ScanError::NoPackage { path }),
            Err(error) => Err(Error::new("open package", path, error).into()),
        }
    }

    fn absolute(&self, route: &Route) -> PathBuf {
        let root = &self.request.root;
        let folded = Route::root().follow(&[root, &route.to_bytes()[..]].join(&b'/'));
        Path::new("/").join(os(folded.down.as_bytes()))
    }

    /// Returns where a link in the target's `dir` leads: the place in the dotfiles directory if it is reached at any
    /// step, else where it ends; `None` where it leads nowhere, or nowhere that one may go.
    fn real(&self, dir: &RelPath, text: &LinkText) -> io::Result<Option<Route>> {
        let at = Path::new(os(&self.request.root)).join(os(dir.as_bytes())).join(os(text.as_bytes()));
        let route = |path: &Path| Route::between(&self.request.root, path.as_os_str().as_bytes());
        let real = |path: &Path| match std::fs::canonicalize(path) {
            Ok(path) => Ok(Some(path)),
            Err(error) if sys::is_out_of_reach(&error) => Ok(None),
            Err(error) => Err(error),
        };
        // The entry itself, when it lies in the dotfiles directory: a package's own link is an entry like any other.
        if let (Some(parent), Some(name)) = (at.parent(), at.file_name()) {
            let Some(parent) = real(parent)? else { return Ok(None) };
            let entry = route(&parent.join(name));
            if entry.below(&self.request.stow_dir).is_some() {
                return Ok(Some(entry));
            }
        }
        Ok(real(&at)?.map(|path| route(&path)))
    }

    /// Returns the links that following the link `name` in the target's `dir` passes, as far as it can be followed.
    fn way(&self, dir: &RelPath, name: &Name) -> io::Result<Vec<Route>> {
        let mut passed = Vec::new();
        let mut at = Path::new(os(&self.request.root)).join(os(dir.as_bytes()));
        let mut rest = vec![os(name.as_bytes()).to_owned()];
        while let Some(step) = rest.pop() {
            if step == ".." {
                at.pop();
                continue;
            }
            at.push(step);
            let text = match std::fs::read_link(&at) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => continue,
                Err(error) if sys::is_nowhere(&error) => break,
                Err(error) => return Err(error),
            };
            passed.push(Route::between(&self.request.root, at.as_os_str().as_bytes()));
            if passed.len() > MOST_LINKS {
                break;
            }
            at.pop();
            let steps = text.components().rev().filter(|step| *step != Component::CurDir);
            rest.extend(steps.map(|step| step.as_os_str().to_owned()));
        }
        Ok(passed)
    }

    fn shown(&self, snapshot: &Snapshot, side: Side, path: &RelPath) -> PathBuf {
        let base = match side {
            Side::Target => Route::root(),
            Side::Source(id) => snapshot.source(id).route(),
        };
        self.absolute(&base.join_path(path))
    }

    fn error(
        &self,
        snapshot: &Snapshot,
        verb: &'static str,
        side: Side,
        path: &RelPath,
        e: io::Error,
    ) -> Error {
        Error::new(verb, self.shown(snapshot, side, path), e)
    }
}

/// Answers [`Need::Start`].
fn start(handle: &Handle, texts: Texts) -> io::Result<Fact> {
    // Who needs all texts looks at all of it anyway.
    if texts != Texts::All && handle.size()? > LARGE {
        return Ok(Fact::Large);
    }
    handle.list(texts).map(|entries| Fact::Listing(entries.into()))
}

/// Answers [`Need::Names`], about these.
fn look_up(handle: &Handle, mut names: Vec<Name>, texts: Texts) -> io::Result<Fact> {
    if names.len() as u64 * WORTH_LISTING >= handle.size()? {
        return handle.list(texts).map(|entries| Fact::Listing(entries.into()));
    }
    if texts != Texts::None {
        // Neighbours often come from one package.
        let others = handle.some_names(SAMPLE, |name| !names.iter().any(|it| it.as_bytes() == name))?;
        names.extend(others);
    }
    handle.find_names(names.into_iter()).map(|names| Fact::Names(names.into()))
}

/// Tells whether two files have the same bytes and permissions; anything but two regular files is not equal.
pub(crate) fn equal(one: &Handle, name: &[u8], other: &Handle, other_name: &[u8]) -> io::Result<bool> {
    let same_rights = |one: &File, other: &File| {
        Ok(one.metadata()?.permissions().mode() == other.metadata()?.permissions().mode())
    };
    equal_as(one, name, other, other_name, same_rights)
}

/// As [`equal`], where `same` says whether two files may be equal, but for their bytes.
pub(crate) fn equal_as(
    one: &Handle,
    name: &[u8],
    other: &Handle,
    other_name: &[u8],
    same: impl FnOnce(&File, &File) -> io::Result<bool>,
) -> io::Result<bool> {
    let open = |handle: &Handle, name: &[u8]| match handle.open_file(name) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput || sys::is_nowhere(&error) => Ok(None),
        opened => opened.map(Some),
    };
    let (Some(mut one), Some(mut other)) = (open(one, name)?, open(other, other_name)?) else {
        return Ok(false);
    };
    if one.metadata()?.len() != other.metadata()?.len() || !same(&one, &other)? {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let got = read_full(&mut one, &mut left)?;
        if got != read_full(&mut other, &mut right)? || left[..got] != right[..got] {
            return Ok(false);
        }
        if got < left.len() {
            return Ok(true);
        }
    }
}

fn read_full(file: &mut std::fs::File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
