//! `farm doctor`: looks at everything that a farm needs, and changes nothing.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use farm::{Error, Memory, is_interrupted};
use rustix::fs::{Access, access};

use super::args::Global;
use super::resolve::Farm;
use super::told::{Checkup, Counts, Level, Writable};
use super::words::Words;
use super::{Exit, StowRc, env, json};
use crate::environment;

/// With this begin the names of what farm builds beside what it is to replace.
const TEMPORARY: &[u8] = b".farm-";

/// Permissions that let others in.
const OF_OTHERS: u32 = 0o077;

/// Runs `farm doctor`.
pub fn doctor(global: &Global, stowrc: &StowRc, words: &Words) -> Exit {
    let farm = match Farm::find(global.dir.as_deref(), global.target.as_deref(), stowrc) {
        Ok(farm) => farm,
        Err(refusal) => return words.refusal(&refusal),
    };
    let mut findings = vec![Checkup::Program, Checkup::Dotfiles(farm.dir.clone(), writable(&farm.dir))];
    findings.push(match farm.mount.is_root() {
        true => Checkup::Target(farm.root.clone(), writable(&farm.root)),
        false => Checkup::TargetToBeMade(farm.target()),
    });
    findings.push(match &farm.declared {
        Some(declared) => match declared.layout(&[], &farm.mount) {
            Ok(layout) => {
                Checkup::Manifest(declared.path.clone(), layout.packages.len(), layout.entries.len())
            }
            Err(refusal) => return words.refusal(&refusal),
        },
        None => Checkup::NoManifest,
    });
    if stowrc.says_something() {
        let counts = if farm.declared.is_some() { Counts::No } else { Counts::Yes };
        findings.push(Checkup::StowRc(counts));
    }
    match environment::state_dir() {
        Some(state) => look_at_state(&farm, &state, &mut findings),
        None => findings.push(Checkup::NoStateDir),
    }
    if !has_git() {
        findings.push(Checkup::NoGit);
    }
    if global.json {
        json::doctor(&farm, &findings, words);
    } else {
        words.doctor(&findings);
    }
    match findings.iter().map(Checkup::level).max() {
        Some(Level::Error) => Exit::Refused,
        _ => Exit::Done,
    }
}

fn look_at_state(farm: &Farm, state: &Path, findings: &mut Vec<Checkup>) {
    let found = match state.metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = state.ancestors().skip(1).find(|above| above.exists());
            findings.push(match above.map(writable) {
                Some(Writable::Yes) => Checkup::StateToBeMade(state.to_owned()),
                _ => Checkup::StateReadOnly(state.to_owned()),
            });
            return;
        }
        Err(error) => {
            findings.push(Checkup::Memory(Error::new("look at", state, error)));
            return;
        }
    };
    if !found.is_dir() {
        findings.push(Checkup::StateIsNone(state.to_owned()));
        return;
    }
    let path = state.to_owned();
    findings.push(match &found {
        found if found.uid() != rustix::process::geteuid().as_raw() => Checkup::StateOfAnother(path),
        _ if writable(state) == Writable::No => Checkup::StateReadOnly(path),
        found if found.permissions().mode() & OF_OTHERS != 0 => Checkup::StateOpen(path),
        _ => Checkup::State(path),
    });
    if farm.root.metadata().is_ok_and(|root| root.dev() != found.dev()) {
        findings.push(Checkup::StateElsewhere);
    }
    match is_interrupted(state, &farm.target()) {
        Ok(false) => look_at_memory(farm, state, findings),
        Ok(true) => findings.push(Checkup::Interrupted),
        Err(error) => findings.push(Checkup::Memory(error)),
    }
}

fn look_at_memory(farm: &Farm, state: &Path, findings: &mut Vec<Checkup>) {
    let is_not_to_wait = || false;
    let memory = match Memory::open(Some(state), &farm.target(), &is_not_to_wait) {
        Ok((memory, _)) => match memory.unreadable() {
            Some(problem) => {
                findings.push(Checkup::Memory(Error::new(
                    problem.verb,
                    &problem.path,
                    problem.source.kind(),
                )));
                return;
            }
            None => memory,
        },
        Err(error) if error.source.kind() == io::ErrorKind::WouldBlock => {
            findings.push(Checkup::Busy);
            return;
        }
        Err(error) => {
            findings.push(Checkup::Memory(error));
            return;
        }
    };
    let known = memory.generations().and_then(|all| Ok((all.len(), memory.known(&farm.root)?)));
    let (generations, known) = match known {
        Ok(found) => found,
        Err(error) => {
            findings.push(Checkup::Memory(error));
            return;
        }
    };
    findings.push(Checkup::Generations(generations));
    let mut dirs: Vec<PathBuf> = known
        .links
        .keys()
        .filter_map(|path| Some(farm.root.join(OsStr::from_bytes(path.split()?.0.as_bytes()))))
        .collect();
    dirs.sort();
    dirs.dedup();
    for dir in dirs {
        for entry in dir.read_dir().into_iter().flatten().flatten() {
            if entry.file_name().as_bytes().starts_with(TEMPORARY) {
                findings.push(Checkup::LeftOver(entry.path()));
            }
        }
    }
    let says_session = farm.declared.as_ref().is_some_and(|it| !it.manifest.session.is_empty());
    if says_session && (known.session.is_empty() || !env::is_pointed(state, &known.session)) {
        findings.push(Checkup::Session);
    }
}

fn writable(path: &Path) -> Writable {
    match access(path, Access::WRITE_OK) {
        Ok(()) => Writable::Yes,
        Err(_) => Writable::No,
    }
}

fn has_git() -> bool {
    let mut git = Command::new("git");
    git.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    git.status().is_ok_and(|status| status.success())
}
