//! What the floor does in one directory of the target.

use std::collections::{BTreeMap, BTreeSet};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, mkdirat, readlinkat_raw, statat, symlinkat, unlinkat};
use rustix::io::{self, Errno};

use super::listing::Buffer;
use super::{Ground, Job, fail, open};

/// What the floor can be told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Makes the links; a link to a directory where only one package has it and the target does not.
    Link,
    /// Makes the links, and every directory.
    LinkNoFold,
    /// Reads every link, and sees that it is right.
    Check,
    /// Reads every link, and the names in the visited directories, where links may be whose file is gone.
    CheckSweep,
    /// Removes every link.
    Unlink,
    /// Removes every link, and looks where all other links of the visited directories lead, as stow does.
    UnlinkSweep,
    /// Finds what is in the way of files, and names it.
    Plan,
    /// Reads the whole package, then makes the links: what an ignore pattern takes.
    WalkLink,
    /// Reads the whole package.
    Walk,
}

impl Act {
    const NAMES: [(Act, &str); 9] = [
        (Act::Link, "link"),
        (Act::LinkNoFold, "link-no-fold"),
        (Act::Check, "check"),
        (Act::CheckSweep, "check-sweep"),
        (Act::Unlink, "unlink"),
        (Act::UnlinkSweep, "unlink-sweep"),
        (Act::Plan, "plan"),
        (Act::WalkLink, "walk-link"),
        (Act::Walk, "walk"),
    ];

    /// Returns the word for it on the command line.
    pub fn name(self) -> &'static str {
        Act::NAMES.iter().find(|(act, _)| *act == self).expect("every act has a name").1
    }

    pub(super) fn named(name: &str) -> Option<Act> {
        Act::NAMES.iter().find(|(_, known)| *known == name).map(|(act, _)| *act)
    }

    /// Returns the acts that it consists of, each of which goes through all packages.
    pub(super) fn passes(self) -> &'static [Act] {
        match self {
            Act::Link => &[Act::Link],
            Act::LinkNoFold => &[Act::LinkNoFold],
            Act::Check => &[Act::Check],
            Act::CheckSweep => &[Act::CheckSweep],
            Act::Unlink => &[Act::Unlink],
            Act::UnlinkSweep => &[Act::UnlinkSweep],
            Act::Plan => &[Act::Plan],
            Act::WalkLink => &[Act::Walk, Act::Link],
            Act::Walk => &[Act::Walk],
        }
    }

    /// Returns how many directories must be waiting for a second thread to pay.
    pub(super) fn worth_sharing(self) -> usize {
        match self {
            // There is a look at every link of a large farm's directories.
            Act::UnlinkSweep => 2,
            _ => 32,
        }
    }
}

/// What one thread works with, and what it has to say in the end.
#[derive(Default)]
pub(super) struct Hand {
    buffer: Buffer,
    pub(super) told: Vec<u8>,
}

/// Directories by name, with the directories of packages that meet there.
type Below = BTreeMap<Vec<u8>, Vec<Vec<u8>>>;

impl Hand {
    /// Does one directory, and returns those below it that are still to be done.
    pub(super) fn work(&mut self, act: Act, ground: &Ground, job: &Job) -> Vec<Job> {
        let below = match act {
            Act::Walk => self.read(ground, job, |_, _| ()),
            Act::Plan => self.plan(ground, job),
            _ => self.change(act, ground, job),
        };
        below.into_iter().map(|(name, packages)| Job { at: dir(&job.at, &name), packages }).collect()
    }

    /// Reads the packages' directories: `file` gets the directory and the name of all that is no directory.
    fn read(&mut self, ground: &Ground, job: &Job, mut file: impl FnMut(&[u8], &[u8])) -> Below {
        let mut below = Below::new();
        for package in &job.packages {
            self.buffer.list(&open(&ground.stow, package), |name, kind| match kind {
                FileType::Directory => below.entry(name.to_vec()).or_default().push(dir(package, name)),
                _ => file(package, name),
            });
        }
        below
    }

    /// Names the files that have something in their way; returns the directories that exist in the target.
    fn plan(&mut self, ground: &Ground, job: &Job) -> Below {
        let (mut files, mut dirs) = (BTreeSet::new(), BTreeSet::new());
        self.buffer.list(&open(&ground.target, &job.at), |name, kind| {
            if kind == FileType::Directory { &mut dirs } else { &mut files }.insert(name.to_vec());
        });
        let mut told = Vec::new();
        let mut below = self.read(ground, job, |_, name| {
            if files.contains(name) {
                told.extend([&job.at, name, b"\n"].concat());
            }
        });
        self.told.extend(told);
        below.retain(|name, _| dirs.contains(name));
        below
    }

    /// Makes, reads or removes the links; returns the directories that are no links.
    fn change(&mut self, act: Act, ground: &Ground, job: &Job) -> Below {
        let target = open(&ground.target, &job.at);
        let depth = job.at.iter().filter(|byte| **byte == b'/').count();
        let way = [&b"../".repeat(depth), &ground.way[..]].concat();
        let mut below = self.read(ground, job, |package, name| {
            file(act, &target, name, &[&way, package, name].concat())
                .unwrap_or_else(|error| fail(&name.escape_ascii().to_string(), error));
        });
        below.retain(|name, packages| {
            let one = match &packages[..] {
                [package] => Some([&way, &package[..package.len() - 1]].concat()),
                _ => None,
            };
            directory(act, &target, name, one.as_deref())
                .unwrap_or_else(|error| fail(&name.escape_ascii().to_string(), error))
        });
        match act {
            Act::UnlinkSweep => self.buffer.list(&target, |name, kind| {
                if kind == FileType::Symlink {
                    // Where it leads nowhere, that is an answer too.
                    let _ = statat(&target, name, AtFlags::empty());
                }
            }),
            Act::CheckSweep => self.buffer.list(&target, |_, _| ()),
            _ => {}
        }
        below
    }
}

fn file(act: Act, target: &OwnedFd, name: &[u8], text: &[u8]) -> io::Result<()> {
    match act {
        Act::Link | Act::LinkNoFold | Act::WalkLink => symlinkat(text, target, name),
        Act::Check | Act::CheckSweep => right(target, name, text),
        Act::Unlink | Act::UnlinkSweep => unlinkat(target, name, AtFlags::empty()),
        Act::Plan | Act::Walk => Ok(()),
    }
}

/// Does what a directory takes that one package (`text` leads there) or several have.
///
/// Returns whether there is a directory in the target to go into.
fn directory(act: Act, target: &OwnedFd, name: &[u8], text: Option<&[u8]>) -> io::Result<bool> {
    let done = match (act, text) {
        (Act::LinkNoFold, _) | (Act::Link, None) => {
            return match mkdirat(target, name, Mode::from(0o777)) {
                Ok(()) | Err(Errno::EXIST) => Ok(true),
                Err(error) => Err(error),
            };
        }
        (_, None) => return Ok(true),
        (_, Some(text)) => file(act, target, name, text),
    };
    match done {
        Ok(()) => Ok(false),
        // It is a directory, said to whom wanted to make, to read and to remove a link.
        Err(Errno::EXIST | Errno::INVAL | Errno::ISDIR) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Sees that the link `name` says `text`.
fn right(target: &OwnedFd, name: &[u8], text: &[u8]) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let length = readlinkat_raw(target, name, &mut buffer[..])?;
    if buffer[..length] == *text { Ok(()) } else { Err(Errno::NXIO) }
}

fn dir(parent: &[u8], name: &[u8]) -> Vec<u8> {
    [parent, name, b"/"].concat()
}
