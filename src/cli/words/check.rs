//! What `farm check` and `farm prune` say.

use farm::{Error, Failure, Planned, RelPath};

use super::super::Exit;
use super::super::resolve::Farm;
use super::super::survey::{self, Link, LinkState};
use super::super::told::Checked;
use super::{
    CHANGED, GONE, HINT, Tally, WARNING, Words, name, path_shown, plan_lines, shown, text_shown, to_stdout,
};

/// Wider columns than this are not aligned.
const WIDEST: usize = 40;

/// Returns what is said while a target is looked over.
pub fn seen(count: &str) -> String {
    format!("looked at {count} files and directories")
}

impl Words {
    /// Says what a check found.
    pub fn checked(&self, farm: &Farm, checked: &Checked) {
        self.not_seen(&checked.survey.errors);
        if self.quiet {
            return;
        }
        let links = &checked.survey.links;
        let dead: Vec<&Link> = links.iter().filter(|link| link.state.is_dead()).collect();
        let again = survey::duplicates(links);
        let mut lines: Vec<(&RelPath, anstyle::Style, String)> = Vec::new();
        lines.extend(dead.iter().map(|link| (&link.path, GONE, reason(link))));
        lines.extend(again.iter().map(|(link, other)| {
            (&link.path, CHANGED, format!("leads to the same as {}", path_shown(farm, &other.path)))
        }));
        lines.extend(checked.aliens.iter().map(|path| (path, CHANGED, "no link of a package".to_owned())));
        lines.sort_by_key(|line| line.0);
        let paths: Vec<String> = lines.iter().map(|line| path_shown(farm, line.0)).collect();
        let width = paths.iter().map(|path| path.chars().count()).max().unwrap_or(0).min(WIDEST);
        for ((_, style, says), path) in lines.iter().zip(&paths) {
            to_stdout(&format!("{style}{path:width$}{style:#}  {says}"));
        }
        let count = |count: usize, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            n => Some(format!("{n} {many}")),
        };
        let parts: Vec<String> = [
            Some(
                count(links.len(), "link into packages", "links into packages")
                    .unwrap_or("no link into packages".into()),
            ),
            count(dead.len(), "leads to nothing", "lead to nothing"),
            count(again.len(), "is one too many", "are more than one to a thing"),
            count(checked.aliens.len(), "file beside them", "files beside them"),
        ]
        .into_iter()
        .flatten()
        .collect();
        to_stdout(&parts.join(", "));
        if !dead.is_empty() {
            self.to_stderr(&format!("{HINT}hint:{HINT:#} `farm prune` removes what leads to nothing"));
        }
    }

    /// Says what came of a prune.
    pub fn pruned(
        &self,
        farm: &Farm,
        planned: &Planned,
        errors: &[Error],
        failure: Option<&Failure>,
    ) -> Exit {
        self.not_seen(errors);
        if let Some(failure) = failure {
            return self.failure(failure);
        }
        let exit = if errors.is_empty() { Exit::Done } else { Exit::Refused };
        if self.quiet || self.json {
            return exit;
        }
        if planned.plan.is_empty() {
            to_stdout("nothing to do: no link into packages leads to nothing");
            return exit;
        }
        plan_lines(farm, &planned.plan.ops).iter().for_each(|line| to_stdout(line));
        let did = if self.dry_run { "would prune" } else { "pruned" };
        let end = if self.dry_run { "; nothing was changed" } else { "" };
        to_stdout(&format!("{did}: {}{end}", Tally::of(&planned.plan.ops).words()));
        exit
    }

    /// Says what could not be looked at.
    fn not_seen(&self, errors: &[Error]) {
        for error in errors {
            self.to_stderr(&format!("{WARNING}warning:{WARNING:#} {}", shown(&error.to_string())));
        }
    }
}

fn reason(link: &Link) -> String {
    let to = text_shown(&link.text);
    match link.state {
        LinkState::PackageGone => {
            let package = link.to.names().next().map(|name| RelPath::from_names([&name])).unwrap_or_default();
            format!("a link to {to}, and there is no package {}", name(&package))
        }
        _ => format!("a link to {to}, where nothing is"),
    }
}
