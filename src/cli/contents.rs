//! What the single entries of a manifest put at their target paths: read, rendered and hashed before anything is
//! planned, so that whatever is wrong with them is told first.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use farm::manifest::{Content as Written, Entry, Expected, Fault, Mistake, Said};
use farm::{Content, Error, Fold, Folds, Method, Name, RelPath, Supply};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use super::manifest::{Declared, Wrong};
use super::resolve::Refusal;
use crate::passwd;

/// The permissions of a file that farm writes when nothing is said of them.
const MODE: u32 = 0o644;

/// Everything that entries put somewhere.
#[derive(Debug, Default)]
pub struct Gathered {
    /// What each entry comes to.
    pub items: Vec<Item>,
    /// The files that farm has to write for them.
    pub files: BTreeMap<Name, Content>,
}

/// What one entry comes to.
#[derive(Debug)]
pub struct Item {
    /// The target path, from the farm's root.
    pub at: RelPath,
    /// Where its link leads.
    pub supply: Supply,
    /// What it is.
    pub method: Method,
    /// The package there.
    pub package: RelPath,
    /// What of it.
    pub entry: RelPath,
    /// When it differs from everything else: which of its directories may be one link.
    pub folds: Option<Folds>,
    /// Whether what is in the way goes to the state directory.
    pub force: bool,
    /// The command to run when its content has changed.
    pub on_change: Option<String>,
    /// A hash of its content, when there is such a command.
    hash: Option<String>,
}

/// Files of the target, by the paths in the dotfiles directory that they move to.
pub type Adopted = BTreeMap<PathBuf, PathBuf>;

impl Gathered {
    /// Returns hashes of contents, by their target paths, where somebody wants to know of a change. `adopted` has the files
    /// that are yet to move into the dotfiles directory `dir`, by the paths that they get there.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn hashes(&self, dir: &Path, adopted: &Adopted) -> Result<BTreeMap<RelPath, String>, Error> {
        let mut hashes = BTreeMap::new();
        for item in &self.items {
            let Some(known) = &item.hash else { continue };
            let path = item.package.join_path(&item.entry);
            let path = dir.join(OsStr::from_bytes(path.as_bytes()));
            let is_as_read =
                item.supply == Supply::Rendered || !adopted.keys().any(|it| it.starts_with(&path));
            let hash = match is_as_read {
                true => known.clone(),
                false => hash(&path, adopted).map_err(|error| Error::new("read", &path, error.kind()))?,
            };
            hashes.insert(item.at.clone(), hash);
        }
        Ok(hashes)
    }
}

/// Reads what entries need. What is wrong with the manifest goes to `mistakes`.
///
/// # Errors
/// What is wrong with a template.
pub fn gather(
    declared: &Declared,
    dir: &Path,
    entries: &[Entry],
    profile: Option<&str>,
    mistakes: &mut Vec<Mistake>,
) -> Result<Gathered, Refusal> {
    let mut gathered = Gathered::default();
    for entry in entries {
        let mut mode = MODE;
        let content = match &entry.content {
            Written::Source(said) if entry.file.method != Method::Link => match copied(dir, said) {
                Ok(content) => {
                    mode = content.mode;
                    content.bytes
                }
                Err(fault) => {
                    mistakes.push(Mistake::new(said.span.clone(), fault));
                    continue;
                }
            },
            Written::Source(said) => {
                match source(dir, said, entry) {
                    Ok(item) => gathered.items.push(item),
                    Err(fault) => mistakes.push(Mistake::new(said.span.clone(), fault)),
                }
                continue;
            }
            Written::Text(said) => said.value.clone().into_bytes(),
            Written::Template(said) => {
                let text = match read(dir, said) {
                    Ok(text) => text,
                    Err(fault) => {
                        mistakes.push(Mistake::new(said.span.clone(), fault));
                        continue;
                    }
                };
                render(declared, &text, profile).map_err(|mistake| {
                    let path = dir.join(&said.value);
                    Refusal::Manifest(Box::new(Wrong { path, text, mistakes: vec![mistake] }))
                })?
            }
        };
        let Some((_, last)) = entry.at.split() else { continue };
        let content = Content { bytes: content, mode: entry.file.mode.unwrap_or(mode) };
        let name = content.name(&last);
        gathered.items.push(Item {
            at: entry.at.clone(),
            supply: Supply::Rendered,
            method: entry.file.method,
            package: RelPath::root(),
            entry: RelPath::from_names([&name]),
            folds: None,
            force: entry.file.force,
            hash: entry
                .file
                .on_change
                .as_ref()
                .map(|_| String::from_utf8_lossy(name.as_bytes()).into_owned()),
            on_change: entry.file.on_change.clone(),
        });
        gathered.files.insert(name, content);
    }
    Ok(gathered)
}

/// Looks at what a link is to lead to.
fn source(dir: &Path, said: &Said<String>, entry: &Entry) -> Result<Item, Fault> {
    let Some(path) = RelPath::new(said.value.as_bytes()) else { return Err(Fault::BadSource) };
    let on_disk = dir.join(OsStr::from_bytes(path.as_bytes()));
    let metadata = fs_err::metadata(&on_disk).map_err(|error| fault(&on_disk, &error))?;
    let expected = match entry.file.recursive {
        true if !metadata.is_dir() => Some(Expected::Directory),
        false if !metadata.is_dir() && !metadata.is_file() => Some(Expected::FileOrDirectory),
        _ => None,
    };
    if let Some(expected) = expected {
        return Err(Fault::WrongSource { path: on_disk.display().to_string(), expected });
    }
    // A file at the top lies in no package.
    let first = path.names().next().map(|name| RelPath::from_names([&name])).unwrap_or_default();
    let package = if path.depth() > 1 || metadata.is_dir() { first } else { RelPath::root() };
    let rest = path.below(&package).unwrap_or_default();
    let folds = entry.file.recursive.then(|| Folds { fold: Fold::Never, never: Default::default() });
    let hash = match entry.file.on_change {
        Some(_) => Some(hash(&on_disk, &Adopted::new()).map_err(|error| fault(&on_disk, &error))?),
        None => None,
    };
    Ok(Item {
        at: entry.at.clone(),
        supply: Supply::Dotfiles,
        method: Method::Link,
        package,
        entry: rest,
        folds,
        force: entry.file.force,
        on_change: entry.file.on_change.clone(),
        hash,
    })
}

/// Returns the content of a file of which a copy is wanted.
fn copied(dir: &Path, said: &Said<String>) -> Result<Content, Fault> {
    let path = dir.join(&said.value);
    let metadata = file_at(&path)?;
    let bytes = fs_err::read(&path).map_err(|error| fault(&path, &error))?;
    Ok(Content { bytes, mode: metadata.permissions().mode() & 0o777 })
}

/// Returns what is known of a file, links followed.
fn file_at(path: &Path) -> Result<Metadata, Fault> {
    let metadata = fs_err::metadata(path).map_err(|error| fault(path, &error))?;
    if metadata.is_file() {
        return Ok(metadata);
    }
    Err(Fault::WrongSource { path: path.display().to_string(), expected: Expected::File })
}

fn read(dir: &Path, said: &Said<String>) -> Result<String, Fault> {
    let path = dir.join(&said.value);
    file_at(&path)?;
    fs_err::read_to_string(&path).map_err(|error| fault(&path, &error))
}

fn fault(path: &Path, error: &io::Error) -> Fault {
    let path = path.display().to_string();
    match error.kind() {
        io::ErrorKind::NotFound => Fault::NoSource { path, nearest: None },
        kind => Fault::Unreadable { path, error: kind.to_string() },
    }
}

/// Renders a template for this machine.
fn render(declared: &Declared, text: &str, profile: Option<&str>) -> Result<Vec<u8>, Mistake> {
    let machine = declared.machine();
    let lossy = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let env: BTreeMap<&str, String> =
        machine.env.iter().map(|(name, value)| (name.as_str(), lossy(value))).collect();
    // Neither is set where cron, systemd or ssh starts a command.
    let mut named = ["USER", "LOGNAME"].into_iter().filter_map(|name| env.get(name));
    let user = named.find(|name| !name.is_empty()).cloned().or_else(passwd::own_name);
    let known = [
        ("os", Some(machine.os.clone())),
        ("host", Some(machine.host.clone())),
        ("home", machine.home.as_ref().map(lossy)),
        ("user", user),
        ("profile", profile.map(str::to_owned)),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name, Value::from(value?))));
    let known: BTreeMap<&str, Value> = known.chain([("env", Value::from_pairs(env))]).collect();
    let mut templates = Environment::new();
    // What is misspelt must not become nothing without a word.
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    // The file ends as the template does, and lines of control are no lines of it.
    let syntax =
        SyntaxConfig::builder().keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true).build();
    templates.set_syntax(syntax.unwrap_or_default());
    let rendered = templates.template_from_str(text).and_then(|template| template.render(known));
    rendered.map(String::into_bytes).map_err(|error| {
        let line = error.line().unwrap_or(1);
        let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let message =
            error.detail().map_or_else(|| error.kind().to_string(), |it| format!("{}: {it}", error.kind()));
        Mistake::new(error.range().unwrap_or(start..end), Fault::Template(message))
    })
}

/// Returns a hash of the bytes of a file, or of all files in a directory with their paths; those that take the place of
/// others are read where they still are.
fn hash(path: &Path, adopted: &Adopted) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut todo = vec![path.to_owned()];
    while let Some(at) = todo.pop() {
        if fs_err::metadata(&at)?.is_dir() {
            let entries = fs_err::read_dir(&at)?.map(|entry| entry.map(|entry| entry.path()));
            let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
            entries.retain(|path| !path.is_symlink());
            entries.sort();
            todo.extend(entries.into_iter().rev());
        } else {
            bytes.extend_from_slice(at.as_os_str().as_bytes());
            bytes.push(0);
            bytes.extend(fs_err::read(adopted.get(&at).unwrap_or(&at))?);
        }
    }
    let content = Content { bytes, mode: 0 };
    let name = content.name(&Name::new(b"x").expect("a name"));
    Ok(String::from_utf8_lossy(name.as_bytes()).into_owned())
}
