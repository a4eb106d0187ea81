//! A manifest on one machine: which packages and files count there, and where each of them lands.

use std::ops::Range;

use super::machine::PackageHere;
use super::mistake::{Fault, Mistake};
use super::place::Lands;
use super::{Content, File, Folding, Landing, Machine, Manifest, Said, place};
use crate::package::Mount;
use crate::path::{Name, RelPath};
use crate::policy::{Fold, Folds};
use crate::rules::Globs;

/// Where a farm is, as far as a manifest's paths depend on it.
#[derive(Clone, Debug)]
pub struct Base {
    /// The target as the manifest has it, an absolute path.
    pub target: Vec<u8>,
    /// The dotfiles directory, an absolute path.
    pub dotfiles: Vec<u8>,
    /// Where the target lies below the farm's root: what is missing of it.
    pub mount: RelPath,
}

/// All that counts on one machine.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The packages.
    pub packages: Vec<Placed>,
    /// The single target paths.
    pub entries: Vec<Entry>,
}

/// A package and where it lands.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its name.
    pub name: Name,
    /// Its directory, in the dotfiles directory.
    pub source: RelPath,
    /// Where it lands, from the farm's root.
    pub mount: Mount,
    /// Which of its directories may be one link.
    pub folds: Folds,
    /// Whether it counts on this machine.
    pub counts: bool,
    /// Where the manifest says where it lands, or names it; `None` for a package that it does not mention.
    pub span: Option<Range<usize>>,
    /// Where the manifest names its directory, if it does.
    pub source_span: Option<Range<usize>>,
}

/// One target path.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The path, from the farm's root.
    pub at: RelPath,
    /// Where its content comes from.
    pub content: Content,
    /// What else is said of it.
    pub file: File,
}

impl Manifest {
    /// Returns the target as an absolute path.
    ///
    /// # Errors
    /// When the path is none.
    pub fn target(&self, machine: &Machine) -> Result<Vec<u8>, Mistake> {
        let plain = Said { value: "~".to_owned(), span: 0..0 };
        let said = self.defaults.target.as_ref().unwrap_or(&plain);
        place::absolute(&said.value, machine).map_err(|fault| Mistake::new(said.span.clone(), fault))
    }

    /// Returns where the package `name` lands, whether the manifest mentions it or not.
    ///
    /// # Errors
    /// What is wrong with what is said of it.
    pub fn place(&self, name: &Name, machine: &Machine, base: &Base) -> Result<Placed, Vec<Mistake>> {
        let package = self.packages.get(name);
        let plain = PackageHere { source: None, landing: None, folding: None, counts: true };
        let here = package.map_or(plain, |package| package.here(machine));
        let mut mistakes = Vec::new();
        let source = match here.source {
            Some(said) => place::package(&said.value)
                .map_err(|fault| mistakes.push(Mistake::new(said.span.clone(), fault)))
                .ok(),
            None => Some(RelPath::from_names([name])),
        };
        let landing = here.landing.or(self.defaults.landing.as_ref());
        let mount = self.mount(name, landing, machine, base).map_err(|mistake| mistakes.push(mistake)).ok();
        let folding = here.folding.or(self.defaults.folding.as_ref());
        let folds = self.folds(folding, machine, base).map_err(|mistake| mistakes.push(mistake)).ok();
        let own = here.landing.map(|landing| landing.said().span.clone());
        let named = package.map(|package| package.name.span.clone());
        match (source, mount, folds) {
            (Some(source), Some(mount), Some(folds)) => Ok(Placed {
                name: name.clone(),
                source,
                mount,
                folds,
                counts: here.counts,
                span: own.or(named.clone()),
                source_span: here.source.map(|said| said.span.clone()).or(named),
            }),
            _ => Err(mistakes),
        }
    }

    /// Returns when directories become one link, and where they never do.
    ///
    /// # Errors
    /// A glob on paths outside the target.
    pub fn folds(&self, folding: Option<&Folding>, machine: &Machine, base: &Base) -> Result<Folds, Mistake> {
        let plain = |fold| Folds { fold, never: Globs::default() };
        match folding {
            None | Some(Folding::All) => Ok(plain(Fold::Whole)),
            Some(Folding::None) => Ok(plain(Fold::Never)),
            Some(Folding::Except(never)) => {
                let mut globs = Vec::new();
                for said in never {
                    let glob = place::glob(&said.value, machine, base);
                    globs.push(glob.map_err(|fault| Mistake::new(said.span.clone(), fault))?);
                }
                let never = Globs::new(globs.iter().map(String::as_str));
                // Each was tried when the manifest was read.
                Ok(Folds { fold: Fold::Whole, never: never.unwrap_or_default() })
            }
        }
    }

    fn mount(
        &self,
        name: &Name,
        landing: Option<&Landing>,
        machine: &Machine,
        base: &Base,
    ) -> Result<Mount, Mistake> {
        let Some(landing) = landing else { return Ok(Mount::Into(base.mount.clone())) };
        let said = landing.said();
        let wrong = |fault| Mistake::new(said.span.clone(), fault);
        let name = String::from_utf8_lossy(name.as_bytes());
        let written = place::with_name(&said.value, &name).map_err(wrong)?;
        let at = |lands| place::in_target(&written, machine, base, lands).map_err(wrong);
        match landing {
            Landing::Into(_) => Ok(Mount::Into(at(Lands::Content)?)),
            Landing::As(_) => Ok(Mount::As(at(Lands::Whole)?)),
        }
    }

    /// Returns all that counts on `machine`; `also` are packages that it need not mention.
    ///
    /// # Errors
    /// Everything that is wrong, also with what does not count.
    pub fn layout(&self, also: &[Name], machine: &Machine, base: &Base) -> Result<Layout, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        if let Err(mistake) = self.target(machine) {
            return Err(vec![mistake]);
        }
        let others = also.iter().filter(|name| !self.packages.contains_key(*name));
        let mut packages = Vec::new();
        for name in self.packages.keys().chain(others) {
            match self.place(name, machine, base) {
                Ok(placed) => packages.push(placed),
                Err(wrong) => mistakes.extend(wrong),
            }
        }
        let mut entries = Vec::new();
        for file in &self.files {
            let at = place::in_target(&file.target.value, machine, base, Lands::Whole);
            match (at, file.here(machine)) {
                (Ok(at), Some(content)) => {
                    entries.push(Entry { at, content: content.clone(), file: file.clone() });
                }
                (Ok(_), None) => {}
                (Err(fault), _) => mistakes.push(Mistake::new(file.target.span.clone(), fault)),
            }
        }
        for content in self.files.iter().flat_map(|file| [&file.all, &file.linux, &file.macos]) {
            if let Some(Content::Source(said) | Content::Template(said)) = &content.content
                && let Err(fault) = place::in_dotfiles(&said.value)
            {
                mistakes.push(Mistake::new(said.span.clone(), fault));
            }
        }
        packages.retain(|placed| placed.counts);
        let layout = Layout { packages, entries };
        layout.check(&mut mistakes);
        mistakes.sort_by_key(|mistake| (mistake.span.start, mistake.span.end));
        // What the defaults have wrong is wrong for every package.
        mistakes.dedup_by(|a, b| {
            a.span == b.span && std::mem::discriminant(&a.fault) == std::mem::discriminant(&b.fault)
        });
        if mistakes.is_empty() { Ok(layout) } else { Err(mistakes) }
    }
}

/// A target path that an entry of the manifest takes.
struct Claim<'l> {
    at: &'l RelPath,
    name: String,
    span: Option<&'l Range<usize>>,
    /// Whether what is below is the entry's, too: it is one link, or a file.
    whole: bool,
    /// Whether others may take the same path: a directory that gets content.
    shared: bool,
}

impl Layout {
    /// Says which entries stand in each other's way.
    fn check(&self, mistakes: &mut Vec<Mistake>) {
        let mut claims: Vec<Claim> = Vec::new();
        for placed in &self.packages {
            let at = placed.mount.at();
            let shared = matches!(placed.mount, Mount::Into(_));
            let whole = !shared && placed.folds.may_fold(at);
            let name = String::from_utf8_lossy(placed.name.as_bytes()).into_owned();
            claims.push(Claim { at, name, span: placed.span.as_ref(), whole, shared });
        }
        for entry in &self.entries {
            let Said { value, span } = &entry.file.target;
            let (name, whole) = (value.clone(), !entry.file.recursive);
            claims.push(Claim { at: &entry.at, name, span: Some(span), whole, shared: false });
        }
        claims.sort_by(|a, b| (a.at, a.shared).cmp(&(b.at, b.shared)));
        // In this order a path comes directly before all that is below it.
        let mut above: Vec<&Claim> = Vec::new();
        for claim in &claims {
            while above.last().is_some_and(|top| claim.at.below(top.at).is_none()) {
                above.pop();
            }
            let clash = above.iter().rev().find_map(|top| {
                let same = top.at == claim.at;
                let twice = same && !top.shared && !claim.shared;
                if !twice && !(top.whole && (!same || claim.shared)) {
                    return None;
                }
                let path = String::from_utf8_lossy(top.at.as_bytes()).into_owned();
                let names = [claim.name.clone(), top.name.clone()];
                Some((top, if twice { Fault::Twice { path, names } } else { Fault::Within { path, names } }))
            });
            if let Some((top, fault)) = clash {
                // A package that the manifest does not mention is told at the one that it does.
                let places = (claim.span, top.span);
                let (span, other) = match places {
                    (Some(span), other) => (span.clone(), other.cloned()),
                    (None, Some(other)) => (other.clone(), None),
                    (None, None) => (0..0, None),
                };
                mistakes.push(Mistake { span, other, fault });
            }
            // Those that share one directory stand in the way of the same things.
            if !above.last().is_some_and(|top| top.at == claim.at && top.shared && claim.shared) {
                above.push(claim);
            }
        }
    }
}

impl Landing {
    /// Returns the path as written.
    fn said(&self) -> &Said<String> {
        match self {
            Landing::As(said) | Landing::Into(said) => said,
        }
    }
}
