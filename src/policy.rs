//! Every choice that a plan depends on, as data: what sets GNU Stow's ways apart from farm's own.

use std::collections::BTreeMap;

use crate::path::{Name, RelPath};
use crate::rules::{Globs, PathPatterns};

/// The choices of one request. [`Policy::stow`] and [`Policy::native`] are the two dialects.
#[derive(Clone, Debug)]
pub struct Policy {
    /// When a directory becomes one link.
    pub fold: Fold,
    /// Target directories that never become one link, by their paths from the farm's root.
    pub never_fold: Globs,
    /// What holds in the place of these two for some paths of the dotfiles directory and all below them.
    pub folds_of: BTreeMap<RelPath, Folds>,
    /// When unlinking turns a directory back into one link.
    pub refold: Refold,
    /// Which links are the farm's own.
    pub ownership: Ownership,
    /// What an absolute link in a package is.
    pub absolute_source: AbsoluteSource,
    /// What happens to a file in the way.
    pub on_file: OnFile,
    /// Which dangling links go when their directory is visited by an unlink.
    pub tidy: Tidy,
    /// Which tree an unlink walks.
    pub walk: Walk,
    /// How names translate from package to target.
    pub naming: Naming,
    /// What happens to directories that belong to others: stow directories, and those marked `.stow` or `.nonstow`.
    pub guarded: Guarded,
    /// What a conflict means for the other packages.
    pub on_conflict: OnConflict,
    /// What becomes of things in the way that are not the farm's.
    pub strategy: Strategy,
    /// Paths from the farm's root where, and below which, another strategy was chosen.
    pub decisions: BTreeMap<RelPath, Strategy>,
    /// The backups that come back when unlinking frees their place: by the path from the farm's root, the backup's
    /// name in the same directory. Whoever makes the request knows which ones farm made.
    pub restore: BTreeMap<RelPath, Name>,
    /// Target paths that another package keeps when two want them.
    pub defer: PathPatterns,
    /// Target paths that are taken from another package.
    pub overrides: PathPatterns,
}

/// When a directory of a package that is absent in the target becomes one link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fold {
    /// Always, as stow does, even over files that an ignore rule keeps out (stow issue 131).
    Always,
    /// When no ignore rule of the user's keeps anything below it out.
    Whole,
    /// Never (`--no-folding`, `--no-fold`).
    Never,
}

/// Which directories become one link.
#[derive(Clone, Debug)]
pub struct Folds {
    /// When a directory does.
    pub fold: Fold,
    /// Target directories that never do, by their paths from the farm's root.
    pub never: Globs,
}

impl Folds {
    /// Tells whether something at this target path may become one link.
    pub fn may_fold(&self, path: &RelPath) -> bool {
        self.fold != Fold::Never && !self.never.matches(path.as_bytes())
    }
}

/// When a directory that an unlink left with links of one package becomes one link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refold {
    /// After each package, whenever all texts share one directory, as stow does.
    AfterEach,
    /// After all packages of the request, when the links are exactly what the package has there.
    AfterAll,
    /// Never.
    Never,
}

/// Which links in the target belong to the farm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ownership {
    /// Those whose text is relative and leads, lexically, into a stow directory.
    ByText,
    /// Also absolute ones, and those that resolve into the dotfiles directory by way of other links.
    ByDestination,
}

/// What a symbolic link with an absolute text inside a package is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AbsoluteSource {
    /// A conflict, as in stow.
    Conflict,
    /// An entry like any other.
    Entry,
}

/// What happens to something that is neither link nor directory in the way of a package's file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnFile {
    /// A conflict.
    Stop,
    /// It becomes the link when bytes and mode equal the package's, else a conflict.
    MergeEqual,
    /// It moves into the package, over what is there (`stow --adopt`).
    Adopt,
}

/// Which dangling links of the farm an unlink removes from the directories that it visits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tidy {
    /// Those of any package, as in stow.
    AnyPackage,
    /// Those into the package that is unlinked.
    ThisPackage,
}

/// Which tree an unlink walks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Walk {
    /// The package.
    Package,
    /// The whole target (`stow --compat`).
    Target,
}

/// How an entry's name in the package becomes its name in the target.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Naming {
    /// Unchanged.
    #[default]
    AsIs,
    /// `dot-x` as `.x` (`--dotfiles`).
    Dotfiles,
}

impl Naming {
    /// Returns the name under which a package's entry appears in the target.
    pub fn target_name(self, name: &Name) -> Name {
        match self {
            Naming::AsIs => name.clone(),
            Naming::Dotfiles => name.undotted(),
        }
    }

    /// Tells whether a package's entry has its own name in the target.
    pub fn keeps(self, name: &Name) -> bool {
        self == Naming::AsIs || !name.as_bytes().starts_with(b"dot-")
    }
}

/// What a target directory that belongs to others is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guarded {
    /// Left out with a notice, as in stow.
    Skip,
    /// Marked ones are left out with a notice; the dotfiles directory itself is a conflict.
    Refuse,
}

/// What a conflict in one package means for the others of the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnConflict {
    /// Nothing is done.
    Stop,
    /// Only the packages that have one are held back (`--keep-going`).
    HoldBack,
}

/// What becomes of something in the way of a package's entry that farm did not make: a file, a FIFO, socket or device,
/// a directory, or a link that leads into no package (issue 3).
///
/// What is another package's, and what is guarded, stays a conflict under each of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// It is a conflict.
    Stop,
    /// It stays, and the rest is linked.
    Skip,
    /// It gets another name in the same directory.
    Backup(Backup),
    /// A file takes the place of the package's file; a conflict for all else.
    Adopt,
    /// It goes to the state directory.
    Replace,
}

/// How a backup is named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backup {
    /// What is added to the name, `.backup` by default (Home Manager's rule).
    pub suffix: Name,
    /// What happens when there is something of that name already.
    pub existing: Existing,
}

impl Default for Backup {
    fn default() -> Backup {
        let suffix = Name::new(b".backup").expect("a name");
        Backup { suffix, existing: Existing::Refuse }
    }
}

/// What happens when the name of a backup is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existing {
    /// It is a conflict.
    Refuse,
    /// The backup gets the first free number: `x.backup.1`, `x.backup.2` and so on.
    Number,
}

impl Policy {
    /// Returns when a directory at a path of the dotfiles directory becomes one link, and where it never does.
    pub fn folds(&self, source: &RelPath) -> (Fold, &Globs) {
        let above = std::iter::successors(Some(source.clone()), |path| Some(path.split()?.0));
        let of = |path: RelPath| self.folds_of.get(&path);
        match self.folds_of.is_empty() {
            true => None,
            false => above.into_iter().find_map(of),
        }
        .map_or((self.fold, &self.never_fold), |folds| (folds.fold, &folds.never))
    }

    /// Returns the path of a package's directory by which ignore rules know it.
    ///
    /// Stow asks by its place in the target. A package may land anywhere, so farm asks by its place in the package, as the
    /// target spells it.
    pub fn rules_dir(&self, source_dir: &RelPath, target_dir: &RelPath) -> RelPath {
        match (self.ownership, self.naming) {
            (Ownership::ByText, _) => target_dir.clone(),
            (_, Naming::AsIs) => source_dir.clone(),
            (_, naming) => {
                let names: Vec<Name> = source_dir.names().map(|name| naming.target_name(&name)).collect();
                RelPath::from_names(&names)
            }
        }
    }

    /// Tells whether anything that is not the farm's may move out of the way.
    pub fn makes_way(&self) -> bool {
        self.strategy != Strategy::Stop || !self.decisions.is_empty()
    }

    /// Returns what becomes of something in the way at `path`.
    pub fn strategy_at(&self, path: &RelPath) -> &Strategy {
        if self.decisions.is_empty() {
            return &self.strategy;
        }
        let above = std::iter::successors(Some(path.clone()), |path| Some(path.split()?.0));
        let decided = above.into_iter().find_map(|path| self.decisions.get(&path));
        decided.unwrap_or(&self.strategy)
    }

    /// Tells whether a file in the way at `path` is taken into the package.
    pub fn adopts_at(&self, path: &RelPath) -> bool {
        self.on_file == OnFile::Adopt || *self.strategy_at(path) == Strategy::Adopt
    }

    /// Returns GNU Stow's choices when no option is given.
    pub fn stow() -> Policy {
        Policy {
            fold: Fold::Always,
            never_fold: Globs::default(),
            folds_of: BTreeMap::new(),
            refold: Refold::AfterEach,
            ownership: Ownership::ByText,
            absolute_source: AbsoluteSource::Conflict,
            on_file: OnFile::Stop,
            tidy: Tidy::AnyPackage,
            walk: Walk::Package,
            naming: Naming::AsIs,
            guarded: Guarded::Skip,
            on_conflict: OnConflict::Stop,
            strategy: Strategy::Stop,
            decisions: BTreeMap::new(),
            restore: BTreeMap::new(),
            defer: PathPatterns::default(),
            overrides: PathPatterns::default(),
        }
    }

    /// Returns farm's own choices when no option is given.
    pub fn native() -> Policy {
        Policy {
            fold: Fold::Whole,
            refold: Refold::AfterAll,
            ownership: Ownership::ByDestination,
            absolute_source: AbsoluteSource::Entry,
            on_file: OnFile::MergeEqual,
            tidy: Tidy::ThisPackage,
            guarded: Guarded::Refuse,
            ..Policy::stow()
        }
    }
}
