//! The tables, in Markdown.

use std::time::Duration;

use crate::contest::Series;
use crate::entrant::Left;
use crate::measure::Sample;
use crate::program::{FLOOR, Program};
use crate::workload::{Goal, Held, Operation, Workload};

const NONE: &str = "–";

const COLUMNS: [&str; 11] =
    ["", "n", "median", "min", "user", "sys", "peak", "calls", "a link", "× floor", "stow takes"];

/// Prints what an operation took, and what peers left behind that is not what all should leave.
pub fn operation(workload: &Workload, operation: &Operation, all: &[Series]) {
    let as_expected = all.iter().all(|series| series.left == Left::Expected);
    let mut columns = COLUMNS.to_vec();
    if !as_expected {
        columns.push("left");
    }
    println!("\n### {} {}\n", workload.id, operation.name);
    println!("| {} |\n|---|{}", columns.join(" | "), "--:|".repeat(columns.len() - 1));
    for series in all.iter().filter(|series| !series.samples.is_empty()) {
        let links = links(workload, operation);
        let walls = series.walls();
        let mut cells = vec![
            series.program.name(),
            walls.len().to_string(),
            milliseconds(median(&walls)),
            milliseconds(walls.iter().copied().fold(f64::INFINITY, f64::min)),
            milliseconds(series.mean(|sample| sample.user)),
            milliseconds(series.mean(|sample| sample.system)),
            format!("{:.1} MB", series.peak() / 1e6),
            series.calls.map_or(NONE.to_owned(), |calls| calls.to_string()),
            of_many(links, format!("{:.2} µs", median(&walls) * 1e6 / links)),
            ratio(series.against_floor(all)),
            factor(series.against_stow(all)),
        ];
        if !as_expected {
            cells.push(match &series.left {
                Left::Expected => "as expected".to_owned(),
                Left::Equivalent(what) => format!("every file; {what}"),
                Left::Else(what) => what.clone(),
            });
        }
        println!("| {} |", cells.join(" | "));
    }
}

/// The heading of the table that [`goals`] prints lines of.
pub const GOALS: &str = "\
| | | × floor | at most | stow takes | at least | calls a link | bytes a link | user, of the floor's sys |
|---|---|--:|--:|--:|--:|--:|--:|--:|";

/// Returns a line for each of farm's two ways: what it has to reach, and what it does.
pub fn goals(workload: &Workload, operation: &Operation, goal: Goal, all: &[Series]) -> Vec<String> {
    let farm = all.iter().filter(|series| matches!(series.program, Program::DropIn(_) | Program::Native(_)));
    let line = |series: &Series| {
        let links = links(workload, operation);
        let (floor, stow) = (series.against_floor(all), series.against_stow(all));
        let floors = all.iter().find(|other| other.program == FLOOR);
        let user = floors.map(|floor| series.mean(|it| it.user) / floor.mean(|it| it.system));
        let cells = [
            format!("{} {}", workload.id, operation.name),
            series.program.name(),
            verdict(ratio(floor), floor.map(|floor| floor <= goal.floor)),
            format!("{} ×", goal.floor),
            verdict(factor(stow), stow.zip(goal.stow).map(|(stow, goal)| stow >= goal)),
            goal.stow.map_or(NONE.to_owned(), |stow| format!("{stow} ×")),
            of_many(
                links,
                series.calls.map_or(NONE.to_owned(), |calls| format!("{:.2}", calls as f64 / links)),
            ),
            of_many(links, format!("{:.0}", series.peak() / links)),
            of_many(links, user.map_or(NONE.to_owned(), |user| format!("{:.0} %", user * 100.0))),
        ];
        format!("| {} |", cells.join(" | "))
    };
    farm.map(line).collect()
}

impl Series {
    fn walls(&self) -> Vec<f64> {
        self.samples.iter().map(|(_, sample)| sample.wall.as_secs_f64()).collect()
    }

    fn peak(&self) -> f64 {
        median(&self.samples.iter().map(|(_, sample)| sample.peak as f64).collect::<Vec<_>>())
    }

    /// Returns the mean: the kernel attributes a short run's time to one of user and system by chance.
    fn mean(&self, time: impl Fn(&Sample) -> Duration) -> f64 {
        let sum: Duration = self.samples.iter().map(|(_, sample)| time(sample)).sum();
        sum.as_secs_f64() / self.samples.len() as f64
    }

    /// Returns how many times as long as the floor it takes.
    fn against_floor(&self, all: &[Series]) -> Option<f64> {
        self.against(all.iter().find(|series| series.program == FLOOR)?)
    }

    /// Returns how many times as long as it stow takes.
    fn against_stow(&self, all: &[Series]) -> Option<f64> {
        let stow = all.iter().find(|series| matches!(series.program, Program::Stow(_)))?;
        stow.against(self)
    }

    /// Returns the median of the ratios of this one's time to another's, round by round.
    fn against(&self, other: &Series) -> Option<f64> {
        let paired = self.samples.iter().filter_map(|(round, ours)| {
            let (_, theirs) = other.samples.iter().find(|(there, _)| there == round)?;
            Some(ours.wall.as_secs_f64() / theirs.wall.as_secs_f64())
        });
        let ratios: Vec<f64> = paired.collect();
        (!ratios.is_empty()).then(|| median(&ratios))
    }
}

/// Returns `value` where there are so many links that it means something for one of them.
fn of_many(links: f64, value: String) -> String {
    if links < 1_000.0 { NONE.to_owned() } else { value }
}

/// Returns how many links an operation is about.
fn links(workload: &Workload, operation: &Operation) -> f64 {
    let links = match operation.is_of_one() {
        true => workload.layout.links(Held::More) - workload.layout.links(Held::All),
        false => workload.layout.links(Held::All),
    };
    links as f64
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn milliseconds(seconds: f64) -> String {
    let value = seconds * 1e3;
    let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.decimals$} ms")
}

fn ratio(value: Option<f64>) -> String {
    value.map_or(NONE.to_owned(), |value| format!("{value:.2}"))
}

fn factor(value: Option<f64>) -> String {
    let decimals = |value: f64| usize::from(value < 10.0);
    value.map_or(NONE.to_owned(), |value| format!("{value:.*} ×", decimals(value)))
}

fn verdict(value: String, reached: Option<bool>) -> String {
    match reached {
        Some(true) => format!("**{value}**"),
        _ => value,
    }
}
