//! Whole processes: `farm stow` and farm's own commands beside GNU Stow and the floor.
//!
//! `cargo bench --bench whole` plays all workloads, `-- W2 link` one operation, `-- growth` W2 and W4 in several
//! sizes, `-- peers` what other programs can do, too. docs/BENCHMARKS.md says how to measure and what came out.
//!
//! - `$FARM_BENCH_DIR` is where the farms are made, on the file system to measure; without it, the directory for
//!   temporary files.
//! - `$FARM_ROUNDS` is the number of rounds for a large workload (11).
//! - `$FARM_STOW` is the stow to compare with, instead of the one on `PATH`.
//! - `$FARM_SECONDS` is how long stow and the peers may take in all for one operation's rounds (30).
//! - `$FARM_COUNTED_BELOW` is how many milliseconds a run may take whose system calls are counted (2,000).
//! - `$FARM_BIN` is another farm to measure.

mod contest;
mod end;
mod entrant;
mod files;
mod floor;
mod measure;
mod peer;
mod program;
mod scene;
mod table;
mod workload;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use contest::{Settings, play};
use peer::Peer;
use program::Program;
use scene::Scene;
use workload::{Operation, Workload};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let done = match arguments.next().as_deref() {
        Some("floor") => {
            floor::main(arguments);
            Ok(())
        }
        Some(measure::WORD) => return measure::main(arguments),
        _ => bench(&std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect::<Vec<_>>()),
    };
    done.map_or_else(
        |error| {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// Plays every operation that has all the words in its name.
fn bench(words: &[String]) -> io::Result<()> {
    let number =
        |name: &str, else_: u64| std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(else_);
    let rounds = usize::try_from(number("FARM_ROUNDS", 11)).map_err(io::Error::other)?;
    let settings = Settings {
        rounds,
        patience: Duration::from_secs(number("FARM_SECONDS", 30)),
        counted_below: Duration::from_millis(number("FARM_COUNTED_BELOW", 2_000)),
    };
    let at = std::env::var_os("FARM_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let (set, words) = Set::chosen(words);
    let programs = set.programs();
    let mut goals = vec![table::GOALS.to_owned()];
    for workload in set.workloads() {
        let operations: Vec<&Operation> =
            workload.operations.iter().filter(|operation| called(&workload, operation, &words)).collect();
        if operations.is_empty() {
            continue;
        }
        println!("\n## {}: {}", workload.id, workload.what);
        let base = at.join(format!("farm-bench-{}", std::process::id()));
        let mut scene = Scene::make(&base, workload.layout, &programs)?;
        for operation in operations {
            let all = play(&mut scene, operation, settings.rounds * workload.patience, &settings)?;
            table::operation(&workload, operation, &all);
            goals.extend(
                operation.goal.into_iter().flat_map(|goal| table::goals(&workload, operation, goal, &all)),
            );
        }
    }
    if goals.len() > 1 {
        println!("\n## What is to be reached\n\n{}", goals.join("\n"));
    }
    Ok(())
}

/// What is played.
enum Set {
    Standard,
    Growth,
    Peers,
}

impl Set {
    /// Returns the set that is named, and the words that choose among its operations.
    fn chosen(words: &[String]) -> (Set, Vec<&str>) {
        let mut set = Set::Standard;
        let mut left = Vec::new();
        for word in words {
            match word.as_str() {
                "growth" => set = Set::Growth,
                "peers" => set = Set::Peers,
                word => left.push(word),
            }
        }
        (set, left)
    }

    fn workloads(&self) -> Vec<Workload> {
        match self {
            Set::Standard => workload::all(),
            Set::Growth => workload::growth(),
            Set::Peers => workload::peers(),
        }
    }

    /// Returns who takes part: stow is too slow to show how time grows.
    fn programs(&self) -> Vec<Program> {
        let mut programs = Program::at_hand();
        match self {
            Set::Standard => {}
            Set::Growth => {
                programs.retain(|program| !matches!(program, Program::Stow(_) | Program::Floor(1)));
            }
            Set::Peers => programs.extend(Peer::at_hand().into_iter().map(Program::Peer)),
        }
        programs
    }
}

/// Returns whether all the words are in the name of an operation or that of its workload.
fn called(workload: &Workload, operation: &Operation, words: &[&str]) -> bool {
    let name = operation.name.split([' ', ',']).chain([workload.id]);
    words.iter().all(|word| name.clone().any(|own| own.eq_ignore_ascii_case(word)))
}
