//! Every sentence of `stow` and `chkstow`: GNU Stow's own where scripts read them, this project's in the help texts.
//!
//! Names are bytes and appear as they are. Sentences are put together first and written in one go, so that a long
//! plan is one system call; that nobody listens any more is no error.

use std::collections::BTreeMap;
use std::io::{self, Write};

use farm::{
    Action, Change, Conflict, Failure, LinkText, Name, Notice, Op, Outcome, Place, Planned, Reason,
    Recovered, RelPath, Request, ScanError, Thing, system_words,
};

use super::getopt::UsageError;
use super::options::Refusal;
use super::rc::RcError;

/// Writes to standard error.
pub fn say(text: &[u8]) {
    let _ = io::stderr().lock().write_all(text);
}

/// Writes to standard output.
pub fn tell(text: &[u8]) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text).and_then(|()| out.flush());
}

/// Joins the parts and adds them with a line's end.
fn line(out: &mut Vec<u8>, parts: &[&[u8]]) {
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out.push(b'\n');
}

fn cause(error: &io::Error) -> Vec<u8> {
    system_words(error).into_bytes()
}

/// Returns the line of `--version`, which scripts search for the number of the GNU Stow they know.
pub fn version() -> Vec<u8> {
    format!("stow (farm {}, compatible with GNU Stow) version 2.4.1\n", env!("CARGO_PKG_VERSION"))
        .into_bytes()
}

/// Returns the text of `--help`.
pub fn usage() -> Vec<u8> {
    [&version(), HELP.as_bytes()].concat()
}

const HELP: &str = "
SYNOPSIS:

    stow [OPTION ...] [-D|-S|-R] PACKAGE ... [-D|-S|-R] PACKAGE ...

OPTIONS:

    -d DIR, --dir=DIR     Find packages in DIR
                          (default: $STOW_DIR, else the working directory)
    -t DIR, --target=DIR  Make links in DIR
                          (default: the directory that holds the stow directory)

    -S, --stow            Link the packages named from here on (default)
    -D, --delete          Remove the links of the packages named from here on
    -R, --restow          Remove and link again: -D, then -S

    --ignore=REGEX        Leave out files whose path ends in a match of REGEX
    --defer=REGEX         Where a path begins with a match of REGEX, leave the
                          link that another package has there
    --override=REGEX      Where a path begins with a match of REGEX, replace the
                          link that another package has there
    --adopt               Move files that are in the way into the package, over
                          the package's own files
    --no-folding          Make directories, link only what is in them
    --dotfiles            Link dot-NAME as .NAME
    -p, --compat          Search the whole target when removing links

    -n, --no, --simulate  Change nothing, only find out whether it would work
    -v, --verbose[=N]     Say more: each -v adds one level, N sets it (0 to 5)
    -V, --version         Print the version and exit
    -h, --help            Print this text and exit
";

/// Returns one line for each error in a command line.
pub fn usage_errors(errors: &[UsageError]) -> Vec<u8> {
    let mut out = Vec::new();
    errors.iter().for_each(|error| usage_error(&mut out, error));
    out
}

fn usage_error(out: &mut Vec<u8>, error: &UsageError) {
    match error {
        UsageError::Unknown(name) => line(out, &[b"Unknown option: ", name]),
        UsageError::Ambiguous { name, candidates } => {
            line(out, &[b"Option ", name, b" is ambiguous (", candidates.join(", ").as_bytes(), b")"]);
        }
        UsageError::NeedsValue(name) => line(out, &[b"Option ", name.as_bytes(), b" requires an argument"]),
        UsageError::TakesNoValue(name) => {
            line(out, &[b"Option ", name.as_bytes(), b" does not take an argument"]);
        }
        UsageError::NotANumber { name, value } => {
            let name = name.as_bytes();
            line(out, &[b"Value \"", value, b"\" invalid for option ", name, b" (number expected)"]);
        }
        UsageError::NoName(prefix) => line(out, &[b"Missing option after ", &[*prefix]]),
        UsageError::Pattern { name, pattern, message } => {
            let (name, message) = (name.as_bytes(), message.as_bytes());
            line(out, &[b"Value \"", pattern, b"\" invalid for option ", name, b" (", message, b")"]);
        }
    }
}

/// Returns what is wrong with a resource file.
pub fn rc_error(error: &RcError) -> Vec<u8> {
    let mut out = Vec::new();
    match error {
        RcError::Unreadable { path, source } => {
            return failure(&[b"Could not read ", super::bytes(path), b": ", &cause(source)].concat());
        }
        RcError::Undefined { option, name } => {
            let option = option.as_bytes();
            let middle = b" option references undefined environment variable $";
            line(&mut out, &[b"--", option, middle, name, b"; aborting!"]);
        }
        RcError::NoUser { option, name } => {
            let option = option.as_bytes();
            line(&mut out, &[b"--", option, b" option references unknown user ~", name, b"; aborting!"]);
        }
    }
    out
}

/// Returns why nothing is done.
pub fn refusal(refusal: &Refusal) -> Vec<u8> {
    let mut out = Vec::new();
    match refusal {
        Refusal::NoDirectory { option, value } => {
            let option = option.as_bytes();
            line(&mut out, &[b"stow: --", option, b" value '", value, b"' is not a valid directory\n"]);
        }
        Refusal::NoPackages => line(&mut out, &[b"stow: No packages to stow or unstow\n"]),
        Refusal::Slash => return failure(b"Slashes are not permitted in package names"),
        Refusal::NoPackage { dir, name } => {
            let parts: [&[u8]; 4] = [b"The stow directory ", dir, b" does not contain package ", name];
            return failure(&parts.concat());
        }
        Refusal::Unreachable { path, source } => {
            return failure(&[b"Cannot change to ", super::bytes(path), b": ", &cause(source)].concat());
        }
    }
    out
}

/// Tells whether the usage text follows a refusal.
pub fn wants_usage(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::NoDirectory { .. } | Refusal::NoPackages)
}

/// Returns the line of an error that ends the run.
pub fn failure(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    line(&mut out, &[b"stow: ERROR: ", message]);
    out
}

/// The last line of a run with `--simulate`.
pub const SIMULATION: &[u8] = b"WARNING: in simulation mode so not modifying filesystem.\n";

/// Said while another run is at work on the target.
pub const WAITING: &[u8] = b"WARNING: waiting for another farm or stow to finish with this target\n";

/// The last line of a run that has conflicts.
const ABORTED: &[u8] = b"All operations aborted.\n";

/// Adds what is said from verbosity 2 on: where the farm is, what is done to which package, and how much that is.
pub fn details(out: &mut Vec<u8>, request: &Request, planned: &Planned) {
    line(out, &[b"target directory ", &request.root, b", stow directory ", &request.stow_dir.to_bytes()]);
    for step in &request.steps {
        let verb: &[u8] = if step.action == Action::Link { b"stowing " } else { b"unstowing " };
        let package: &[u8] = if step.package.is_root() { b"." } else { step.package.as_bytes() };
        line(out, &[verb, package]);
    }
    let count =
        format!("{} operations planned, {} conflicts", planned.plan.ops.len(), planned.conflicts.len());
    line(out, &[count.as_bytes()]);
}

/// Adds the lines of an operation: a swap is an `UNLINK` and a `LINK`, an unfold an `UNLINK`, a `MKDIR` and its `LINK`s.
pub fn op(out: &mut Vec<u8>, op: &Op) {
    match &op.change {
        Change::Make(thing) => make(out, &op.path, thing),
        Change::Remove(thing) => remove(out, &op.path, thing),
        Change::Swap { old, new } => {
            remove(out, &op.path, old);
            make(out, &op.path, new);
        }
        Change::Displace { to, new, .. } => {
            let to = match to {
                Place::Package { at, .. } => Some(at.to_bytes()),
                Place::Beside(name) => Some(beside(op, name)),
                // Stow moves it over its equal.
                Place::Equal(_) => leads_to(&op.path, new),
                Place::Kept(_) => None,
            };
            match to {
                Some(to) => line(out, &[b"MV: ", op.path.as_bytes(), b" -> ", &to]),
                None => line(out, &[b"UNLINK: ", op.path.as_bytes()]),
            }
            make(out, &op.path, new);
        }
        Change::Restore { from, old, .. } => {
            remove(out, &op.path, old);
            match from {
                Place::Package { at, .. } => {
                    line(out, &[b"MV: ", &at.to_bytes(), b" -> ", op.path.as_bytes()]);
                }
                Place::Beside(name) => line(out, &[b"MV: ", &beside(op, name), b" -> ", op.path.as_bytes()]),
                Place::Kept(_) | Place::Equal(_) => {}
            }
        }
    }
}

/// Returns where a link at `path` leads.
fn leads_to(path: &RelPath, link: &Thing) -> Option<Vec<u8>> {
    let (dir, _) = path.split()?;
    Some(link.as_link()?.route_from(&dir)?.to_bytes())
}

fn link(out: &mut Vec<u8>, path: &RelPath, text: &LinkText) {
    line(out, &[b"LINK: ", path.as_bytes(), b" => ", text.as_bytes()]);
}

fn make(out: &mut Vec<u8>, path: &RelPath, thing: &Thing) {
    match thing {
        Thing::Link(text) => link(out, path, text),
        // Stow has links only.
        Thing::File(_) => {}
        Thing::Dir(pieces) => {
            line(out, &[b"MKDIR: ", path.as_bytes()]);
            for piece in pieces {
                let path = path.join_path(&piece.path);
                match &piece.text {
                    Some(text) => link(out, &path, text),
                    None => line(out, &[b"MKDIR: ", path.as_bytes()]),
                }
            }
        }
    }
}

fn remove(out: &mut Vec<u8>, path: &RelPath, thing: &Thing) {
    match thing {
        Thing::Link(_) => line(out, &[b"UNLINK: ", path.as_bytes()]),
        // Stow has links only.
        Thing::File(_) => {}
        Thing::Dir(pieces) => {
            for piece in pieces.iter().rev() {
                let path = path.join_path(&piece.path);
                match &piece.text {
                    Some(_) => line(out, &[b"UNLINK: ", path.as_bytes()]),
                    None => line(out, &[b"RMDIR ", path.as_bytes()]),
                }
            }
            line(out, &[b"RMDIR ", path.as_bytes()]);
        }
    }
}

/// Returns the path of another name beside an operation's.
fn beside(op: &Op, name: &Name) -> Vec<u8> {
    op.path.split().map_or_else(Vec::new, |(parent, _)| parent.join(name).as_bytes().to_vec())
}

/// Adds what a plan leaves out on purpose.
pub fn notice(out: &mut Vec<u8>, notice: &Notice) {
    let (words, path): (&[u8], _) = match notice {
        Notice::StowDir(path) => (b"WARNING: skipping target which was current stow directory ", path),
        Notice::Marked(path) => (b"WARNING: skipping marked Stow directory ", path),
        Notice::Protected(path) => (b"WARNING: skipping protected directory ", path),
        Notice::AbsoluteLink { path, text } => {
            line(out, &[b"Ignoring an absolute symlink: ", path.as_bytes(), b" => ", text.as_bytes()]);
            return;
        }
        Notice::NoBackup { path, .. } => (b"WARNING: no backup to restore for ", path),
        Notice::Edited(path) => (b"WARNING: left a changed file ", path),
    };
    let path: &[u8] = if path.is_root() { b"." } else { path.as_bytes() };
    line(out, &[words, path]);
}

/// Returns what is said about a conflict: nodes and targets as seen from the target directory.
fn reason(conflict: &Conflict) -> Vec<u8> {
    let target = conflict.path.as_bytes();
    match &conflict.reason {
        Reason::AbsoluteSource { source, text } => {
            [b"source is an absolute symlink ", &source.to_bytes()[..], b" => ", text.as_bytes()].concat()
        }
        Reason::NotOwned(_) => [b"existing target is not owned by stow: ", target].concat(),
        Reason::OtherPackage { text, .. } => {
            let words = b"existing target is stowed to a different package: ";
            [words, target, b" => ", text.as_bytes()].concat()
        }
        Reason::Directory { source } => {
            let middle = b" over existing directory target ";
            [b"cannot stow non-directory ", &source.to_bytes()[..], middle, target].concat()
        }
        Reason::FileForDirectory { source } => {
            let middle = b" over existing non-directory target ";
            [b"cannot stow directory ", &source.to_bytes()[..], middle, target].concat()
        }
        Reason::File { source, .. } => {
            let end = b" since neither a link nor a directory and --adopt not specified";
            [b"cannot stow ", &source.to_bytes()[..], b" over existing target ", target, end].concat()
        }
        Reason::StowDir => [b"existing target is the stow directory: ", target].concat(),
        Reason::NotADirectory => [b"existing target is not a directory: ", target].concat(),
        // Only requests of farm's own come to these.
        Reason::OnTheWay(_) | Reason::NoSource { .. } | Reason::BackupPlace | Reason::Unresolved { .. } => {
            [b"existing target cannot be moved out of the way: ", target].concat()
        }
    }
}

/// Returns all conflicts: unstowing before stowing, packages in order, their messages in order.
pub fn conflicts(conflicts: &[Conflict]) -> Vec<u8> {
    let mut sorted: BTreeMap<(bool, Vec<u8>), Vec<Vec<u8>>> = BTreeMap::new();
    for conflict in conflicts {
        let package: &[u8] = if conflict.package.is_root() { b"." } else { conflict.package.as_bytes() };
        let key = (conflict.action == Action::Link, package.to_vec());
        sorted.entry(key).or_default().push(reason(conflict));
    }
    let mut out = Vec::new();
    for ((is_link, package), mut messages) in sorted {
        let verb: &[u8] = if is_link { b"stowing" } else { b"unstowing" };
        line(&mut out, &[b"WARNING! ", verb, b" ", &package, b" would cause conflicts:"]);
        messages.sort();
        messages.iter().for_each(|message| line(&mut out, &[b"  * ", message]));
    }
    out.extend_from_slice(ABORTED);
    out
}

/// Returns why a farm could not be read. Nothing has changed then.
pub fn scan_error(error: &ScanError) -> Vec<u8> {
    match error {
        ScanError::Regex { file, error } => {
            let message = format!("{error}, in {}", file.display());
            let mut out = Vec::new();
            line(&mut out, &[b"Failed to compile regexp: ", message.as_bytes()]);
            out
        }
        error => failure(error.to_string().as_bytes()),
    }
}

/// Returns what to know of a plan that was done: what was kept, when that is asked for, and what could not be
/// cleaned up.
pub fn outcome(outcome: &Outcome, verbose: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (was, is) in outcome.kept.iter().filter(|_| verbose) {
        line(&mut out, &[b"kept ", super::bytes(was), b" as ", super::bytes(is)]);
    }
    for error in &outcome.left_over {
        line(&mut out, &[b"WARNING: ", error.to_string().as_bytes()]);
    }
    out
}

/// Returns what became of an earlier run that was interrupted.
pub fn recovered(recovered: &Recovered) -> Vec<u8> {
    let command = recovered.header.command.join(" ");
    let what: &[u8] = if recovered.finished { b"finished" } else { b"took back" };
    let mut out = Vec::new();
    line(&mut out, &[b"WARNING: ", what, b" what an interrupted run had begun: ", command.as_bytes()]);
    if !recovered.stuck.is_empty() {
        line(&mut out, &[b"stow: ERROR: not everything; `farm recover` tries again:"]);
    }
    for error in &recovered.stuck {
        line(&mut out, &[b"  * ", error.to_string().as_bytes()]);
    }
    out
}

/// Returns why a plan was not done.
pub fn failed(failed: &Failure) -> Vec<u8> {
    let mut out = failure(failed.error.to_string().as_bytes());
    let end: &[u8] = match failed.stuck.as_slice() {
        [] => b"All operations were taken back.",
        _ => b"All operations were taken back, but not these:",
    };
    line(&mut out, &[end]);
    for error in &failed.stuck {
        line(&mut out, &[b"  * ", error.to_string().as_bytes()]);
    }
    out
}

/// Returns the usage text of `chkstow`.
pub fn check_usage(default: &[u8]) -> Vec<u8> {
    [CHECK_HELP.0.as_bytes(), default, CHECK_HELP.1.as_bytes()].concat()
}

const CHECK_HELP: (&str, &str) = (
    "USAGE: chkstow [options]

Options:
    -t DIR, --target=DIR  Look into DIR and all that is below it
                          (default: ",
    ")
    -b, --badlinks        Print links that lead nowhere
    -a, --aliens          Print what is neither a link nor a directory
    -l, --list            Print the packages that links lead into
    -h, --help            Print this

Without -a or -l it is -b.
",
);

/// Adds a link that leads nowhere.
pub fn bogus(out: &mut Vec<u8>, path: &[u8]) {
    line(out, &[b"Bogus link: ", path]);
}

/// Adds a file that stow did not put there.
pub fn alien(out: &mut Vec<u8>, path: &[u8]) {
    line(out, &[b"Unstowed file: ", path]);
}

/// Adds the name of a package.
pub fn package(out: &mut Vec<u8>, name: &[u8]) {
    line(out, &[name]);
}

/// Adds the notice that a marked directory is not looked into.
pub fn skipping(out: &mut Vec<u8>, dir: &[u8]) {
    line(out, &[b"skipping ", dir]);
}

/// Adds the notice that something could not be looked at.
pub fn cannot(out: &mut Vec<u8>, verb: &str, path: &[u8], error: &io::Error) {
    line(out, &[b"Can't ", verb.as_bytes(), b" ", path, b": ", &cause(error)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use farm::{PackageEntry, Piece, Route, Slot, What};

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn scripts_find_the_version_they_know() {
        let line = text(&version());
        assert!(line.starts_with("stow (") && line.ends_with(") version 2.4.1\n"), "{line}");
        assert!(text(&usage()).starts_with(&line));
    }

    fn at(path: &str) -> RelPath {
        RelPath::new(path.as_bytes()).expect("a path below the root")
    }

    /// The forms in which stow 2.4.1 prints operations.
    #[test]
    fn operations_are_lines() {
        let to = |text: &str| LinkText::new(text.as_bytes());
        let piece = |path: &str, text: Option<&str>| Piece { path: at(path), text: text.map(to) };
        let unfolded = Thing::Dir(vec![piece("b", None), piece("b/f", Some("../../stow/p/a/b/f"))]);
        let folded = || Thing::Link(to("stow/p/a"));
        let mut out = Vec::new();
        for change in [
            Change::Make(folded()),
            Change::Swap { old: folded(), new: unfolded.clone() },
            Change::Swap { old: unfolded, new: folded() },
            Change::Displace {
                what: What::File,
                to: Place::Package {
                    at: Route::below_root(at("stow/p/a")),
                    entry: PackageEntry::Old(Slot::NEXT),
                },
                new: folded(),
            },
        ] {
            op(&mut out, &Op { path: at("a"), change });
        }
        let expected = "\
LINK: a => stow/p/a
UNLINK: a
MKDIR: a
MKDIR: a/b
LINK: a/b/f => ../../stow/p/a/b/f
UNLINK: a/b/f
RMDIR a/b
RMDIR a
LINK: a => stow/p/a
MV: a -> stow/p/a
LINK: a => stow/p/a
";
        assert_eq!(text(&out), expected);
    }

    #[test]
    fn conflicts_come_sorted_with_unstowing_first() {
        let conflict = |action, package: &str, path: &str, reason| Conflict {
            action,
            package: at(package),
            path: at(path),
            reason,
        };
        let foreign = || Reason::NotOwned(LinkText::new(b"x"));
        let other = Reason::OtherPackage { text: LinkText::new(b"stow/p1/f"), owner: at("p1") };
        let source = Route::below_root(at("stow/c/x"));
        let absolute = Reason::AbsoluteSource { source, text: LinkText::new(b"/abs") };
        let all = [
            conflict(Action::Link, "b", "z", foreign()),
            conflict(Action::Link, "b", "y", foreign()),
            conflict(Action::Link, "a", "f", other),
            conflict(Action::Unlink, "c", "x", absolute),
        ];
        let expected = "\
WARNING! unstowing c would cause conflicts:
  * source is an absolute symlink stow/c/x => /abs
WARNING! stowing a would cause conflicts:
  * existing target is stowed to a different package: f => stow/p1/f
WARNING! stowing b would cause conflicts:
  * existing target is not owned by stow: y
  * existing target is not owned by stow: z
All operations aborted.
";
        assert_eq!(text(&conflicts(&all)), expected);
    }

    #[test]
    fn refusals_read_as_in_stow() {
        for (refused, expected, usage) in [
            (Refusal::NoPackages, "stow: No packages to stow or unstow\n\n", true),
            (
                Refusal::NoDirectory { option: "dir", value: b"x y".to_vec() },
                "stow: --dir value 'x y' is not a valid directory\n\n",
                true,
            ),
            (Refusal::Slash, "stow: ERROR: Slashes are not permitted in package names\n", false),
            (
                Refusal::NoPackage { dir: b"../stow".to_vec(), name: b"p".to_vec() },
                "stow: ERROR: The stow directory ../stow does not contain package p\n",
                false,
            ),
        ] {
            assert_eq!((text(&refusal(&refused)).as_str(), wants_usage(&refused)), (expected, usage));
        }
    }
}
