//! farm's stow dialect against GNU Stow 2.4: same trees, same exit status, same words.
//!
//! * `cargo test --test it replay` runs farm against recorded runs of stow; no stow is needed.
//! * `FARM_LIVE=20000 FARM_SEED=1 cargo test --release --test it live -- --nocapture` runs both, side by side,
//!   when a stow 2.4 is on `$PATH` or at `$FARM_STOW`.
//! * `FARM_RECORD=3000 cargo test --test it differential::record -- --exact --ignored` makes the random recordings;
//!   `cargo test --test it differential::rewrite -- --exact --ignored` plays all recordings again and fills in the
//!   outcomes of those written by hand.
//! * `$FARM_SHOW` is the number of differences shown in full, and after which the live comparison stops.
//! * `$FARM_BIN` names another program to test; called `stow` it is run as it is, else with `stow` first.

mod compare;
mod generate;
mod known;
mod ops;
mod play;
mod record;
mod request;
mod rng;
mod run;
mod scenario;
mod shrink;
mod stats;
mod text;

use play::Failure;
use run::Program;
use scenario::Scenario;
use stats::Stats;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many failures are shown in full: three, or `$FARM_SHOW`.
fn shown() -> usize {
    number("FARM_SHOW").map_or(3, |number| number as usize)
}

/// Does `work` for 0, 1, … `count` on all processors; stops early when `enough` pieces of work have failed.
fn on_all_processors(
    count: usize,
    enough: usize,
    work: impl Fn(usize, &mut Stats) -> Option<Failure> + Sync,
) -> (Stats, Vec<Failure>) {
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
                        if result.1.len() >= enough {
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
    // A test run that nobody steers is the same every time.
    let seed = number("FARM_SEED").unwrap_or(1);
    let farm = Program::under_test();
    let (stats, failures) = on_all_processors(count as usize, shown(), |number, stats| {
        play::live(&generate::scenario(seed + number as u64), &stow, &farm, stats)
    });
    println!("FARM_SEED={seed}\n{stats}");
    for failure in &failures {
        let play = |scenario: &Scenario| play::live(scenario, &stow, &farm, &mut Stats::default());
        let smallest = shrink::shrink(&failure.scenario, |it| play(it).is_some());
        // A difference that comes and goes is shown as it was first seen.
        println!("{}", play(&smallest).as_ref().unwrap_or(failure));
    }
    assert!(failures.is_empty(), "{} of {count} scenarios differ", failures.len());
}

/// Prints what stow makes of the scenarios from `FARM_SEED` on.
#[test]
#[ignore = "for people: prints FARM_LIVE scenarios from FARM_SEED on, as stow plays them"]
fn show() {
    let stow = Program::stow().expect("a stow 2.4 on PATH or at $FARM_STOW");
    for seed in (number("FARM_SEED").unwrap_or(1)..).take(number("FARM_LIVE").unwrap_or(1) as usize) {
        println!("{}", play::record(&generate::scenario(seed), &stow, &mut Stats::default()).0);
    }
}

/// Looks for a scenario in which stow says `FARM_SAYS`, or shows the known difference `FARM_KNOWN`, and prints the
/// smallest form of it.
#[test]
#[ignore = "for people: prints the smallest scenario from FARM_SEED on in which stow says FARM_SAYS"]
fn find() {
    let stow = Program::stow().expect("a stow 2.4 on PATH or at $FARM_STOW");
    let shows = |scenario: &Scenario| match (std::env::var("FARM_SAYS"), std::env::var("FARM_KNOWN")) {
        (Ok(says), _) => play::stow_alone(scenario, &stow).to_string().contains(&says),
        (_, Ok(known)) => {
            let mut stats = Stats::default();
            play::record(scenario, &stow, &mut stats);
            stats.to_string().contains(&known)
        }
        _ => panic!("what to look for is in $FARM_SAYS or $FARM_KNOWN"),
    };
    let found = (number("FARM_SEED").unwrap_or(1)..).map(generate::scenario).find(&shows);
    let smallest = shrink::shrink(&found.expect("seeds do not end"), shows);
    println!("{}", play::stow_alone(&smallest, &stow));
}

/// farm does what stow was seen to do.
#[test]
fn replay() {
    let farm = Program::under_test();
    let recorded: Vec<_> = record::all().into_iter().flat_map(|(_, scenarios)| scenarios).collect();
    let (stats, failures) =
        on_all_processors(recorded.len(), usize::MAX, |number, _| play::replay(&recorded[number], &farm));
    println!("{} recorded scenarios replayed", stats.scenarios);
    for failure in failures.iter().take(shown()) {
        println!("{failure}");
    }
    for failure in &failures {
        println!("{}, call {}", failure.scenario.title, failure.step + 1);
    }
    assert!(failures.is_empty(), "{} of {} recorded runs differ", failures.len(), recorded.len());
}

/// A program that does nothing must not pass.
#[test]
fn replay_catches_a_program_that_does_nothing() {
    let idle = Program { exe: "true".into(), first_args: Vec::new() };
    let (_, scenarios) = record::all().swap_remove(0);
    assert!(scenarios.iter().filter(|it| play::replay(it, &idle).is_some()).count() * 2 > scenarios.len());
}

/// What is written is read back, and a seed is the same scenario every time.
#[test]
fn scenarios_survive_their_text_form() {
    for seed in 0..200 {
        let scenario = generate::scenario(seed);
        let read = text::read(&scenario.to_string()).expect("the text form of a scenario");
        assert_eq!(read, [generate::scenario(seed)]);
    }
    for (name, scenarios) in record::all() {
        for scenario in scenarios {
            let read = text::read(&scenario.to_string()).expect("the text form of a recording");
            assert_eq!(read, [scenario], "{name}");
        }
    }
}

/// Makes the random recordings in `tests/recorded`, from `FARM_RECORD` scenarios.
#[test]
#[ignore = "writes tests/recorded; needs a stow 2.4.1"]
fn record() {
    let stow = Program::stow().expect("a stow 2.4 on PATH or at $FARM_STOW");
    let count = number("FARM_RECORD").unwrap_or(3000) as usize;
    let candidates = Mutex::new(Vec::new());
    let (stats, _) = on_all_processors(count, shown(), |number, stats| {
        let candidate = record::candidate(&generate::scenario(number as u64), &stow, stats);
        candidates.lock().expect("no worker panicked").extend(candidate);
        None
    });
    println!("{stats}");
    let chosen = record::choose(candidates.into_inner().expect("no worker panicked"));
    record::write(&chosen);
}

/// Plays all recordings with stow again: fills in what was written by hand, drops what turned out to be a difference.
#[test]
#[ignore = "writes tests/recorded; needs a stow 2.4.1"]
fn rewrite() {
    let stow = Program::stow().expect("a stow 2.4 on PATH or at $FARM_STOW");
    for (name, scenarios) in record::all() {
        let played = Mutex::new(vec![None; scenarios.len()]);
        on_all_processors(scenarios.len(), shown(), |number, _| {
            let again = record::again(&name, &scenarios[number], &stow);
            played.lock().expect("no worker panicked")[number] = Some(again);
            None
        });
        let played: Vec<_> = played.into_inner().expect("no worker panicked").into_iter().flatten().collect();
        record::write_file(&name, &played);
    }
}
