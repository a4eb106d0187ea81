//! Whole processes: `farm stow` and farm's own commands beside GNU Stow and the floor.
//!
//! `cargo bench --bench whole` runs everything, `-- W2 link` one operation, `-- growth` the sizes of W2 and W4.
//! docs/BENCHMARKS.md says how to measure and what came out.
//!
//! - `$FARM_BENCH_DIR` is where the farms are made, on the file system to measure; without it, the directory for
//!   temporary files.
//! - `$FARM_ROUNDS` is the number of rounds for a large workload (11).
//! - `$FARM_STOW` is the stow to compare with, `$FARM_STOW_SECONDS` what it may take of an operation's time (30).
//! - `$FARM_BIN` is another farm to measure.

mod contest;
mod end;
mod floor;
mod measure;
mod program;
mod scene;
mod table;
mod workload;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use contest::{Settings, play};
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
    let settings = Settings { rounds, stow: Duration::from_secs(number("FARM_STOW_SECONDS", 30)) };
    let at = std::env::var_os("FARM_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let (workloads, words) = chosen(words);
    let programs = Program::at_hand();
    let mut goals = vec![table::GOALS.to_owned()];
    for workload in workloads {
        let operations: Vec<&Operation> =
            workload.operations.iter().filter(|operation| called(&workload, operation, &words)).collect();
        if operations.is_empty() {
            continue;
        }
        println!("\n## {}: {}", workload.id, workload.what);
        let base = at.join(format!("farm-bench-{}", std::process::id()));
        let mut scene = Scene::make(&base, &workload, &programs)?;
        for operation in operations {
            let all = play(&mut scene, operation, settings.rounds * workload.patience, &settings)?;
            table::operation(&workload, operation, &all);
            goals.extend(
                operation.goal.into_iter().flat_map(|goal| table::goals(&workload, operation, goal, &all)),
            );
        }
    }
    println!("\n## What is to be reached\n\n{}", goals.join("\n"));
    Ok(())
}

/// Returns the workloads that are meant, and the words that choose among their operations.
fn chosen(words: &[String]) -> (Vec<Workload>, Vec<&str>) {
    let (growth, words): (Vec<&str>, _) =
        words.iter().map(String::as_str).partition(|word| *word == "growth");
    (if growth.is_empty() { workload::all() } else { workload::growth() }, words)
}

/// Returns whether all the words are in the name of an operation or that of its workload.
fn called(workload: &Workload, operation: &Operation, words: &[&str]) -> bool {
    let name = operation.name.split([' ', ',']).chain([workload.id]);
    words.iter().all(|word| name.clone().any(|own| own.eq_ignore_ascii_case(word)))
}
