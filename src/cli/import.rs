//! `farm import home.nix`: a `farm.toml` from what Home Manager was told.

mod nix;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use farm::Route;

pub use nix::{Left, Standing, Why};

use self::nix::{Found, HOME, Setting, Value};
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
    let (draft, mut imported) = Importer::new(&dir, &args.file, &found).draft(&found, backup, words);
    imported.left.sort_by_key(|left| left.line);
    create::create(global, &dir, draft, words, |words, made| words.imported(&imported, made))
}

fn read(path: &Path, comments: Standing) -> Result<Found, Refusal> {
    let text = fs_err::read_to_string(path)
        .map_err(|error| Refusal::System(farm::Error::new("read", path, error.kind())))?;
    nix::read(&text, comments).map_err(|(line, message)| Refusal::NotNix {
        path: path.to_owned(),
        line,
        message,
    })
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A file or directory of Home Manager's.
struct HomeFile<'f> {
    /// Its attributes, without the last.
    path: &'f [String],
    settings: Vec<&'f Setting>,
}

impl HomeFile<'_> {
    fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().copied().find(|setting| setting.path.last().is_some_and(|last| last == key))
    }

    fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)?.value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    fn line(&self) -> usize {
        self.settings.first().map_or(0, |setting| setting.line)
    }

    /// Returns the target path: below the home directory, or one that Home Manager has below it.
    fn target(&self) -> String {
        let named = self.path.last().cloned().unwrap_or_default();
        let named = match self.get("target").map(|setting| &setting.value) {
            Some(Value::Text(target)) => target.clone(),
            _ => named,
        };
        let named = named.trim_start_matches([HOME, '/']);
        match self.path[1].as_str() {
            "configFile" => format!("~/.config/{named}"),
            "dataFile" => format!("~/.local/share/{named}"),
            _ => format!("~/{named}"),
        }
    }
}

struct Importer<'a> {
    /// The dotfiles directory.
    dir: &'a Path,
    /// The Nix file.
    file: &'a Path,
    /// The home directory of whoever runs farm.
    home: Option<PathBuf>,
    /// The home directory as the file says it.
    said_home: Option<String>,
    imported: Imported,
}

impl<'a> Importer<'a> {
    fn new(dir: &'a Path, file: &'a Path, found: &Found) -> Importer<'a> {
        let home = environment::machine().home.map(|home| PathBuf::from(OsStr::from_bytes(&home)));
        let said_home = found.settings.iter().find_map(|setting| match &setting.value {
            Value::Text(text) if setting.path.ends_with(&["homeDirectory".to_owned()]) => Some(text.clone()),
            _ => None,
        });
        let imported = Imported { file: name(file), in_comments: found.in_comments, ..Imported::default() };
        Importer { dir, file, home, said_home, imported }
    }

    fn leave(&mut self, setting: &Setting, why: Why) {
        self.imported.left.push(Left { line: setting.line, what: setting.path.join("."), why });
    }

    fn draft(
        mut self,
        found: &Found,
        backup: Option<(String, String, usize)>,
        words: &Words,
    ) -> (Draft, Imported) {
        self.imported.left.extend(found.left.iter().cloned());
        let mut draft = Draft { head: words.imported_head(&self.imported.file), ..Draft::default() };
        let mut files: Vec<HomeFile> = Vec::new();
        for setting in &found.settings {
            match setting.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["home" | "xdg", _, _, _] => {
                    let path = &setting.path[..3];
                    match files.iter_mut().find(|file| file.path == path) {
                        Some(file) => file.settings.push(setting),
                        None => files.push(HomeFile { path, settings: vec![setting] }),
                    }
                }
                ["home" | "programs", .., "sessionVariables", name] => {
                    self.variable(name, setting, &mut draft)
                }
                ["home", "sessionPath"] => self.session_path(setting, &mut draft),
                ["programs", ..] => match &setting.value {
                    Value::Text(lines) if !lines.contains(HOME) => {
                        let said = self.said(setting);
                        draft.init.push(Line::text("zsh", lines, said));
                    }
                    _ => self.leave(setting, Why::WrongType),
                },
                _ => {}
            }
        }
        // Home Manager takes several; farm has one for each shell.
        draft.init.truncate(1);
        let mut taken = Vec::new();
        for file in &files {
            let target = file.target();
            if taken.contains(&target) {
                self.leave(file.settings[0], Why::Again);
                continue;
            }
            if self.file(file, &target, &mut draft) {
                taken.push(target);
            }
        }
        as_default(&mut draft, words);
        if let Some((extension, file, line)) = backup {
            let comment = words.imported_backup(&file, line);
            draft.defaults.push(Line::text("backup", &format!(".{extension}"), comment));
        }
        draft.foot = words.imported_foot(&self.imported);
        (draft, self.imported)
    }

    /// Returns where something is said, for a comment.
    fn said(&self, setting: &Setting) -> String {
        format!("{}:{}", self.imported.file, setting.line)
    }

    /// Enters a file into the draft, unless something keeps it out.
    fn file(&mut self, file: &HomeFile, target: &str, draft: &mut Draft) -> bool {
        let comment = format!("{}:{}", self.imported.file, file.line());
        let mut lines = Vec::new();
        let Some(content) = file.get("source").or_else(|| file.get("text")) else {
            self.leave(file.settings[0], Why::NoContent);
            return false;
        };
        let is_text = content.path.last().is_some_and(|key| key == "text");
        let source = match (&content.value, is_text) {
            (Value::ContentOf(path), true) | (Value::Path(path) | Value::Text(path), false) => {
                match self.source(path) {
                    Ok(source) => Some(source),
                    Err(why) => {
                        self.leave(content, why);
                        return false;
                    }
                }
            }
            (Value::Text(text), true) => {
                let home =
                    self.home.as_ref().map(|home| home.to_string_lossy().into_owned()).unwrap_or_default();
                lines.push(Line::text("text", &text.replace(HOME, &home), ""));
                None
            }
            _ => {
                self.leave(content, Why::WrongType);
                return false;
            }
        };
        match (file.flag("executable"), &source) {
            (Some(executable), None) => lines.push(Line::flag("executable", executable, "")),
            (Some(true), Some(_)) => {
                let setting = file.get("executable").unwrap_or(content);
                self.leave(setting, Why::Executable);
            }
            _ => {}
        }
        let mut keep = |key: &str, value: bool| {
            if file.flag(key) == Some(value) {
                lines.push(Line::flag(key, value, ""));
            }
        };
        keep("enable", false);
        keep("force", true);
        if source.as_ref().is_some_and(|source| self.dir.join(source).is_dir()) {
            keep("recursive", true);
        }
        match file.get("onChange").map(|setting| (&setting.value, setting)) {
            Some((Value::Text(command), _)) if !command.contains(HOME) => {
                lines.push(Line::text("on-change", command, ""));
            }
            Some((_, setting)) => self.leave(setting, Why::WrongType),
            None => {}
        }
        let Some(source) = source else {
            draft.tables.push(Table { name: target.to_owned(), comment, lines, counts: Counts::Yes });
            return true;
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
        true
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

    fn variable(&mut self, name: &str, setting: &Setting, draft: &mut Draft) {
        let value = match &setting.value {
            Value::Text(text) => match in_session(text) {
                Some(text) => text,
                None => return self.leave(setting, Why::ShellCode),
            },
            Value::Path(path) => path.clone(),
            Value::Number(number) => number.to_string(),
            // Home Manager writes them as Nix does.
            Value::Flag(flag) => if *flag { "1" } else { "" }.to_owned(),
            _ => return self.leave(setting, Why::WrongType),
        };
        draft.variables.push(Line::text(name, &value, self.said(setting)));
    }

    fn session_path(&mut self, setting: &Setting, draft: &mut Draft) {
        let Value::List(dirs) = &setting.value else { return self.leave(setting, Why::WrongType) };
        for (dir, line) in dirs {
            let dir = match dir {
                Value::Text(text) => in_session(text),
                Value::Path(path) => Some(path.clone()),
                _ => None,
            };
            match dir {
                Some(dir) => draft.path.push((dir, format!("{}:{line}", self.imported.file))),
                None => self.leave(setting, Why::ShellCode),
            }
        }
    }
}

/// Returns what Home Manager puts between double quotes of a shell as farm.toml writes it; `None` when the shell would
/// run something or do more than put variables in.
fn in_session(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            HOME => out += "$HOME",
            '`' => return None,
            '\\' if matches!(chars.peek(), Some('"' | '\\' | '`')) => out.extend(chars.next()),
            '\\' if chars.peek() == Some(&'$') => {
                chars.next();
                out += "$$";
            }
            '$' => match chars.peek() {
                Some('{') => {
                    let rest: String = chars.clone().skip(1).take_while(|&c| c != '}').collect();
                    if rest.is_empty() || !rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                        return None;
                    }
                    out.push('$');
                }
                Some(c) if c.is_ascii_alphabetic() || *c == '_' => out.push('$'),
                Some(c) if !c.is_whitespace() && !"/:.,\"'".contains(*c) => return None,
                _ => out += "$$",
            },
            c => out.push(c),
        }
    }
    Some(out)
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
