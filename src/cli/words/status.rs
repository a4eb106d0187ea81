//! What `farm status` and `farm list` say.

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};
use farm::{Finding, Finds, Linked, Mount, Name, Reason, RelPath, Standing, Stands, State};

use super::super::resolve::{Claim, Farm, Landed};
use super::super::told::{Difference, Status};
use super::{
    CHANGED, GONE, HINT, MADE, Words, name, name_shown, path_shown, plain_reason, shown, text_shown,
    to_stdout,
};

/// Packages in a drawn tree.
const PACKAGE: Style = AnsiColor::Cyan.on_default();

/// Wider columns than this are not aligned.
const WIDEST: usize = 40;

/// More hints than this nobody reads.
const HINTS: usize = 2;

impl Words {
    /// Says in a line for each package how it stands.
    pub fn status(&self, farm: &Farm, statuses: &[Status]) {
        if self.quiet {
            return;
        }
        if statuses.is_empty() {
            return self.no_packages(farm);
        }
        let names = column(statuses.iter().map(|status| name(&status.standing.package)));
        for (status, name) in statuses.iter().zip(names) {
            to_stdout(&head(status, &name));
        }
        if statuses.iter().any(Status::is_off) {
            self.to_stderr(&format!("{HINT}hint:{HINT:#} `farm status --long` says what is wrong"));
        }
    }

    /// Says how each package stands, with each of its paths.
    pub fn long_status(&self, farm: &Farm, statuses: &[Status]) {
        if self.quiet {
            return;
        }
        if statuses.is_empty() {
            return self.no_packages(farm);
        }
        let names = column(statuses.iter().map(|status| name(&status.standing.package)));
        for (status, name) in statuses.iter().zip(names) {
            to_stdout(&head(status, &name));
            let lines = lines(status);
            let paths = column(lines.iter().map(|(path, ..)| path_shown(farm, path)));
            for ((_, style, sign, text), path) in lines.iter().zip(paths) {
                to_stdout(&format!("  {style}{sign}{style:#} {path}  {text}"));
            }
        }
        for hint in hints(statuses) {
            self.to_stderr(&format!("{HINT}hint:{HINT:#} {hint}"));
        }
    }

    /// Draws the farm: the links in the target, each with its package, and what should be there.
    pub fn farm_tree(&self, farm: &Farm, statuses: &[Status]) {
        if self.quiet {
            return;
        }
        let mut top = Branch::default();
        for Status { standing, .. } in statuses {
            let package = name(&standing.package);
            for link in &standing.links {
                let slash = if link.stands == Stands::ForDirectory { "/" } else { "" };
                top.enter(farm, &link.path, format!("{slash} -> {PACKAGE}{package}{PACKAGE:#}"));
            }
            for finding in &standing.findings {
                let (style, _, word) = mark(&finding.what);
                let label = format!("  {style}{word}{style:#} ({PACKAGE}{package}{PACKAGE:#})");
                top.enter(farm, &finding.path, label);
            }
        }
        to_stdout(&shown(&farm.target().to_string_lossy()));
        top.draw(&mut String::new());
    }

    /// Shows what links would replace: differences of files, and for all else what it is.
    pub fn differences(&self, farm: &Farm, differences: &[Difference]) {
        if self.quiet {
            return;
        }
        for Difference { package, path, reason, diff } in differences {
            match diff {
                Some(Ok(diff)) => to_stdout(diff.trim_end_matches('\n')),
                Some(Err(why)) => to_stdout(&format!("{}: {why}", path_shown(farm, path))),
                None => to_stdout(&format!("{}: {}", path_shown(farm, path), plain_reason(package, reason))),
            }
        }
    }

    /// Lists packages, and where they land.
    pub fn list(&self, farm: &Farm, landed: &[(Landed, Claim)]) {
        if self.quiet {
            return;
        }
        if landed.is_empty() {
            return self.no_packages(farm);
        }
        let names = column(landed.iter().map(|(landed, _)| name(&landed.package)));
        for ((landed, claim), name) in landed.iter().zip(names) {
            let path = farm.absolute(&farm::Route::below_root(landed.mount.at().clone()));
            let path = shown(&path.to_string_lossy());
            // As in farm.toml: content lands in a directory, a package as a path.
            let way = match landed.mount {
                Mount::Into(_) => "into",
                Mount::As(_) => "as  ",
            };
            let here = if *claim == Claim::NotHere { "  (not for this machine)" } else { "" };
            to_stdout(&format!("{name}  {way}  {path}{here}"));
        }
    }

    fn no_packages(&self, farm: &Farm) {
        to_stdout(&format!("there are no packages in {}", shown(&farm.dir.to_string_lossy())));
    }
}

/// Returns texts filled up with blanks to the width of the longest, if that is not too wide.
fn column(texts: impl Iterator<Item = String>) -> Vec<String> {
    let texts: Vec<String> = texts.collect();
    let width = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).min(WIDEST);
    texts.into_iter().map(|text| format!("{text:width$}")).collect()
}

fn head(status: &Status, name: &str) -> String {
    let (style, state) = match status.standing.state() {
        _ if status.is_not_here() => (Style::new(), "not here"),
        State::Conflict => (GONE, "conflict"),
        State::Drifted => (CHANGED, "drifted"),
        State::Partly => (CHANGED, "partly"),
        State::NotLinked => (Style::new(), "not linked"),
        State::Linked => (MADE, "linked"),
        State::Empty => (Style::new(), "empty"),
    };
    let width = "not linked".len();
    format!("{name}  {style}{state:width$}{style:#}  {}", tally(status))
}

/// Returns how many links there are, and how many findings of each kind.
fn tally(Status { standing, new, claim }: &Status) -> String {
    let mut parts = Vec::new();
    match standing.links.len() {
        0 if *claim == Claim::NotHere => {}
        0 if standing.findings.is_empty() => return "nothing to link".to_owned(),
        0 => {}
        1 => parts.push("1 link".to_owned()),
        n => parts.push(format!("{n} links")),
    }
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for finding in &standing.findings {
        let (.., word) = mark(&finding.what);
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    parts.extend(counts.iter().map(|(word, count)| format!("{count} {word}")));
    match new.len() {
        0 => {}
        1 => parts.push("1 file new to git".to_owned()),
        n => parts.push(format!("{n} files new to git")),
    }
    if *claim == Claim::NotHere {
        parts.push("not for this machine".to_owned());
    }
    parts.join(", ")
}

/// Returns the colour, the sign and the word for a finding.
fn mark(what: &Finds) -> (Style, &'static str, &'static str) {
    match what {
        Finds::Missing => (MADE, "+", "missing"),
        Finds::Gone => (MADE, "+", "gone"),
        Finds::Copy => (CHANGED, "~", "a copy"),
        Finds::Conflict(_) => (GONE, "!", "in the way"),
        Finds::Replaced(_) => (GONE, "!", "replaced"),
        Finds::Stale(_) => (GONE, "-", "stale"),
        Finds::Dangling(_) => (GONE, "!", "dangling"),
        Finds::Elsewhere(_) => (CHANGED, "~", "leading elsewhere"),
        Finds::MustUnfold => (CHANGED, "~", "to unfold"),
        Finds::CouldFold => (CHANGED, "~", "foldable"),
    }
}

/// Returns all paths of a package in order, each with its colour, sign and sentence.
fn lines(status: &Status) -> Vec<(&RelPath, Style, &'static str, String)> {
    let Standing { package, links, findings } = &status.standing;
    let mut lines: Vec<(&RelPath, Style, &str, String)> = Vec::new();
    let says = |Linked { text, stands, .. }: &Linked| match stands {
        Stands::ForEntry => format!("a link to {}", text_shown(text)),
        Stands::ForDirectory => format!("a link to {}, a directory", text_shown(text)),
    };
    lines.extend(links.iter().map(|link| (&link.path, MADE, "=", says(link))));
    lines.extend(findings.iter().map(|Finding { path, what }| {
        let (style, sign, _) = mark(what);
        (path, style, sign, finding(package, what))
    }));
    let new = || format!("a file in {} that git does not know", name(package));
    lines.extend(status.new.iter().map(|path| (path, CHANGED, "?", new())));
    lines.sort_by_key(|(path, ..)| *path);
    lines
}

pub(super) fn finding(package: &RelPath, what: &Finds) -> String {
    let name = name(package);
    match what {
        Finds::Missing => "no link yet".to_owned(),
        Finds::Gone => "the link that farm made is gone".to_owned(),
        Finds::Copy => format!("a file equal to {name}'s, not a link"),
        Finds::Conflict(reason) => plain_reason(package, reason),
        Finds::Replaced(reason) => {
            format!("{}; it has replaced a link that farm made", plain_reason(package, reason))
        }
        Finds::Stale(text) => format!("a link to {}, which {name} no longer has", text_shown(text)),
        Finds::Dangling(text) => {
            format!("a link to {}, which is itself a link that leads nowhere", text_shown(text))
        }
        Finds::Elsewhere(text) => {
            format!("a link to {}, which is not where it should lead", text_shown(text))
        }
        Finds::MustUnfold => "one link, and something in the directory is not to be linked".to_owned(),
        Finds::CouldFold => "a directory that could be one link".to_owned(),
    }
}

/// Returns what mends the findings, the most urgent first.
fn hints(statuses: &[Status]) -> Vec<String> {
    let packages = |is: fn(&Finds) -> bool| {
        let has = |status: &&Status| {
            let counts = status.claim != Claim::NotHere && (status.is_off() || status.standing.is_there());
            counts && status.standing.findings.iter().any(|it| is(&it.what))
        };
        let names = statuses.iter().filter(has).map(|status| name(&status.standing.package));
        names.collect::<Vec<_>>().join(" ")
    };
    let is_adoptable =
        |what: &Finds| matches!(what, Finds::Replaced(reason) if reason.allows(&farm::Strategy::Adopt));
    let replaced = packages(|what| matches!(what, Finds::Replaced(_)));
    let adoptable = packages(is_adoptable);
    let in_the_way = packages(|what| matches!(what, Finds::Conflict(reason) if reason.is_resolvable()));
    let others = packages(|what| matches!(what, Finds::Conflict(Reason::OtherPackage { .. })));
    let wrong = packages(|what| matches!(what, Finds::Stale(_) | Finds::Elsewhere(_) | Finds::MustUnfold));
    let missing = packages(|what| matches!(what, Finds::Missing | Finds::Gone | Finds::Copy));
    let first = |names: &str| names.split(' ').next().unwrap_or_default().to_owned();
    let mut hints = Vec::new();
    if !adoptable.is_empty() {
        hints.push(format!(
            "`farm adopt {}` takes what is there into the package, `farm relink --replace {replaced}` puts the link back",
            first(&adoptable)
        ));
    } else if !replaced.is_empty() {
        hints.push(format!(
            "`farm relink --replace {replaced}` puts the link back and keeps what is there aside"
        ));
    }
    if !in_the_way.is_empty() {
        hints.push(format!("`farm link --backup {in_the_way}` moves what is in the way aside"));
    }
    if !others.is_empty() {
        hints.push(format!(
            "`farm link --override PATH {}` takes a path from another package",
            first(&others)
        ));
    }
    if !wrong.is_empty() {
        hints.push(format!("`farm relink {wrong}` makes the links right"));
    }
    if !missing.is_empty() {
        hints.push(format!("`farm link {missing}` makes the missing links"));
    }
    hints.truncate(HINTS);
    hints
}

/// A directory of a drawn tree, or what is said of a path.
#[derive(Default)]
struct Branch {
    label: String,
    below: BTreeMap<Name, Branch>,
}

impl Branch {
    fn enter(&mut self, farm: &Farm, path: &RelPath, label: String) {
        let mut at = self;
        let path = path.below(&farm.mount).unwrap_or_else(|| path.clone());
        for name in path.names() {
            at = at.below.entry(name).or_default();
        }
        at.label.push_str(&label);
    }

    /// Draws what is below, each line after `head`.
    fn draw(&self, head: &mut String) {
        let last = self.below.len().saturating_sub(1);
        for (at, (name, branch)) in self.below.iter().enumerate() {
            let (here, further) = if at == last { ("└── ", "    ") } else { ("├── ", "│   ") };
            let slash = if branch.label.is_empty() { "/" } else { "" };
            to_stdout(&format!("{head}{here}{}{slash}{}", name_shown(name), branch.label));
            head.push_str(further);
            branch.draw(head);
            head.truncate(head.len() - further.len());
        }
    }
}
