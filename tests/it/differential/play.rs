//! Plays scenarios: against a recording, or against a real stow beside it.

use super::compare::{self, Difference};
use super::known::{self, Known};
use super::request::verbosity;
use super::run::{Program, Sandbox};
use super::scenario::{Outcome, Scenario, Tree};
use super::stats::{self, Stats};
use std::collections::BTreeSet;

/// A call that farm did otherwise than stow, with all that is needed to look into it.
pub struct Failure {
    pub scenario: Scenario,
    /// Which step, from 0.
    pub step: usize,
    pub before: Tree,
    pub stow: Outcome,
    pub farm: Outcome,
    pub difference: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.scenario)?;
        writeln!(f, "--- call {} ---", self.step + 1)?;
        write!(f, "{}", self.difference)?;
        writeln!(f, "--- stow ---\n{}--- farm ---\n{}", self.stow, self.farm)?;
        writeln!(f, "--- the tree before ---")?;
        for (path, node) in &self.before {
            writeln!(f, "{path}: {node:?}")?;
        }
        Ok(())
    }
}

/// What became of one call.
enum Verdict {
    Same,
    Known(Known),
    Differs(Difference),
    NotMinimal,
}

/// Runs `stow` and `farm` side by side. After a known difference the rest is left out: the trees are no longer alike.
pub fn live(scenario: &Scenario, stow: &Program, farm: &Program, stats: &mut Stats) -> Option<Failure> {
    let (left, right) = (Sandbox::new(), Sandbox::new());
    for edit in &scenario.start {
        left.edit(edit);
        right.edit(edit);
    }
    for (number, step) in scenario.steps.iter().enumerate() {
        for edit in &step.edits {
            left.edit(edit);
            right.edit(edit);
        }
        let before = left.tree();
        let (expected, after) = left.run(stow, &step.call, &before);
        let (actual, _) = right.run(farm, &step.call, &right.tree());
        stats.call(&step.call, &before, &expected, &after);
        let case = known::Case {
            call: &step.call,
            before: &before,
            stow: &expected,
            farm: Some(&actual),
            program: stow,
        };
        let difference = match verdict(&case, farm.is_stow()) {
            Verdict::Same => continue,
            Verdict::Known(known) => {
                stats.known(known);
                return None;
            }
            Verdict::Differs(difference) => difference.to_string(),
            Verdict::NotMinimal => "farm plans what it takes back\n".to_owned(),
        };
        return Some(Failure {
            scenario: scenario.clone(),
            step: number,
            before,
            stow: expected,
            farm: actual,
            difference,
        });
    }
    None
}

fn verdict(case: &known::Case, farm_is_stow: bool) -> Verdict {
    let farm = case.farm.expect("a live case has both sides");
    let difference = compare::compare(case.call, case.before, case.stow, farm);
    if difference.is_none() {
        if !farm_is_stow && verbosity(case.call, case.before) == 1 && !compare::is_minimal(case.before, farm)
        {
            return Verdict::NotMinimal;
        }
        return Verdict::Same;
    }
    // Two stows may print two addresses when they die.
    let known = if farm_is_stow { known::misbehaviour(case) } else { known::find(case) };
    match known {
        Some(known) => Verdict::Known(known),
        None => Verdict::Differs(difference),
    }
}

/// Runs `farm` against the outcomes that a scenario remembers.
pub fn replay(scenario: &Scenario, farm: &Program) -> Option<Failure> {
    let sandbox = Sandbox::new();
    for edit in &scenario.start {
        sandbox.edit(edit);
    }
    for (number, step) in scenario.steps.iter().enumerate() {
        for edit in &step.edits {
            sandbox.edit(edit);
        }
        let expected = step.outcome.as_ref().expect("a recorded call has its outcome");
        let before = sandbox.tree();
        let (actual, _) = sandbox.run(farm, &step.call, &before);
        let difference = compare::compare(&step.call, &before, expected, &actual);
        let minimal =
            farm.is_stow() || verbosity(&step.call, &before) != 1 || compare::is_minimal(&before, &actual);
        if difference.is_none() && minimal {
            continue;
        }
        let difference =
            if minimal { difference.to_string() } else { "farm plans what it takes back\n".to_owned() };
        return Some(Failure {
            scenario: scenario.clone(),
            step: number,
            before,
            stow: expected.clone(),
            farm: actual,
            difference,
        });
    }
    None
}

/// Plays a scenario with stow and fills in the outcomes, up to the first call on which farm need not agree; also says
/// what was remarkable.
pub fn record(scenario: &Scenario, stow: &Program, stats: &mut Stats) -> (Scenario, BTreeSet<String>) {
    let mut features = BTreeSet::new();
    let sandbox = Sandbox::new();
    let mut recorded = Scenario { steps: Vec::new(), ..scenario.clone() };
    for edit in &scenario.start {
        sandbox.edit(edit);
    }
    for step in &scenario.steps {
        for edit in &step.edits {
            sandbox.edit(edit);
        }
        let before = sandbox.tree();
        let (outcome, after) = sandbox.run(stow, &step.call, &before);
        stats.call(&step.call, &before, &outcome, &after);
        let case =
            known::Case { call: &step.call, before: &before, stow: &outcome, farm: None, program: stow };
        if let Some(known) = known::find(&case) {
            stats.known(known);
            break;
        }
        features.extend(stats::features(&step.call, &before, &outcome, &after));
        let mut step = step.clone();
        step.outcome = Some(as_recorded(outcome, verbosity(&step.call, &before)));
        recorded.steps.push(step);
    }
    (recorded, features)
}

/// Leaves out what is not compared: usage, and what is said at verbosity 2.
fn as_recorded(mut outcome: Outcome, verbosity: usize) -> Outcome {
    if compare::is_usage(&outcome.out) {
        outcome.out = vec![compare::USAGE.to_owned()];
    }
    if compare::is_perl(&outcome.err) {
        outcome.err = vec![compare::PERL.to_owned()];
    }
    if verbosity > 1 {
        outcome.err.clear();
    }
    outcome
}

/// Plays a scenario with stow and fills in all outcomes.
pub fn stow_alone(scenario: &Scenario, stow: &Program) -> Scenario {
    let sandbox = Sandbox::new();
    let mut played = scenario.clone();
    for edit in &scenario.start {
        sandbox.edit(edit);
    }
    for step in &mut played.steps {
        for edit in &step.edits {
            sandbox.edit(edit);
        }
        let before = sandbox.tree();
        let (outcome, _) = sandbox.run(stow, &step.call, &before);
        step.outcome = Some(as_recorded(outcome, verbosity(&step.call, &before)));
    }
    played
}
