//! `--json`: the result of a command as one object on standard output.

mod check;
mod doctor;
mod status;
mod transfer;
mod why;

use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use farm::manifest::Session;
use farm::{
    Change, Compared, Conflict, Failure, Notice, Obstacle, Op, Place, Planned, Reason, RelPath, Thing, Way,
    What,
};
use serde::Serialize;

use super::args::Verb;
use super::resolve::Farm;
use super::told::{Ended, OnChange, Told};
use super::words;

pub use check::{checked, pruned};
pub use doctor::doctor;
pub use status::{differences, list, status};
pub use transfer::transferred;
pub use why::why;

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
    skipped: Vec<ConflictReport>,
    notices: Vec<NoticeReport>,
    #[serde(flatten)]
    beside: Option<Beside>,
    /// Commands that the change calls for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    commands: Vec<CommandReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stuck: Vec<String>,
}

#[derive(Serialize)]
struct CommandReport {
    path: Text,
    command: String,
    /// Whether it ended well; nothing when it was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    succeeded: Option<bool>,
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
    /// What moves, when the farm did not make it.
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<&'static str>,
    /// Where that goes, or comes from; nothing for the state directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_path: Option<Text>,
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
    /// Why the strategy that was asked for cannot make way.
    #[serde(skip_serializing_if = "Option::is_none")]
    obstacle: Option<&'static str>,
    /// The name that its backup would get.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Text>,
}

#[derive(Serialize)]
struct NoticeReport {
    notice: &'static str,
    path: Text,
    /// The name of a backup that is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<Text>,
}

#[derive(Serialize)]
struct ErrorReport<'a> {
    changed: bool,
    error: &'a str,
}

/// What a switch does beside its plan; where something is in the way it does none of it.
#[derive(Clone, Copy, Serialize)]
pub struct Beside {
    /// How many right links of others are farm's from then on.
    pub taken_over: usize,
    /// Whether new shells get something else.
    pub new_shells: bool,
    /// How many commands are called for.
    #[serde(skip)]
    pub commands: usize,
}

impl Beside {
    fn is_something(&self) -> bool {
        self.taken_over > 0 || self.new_shells || self.commands > 0
    }
}

/// Tells whether anything is another than before: what could not be taken back is.
fn changed(dry_run: bool, failure: Option<&Failure>, is_something: bool) -> bool {
    match failure {
        Some(failure) => !failure.stuck.is_empty(),
        None => !dry_run && is_something,
    }
}

/// Prints what came of a request.
#[expect(clippy::too_many_arguments, reason = "all that there is to tell")]
pub fn print(
    verb: Verb,
    farm: &Farm,
    packages: &[RelPath],
    planned: &Planned,
    commands: &[OnChange],
    beside: Option<&Beside>,
    failure: Option<&Failure>,
    dry_run: bool,
) {
    let command = |on_change: &OnChange| CommandReport {
        path: Text::from(on_change.at.as_bytes()),
        command: on_change.command.clone(),
        succeeded: on_change.ended.as_ref().map(|ended| matches!(ended, Ended::Well)),
    };
    let names = |names: &[RelPath]| names.iter().map(|name| Text::from(name.as_bytes())).collect();
    write(&Report {
        command: match verb {
            Verb::Link => "link",
            Verb::Unlink => "unlink",
            Verb::Relink => "relink",
            Verb::Switch => "switch",
        },
        dry_run,
        changed: changed(
            dry_run,
            failure,
            !planned.plan.is_empty() || beside.is_some_and(Beside::is_something),
        ),
        dir: Text::from(farm.dir.as_path()),
        target: Text::from(farm.target().as_path()),
        packages: names(packages),
        held_back: names(&planned.held_back),
        ops: planned.plan.ops.iter().map(|op| op_report(farm, &op)).collect(),
        conflicts: planned.conflicts.iter().map(|conflict| conflict_report(farm, conflict)).collect(),
        skipped: planned.skipped.iter().map(|conflict| conflict_report(farm, conflict)).collect(),
        notices: planned.notices.iter().map(|notice| notice_report(farm, notice)).collect(),
        beside: beside.copied(),
        commands: commands.iter().map(command).collect(),
        error: failure.map(|failure| failure.error.to_string()),
        stuck: failure.map_or(Vec::new(), |f| f.stuck.iter().map(ToString::to_string).collect()),
    });
}

#[derive(Serialize)]
struct GenerationReport {
    id: u64,
    /// Seconds since 1970, UTC.
    time: i64,
    command: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    back_to: Option<u64>,
    current: bool,
    ops: Vec<OpReport>,
}

#[derive(Serialize)]
struct GenerationsReport {
    command: &'static str,
    changed: bool,
    target: Text,
    generations: Vec<GenerationReport>,
}

/// Prints generations, the newest first.
pub fn generations(farm: &Farm, told: &[Told]) {
    let report = |told: &Told| {
        let root = Path::new("/").join(std::ffi::OsStr::from_bytes(told.header.root.as_bytes()));
        let farm = Farm { root, mount: RelPath::root(), dir: farm.dir.clone(), declared: None };
        GenerationReport {
            id: told.header.id,
            time: told.header.time,
            command: told.header.command.clone(),
            back_to: told.header.back_to,
            current: told.is_current,
            ops: told.ops.iter().map(|op| op_report(&farm, &op)).collect(),
        }
    };
    write(&GenerationsReport {
        command: "generations",
        changed: false,
        target: Text::from(farm.target().as_path()),
        generations: told.iter().map(report).collect(),
    });
}

#[derive(Serialize)]
struct ExpiredReport<'a> {
    command: &'static str,
    dry_run: bool,
    changed: bool,
    target: Text,
    dropped: &'a [u64],
}

/// Prints which generations are gone, or would be.
pub fn expired(farm: &Farm, ids: &[u64], dry_run: bool) {
    let target = Text::from(farm.target().as_path());
    write(&ExpiredReport {
        command: "generations",
        dry_run,
        changed: !dry_run && !ids.is_empty(),
        target,
        dropped: ids,
    });
}

#[derive(Serialize)]
struct BackReport {
    command: &'static str,
    dry_run: bool,
    changed: bool,
    target: Text,
    /// The generation; nothing when there is none to go back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<u64>,
    ops: Vec<OpReport>,
    /// What was changed since in other ways and stays as it is.
    left: Vec<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stuck: Vec<String>,
}

/// Prints what came of a rollback.
pub fn back(farm: &Farm, way: &Way, failure: Option<&Failure>, dry_run: bool) {
    write(&BackReport {
        command: "rollback",
        dry_run,
        changed: changed(dry_run, failure, !way.is_empty()),
        target: Text::from(farm.target().as_path()),
        to: Some(way.to),
        ops: way.phases.iter().flat_map(|plan| plan.ops.iter()).map(|op| op_report(farm, &op)).collect(),
        left: way.changed.iter().map(|at| path(farm, at)).collect(),
        error: failure.map(|failure| failure.error.to_string()),
        stuck: failure.map_or(Vec::new(), |f| f.stuck.iter().map(ToString::to_string).collect()),
    });
}

/// Prints that there is no generation to go back to.
pub fn nowhere(farm: &Farm, dry_run: bool) {
    write(&BackReport {
        command: "rollback",
        dry_run,
        changed: false,
        target: Text::from(farm.target().as_path()),
        to: None,
        ops: Vec::new(),
        left: Vec::new(),
        error: None,
        stuck: Vec::new(),
    });
}

/// What `recover` found.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recovery {
    /// No run was interrupted.
    Nothing,
    /// One was, and waits.
    Waiting,
    /// What it had left is in order.
    Recovered,
    /// Its journal is set aside.
    Forgotten,
}

#[derive(Serialize)]
struct RecoverReport {
    command: &'static str,
    dry_run: bool,
    changed: bool,
    target: Text,
    recovery: Recovery,
    /// Where the journal is.
    #[serde(skip_serializing_if = "Option::is_none")]
    journal: Option<Text>,
}

/// Prints what came of a recovery.
pub fn recovery(farm: &Farm, recovery: Recovery, journal: Option<&Path>, dry_run: bool) {
    write(&RecoverReport {
        command: "recover",
        dry_run,
        changed: matches!(recovery, Recovery::Recovered) || journal.is_some(),
        target: Text::from(farm.target().as_path()),
        recovery,
        journal: journal.map(Text::from),
    });
}

#[derive(Serialize)]
struct SessionReport<'a> {
    command: &'static str,
    changed: bool,
    #[serde(flatten)]
    session: &'a Session,
}

/// Prints what a new shell gets.
pub fn session(session: &Session) {
    write(&SessionReport { command: "env", changed: false, session });
}

#[derive(Serialize)]
struct WrittenReport<'a> {
    command: &'a str,
    dry_run: bool,
    changed: bool,
    path: Text,
    text: &'a str,
}

/// Prints what `init` or `import` has written, or would write.
pub fn written(command: &str, path: &Path, text: &str, dry_run: bool) {
    write(&WrittenReport { command, dry_run, changed: !dry_run, path: Text::from(path), text });
}

/// Prints what a shell reads to complete.
pub fn completions(shell: &str, script: &str) {
    write(&serde_json::json!({"command": "completions", "changed": false, "shell": shell, "script": script}));
}

/// Prints that a command was refused before there was a plan.
pub fn error(message: &str) {
    write(&ErrorReport { changed: false, error: message });
}

/// Prints what could not be done after something was changed.
pub fn late_error(message: &str) {
    write(&ErrorReport { changed: true, error: message });
}

fn write(report: &impl Serialize) {
    let mut stdout = std::io::stdout().lock();
    let written = serde_json::to_writer_pretty(&mut stdout, report).map_err(std::io::Error::from);
    words::lost(written.and_then(|()| writeln!(stdout)));
}

fn op_report(farm: &Farm, op: &Op) -> OpReport {
    let link = |thing: &Thing| match thing {
        Thing::Link(text) => Some(Text::from(text.as_bytes())),
        Thing::Dir(_) | Thing::File(_) => None,
    };
    let (name, from, to) = match &op.change {
        Change::Make(Thing::File(_)) => ("make-file", None, None),
        Change::Remove(Thing::File(_)) => ("remove-file", None, None),
        Change::Swap { old, new: Thing::File(_) } => ("change-file", link(old), None),
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
        Change::Swap { new: Thing::Dir(pieces), .. }
        | Change::Displace { new: Thing::Dir(pieces), .. }
        | Change::Restore { old: Thing::Dir(pieces), .. }
        | Change::Remove(Thing::Dir(pieces)) => pieces
            .iter()
            .map(|piece| PieceReport {
                path: Text::from(piece.path.as_bytes()),
                to: piece.text.as_ref().map(|text| Text::from(text.as_bytes())),
            })
            .collect(),
        _ => Vec::new(),
    };
    let (what, other) = match &op.change {
        Change::Displace { what, to: place, .. } | Change::Restore { what, from: place, .. } => {
            (Some(what_moves(what)), Some(place))
        }
        Change::Make(_) | Change::Remove(_) | Change::Swap { .. } => (None, None),
    };
    let other_path = other.and_then(|place| match place {
        Place::Package { at, .. } => Some(Text::from(farm.absolute(at).as_path())),
        Place::Beside(name) => Some(path(farm, &op.path.split()?.0.join(name))),
        Place::Kept(_) | Place::Equal(_) => None,
    });
    OpReport { op: name, path: path(farm, &op.path), from, to, content, what, other_path }
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

fn what_moves(what: &What) -> &'static str {
    match what {
        What::File => "file",
        What::Link(_) => "link",
        What::Dir => "directory",
        What::Other => "special-file",
    }
}

fn conflict_report(farm: &Farm, conflict: &Conflict) -> ConflictReport {
    let (of, why) = match &conflict.reason {
        Reason::Unresolved { of, why } => (&**of, Some(why)),
        reason => (reason, None),
    };
    let (reason, to) = match of {
        Reason::AbsoluteSource { text, .. } => ("absolute-link-in-package", Some(text)),
        Reason::NotOwned(text) => ("foreign-link", Some(text)),
        Reason::OtherPackage { text, .. } => ("other-package", Some(text)),
        Reason::Directory { .. } => ("directory", None),
        Reason::FileForDirectory { .. } => ("file-for-directory", None),
        Reason::File { compared: Compared::Differ, .. } => ("file-differs", None),
        Reason::File { compared: Compared::Edited, .. } => ("file-edited", None),
        Reason::File { .. } => ("file", None),
        Reason::StowDir => ("dotfiles-directory", None),
        Reason::NotADirectory => ("not-a-directory", None),
        Reason::OnTheWay(text) => ("link-on-the-way", Some(text)),
        Reason::NoSource { .. } => ("no-source", None),
        Reason::BackupPlace => ("backup-place", None),
        Reason::Unresolved { .. } => ("unresolved", None),
    };
    let obstacle = why.map(|why| match why {
        Obstacle::BackupExists(_) => "backup-exists",
        Obstacle::BackupTooLong(_) => "backup-name-too-long",
        Obstacle::NotAdoptable => "not-adoptable",
        Obstacle::HoldsStowDir => "holds-dotfiles-directory",
        Obstacle::HoldsMarked(_) => "holds-protected-directory",
        Obstacle::HoldsLinks { .. } => "holds-links-of-other-package",
    });
    let backup = why.and_then(|why| match why {
        Obstacle::BackupExists(name) | Obstacle::BackupTooLong(name) => Some(Text::from(name.as_bytes())),
        _ => None,
    });
    ConflictReport {
        package: Text::from(conflict.package.as_bytes()),
        path: path(farm, &conflict.path),
        reason,
        obstacle,
        backup,
        to: to.map(|text| Text::from(text.as_bytes())),
    }
}

fn notice_report(farm: &Farm, notice: &Notice) -> NoticeReport {
    let (name, at, backup) = match notice {
        Notice::StowDir(path) => ("dotfiles-directory", path, None),
        Notice::Marked(path) => ("marked-stow-directory", path, None),
        Notice::Protected(path) => ("protected-directory", path, None),
        Notice::AbsoluteLink { path, .. } => ("absolute-link-left", path, None),
        Notice::Edited(path) => ("edited-file-left", path, None),
        Notice::NoBackup { path, backup } => ("no-backup", path, Some(backup)),
    };
    let backup = backup.map(|backup| Text::from(backup.as_bytes()));
    NoticeReport { notice: name, path: path(farm, at), backup }
}

/// Paths are absolute: a script need not know what they are relative to.
fn path(farm: &Farm, path: &RelPath) -> Text {
    let path = farm.root.join(std::ffi::OsStr::from_bytes(path.as_bytes()));
    Text::from(path.as_path())
}
