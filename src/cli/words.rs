//! Every sentence of farm's own commands.

mod transfer;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;

use anstyle::{AnsiColor, Style};
use farm::{
    Change, Compared, Conflict, Error, Failure, LinkText, Notice, Op, Piece, Place, Planned, Reason, RelPath,
    ScanError, Thing,
};

use super::Exit;
use super::args::{Global, Verb};
use super::json;
use super::resolve::{Cause, Farm, Refusal};

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
                    Cause::System(error) => format!("cannot be used: {error}"),
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
                    [] => None,
                    names => Some(format!("did you mean {}?", names.join(", "))),
                };
                (format!("there is no package {} in {}", name.display(), dir.display()), hint)
            }
            Refusal::NotAPackage { name, why } => {
                (format!("{} is not a package: {why}", name.display()), None)
            }
            Refusal::TargetInside { target, dir } => (
                format!(
                    "the target {} lies in the dotfiles directory {}: links there would change the packages",
                    target.display(),
                    dir.display()
                ),
                Some("name another with --target".to_owned()),
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

    /// Says what could not be cleaned up after everything was done.
    pub fn left_over(&self, errors: &[Error]) {
        for error in errors {
            self.to_stderr(&format!("{WARNING}warning:{WARNING:#} {}", shown(&error.to_string())));
        }
    }

    fn failure(&self, failure: &Failure) -> Exit {
        let mut facts = Vec::new();
        if failure.stuck.is_empty() {
            facts.push("everything done so far was taken back: nothing was changed".to_owned());
        } else {
            facts.push("all else was taken back, but not this:".to_owned());
            facts.extend(failure.stuck.iter().map(|error| format!("  {}", shown(&error.to_string()))));
        }
        self.say_error(&shown(&failure.error.to_string()), &facts, None);
        if failure.stuck.is_empty() { Exit::Refused } else { Exit::Stuck }
    }

    fn conflicts(&self, verb: Verb, farm: &Farm, planned: &Planned, went_on: bool, requested: usize) {
        let mut conflicts: Vec<&Conflict> = planned.conflicts.iter().collect();
        conflicts.sort_by(|a, b| (&a.path, &a.package).cmp(&(&b.path, &b.package)));
        conflicts.dedup();
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
            facts.push(format!("  {path:width$}  {}{of}", reason(conflict)));
        }
        if !went_on {
            facts.push("nothing was changed".to_owned());
        }
        let hint = if !went_on && names.len() < requested {
            Some("--keep-going holds back only the packages that something is in the way of")
        } else {
            conflicts.iter().find_map(|conflict| hint_for(conflict))
        };
        let verb = if verb == Verb::Unlink { "unlink" } else { "link" };
        let names: Vec<String> = names.into_iter().map(name).collect();
        self.say_error(&format!("cannot {verb} {}: {count} in the way", names.join(", ")), &facts, hint);
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
        let names: Vec<String> = packages.iter().map(name).collect();
        let names = names.join(", ");
        if planned.plan.is_empty() {
            to_stdout(&format!("nothing to do: {names} {}", already(verb, packages.len())));
            return;
        }
        let tally = Tally::of(&planned.plan.ops);
        let did = match (verb, self.dry_run) {
            (Verb::Link, false) => "linked",
            (Verb::Link, true) => "would link",
            (Verb::Unlink, false) => "unlinked",
            (Verb::Unlink, true) => "would unlink",
            (Verb::Relink, false) => "relinked",
            (Verb::Relink, true) => "would relink",
        };
        let end = if self.dry_run { "; nothing was changed" } else { "" };
        to_stdout(&format!("{did} {names}: {}{end}", tally.words()));
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
            };
            if !said.contains(&line) {
                self.to_stderr(&format!("{WARNING}warning:{WARNING:#} {line}"));
                said.push(line);
            }
        }
    }

    fn say_error(&self, message: &str, facts: &[String], hint: Option<&str>) {
        let mut text = format!("{ERROR}error:{ERROR:#} {message}");
        for fact in facts {
            let _ = write!(text, "\n{fact}");
        }
        if let Some(hint) = hint {
            let _ = write!(text, "\n{HINT}hint:{HINT:#} {hint}");
        }
        self.to_stderr(&text);
    }

    /// Says why there is not even a plan.
    fn say_refusal(&self, message: &str, facts: &[String], hint: Option<&str>) {
        self.say_error(message, facts, hint);
        if self.json {
            json::error(message);
        }
    }

    fn to_stderr(&self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }
}

/// Writes a line; a reader that went away is nobody's mistake.
fn to_stdout(line: &str) {
    let _ = writeln!(anstream::stdout(), "{line}");
}

fn already(verb: Verb, count: usize) -> &'static str {
    match (verb, count) {
        (Verb::Unlink, 1) => "has no links here",
        (Verb::Unlink, _) => "have no links here",
        (_, 1) => "is linked already",
        (_, _) => "are linked already",
    }
}

fn reason(conflict: &Conflict) -> String {
    let package = name(&conflict.package);
    match &conflict.reason {
        Reason::AbsoluteSource { text, .. } => {
            format!("{package} has a link with an absolute path there, {}", text_shown(text))
        }
        Reason::NotOwned(text) => format!("a link to {}, not made by farm", text_shown(text)),
        Reason::OtherPackage { text, owner } if *owner == conflict.package => {
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
        Reason::File { .. } => "a file, not a link".to_owned(),
        Reason::StowDir => "the dotfiles directory; links in it would change the packages".to_owned(),
        Reason::NotADirectory => "not a directory".to_owned(),
    }
}

fn hint_for(conflict: &Conflict) -> Option<&'static str> {
    match conflict.reason {
        Reason::File { .. } => Some("move it away, or make the package's file equal to it, then link again"),
        Reason::OtherPackage { .. } => Some("--override PATH takes it over, --defer PATH leaves it"),
        _ => None,
    }
}

/// What a plan comes to, in numbers.
#[derive(Default)]
struct Tally {
    made: usize,
    removed: usize,
    changed: usize,
    folded: usize,
    unfolded: usize,
    dirs: usize,
}

impl Tally {
    fn of(ops: &[Op]) -> Tally {
        let mut tally = Tally::default();
        for op in ops {
            match &op.change {
                Change::Make(Thing::Link(_)) | Change::Displace { .. } => tally.made += 1,
                Change::Make(Thing::Dir(_)) => tally.dirs += 1,
                Change::Remove(Thing::Link(_)) | Change::Restore { .. } => tally.removed += 1,
                Change::Remove(Thing::Dir(pieces)) => {
                    tally.removed += pieces.iter().filter(|piece| piece.text.is_some()).count();
                }
                Change::Swap { new: Thing::Dir(_), .. } => tally.unfolded += 1,
                Change::Swap { old: Thing::Dir(_), .. } => tally.folded += 1,
                Change::Swap { .. } => tally.changed += 1,
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
        part(self.unfolded, "directory unfolded", "directories unfolded");
        part(self.folded, "directory folded", "directories folded");
        part(self.dirs, "directory made", "directories made");
        parts.join(", ")
    }
}

/// Says what becomes of something in the way.
fn displaced(to: &Place) -> String {
    match to {
        Place::Package { .. } => " (what is there moves into the package)".to_owned(),
        Place::Beside(name) => {
            let backup = String::from_utf8_lossy(name.as_bytes());
            format!(" (what is there becomes {})", shown(&backup))
        }
        Place::Kept(_) => " (what is there goes to the state directory)".to_owned(),
        Place::Equal(_) => " (an equal file becomes a link)".to_owned(),
    }
}

/// Says what comes back in a link's place.
fn restored(from: &Place) -> &'static str {
    match from {
        Place::Package { .. } => " (comes back from the package)",
        Place::Beside(_) => " (its backup comes back)",
        Place::Kept(_) | Place::Equal(_) => " (comes back from the state directory)",
    }
}

/// Returns the plan as lines: `+` for what comes, `-` for what goes, `~` for what changes.
fn plan_lines(farm: &Farm, ops: &[Op]) -> Vec<String> {
    let mut lines = Vec::new();
    for op in ops {
        let path = path_shown(farm, &op.path);
        let line = |style: Style, sign: &str, rest: String| format!("{style}{sign}{style:#} {path}{rest}");
        match &op.change {
            Change::Make(Thing::Link(text)) => lines.push(line(MADE, "+", to(text))),
            Change::Make(Thing::Dir(_)) => lines.push(line(MADE, "+", "/".to_owned())),
            Change::Remove(Thing::Link(text)) => lines.push(line(GONE, "-", to(text))),
            Change::Remove(Thing::Dir(pieces)) => {
                lines.push(line(GONE, "-", "/".to_owned()));
                lines.extend(piece_lines(farm, op, pieces, GONE, "-"));
            }
            Change::Displace { to: place, new, .. } => {
                let rest = new.as_link().map_or_else(|| "/".to_owned(), to);
                lines.push(line(CHANGED, "~", rest + &displaced(place)));
                if let Thing::Dir(pieces) = new {
                    lines.extend(piece_lines(farm, op, pieces, MADE, "+"));
                }
            }
            Change::Restore { from, .. } => lines.push(line(CHANGED, "~", restored(from).to_owned())),
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
                };
                lines.push(line(CHANGED, "~", was + &now));
                if let Thing::Dir(pieces) = new {
                    lines.extend(piece_lines(farm, op, pieces, MADE, "+"));
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
