//! farm's stow dialect against GNU Stow 2.4: same trees, same exit status, same words.
//!
//! * `cargo test --test it replay` runs farm against recorded runs of stow; no stow is needed.
//! * `FARM_LIVE=20000 FARM_SEED=1 cargo test --release --test it live -- --nocapture` runs both, side by side,
//!   when a stow 2.4 is on `$PATH` or at `$FARM_STOW`.
//! * `FARM_RECORD=1 cargo test --test it record -- --ignored` makes the recordings anew.
//! * `$FARM_BIN` names another program to test; called `stow` it is run as it is, else with `stow` first.

mod compare;
mod generate;
mod known;
mod ops;
mod play;
mod request;
mod rng;
mod run;
mod scenario;
mod shrink;
mod stats;
mod text;

use play::Failure;
use run::Program;
use stats::Stats;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does `work` for 0, 1, … `count` on all processors; stops early when a third piece of work fails.
fn on_all_processors(
    count: usize,
    work: impl Fn(usize, &mut Stats) -> Option<Failure> + Sync,
) -> (Stats, Vec<Failure>) {
    const ENOUGH: usize = 3;
    let next = AtomicUsize::new(0);
    let result = Mutex::new((Stats::default(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let mut stats = Stats::default();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    stats.scenarios += 1;
                    if let Some(failure) = work(number, &mut stats) {
                        let mut result = result.lock().expect("no worker panicked");
                        result.1.push(failure);
                        if result.1.len() >= ENOUGH {
                            next.store(count, Ordering::Relaxed);
                        }
                    }
                }
                result.lock().expect("no worker panicked").0.add(stats);
            });
        }
    });
    result.into_inner().expect("no worker panicked")
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn live() {
    let Some(stow) = Program::stow() else {
        eprintln!("no stow 2.4 at hand: live comparison left out");
        return;
    };
    let count = number("FARM_LIVE").unwrap_or(300);
    let seed = number("FARM_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |now| now.as_secs())
    });
    let farm = Program::under_test();
    let (stats, failures) = on_all_processors(count as usize, |number, stats| {
        play::live(&generate::scenario(seed + number as u64), &stow, &farm, stats)
    });
    println!("FARM_SEED={seed}\n{stats}");
    for failure in &failures {
        println!("{failure}");
    }
    assert!(failures.is_empty(), "{} of {count} scenarios differ", failures.len());
}

/// Prints what stow makes of the scenarios from `FARM_SEED` on.
#[test]
#[ignore = "for people: prints FARM_LIVE scenarios from FARM_SEED on, as stow plays them"]
fn show() {
    let stow = Program::stow().expect("a stow 2.4 on PATH or at $FARM_STOW");
    for seed in (number("FARM_SEED").unwrap_or(1)..).take(number("FARM_LIVE").unwrap_or(1) as usize) {
        println!("{}", play::record(&generate::scenario(seed), &stow, &mut Stats::default()));
    }
}

/// Looks for a scenario in which stow says `FARM_SAYS`, and prints the smallest form of it.
#[test]
#[ignore = "for people: prints the smallest scenario from FARM_SEED on in which stow says FARM_SAYS"]
fn find() {
    let stow = Program::stow().expect("a stow 2.4 on PATH or at $FARM_STOW");
    let says = std::env::var("FARM_SAYS").expect("what stow says, in $FARM_SAYS");
    let shows = |scenario: &scenario::Scenario| play::stow_alone(scenario, &stow).to_string().contains(&says);
    let found = (number("FARM_SEED").unwrap_or(1)..).map(generate::scenario).find(shows);
    let smallest = shrink::shrink(&found.expect("seeds do not end"), shows);
    println!("{}", play::stow_alone(&smallest, &stow));
}
