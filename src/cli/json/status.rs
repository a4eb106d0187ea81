//! What `farm status` and `farm list` came to.

use farm::{Action, Conflict, Finding, Finds, Linked, Mount, Route, Stands, State};
use serde::Serialize;

use super::super::resolve::{Claim, Farm, Landed};
use super::super::told::{Difference, Status};
use super::{ConflictReport, Text, conflict_report, path, write};

#[derive(Serialize)]
struct Report {
    command: &'static str,
    changed: bool,
    dir: Text,
    target: Text,
    /// Whether anything is not as it should be.
    off: bool,
    packages: Vec<PackageReport>,
}

#[derive(Serialize)]
struct PackageReport {
    package: Text,
    state: &'static str,
    off: bool,
    links: Vec<LinkReport>,
    findings: Vec<FindingReport>,
    /// Files in folded directories that git does not know.
    new: Vec<Text>,
}

#[derive(Serialize)]
struct LinkReport {
    path: Text,
    to: Text,
    /// Whether it stands for a directory.
    directory: bool,
}

#[derive(Serialize)]
struct FindingReport {
    path: Text,
    finding: &'static str,
    /// What is in the way, as in the conflicts of `link`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Text>,
}

/// Prints how packages stand.
pub fn status(farm: &Farm, statuses: &[Status]) {
    write(&Report {
        command: "status",
        changed: false,
        dir: Text::from(farm.dir.as_path()),
        target: Text::from(farm.target().as_path()),
        off: statuses.iter().any(Status::is_off),
        packages: statuses.iter().map(|status| package_report(farm, status)).collect(),
    });
}

fn package_report(farm: &Farm, status: &Status) -> PackageReport {
    let standing = &status.standing;
    let link = |link: &Linked| LinkReport {
        path: path(farm, &link.path),
        to: Text::from(link.text.as_bytes()),
        directory: link.stands == Stands::ForDirectory,
    };
    PackageReport {
        package: Text::from(standing.package.as_bytes()),
        state: match standing.state() {
            _ if status.is_not_here() => "not-here",
            State::Conflict => "conflict",
            State::Drifted => "drifted",
            State::Partly => "partly",
            State::NotLinked => "not-linked",
            State::Linked => "linked",
            State::Empty => "empty",
        },
        off: status.is_off(),
        links: standing.links.iter().map(link).collect(),
        findings: standing.findings.iter().map(|finding| finding_report(farm, status, finding)).collect(),
        new: status.new.iter().map(|new| path(farm, new)).collect(),
    }
}

fn finding_report(farm: &Farm, status: &Status, finding: &Finding) -> FindingReport {
    let (conflict, to) = match &finding.what {
        Finds::Conflict(reason) | Finds::Replaced(reason) => (Some(reason), None),
        Finds::Stale(text) | Finds::Dangling(text) | Finds::Elsewhere(text) => (None, Some(text)),
        Finds::Missing | Finds::Gone | Finds::Copy | Finds::MustUnfold | Finds::CouldFold => (None, None),
    };
    let conflict = conflict.map(|reason| {
        let package = status.standing.package.clone();
        let (path, reason) = (finding.path.clone(), reason.clone());
        conflict_report(farm, &Conflict { action: Action::Link, package, path, reason })
    });
    let (reason, there) = conflict.map_or((None, None), |report| (Some(report.reason), report.to));
    let to = to.map(|text| Text::from(text.as_bytes())).or(there);
    FindingReport { path: path(farm, &finding.path), finding: finding_name(&finding.what), reason, to }
}

/// Returns the key of a finding.
pub(super) fn finding_name(what: &Finds) -> &'static str {
    match what {
        Finds::Missing => "missing",
        Finds::Gone => "gone",
        Finds::Copy => "copy",
        Finds::Conflict(_) => "conflict",
        Finds::Replaced(_) => "replaced",
        Finds::Stale(_) => "stale",
        Finds::Dangling(_) => "dangling",
        Finds::Elsewhere(_) => "elsewhere",
        Finds::MustUnfold => "must-unfold",
        Finds::CouldFold => "could-fold",
    }
}

#[derive(Serialize)]
struct ListReport {
    command: &'static str,
    changed: bool,
    dir: Text,
    target: Text,
    packages: Vec<LandingReport>,
}

#[derive(Serialize)]
struct LandingReport {
    package: Text,
    /// `into` a directory, or `as` the path.
    landing: &'static str,
    path: Text,
    /// Whether it is for this machine.
    here: bool,
}

/// Prints packages, and where they land.
pub fn list(farm: &Farm, landed: &[(Landed, Claim)]) {
    let report = |(landed, claim): &(Landed, Claim)| LandingReport {
        package: Text::from(landed.package.as_bytes()),
        landing: match landed.mount {
            Mount::Into(_) => "into",
            Mount::As(_) => "as",
        },
        path: Text::from(farm.absolute(&Route::below_root(landed.mount.at().clone())).as_path()),
        here: *claim != Claim::NotHere,
    };
    write(&ListReport {
        command: "list",
        changed: false,
        dir: Text::from(farm.dir.as_path()),
        target: Text::from(farm.target().as_path()),
        packages: landed.iter().map(report).collect(),
    });
}

#[derive(Serialize)]
struct DiffReport {
    command: &'static str,
    changed: bool,
    dir: Text,
    target: Text,
    differences: Vec<DifferenceReport>,
}

#[derive(Serialize)]
struct DifferenceReport {
    #[serde(flatten)]
    conflict: ConflictReport,
    /// A unified diff of the two files.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_diff: Option<String>,
}

/// Prints what links would replace.
pub fn differences(farm: &Farm, differences: &[Difference]) {
    let report = |it: &Difference| {
        let (package, path, reason) = (it.package.clone(), it.path.clone(), it.reason.clone());
        let conflict = Conflict { action: Action::Link, package, path, reason };
        let plain = |text: &String| anstream::adapter::strip_str(text).to_string();
        let (diff, no_diff) = match &it.diff {
            Some(Ok(diff)) => (Some(plain(diff)), None),
            Some(Err(why)) => (None, Some(why.clone())),
            None => (None, None),
        };
        DifferenceReport { conflict: conflict_report(farm, &conflict), diff, no_diff }
    };
    write(&DiffReport {
        command: "diff",
        changed: false,
        dir: Text::from(farm.dir.as_path()),
        target: Text::from(farm.target().as_path()),
        differences: differences.iter().map(report).collect(),
    });
}
