//! Says in which ways two outcomes of one call differ.

use super::ops;
use super::request::verbosity;
use super::scenario::{Call, Edit, Outcome, Status, Tree};
use std::collections::BTreeSet;

/// What a recording says instead of the usage text.
pub const USAGE: &str = "(usage)";

/// What a recording says instead of Perl's words on a bad regular expression.
pub const PERL: &str = "(Perl's words)";

/// What is said of a variable in a `.stowrc`, with 255 or with 2.
const UNDEFINED: &str = "references undefined environment variable";

/// In what two outcomes differ; what is empty is the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub status: Option<String>,
    pub tree: Option<String>,
    pub text: Option<String>,
}

impl Difference {
    pub fn is_none(&self) -> bool {
        self.status.is_none() && self.tree.is_none() && self.text.is_none()
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in [&self.status, &self.tree, &self.text].into_iter().flatten() {
            writeln!(f, "{part}")?;
        }
        Ok(())
    }
}

/// Compares what farm did with what stow did, from the same start.
pub fn compare(call: &Call, before: &Tree, stow: &Outcome, farm: &Outcome) -> Difference {
    Difference {
        status: (!same_status(stow, farm))
            .then(|| format!("exit status: stow {}, farm {}", stow.status, farm.status)),
        tree: (stow.changes != farm.changes).then(|| tree_difference(&stow.changes, &farm.changes)),
        text: text(call, before, stow, farm),
    }
}

/// A left-over `errno` is matched by any failure that is not a conflict or a usage error, an error by farm's 2.
fn same_status(stow: &Outcome, farm: &Outcome) -> bool {
    let says = |text: &str| stow.err.iter().any(|line| line.contains(text));
    let any_failure = !matches!(farm.status, Status::Code(0 | 1) | Status::Hangs);
    match stow.status {
        Status::Other => any_failure,
        Status::Code(2 | 255) if is_perl(&stow.err) || says(UNDEFINED) => any_failure,
        Status::Code(255) if says("stow: ERROR: ") => farm.status == Status::Code(2),
        _ => stow.status == farm.status,
    }
}

fn tree_difference(stow: &[Edit], farm: &[Edit]) -> String {
    let only = |these: &[Edit], those: &[Edit]| -> Vec<String> {
        let these = these.iter().filter(|edit| !those.contains(edit));
        these.map(|Edit { path, node }| format!("    {path}: {node:?}")).collect()
    };
    format!(
        "changes of stow alone:\n{}\nchanges of farm alone:\n{}",
        only(stow, farm).join("\n"),
        only(farm, stow).join("\n")
    )
}

fn text(call: &Call, before: &Tree, stow: &Outcome, farm: &Outcome) -> Option<String> {
    let same_out = match (is_usage(&stow.out), is_usage(&farm.out)) {
        (true, true) => true,
        (false, false) => {
            stow.out == farm.out || [&stow.out, &farm.out].into_iter().all(|out| is_version(out))
        }
        _ => false,
    };
    if !same_out {
        return Some("standard output differs".to_owned());
    }
    if is_perl(&stow.err) {
        return farm.err.is_empty().then(|| "nothing on standard error".to_owned());
    }
    match verbosity(call, before) {
        0 => (stow.err != farm.err).then(|| "standard error differs".to_owned()),
        1 => verbose_text(before, stow, farm),
        _ => None,
    }
}

/// Usage is each program's own words; a recording only notes it.
pub fn is_usage(out: &[String]) -> bool {
    out.len() > 3 || out == [USAGE]
}

/// The version line begins and ends as scripts expect; in between each says its own name.
fn is_version(out: &[String]) -> bool {
    matches!(out, [line] if line.starts_with("stow (") && line.ends_with(") version 2.4.1"))
}

/// Whether what stow says is Perl's own complaint about a regular expression.
pub fn is_perl(err: &[String]) -> bool {
    err == [PERL] || err.iter().any(|line| line.contains("; marked by <-- HERE in m/"))
}

fn verbose_text(before: &Tree, stow: &Outcome, farm: &Outcome) -> Option<String> {
    let others = |lines: &[String]| -> BTreeSet<String> {
        lines.iter().filter(|line| !ops::is_op(line)).cloned().collect()
    };
    if others(&stow.err) != others(&farm.err) {
        return Some("messages differ".to_owned());
    }
    // farm does not print a plan that will not be carried out.
    let is_dropped = |ops: &[String]| !stow.status.is_success() && ops.is_empty();
    let (expected, actual) = (ops::net(&stow.err, before), ops::net(&farm.err, before));
    if expected != actual && !is_dropped(&actual) {
        let only = |these: &[String], those: &[String]| -> String {
            let these = these.iter().filter(|line| !those.contains(line));
            these.map(|line| format!("    {line}\n")).collect()
        };
        return Some(format!(
            "operations of stow alone:\n{}operations of farm alone:\n{}",
            only(&expected, &actual),
            only(&actual, &expected)
        ));
    }
    None
}

/// farm plans nothing it takes back: its lines are what remains of them.
pub fn is_minimal(before: &Tree, farm: &Outcome) -> bool {
    let mut lines: Vec<String> = farm.err.iter().filter(|line| ops::is_op(line)).cloned().collect();
    lines.sort();
    lines == ops::net(&farm.err, before)
}
