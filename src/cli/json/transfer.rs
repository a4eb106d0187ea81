//! What `farm adopt` and `farm eject` report.

use farm::{Direction, Failure, InPackage, LinkText, Objection, Refused, RelPath, Transfer, Transferred};
use serde::Serialize;

use super::super::resolve::Farm;
use super::{OpReport, Text, changed, op_report, path, write};

#[derive(Serialize)]
struct Report {
    command: &'static str,
    dry_run: bool,
    changed: bool,
    dir: Text,
    target: Text,
    package: Text,
    ops: Vec<OpReport>,
    refused: Vec<ObjectionReport>,
    left: Vec<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stuck: Vec<String>,
}

#[derive(Serialize)]
struct ObjectionReport {
    path: Text,
    reason: &'static str,
    /// A link's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Text>,
    /// The package that a link leads into.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Text>,
    /// Another path that the reason is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<Text>,
}

/// Prints what came of an adoption or an ejection.
pub fn transferred(
    farm: &Farm,
    asked: &Transfer,
    planned: &Transferred,
    failure: Option<&Failure>,
    dry_run: bool,
) {
    write(&Report {
        command: match asked.direction {
            Direction::Adopt { .. } => "adopt",
            Direction::Eject => "eject",
        },
        dry_run,
        changed: changed(dry_run, failure, !planned.plan.is_empty()),
        dir: Text::from(farm.dir.as_path()),
        target: Text::from(farm.target().as_path()),
        package: Text::from(asked.package.as_bytes()),
        ops: planned.plan.ops.iter().map(|op| op_report(farm, &op)).collect(),
        refused: planned.objections.iter().map(|objection| objection_report(farm, objection)).collect(),
        left: planned.left.iter().map(|left| path(farm, left)).collect(),
        error: failure.map(|failure| failure.error.to_string()),
        stuck: failure.map_or(Vec::new(), |f| f.stuck.iter().map(ToString::to_string).collect()),
    });
}

fn objection_report(farm: &Farm, objection: &Objection) -> ObjectionReport {
    let (mut to, mut owner, mut other) = (None::<&LinkText>, None::<&RelPath>, None::<&RelPath>);
    let reason = match &objection.reason {
        Refused::Outside => "outside-target",
        Refused::Target => "target",
        Refused::InDotfiles => "dotfiles-directory",
        Refused::HoldsDotfiles => "holds-dotfiles-directory",
        Refused::Missing => "missing",
        Refused::Within(top) => {
            other = Some(top);
            "within-another-path"
        }
        Refused::BehindLink { link, text } => {
            (other, to) = (Some(link), Some(text));
            "behind-foreign-link"
        }
        Refused::Marked(dir) => {
            other = Some(dir);
            "marked-stow-directory"
        }
        Refused::Protected(dir) => {
            other = Some(dir);
            "protected-directory"
        }
        Refused::InFarm { link, owner: package } => {
            (other, owner) = (Some(link), Some(package));
            "in-farm"
        }
        Refused::Special => "special-file",
        Refused::KeptOut => "ignored",
        Refused::NoSuchName => "no-name-in-package",
        Refused::TwoNames => "two-names-in-package",
        Refused::LeadsElsewhere(text) => {
            to = Some(text);
            "would-lead-elsewhere"
        }
        Refused::Taken { by: InPackage::OtherFile, .. } => "file-differs",
        Refused::Taken { by: InPackage::Directory, .. } => "directory-in-package",
        Refused::Taken { by: InPackage::OtherKind, .. } => "other-kind-in-package",
        Refused::Taken { by: InPackage::NoDirectory, .. } => "no-directory-in-package",
        Refused::NothingInIt => "nothing-to-adopt",
        Refused::NotALink => "not-a-link",
        Refused::NoLinkInIt => "no-link-in-directory",
        Refused::Foreign(text) => {
            to = Some(text);
            "foreign-link"
        }
        Refused::NoDirectory => "no-directory",
        Refused::WholePackage => "whole-package",
        Refused::Gone(text) => {
            to = Some(text);
            "dangling-link"
        }
        Refused::BehindPackageLink => "behind-link-in-package",
        Refused::Twice(path) => {
            other = Some(path);
            "same-as-another-path"
        }
    };
    ObjectionReport {
        path: Text::from(farm.absolute(&objection.path).as_path()),
        reason,
        to: to.map(|text| Text::from(text.as_bytes())),
        owner: owner.map(|package| Text::from(package.as_bytes())),
        other: other.map(|at| path(farm, at)),
    }
}
