//! Other programs that make symlink farms, as far as they are installed and their model fits.

use std::fmt::Write;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::entrant::Place;
use crate::workload::{Layout, Verb};

/// A program that is neither stow nor farm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Graft,
    Xstow,
    Dploy,
    Stau,
    Tuckr,
    Dotter,
    Rcm,
    Cp,
    Lndir,
}

impl Peer {
    const ALL: [Peer; 9] = [
        Peer::Graft,
        Peer::Xstow,
        Peer::Dploy,
        Peer::Stau,
        Peer::Tuckr,
        Peer::Dotter,
        Peer::Rcm,
        Peer::Cp,
        Peer::Lndir,
    ];

    /// Returns those whose programs are on `PATH`.
    pub fn at_hand() -> Vec<Peer> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
        let installed = |peer: &Peer| dirs.iter().any(|dir| dir.join(peer.program()).is_file());
        Peer::ALL.into_iter().filter(installed).collect()
    }

    /// Returns the name for a table and a directory.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Graft => "graftfs",
            Peer::Rcm => "rcm",
            Peer::Cp => "cp-rs",
            peer => peer.program(),
        }
    }

    fn program(self) -> &'static str {
        match self {
            Peer::Graft => "graft",
            Peer::Xstow => "xstow",
            Peer::Dploy => "dploy",
            Peer::Stau => "stau",
            Peer::Tuckr => "tuckr",
            Peer::Dotter => "dotter",
            Peer::Rcm => "rcup",
            Peer::Cp => "cp",
            Peer::Lndir => "lndir",
        }
    }

    /// Returns whether it can do something with a farm of some layout.
    pub fn can(self, verb: Verb, layout: Layout) -> bool {
        match self {
            _ if verb == Verb::Plan => false,
            // It puts a dot in front of every name at the top.
            Peer::Rcm => verb == Verb::Link && matches!(layout, Layout::Dotfiles),
            Peer::Cp => verb == Verb::Link,
            Peer::Lndir => verb != Verb::Unlink && layout.packages().len() == 1,
            _ => true,
        }
    }

    /// Returns the command line for what it [can](Self::can) do.
    pub fn line(self, verb: Verb, place: &Place) -> Vec<String> {
        let of = |link, relink, unlink| match verb {
            Verb::Link | Verb::Plan => link,
            Verb::Relink => relink,
            Verb::Unlink => unlink,
        };
        let (stow_dir, target) = (place.stow_dir.display().to_string(), place.target.display().to_string());
        let own = place.own.display().to_string();
        let packages = place.layout.packages();
        let each =
            |before: &str| packages.iter().flat_map(|name| [before.to_owned(), name.clone()]).collect();
        let inside = |end: &str| packages.iter().map(|name| format!("{stow_dir}/{name}{end}")).collect();
        let (words, mut rest): (Vec<&str>, Vec<String>) = match self {
            Peer::Graft => (vec![of("stow", "restow", "delete"), "-d", &stow_dir, "-t", &target], each("-p")),
            Peer::Xstow => (vec![of("", "-R", "-D"), "-d", &stow_dir, "-t", &target], packages),
            Peer::Dploy => (vec!["--silent", of("stow", "stow", "unstow")], inside("")),
            Peer::Stau => (vec![of("install", "restow", "uninstall"), "-t", &target], packages),
            Peer::Tuckr => (vec![of("add", "add", "rm")], packages),
            Peer::Dotter => (vec![of("deploy", "deploy", "undeploy"), "-y"], Vec::new()),
            Peer::Rcm => (vec!["-d", &own], each("-t")),
            Peer::Cp => (vec!["-rs"], inside("/.")),
            Peer::Lndir => (vec!["-silent"], inside("")),
        };
        if matches!(self, Peer::Dploy | Peer::Cp | Peer::Lndir) {
            rest.push(target.clone());
        }
        let words = [&[self.program()], &words[..]].concat();
        words.into_iter().filter(|word| !word.is_empty()).map(str::to_owned).chain(rest).collect()
    }

    /// Returns what it wants to find in the environment.
    pub fn variables(self, place: &Place) -> Vec<(&'static str, PathBuf)> {
        match self {
            Peer::Stau => vec![("STAU_DIR", place.stow_dir.clone())],
            Peer::Tuckr => {
                vec![("TUCKR_HOME", place.own.clone()), ("TUCKR_TARGET", place.target.clone())]
            }
            Peer::Rcm => vec![("HOME", place.target.clone())],
            _ => Vec::new(),
        }
    }

    /// Makes its own directory, as before anything was linked.
    pub fn prepare(self, place: &Place) -> io::Result<()> {
        if place.own.exists() {
            fs::remove_dir_all(&place.own)?;
        }
        fs::create_dir_all(&place.own)?;
        match self {
            Peer::Tuckr => {
                fs::create_dir(place.own.join("dotfiles"))?;
                symlink(&place.stow_dir, place.own.join("dotfiles/Configs"))
            }
            Peer::Dotter => configure_dotter(place),
            Peer::Rcm => tag_packages(place),
            _ => Ok(()),
        }
    }
}

/// Names every entry at the top of a package, with its place in the target.
fn configure_dotter(place: &Place) -> io::Result<()> {
    let mut all = String::from("[helpers]\n");
    for package in place.layout.packages() {
        let _ = writeln!(all, "[{package}.files]");
        for entry in fs::read_dir(place.stow_dir.join(&package))? {
            let entry = entry?;
            let (from, to) = (entry.path(), place.target.join(entry.file_name()));
            let _ = writeln!(
                all,
                r#""{}" = {{ target = "{}", type = "symbolic" }}"#,
                from.display(),
                to.display()
            );
        }
    }
    fs::create_dir(place.own.join(".dotter"))?;
    fs::write(place.own.join(".dotter/global.toml"), all)?;
    fs::write(place.own.join(".dotter/local.toml"), format!("packages = {:?}", place.layout.packages()))
}

/// Makes `tag-PACKAGE/config` of `PACKAGE/.config`: rcm puts the dot in front.
fn tag_packages(place: &Place) -> io::Result<()> {
    for package in place.layout.packages() {
        let tagged = place.own.join(format!("tag-{package}"));
        fs::create_dir(&tagged)?;
        for entry in fs::read_dir(place.stow_dir.join(&package))? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            copy(&entry.path(), &tagged.join(name.strip_prefix('.').unwrap_or(&name)))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir(to)?;
    fs::read_dir(from)?.try_for_each(|entry| {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))
    })
}
