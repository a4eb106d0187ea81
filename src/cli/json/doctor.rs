//! What `farm doctor` found.

use serde::Serialize;

use super::super::resolve::Farm;
use super::super::told::{Checkup, Level};
use super::super::words::{Words, about};
use super::{Text, write};

#[derive(Serialize)]
struct Report {
    command: &'static str,
    changed: bool,
    dir: Text,
    target: Text,
    /// The worst of the findings.
    level: &'static str,
    findings: Vec<FindingReport>,
}

#[derive(Serialize)]
struct FindingReport {
    about: &'static str,
    level: &'static str,
    says: String,
}

/// Prints what was found.
pub fn doctor(farm: &Farm, findings: &[Checkup], words: &Words) {
    let worst = findings.iter().map(Checkup::level).max().unwrap_or(Level::Fine);
    write(&Report {
        command: "doctor",
        changed: false,
        dir: Text::from(farm.dir.as_path()),
        target: Text::from(farm.target().as_path()),
        level: level(worst),
        findings: findings
            .iter()
            .map(|finding| FindingReport {
                about: about(finding),
                level: level(finding.level()),
                says: words.finding(finding),
            })
            .collect(),
    });
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Fine => "fine",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}
