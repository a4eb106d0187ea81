//! What `farm why` came to.

use farm::{Finds, Kept, Route};
use serde::Serialize;

use super::super::resolve::Farm;
use super::super::told::{Because, Named, There, Why};
use super::status::finding_name;
use super::{Text, path, write};

#[derive(Serialize)]
struct Report {
    command: &'static str,
    changed: bool,
    dir: Text,
    target: Text,
    path: Text,
    because: Vec<BecauseReport>,
}

#[derive(Serialize, Default)]
struct BecauseReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<Text>,
    why: &'static str,
    /// The link or the finding that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<usize>,
    /// The file that says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    /// What is kept out, by its path in the package.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<Text>,
}

/// Prints why a path is linked, or is not.
pub fn why(farm: &Farm, route: &Route, because: &[Because], named: &[Named]) {
    let of_packages = because.iter().map(|because| report(farm, because));
    let of_paths = named.iter().map(|named| path_report(farm, named));
    write(&Report {
        command: "why",
        changed: false,
        dir: Text::from(farm.dir.as_path()),
        target: Text::from(farm.target().as_path()),
        path: Text::from(farm.absolute(route).as_path()),
        because: of_packages.chain(of_paths).collect(),
    });
}

fn path_report(farm: &Farm, named: &Named) -> BecauseReport {
    let to = match &named.there {
        There::Link(text) => Some(Text::from(text.as_bytes())),
        There::Directory | There::File | There::Nothing => None,
    };
    BecauseReport {
        why: "named",
        at: Some(path(farm, &named.at)),
        to,
        file: farm.declared.as_ref().map(|declared| Text::from(declared.path.as_path())),
        line: Some(named.line),
        ..BecauseReport::default()
    }
}

fn report(farm: &Farm, because: &Because) -> BecauseReport {
    let plain = |why| BecauseReport { why, ..BecauseReport::default() };
    let report = match &because.why {
        Why::Link { at, text } => {
            BecauseReport { at: Some(path(farm, at)), to: Some(Text::from(text.as_bytes())), ..plain("link") }
        }
        Why::Directory(links) => BecauseReport { links: Some(*links), ..plain("directory") },
        Why::Finding { at, what } => {
            let to = match what {
                Finds::Stale(text) | Finds::Dangling(text) | Finds::Elsewhere(text) => {
                    Some(Text::from(text.as_bytes()))
                }
                _ => None,
            };
            BecauseReport { at: Some(path(farm, at)), to, ..plain(finding_name(what)) }
        }
        Why::Kept { entry, by } => {
            let kept = BecauseReport { entry: Some(Text::from(entry.as_bytes())), ..plain("ignored") };
            let file = |file: &str| Some(Text::from(file.as_bytes()));
            match by {
                Kept::Rules | Kept::BuiltIn => kept,
                Kept::ByFile { file, line, pattern } => BecauseReport {
                    file: Some(Text::from(file.as_path())),
                    line: Some(*line),
                    pattern: Some(pattern.clone()),
                    ..kept
                },
                Kept::ByOption { option, pattern } => {
                    BecauseReport { file: file(option), pattern: Some(pattern.clone()), ..kept }
                }
                Kept::StowList => BecauseReport { file: file(".stow-local-ignore"), ..kept },
                Kept::StowRc => BecauseReport { file: file(".stowrc"), ..kept },
            }
        }
        Why::NotHere { manifest, line } => BecauseReport {
            file: Some(Text::from(manifest.as_path())),
            line: Some(*line),
            ..plain("not-here")
        },
        Why::Nothing => plain("nothing"),
    };
    BecauseReport { package: Some(Text::from(because.package.as_bytes())), ..report }
}
