//! What `farm check` found, and what came of `farm prune`.

use farm::{Error, Failure, Planned};
use serde::Serialize;

use super::super::resolve::Farm;
use super::super::survey::{self, LinkState};
use super::super::told::Checked;
use super::{OpReport, Text, changed, op_report, path, write};

#[derive(Serialize)]
struct CheckReport {
    command: &'static str,
    changed: bool,
    dir: Text,
    target: Text,
    /// Whether anything is wrong, or was not seen.
    off: bool,
    /// How many entries of the target were seen.
    seen: u64,
    links: usize,
    findings: Vec<FindingReport>,
    /// What could not be looked at.
    errors: Vec<String>,
}

#[derive(Serialize)]
struct FindingReport {
    path: Text,
    finding: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Text>,
    /// The other link to the same thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<Text>,
}

#[derive(Serialize)]
struct PruneReport {
    command: &'static str,
    dry_run: bool,
    changed: bool,
    dir: Text,
    target: Text,
    ops: Vec<OpReport>,
    /// What could not be looked at.
    errors: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stuck: Vec<String>,
}

/// Prints what a check found.
pub fn checked(farm: &Farm, checked: &Checked) {
    let links = &checked.survey.links;
    let dead = links.iter().filter(|link| link.state.is_dead()).map(|link| FindingReport {
        path: path(farm, &link.path),
        finding: if link.state == LinkState::PackageGone { "package-gone" } else { "dangling" },
        to: Some(Text::from(link.text.as_bytes())),
        other: None,
    });
    let again = survey::duplicates(links).into_iter().map(|(link, other)| FindingReport {
        path: path(farm, &link.path),
        finding: "duplicate",
        to: Some(Text::from(link.text.as_bytes())),
        other: Some(path(farm, &other.path)),
    });
    let aliens = checked.aliens.iter().map(|alien| FindingReport {
        path: path(farm, alien),
        finding: "alien",
        to: None,
        other: None,
    });
    write(&CheckReport {
        command: "check",
        changed: false,
        dir: Text::from(farm.dir.as_path()),
        target: Text::from(farm.target().as_path()),
        off: checked.is_off(),
        seen: checked.survey.seen,
        links: links.len(),
        findings: dead.chain(again).chain(aliens).collect(),
        errors: checked.survey.errors.iter().map(ToString::to_string).collect(),
    });
}

/// Prints what came of a prune.
pub fn pruned(farm: &Farm, planned: &Planned, errors: &[Error], failure: Option<&Failure>, dry_run: bool) {
    write(&PruneReport {
        command: "prune",
        dry_run,
        changed: changed(dry_run, failure, !planned.plan.is_empty()),
        dir: Text::from(farm.dir.as_path()),
        target: Text::from(farm.target().as_path()),
        ops: planned.plan.ops.iter().map(|op| op_report(farm, &op)).collect(),
        errors: errors.iter().map(ToString::to_string).collect(),
        error: failure.map(|failure| failure.error.to_string()),
        stuck: failure.map_or(Vec::new(), |f| f.stuck.iter().map(ToString::to_string).collect()),
    });
}
