//! The differences that are meant: what stow gets wrong and farm does better.
//!
//! Each detector is narrow and names an entry of the project's list of differences. Whatever stow did, farm must stay
//! sane; and where stow does right when it is asked step by step, farm must do the same in one go.

use super::request::{Request, asks_for};
use super::run::{Program, Sandbox};
use super::scenario::{Call, Edit, Node, Outcome, Status, Tree, changes};

/// An entry of `docs/STOW-DIFFERENCES.md`, and in which form it shows where there are several.
pub type Known = &'static str;

const REMOVED_LINKS: Known = "reads-through-removed-links: dies";
const FALSE_CONFLICT: Known = "reads-through-removed-links: sees a conflict that is none";
const MISSED_CONFLICT: Known = "reads-through-removed-links: misses a conflict";
const OTHER_TREE: Known = "reads-through-removed-links: makes another tree than step by step";
const MARKER: Known = "marker-inside-a-package";
const MARKER_DOTFILES: Known = "marker-path-with-dotfiles";
const OTHER_NAME: Known = "dotfiles-spelled-differently";
const OTHER_PATH: Known = "dotfiles-spelled-differently: unfolds a link that leads to another path";
const ZERO: Known = "text-0";
const STOW_DIRECTORY: Known = "link-at-a-stow-directory";
const NOT_A_DIRECTORY: Known = "file-over-directory-on-unstow";
const DANGLING: Known = "dangling-foreign-link-refold";
const ADOPT_LINK: Known = "adopt-over-a-link";

const DISPLACED: Known = "unfold-by-target-name";

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
    let wet = wet(case);
    // What is only simulated goes wrong when it is done.
    let misbehaves = misbehaviour(case)
        .or_else(|| wet.as_ref().and_then(|wet| misbehaviour(&Case { stow: wet, farm: None, ..*case })));
    if let Some(known) = misbehaves {
        return match (case.farm, stepwise()) {
            (Some(farm), Some(right)) if !agrees(case, farm, &right) => None,
            _ => Some(known),
        };
    }
    if adopts_over_a_link(case, wet.as_ref().unwrap_or(case.stow)) {
        return case.farm.is_none_or(|farm| farm.status == Status::Code(1)).then_some(ADOPT_LINK);
    }
    if let Some(known) = marker(case) {
        return Some(known);
    }
    if unfolds_another_path(case, wet.as_ref().unwrap_or(case.stow)) {
        return Some(OTHER_PATH);
    }
    if has_displaced_links(case.before) && case.farm.is_none_or(|farm| shows_what_links_showed(case, farm)) {
        return Some(DISPLACED);
    }
    let right = stepwise()?;
    let stow = wet.as_ref().unwrap_or(case.stow);
    let stow_is_right = agrees(case, stow, &right) && stow.changes == right.changes;
    let farm_is_right = case.farm.is_none_or(|farm| agrees(case, farm, &right));
    (!stow_is_right && farm_is_right).then_some(match (stow.status.is_success(), right.status.is_success()) {
        (false, true) => FALSE_CONFLICT,
        (true, false) => MISSED_CONFLICT,
        _ => OTHER_TREE,
    })
}

/// What stow would have done without `-n`, if the call has one.
fn wet(case: &Case) -> Option<Outcome> {
    let is_wet = |arg: &&String| !["-n", "--no", "--simulate"].contains(&arg.as_str());
    let args: Vec<String> = case.call.args.iter().filter(is_wet).cloned().collect();
    if args == case.call.args {
        return None;
    }
    let sandbox = Sandbox::of(case.before);
    Some(sandbox.run(case.program, &Call { args, ..case.call.clone() }, case.before).0)
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
        Some(OTHER_NAME)
    } else if says("Could not remove directory") {
        Some(DANGLING)
    } else if says("called with invalid target")
        || says("INTERNAL ERROR: new link")
        || !case.stow.changes.is_empty()
    {
        Some(REMOVED_LINKS)
    } else if says("INTERNAL ERROR: find_stowed_path() called directly on stow dir") {
        Some(STOW_DIRECTORY)
    } else {
        None
    }
}

/// Whether stow put a file where the package had a link, or would have without `-n`.
fn adopts_over_a_link(case: &Case, stow: &Outcome) -> bool {
    if !case.stow.status.is_success() || !asks_for(case.call, case.before, "--adopt") {
        return false;
    }
    stow.changes.iter().any(|edit| {
        let was_link = matches!(case.before.get(&edit.path), Some(Node::Link(_)));
        was_link && matches!(edit.node, Some(Node::File { .. }))
    })
}

/// Whether stow unfolded a link that does not lead to its own path in a package: it then links what the package has at
/// the link's path, which is not what the link stood for.
fn unfolds_another_path(case: &Case, stow: &Outcome) -> bool {
    stow.changes.iter().any(|edit| match (case.before.get(&edit.path), &edit.node) {
        (Some(Node::Link(text)), Some(Node::Dir)) => leads_to_another_path(&edit.path, text),
        _ => false,
    })
}

fn leads_to_another_path(link: &str, text: &str) -> bool {
    let mut there: Vec<&str> = link.split('/').collect();
    there.pop();
    for name in text.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(there.pop()),
            name => there.push(name),
        }
    }
    let Some(package) = there.iter().position(|name| ["p1", "p2", "p3"].contains(name)) else {
        return false;
    };
    let undot = |path: &str| path.replace("dot-", ".");
    let below = undot(&there[package + 1..].join("/"));
    let link = undot(link);
    below.is_empty() || link != below && !link.ends_with(&format!("/{below}"))
}

/// A marker below a package, or, with `--dotfiles`, below a name that may be spelled otherwise there.
fn marker(case: &Case) -> Option<Known> {
    let dotfiles = asks_for(case.call, case.before, "--dotfiles");
    let has_marker_below = |is_it: fn(&str) -> bool| {
        case.before.keys().any(|path| match path.rsplit_once('/') {
            Some((dir, ".stow" | ".nonstow")) => dir.split('/').any(is_it),
            _ => false,
        })
    };
    if has_marker_below(|name| ["p1", "p2", "p3"].contains(&name)) {
        Some(MARKER)
    } else if dotfiles && has_marker_below(|name| name.starts_with('.') || name.starts_with("dot-")) {
        Some(MARKER_DOTFILES)
    } else {
        None
    }
}

/// Returns where a link leads: the path in the tree, folded as text, and what of it lies in a package.
fn destination(link: &str, text: &str) -> Option<(String, String)> {
    let mut at: Vec<&str> = link.split('/').collect();
    at.pop();
    for segment in text.strip_prefix("{R}/").unwrap_or(text).split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(at.pop()?),
            name => at.push(name),
        }
    }
    let package = at.iter().position(|name| ["p1", "p2", "p3"].contains(name))?;
    Some((at.join("/"), at[package + 1..].join("/")))
}

/// Whether a link leads to a package's directory of another path than its own, as people make by hand.
fn has_displaced_links(before: &Tree) -> bool {
    displaced_links(before).next().is_some()
}

/// Such links, and the directories they lead to.
fn displaced_links(before: &Tree) -> impl Iterator<Item = (&String, String)> {
    before.iter().filter_map(|(path, node)| {
        let Node::Link(text) = node else { return None };
        let (place, below) = destination(path, text)?;
        let is_own = !below.is_empty() && (path == &below || path.ends_with(&format!("/{below}")));
        (!is_own && matches!(before.get(&place), Some(Node::Dir))).then_some((path, place))
    })
}

/// Whether all that was seen through displaced links is still there where farm made directories of them.
fn shows_what_links_showed(case: &Case, farm: &Outcome) -> bool {
    let mut after = case.before.clone();
    for edit in &farm.changes {
        match &edit.node {
            Some(node) => drop(after.insert(edit.path.clone(), node.clone())),
            None => drop(after.remove(&edit.path)),
        }
    }
    displaced_links(case.before).filter(|(path, _)| after.get(*path) == Some(&Node::Dir)).all(
        |(path, place)| {
            let names = case.before.keys().filter_map(|it| it.strip_prefix(&format!("{place}/")));
            names.filter(|name| !name.contains('/')).all(|name| {
                let shown = name.strip_prefix("dot-").map(|rest| format!("{path}/.{rest}"));
                let is_there = |path: &str| after.keys().any(|it| it == path);
                let is_ignorable =
                    ["README", "LICENSE", "CVS", ".git", ".stow"].iter().any(|it| name.starts_with(it));
                is_there(&format!("{path}/{name}"))
                    || shown.is_some_and(|it| is_there(&it))
                    || is_ignorable
                    || name.ends_with('~')
            })
        },
    )
}

/// What stow does when each step is a call of its own.
struct StepByStep {
    status: Status,
    changes: Vec<Edit>,
    /// The call that is taken apart only asks what would be done.
    simulate: bool,
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
    let changes = if status.is_success() { changes(case.before, &tree) } else { Vec::new() };
    Some(StepByStep { status, changes, simulate: request.simulate })
}

fn agrees(case: &Case, outcome: &Outcome, right: &StepByStep) -> bool {
    // An error in the command line, an unknown package: whatever else is asked for does not matter.
    if case.stow.status == Status::Code(2) && case.stow.changes.is_empty() && misbehaviour(case).is_none() {
        return outcome.status == Status::Code(2);
    }
    outcome.status == right.status && (right.simulate || outcome.changes == right.changes)
}
