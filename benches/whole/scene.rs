//! A workload on the disk: the packages once, and a target for each program that takes part.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::end::End;
use crate::floor::Act;
use crate::measure::{Sample, Surroundings, run};
use crate::program::{Program, floor};
use crate::workload::{Held, Layout, Operation, Workload};

/// The packages, and everyone who links them.
pub struct Scene {
    base: PathBuf,
    layout: Layout,
    stow_dir: PathBuf,
    pub entrants: Vec<Entrant>,
}

/// A program with a target of its own.
pub struct Entrant {
    pub program: Program,
    target: PathBuf,
    at: Surroundings,
    held: Held,
    /// What farm's state directory holds before each run: that of a target with two small generations.
    state: Files,
}

/// How long anything may take that is not stopped on purpose.
const PATIENCE: Duration = Duration::from_secs(1_200);

impl Scene {
    /// Makes it in the directory `base`, which does not exist yet. It goes when the scene does.
    pub fn make(base: &Path, workload: &Workload, programs: &[Program]) -> io::Result<Scene> {
        let stow_dir = base.join("stow");
        fs::create_dir_all(&stow_dir)?;
        workload.layout.make_packages(&stow_dir)?;
        let first = base.join("first");
        fs::create_dir_all(first.join("package"))?;
        fs::write(first.join("package/.first"), "")?;
        let make = |program: &Program| Entrant::make(base, workload.layout, program, &first);
        let entrants = programs.iter().map(make).collect::<io::Result<_>>()?;
        Ok(Scene { base: base.to_owned(), layout: workload.layout, stow_dir, entrants })
    }

    /// Returns the path of a file for some other purpose.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }

    /// Runs an operation once, with `before` in front of the command line, and sees that it did what it should.
    ///
    /// What every program has to leave behind is `expected`, which the first of them fills in.
    pub fn run(
        &mut self,
        player: usize,
        operation: &Operation,
        before: &[String],
        expected: &mut Option<End>,
    ) -> io::Result<Sample> {
        self.bring(player, operation.from)?;
        let packages = match self.layout.one_more() {
            Some(one) if operation.is_of_one() => vec![one],
            _ => self.layout.packages(),
        };
        let entrant = &mut self.entrants[player];
        entrant.state.write(&entrant.at.state)?;
        let line = entrant.program.line(operation, &self.stow_dir, &entrant.target, &packages);
        // What was done before must not go to the disk meanwhile.
        rustix::fs::sync();
        let sample = run(&[before, &line[..]].concat(), &entrant.at)?;
        entrant.held = Held::Rest;
        let code = entrant.program.expected_code(operation);
        if sample.code != Some(code) {
            return Err(entrant.wrong(operation, &format!("it ended with {:?} and not {code}", sample.code)));
        }
        let end = End::of(&entrant.target)?;
        if *expected.get_or_insert(end) != end {
            return Err(entrant.wrong(operation, &format!("it left {end:?} and not {expected:?}")));
        }
        let links = self.layout.links(operation.to);
        if end.links != links {
            return Err(entrant.wrong(operation, &format!("it left {} links and not {links}", end.links)));
        }
        let told = fs::read_to_string(&entrant.at.output)?;
        if let Some(path) = self.layout.conflicts().iter().find(|path| !told.contains(*path)) {
            return Err(entrant.wrong(operation, &format!("it did not name {path}")));
        }
        entrant.held = operation.to;
        Ok(sample)
    }

    /// Brings a target to hold what an operation begins with.
    fn bring(&mut self, player: usize, want: Held) -> io::Result<()> {
        let (all, one) = (self.layout.packages(), self.layout.one_more());
        let entrant = &mut self.entrants[player];
        if entrant.held == want {
            return Ok(());
        }
        match (entrant.held, &one) {
            (Held::All, Some(_)) if want == Held::More => {}
            (Held::More, Some(one)) if want == Held::All => {
                entrant.floor(Act::Unlink, &self.stow_dir, std::slice::from_ref(one))?;
            }
            (held, _) => {
                if held != Held::Bare {
                    entrant.clear(self.layout)?;
                }
                if want != Held::Bare {
                    entrant.floor(self.layout.linking(), &self.stow_dir, &all)?;
                }
            }
        }
        if let (Held::More, Some(one)) = (want, &one) {
            entrant.floor(Act::Link, &self.stow_dir, std::slice::from_ref(one))?;
        }
        let (links, there) = (self.layout.links(want), End::of(&entrant.target)?.links);
        if there != links {
            return Err(io::Error::other(format!("the floor left {there} links and not {links}")));
        }
        entrant.held = want;
        Ok(())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.base) {
            eprintln!("cannot remove `{}`: {error}", self.base.display());
        }
    }
}

impl Entrant {
    fn make(base: &Path, layout: Layout, program: &Program, first: &Path) -> io::Result<Entrant> {
        let target = base.join(format!("{}.target", program.name()));
        let own = base.join(format!("{}.own", program.name()));
        let (home, state, output) = (own.join("home"), own.join("state"), own.join("output"));
        [&target, &home, &state].into_iter().try_for_each(fs::create_dir_all)?;
        let at = Surroundings { dir: base.to_owned(), home, state, output, limit: PATIENCE };
        if let Program::DropIn(farm) | Program::Native(farm) = program {
            for verb in ["link", "unlink"] {
                let (dir, target) = (first.display().to_string(), target.display().to_string());
                run(&[farm, verb, "-d", &dir, "-t", &target, "package"].map(str::to_owned), &at)?;
            }
        }
        let state = Files::read(&at.state)?;
        let entrant = Entrant { program: program.clone(), target, at, held: Held::Bare, state };
        layout.make_target(&entrant.target)?;
        Ok(entrant)
    }

    /// Lets the floor do something to the target, untimed.
    fn floor(&self, act: Act, stow_dir: &Path, packages: &[String]) -> io::Result<()> {
        let (stow_dir, target) = (stow_dir.display().to_string(), self.target.display().to_string());
        let sample = run(&floor(act, 2, stow_dir, target, packages), &self.at)?;
        if sample.code == Some(0) {
            Ok(())
        } else {
            Err(io::Error::other(fs::read_to_string(&self.at.output)?))
        }
    }

    /// Makes the target as it was before any package. The directory itself stays: farm's state knows it.
    fn clear(&self, layout: Layout) -> io::Result<()> {
        for entry in fs::read_dir(&self.target)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        layout.make_target(&self.target)
    }

    fn wrong(&self, operation: &Operation, what: &str) -> io::Error {
        let told = fs::read_to_string(&self.at.output).unwrap_or_default();
        let told: String = told.chars().take(400).collect();
        io::Error::other(format!("{}, {}: {what}\n{told}", self.program.name(), operation.name))
    }
}

/// A small tree of directories and files, kept in memory.
struct Files(Vec<(PathBuf, Option<Vec<u8>>)>);

impl Files {
    fn read(top: &Path) -> io::Result<Files> {
        let (mut found, mut left) = (Vec::new(), vec![PathBuf::new()]);
        while let Some(at) = left.pop() {
            for entry in fs::read_dir(top.join(&at))? {
                let entry = entry?;
                let path = at.join(entry.file_name());
                let content = if entry.file_type()?.is_dir() { None } else { Some(fs::read(entry.path())?) };
                if content.is_none() {
                    left.push(path.clone());
                }
                found.push((path, content));
            }
        }
        Ok(Files(found))
    }

    /// Replaces what is at `top`.
    fn write(&self, top: &Path) -> io::Result<()> {
        fs::remove_dir_all(top)?;
        fs::create_dir(top)?;
        self.0.iter().try_for_each(|(path, content)| match content {
            Some(content) => fs::write(top.join(path), content),
            None => fs::create_dir(top.join(path)),
        })
    }
}
