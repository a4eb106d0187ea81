//! Every sentence of farm's own commands.

mod change;
mod check;
mod doctor;
mod history;
mod import;
mod manifest;
mod status;
mod switch;
mod transfer;
mod why;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style};
use farm::{
    Change, Compared, Conflict, Error, Failure, LinkText, Name, Notice, Obstacle, Op, Ops, Piece, Place,
    Planned, Reason, RelPath, ScanError, Thing, Usual, Vacant, What, system_words,
};

use super::Exit;
use super::args::{Global, Verb};
use super::json;
use super::resolve::{Cause, Farm, Refusal};

pub use change::{doing, reading};
pub use check::seen;
pub use doctor::about;
pub use history::{BEFORE_THE_FIRST, generation};
pub use import::Because;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();
const MADE: Style = AnsiColor::Green.on_default();
const GONE: Style = AnsiColor::Red.on_default();
const CHANGED: Style = AnsiColor::Yellow.on_default();

/// How much is said, and how.
#[derive(Debug)]
pub struct Words {
    quiet: bool,
    verbose: bool,
    dry_run: bool,
    json: bool,
}

impl Words {
    /// Returns the words that the options ask for.
    pub fn new(global: &Global) -> Words {
        Words {
            quiet: global.quiet,
            verbose: global.verbose > 0 || global.dry_run,
            dry_run: global.dry_run,
            json: global.json,
        }
    }

    /// Tells whether anybody wants to see how far something has come.
    pub fn shows_progress(&self) -> bool {
        !self.quiet && !self.json
    }

    /// Says why a command line makes no sense.
    pub fn usage(&self, message: &str, hint: &str) -> Exit {
        self.say_refusal(message, &[], Some(hint));
        Exit::Usage
    }

    /// Says what is wrong with a `.stowrc`; nothing has changed.
    pub fn bad_stowrc(&self, message: &str) -> Exit {
        let hint = "farm takes the defaults of ~/.stowrc and ./.stowrc, as stow does";
        self.say_refusal(&shown(message), &["nothing was changed".to_owned()], Some(hint));
        Exit::Refused
    }

    /// Says what a system call could not do; nothing has changed.
    pub fn error(&self, error: &Error) -> Exit {
        self.say_refusal(&shown(&error.to_string()), &["nothing was changed".to_owned()], None);
        Exit::Refused
    }

    /// Prints a text that is the result, as it is: it is for programs.
    pub fn print(&self, text: &str) {
        lost(io::stdout().write_all(text.as_bytes()));
    }

    /// Says at the end of a command what kept its output from being written. That is a failure where the output is all
    /// that was asked for; else what was asked for is done.
    pub fn ended(&self, exit: Exit, only_tells: bool) -> Exit {
        lost(io::stdout().flush());
        let (Some(error), Exit::Done) = (LOST.get(), exit) else { return exit };
        let message = format!("cannot write the output: {}", system_words(error));
        if only_tells {
            self.say_error(&message, &[], &[]);
            return Exit::Refused;
        }
        self.to_stderr(&format!("{WARNING}warning:{WARNING:#} {message}"));
        exit
    }

    /// Says what could not be done for new shells after the farm was changed.
    pub fn left_behind(&self, error: &Error) -> Exit {
        let facts = ["the links are as they should be; new shells get what they got before".to_owned()];
        let message = shown(&error.to_string());
        self.say_error(&message, &facts, &["mend this and run `farm switch`".to_owned()]);
        if self.json {
            json::late_error(&message);
        }
        Exit::Refused
    }

    /// Says why it could not be remembered which commands have succeeded.
    pub fn runs_again(&self, error: &Error) {
        let text = "the next `farm switch` runs the commands of this one again";
        self.to_stderr(&format!("{WARNING}warning:{WARNING:#} {}: {text}", shown(&error.to_string())));
    }

    /// Says why a farm could not be read; nothing has changed.
    pub fn scan_error(&self, error: &ScanError) -> Exit {
        self.say_refusal(&shown(&error.to_string()), &["nothing was changed".to_owned()], None);
        Exit::Refused
    }

    /// Says why a command line could not become a request; nothing has changed.
    pub fn refusal(&self, refusal: &Refusal) -> Exit {
        let (message, hint) = match refusal {
            Refusal::Directory { role, path, cause, from } => {
                let state = match cause {
                    Cause::Missing => "does not exist".to_owned(),
                    Cause::DanglingLink => "is a link that leads nowhere".to_owned(),
                    Cause::NotADirectory => "is not a directory".to_owned(),
                    Cause::System(error) => format!("cannot be used: {}", system_words(error)),
                };
                let origin = from.map_or(String::new(), |from| format!(" (from {from})"));
                let option = if role.starts_with("target") { "--target" } else { "--dir" };
                (
                    format!("the {role} {}{origin} {state}", path.display()),
                    Some(format!("name another with {option}")),
                )
            }
            Refusal::UnknownPackage { name, dir, nearest } => {
                let hint = match nearest.as_slice() {
                    [] => Some(
                        "`farm list` names the packages, --dir another dotfiles directory; `farm prune` removes links \
                         of a package that is gone"
                            .into(),
                    ),
                    names => Some(format!("did you mean {}?", names.join(", "))),
                };
                (format!("there is no package {} in {}", name.display(), dir.display()), hint)
            }
            Refusal::NotAPackage { name, why } => {
                let name = if name.is_empty() { "an empty name".into() } else { name.display().to_string() };
                (format!("{name} is not a package: {why}"), None)
            }
            Refusal::NotInDotfiles { name, dir } => (
                format!(
                    "{} is not a package: it is no directory directly in the dotfiles directory {}",
                    name.display(),
                    dir.display()
                ),
                Some("--dir names another dotfiles directory".to_owned()),
            ),
            Refusal::TargetInside { target, dir } => (
                format!(
                    "the target {} lies in the dotfiles directory {}: links there would change the packages",
                    target.display(),
                    dir.display()
                ),
                Some("name another with --target".to_owned()),
            ),
            Refusal::NotHere { name, manifest } => (
                format!("{} is not for this machine", name.display()),
                Some(format!("{} says when it is: `when`, `enable`", manifest.display())),
            ),
            Refusal::Manifest(wrong) => return self.manifest(wrong),
            Refusal::NoManifest { dir } if dir.join(manifest::FILE).exists() => (
                format!("the farm.toml in {} says nothing", dir.display()),
                Some("to take away what it named, let it say `defaults.target`, and switch".to_owned()),
            ),
            Refusal::NoManifest { dir } => (
                format!("there is no farm.toml in {}", dir.display()),
                Some("it says what to switch to; --dir names another dotfiles directory".to_owned()),
            ),
            Refusal::WhichProfile { known } => (
                "farm.toml has profiles, and none is named".to_owned(),
                Some(format!("say `farm switch PROFILE`: {}", known.join(", "))),
            ),
            Refusal::UnknownProfile { name, known } => {
                let hint = match known.as_slice() {
                    [] => "farm.toml has no profiles: say `farm switch`".to_owned(),
                    [only] => format!("the only profile is {only}"),
                    known => format!("the profiles are {}", known.join(", ")),
                };
                (format!("there is no profile {name}"), Some(hint))
            }
            Refusal::ManifestExists { path } => (
                format!("there is a {} already", path.display()),
                Some("-n prints what would be written".to_owned()),
            ),
            Refusal::NothingToWrite { dir } => {
                (format!("there is nothing that a farm.toml in {} could say", dir.display()), None)
            }
            Refusal::Edited { link, file } => {
                let (file, through) = (file.display(), if link.is_some() { " through its link" } else { "" });
                let what = link.as_ref().map_or_else(|| file.to_string(), |link| link.display().to_string());
                let hint = "take the edit over into what farm.toml says, remove";
                (
                    format!("{what} was edited{through} since farm wrote it"),
                    Some(format!("{hint} {file}, and switch again")),
                )
            }
            Refusal::NotNix { path, line, message } => {
                (format!("{}:{line} is not in the Nix language: {message}", path.display()), None)
            }
            Refusal::NoPackages { dir } => (
                format!("there is no package in {}, to which links lead", dir.display()),
                Some("is it on a disk that is not mounted?".to_owned()),
            ),
            Refusal::NotDotbots { path, line, message: Some(message) } => {
                (format!("{}:{line} is not YAML: {message}", path.display()), None)
            }
            Refusal::NotDotbots { path, line, message: None } => (
                format!(
                    "{}:{line} is not dotbot's: a list of directives, with links by their targets",
                    path.display()
                ),
                Some("farm import reads home.nix and dotbot's install.conf.yaml".to_owned()),
            ),
            Refusal::System(error) => (error.to_string(), None),
        };
        self.say_refusal(&shown(&message), &["nothing was changed".to_owned()], hint.as_deref());
        Exit::Refused
    }

    /// Says what came of a request.
    pub fn result(
        &self,
        verb: Verb,
        farm: &Farm,
        packages: &[RelPath],
        planned: &Planned,
        failure: Option<&Failure>,
    ) -> Exit {
        self.notices(farm, &planned.notices);
        if let Some(failure) = failure {
            return self.failure(failure);
        }
        self.left_alone(farm, &planned.skipped);
        let done: Vec<RelPath> =
            packages.iter().filter(|p| !planned.held_back.contains(p)).cloned().collect();
        let stopped = !planned.conflicts.is_empty();
        let went_on = stopped && !planned.held_back.is_empty() && !done.is_empty();
        if stopped {
            self.conflicts(verb, farm, planned, went_on, packages.len());
        }
        if !stopped || went_on {
            self.done(verb, farm, &done, planned);
        }
        if stopped { Exit::Refused } else { Exit::Done }
    }

    /// Says that the answer to a question was to change nothing.
    pub fn quit(&self) -> Exit {
        self.to_stderr("nothing was changed");
        if self.json {
            json::error(asked::QUIT);
        }
        Exit::Refused
    }

    /// Says what could not be cleaned up after everything was done.
    pub fn left_over(&self, errors: &[Error]) {
        for error in errors {
            self.to_stderr(&format!("{WARNING}warning:{WARNING:#} {}", shown(&error.to_string())));
        }
    }

    fn failure(&self, failure: &Failure) -> Exit {
        let mut facts = Vec::new();
        let mut hints = Vec::new();
        if failure.stuck.is_empty() {
            facts.push(match failure.begun {
                true => "everything done so far was taken back: nothing was changed".to_owned(),
                false => "nothing was changed".to_owned(),
            });
        } else {
            hints.push("mend these and run `farm recover`".to_owned());
            facts.push("all else was taken back, but not this:".to_owned());
            facts.extend(failure.stuck.iter().map(|error| format!("  {}", shown(&error.to_string()))));
        }
        let message = match failure.interrupted {
            true => "interrupted".to_owned(),
            false => shown(&failure.error.to_string()),
        };
        self.say_error(&message, &facts, &hints);
        match (failure.stuck.is_empty(), failure.interrupted) {
            (false, _) => Exit::Stuck,
            (true, true) => Exit::Interrupted,
            (true, false) => Exit::Refused,
        }
    }

    fn conflicts(&self, verb: Verb, farm: &Farm, planned: &Planned, went_on: bool, requested: usize) {
        let conflicts = in_order(&planned.conflicts);
        let mut names: Vec<&RelPath> = conflicts.iter().map(|conflict| &conflict.package).collect();
        names.sort();
        names.dedup();
        let count = match conflicts.len() {
            1 => "1 thing is".to_owned(),
            n => format!("{n} things are"),
        };
        let paths: Vec<String> = conflicts.iter().map(|c| path_shown(farm, &c.path)).collect();
        let width = paths.iter().map(|path| path.chars().count()).max().unwrap_or(0).min(40);
        let several = names.len() > 1;
        let mut facts: Vec<String> = Vec::new();
        for (conflict, path) in conflicts.iter().zip(&paths) {
            let of = if several { format!(" (for {})", name(&conflict.package)) } else { String::new() };
            facts.push(format!("  {path:width$}  {}{of}", reason(farm, conflict)));
        }
        if !went_on {
            facts.push("nothing was changed".to_owned());
        }
        let mut hints = hints(verb, &conflicts);
        let links = conflicts.iter().filter_map(|conflict| match &conflict.reason {
            Reason::NotOwned(text) => Some((&conflict.path, text)),
            _ => None,
        });
        if let Some(hint) = moved_hint(verb, farm, false, links) {
            hints.insert(0, hint);
        }
        if !went_on && names.len() < requested {
            hints
                .push("--keep-going holds back only the packages that something is in the way of".to_owned());
        }
        hints.truncate(2);
        let names: Vec<String> = names.into_iter().map(name).collect();
        let what = match verb {
            Verb::Switch => "switch".to_owned(),
            Verb::Unlink => format!("unlink {}", some(&names)),
            Verb::Link | Verb::Relink => format!("link {}", some(&names)),
        };
        self.say_error(&format!("cannot {what}: {count} in the way"), &facts, &hints);
    }

    /// Says what is in the way and stays there, as it was asked for.
    fn left_alone(&self, farm: &Farm, skipped: &[Conflict]) {
        if self.quiet {
            return;
        }
        for conflict in in_order(skipped) {
            let line = in_the_way(farm, conflict);
            self.to_stderr(&format!("{WARNING}warning:{WARNING:#} left alone {line}"));
        }
    }

    fn done(&self, verb: Verb, farm: &Farm, packages: &[RelPath], planned: &Planned) {
        if self.quiet || self.json {
            return;
        }
        if self.verbose {
            for line in plan_lines(farm, &planned.plan.ops) {
                to_stdout(&line);
            }
        }
        let left_alone = in_order(&planned.skipped).len();
        if planned.plan.is_empty() {
            let state = match left_alone {
                0 => as_it_is(verb, packages, &planned.vacant),
                1 => "1 thing in the way was left alone".to_owned(),
                n => format!("{n} things in the way were left alone"),
            };
            to_stdout(&format!("nothing to do: {state}"));
            return;
        }
        let tally = Tally { left_alone, ..Tally::of(&planned.plan.ops) };
        let did = match (verb, self.dry_run) {
            (Verb::Link, false) => "linked",
            (Verb::Link, true) => "would link",
            (Verb::Unlink, false) => "unlinked",
            (Verb::Unlink, true) => "would unlink",
            (Verb::Relink, false) => "relinked",
            (Verb::Relink, true) => "would relink",
            (Verb::Switch, false) => "switched",
            (Verb::Switch, true) => "would switch",
        };
        let (vacant, linked): (Vec<&RelPath>, Vec<&RelPath>) =
            packages.iter().partition(|package| is_vacant(package, &planned.vacant));
        // Relinking may take the last links of an empty package away.
        let (packages, of_vacant) = match verb == Verb::Link && !linked.is_empty() {
            true => (linked, of_vacant(&vacant, &planned.vacant)),
            false => (packages.iter().collect(), None),
        };
        let of_vacant = of_vacant.map(|nothing| format!("; {nothing}")).unwrap_or_default();
        let end = if self.dry_run { "; nothing was changed" } else { "" };
        to_stdout(&format!("{did} {}: {}{of_vacant}{end}", named(&packages), tally.words()));
        self.seems_moved(verb, farm, &planned.plan.ops);
    }

    /// Says what may have been meant where links moved out of the way that a dotfiles directory seems to have left behind.
    fn seems_moved(&self, verb: Verb, farm: &Farm, ops: &Ops) {
        let displaced: Vec<(RelPath, LinkText)> = ops
            .iter()
            .filter_map(|op| match op.change {
                Change::Displace { what: What::Link(text), .. } => Some((op.path, text)),
                _ => None,
            })
            .collect();
        let links = displaced.iter().map(|(path, text)| (path, text));
        if let Some(hint) = moved_hint(verb, farm, !self.dry_run, links) {
            self.to_stderr(&format!("{HINT}hint:{HINT:#} {hint}"));
        }
    }

    fn notices(&self, farm: &Farm, notices: &[Notice]) {
        if self.quiet {
            return;
        }
        let mut said = Vec::new();
        for notice in notices {
            let line = match notice {
                Notice::StowDir(path) => {
                    format!("left out {}: the dotfiles directory", path_shown(farm, path))
                }
                Notice::Marked(path) => {
                    format!(
                        "left out {}: a .stow file in it says that it holds packages",
                        path_shown(farm, path)
                    )
                }
                Notice::Protected(path) => {
                    format!("left out {}: a .nonstow file in it protects it", path_shown(farm, path))
                }
                Notice::AbsoluteLink { path, text } => {
                    format!("left {}: a link to {}", path_shown(farm, path), text_shown(text))
                }
                Notice::Edited(path) => {
                    format!(
                        "left {}: farm wrote it, and somebody has changed it since",
                        path_shown(farm, path)
                    )
                }
                Notice::NoBackup { path, backup } => format!(
                    "nothing comes back to {}: {} is not what farm left there",
                    path_shown(farm, path),
                    name_shown(backup)
                ),
            };
            if !said.contains(&line) {
                self.to_stderr(&format!("{WARNING}warning:{WARNING:#} {line}"));
                said.push(line);
            }
        }
    }

    fn say_error(&self, message: &str, facts: &[String], hints: &[String]) {
        let mut text = format!("{ERROR}error:{ERROR:#} {message}");
        for fact in facts {
            let _ = write!(text, "\n{fact}");
        }
        for hint in hints {
            let _ = write!(text, "\n{HINT}hint:{HINT:#} {hint}");
        }
        self.to_stderr(&text);
    }

    /// Says why there is not even a plan.
    fn say_refusal(&self, message: &str, facts: &[String], hint: Option<&str>) {
        let hints: Vec<String> = hint.into_iter().map(str::to_owned).collect();
        self.say_error(message, facts, &hints);
        if self.json {
            json::error(message);
        }
    }

    fn to_stderr(&self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }
}

/// What kept output from being written first.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Writes a line.
fn to_stdout(line: &str) {
    lost(writeln!(anstream::stdout(), "{line}"));
}

/// Remembers what kept output from being written, for [`Words::ended`]; a reader that went away is nobody's mistake.
pub fn lost(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error);
    }
}

/// Says how links come along that lead to where the dotfiles directory seems to have been.
fn moved_hint<'l>(
    verb: Verb,
    farm: &Farm,
    is_done: bool,
    links: impl Iterator<Item = (&'l RelPath, &'l LinkText)>,
) -> Option<String> {
    let former = shown(&farm.seems_moved_from(links)?.display().to_string());
    let verb = if verb == Verb::Switch { "switch" } else { "relink" };
    let undo = if is_done { "`farm undo`, then " } else { "" };
    Some(format!("if the dotfiles directory was {former}: {undo}`farm {verb} --moved-from {former}`"))
}

/// Says of packages why there is nothing to do.
fn as_it_is(verb: Verb, packages: &[RelPath], vacant: &[Vacant]) -> String {
    let (vacant_ones, others): (Vec<&RelPath>, Vec<&RelPath>) =
        packages.iter().partition(|package| is_vacant(package, vacant));
    let of_vacant = of_vacant(&vacant_ones, vacant);
    let of_others = (!others.is_empty() || of_vacant.is_none())
        .then(|| format!("{} {}", named(&others), already(verb, others.len())).trim_start().to_owned());
    of_others.into_iter().chain(of_vacant).collect::<Vec<_>>().join(", and ")
}

fn is_vacant(package: &RelPath, vacant: &[Vacant]) -> bool {
    vacant.iter().any(|it| it.package() == package)
}

/// Says of packages that nothing of them can be linked; `None` without one.
fn of_vacant(packages: &[&RelPath], vacant: &[Vacant]) -> Option<String> {
    let are_ignored = vacant.iter().all(|it| matches!(it, Vacant::Ignored(_)));
    match (packages.is_empty(), are_ignored) {
        (true, _) => None,
        (false, true) => Some(format!("everything in {} is ignored", named(packages))),
        (false, false) => Some(format!("there is nothing to link in {}", named(packages))),
    }
}

fn named(packages: &[&RelPath]) -> String {
    some(&packages.iter().map(|it| name(it)).collect::<Vec<_>>())
}

fn already(verb: Verb, count: usize) -> &'static str {
    match (verb, count) {
        (_, 0) => "no package has links here",
        (Verb::Unlink, 1) => "has no links here",
        (Verb::Unlink, _) => "have no links here",
        (_, 1) => "is linked already",
        (_, _) => "are linked already",
    }
}

/// Returns conflicts by path, each once.
fn in_order(conflicts: &[Conflict]) -> Vec<&Conflict> {
    let mut conflicts: Vec<&Conflict> = conflicts.iter().collect();
    conflicts.sort_by(|a, b| (&a.path, &a.package).cmp(&(&b.path, &b.package)));
    conflicts.dedup();
    conflicts
}

/// Returns what is in the way, and where.
pub fn in_the_way(farm: &Farm, conflict: &Conflict) -> String {
    format!("{}: {}", path_shown(farm, &conflict.path), reason(farm, conflict))
}

fn reason(farm: &Farm, conflict: &Conflict) -> String {
    match &conflict.reason {
        Reason::Unresolved { of, why } => {
            format!("{}; {}", plain_reason(&conflict.package, of), obstacle(farm, why))
        }
        reason => plain_reason(&conflict.package, reason),
    }
}

fn plain_reason(of: &RelPath, reason: &Reason) -> String {
    let package = name(of);
    match reason {
        Reason::AbsoluteSource { text, .. } => {
            format!("{package} has a link with an absolute path there, {}", text_shown(text))
        }
        Reason::NotOwned(text) => format!("a link to {}, not made by farm", text_shown(text)),
        Reason::OtherPackage { text, owner } if owner == of => {
            format!("a link to {}, another place in {package}", text_shown(text))
        }
        Reason::OtherPackage { text, owner } => {
            format!("a link to {}, which is {}'s", text_shown(text), name(owner))
        }
        Reason::Directory { .. } => format!("a directory, where {package} has none"),
        Reason::FileForDirectory { .. } => format!("a file, where {package} has a directory"),
        Reason::File { compared: Compared::Differ, .. } => {
            format!("a file, not a link, and not equal to {package}'s")
        }
        Reason::File { compared: Compared::Edited, .. } => {
            "a file that farm wrote, and somebody has changed since".to_owned()
        }
        Reason::File { .. } => "a file, not a link".to_owned(),
        Reason::StowDir => "the dotfiles directory; links in it would change the packages".to_owned(),
        Reason::NotADirectory => "not a directory".to_owned(),
        Reason::OnTheWay(text) => {
            format!("a link to {}, not made by farm, which goes through no such links", text_shown(text))
        }
        Reason::NoSource { .. } => format!("{package} has nothing to put there"),
        Reason::BackupPlace => "the name that the backup of something else gets".to_owned(),
        Reason::Unresolved { of: reason, .. } => plain_reason(of, reason),
    }
}

/// Says why a strategy cannot make way.
fn obstacle(farm: &Farm, why: &Obstacle) -> String {
    match why {
        Obstacle::BackupExists(backup) => format!("{} exists already", name_shown(backup)),
        Obstacle::BackupTooLong(backup) => {
            let length = backup.as_bytes().len();
            format!("its backup's name would have {length} bytes, and 255 is the most")
        }
        Obstacle::NotAdoptable => "only a file is adopted, and only in a file's place".to_owned(),
        Obstacle::HoldsStowDir => "it is, or holds, the dotfiles directory".to_owned(),
        Obstacle::HoldsMarked(path) => {
            format!("a .stow or .nonstow file protects {}", path_shown(farm, path))
        }
        Obstacle::HoldsLinks { owner: Some(owner) } => format!("links of {} are in it", name(owner)),
        Obstacle::HoldsLinks { owner: None } => "another package of this call has links in it".to_owned(),
    }
}

/// Returns what helps against conflicts, the best first.
fn hints(verb: Verb, conflicts: &[&Conflict]) -> Vec<String> {
    let mut hints = Vec::new();
    let has = |is: fn(&Reason) -> bool| conflicts.iter().any(|conflict| is(&conflict.reason));
    let movable = |reason: &Reason| {
        matches!(reason, Reason::File { .. } | Reason::NotOwned(_) | Reason::Directory { .. })
    };
    let aside: Vec<&Conflict> = conflicts.iter().filter(|c| movable(&c.reason)).copied().collect();
    if !aside.is_empty() {
        let them = if aside.len() == 1 { "it" } else { "them" };
        let mut hint = format!("--backup moves {them} aside");
        let one_package = conflicts.iter().all(|conflict| conflict.package == conflicts[0].package);
        if one_package && conflicts.iter().all(|conflict| conflict.reason.allows(&farm::Strategy::Adopt)) {
            let package = name(&aside[0].package);
            let _ = match verb {
                // The package of a file that farm writes is the manifest.
                Verb::Switch if aside[0].package.is_root() => Ok(()),
                Verb::Switch => write!(hint, "; --adopt takes {them} into the dotfiles directory"),
                _ => write!(hint, "; `farm adopt {package}` takes {them} into the package"),
            };
        }
        hints.push(hint);
    }
    if has(|reason| matches!(reason, Reason::Unresolved { why: Obstacle::BackupExists(_), .. })) {
        hints.push("--backup-existing number gives backups the next free number".to_owned());
    }
    if has(|reason| matches!(reason, Reason::Unresolved { why: Obstacle::BackupTooLong(_), .. })) {
        hints.push("--backup=SUFFIX takes a shorter one, --replace needs no name".to_owned());
    }
    if has(|reason| matches!(reason, Reason::Unresolved { why: Obstacle::NotAdoptable, .. })) {
        hints.push("--backup moves anything aside".to_owned());
    }
    if has(|reason| matches!(reason, Reason::OtherPackage { .. })) {
        hints.push("--override PATH takes it over, --defer PATH leaves it".to_owned());
    }
    hints
}

/// What is said around questions.
pub mod asked {
    use farm::{Backup, Strategy};

    use super::{GONE, HINT, MADE};

    /// After an answer that is none.
    pub const NO_ANSWER: &str = "answer with one of these letters";
    /// In the place of a diff.
    pub const NOT_TEXT: &str = "not text";
    /// In the place of a diff.
    pub const TOO_LARGE: &str = "too large to show";
    /// In the place of a diff.
    pub const SAME_BYTES: &str = "the same bytes; only the mode differs";
    /// In the place of a diff.
    pub const NO_FILE: &str = "not a file any more";
    /// The result when somebody quits.
    pub(super) const QUIT: &str = "the answer was to quit";

    /// Returns what one may answer.
    pub fn choices(allows: impl Fn(&Strategy) -> bool, diff: bool) -> String {
        let backup = Strategy::Backup(Backup::default());
        let mut choices = Vec::new();
        for (way, words) in [
            (backup, "[b]ack up"),
            (Strategy::Adopt, "[a]dopt"),
            (Strategy::Replace, "[r]eplace"),
            (Strategy::Skip, "[s]kip"),
        ] {
            if allows(&way) {
                choices.push(words);
            }
        }
        if diff {
            choices.push("show [d]iff");
        }
        choices.push("[q]uit");
        format!("{HINT}{} (capital: all of these)?{HINT:#}", choices.join(", "))
    }

    /// Returns a line of a diff in its colour.
    pub fn diff_line(line: &str) -> String {
        let text = printable(line);
        match line.as_bytes().first() {
            Some(b'+') => format!("{MADE}{text}{MADE:#}"),
            Some(b'-') => format!("{GONE}{text}{GONE:#}"),
            _ => text,
        }
    }

    /// Returns text whose control characters are escaped, but for tabs.
    pub fn printable(text: &str) -> String {
        text.split('\t').map(super::shown).collect::<Vec<_>>().join("\t")
    }
}

/// So many packages are named; that there are more is said in a number.
const PACKAGES_NAMED: usize = 20;

/// Returns a list of packages, of which the first ones stand for very many.
fn some(names: &[String]) -> String {
    match names.split_at_checked(PACKAGES_NAMED) {
        Some((first, more)) if !more.is_empty() => format!("{} and {} more", first.join(", "), more.len()),
        _ => names.join(", "),
    }
}

/// What a plan comes to, in numbers.
#[derive(Default)]
struct Tally {
    made: usize,
    removed: usize,
    changed: usize,
    files_made: usize,
    files_removed: usize,
    files_changed: usize,
    folded: usize,
    unfolded: usize,
    dirs: usize,
    backed_up: Kinds,
    adopted: Kinds,
    replaced: Kinds,
    restored: Kinds,
    left_alone: usize,
}

impl Tally {
    fn of(ops: &Ops) -> Tally {
        let Usual { links_made, links_removed, dirs_made } = ops.usual();
        let mut tally =
            Tally { made: links_made, removed: links_removed, dirs: dirs_made, ..Tally::default() };
        let links = |pieces: &[Piece]| pieces.iter().filter(|piece| piece.text.is_some()).count();
        for op in ops.unusual() {
            match &op.change {
                Change::Make(Thing::Link(_)) => tally.made += 1,
                Change::Make(Thing::File(_)) => tally.files_made += 1,
                Change::Remove(Thing::File(_)) => tally.files_removed += 1,
                Change::Swap { old: Thing::File(_), new: Thing::File(_) } => tally.files_changed += 1,
                Change::Swap { new: Thing::File(_), .. } => tally.files_made += 1,
                Change::Swap { old: Thing::File(_), new: Thing::Link(_) } => tally.made += 1,
                Change::Make(Thing::Dir(pieces)) => {
                    tally.made += links(pieces);
                    tally.dirs += 1 + pieces.len() - links(pieces);
                }
                Change::Remove(Thing::Link(_)) => tally.removed += 1,
                Change::Remove(Thing::Dir(pieces)) => tally.removed += links(pieces),
                Change::Swap { new: Thing::Dir(_), .. } => tally.unfolded += 1,
                Change::Swap { old: Thing::Dir(_), .. } => tally.folded += 1,
                Change::Swap { .. } => tally.changed += 1,
                Change::Displace { what, to, new } => {
                    match new {
                        Thing::Link(_) => tally.made += 1,
                        Thing::File(_) => tally.files_made += 1,
                        Thing::Dir(pieces) => {
                            tally.made += links(pieces);
                            tally.dirs += 1 + pieces.len() - links(pieces);
                        }
                    }
                    match to {
                        Place::Package { .. } => tally.adopted.add(what),
                        Place::Beside(_) => tally.backed_up.add(what),
                        Place::Kept(_) => tally.replaced.add(what),
                        Place::Equal(_) => {}
                    }
                }
                Change::Restore { what, old, .. } => {
                    match old {
                        Thing::Link(_) => tally.removed += 1,
                        Thing::File(_) => tally.files_removed += 1,
                        Thing::Dir(pieces) => tally.removed += links(pieces),
                    }
                    tally.restored.add(what);
                }
            }
        }
        tally
    }

    fn words(&self) -> String {
        let mut parts = Vec::new();
        let mut part = |count: usize, one: &str, many: &str| {
            if count > 0 {
                parts.push(format!("{count} {}", if count == 1 { one } else { many }));
            }
        };
        part(self.made, "link", "links");
        part(self.removed, "link removed", "links removed");
        part(self.changed, "link changed", "links changed");
        part(self.files_made, "file written", "files written");
        part(self.files_removed, "file removed", "files removed");
        part(self.files_changed, "file changed", "files changed");
        part(self.unfolded, "directory unfolded", "directories unfolded");
        part(self.folded, "directory folded", "directories folded");
        part(self.dirs, "directory made", "directories made");
        for (kinds, done) in [
            (&self.backed_up, "backed up"),
            (&self.adopted, "adopted"),
            (&self.replaced, "replaced"),
            (&self.restored, "restored"),
        ] {
            let [one, many] = kinds.nouns();
            part(kinds.count(), &format!("{one} {done}"), &format!("{many} {done}"));
        }
        part(self.left_alone, "thing left alone", "things left alone");
        parts.join(", ")
    }
}

/// How many things of each kind were moved.
#[derive(Default)]
struct Kinds {
    files: usize,
    dirs: usize,
    links: usize,
    others: usize,
}

impl Kinds {
    fn add(&mut self, what: &What) {
        match what {
            What::File => self.files += 1,
            What::Dir => self.dirs += 1,
            What::Link(_) => self.links += 1,
            What::Other => self.others += 1,
        }
    }

    fn count(&self) -> usize {
        self.files + self.dirs + self.links + self.others
    }

    /// Returns what all of them are, as one and as many.
    fn nouns(&self) -> [&'static str; 2] {
        let count = self.count();
        if count == self.files {
            ["file", "files"]
        } else if count == self.dirs {
            ["directory", "directories"]
        } else if count == self.links {
            ["foreign link", "foreign links"]
        } else {
            ["thing", "things"]
        }
    }
}

/// Says what becomes of something in the way.
fn displaced(what: &What, to: &Place) -> String {
    let what = match what {
        What::File => "file",
        What::Link(_) => "link",
        What::Dir => "directory",
        What::Other => "special file",
    };
    match to {
        Place::Package { .. } => format!(" (the {what} there moves into the package)"),
        Place::Beside(name) => format!(" (the {what} there becomes {})", name_shown(name)),
        Place::Kept(_) => format!(" (the {what} there goes to the state directory)"),
        Place::Equal(_) => " (an equal file becomes a link)".to_owned(),
    }
}

/// Says what comes back in a link's place.
fn restored(from: &Place) -> String {
    match from {
        Place::Package { .. } => " (comes back from the package)".to_owned(),
        Place::Beside(name) => format!(" (its backup {} comes back)", name_shown(name)),
        Place::Kept(_) | Place::Equal(_) => " (comes back from the state directory)".to_owned(),
    }
}

/// What is said of a file that farm writes, behind its path.
const A_FILE: &str = " (a file)";

/// Returns the plan as lines: `+` for what comes, `-` for what goes, `~` for what changes.
fn plan_lines(farm: &Farm, ops: &Ops) -> Vec<String> {
    let mut lines = Vec::new();
    for op in ops.iter() {
        let path = path_shown(farm, &op.path);
        let line = |style: Style, sign: &str, rest: String| format!("{style}{sign}{style:#} {path}{rest}");
        match &op.change {
            Change::Make(Thing::Link(text)) => lines.push(line(MADE, "+", to(text))),
            Change::Make(Thing::File(_)) => lines.push(line(MADE, "+", A_FILE.to_owned())),
            Change::Remove(Thing::File(_)) => lines.push(line(GONE, "-", A_FILE.to_owned())),
            Change::Make(Thing::Dir(pieces)) => {
                lines.push(line(MADE, "+", "/".to_owned()));
                lines.extend(piece_lines(farm, &op, pieces, MADE, "+"));
            }
            Change::Remove(Thing::Link(text)) => lines.push(line(GONE, "-", to(text))),
            Change::Remove(Thing::Dir(pieces)) => {
                lines.push(line(GONE, "-", "/".to_owned()));
                lines.extend(piece_lines(farm, &op, pieces, GONE, "-"));
            }
            Change::Displace { what, to: place, new } => {
                let rest = match new {
                    Thing::Link(text) => to(text),
                    Thing::File(_) => A_FILE.to_owned(),
                    Thing::Dir(_) => "/".to_owned(),
                };
                lines.push(line(CHANGED, "~", rest + &displaced(what, place)));
                if let Thing::Dir(pieces) = new {
                    lines.extend(piece_lines(farm, &op, pieces, MADE, "+"));
                }
            }
            Change::Restore { from, .. } => lines.push(line(CHANGED, "~", restored(from))),
            Change::Swap { old, new } => {
                let (was, now) = match (old, new) {
                    (Thing::Link(_), Thing::Link(text)) => (String::new(), to(text)),
                    (Thing::Link(_), Thing::Dir(_)) => {
                        ("/".to_owned(), " (a link becomes a directory)".to_owned())
                    }
                    (Thing::Dir(_), Thing::Link(text)) => {
                        (String::new(), to(text) + " (a directory becomes one link)")
                    }
                    (Thing::Dir(_), Thing::Dir(_)) => ("/".to_owned(), String::new()),
                    (Thing::File(_), Thing::File(_)) => (String::new(), A_FILE.to_owned()),
                    (Thing::Link(_), Thing::File(_)) => {
                        (String::new(), " (a link becomes a file)".to_owned())
                    }
                    (Thing::Dir(_), Thing::File(_)) => {
                        (String::new(), " (a directory becomes a file)".to_owned())
                    }
                    (Thing::File(_), Thing::Link(text)) => {
                        (String::new(), to(text) + " (a file becomes a link)")
                    }
                    (Thing::File(_), Thing::Dir(_)) => {
                        ("/".to_owned(), " (a file becomes a directory)".to_owned())
                    }
                };
                lines.push(line(CHANGED, "~", was + &now));
                if let Thing::Dir(pieces) = new {
                    lines.extend(piece_lines(farm, &op, pieces, MADE, "+"));
                }
            }
        }
    }
    lines
}

fn piece_lines(farm: &Farm, op: &Op, pieces: &[Piece], style: Style, sign: &str) -> Vec<String> {
    let line = |piece: &Piece| {
        let path = path_shown(farm, &op.path.join_path(&piece.path));
        let rest = piece.text.as_ref().map_or("/".to_owned(), to);
        format!("{style}{sign}{style:#} {path}{rest}")
    };
    pieces.iter().map(line).collect()
}

fn to(text: &LinkText) -> String {
    format!(" -> {}", text_shown(text))
}

fn name(name: &RelPath) -> String {
    // Files in no package are the manifest's own.
    if name.is_root() {
        return manifest::FILE.to_owned();
    }
    shown(&String::from_utf8_lossy(name.as_bytes()))
}

fn name_shown(name: &Name) -> String {
    shown(&String::from_utf8_lossy(name.as_bytes()))
}

fn text_shown(text: &LinkText) -> String {
    shown(&String::from_utf8_lossy(text.as_bytes()))
}

/// Returns a path from the root as people see it: from the target; the target itself and what holds it in full.
fn path_shown(farm: &Farm, path: &RelPath) -> String {
    let below = path.below(&farm.mount).filter(|below| !below.is_root());
    let path = match &below {
        Some(below) => String::from_utf8_lossy(below.as_bytes()).into_owned(),
        None => farm.root.join(OsStr::from_bytes(path.as_bytes())).to_string_lossy().into_owned(),
    };
    shown(&path)
}

/// Returns text whose control characters are escaped: names are other people's, and a terminal obeys them.
fn shown(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        shown
    })
}
