//! Every sentence of `stow` and `chkstow`: GNU Stow's own where scripts read them, this project's in the help texts.
//!
//! Names are bytes and appear as they are. Sentences are put together first and written in one go, so that a long
//! plan is one system call; that nobody listens any more is no error.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::args::Mode;
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

/// Returns the system's words for an error, without its number.
fn reason(error: &io::Error) -> Vec<u8> {
    let full = error.to_string();
    full.split(" (os error").next().unwrap_or(&full).as_bytes().to_vec()
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
            return failure(&[b"Could not read ", super::bytes(path), b": ", &reason(source)].concat());
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
            return failure(&[b"Cannot change to ", super::bytes(path), b": ", &reason(source)].concat());
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

/// Returns what is said about an ignore list with a bad line, with which stow exits with status 255.
pub fn bad_list(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    line(&mut out, &[b"Failed to compile regexp: ", message]);
    out
}

/// The last line of a run with `--simulate`.
pub const SIMULATION: &[u8] = b"WARNING: in simulation mode so not modifying filesystem.\n";

/// The last line of a run that has conflicts.
const ABORTED: &[u8] = b"All operations aborted.\n";

/// Adds the line of making a link.
pub fn link(out: &mut Vec<u8>, path: &[u8], text: &[u8]) {
    line(out, &[b"LINK: ", path, b" => ", text]);
}

/// Adds the line of removing a link.
pub fn unlink(out: &mut Vec<u8>, path: &[u8]) {
    line(out, &[b"UNLINK: ", path]);
}

/// Adds the line of making a directory.
pub fn mkdir(out: &mut Vec<u8>, path: &[u8]) {
    line(out, &[b"MKDIR: ", path]);
}

/// Adds the line of removing a directory, the only one without a colon.
pub fn rmdir(out: &mut Vec<u8>, path: &[u8]) {
    line(out, &[b"RMDIR ", path]);
}

/// Adds the line of moving a file into a package.
pub fn mv(out: &mut Vec<u8>, from: &[u8], to: &[u8]) {
    line(out, &[b"MV: ", from, b" -> ", to]);
}

/// Adds the notice that the stow directory itself is left alone.
pub fn skipping_stow_directory(out: &mut Vec<u8>, path: &[u8]) {
    line(out, &[b"WARNING: skipping target which was current stow directory ", path]);
}

/// Adds the notice that a directory that holds `.stow` is left alone.
pub fn skipping_marked(out: &mut Vec<u8>, path: &[u8]) {
    line(out, &[b"WARNING: skipping marked Stow directory ", path]);
}

/// Adds the notice that a directory that holds `.nonstow` is left alone.
pub fn skipping_protected(out: &mut Vec<u8>, path: &[u8]) {
    line(out, &[b"WARNING: skipping protected directory ", path]);
}

/// Adds the notice that unstowing leaves an absolute link alone.
pub fn ignoring_absolute(out: &mut Vec<u8>, path: &[u8], text: &[u8]) {
    line(out, &[b"Ignoring an absolute symlink: ", path, b" => ", text]);
}

/// Says that a package's link has an absolute text. `node` is seen from the target, as in all conflicts.
pub fn absolute_source(node: &[u8], text: &[u8]) -> Vec<u8> {
    [b"source is an absolute symlink ", node, b" => ", text].concat()
}

/// Says that a link in the way is not stow's.
pub fn not_owned(target: &[u8]) -> Vec<u8> {
    [b"existing target is not owned by stow: ", target].concat()
}

/// Says that a link in the way is another package's.
pub fn other_package(target: &[u8], text: &[u8]) -> Vec<u8> {
    [b"existing target is stowed to a different package: ", target, b" => ", text].concat()
}

/// Says that a directory is where a file belongs.
pub fn directory_in_the_way(node: &[u8], target: &[u8]) -> Vec<u8> {
    [b"cannot stow non-directory ", node, b" over existing directory target ", target].concat()
}

/// Says that a file that could be adopted is where a directory belongs.
pub fn not_adoptable(node: &[u8], target: &[u8]) -> Vec<u8> {
    [b"cannot stow directory ", node, b" over existing non-directory target ", target].concat()
}

/// Says that a file is in the way.
pub fn file_in_the_way(node: &[u8], target: &[u8]) -> Vec<u8> {
    let end = b" since neither a link nor a directory and --adopt not specified";
    [b"cannot stow ", node, b" over existing target ", target, &end[..]].concat()
}

/// Conflicts by what caused them.
pub type Conflicts = BTreeMap<(Mode, Vec<u8>), Vec<Vec<u8>>>;

/// Returns all conflicts: unstowing before stowing, packages in order, their messages in order.
pub fn conflicts(conflicts: Conflicts) -> Vec<u8> {
    let mut out = Vec::new();
    for ((mode, package), mut messages) in conflicts {
        let verb: &[u8] = match mode {
            Mode::Unstow => b"unstowing",
            Mode::Stow => b"stowing",
        };
        line(&mut out, &[b"WARNING! ", verb, b" ", &package, b" would cause conflicts:"]);
        messages.sort();
        messages.iter().for_each(|message| line(&mut out, &[b"  * ", message]));
    }
    out.extend_from_slice(ABORTED);
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
    line(out, &[b"Can't ", verb.as_bytes(), b" ", path, b": ", &reason(error)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn scripts_find_the_version_they_know() {
        let line = text(&version());
        assert!(line.starts_with("stow (") && line.ends_with(") version 2.4.1\n"), "{line}");
        assert!(text(&usage()).starts_with(&line));
    }

    /// The forms in which stow 2.4.1 prints operations.
    #[test]
    fn operations_are_lines() {
        let mut out = Vec::new();
        link(&mut out, b"a/b", b"../stow/p/a/b");
        unlink(&mut out, b"a");
        mkdir(&mut out, b"a");
        rmdir(&mut out, b"a");
        mv(&mut out, b"f\xff", b"stow/p/f");
        assert_eq!(
            out,
            b"LINK: a/b => ../stow/p/a/b\nUNLINK: a\nMKDIR: a\nRMDIR a\nMV: f\xff -> stow/p/f\n".as_slice()
        );
    }

    #[test]
    fn conflicts_come_sorted_with_unstowing_first() {
        let all = Conflicts::from([
            ((Mode::Stow, b"b".to_vec()), vec![not_owned(b"z"), not_owned(b"y")]),
            ((Mode::Stow, b"a".to_vec()), vec![other_package(b"f", b"stow/p1/f")]),
            ((Mode::Unstow, b"c".to_vec()), vec![absolute_source(b"stow/c/x", b"/abs")]),
        ]);
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
        assert_eq!(text(&conflicts(all)), expected);
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
