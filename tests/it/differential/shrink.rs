//! Makes a scenario as small as it can be while it still shows the same thing.

use super::scenario::{Edit, Node, Scenario};

/// Drops calls, edits, entries and arguments, and makes what is left plainer, while `shows` holds.
pub fn shrink(scenario: &Scenario, shows: impl Fn(&Scenario) -> bool) -> Scenario {
    let mut best = scenario.clone();
    loop {
        let size = weight(&best);
        for part in [steps, edits, start, args, plain] {
            // From the last to the first: what comes later depends on what comes earlier.
            let mut index = part(&best, usize::MAX).1;
            while index > 0 {
                index -= 1;
                let (Some(candidate), count) = part(&best, index) else {
                    continue;
                };
                if shows(&candidate) {
                    best = candidate;
                    index = index.min(count);
                }
            }
        }
        if weight(&best) == size {
            return best;
        }
    }
}

fn weight(scenario: &Scenario) -> usize {
    scenario.to_string().len()
}

/// One way to make a scenario smaller: the `index`th candidate, and how many there are.
type Candidate = (Option<Scenario>, usize);

fn steps(scenario: &Scenario, index: usize) -> Candidate {
    let count = scenario.steps.len();
    if index >= count || count == 1 {
        return (None, count);
    }
    let mut smaller = scenario.clone();
    let gone = smaller.steps.remove(index);
    // The edits stay, before the next call; the one-by-one pass drops them.
    match smaller.steps.get_mut(index) {
        Some(next) => next.edits.splice(0..0, gone.edits).for_each(drop),
        None => drop(gone),
    }
    (Some(smaller), count)
}

fn edits(scenario: &Scenario, index: usize) -> Candidate {
    let places = scenario
        .steps
        .iter()
        .enumerate()
        .flat_map(|(step, it)| (0..it.edits.len()).map(move |edit| (step, edit)));
    let places: Vec<(usize, usize)> = places.collect();
    let smaller = places.get(index).map(|(step, edit)| {
        let mut smaller = scenario.clone();
        smaller.steps[*step].edits.remove(*edit);
        smaller
    });
    (smaller, places.len())
}

fn start(scenario: &Scenario, index: usize) -> Candidate {
    let smaller = (index < scenario.start.len()).then(|| {
        let mut smaller = scenario.clone();
        smaller.start.remove(index);
        smaller
    });
    (smaller, scenario.start.len())
}

fn args(scenario: &Scenario, index: usize) -> Candidate {
    let places = scenario
        .steps
        .iter()
        .enumerate()
        .flat_map(|(step, it)| (0..it.call.args.len()).map(move |arg| (step, arg)));
    let places: Vec<(usize, usize)> = places.collect();
    let smaller = places.get(index).map(|(step, arg)| {
        let mut smaller = scenario.clone();
        let args = &mut smaller.steps[*step].call.args;
        args.remove(*arg);
        // An option goes with its value.
        if *arg > 0 && ["-d", "-t"].contains(&args[*arg - 1].as_str()) {
            args.remove(*arg - 1);
        }
        smaller
    });
    (smaller, places.len())
}

/// Directories with nothing to say become nothing, executables become files.
fn plain(scenario: &Scenario, index: usize) -> Candidate {
    let smaller = scenario.start.get(index).and_then(|edit| {
        let Some(Node::File { exec: true, text }) = &edit.node else {
            return None;
        };
        let mut smaller = scenario.clone();
        smaller.start[index] = Edit::set(&edit.path, Node::File { text: text.clone(), exec: false });
        Some(smaller)
    });
    (smaller, scenario.start.len())
}
