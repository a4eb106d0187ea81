//! The differences that are meant: what stow gets wrong and farm does better.
//!
//! Each detector is narrow and names an entry of the project's list of differences. Whatever stow did, farm must stay
//! sane; and where stow does right when it is asked step by step, farm must do the same in one go.

use super::request::{Request, asks_for};
use super::run::{Program, Sandbox};
use super::scenario::{Call, Edit, Node, Outcome, Status, Tree, changes};

/// The entry of the list of differences.
pub type Known = &'static str;

/// The planner reads the disk through links that it has planned to remove.
pub const REMOVED_LINKS: Known = "reads-through-removed-links";
/// `.stow` and `.nonstow` in a package are looked for on one path and obeyed on another.
pub const MARKERS: Known = "markers-inside-packages";
/// Unfolding takes it for granted that the link leads to the same path in its package.
pub const OTHER_PATH: Known = "unfolds-a-link-to-another-path";
/// A link whose text is `0`.
pub const ZERO: Known = "link-text-zero";
/// A link to a stow directory itself.
pub const STOW_DIRECTORY: Known = "link-to-a-stow-directory";
/// A directory in the target where the package has something else.
pub const NOT_A_DIRECTORY: Known = "unstows-past-a-directory";
/// A link that leads nowhere and is not stow's counts as one about to be removed.
pub const DANGLING: Known = "foreign-dangling-link";
/// An error in the middle of the work leaves it half done.
pub const HALF_DONE: Known = "half-done";

/// One call, seen from both sides; there is no farm's side when recording.
pub struct Case<'a> {
    pub call: &'a Call,
    pub before: &'a Tree,
    pub stow: &'a Outcome,
    pub farm: Option<&'a Outcome>,
    /// The real stow, to ask it the same in another way.
    pub program: &'a Program,
}

/// Names the known difference that a case shows, if it does. Without farm's side: that it may show.
pub fn find(case: &Case) -> Option<Known> {
    if !case.farm.is_none_or(is_sane) {
        return None;
    }
    let steps = Request::read(&case.call.args).map_or(0, |request| request.one_by_one(case.call).len());
    let stepwise = || (steps > 1).then(|| step_by_step(case)).flatten();
    if let Some(known) = misbehaviour(case) {
        return match (case.farm, stepwise()) {
            (Some(farm), Some(right)) if !agrees(case, farm, &right) => None,
            _ => Some(known),
        };
    }
    if has_marker_in_package(case) {
        return Some(MARKERS);
    }
    let right = stepwise()?;
    let stow_is_right = agrees(case, case.stow, &right);
    let farm_is_right = case.farm.is_none_or(|farm| agrees(case, farm, &right));
    (!stow_is_right && farm_is_right).then_some(REMOVED_LINKS)
}

/// Whatever happens, farm comes to an end, says so in its own words, and leaves nothing half done.
fn is_sane(farm: &Outcome) -> bool {
    farm.status != Status::Hangs
        && (farm.status.is_success() || farm.changes.is_empty())
        && !farm.err.iter().any(|line| line.contains("panicked"))
}

/// What stow itself shows to have gone wrong.
pub fn misbehaviour(case: &Case) -> Option<Known> {
    let says = |text: &str| case.stow.err.iter().any(|line| line.contains(text));
    let has_link = |text: &str| case.before.values().any(|node| matches!(node, Node::Link(it) if it == text));
    if case.stow.status.is_success() || case.stow.status == Status::Code(1) {
        return None;
    }
    if says("Could not read link") && has_link("0") {
        Some(ZERO)
    } else if says("called with non-directory path") {
        Some(NOT_A_DIRECTORY)
    } else if says("cannot read directory") {
        Some(OTHER_PATH)
    } else if says("Could not remove directory") {
        Some(DANGLING)
    } else if !case.stow.changes.is_empty() {
        Some(HALF_DONE)
    } else if says("called with invalid target") || says("INTERNAL ERROR: new link") {
        Some(REMOVED_LINKS)
    } else if says("INTERNAL ERROR") {
        Some(STOW_DIRECTORY)
    } else {
        None
    }
}

/// A marker below a package, or, with `--dotfiles`, below a name that may be spelled otherwise there.
fn has_marker_in_package(case: &Case) -> bool {
    let dotfiles = asks_for(case.call, case.before, "--dotfiles");
    case.before.keys().any(|path| {
        let Some((dir, ".stow" | ".nonstow")) = path.rsplit_once('/') else {
            return false;
        };
        dir.split('/').any(|name| {
            ["p1", "p2", "p3"].contains(&name)
                || dotfiles && (name.starts_with('.') || name.starts_with("dot-"))
        })
    })
}

/// What stow does when each step is a call of its own.
struct StepByStep {
    status: Status,
    changes: Vec<Edit>,
}

fn step_by_step(case: &Case) -> Option<StepByStep> {
    let request = Request::read(&case.call.args)?;
    let sandbox = Sandbox::of(case.before);
    let mut tree = sandbox.tree();
    let mut status = Status::Code(0);
    for call in request.one_by_one(case.call) {
        let (outcome, after) = sandbox.run(case.program, &call, &tree);
        let step = Case { call: &call, before: &tree, stow: &outcome, farm: None, program: case.program };
        if misbehaviour(&step).is_some() {
            return None;
        }
        status = status.max(outcome.status);
        tree = after;
    }
    let changes =
        if status.is_success() && !request.simulate { changes(case.before, &tree) } else { Vec::new() };
    Some(StepByStep { status, changes })
}

fn agrees(case: &Case, outcome: &Outcome, right: &StepByStep) -> bool {
    // An error in the command line, an unknown package: whatever else is asked for does not matter.
    if case.stow.status == Status::Code(2) && case.stow.changes.is_empty() && misbehaviour(case).is_none() {
        return outcome.status == Status::Code(2);
    }
    outcome.status == right.status && outcome.changes == right.changes
}
