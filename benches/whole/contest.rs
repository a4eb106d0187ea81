//! Rounds: every program once, in rotating order, so that what slows the machine slows all.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::entrant::{Entrant, Left};
use crate::measure::Sample;
use crate::program::{Program, runs};
use crate::scene::Scene;
use crate::workload::Operation;

/// How often and how long.
pub struct Settings {
    /// The rounds for a large workload.
    pub rounds: usize,
    /// After so much time in one operation whoever is slow sits out. Everyone plays once at least.
    pub patience: Duration,
    /// The longest run whose system calls are counted: strace makes each call take a hundred times longer.
    pub counted_below: Duration,
}

/// What one program did in one operation.
pub struct Series {
    pub program: Program,
    /// With the number of the round.
    pub samples: Vec<(usize, Sample)>,
    /// All system calls of one run more; nothing where they cannot be counted.
    pub calls: Option<u64>,
    /// What it left behind the last time.
    pub left: Left,
}

/// Plays an operation.
pub fn play(
    scene: &mut Scene,
    operation: &Operation,
    rounds: usize,
    settings: &Settings,
) -> io::Result<Vec<Series>> {
    let plays = |entrant: &Entrant| entrant.program.plays(operation, entrant.place.layout);
    let players: Vec<usize> =
        (0..scene.entrants.len()).filter(|player| plays(&scene.entrants[*player])).collect();
    let series = |player: &usize| Series {
        program: scene.entrants[*player].program.clone(),
        samples: Vec::new(),
        calls: None,
        left: Left::Expected,
    };
    let mut all: Vec<Series> = players.iter().map(series).collect();
    let mut expected = None;
    for round in 0..rounds {
        for turn in 0..players.len() {
            let turn = (turn + round) % players.len();
            let series = &mut all[turn];
            let spent: Duration = series.samples.iter().map(|(_, sample)| sample.wall).sum();
            if series.program.is_slow() && spent >= settings.patience {
                continue;
            }
            if let Some(ran) = scene.entrants[players[turn]].run(operation, &[], &mut expected)? {
                series.samples.push((round, ran.sample));
                series.left = ran.left;
            }
        }
    }
    if runs("strace") {
        for (player, series) in players.into_iter().zip(&mut all) {
            if !series.samples.is_empty()
                && series.samples.iter().all(|(_, sample)| sample.wall < settings.counted_below)
            {
                let counts = scene.scratch("calls");
                let before = ["strace", "-f", "-c", "-o", &counts.display().to_string()].map(str::to_owned);
                scene.entrants[player].run(operation, &before, &mut expected)?;
                series.calls = total(&counts)?;
            }
        }
    }
    Ok(all)
}

/// Reads the last line of strace's table, `100.00 SECONDS USECS/CALL CALLS [ERRORS] total`.
fn total(counts: &Path) -> io::Result<Option<u64>> {
    let counts = fs::read_to_string(counts)?;
    let last = counts.lines().rfind(|line| line.ends_with("total"));
    Ok(last.and_then(|line| line.split_whitespace().nth(3)?.parse().ok()))
}
