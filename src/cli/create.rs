//! Writing a new `farm.toml`, for `farm init` and `farm import`: loaded before it is written, and never over another.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use farm::{Error, RelPath};

use super::args::Global;
use super::draft::Draft;
use super::manifest::{Declared, FILE};
use super::resolve::Refusal;
use super::words::Words;
use super::{Exit, json};

/// A manifest that was made.
#[derive(Debug)]
pub struct Made {
    /// Where it is, or would be.
    pub path: PathBuf,
    /// How many packages count in it.
    pub packages: usize,
    /// How many single files.
    pub files: usize,
}

/// Writes a draft to the dotfiles directory, or prints it on a dry run, for `command`; `say` says what came of it.
///
/// # Errors
/// What is in the way, or wrong with it.
pub fn create(
    command: &str,
    global: &Global,
    dir: &Path,
    draft: Draft,
    words: &Words,
    say: impl FnOnce(&Words, &Made),
) -> Result<Exit, Refusal> {
    let path = dir.join(FILE);
    let text = draft.to_toml();
    if path.symlink_metadata().is_ok() && !global.dry_run {
        return Err(Refusal::ManifestExists { path });
    }
    if draft.is_empty() {
        return Err(Refusal::NothingToWrite { dir: dir.to_owned() });
    }
    let mut made = Made { path, packages: 0, files: 0 };
    // What it says must be right here before anybody has it.
    if let Some(declared) = Declared::of(made.path.clone(), text.clone())? {
        let layout = declared.layout(&[], &RelPath::root())?;
        (made.packages, made.files) = (layout.packages.len(), layout.entries.len());
        let wrong = |placed| declared.source_mistake(placed, dir, Vec::new, None);
        let mistakes: Vec<_> = layout.packages.iter().filter_map(wrong).collect();
        if !mistakes.is_empty() {
            return Err(declared.wrong(mistakes));
        }
    }
    if !global.dry_run {
        let write = || {
            let mut file = fs_err::OpenOptions::new().write(true).create_new(true).open(&made.path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error: std::io::Error| {
            Refusal::System(Error::new("write", &made.path, error.kind()))
        })?;
    }
    match (global.json, global.dry_run) {
        (true, _) => json::written(command, &made.path, &text, global.dry_run),
        (false, true) => words.print(&text),
        (false, false) => {}
    }
    say(words, &made);
    Ok(Exit::Done)
}
