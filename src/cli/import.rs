//! `farm import`: a `farm.toml` from what Home Manager or dotbot was told.

mod dotbot;
mod home_manager;
mod nix;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use farm::Route;

pub use nix::Standing;

use self::nix::{Found, HOME, Value};
use super::args::{self, Global};
use super::draft::{Counts, Draft, Line, Table};
use super::resolve::{self, Refusal};
use super::words::Words;
use super::{Exit, StowRc, create};
use crate::environment;

/// What an import came to, beside the draft.
#[derive(Debug, Default)]
pub struct Imported {
    /// What was left out.
    pub left: Vec<Left>,
    /// How many settings in comments were not read.
    pub in_comments: usize,
    /// The file's name.
    pub file: String,
}

/// Runs `farm import`.
pub fn import(global: &Global, args: &args::Import, stowrc: &StowRc, words: &Words) -> Exit {
    do_import(global, args, stowrc, words).unwrap_or_else(|refusal| words.refusal(&refusal))
}

fn do_import(global: &Global, args: &args::Import, stowrc: &StowRc, words: &Words) -> Result<Exit, Refusal> {
    let dir = resolve::dotfiles_dir(global.dir.as_deref(), stowrc)?;
    let yaml = ["yaml", "yml", "json"].iter().any(|end| args.file.extension() == Some(OsStr::new(end)));
    let (draft, mut imported) = match yaml {
        true => {
            let text = text(&args.file)?;
            let importer = Importer::new(&dir, &args.file, None);
            importer.dotbot(&text, words).map_err(|error| not_dotbots(&args.file, error))?
        }
        false => from_home_manager(&dir, args, words)?,
    };
    imported.left.sort_by_key(|left| left.line);
    if draft.is_empty() {
        words.left_out(&imported);
    }
    create::create("import", global, &dir, draft, words, |words, made| words.imported(&imported, made))
}

fn from_home_manager(dir: &Path, args: &args::Import, words: &Words) -> Result<(Draft, Imported), Refusal> {
    let comments = if args.commented { Standing::Commented } else { Standing::Live };
    let found = read(&args.file, comments)?;
    // A flake is where Home Manager's own settings are, when it is a module of NixOS or nix-darwin.
    let beside = args.file.with_file_name("flake.nix");
    let flake = if found.backup.is_none() && beside != args.file && beside.is_file() {
        Some(read(&beside, Standing::Live)?)
    } else {
        None
    };
    let backup = match (&found.backup, flake.and_then(|flake| flake.backup)) {
        (Some((extension, line)), _) => Some((extension.clone(), name(&args.file), *line)),
        (None, Some((extension, line))) => Some((extension, "flake.nix".to_owned(), line)),
        (None, None) => None,
    };
    let said_home = found.settings.iter().find_map(|setting| match &setting.value {
        Value::Text(text) if setting.path.ends_with(&["homeDirectory".to_owned()]) => Some(text.clone()),
        _ => None,
    });
    let mut importer = Importer::new(dir, &args.file, said_home);
    importer.imported.in_comments = found.in_comments;
    Ok(importer.home_manager(&found, backup, words))
}

fn text(path: &Path) -> Result<String, Refusal> {
    fs::read_to_string(path).map_err(|error| Refusal::System(farm::Error::new("read", path, error)))
}

fn read(path: &Path, comments: Standing) -> Result<Found, Refusal> {
    nix::read(&text(path)?, comments).map_err(|(line, message)| Refusal::NotNix {
        path: path.to_owned(),
        line,
        message,
    })
}

fn not_dotbots(path: &Path, (line, message): (usize, Option<String>)) -> Refusal {
    Refusal::NotDotbots { path: path.to_owned(), line, message }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Left {
    /// Its line, from one.
    pub line: usize,
    /// What it is: attributes with dots between.
    pub what: String,
    /// Why.
    pub why: Why,
}

/// Why something is left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// It takes Nix to know the value; this part of it.
    TakesNix(String),
    /// It is nothing of files and shells.
    OtherSetting,
    /// A value of another type than the setting takes.
    WrongType,
    /// A link has the permissions of its source.
    Executable,
    /// More than variables is to be expanded by the shell.
    ShellCode,
    /// The source is not in the dotfiles directory.
    Outside(String),
    /// There is no such source.
    Missing(String),
    /// Two entries for one target, of which the first counts.
    Again,
    /// Nothing says where the content comes from.
    NoContent,
    /// A variable of the environment other than the home directory.
    Variable,
    /// The target is not in the home directory.
    NotInHome,
    /// A command decides whether it is to be.
    Condition(String),
    /// A pattern stands for sources, and not for all in one directory.
    Pattern(String),
    /// A hard link.
    HardLink,
    /// A directory that is to be made.
    Create,
    /// A command.
    Shell(String),
    /// Dead links that are to go.
    Clean,
}

struct Importer<'a> {
    /// The dotfiles directory.
    dir: &'a Path,
    /// The file that is read.
    file: &'a Path,
    /// The home directory of whoever runs farm.
    home: Option<PathBuf>,
    /// The home directory as the file says it.
    said_home: Option<String>,
    imported: Imported,
}

impl<'a> Importer<'a> {
    fn new(dir: &'a Path, file: &'a Path, said_home: Option<String>) -> Importer<'a> {
        let home = environment::machine().home.map(|home| PathBuf::from(OsStr::from_bytes(&home)));
        let imported = Imported { file: name(file), ..Imported::default() };
        Importer { dir, file, home, said_home, imported }
    }

    /// Returns where something is said, for a comment.
    fn said(&self, line: usize) -> String {
        format!("{}:{line}", self.imported.file)
    }

    /// Enters a target path with its source and further keys into the draft.
    fn enter(
        &self,
        target: &str,
        source: Option<String>,
        mut lines: Vec<Line>,
        comment: String,
        draft: &mut Draft,
    ) {
        let Some(source) = source else {
            draft.tables.push(Table { name: target.to_owned(), comment, lines, counts: Counts::Yes });
            return;
        };
        let is_package = !source.contains('/') && self.dir.join(&source).is_dir() && lines.is_empty();
        if is_package && draft.packages.iter().all(|table| table.name != source) {
            let lines = vec![Line::text("as", target, "")];
            draft.packages.push(Table { name: source, comment, lines, counts: Counts::Yes });
        } else if lines.is_empty() {
            draft.files.push(Line::text(target, &source, comment));
        } else {
            lines.insert(0, Line::text("source", &source, ""));
            draft.tables.push(Table { name: target.to_owned(), comment, lines, counts: Counts::Yes });
        }
    }

    /// Returns the path in the dotfiles directory that a source is.
    fn source(&self, written: &str) -> Result<String, Why> {
        let said_home = self.said_home.as_deref().and_then(|home| written.strip_prefix(home));
        let in_home = written.strip_prefix(['~', HOME]).or(said_home).filter(|rest| rest.starts_with('/'));
        let path = match (in_home, &self.home) {
            (Some(rest), Some(home)) => home.join(rest.trim_start_matches('/')),
            (Some(_), None) => return Err(Why::Outside(written.replace(HOME, "~"))),
            (None, _) if written.starts_with('/') => PathBuf::from(written),
            (None, _) => self.file.parent().unwrap_or(Path::new("")).join(written),
        };
        let shown = || written.replace(HOME, "~");
        let path = std::path::absolute(&path).map_err(|_| Why::Missing(shown()))?;
        let folded = Route::root().follow(path.as_os_str().as_bytes());
        let path = Path::new("/").join(OsStr::from_bytes(folded.down.as_bytes()));
        let real = path.parent().and_then(|parent| fs_err::canonicalize(parent).ok());
        let real = match (real, path.file_name()) {
            (Some(parent), Some(name)) => parent.join(name),
            _ => return Err(Why::Missing(shown())),
        };
        match real.strip_prefix(self.dir).ok().and_then(Path::to_str) {
            None | Some("") => Err(Why::Outside(shown())),
            Some(_) if !real.exists() => Err(Why::Missing(shown())),
            Some(below) => Ok(below.to_owned()),
        }
    }
}

/// Says once what most packages have in common.
fn as_default(draft: &mut Draft, words: &Words) {
    let usual = |table: &Table| table.lines == [Line::text("as", &format!("~/.config/{}", table.name), "")];
    if draft.packages.iter().filter(|table| usual(table)).count() < 2 {
        return;
    }
    for table in &mut draft.packages {
        if usual(table) {
            table.lines.clear();
        }
    }
    draft.defaults.insert(0, Line::text("as", "~/.config/{package}", words.default_as()));
}
