//! Where the rules of packages come from: lists given for all, and the files that packages carry.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result, ScanError};
use crate::path::Name;
use crate::rules::{
    Base, FARMIGNORE, GlobList, IgnoreList, LIST_NAME, NativeRules, OptionPatterns, PatternError, Rules,
    StowRules,
};
use crate::sys::{Handle, os};
use crate::tree::Leads;

/// Larger pattern files are refused: nobody wrote them, and reading them would take the memory.
const TOO_LARGE: u64 = 16 << 20;

/// The rules that hold for every package of a request.
#[derive(Clone, Debug)]
pub enum RuleBook {
    /// Every entry counts.
    All,
    /// GNU Stow's: `--ignore`, then the package's list or, without one, the user's or the built-in one.
    Stow {
        /// What `--ignore` says.
        options: Arc<OptionPatterns>,
        /// The list that packages without one of their own share.
        users: UsersList,
    },
    /// Farm's own: lists add up.
    Native {
        /// The dotfiles directory's list.
        dotfiles: GlobList,
        /// The list of the manifest.
        manifest: GlobList,
        /// The list of the command line, which has the last word.
        options: GlobList,
        /// What a `.stowrc` says.
        stowrc: Arc<OptionPatterns>,
    },
}

/// The user's own list, else the built-in one. It is read when the first package needs it, as stow does: what is wrong
/// with it concerns no package that has a list of its own.
#[derive(Clone, Debug)]
pub struct UsersList {
    path: Option<PathBuf>,
    read: OnceLock<Arc<IgnoreList>>,
}

impl UsersList {
    /// Returns the list.
    ///
    /// # Errors
    /// A pattern that cannot be understood, a list that cannot be read.
    fn get(&self) -> Result<Arc<IgnoreList>, ScanError> {
        if let Some(list) = self.read.get() {
            return Ok(list.clone());
        }
        let mut list = None;
        if let Some((dir, name)) = self.path.as_deref().and_then(|path| path.parent().zip(path.file_name()))
            && let Ok(handle) = Handle::open(dir)
        {
            list = stow_list(&handle, dir, name.as_encoded_bytes(), Directory::Empty)?;
        }
        Ok(self.read.get_or_init(|| Arc::new(list.unwrap_or(IgnoreList::BuiltIn))).clone())
    }
}

impl RuleBook {
    /// Returns GNU Stow's rules with the patterns of `--ignore` and the path of the user's own list, which need not exist.
    pub fn stow(options: OptionPatterns, users: Option<&Path>) -> RuleBook {
        let users = UsersList { path: users.map(Path::to_owned), read: OnceLock::new() };
        RuleBook::Stow { options: Arc::new(options), users }
    }

    /// Returns farm's own rules for the dotfiles directory at `path`, with the globs of its manifest and of `--ignore`,
    /// and the patterns of a `.stowrc`.
    ///
    /// # Errors
    /// A pattern that cannot be understood, a list that cannot be read.
    pub fn native(
        path: &Path,
        manifest: &[String],
        globs: &[String],
        stowrc: OptionPatterns,
    ) -> Result<RuleBook, ScanError> {
        let handle = Handle::open(path).map_err(|e| Error::new("open dotfiles directory", path, e))?;
        let dotfiles = glob_list(&handle, path, Base::Dotfiles)?;
        let list = |globs: &[String], file: &'static str| {
            GlobList::new(Base::Package, globs.join("\n").as_bytes())
                .map(|list| list.of_option(file))
                .map_err(|error| ScanError::Glob { file: file.into(), error })
        };
        let (manifest, options) = (list(manifest, "farm.toml")?, list(globs, "--ignore")?);
        Ok(RuleBook::Native { dotfiles, manifest, options, stowrc: Arc::new(stowrc) })
    }

    /// Returns the rules of the package at `path`, whose handle is `package`.
    ///
    /// # Errors
    /// A pattern that cannot be understood, a list that cannot be read.
    pub fn rules_for(&self, package: &Handle, path: &Path) -> Result<Rules, ScanError> {
        let own =
            |directory| Ok::<_, ScanError>(stow_list(package, path, LIST_NAME, directory)?.map(Arc::new));
        match self {
            RuleBook::All => Ok(Rules::All),
            RuleBook::Stow { options, users } => {
                let list = own(Directory::Empty)?.map_or_else(|| users.get(), Ok)?;
                Ok(Rules::Stow(StowRules { options: options.clone(), list }))
            }
            RuleBook::Native { dotfiles, manifest, options, stowrc } => {
                let name = package_name(path);
                let list = own(Directory::Wrong)?.unwrap_or_else(|| Arc::new(IgnoreList::BuiltIn));
                let package = glob_list(package, path, Base::Package)?;
                let lists = vec![manifest.clone(), dotfiles.clone(), package, options.clone()];
                let base = StowRules { options: stowrc.clone(), list };
                Ok(Rules::Native(NativeRules::new(name, lists, base)))
            }
        }
    }

    /// Returns the rules of a package that is to be made at `path` and carries no lists of its own.
    ///
    /// # Errors
    /// A pattern that cannot be understood, a list that cannot be read.
    pub fn rules_for_new(&self, path: &Path) -> Result<Rules, ScanError> {
        Ok(match self {
            RuleBook::All => Rules::All,
            RuleBook::Stow { options, users } => {
                Rules::Stow(StowRules { options: options.clone(), list: users.get()? })
            }
            RuleBook::Native { dotfiles, manifest, options, stowrc } => {
                let lists = vec![manifest.clone(), dotfiles.clone(), options.clone()];
                let base = StowRules { options: stowrc.clone(), list: Arc::new(IgnoreList::BuiltIn) };
                Rules::Native(NativeRules::new(package_name(path), lists, base))
            }
        })
    }
}

fn package_name(path: &Path) -> Name {
    let name = path.file_name().map_or(&b""[..], |name| name.as_encoded_bytes());
    Name::new(name).expect("a package's path ends in its name")
}

/// What a directory in the place of one of stow's lists is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Directory {
    /// A list that names nothing, as stow takes it.
    Empty,
    /// A mistake.
    Wrong,
}

fn stow_list(
    dir: &Handle,
    path: &Path,
    name: &[u8],
    directory: Directory,
) -> Result<Option<IgnoreList>, ScanError> {
    let text = match pattern_file(dir, path, name) {
        Err(_)
            if directory == Directory::Empty
                && dir.name_leads(name).is_ok_and(|leads| leads == Leads::Dir) =>
        {
            Some(Vec::new())
        }
        read => read?,
    };
    let list = text.map(|text| IgnoreList::parse(&text)).transpose();
    list.map_err(|error| ScanError::Regex { file: path.join(os(name)), error })
}

fn glob_list(dir: &Handle, path: &Path, base: Base) -> Result<GlobList, ScanError> {
    let text = pattern_file(dir, path, FARMIGNORE.as_bytes())?.unwrap_or_default();
    let bad = |error: PatternError| ScanError::Glob { file: path.join(FARMIGNORE), error };
    Ok(GlobList::new(base, &text).map_err(bad)?.in_file(path.join(FARMIGNORE), text))
}

/// Reads the file of patterns `name` in the directory `dir`, which lies at `path`; `None` when there is none.
///
/// # Errors
/// When it cannot be read, is no regular file (a FIFO would never end), or is larger than 16 MiB.
fn pattern_file(dir: &Handle, path: &Path, name: &[u8]) -> Result<Option<Vec<u8>>> {
    let fail = |error| Error::new("read patterns", path.join(os(name)), error);
    let mut file = match dir.open_file_through(name) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error)),
    };
    if file.metadata().map_err(fail)?.len() > TOO_LARGE {
        return Err(fail(io::Error::new(io::ErrorKind::InvalidData, "larger than 16 MiB")));
    }
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(fail)?;
    Ok(Some(text))
}
