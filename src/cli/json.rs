//! `--json`: the result of a command as one object on standard output.

mod transfer;

use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use farm::{Change, Compared, Conflict, Failure, Notice, Op, Place, Planned, Reason, RelPath, Thing};
use serde::Serialize;

use super::args::Verb;
use super::resolve::Farm;

pub use transfer::transferred;

/// A path, a name or a link's text: a string, or where it is not UTF-8 an object with its bytes in hexadecimal.
#[derive(Serialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Raw { hex: String },
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Text {
        match std::str::from_utf8(bytes) {
            Ok(text) => Text::Plain(text.to_owned()),
            Err(_) => Text::Raw { hex: bytes.iter().map(|byte| format!("{byte:02x}")).collect() },
        }
    }
}

impl From<&Path> for Text {
    fn from(path: &Path) -> Text {
        Text::from(path.as_os_str().as_bytes())
    }
}

#[derive(Serialize)]
struct Report {
    command: &'static str,
    dry_run: bool,
    changed: bool,
    dir: Text,
    target: Text,
    packages: Vec<Text>,
    held_back: Vec<Text>,
    ops: Vec<OpReport>,
    conflicts: Vec<ConflictReport>,
    notices: Vec<NoticeReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stuck: Vec<String>,
}

#[derive(Serialize)]
struct OpReport {
    op: &'static str,
    path: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    content: Vec<PieceReport>,
}

#[derive(Serialize)]
struct PieceReport {
    path: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Text>,
}

#[derive(Serialize)]
struct ConflictReport {
    package: Text,
    path: Text,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Text>,
}

#[derive(Serialize)]
struct NoticeReport {
    notice: &'static str,
    path: Text,
}

#[derive(Serialize)]
struct ErrorReport<'a> {
    changed: bool,
    error: &'a str,
}

/// Prints what came of a request.
pub fn print(
    verb: Verb,
    farm: &Farm,
    packages: &[RelPath],
    planned: &Planned,
    failure: Option<&Failure>,
    dry_run: bool,
) {
    let names = |names: &[RelPath]| names.iter().map(|name| Text::from(name.as_bytes())).collect();
    write(&Report {
        command: match verb {
            Verb::Link => "link",
            Verb::Unlink => "unlink",
            Verb::Relink => "relink",
        },
        dry_run,
        changed: !dry_run && failure.is_none() && !planned.plan.is_empty(),
        dir: Text::from(farm.dir.as_path()),
        target: Text::from(farm.target().as_path()),
        packages: names(packages),
        held_back: names(&planned.held_back),
        ops: planned.plan.ops.iter().map(|op| op_report(farm, op)).collect(),
        conflicts: planned.conflicts.iter().map(|conflict| conflict_report(farm, conflict)).collect(),
        notices: planned.notices.iter().map(|notice| notice_report(farm, notice)).collect(),
        error: failure.map(|failure| failure.error.to_string()),
        stuck: failure.map_or(Vec::new(), |f| f.stuck.iter().map(ToString::to_string).collect()),
    });
}

/// Prints that a command was refused before there was a plan.
pub fn error(message: &str) {
    write(&ErrorReport { changed: false, error: message });
}

fn write(report: &impl Serialize) {
    let mut stdout = std::io::stdout().lock();
    if serde_json::to_writer_pretty(&mut stdout, report).is_ok() {
        let _ = writeln!(stdout);
    }
}

fn op_report(farm: &Farm, op: &Op) -> OpReport {
    let link = |thing: &Thing| match thing {
        Thing::Link(text) => Some(Text::from(text.as_bytes())),
        Thing::Dir(_) => None,
    };
    let (name, from, to) = match &op.change {
        Change::Make(Thing::Dir(_)) => ("make-directory", None, None),
        Change::Make(thing) => ("make-link", None, link(thing)),
        Change::Remove(Thing::Dir(_)) => ("remove-directory", None, None),
        Change::Remove(thing) => ("remove-link", link(thing), None),
        Change::Swap { old, new: new @ Thing::Dir(_) } => ("unfold", link(old), link(new)),
        Change::Swap { old: old @ Thing::Dir(_), new } => ("fold", link(old), link(new)),
        Change::Swap { old, new } => ("change-link", link(old), link(new)),
        Change::Displace { to, new, .. } => (displaced(to), None, link(new)),
        Change::Restore { from: Place::Package { .. }, old, .. } => ("eject", link(old), None),
        Change::Restore { old, .. } => ("restore", link(old), None),
    };
    let content = match &op.change {
        Change::Swap { new: Thing::Dir(pieces), .. } | Change::Remove(Thing::Dir(pieces)) => pieces
            .iter()
            .map(|piece| PieceReport {
                path: Text::from(piece.path.as_bytes()),
                to: piece.text.as_ref().map(|text| Text::from(text.as_bytes())),
            })
            .collect(),
        _ => Vec::new(),
    };
    OpReport { op: name, path: path(farm, &op.path), from, to, content }
}

/// What happens to something in the way.
fn displaced(to: &Place) -> &'static str {
    match to {
        Place::Package { .. } => "adopt",
        Place::Beside(_) => "backup",
        Place::Kept(_) => "replace",
        Place::Equal(_) => "merge",
    }
}

fn conflict_report(farm: &Farm, conflict: &Conflict) -> ConflictReport {
    let (reason, to) = match &conflict.reason {
        Reason::AbsoluteSource { text, .. } => ("absolute-link-in-package", Some(text)),
        Reason::NotOwned(text) => ("foreign-link", Some(text)),
        Reason::OtherPackage { text, .. } => ("other-package", Some(text)),
        Reason::Directory { .. } => ("directory", None),
        Reason::FileForDirectory { .. } => ("file-for-directory", None),
        Reason::File { compared: Compared::Differ, .. } => ("file-differs", None),
        Reason::File { .. } => ("file", None),
        Reason::StowDir => ("dotfiles-directory", None),
        Reason::NotADirectory => ("not-a-directory", None),
    };
    ConflictReport {
        package: Text::from(conflict.package.as_bytes()),
        path: path(farm, &conflict.path),
        reason,
        to: to.map(|text| Text::from(text.as_bytes())),
    }
}

fn notice_report(farm: &Farm, notice: &Notice) -> NoticeReport {
    let (name, at) = match notice {
        Notice::StowDir(path) => ("dotfiles-directory", path),
        Notice::Marked(path) => ("marked-stow-directory", path),
        Notice::Protected(path) => ("protected-directory", path),
        Notice::AbsoluteLink { path, .. } => ("absolute-link-left", path),
    };
    NoticeReport { notice: name, path: path(farm, at) }
}

/// Paths are absolute: a script need not know what they are relative to.
fn path(farm: &Farm, path: &RelPath) -> Text {
    let path = farm.root.join(std::ffi::OsStr::from_bytes(path.as_bytes()));
    Text::from(path.as_path())
}
