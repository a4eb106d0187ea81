//! What a new shell gets: `farm env` prints it, and `farm switch` writes it where a shell can read it.
//!
//! The state directory has `session.sh`, `session.fish` and `session.nu`: links to files that are named by their content,
//! as those of texts and templates are, so that another generation is another link.

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use clap::ValueEnum;
use farm::manifest::{Script, Session};
use farm::{Content, Error, Name};

use super::args::{self, Global};
use super::resolve::{Farm, Refusal};
use super::words::Words;
use super::{Exit, StowRc, json};

/// A shell.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shell {
    Sh,
    Bash,
    Zsh,
    Fish,
    Nu,
}

impl Shell {
    fn script(self) -> Script {
        match self {
            Shell::Sh | Shell::Bash | Shell::Zsh => Script::Sh,
            Shell::Fish => Script::Fish,
            Shell::Nu => Script::Nu,
        }
    }

    /// Returns the user's shell, as far as it is one of these.
    fn of_user() -> Shell {
        let shell = env::var("SHELL").unwrap_or_default();
        let name = shell.rsplit('/').next().unwrap_or_default();
        Shell::from_str(name, false).unwrap_or(Shell::Sh)
    }
}

/// Runs `farm env`.
pub fn env(global: &Global, args: &args::Env, stowrc: &StowRc, words: &Words) -> Exit {
    let farm = match Farm::find(global.dir.as_deref(), global.target.as_deref(), stowrc) {
        Ok(farm) => farm,
        Err(refusal) => return words.refusal(&refusal),
    };
    let Some(declared) = &farm.declared else {
        return words.refusal(&Refusal::NoManifest { dir: farm.dir.clone() });
    };
    let session = &declared.manifest.session;
    if global.json {
        json::session(session);
    } else {
        words.print(&session.script(args.shell.unwrap_or_else(Shell::of_user).script()));
    }
    Exit::Done
}

/// The scripts of a session.
#[derive(Clone, Default, Debug)]
pub struct Scripts {
    /// The files, by their names.
    pub files: BTreeMap<Name, Content>,
}

impl Scripts {
    /// Returns the scripts of what a manifest says.
    pub fn new(session: &Session) -> Scripts {
        let scripts: &[Script] = if session.is_empty() { &[] } else { &Script::ALL };
        let file = |script: &Script| {
            let content = Content { bytes: session.script(*script).into_bytes(), mode: 0o600 };
            let name = Name::new(script.file().as_bytes()).expect("it is a name");
            (content.name(&name), content)
        };
        Scripts { files: scripts.iter().map(file).collect() }
    }

    /// Returns their paths from the state directory, when they are in `dir`.
    pub fn paths(&self, state: &Path, dir: &Path) -> Vec<String> {
        let dir = dir.strip_prefix(state).unwrap_or(dir).to_string_lossy().into_owned();
        self.files.keys().map(|name| format!("{dir}/{}", String::from_utf8_lossy(name.as_bytes()))).collect()
    }
}

/// Returns the name of the link to a script, `session.sh`, and the path to which it is to lead.
fn link(path: &str) -> Option<(&'static str, &str)> {
    Script::ALL
        .iter()
        .map(|script| script.file())
        .find(|file| path.ends_with(&format!("-{file}")))
        .map(|it| (it, path))
}

/// Tells whether the links in the state directory lead to these scripts.
pub fn is_pointed(state: &Path, to: &[String]) -> bool {
    to.iter().filter_map(|path| link(path)).all(|(name, path)| leads(&state.join(name), path))
}

fn leads(link: &Path, to: &str) -> bool {
    std::fs::read_link(link).is_ok_and(|text| text == Path::new(to))
}

/// Points the links in the state directory to these scripts. Where there are none, those go that lead to `from`; what
/// another dotfiles directory has for new shells stays.
///
/// # Errors
/// The system's.
pub fn point(state: &Path, from: &[String], to: &[String]) -> Result<(), Error> {
    let wrong = |name: &str| {
        let path = state.join(name);
        move |error: io::Error| Error::new("write", path, error)
    };
    for (name, path) in to.iter().filter_map(|path| link(path)) {
        let at = state.join(name);
        if leads(&at, path) {
            continue;
        }
        // A shell that starts meanwhile finds the old one or the new one.
        let new = state.join(format!("{name}.new"));
        let swap = || match fs_err::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => symlink(path, &new).and_then(|()| fs_err::rename(&new, &at)),
        };
        swap().map_err(wrong(name))?;
    }
    for (name, path) in from.iter().filter_map(|path| link(path)) {
        if to.is_empty() && leads(&state.join(name), path) {
            fs_err::remove_file(state.join(name)).map_err(wrong(name))?;
        }
    }
    Ok(())
}
