//! Who takes part, and how each is told what to do.

use std::process::{Command, Stdio};

use crate::entrant::Place;
use crate::floor::Act;
use crate::peer::Peer;
use crate::workload::{Layout, Manner, Operation, Verb, Ways};

/// A program, or one of its two ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// `farm stow`, with the path of farm.
    DropIn(String),
    /// `farm link` and its like, with the path of farm.
    Native(String),
    /// The floor, with that many threads.
    Floor(usize),
    /// GNU Stow, with its path.
    Stow(String),
    /// Another one.
    Peer(Peer),
}

/// The floor that all others are compared with.
pub const FLOOR: Program = Program::Floor(2);

impl Program {
    /// Returns those at hand: `$FARM_BIN` or the farm that was just built, the floor, and `$FARM_STOW` or a stow on
    /// `PATH`.
    pub fn at_hand() -> Vec<Program> {
        // They are started in other directories than this one.
        let absolute = |program: String| match std::path::absolute(&program) {
            Ok(path) if program.contains('/') => path.display().to_string(),
            _ => program,
        };
        let named = |name: &str| std::env::var(name).ok().map(absolute);
        let farm = named("FARM_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_farm").to_owned());
        let stow = named("FARM_STOW").unwrap_or_else(|| "stow".to_owned());
        let stow = runs(&stow).then_some(Program::Stow(stow));
        let ours = [Program::DropIn(farm.clone()), Program::Native(farm), Program::Floor(1), FLOOR];
        ours.into_iter().chain(stow).collect()
    }

    /// Returns the name for a table and a directory.
    pub fn name(&self) -> String {
        match self {
            Program::DropIn(_) => "farm-drop-in".to_owned(),
            Program::Native(_) => "farm-native".to_owned(),
            Program::Floor(threads) => format!("floor-{threads}t"),
            Program::Stow(_) => "stow".to_owned(),
            Program::Peer(peer) => peer.name().to_owned(),
        }
    }

    /// Returns whether it takes part in an operation.
    pub fn plays(&self, operation: &Operation, layout: Layout) -> bool {
        match self {
            Program::DropIn(_) => operation.ways != Ways::Native,
            Program::Native(_) => operation.ways != Ways::DropIn,
            Program::Floor(_) | Program::Stow(_) => true,
            Program::Peer(peer) => peer.can(operation.verb, layout),
        }
    }

    /// Returns whether it may be so slow that it plays for a limited time only.
    pub fn is_slow(&self) -> bool {
        matches!(self, Program::Stow(_) | Program::Peer(_))
    }

    /// Returns the exit code that an operation has to end with.
    pub fn expected_code(&self, operation: &Operation) -> i32 {
        match self {
            Program::Floor(_) => 0,
            _ => i32::from(operation.verb == Verb::Plan),
        }
    }

    /// Returns the command line for an operation on some packages.
    pub fn line(&self, operation: &Operation, place: &Place, packages: &[String]) -> Vec<String> {
        let (stow_dir, target) = (place.stow_dir.display().to_string(), place.target.display().to_string());
        let mut line = match self {
            Program::Floor(threads) => return floor(operation.floor, *threads, place, packages),
            Program::Peer(peer) => return peer.line(operation.verb, place),
            Program::DropIn(farm) => vec![farm.clone(), "stow".to_owned()],
            Program::Native(farm) => vec![farm.clone(), verb(operation.verb).to_owned()],
            Program::Stow(stow) => vec![stow.clone()],
        };
        line.extend(["-d".to_owned(), stow_dir, "-t".to_owned(), target]);
        if operation.verb == Verb::Plan {
            line.push("-n".to_owned());
        }
        match (operation.manner, self) {
            (Manner::Plain, _) => {}
            (Manner::NoFold, _) => line.push("--no-fold".to_owned()),
            (Manner::Pattern, Program::Native(_)) => line.push("--ignore=*.bak".to_owned()),
            (Manner::Pattern, _) => line.push(r"--ignore=\.bak".to_owned()),
        }
        if !matches!(self, Program::Native(_)) {
            line.push(mode(operation.verb).to_owned());
        }
        line.extend_from_slice(packages);
        line
    }
}

/// Returns the command line of the floor, which is this program.
pub fn floor(act: Act, threads: usize, place: &Place, packages: &[String]) -> Vec<String> {
    let this = std::env::current_exe().expect("the path of a running program");
    let paths = [&this, &place.stow_dir, &place.target].map(|path| path.display().to_string());
    let [this, stow_dir, target] = paths;
    let line = [this, "floor".to_owned(), act.name().to_owned(), threads.to_string(), stow_dir, target];
    [&line, packages].concat()
}

fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Link | Verb::Plan => "link",
        Verb::Relink => "relink",
        Verb::Unlink => "unlink",
    }
}

fn mode(verb: Verb) -> &'static str {
    match verb {
        Verb::Link | Verb::Plan => "-S",
        Verb::Relink => "-R",
        Verb::Unlink => "-D",
    }
}

/// Returns whether a program can be started at all.
pub fn runs(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}
