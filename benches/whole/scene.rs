//! A workload on the disk: the packages once, and a target for each program that takes part.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::entrant::Entrant;
use crate::program::Program;
use crate::workload::Layout;

pub struct Scene {
    base: PathBuf,
    pub entrants: Vec<Entrant>,
}

impl Scene {
    /// Makes it in the directory `base`, which does not exist yet. It goes when the scene does.
    pub fn make(base: &Path, layout: Layout, programs: &[Program]) -> io::Result<Scene> {
        fs::create_dir(base)?;
        let mut scene = Scene { base: base.to_owned(), entrants: Vec::new() };
        let stow_dir = base.join("stow");
        fs::create_dir(&stow_dir)?;
        layout.make_packages(&stow_dir)?;
        for program in programs {
            scene.entrants.push(Entrant::make(base, &stow_dir, layout, program)?);
        }
        Ok(scene)
    }

    /// Returns the path of a file for some other purpose.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.base) {
            eprintln!("cannot remove `{}`: {error}", self.base.display());
        }
    }
}
