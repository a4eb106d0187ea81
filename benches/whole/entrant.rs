//! A program with a target of its own, and what it made of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::slice;
use std::time::Duration;

use crate::end::{End, all_there};
use crate::files::Files;
use crate::floor::Act;
use crate::measure::{Sample, Surroundings, run};
use crate::program::{Program, floor};
use crate::workload::{Held, Layout, Operation};

pub struct Entrant {
    pub program: Program,
    pub place: Place,
    at: Surroundings,
    held: Held,
    /// It is a peer that could not even make the links, so nothing else is asked of it.
    gave_up: bool,
    /// What farm's state directory holds before each run: that of a target with two small generations.
    state: Files,
}

/// Where a farm is.
pub struct Place {
    pub layout: Layout,
    pub stow_dir: PathBuf,
    pub target: PathBuf,
    /// A directory for the configuration of a peer.
    pub own: PathBuf,
}

/// One run.
pub struct Ran {
    pub sample: Sample,
    pub left: Left,
}

/// What a run left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// What every program should leave.
    Expected,
    /// Other links, but every file of the packages is where it should be; in words.
    Equivalent(String),
    /// Something else; in words.
    Else(String),
}

/// How long anything may take, and how long a peer may.
const LIMIT: Duration = Duration::from_secs(1_200);
const PEERS_LIMIT: Duration = Duration::from_secs(60);

impl Entrant {
    /// Makes the target, and what the program has to find besides.
    pub fn make(base: &Path, stow_dir: &Path, layout: Layout, program: &Program) -> io::Result<Entrant> {
        let within = |name: &str| base.join(format!("{}.{name}", program.name()));
        let (target, own) = (within("target"), within("own"));
        let place = Place { layout, stow_dir: stow_dir.to_owned(), target, own };
        let mut at = Surroundings {
            dir: base.to_owned(),
            home: within("home"),
            state: within("state"),
            variables: Vec::new(),
            output: within("output"),
            limit: LIMIT,
        };
        [&place.target, &place.own, &at.home, &at.state].into_iter().try_for_each(fs::create_dir)?;
        match program {
            Program::DropIn(farm) | Program::Native(farm) => live_in(farm, &place, &at)?,
            Program::Peer(peer) => {
                peer.prepare(&place)?;
                at.variables = peer.variables(&place);
                at.dir.clone_from(&place.own);
                at.limit = PEERS_LIMIT;
            }
            Program::Floor(_) | Program::Stow(_) => {}
        }
        layout.make_target(&place.target)?;
        let state = Files::read(&at.state)?;
        Ok(Entrant { program: program.clone(), place, at, held: Held::Bare, gave_up: false, state })
    }

    /// Runs an operation once, with `before` in front of the command line, and sees what came of it.
    ///
    /// What every program has to leave is `expected`, which the first of them fills in. A peer may leave something
    /// else; when it does not even get to what the operation begins with, there is no run.
    pub fn run(
        &mut self,
        operation: &Operation,
        before: &[String],
        expected: &mut Option<End>,
    ) -> io::Result<Option<Ran>> {
        if self.gave_up {
            return Ok(None);
        }
        self.bring(operation.from)?;
        if self.held != operation.from {
            return Ok(None);
        }
        let packages = match self.place.layout.one_more() {
            Some(one) if operation.is_of_one() => vec![one],
            _ => self.place.layout.packages(),
        };
        self.state.write(&self.at.state)?;
        let line = self.program.line(operation, &self.place, &packages);
        // What was done before must not go to the disk meanwhile.
        rustix::fs::sync();
        let sample = run(&[before, &line[..]].concat(), &self.at)?;
        self.held = Held::Rest;
        let left = self.left(operation, sample.code, expected)?;
        match (&self.program, &left) {
            // It remembers what it did, so the next beginning has to be of its own making.
            (Program::Peer(_), _) if operation.to != Held::All => {}
            (Program::Peer(_), Left::Else(_)) => self.gave_up |= operation.from == Held::Bare,
            (_, Left::Expected) | (Program::Peer(_), Left::Equivalent(_)) => self.held = operation.to,
            (_, Left::Equivalent(what) | Left::Else(what)) => return Err(self.wrong(operation.name, what)),
        }
        Ok(Some(Ran { sample, left }))
    }

    /// Sees what a run left behind.
    fn left(&self, operation: &Operation, code: Option<i32>, expected: &mut Option<End>) -> io::Result<Left> {
        let wanted = self.program.expected_code(operation);
        if code != Some(wanted) {
            let ended = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
            return Ok(Left::Else(format!("ended with {ended}")));
        }
        let layout = self.place.layout;
        let end = End::of(&self.place.target)?;
        if *expected.get_or_insert(end) != end {
            let told = format!("{} links, {} other things", end.links, end.others);
            let whole = operation.to == Held::All && all_there(&self.place)?;
            return Ok(if whole { Left::Equivalent(told) } else { Left::Else(told) });
        }
        let links = layout.links(operation.to);
        if end.links != links {
            return Ok(Left::Else(format!("{} links and not {links}", end.links)));
        }
        let told = fs::read(&self.at.output)?;
        let told = String::from_utf8_lossy(&told);
        let unnamed = layout.conflicts().into_iter().find(|path| !told.contains(path));
        Ok(unnamed.map_or(Left::Expected, |path| Left::Else(format!("did not name {path}"))))
    }

    /// Brings the target to hold what an operation begins with, untimed. A peer may fail to.
    fn bring(&mut self, want: Held) -> io::Result<()> {
        if self.held == want {
            return Ok(());
        }
        let layout = self.place.layout;
        let one = layout.one_more();
        match (self.held, want, &one) {
            (Held::All, Held::More, Some(_)) => {}
            (Held::More, Held::All, Some(one)) => self.floor(Act::Unlink, slice::from_ref(one))?,
            (held, _, _) => {
                if held != Held::Bare {
                    self.clear()?;
                }
                if want != Held::Bare && matches!(self.program, Program::Peer(_)) {
                    self.held = Held::Bare;
                    return self.run(&Operation::LINK, &[], &mut None).map(drop);
                }
                if want != Held::Bare {
                    self.floor(layout.linking(), &layout.packages())?;
                }
            }
        }
        if let (Held::More, Some(one)) = (want, &one) {
            self.floor(Act::Link, slice::from_ref(one))?;
        }
        // This reads every link, so the first to read one is never timed.
        let (links, there) = (layout.links(want), End::of(&self.place.target)?.links);
        if there != links {
            return Err(self.wrong("the floor before it", &format!("{there} links and not {links}")));
        }
        self.held = want;
        Ok(())
    }

    /// Lets the floor do something to the target.
    fn floor(&self, act: Act, packages: &[String]) -> io::Result<()> {
        let sample = run(&floor(act, 2, &self.place, packages), &self.at)?;
        if sample.code == Some(0) { Ok(()) } else { Err(self.wrong(act.name(), "the floor failed")) }
    }

    /// Makes the target as it was before any package. The directory itself stays: farm's state knows it.
    fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.place.target)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        if let Program::Peer(peer) = self.program {
            peer.prepare(&self.place)?;
        }
        self.place.layout.make_target(&self.place.target)
    }

    fn wrong(&self, operation: &str, what: &str) -> io::Error {
        let told = fs::read(&self.at.output).unwrap_or_default();
        let told: String = String::from_utf8_lossy(&told).chars().take(400).collect();
        io::Error::other(format!("{}, {operation}: {what}\n{told}", self.program.name()))
    }
}

/// Lets farm link and unlink a package of one file, so that its state is not new.
fn live_in(farm: &str, place: &Place, at: &Surroundings) -> io::Result<()> {
    let (dir, target) = (at.home.join("first"), place.target.display().to_string());
    fs::create_dir_all(dir.join("package"))?;
    fs::write(dir.join("package/.first"), "")?;
    for verb in ["link", "unlink"] {
        let dir = dir.display().to_string();
        run(&[farm, verb, "-d", &dir, "-t", &target, "package"].map(str::to_owned), at)?;
    }
    fs::remove_dir_all(dir)
}
