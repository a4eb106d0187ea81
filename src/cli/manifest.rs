//! `farm.toml`: read, and looked at with this machine in mind.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use farm::manifest::{
    Base, Expected, Fault, Layout, Machine, Manifest, Mistake, Placed, Profile, Said, nearest,
};
use farm::{Error, Fold, Folds, Mount, Name, Policy, RelPath};

use super::resolve::Refusal;
use crate::environment;

/// The name of the manifest in a dotfiles directory.
pub const FILE: &str = "farm.toml";

/// A manifest that says something, and the machine that it is read for.
#[derive(Debug)]
pub struct Declared {
    /// Where it is.
    pub path: PathBuf,
    text: String,
    /// What it says.
    pub manifest: Manifest,
    machine: Machine,
    /// Its target.
    pub target: PathBuf,
}

/// What is wrong with a manifest: all that a sentence about it takes.
#[derive(Debug)]
pub struct Wrong {
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// What is wrong, in the order of the text.
    pub mistakes: Vec<Mistake>,
}

impl Declared {
    /// Reads the manifest of a dotfiles directory; `None` when there is none, or it only marks the directory.
    pub fn read(dir: &Path) -> Result<Option<Declared>, Refusal> {
        let path = dir.join(FILE);
        match fs_err::metadata(&path) {
            Ok(found) if found.is_file() => {}
            Ok(_) => return Ok(None),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => return Ok(None),
                kind => return Err(Refusal::System(Error::new("look at", &path, kind))),
            },
        }
        let bytes = fs_err::read(&path).map_err(|error| {
            let kind = error.kind();
            Refusal::System(Error::new("read", &path, kind))
        })?;
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let mistakes = vec![Mistake::new(at..at + 1, Fault::NotUtf8)];
                return Err(Refusal::Manifest(Box::new(Wrong { path, text, mistakes })));
            }
        };
        Declared::of(path, text)
    }

    /// Reads the text of a manifest at `path`, whether it is there yet or not.
    pub fn of(path: PathBuf, text: String) -> Result<Option<Declared>, Refusal> {
        let manifest = match Manifest::parse(&text) {
            Ok(manifest) => manifest,
            Err(mistakes) => return Err(Refusal::Manifest(Box::new(Wrong { path, text, mistakes }))),
        };
        if manifest.says_nothing() {
            return Ok(None);
        }
        let mut machine = environment::machine();
        let there = |written: &&str| {
            let path = machine.path(written);
            path.is_some_and(|path| Path::new(OsStr::from_bytes(&path)).exists())
        };
        machine.there = manifest.asks_for().into_iter().filter(there).map(str::to_owned).collect();
        let mut declared = Declared { path, text, manifest, machine, target: PathBuf::new() };
        match declared.manifest.target(&declared.machine) {
            Ok(target) => declared.target = PathBuf::from(OsStr::from_bytes(&target)),
            Err(mistake) => return Err(declared.wrong(vec![mistake])),
        }
        Ok(Some(declared))
    }

    /// Returns the refusal of a manifest in which this is wrong.
    pub fn wrong(&self, mistakes: Vec<Mistake>) -> Refusal {
        Refusal::Manifest(Box::new(Wrong { path: self.path.clone(), text: self.text.clone(), mistakes }))
    }

    /// Returns the line, counted from 1, that says where a package lands, or names it, when the package is not for this
    /// machine.
    pub fn not_here(&self, package: &RelPath, mount: &RelPath) -> Option<usize> {
        let (_, name) = package.split()?;
        let placed = self.place(&self.name_of(&name), mount).ok().filter(|placed| !placed.counts)?;
        let table = self.manifest.packages.get(&placed.name)?;
        Some(self.line(table.name.span.start))
    }

    /// Returns the line, counted from 1, of a place in the text.
    pub fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    /// Returns the machine that it is read for.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Returns the names of packages as a profile lists them.
    pub fn names(&self, said: &[Said<String>]) -> Result<Vec<Name>, Refusal> {
        let mut mistakes = Vec::new();
        let mut names = Vec::new();
        for said in said {
            match Name::new(said.value.as_bytes()).filter(|_| !said.value.contains('\0')) {
                Some(name) => names.push(name),
                None => mistakes.push(Mistake::new(said.span.clone(), Fault::BadPackage)),
            }
        }
        if mistakes.is_empty() { Ok(names) } else { Err(self.wrong(mistakes)) }
    }

    /// Returns what is wrong with the directory of a package that the manifest, or `profile`, names.
    pub fn source_mistake(
        &self,
        placed: &Placed,
        dir: &Path,
        there: impl FnOnce() -> Vec<String>,
        profile: Option<&Profile>,
    ) -> Option<Mistake> {
        let name = String::from_utf8_lossy(placed.name.as_bytes());
        let listed = profile.and_then(|it| it.packages.iter().find(|said| said.value == name));
        let span = placed.source_span.clone().or(listed.map(|said| said.span.clone())).unwrap_or(0..0);
        let source = String::from_utf8_lossy(placed.source.as_bytes()).into_owned();
        let path = dir.join(OsStr::from_bytes(placed.source.as_bytes()));
        let shown = path.display().to_string();
        let fault = match fs_err::metadata(&path) {
            Ok(found) if found.is_dir() => return None,
            Ok(_) => Fault::WrongSource { path: shown, expected: Expected::Directory },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let nearest = nearest(&source, there().iter().map(String::as_str)).map(str::to_owned);
                Fault::NoSource { path: shown, nearest }
            }
            Err(error) => Fault::Unreadable { path: shown, error: error.kind().to_string() },
        };
        Some(Mistake::new(span, fault))
    }

    fn base(&self, mount: &RelPath) -> Base {
        let dir = self.path.parent().unwrap_or(&self.path);
        let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
        Base { target: bytes(&self.target), dotfiles: bytes(dir), mount: mount.clone() }
    }

    /// Returns all that counts on this machine, with these packages, whether it mentions them or not. `mount` is what
    /// is missing of the target.
    pub fn layout(&self, also: &[Name], mount: &RelPath) -> Result<Layout, Refusal> {
        let layout = self.manifest.layout(also, &self.machine, &self.base(mount));
        layout.map_err(|mistakes| self.wrong(mistakes))
    }

    /// Returns where a package lands.
    pub fn place(&self, name: &Name, mount: &RelPath) -> Result<Placed, Refusal> {
        let placed = self.manifest.place(name, &self.machine, &self.base(mount));
        placed.map_err(|mistakes| self.wrong(mistakes))
    }

    /// Returns the name under which the manifest knows the package in the directory `name`.
    pub fn name_of(&self, name: &Name) -> Name {
        let packages = &self.manifest.packages;
        if packages.contains_key(name) {
            return name.clone();
        }
        let by_source = packages.values().find(|package| {
            let source = package.all.source.as_ref();
            source.is_some_and(|said| said.value.trim_end_matches('/').as_bytes() == name.as_bytes())
        });
        by_source.map_or_else(|| name.clone(), |package| package.name.value.clone())
    }

    /// Returns the refusal of a package whose directory is not there, when the manifest is what names it.
    pub fn no_source(&self, placed: &Placed, dir: &Path, there: &[String]) -> Option<Refusal> {
        let span = placed.source_span.clone()?;
        let source = String::from_utf8_lossy(placed.source.as_bytes()).into_owned();
        let nearest = nearest(&source, there.iter().map(String::as_str)).map(str::to_owned);
        let path = dir.join(&source).display().to_string();
        Some(self.wrong(vec![Mistake::new(span, Fault::NoSource { path, nearest })]))
    }

    /// Returns the refusal of a package that is no directory, when the manifest is what names it.
    pub fn no_directory(&self, placed: &Placed, dir: &Path) -> Option<Refusal> {
        let path = dir.join(OsStr::from_bytes(placed.source.as_bytes())).display().to_string();
        let fault = Fault::WrongSource { path, expected: Expected::Directory };
        Some(self.wrong(vec![Mistake::new(placed.source_span.clone()?, fault)]))
    }

    /// Returns where the packages land that the manifest mentions, those of other machines left out.
    pub fn mounts(&self, mount: &RelPath) -> BTreeMap<RelPath, Mount> {
        let placed = self.manifest.packages.keys().filter_map(|name| self.place(name, mount).ok());
        placed.filter(|placed| placed.counts).map(|placed| (placed.source, placed.mount)).collect()
    }

    /// Enters what the manifest says of folding and names into a policy.
    pub fn enter(&self, mount: &RelPath, policy: &mut Policy) -> Result<(), Refusal> {
        let defaults = &self.manifest.defaults;
        let folds = self.manifest.folds(defaults.folding.as_ref(), &self.machine, &self.base(mount));
        let Folds { fold, never } = folds.map_err(|mistake| self.wrong(vec![mistake]))?;
        if fold == Fold::Never {
            policy.fold = fold;
        }
        policy.never_fold = never;
        policy.naming = defaults.naming;
        for name in self.manifest.packages.keys() {
            let placed = self.place(name, mount)?;
            policy.folds_of.insert(placed.source, placed.folds);
        }
        Ok(())
    }
}
