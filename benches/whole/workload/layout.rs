//! What the workloads are made of.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::Held;
use super::dotfiles::FILES;
use crate::floor::Act;

/// The shape of a farm.
#[derive(Clone, Copy)]
pub enum Layout {
    /// Nine small packages, and a home with things of its own.
    Dotfiles,
    /// One package with directories of [`FILES_IN_DIRECTORY`] files.
    Directories { dirs: usize, target: Before },
    /// Packages as for `/usr/local`, that share the directories, and one package more.
    Prefix { packages: usize },
    /// One package with one directory that holds directories of files.
    Deep { dirs: usize },
}

/// What [`Layout::Directories`] meets in the target.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Before {
    Nothing,
    /// The package's directories, empty.
    Directories,
    /// Those, with a file in each that is in the way of the package's.
    Conflicts,
}

const FILES_IN_DIRECTORY: usize = 100;

/// The directories of a package in a prefix, and how many files are in each: 50 in all.
const PREFIX: [(&str, usize); 6] = [
    ("bin", 10),
    ("lib", 10),
    ("include", 5),
    ("share/man/man1", 10),
    ("share/man/man5", 5),
    ("share/icons", 5),
];

/// The files in `share/doc/PACKAGE`, which nobody shares.
const PREFIX_DOCS: usize = 5;

impl Layout {
    /// Returns the names of all packages but the one more.
    pub fn packages(self) -> Vec<String> {
        match self {
            Layout::Dotfiles => {
                let first = |path: &str| path.split('/').next().expect("a path has a first part").to_owned();
                FILES.iter().map(|path| first(path)).collect::<BTreeSet<_>>().into_iter().collect()
            }
            Layout::Directories { .. } | Layout::Deep { .. } => vec!["p".to_owned()],
            Layout::Prefix { packages } => (0..packages).map(prefix_name).collect(),
        }
    }

    /// Returns the name of the package that joins and leaves a farm of the others.
    pub fn one_more(self) -> Option<String> {
        match self {
            Layout::Prefix { packages } => Some(prefix_name(packages)),
            _ => None,
        }
    }

    /// Returns how many links there are.
    pub fn links(self, held: Held) -> usize {
        let one: usize = PREFIX.iter().map(|(_, files)| files).sum::<usize>() + 1;
        let all = match self {
            Layout::Dotfiles => 14,
            Layout::Directories { dirs, .. } => dirs * FILES_IN_DIRECTORY,
            Layout::Prefix { packages } => packages * one,
            Layout::Deep { .. } => 1,
        };
        match held {
            Held::Bare | Held::Rest => 0,
            Held::All => all,
            Held::More => all + one,
        }
    }

    /// Returns how the floor makes the links of all packages.
    pub fn linking(self) -> Act {
        match self {
            Layout::Directories { target: Before::Nothing, .. } => Act::LinkNoFold,
            _ => Act::Link,
        }
    }

    /// Returns the paths of the target that are in the way.
    pub fn conflicts(self) -> Vec<String> {
        match self {
            Layout::Directories { dirs, target: Before::Conflicts } => (0..dirs)
                .map(|number| format!("{}/{}", directory(number), file(number % FILES_IN_DIRECTORY)))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Makes the packages in the stow directory.
    pub fn make_packages(self, stow_dir: &Path) -> io::Result<()> {
        match self {
            Layout::Dotfiles => FILES.iter().try_for_each(|path| {
                let path = stow_dir.join(path);
                fs::create_dir_all(path.parent().expect("a file lies in a package"))?;
                empty_file(&path)
            }),
            Layout::Directories { dirs, .. } => make_directories(&stow_dir.join("p"), dirs),
            Layout::Deep { dirs } => make_directories(&stow_dir.join("p/data"), dirs),
            Layout::Prefix { packages } => {
                (0..=packages).map(prefix_name).try_for_each(|name| make_prefix(&stow_dir.join(&name), &name))
            }
        }
    }

    /// Makes what the target holds before there is any link.
    pub fn make_target(self, target: &Path) -> io::Result<()> {
        match self {
            Layout::Dotfiles => {
                fs::create_dir(target.join(".config"))?;
                empty_file(&target.join(".config/user-dirs.dirs"))?;
                empty_file(&target.join(".profile"))
            }
            Layout::Directories { target: Before::Nothing, .. }
            | Layout::Prefix { .. }
            | Layout::Deep { .. } => Ok(()),
            Layout::Directories { dirs, .. } => {
                (0..dirs).try_for_each(|number| fs::create_dir(target.join(directory(number))))?;
                // farm replaces a file that equals the package's.
                self.conflicts().iter().try_for_each(|path| fs::write(target.join(path), "mine"))
            }
        }
    }
}

fn make_directories(at: &Path, dirs: usize) -> io::Result<()> {
    (0..dirs).map(|number| at.join(directory(number))).try_for_each(|directory| {
        fs::create_dir_all(&directory)?;
        (0..FILES_IN_DIRECTORY).try_for_each(|number| empty_file(&directory.join(file(number))))
    })
}

fn make_prefix(package: &Path, name: &str) -> io::Result<()> {
    let docs = format!("share/doc/{name}");
    for (directory, files) in PREFIX.into_iter().chain([(docs.as_str(), PREFIX_DOCS)]) {
        let directory = package.join(directory);
        fs::create_dir_all(&directory)?;
        (0..files).try_for_each(|number| empty_file(&directory.join(format!("{name}-{number}"))))?;
    }
    Ok(())
}

fn empty_file(path: &Path) -> io::Result<()> {
    fs::File::create_new(path).map(drop)
}

fn directory(number: usize) -> String {
    format!("directory-{number:05}")
}

fn file(number: usize) -> String {
    format!("file-{number:02}.conf")
}

fn prefix_name(number: usize) -> String {
    format!("pkg-{number:05}")
}
