//! Where the rules of packages come from: lists given for all, and the files that packages carry.

use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};
use crate::path::Name;
use crate::rules::{Base, GlobList, NativeRules, PatternError, Rules};
use crate::scan::ScanError;
use crate::sys::Handle;

/// The file of gitignore patterns that a package or a dotfiles directory may hold.
pub const FARMIGNORE: &str = ".farmignore";

/// Larger pattern files are refused: nobody wrote them, and reading them would take the memory.
const TOO_LARGE: u64 = 16 << 20;

/// The rules that hold for every package of a request.
#[derive(Clone, Debug)]
pub enum RuleBook {
    /// Every entry counts.
    All,
    /// Farm's own: lists add up.
    Native {
        /// The dotfiles directory's list.
        dotfiles: GlobList,
        /// The list of the command line, which has the last word.
        options: GlobList,
    },
}

impl RuleBook {
    /// Returns farm's own rules for the dotfiles directory at `path`, with the patterns of `--ignore`.
    ///
    /// # Errors
    /// A pattern that cannot be understood, a list that cannot be read.
    pub fn native(path: &Path, options: &[String]) -> Result<RuleBook, ScanError> {
        let handle = Handle::open(path).map_err(|e| Error::new("open dotfiles directory", path, e))?;
        let dotfiles = list(&handle, path, Base::Dotfiles)?;
        let options = GlobList::new(Base::Package, options.join("\n").as_bytes())
            .map_err(|error| ScanError::Pattern { file: "--ignore".into(), error })?;
        Ok(RuleBook::Native { dotfiles, options })
    }

    /// Returns the rules of the package at `path`, whose handle is `package`.
    ///
    /// # Errors
    /// A pattern that cannot be understood, a list that cannot be read.
    pub fn rules_for(&self, package: &Handle, path: &Path) -> Result<Rules, ScanError> {
        match self {
            RuleBook::All => Ok(Rules::All),
            RuleBook::Native { dotfiles, options } => {
                let name = path.file_name().map_or(&b""[..], |name| name.as_encoded_bytes());
                let name = Name::new(name).expect("a package's path ends in its name");
                let own = list(package, path, Base::Package)?;
                let lists = vec![dotfiles.clone(), own, options.clone()];
                Ok(Rules::Native(NativeRules::new(name, lists)))
            }
        }
    }
}

fn list(dir: &Handle, path: &Path, base: Base) -> Result<GlobList, ScanError> {
    let text = pattern_file(dir, path, FARMIGNORE)?.unwrap_or_default();
    GlobList::new(base, &text).map_err(|error| pattern(path, FARMIGNORE, error))
}

fn pattern(path: &Path, file: &str, error: PatternError) -> ScanError {
    ScanError::Pattern { file: path.join(file), error }
}

/// Reads the file of patterns `name` in the directory `dir`, which lies at `path`; `None` when there is none.
///
/// # Errors
/// When it cannot be read, is no regular file (a FIFO would never end), or is larger than 16 MiB.
pub fn pattern_file(dir: &Handle, path: &Path, name: &str) -> Result<Option<Vec<u8>>> {
    let fail = |error| Error::new("read patterns", path.join(name), error);
    let mut file = match dir.open_file_through(name.as_bytes()) {
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
