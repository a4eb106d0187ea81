//! From what was typed to a request: directories, packages, policy.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::StowRc;
use super::args::DefaultWay;
use super::manifest::{Declared, FILE, Wrong};
use farm::manifest::Clash;
use farm::{Action, Error, LinkText, Mount, Name, Policy, RelPath, Request, Route, Step};

/// Why a command line cannot become a request.
#[derive(Debug)]
pub enum Refusal {
    /// A directory that is needed cannot be used.
    Directory {
        /// What it is for: "dotfiles directory" or "target directory".
        role: &'static str,
        path: PathBuf,
        cause: Cause,
        /// Where the path comes from, when nobody typed it.
        from: Option<&'static str>,
    },
    /// There is no such package.
    UnknownPackage { name: OsString, dir: PathBuf, nearest: Vec<String> },
    /// A package's name leads to something that is no directory, or is no name at all.
    NotAPackage { name: OsString, why: &'static str },
    /// A path that was typed for a package is none directly in the dotfiles directory.
    NotInDotfiles { name: OsString, dir: PathBuf },
    /// The target lies in the dotfiles directory.
    TargetInside { target: PathBuf, dir: PathBuf },
    /// The manifest has mistakes.
    Manifest(Box<Wrong>),
    /// The manifest says that a package is not for this machine.
    NotHere { name: OsString, manifest: PathBuf },
    /// There is no manifest, or it says nothing.
    NoManifest { dir: PathBuf },
    /// The manifest has profiles, and none was named.
    WhichProfile { known: Vec<String> },
    /// There is no such profile.
    UnknownProfile { name: String, known: Vec<String> },
    /// There is a manifest where one was to be written.
    ManifestExists { path: PathBuf },
    /// A new manifest would say nothing.
    NothingToWrite { dir: PathBuf },
    /// Somebody has edited a file that farm wrote, through the link that leads to it, if one does.
    Edited { link: Option<PathBuf>, file: PathBuf },
    /// A file to be imported is not in the Nix language.
    NotNix { path: PathBuf, line: usize, message: String },
    /// There is nothing in the dotfiles directory, and links lead there.
    NoPackages { dir: PathBuf },
    /// What dotbot would not read either; what is wrong with the YAML, if that is it.
    NotDotbots { path: PathBuf, line: usize, message: Option<String> },
    /// Something could not be read.
    System(Error),
}

/// What is wrong with a directory.
#[derive(Debug)]
pub enum Cause {
    Missing,
    DanglingLink,
    NotADirectory,
    System(io::Error),
}

impl Cause {
    fn of(path: &Path, error: io::Error) -> Cause {
        match error.kind() {
            io::ErrorKind::NotFound if path.is_symlink() => Cause::DanglingLink,
            io::ErrorKind::NotFound => Cause::Missing,
            io::ErrorKind::NotADirectory => Cause::NotADirectory,
            _ => Cause::System(error),
        }
    }
}

/// A directory, and where its path comes from.
struct Choice {
    path: PathBuf,
    from: Option<&'static str>,
}

/// The two directories of a farm, free of links, and what its manifest says.
#[derive(Debug)]
pub struct Farm {
    /// The dotfiles directory.
    pub dir: PathBuf,
    /// The farm's root, which exists.
    pub root: PathBuf,
    /// The target below the root: empty unless the target is still to be made.
    pub mount: RelPath,
    /// The manifest, when there is one that says anything.
    pub declared: Option<Rc<Declared>>,
}

/// Whether there is a terminal to ask on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Terminal {
    Present,
    Absent,
}

/// A package, and where it lands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Landed {
    /// Its directory in the dotfiles directory.
    pub package: RelPath,
    /// Where it lands.
    pub mount: Mount,
}

/// Why a package is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// Somebody named it, or the manifest does: it is to be linked.
    Wanted,
    /// It is a directory of the dotfiles directory: nobody says that it is to be linked.
    Found,
    /// The manifest says that it is not for this machine, whoever named it.
    NotHere,
}

impl Farm {
    /// Finds the two directories, and reads the manifest.
    pub fn find(dir: Option<&Path>, target: Option<&Path>, stowrc: &StowRc) -> Result<Farm, Refusal> {
        let chosen = choose_dir(dir, stowrc)?;
        let refuse = |role, choice: &Choice, cause| Refusal::Directory {
            role,
            path: choice.path.clone(),
            cause,
            from: choice.from,
        };
        let dir = directory(&chosen.path).map_err(|cause| refuse("dotfiles directory", &chosen, cause))?;
        let declared = Declared::read(&dir)?;
        let chosen = choose_target(target, declared.as_ref(), stowrc, &dir);
        let (root, mount) =
            existing(&chosen.path).map_err(|cause| refuse("target directory", &chosen, cause))?;
        let farm = Farm { dir, root, mount, declared: declared.map(Rc::new) };
        let target = farm.target();
        if target.starts_with(&farm.dir) {
            return Err(Refusal::TargetInside { target, dir: farm.dir });
        }
        Ok(farm)
    }

    /// Returns what `.stowrc` files say, unless there is a manifest, which takes their place.
    pub fn stowrc(&self, stowrc: &StowRc) -> StowRc {
        if self.declared.is_some() { StowRc::default() } else { stowrc.clone() }
    }

    /// Returns what becomes of things in the way when no option says it. Where nobody can be asked, nobody is.
    pub fn default_way(&self, terminal: Terminal) -> DefaultWay {
        let Some(declared) = &self.declared else { return DefaultWay::default() };
        let defaults = &declared.manifest.defaults;
        let clash = match defaults.conflict.unwrap_or(Clash::Stop) {
            Clash::Ask if terminal == Terminal::Absent => Clash::Stop,
            clash => clash,
        };
        DefaultWay { clash, backup: defaults.backup.clone().unwrap_or_default() }
    }

    /// Returns the manifest's patterns of what is never linked.
    pub fn ignore(&self) -> &[String] {
        self.declared.as_ref().map_or(&[], |declared| &declared.manifest.defaults.ignore)
    }

    /// Enters what the manifest says of folding and names into a policy.
    pub fn enter(&self, policy: &mut Policy) -> Result<(), Refusal> {
        self.declared.as_ref().map_or(Ok(()), |declared| declared.enter(&self.mount, policy))
    }

    /// Returns the target.
    pub fn target(&self) -> PathBuf {
        // Joining nothing would add a slash.
        if self.mount.is_root() {
            return self.root.clone();
        }
        self.root.join(OsStr::from_bytes(self.mount.as_bytes()))
    }

    /// Returns the absolute path of a place as seen from the root.
    pub fn absolute(&self, route: &Route) -> PathBuf {
        let bytes = [self.root.as_os_str().as_bytes(), &route.to_bytes()].join(&b'/');
        Path::new("/").join(OsStr::from_bytes(Route::root().follow(&bytes).down.as_bytes()))
    }

    /// Returns the place of an absolute path as seen from the root.
    pub fn route(&self, path: &Path) -> Route {
        Route::between(self.root.as_os_str().as_bytes(), path.as_os_str().as_bytes())
    }

    /// Returns where the dotfiles directory was before; there need not be anything now.
    pub fn former(&self, dir: &Path) -> Result<Route, Refusal> {
        let refuse = |cause| Refusal::Directory {
            role: "former dotfiles directory",
            path: dir.to_owned(),
            cause,
            from: None,
        };
        let absolute = std::path::absolute(dir).map_err(|error| refuse(Cause::System(error)))?;
        let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(refuse(Cause::NotADirectory));
        };
        // A link that was left in its place is not followed.
        let (at, missing) = existing(parent).map_err(refuse)?;
        Ok(self.route(&at.join(OsStr::from_bytes(missing.as_bytes())).join(name)))
    }

    /// Returns where the dotfiles directory seems to have been: links that are in the way lead there, nothing is there
    /// any more, and the dotfiles directory has the same.
    pub fn seems_moved_from<'l>(
        &self,
        links: impl Iterator<Item = (&'l RelPath, &'l LinkText)>,
    ) -> Option<PathBuf> {
        const LOOKED_AT: usize = 20;
        let is_missing =
            |path: &Path| path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        links.take(LOOKED_AT).find_map(|(path, text)| {
            let (dir, _) = path.split()?;
            let route = self.request(Vec::new(), Policy::native()).route_of(&dir, text);
            let destination = self.absolute(&route);
            let mut above: Vec<&Path> = destination.ancestors().skip(1).collect();
            above.reverse();
            let former = above.into_iter().find(|former| {
                let below = destination.strip_prefix(former).unwrap_or(&destination);
                is_missing(former) && self.dir.join(below).symlink_metadata().is_ok()
            });
            former.map(Path::to_owned)
        })
    }

    /// Returns the request for these steps.
    pub fn request(&self, steps: Vec<Step>, policy: Policy) -> Request {
        let others = self.declared.as_ref().map_or_else(BTreeMap::new, |it| it.mounts(&self.mount));
        let root = self.root.as_os_str().as_bytes();
        Request {
            stow_dir: self.route(&self.dir),
            former: None,
            root: root.to_vec(),
            steps,
            others,
            earlier: None,
            rendered: None,
            policy,
        }
    }

    /// Returns the packages that were typed, each once, and where they land.
    ///
    /// What the manifest says must be right as a whole, whichever packages were typed.
    pub fn packages(&self, typed: &[OsString], action: Action) -> Result<Vec<Landed>, Refusal> {
        let mut names = Vec::new();
        let mut known = HashSet::new();
        for typed in typed {
            let name = self.name(typed)?;
            if known.insert(name.clone()) {
                names.push((typed, name));
            }
        }
        if let Some(declared) = &self.declared {
            let names: Vec<Name> = names.iter().map(|(_, name)| declared.name_of(name)).collect();
            declared.layout(&names, &self.mount)?;
        }
        names.into_iter().map(|(typed, name)| self.landed(typed, &name, action)).collect()
    }

    /// Returns the packages that were typed, or without one all there are, by their names.
    pub fn packages_or_all(&self, typed: &[OsString]) -> Result<Vec<(Landed, Claim)>, Refusal> {
        if !typed.is_empty() {
            let landed = self.packages(typed, Action::Unlink)?;
            let claim = |landed: &Landed| match &self.declared {
                Some(declared) if declared.not_here(&landed.package, &self.mount).is_some() => Claim::NotHere,
                _ => Claim::Wanted,
            };
            return Ok(landed.into_iter().map(|landed| (landed.clone(), claim(&landed))).collect());
        }
        let mut all = Vec::new();
        if let Some(declared) = &self.declared {
            for placed in declared.layout(&[], &self.mount)?.packages {
                let there = || self.there();
                if let Some(mistake) = declared.source_mistake(&placed, &self.dir, there, None) {
                    return Err(declared.wrong(vec![mistake]));
                }
                all.push((Landed { package: placed.source, mount: placed.mount }, Claim::Wanted));
            }
        }
        let mut known: HashSet<RelPath> = all.iter().map(|(landed, _)| landed.package.clone()).collect();
        for name in self.directories()? {
            let (landed, claim) = match &self.declared {
                None => (self.undeclared(&name), Claim::Found),
                Some(declared) => {
                    let placed = declared.place(&declared.name_of(&name), &self.mount)?;
                    let claim = if placed.counts { Claim::Found } else { Claim::NotHere };
                    (Landed { package: placed.source, mount: placed.mount }, claim)
                }
            };
            if known.insert(landed.package.clone()) {
                all.push((landed, claim));
            }
        }
        all.sort_by(|(a, _), (b, _)| a.package.cmp(&b.package));
        Ok(all)
    }

    /// Returns the package that was typed, which must exist: its name, with or without a slash at the end, or a path
    /// into the dotfiles directory.
    pub fn package(&self, typed: &OsString) -> Result<Landed, Refusal> {
        let landed = self.packages(std::slice::from_ref(typed), Action::Unlink)?;
        Ok(landed.into_iter().next().expect("one package for one name"))
    }

    /// As [`package`](Self::package), and `true` for a package that does not exist yet.
    pub fn package_or_new(&self, typed: &OsString) -> Result<(Landed, bool), Refusal> {
        let name = self.name(typed)?;
        let landed = match &self.declared {
            None => self.undeclared(&name),
            Some(declared) => {
                let name = declared.name_of(&name);
                declared.layout(std::slice::from_ref(&name), &self.mount)?;
                let placed = declared.place(&name, &self.mount)?;
                // A link in its place would be taken away by the next switch.
                if !placed.counts {
                    return Err(Refusal::NotHere { name: typed.to_owned(), manifest: declared.path.clone() });
                }
                Landed { package: placed.source, mount: placed.mount }
            }
        };
        let is_new = !self.is_package(typed, &landed.package)?;
        if is_new && self.dir.join(OsStr::from_bytes(landed.package.as_bytes())).is_symlink() {
            let why = "it is a link that leads nowhere";
            return Err(Refusal::NotAPackage { name: typed.to_owned(), why });
        }
        Ok((landed, is_new))
    }

    fn undeclared(&self, name: &Name) -> Landed {
        Landed { package: RelPath::from_names([name]), mount: Mount::Into(self.mount.clone()) }
    }

    fn landed(&self, typed: &OsStr, name: &Name, action: Action) -> Result<Landed, Refusal> {
        let unknown = || Refusal::UnknownPackage {
            name: typed.to_owned(),
            nearest: self.nearest(name),
            dir: self.dir.clone(),
        };
        let Some(declared) = &self.declared else {
            let landed = self.undeclared(name);
            return if self.is_package(typed, &landed.package)? { Ok(landed) } else { Err(unknown()) };
        };
        let placed = declared.place(&declared.name_of(name), &self.mount)?;
        if action == Action::Link && !placed.counts {
            return Err(Refusal::NotHere { name: typed.to_owned(), manifest: declared.path.clone() });
        }
        match self.is_package(typed, &placed.source) {
            Ok(true) => Ok(Landed { package: placed.source, mount: placed.mount }),
            Ok(false) => {
                let missing = declared.no_source(&placed, &self.dir, &self.there());
                Err(missing.unwrap_or_else(unknown))
            }
            Err(Refusal::NotAPackage { name, why }) => {
                let wrong = declared.no_directory(&placed, &self.dir);
                Err(wrong.unwrap_or(Refusal::NotAPackage { name, why }))
            }
            Err(refusal) => Err(refusal),
        }
    }

    fn name(&self, typed: &OsStr) -> Result<Name, Refusal> {
        let bytes = typed.as_bytes();
        let trimmed = &bytes[..bytes.iter().rposition(|&b| b != b'/').map_or(0, |last| last + 1)];
        let bad = |why| Refusal::NotAPackage { name: typed.to_owned(), why };
        match Name::new(trimmed) {
            Some(name) => Ok(name),
            None if bytes.is_empty() => Err(bad("a package's name is not empty")),
            None => self
                .name_in_path(Path::new(typed))
                .ok_or_else(|| Refusal::NotInDotfiles { name: typed.to_owned(), dir: self.dir.clone() }),
        }
    }

    /// Tells whether there is a package in this directory; `typed` is what it goes by in messages.
    fn is_package(&self, typed: &OsStr, package: &RelPath) -> Result<bool, Refusal> {
        let path = self.dir.join(OsStr::from_bytes(package.as_bytes()));
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => Ok(true),
            Ok(_) => Err(Refusal::NotAPackage {
                name: typed.to_owned(),
                why: "it is a file, and a package is a directory",
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Refusal::System(Error::new("look at package", path, error))),
        }
    }

    /// Returns where a path that was typed lies, as seen from the farm's root.
    ///
    /// Links on the way to the target are followed, those in the target are not, nor is what the path ends in: a link
    /// is what it is about. Where nothing can be looked at the path is taken as it stands.
    pub fn locate(&self, typed: &OsStr) -> io::Result<Route> {
        let target = self.target();
        let real = |path: &Path| fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut at = PathBuf::from("/");
        let absolute = here()?.join(typed);
        let mut components = absolute.components().peekable();
        while let Some(component) = components.next() {
            match component {
                Component::Normal(name) => {
                    at.push(name);
                    if components.peek().is_some() && !at.starts_with(&target) {
                        at = real(&at);
                    }
                }
                // What is above a link is what is above the directory that it leads to.
                Component::ParentDir => {
                    at = real(&at);
                    at.pop();
                }
                _ => {}
            }
        }
        Ok(Route::between(self.root.as_os_str().as_bytes(), at.as_os_str().as_bytes()))
    }

    /// Returns the last segment of a path whose directory is the dotfiles directory.
    fn name_in_path(&self, path: &Path) -> Option<Name> {
        let mut path = path.to_owned();
        if matches!(path.components().next_back(), Some(Component::CurDir | Component::ParentDir)) {
            path = fs_err::canonicalize(&path).ok()?;
        }
        let name = Name::new(path.file_name()?.as_bytes())?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        (fs_err::canonicalize(parent).ok()? == self.dir).then_some(name)
    }

    /// Returns up to three packages whose names are nearest to `name`.
    fn nearest(&self, name: &Name) -> Vec<String> {
        let name = String::from_utf8_lossy(name.as_bytes()).into_owned();
        let mut near: Vec<(usize, String)> = self
            .there()
            .into_iter()
            .map(|other| (strsim::osa_distance(&name.to_lowercase(), &other.to_lowercase()), other))
            .filter(|(distance, other)| *distance <= 1 + other.len().min(name.len()) / 3)
            .collect();
        near.sort();
        near.into_iter().take(3).map(|(_, other)| other).collect()
    }

    /// Returns the names that a package may be called by here, as text: those of other machines left out, and none while
    /// the directory cannot be read.
    pub fn names(&self) -> Vec<String> {
        let Some(declared) = &self.declared else { return self.there() };
        let here = |name: Name| declared.place(&name, &self.mount).ok().filter(|it| it.counts).map(|_| name);
        let directories = self.directories().unwrap_or_default();
        let found = directories.iter().map(|name| declared.name_of(name));
        let names: BTreeSet<Name> =
            declared.manifest.packages.keys().cloned().chain(found).filter_map(here).collect();
        names.iter().filter_map(|name| String::from_utf8(name.as_bytes().to_vec()).ok()).collect()
    }

    /// Returns the names of the directories in the dotfiles directory as text, hidden ones left out; none when it cannot
    /// be read.
    pub(super) fn there(&self) -> Vec<String> {
        names_in(&self.dir)
    }

    /// Returns the names of the directories in the dotfiles directory, hidden ones left out.
    fn directories(&self) -> Result<Vec<Name>, Refusal> {
        directories(&self.dir)
    }
}

fn directories(dir: &Path) -> Result<Vec<Name>, Refusal> {
    let error = |error| Refusal::System(Error::new("read directory", dir, error));
    let entries = fs::read_dir(dir).map_err(error)?.collect::<io::Result<Vec<_>>>().map_err(error)?;
    let dirs = entries.into_iter().filter(|entry| entry.path().is_dir());
    let names = dirs.filter_map(|entry| Name::new(entry.file_name().as_bytes()));
    Ok(names.filter(|name| !name.as_bytes().starts_with(b".")).collect())
}

/// Returns the names of the directories in a dotfiles directory as text, hidden ones left out; none when it cannot be
/// read.
pub fn names_in(dir: &Path) -> Vec<String> {
    let mut names = directories(dir).unwrap_or_default();
    names.sort();
    names.iter().map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned()).collect()
}

/// Returns the steps that do `actions` for each package, in the order they were typed.
pub fn steps(actions: &[Action], packages: &[Landed]) -> Vec<Step> {
    let step =
        |action: &Action, landed: &Landed| Step::new(*action, landed.package.clone(), landed.mount.clone());
    actions.iter().flat_map(|action| packages.iter().map(move |package| step(action, package))).collect()
}

/// Returns the dotfiles directory, free of links, whatever its manifest says.
pub fn dotfiles_dir(dir: Option<&Path>, stowrc: &StowRc) -> Result<PathBuf, Refusal> {
    let chosen = choose_dir(dir, stowrc)?;
    directory(&chosen.path).map_err(|cause| Refusal::Directory {
        role: "dotfiles directory",
        path: chosen.path.clone(),
        cause,
        from: chosen.from,
    })
}

fn choose_dir(typed: Option<&Path>, stowrc: &StowRc) -> Result<Choice, Refusal> {
    let from_env = |name| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = typed {
        return Ok(Choice { path: path.to_owned(), from: None });
    }
    for (name, from) in [("FARM_DIR", "$FARM_DIR"), ("STOW_DIR", "$STOW_DIR")] {
        if let Some(path) = from_env(name) {
            return Ok(Choice { path: path.into(), from: Some(from) });
        }
    }
    let here = env::current_dir().map_err(|cause| Refusal::Directory {
        role: "dotfiles directory",
        path: ".".into(),
        cause: Cause::of(Path::new("."), cause),
        from: Some("the current directory"),
    })?;
    for dir in here.ancestors() {
        if has_manifest(dir)? {
            return Ok(Choice { path: dir.to_owned(), from: Some("farm.toml") });
        }
    }
    if let Some(dir) = &stowrc.dir {
        return Ok(Choice { path: dir.clone(), from: Some(".stowrc") });
    }
    let home = env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let mut found = None;
    for dir in home.into_iter().flat_map(|home| USUAL.map(|name| home.join(name))) {
        if has_manifest(&dir)? {
            found = Some(dir);
            break;
        }
    }
    Ok(match found {
        Some(path) => Choice { path, from: Some("farm.toml") },
        None => Choice { path: here, from: Some("the current directory") },
    })
}

/// Where people keep their dotfiles: found from anywhere when there is a manifest.
const USUAL: [&str; 3] = [".dotfiles", "dotfiles", ".config/dotfiles"];

/// Tells whether a directory holds a manifest. Where nobody may look there is none.
fn has_manifest(dir: &Path) -> Result<bool, Refusal> {
    let path = dir.join(FILE);
    match fs::metadata(&path) {
        Ok(found) => Ok(found.is_file()),
        Err(error) if farm::is_out_of_reach(&error) => Ok(false),
        Err(error) => Err(Refusal::System(Error::new("look at", path, error))),
    }
}

/// Returns the target that the environment names.
pub(super) fn target_of_environment() -> Option<PathBuf> {
    env::var_os("FARM_TARGET").filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn choose_target(typed: Option<&Path>, declared: Option<&Declared>, stowrc: &StowRc, dir: &Path) -> Choice {
    match (typed, target_of_environment(), declared, &stowrc.target) {
        (Some(path), ..) => Choice { path: path.to_owned(), from: None },
        (None, Some(path), ..) => Choice { path, from: Some("$FARM_TARGET") },
        (None, None, Some(declared), _) => Choice { path: declared.target.clone(), from: Some("farm.toml") },
        (None, None, None, Some(path)) => Choice { path: path.clone(), from: Some(".stowrc") },
        (None, None, None, None) => Choice {
            path: dir.parent().unwrap_or(dir).to_owned(),
            from: Some("the parent of the dotfiles directory"),
        },
    }
}

/// Returns the current directory by the way that the user went there, if the shell says which.
///
/// In a folded directory that is the path in the target, where the system only knows the one in the package.
fn here() -> io::Result<PathBuf> {
    let real = env::current_dir()?;
    let said = env::var_os("PWD").map(PathBuf::from).filter(|said| said.is_absolute());
    let is_here = |said: &PathBuf| fs_err::canonicalize(said).is_ok_and(|said| said == real);
    Ok(said.filter(is_here).unwrap_or(real))
}

/// Returns the path of an existing directory, free of links.
fn directory(path: &Path) -> Result<PathBuf, Cause> {
    let cause = |error| Cause::of(path, error);
    let real = fs::canonicalize(path).map_err(cause)?;
    if fs::metadata(&real).map_err(cause)?.is_dir() { Ok(real) } else { Err(Cause::NotADirectory) }
}

/// Returns an absolute path to a directory, free of links as far as it exists.
pub(super) fn real(path: &Path) -> PathBuf {
    match existing(path) {
        // Joining nothing would add a slash.
        Ok((root, missing)) if missing.is_root() => root,
        Ok((root, missing)) => root.join(OsStr::from_bytes(missing.as_bytes())),
        Err(_) => path.to_owned(),
    }
}

/// Returns the nearest existing directory at or above `path`, free of links, and what is missing below it.
pub(super) fn existing(path: &Path) -> Result<(PathBuf, RelPath), Cause> {
    let absolute = std::path::absolute(path).map_err(Cause::System)?;
    for at in absolute.ancestors() {
        match directory(at) {
            Ok(root) => {
                let missing = absolute.strip_prefix(at).unwrap_or(Path::new(""));
                let mount = RelPath::new(missing.as_os_str().as_bytes()).ok_or(Cause::Missing)?;
                return Ok((root, mount));
            }
            Err(Cause::Missing) => {}
            Err(cause) => return Err(cause),
        }
    }
    Err(Cause::Missing)
}
