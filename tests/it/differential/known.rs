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
const OTHER_PATH: Known = "unfold-by-target-name: links what the link did not show";
const ZERO: Known = "text-0";
const STOW_DIRECTORY: Known = "link-at-a-stow-directory";
const NOT_A_DIRECTORY: Known = "file-over-directory-on-unstow";
const DANGLING: Known = "dangling-foreign-link-refold";
const NO_SLASH: Known = "foreign-link-without-slash-refold";
const ABOVE: Known = "links-above-the-stow-directory";
const DISPLACED: Known = "unfold-by-target-name";
const ADOPTED_BY_ANOTHER: Known = "adopt-what-another-package-overrides";
const OTHER_FARM: Known = "no-folding-over-another-stow-directory";

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
    // What is only simulated goes wrong when it is done.
    let wet = wet(case);
    let stow = wet.as_ref().unwrap_or(case.stow);
    let done = Case { stow, ..*case };
    let steps = Request::read(&case.call.args).map_or(0, |request| request.one_by_one(case.call).len());
    let stepwise = || (steps > 1).then(|| step_by_step(case)).flatten();
    let farm_agrees = |right: &StepByStep| {
        case.farm.is_none_or(|farm| match wet {
            // A simulation shows in words only, and those are not asked here.
            Some(_) => right.is_done_by(case, &Outcome { changes: right.changes.clone(), ..farm.clone() }),
            None => right.is_done_by(case, farm),
        })
    };
    if differ_in_links_that_lead_above(&done) {
        return Some(ABOVE);
    }
    if let Some(known) = misbehaviour(case).or_else(|| misbehaviour(&done)) {
        return match stepwise() {
            Some(Ok(right)) if !farm_agrees(&right) => None,
            _ => Some(known),
        };
    }
    if let Some(known) = marker(case).or_else(|| misdeed(&done)) {
        return Some(known);
    }
    if asks_to_override(case) && adopts_into_another_package(&done) {
        return Some(ADOPTED_BY_ANOTHER);
    }
    if has_displaced_links(case) && case.farm.is_none_or(|farm| shows_what_links_showed(case, farm)) {
        return Some(DISPLACED);
    }
    if asks_for(case.call, case.before, "--dotfiles") && differ_where_spelled_twice(case) {
        return Some(OTHER_NAME);
    }
    if case.farm.is_some_and(|farm| sees_files_through_removed_links(case, farm)) {
        return Some(FALSE_CONFLICT);
    }
    let right = match stepwise()? {
        Ok(right) => right,
        Err(known) => return Some(known),
    };
    if right.is_done_by(&done, stow) || !farm_agrees(&right) {
        return None;
    }
    Some(match (stow.status.is_success(), right.status.is_success()) {
        (true, true) => OTHER_TREE,
        (true, false) => MISSED_CONFLICT,
        _ => FALSE_CONFLICT,
    })
}

/// What stow does wrong in silence.
fn misdeed(case: &Case) -> Option<Known> {
    if unfolds_another_path(case) {
        Some(OTHER_PATH)
    } else if removes_a_link_without_slash(case) {
        Some(NO_SLASH)
    } else if asks_for(case.call, case.before, "--no-folding") && unfolds_another_farms_link(case) {
        Some(OTHER_FARM)
    } else {
        None
    }
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
        Some(if asks_for(case.call, case.before, "--dotfiles") { OTHER_NAME } else { DISPLACED })
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

/// Whether stow unfolded a link that does not lead to its own path in a package: it then links what the package has at
/// the link's path, which is not what the link stood for.
fn unfolds_another_path(case: &Case) -> bool {
    case.stow.changes.iter().any(|edit| match (case.before.get(&edit.path), &edit.node) {
        (Some(Node::Link(text)), Some(Node::Dir)) => leads_to_another_path(&edit.path, text),
        _ => false,
    })
}

/// Whether stow unfolded a link into another stow directory: with `--no-folding` it looks for what is further down in
/// its own.
fn unfolds_another_farms_link(case: &Case) -> bool {
    case.stow.changes.iter().any(|edit| match (case.before.get(&edit.path), &edit.node) {
        (Some(Node::Link(text)), Some(Node::Dir)) => text.split('/').any(|name| name == "stow2"),
        _ => false,
    })
}

/// Whether stow removed a link to a neighbour: when it comes first in its directory, a refold takes it along.
fn removes_a_link_without_slash(case: &Case) -> bool {
    case.stow.changes.iter().any(|edit| {
        matches!(case.before.get(&edit.path), Some(Node::Link(text)) if !text.contains('/'))
            && edit.path.contains('/')
            && edit.node.is_none()
    })
}

fn asks_to_override(case: &Case) -> bool {
    let is_said = |node: &Node| matches!(node, Node::File { text, .. } if text.contains("--override"));
    case.call.args.iter().any(|arg| arg.starts_with("--override"))
        || case.before.iter().any(|(path, node)| path.ends_with(".stowrc") && is_said(node))
}

/// Whether stow adopted files that its links do not show, while farm shows them, and all else is alike.
fn adopts_into_another_package(case: &Case) -> bool {
    let unseen = files_out_of_sight(case, case.stow);
    let last_name = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.strip_prefix("dot-").map_or(name.to_owned(), |rest| format!(".{rest}"))
    };
    let is_it = |path: &str| unseen.iter().any(|file| last_name(file) == last_name(path));
    !unseen.is_empty()
        && case
            .farm
            .is_none_or(|farm| files_out_of_sight(case, farm).is_empty() && differ_only_at(case, &is_it))
}

/// Returns the files that have become links to something else.
fn files_out_of_sight<'a>(case: &'a Case, outcome: &Outcome) -> Vec<&'a str> {
    let after = |path: &String| match outcome.changes.iter().find(|edit| edit.path == *path) {
        Some(edit) => edit.node.as_ref(),
        None => case.before.get(path),
    };
    let is_out_of_sight = |path: &String, file: &Node| match after(path) {
        Some(Node::Link(text)) => {
            destination(path, text).is_none_or(|(place, _)| after(&place) != Some(file))
        }
        _ => false,
    };
    let files = case.before.iter().filter(|(_, node)| matches!(node, Node::File { .. }));
    files.filter(|(path, node)| is_out_of_sight(path, node)).map(|(path, _)| path.as_str()).collect()
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

/// Whether all that stow alone has against a call are files that it sees through links of before.
fn sees_files_through_removed_links(case: &Case, farm: &Outcome) -> bool {
    let is_through_a_link = |line: &str| {
        let path = if let Some(line) = line.strip_prefix("  * cannot stow ") {
            let to_file = || line.split_once(" over existing target ")?.1.split_once(" since ");
            let to_other = || line.split_once(" over existing non-directory target ");
            let to_dir = || line.split_once(" over existing directory target ");
            to_file().map(|(path, _)| path).or_else(|| Some(to_other().or_else(to_dir)?.1))
        } else {
            line.strip_prefix("  * existing target is not owned by stow: ")
        };
        let Some(path) = path else { return false };
        path.match_indices('/').any(|(at, _)| {
            let is_it = |link: &str| link == &path[..at] || link.ends_with(&format!("/{}", &path[..at]));
            case.before.iter().any(|(link, node)| matches!(node, Node::Link(_)) && is_it(link))
        })
    };
    let mut more = conflict_lines(case.stow).filter(|line| !farm.err.contains(line)).peekable();
    let removes_first = case.call.args.iter().any(|arg| arg.contains('R') || arg.contains('D'));
    let same_end = case.stow.status == Status::Code(1) && farm.status == Status::Code(1);
    same_end && removes_first && more.peek().is_some() && more.all(|line| is_through_a_link(line))
}

/// Whether all that the two sides did otherwise is where a directory of a package spells one name in two ways, `.x`
/// and `dot-x`.
fn differ_where_spelled_twice(case: &Case) -> bool {
    let twice: Vec<String> = case
        .before
        .keys()
        .filter_map(|path| {
            let (dir, rest) = path.rsplit_once("/dot-")?;
            let is_twice = !rest.contains('/') && case.before.contains_key(&format!("{dir}/.{rest}"));
            is_twice.then(|| format!(".{rest}"))
        })
        .collect();
    let undotted = |name: &str| name.strip_prefix("dot-").map_or(name.to_owned(), |rest| format!(".{rest}"));
    let is_twice = |path: &str| path.split('/').any(|name| twice.contains(&undotted(name)));
    !twice.is_empty() && (case.farm.is_none() || differ_only_at(case, &is_twice))
}

/// Whether all that the two sides did otherwise is about links in a target inside the stow directory that lead above
/// it: stow, whose stow directory is `..` then, takes them for its own.
fn differ_in_links_that_lead_above(case: &Case) -> bool {
    let above = case.before.iter().filter_map(|(path, node)| match node {
        Node::Link(text) if leads_above_the_stow_directory(path, text) => Some(path.as_str()),
        _ => None,
    });
    let above: Vec<&str> = above.collect();
    differ_only_at(case, &|path| {
        // A directory is folded over such a link, and its neighbours go with it.
        above.iter().any(|it| {
            let dir = it.rsplit_once('/').map_or("", |(dir, _)| dir);
            path == dir || is_below(path, dir) || it.ends_with(&format!("/{path}"))
        })
    })
}

fn is_below(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether the two sides differ, and in nothing but changes of, and conflicts at, certain paths. Where one side has
/// conflicts and the other none, the changes of the other are not compared: all or nothing is done.
fn differ_only_at(case: &Case, is_it: &dyn Fn(&str) -> bool) -> bool {
    let Some(farm) = case.farm else { return false };
    let only = |one: &Outcome, other: &Outcome, is_one: fn(&str) -> bool| -> Vec<String> {
        let count = |outcome: &Outcome, line: &String| outcome.err.iter().filter(|&it| it == line).count();
        one.err.iter().filter(|it| is_one(it) && count(one, it) > count(other, it)).cloned().collect()
    };
    let differing =
        |is_one: fn(&str) -> bool| [only(farm, case.stow, is_one), only(case.stow, farm, is_one)].concat();
    let mut conflicts = differing(is_conflict);
    let changes = if farm.status == case.stow.status {
        let of_one = |edit: &&Edit| !(farm.changes.contains(edit) && case.stow.changes.contains(edit));
        farm.changes.iter().chain(&case.stow.changes).filter(of_one).collect()
    } else if conflicts.is_empty() {
        return false;
    } else {
        Vec::new()
    };
    if conflicts.is_empty() && changes.is_empty() {
        // Where neither went on, what each would have done tells.
        conflicts = differing(is_operation);
    }
    !(conflicts.is_empty() && changes.is_empty())
        && conflicts.iter().all(|line| line.split_whitespace().any(is_it))
        && changes.iter().all(|edit| is_it(&edit.path))
}

/// Whether a link in a target inside the stow directory has a text that leaves that directory.
fn leads_above_the_stow_directory(link: &str, text: &str) -> bool {
    let is_stow_directory = |name: &&str| ["stow", "dots"].contains(name);
    let is_inside = link.split('/').any(|name| is_stow_directory(&name));
    // The link's own name counts for the step from the stow directory up.
    let steps = link.rsplit('/').take_while(|name| !is_stow_directory(name)).count();
    is_inside && text.split('/').take_while(|name| *name == "..").count() >= steps.max(1)
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

/// Whether a link leads to another path of a package than its own, as people make by hand: to a directory that stow
/// may unfold, or to a file in a directory that it folds first, and all that differs is there.
fn has_displaced_links(case: &Case) -> bool {
    let is_dir = |place: &String| matches!(case.before.get(place), Some(Node::Dir));
    let removes_first = case.call.args.iter().any(|arg| arg.contains('R') || arg.contains('D'));
    let mut links = displaced_links(case.before);
    links.any(|(path, place)| {
        let Some((top, _)) = path.strip_prefix("t/").unwrap_or(path).split_once('/') else {
            return is_dir(&place);
        };
        let is_in_top = |path: &str| {
            let path = path.strip_prefix("t/").unwrap_or(path);
            path == top || is_below(path, top)
        };
        is_dir(&place) || removes_first && differ_only_at(case, &is_in_top)
    })
}

/// Such links, and the paths they lead to.
fn displaced_links(before: &Tree) -> impl Iterator<Item = (&String, String)> {
    before.iter().filter_map(|(path, node)| {
        let Node::Link(text) = node else { return None };
        let (place, below) = destination(path, text)?;
        let targets = ["", "t/", "stow/t/", "dots/t/"];
        let is_own = targets.iter().any(|target| path.strip_prefix(target) == Some(&below));
        (!is_own && before.contains_key(&place)).then_some((path, place))
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
    let is_dir = |place: &String| matches!(case.before.get(place), Some(Node::Dir));
    displaced_links(case.before)
        .filter(|(path, place)| is_dir(place) && after.get(*path) == Some(&Node::Dir))
        .all(|(path, place)| {
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
        })
}

/// What stow does when each step is a call of its own.
struct StepByStep {
    status: Status,
    changes: Vec<Edit>,
    /// The conflicts of the first step that has any, with their heading.
    conflicts: Vec<String>,
}

/// Asks stow step by step; `None` when the call is not understood, an error when a step shows a known difference.
fn step_by_step(case: &Case) -> Option<Result<StepByStep, Known>> {
    let request = Request::read(&case.call.args)?;
    let sandbox = Sandbox::of(case.before);
    let mut tree = sandbox.tree();
    let mut right = StepByStep { status: Status::Code(0), changes: Vec::new(), conflicts: Vec::new() };
    for call in request.one_by_one(case.call) {
        let (outcome, after) = sandbox.run(case.program, &call, &tree);
        let step = Case { call: &call, before: &tree, stow: &outcome, farm: None, program: case.program };
        if let Some(known) = misbehaviour(&step).or_else(|| misdeed(&step)).or_else(|| marker(&step)) {
            return Some(Err(known));
        }
        if right.conflicts.is_empty() {
            right.conflicts = conflicts(&outcome).into_iter().flatten().collect();
        }
        right.status = right.status.max(outcome.status);
        tree = after;
    }
    if right.status.is_success() {
        right.changes = changes(case.before, &tree);
    }
    Some(Ok(right))
}

/// The lines of an outcome that name a conflict.
fn conflict_lines(outcome: &Outcome) -> impl Iterator<Item = &String> {
    outcome.err.iter().filter(|line| is_conflict(line))
}

fn is_conflict(line: &str) -> bool {
    line.starts_with("  * ")
}

fn is_operation(line: &str) -> bool {
    ["LINK: ", "UNLINK: ", "MKDIR: ", "RMDIR ", "MV: "].iter().any(|verb| line.starts_with(verb))
        && !line.ends_with(" action)")
}

/// The conflicts of an outcome, each group with its heading.
fn conflicts(outcome: &Outcome) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<String>> = Vec::new();
    for line in &outcome.err {
        if line.starts_with("WARNING! ") {
            groups.push(vec![line.clone()]);
        } else if let Some(group) = groups.last_mut()
            && line.starts_with("  * ")
            && !group.contains(line)
        {
            group.push(line.clone());
        }
    }
    groups
}

impl StepByStep {
    /// Whether `outcome` is what the steps come to. Of conflicts, the first step's are compared: the later steps begin
    /// where it did not arrive.
    fn is_done_by(&self, case: &Case, outcome: &Outcome) -> bool {
        // An error in the command line, an unknown package: whatever else is asked for does not matter.
        if case.stow.status == Status::Code(2) && case.stow.changes.is_empty() && misbehaviour(case).is_none()
        {
            return outcome.status == Status::Code(2);
        }
        outcome.status == self.status
            && outcome.changes == self.changes
            && (self.conflicts.is_empty()
                || conflicts(outcome).iter().any(|group| self.is_group(case, group)))
    }

    /// Whether a group has the first step's conflicts. A package that is asked for twice has the second time's in the
    /// same group.
    fn is_group(&self, case: &Case, group: &[String]) -> bool {
        let packages: Vec<String> = Request::read(&case.call.args)
            .map_or_else(Vec::new, |request| request.steps.into_iter().map(|(_, package)| package).collect());
        let is_twice = packages.iter().any(|package| packages.iter().filter(|it| *it == package).count() > 1);
        group == self.conflicts
            || is_twice
                && group.first() == self.conflicts.first()
                && self.conflicts.iter().all(|line| group.contains(line))
    }
}
