//! The recordings: scenarios with what stow made of them, chosen so that few show much.

use super::play;
use super::run::Program;
use super::scenario::Scenario;
use super::stats::Stats;
use super::text;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// How many random scenarios are kept, and how many go in one file.
const KEEP: usize = 600;
const PER_FILE: usize = 100;

/// What a scenario shows: the remarkable things, two by two.
type Pairs = BTreeSet<(String, String)>;

pub struct Candidate {
    scenario: Scenario,
    pairs: Pairs,
}

pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recorded")
}

/// Reads all recordings, by file name.
pub fn all() -> Vec<(String, Vec<Scenario>)> {
    let entries = fs::read_dir(directory()).expect("the recordings");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry of the recordings").path())
        .filter(|path| path.extension().is_some_and(|it| it == "txt"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
            let scenarios = text::read(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, scenarios)
        })
        .collect()
}

/// Plays a random scenario with stow, for [`choose`] to judge; `None` when nothing of it can be recorded.
pub fn candidate(scenario: &Scenario, stow: &Program, stats: &mut Stats) -> Option<Candidate> {
    let (scenario, features) = play::record(scenario, stow, stats);
    let pairs = features
        .iter()
        .flat_map(|one| features.range(one.clone()..).map(|other| (one.clone(), other.clone())))
        .collect();
    (!scenario.steps.is_empty()).then_some(Candidate { scenario, pairs })
}

/// Keeps the candidates that show what no other shows, the richest first, and fills up with the busiest.
pub fn choose(mut candidates: Vec<Candidate>) -> Vec<Scenario> {
    candidates.sort_by(|a, b| a.scenario.title.cmp(&b.scenario.title));
    let mut seen = Pairs::new();
    let mut kept = Vec::new();
    for enough in [60, 30, 15, 8, 4, 2, 1] {
        let mut left = Vec::new();
        for candidate in candidates {
            if kept.len() < KEEP && candidate.pairs.difference(&seen).count() >= enough {
                seen.extend(candidate.pairs);
                kept.push(candidate.scenario);
            } else {
                left.push(candidate);
            }
        }
        candidates = left;
    }
    // The rest: the busiest.
    candidates.sort_by_key(|it| std::cmp::Reverse(it.pairs.len()));
    let room = KEEP - kept.len();
    kept.extend(candidates.into_iter().take(room).map(|it| it.scenario));
    kept
}

/// Writes the chosen random scenarios.
pub fn write(chosen: &[Scenario]) {
    for (number, scenarios) in chosen.chunks(PER_FILE).enumerate() {
        write_file(&format!("random-{}.txt", number + 1), scenarios);
    }
}

/// Plays a recorded scenario anew: all of a handmade one, of a random one what need not differ.
pub fn again(name: &str, scenario: &Scenario, stow: &Program) -> Scenario {
    if name.starts_with("random-") {
        play::record(scenario, stow, &mut Stats::default()).0
    } else {
        play::stow_alone(scenario, stow)
    }
}

/// Writes one file of recordings; a scenario of which nothing is left is dropped.
pub fn write_file(name: &str, scenarios: &[Scenario]) {
    let head = match name.starts_with("random-") {
        true => "Random scenarios, as GNU Stow 2.4.1 plays them. Made by the test `record`: do not edit.",
        false => {
            "Written by hand, one fact each; the outcomes are GNU Stow 2.4.1's, filled in by the test `rewrite`."
        }
    };
    let mut text = format!("{head}\n");
    for scenario in scenarios.iter().filter(|it| !it.steps.is_empty()) {
        text.push('\n');
        text.push_str(&scenario.to_string());
    }
    let path = directory().join(name);
    fs::write(&path, text).unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
}
