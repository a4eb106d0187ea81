//! What `farm doctor` says.

use std::path::Path;

use super::super::told::{Checkup, Counts, Level, Writable};
use super::history::memory_hint;
use super::{ERROR, MADE, WARNING, Words, shown, to_stdout};

impl Words {
    /// Says what was found, a line each, and what to do about it.
    pub fn doctor(&self, findings: &[Checkup]) {
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
    pub fn finding(&self, finding: &Checkup) -> String {
        match finding {
            Checkup::Program => env!("CARGO_PKG_VERSION").to_owned(),
            Checkup::Dotfiles(path, Writable::Yes) | Checkup::Target(path, Writable::Yes) => display(path),
            Checkup::Dotfiles(path, Writable::No) => {
                format!("{} may not be written: nothing can be adopted into it", display(path))
            }
            Checkup::Target(path, Writable::No) => {
                format!("{} may not be written: nothing can be linked there", display(path))
            }
            Checkup::TargetToBeMade(path) => format!("{} is made with the first link", display(path)),
            Checkup::Manifest(path, packages, files) => {
                let count = |count: &usize, one: &str| match count {
                    1 => format!("1 {one}"),
                    n => format!("{n} {one}s"),
                };
                format!("{}: {}, {}", display(path), count(packages, "package"), count(files, "file"))
            }
            Checkup::NoManifest => "none: packages are linked as GNU Stow does it".to_owned(),
            Checkup::StowRc(Counts::Yes) => "its options are the defaults".to_owned(),
            Checkup::StowRc(Counts::No) => "farm.toml takes its place: `farm stow` alone reads it".to_owned(),
            Checkup::NoStateDir => {
                "neither FARM_STATE_DIR nor HOME says where: no change can be undone".to_owned()
            }
            Checkup::StateToBeMade(path) => format!("{} is made with the first change", display(path)),
            Checkup::State(path) => display(path),
            Checkup::StateOpen(path) => {
                let path = display(path);
                format!("{path} lets others in, and holds what was in the way: `chmod 700 {path}`")
            }
            Checkup::StateOfAnother(path) => {
                let path = display(path);
                format!("{path} belongs to another user: `sudo chown -R \"$USER\" {path}`")
            }
            Checkup::StateIsNone(path) => {
                format!("{} is not a directory: no change can be undone", display(path))
            }
            Checkup::StateReadOnly(path) => {
                format!("{} may not be written: no change can be undone", display(path))
            }
            Checkup::StateElsewhere => {
                "on another file system than the target: what moves there is copied".to_owned()
            }
            Checkup::Interrupted => "a run was interrupted: `farm recover` mends that".to_owned(),
            Checkup::Busy => "another farm is at work".to_owned(),
            Checkup::Memory(error) => format!("{}: {}", shown(&error.to_string()), memory_hint(error)),
            Checkup::Generations(0) => "none yet".to_owned(),
            Checkup::Generations(1) => "1 can be gone back to".to_owned(),
            Checkup::Generations(count) => format!("{count} can be gone back to"),
            Checkup::LeftOver(path) => {
                format!("{} is of a run that was interrupted and forgotten", display(path))
            }
            Checkup::Session => "new shells do not get what farm.toml says: `farm switch`".to_owned(),
            Checkup::NoGit => "it cannot be run: `farm status` does not see what programs write".to_owned(),
        }
    }
}

/// Returns what a finding is about.
pub fn about(finding: &Checkup) -> &'static str {
    match finding {
        Checkup::Program => "farm",
        Checkup::Dotfiles(..) => "dotfiles directory",
        Checkup::Target(..) | Checkup::TargetToBeMade(_) => "target",
        Checkup::Manifest(..) | Checkup::NoManifest => "farm.toml",
        Checkup::StowRc(_) => ".stowrc",
        Checkup::NoStateDir
        | Checkup::StateToBeMade(_)
        | Checkup::State(_)
        | Checkup::StateOpen(_)
        | Checkup::StateOfAnother(_)
        | Checkup::StateIsNone(_)
        | Checkup::StateReadOnly(_)
        | Checkup::StateElsewhere => "state directory",
        Checkup::Interrupted | Checkup::Busy | Checkup::Memory(_) | Checkup::Generations(_) => "generations",
        Checkup::LeftOver(_) => "left over",
        Checkup::Session => "session",
        Checkup::NoGit => "git",
    }
}

fn display(path: &Path) -> String {
    shown(&path.display().to_string())
}
