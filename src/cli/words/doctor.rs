//! What `farm doctor` says.

use std::path::Path;

use super::super::doctor::{Counts, Finding, Level, Writable};
use super::history::memory_hint;
use super::{ERROR, MADE, WARNING, Words, shown, to_stdout};

impl Words {
    /// Says what was found, a line each, and what to do about it.
    pub fn doctor(&self, findings: &[Finding]) {
        if self.quiet {
            return;
        }
        let lines: Vec<(Level, &str, String)> =
            findings.iter().map(|finding| (finding.level(), about(finding), self.finding(finding))).collect();
        let width = lines.iter().map(|(_, about, _)| about.len()).max().unwrap_or(0);
        for (level, about, says) in &lines {
            let (style, word) = match level {
                Level::Fine => (MADE, "fine"),
                Level::Warning => (WARNING, "warning"),
                Level::Error => (ERROR, "error"),
            };
            to_stdout(&format!("{style}{word:7}{style:#}  {about:width$}  {says}"));
        }
        let count = |level: Level, one: &str| match lines.iter().filter(|line| line.0 == level).count() {
            0 => None,
            1 => Some(format!("1 {one}")),
            n => Some(format!("{n} {one}s")),
        };
        let parts: Vec<String> =
            [count(Level::Error, "error"), count(Level::Warning, "warning")].into_iter().flatten().collect();
        to_stdout(&match parts.is_empty() {
            true => "nothing is wrong".to_owned(),
            false => parts.join(", "),
        });
    }

    /// Returns what was found, and what to do about it.
    pub fn finding(&self, finding: &Finding) -> String {
        match finding {
            Finding::Program => env!("CARGO_PKG_VERSION").to_owned(),
            Finding::Dotfiles(path, Writable::Yes) | Finding::Target(path, Writable::Yes) => display(path),
            Finding::Dotfiles(path, Writable::No) => {
                format!("{} may not be written: nothing can be adopted into it", display(path))
            }
            Finding::Target(path, Writable::No) => {
                format!("{} may not be written: nothing can be linked there", display(path))
            }
            Finding::TargetToBeMade(path) => format!("{} is made with the first link", display(path)),
            Finding::Manifest(path, packages, files) => {
                let count = |count: &usize, one: &str| match count {
                    1 => format!("1 {one}"),
                    n => format!("{n} {one}s"),
                };
                format!("{}: {}, {}", display(path), count(packages, "package"), count(files, "file"))
            }
            Finding::NoManifest => "none: packages are linked as GNU Stow does it".to_owned(),
            Finding::StowRc(Counts::Yes) => "its options are the defaults".to_owned(),
            Finding::StowRc(Counts::No) => "farm.toml takes its place: `farm stow` alone reads it".to_owned(),
            Finding::NoStateDir => {
                "neither FARM_STATE_DIR nor HOME says where: no change can be undone".to_owned()
            }
            Finding::StateToBeMade(path) => format!("{} is made with the first change", display(path)),
            Finding::State(path) => display(path),
            Finding::StateOpen(path) => {
                let path = display(path);
                format!("{path} lets others in, and holds what was in the way: `chmod 700 {path}`")
            }
            Finding::StateOfAnother(path) => {
                let path = display(path);
                format!("{path} belongs to another user: `sudo chown -R \"$USER\" {path}`")
            }
            Finding::StateReadOnly(path) => {
                format!("{} may not be written: no change can be undone", display(path))
            }
            Finding::StateElsewhere => {
                "on another file system than the target: what moves there is copied".to_owned()
            }
            Finding::Interrupted => "a run was interrupted: `farm recover` mends that".to_owned(),
            Finding::Busy => "another farm is at work".to_owned(),
            Finding::Memory(error) => format!("{}: {}", shown(&error.to_string()), memory_hint(error)),
            Finding::Generations(0) => "none yet".to_owned(),
            Finding::Generations(1) => "1 can be gone back to".to_owned(),
            Finding::Generations(count) => format!("{count} can be gone back to"),
            Finding::LeftOver(path) => {
                format!("{} is of a run that was interrupted and forgotten", display(path))
            }
            Finding::Session => "new shells do not get what farm.toml says: `farm switch`".to_owned(),
            Finding::NoGit => "it cannot be run: `farm status` does not see what programs write".to_owned(),
        }
    }
}

/// Returns what a finding is about.
pub fn about(finding: &Finding) -> &'static str {
    match finding {
        Finding::Program => "farm",
        Finding::Dotfiles(..) => "dotfiles directory",
        Finding::Target(..) | Finding::TargetToBeMade(_) => "target",
        Finding::Manifest(..) | Finding::NoManifest => "farm.toml",
        Finding::StowRc(_) => ".stowrc",
        Finding::NoStateDir
        | Finding::StateToBeMade(_)
        | Finding::State(_)
        | Finding::StateOpen(_)
        | Finding::StateOfAnother(_)
        | Finding::StateReadOnly(_)
        | Finding::StateElsewhere => "state directory",
        Finding::Interrupted | Finding::Busy | Finding::Memory(_) | Finding::Generations(_) => "generations",
        Finding::LeftOver(_) => "left over",
        Finding::Session => "session",
        Finding::NoGit => "git",
    }
}

fn display(path: &Path) -> String {
    shown(&path.display().to_string())
}
