//! The machine that a manifest is read for, as values, and what conditions come to on it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Content, File, FileChoices, Folding, Landing, Manifest, Package, Said, When};
use crate::rules::Globs;

/// What a manifest may ask about a machine; whoever has the machine fills it in.
#[derive(Clone, Default, Debug)]
pub struct Machine {
    /// The system: `linux`, `macos`.
    pub os: String,
    /// Its name in the network.
    pub host: String,
    /// The user's home directory, an absolute path.
    pub home: Option<Vec<u8>>,
    /// The environment.
    pub env: BTreeMap<String, Vec<u8>>,
    /// Those of [`Manifest::asks_for`] at which there is something.
    pub there: BTreeSet<String>,
}

impl Manifest {
    /// Returns the paths, as written, of which conditions ask whether there is something.
    pub fn asks_for(&self) -> BTreeSet<&str> {
        let conditions = self.packages.values().map(|package| &package.when);
        let conditions = conditions.chain(self.files.iter().map(|file| &file.when));
        conditions.flat_map(|when| &when.exists).map(String::as_str).collect()
    }
}

impl When {
    /// Tells whether all conditions hold on `machine`.
    pub fn holds(&self, machine: &Machine) -> bool {
        let has =
            |(name, globs): &(String, Globs)| machine.env.get(name).is_some_and(|value| globs.matches(value));
        self.os.as_ref().is_none_or(|systems| systems.contains(&machine.os))
            && self.host.as_ref().is_none_or(|globs| machine.is_named(globs))
            && self.env.iter().all(has)
            && self.exists.iter().all(|path| machine.there.contains(path))
    }
}

impl Machine {
    /// Returns the absolute path that `written` stands for, if it stands for one here.
    pub fn path(&self, written: &str) -> Option<Vec<u8>> {
        super::place::absolute(written, self).ok()
    }

    fn is_named(&self, globs: &Globs) -> bool {
        // A glob on a name need not know whether the machine tells its domain, too.
        let short = self.host.split('.').next().unwrap_or_default();
        globs.matches(self.host.as_bytes()) || globs.matches(short.as_bytes())
    }
}

/// What a manifest says of a package on one machine.
pub(super) struct PackageHere<'m> {
    pub source: Option<&'m Said<String>>,
    pub landing: Option<&'m Landing>,
    pub folding: Option<&'m Folding>,
    pub counts: bool,
}

impl Package {
    pub(super) fn here(&self, machine: &Machine) -> PackageHere<'_> {
        let all = &self.all;
        let on = match machine.os.as_str() {
            "linux" => &self.linux,
            "macos" => &self.macos,
            _ => all,
        };
        PackageHere {
            source: on.source.as_ref().or(all.source.as_ref()),
            landing: on.landing.as_ref().or(all.landing.as_ref()),
            folding: on.folding.as_ref().or(all.folding.as_ref()),
            counts: on.enable.or(all.enable).unwrap_or(true) && self.when.holds(machine),
        }
    }
}

impl File {
    /// Returns where the content comes from on one machine; `None` when the file does not count there.
    pub(super) fn here(&self, machine: &Machine) -> Option<&Content> {
        let on: &FileChoices = match machine.os.as_str() {
            "linux" => &self.linux,
            "macos" => &self.macos,
            _ => &self.all,
        };
        let counts = on.enable.or(self.all.enable).unwrap_or(true) && self.when.holds(machine);
        on.content.as_ref().or(self.all.content.as_ref()).filter(|_| counts)
    }
}
