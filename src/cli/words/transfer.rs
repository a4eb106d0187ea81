//! What `farm adopt` and `farm eject` say.

use farm::{
    Change, Direction, Failure, InPackage, Objection, Ops, PackageEntry, Place, Refused, RelPath, Route,
    Thing, Transfer, Transferred, What,
};

use super::super::Exit;
use super::super::resolve::Farm;
use super::{WARNING, Words, name, path_shown, plan_lines, shown, text_shown, to_stdout};

/// More paths than this are counted, not named.
const NAMED: usize = 3;

/// More hints than this nobody reads.
const HINTS: usize = 2;

impl Words {
    /// Says what came of an adoption or an ejection.
    pub fn transferred(
        &self,
        farm: &Farm,
        asked: &Transfer,
        is_new: bool,
        planned: &Transferred,
        failure: Option<&Failure>,
    ) -> Exit {
        if let Some(failure) = failure {
            return self.failure(failure);
        }
        if !planned.objections.is_empty() {
            self.objections(farm, asked, &planned.objections);
            return Exit::Refused;
        }
        let package = name(&asked.package);
        if !self.quiet {
            for left in &planned.left {
                let path = path_shown(farm, left);
                let line = format!("left {path}: the ignore rules keep it out of {package}");
                self.to_stderr(&format!("{WARNING}warning:{WARNING:#} {line}"));
            }
        }
        if self.quiet || self.json {
            return Exit::Done;
        }
        if self.verbose {
            for line in plan_lines(farm, &planned.plan.ops) {
                to_stdout(&line);
            }
        }
        let did = match (asked.direction, self.dry_run) {
            (Direction::Adopt { .. }, false) => "adopted",
            (Direction::Adopt { .. }, true) => "would adopt",
            (Direction::Eject, false) => "ejected",
            (Direction::Eject, true) => "would eject",
        };
        let way = match asked.direction {
            Direction::Adopt { .. } if is_new => format!("into {package}, a new package"),
            Direction::Adopt { .. } => format!("into {package}"),
            Direction::Eject => format!("from {package}"),
        };
        let tally = Tally::of(&planned.plan.ops).words(asked.direction);
        let end = if self.dry_run { "; nothing was changed" } else { "" };
        to_stdout(&format!("{did} {} {way}: {tally}{end}", paths(farm, &asked.paths)));
        Exit::Done
    }

    fn objections(&self, farm: &Farm, asked: &Transfer, objections: &[Objection]) {
        let paths: Vec<String> = objections.iter().map(|o| route_shown(farm, &o.path)).collect();
        let width = paths.iter().map(|path| path.chars().count()).max().unwrap_or(0).min(40);
        let facts = objections.iter().zip(&paths);
        let mut facts: Vec<String> = facts
            .map(|(objection, path)| format!("  {path:width$}  {}", reason(farm, asked, objection)))
            .collect();
        facts.push("nothing was changed".to_owned());
        let package = name(&asked.package);
        let count = match objections.len() {
            1 => "1 thing stands against it".to_owned(),
            n => format!("{n} things stand against it"),
        };
        let what = match asked.direction {
            Direction::Adopt { .. } => format!("cannot adopt into {package}"),
            Direction::Eject => format!("cannot eject from {package}"),
        };
        let mut hints: Vec<String> = Vec::new();
        for hint in objections.iter().filter_map(|objection| hint(farm, asked, objection)) {
            if hints.len() < HINTS && !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        self.say_error(&format!("{what}: {count}"), &facts, &hints);
    }
}

fn reason(farm: &Farm, asked: &Transfer, objection: &Objection) -> String {
    let package = name(&asked.package);
    let is_adoption = asked.direction != Direction::Eject;
    match &objection.reason {
        Refused::Outside if is_in_target(farm, objection) => {
            let lands = farm.absolute(&Route::below_root(asked.mount.at().clone()));
            format!("not in {}, where {package} lands", shown(&lands.to_string_lossy()))
        }
        Refused::Outside => format!("not in the target, {}", shown(&farm.target().to_string_lossy())),
        Refused::Target => "the target itself".to_owned(),
        Refused::InDotfiles if farm.absolute(&objection.path) == farm.dir => {
            "the dotfiles directory itself".to_owned()
        }
        Refused::InDotfiles => "in the dotfiles directory".to_owned(),
        Refused::HoldsDotfiles => "it holds the dotfiles directory".to_owned(),
        Refused::Missing => "nothing is there".to_owned(),
        Refused::Within(top) => format!("in {}, which was named, too", path_shown(farm, top)),
        Refused::BehindLink { link, text } => {
            format!("behind {}, a link to {}, not made by farm", path_shown(farm, link), text_shown(text))
        }
        Refused::Marked(dir) => {
            format!("a .stow file in {} says that it holds packages", path_shown(farm, dir))
        }
        Refused::Protected(dir) => format!("a .nonstow file in {} protects it", path_shown(farm, dir)),
        Refused::InFarm { link, owner } => {
            let what = match Route::below_root(link.clone()) == objection.path {
                true => format!("a link into {}", name(owner)),
                false => format!("{} is a link into {}", path_shown(farm, link), name(owner)),
            };
            if is_adoption {
                format!("in the farm already: {what}")
            } else {
                format!("{what}, not {package}")
            }
        }
        Refused::Special => "a FIFO, socket or device".to_owned(),
        Refused::KeptOut => format!("the ignore rules keep it out of {package}"),
        Refused::NoSuchName => "with --dotfiles no name in a package stands for it".to_owned(),
        Refused::TwoNames => format!("{package} has it under two names, with a dot and with dot-"),
        Refused::LeadsElsewhere(text) => {
            let side = if is_adoption { "the package" } else { "the target" };
            format!("a link to {}, which would lead elsewhere from {side}", text_shown(text))
        }
        Refused::Taken { by: InPackage::OtherFile, .. } => format!("{package} has another file there"),
        Refused::Taken { by: InPackage::Directory, .. } => format!("{package} has a directory there"),
        Refused::Taken { by: InPackage::OtherKind, .. } => {
            format!("{package} has something of another kind there")
        }
        Refused::Taken { by: InPackage::NoDirectory, at } => {
            format!("{} is no directory", route_shown(farm, at))
        }
        Refused::NothingInIt => "a directory with nothing to adopt in it".to_owned(),
        Refused::NotALink => "not a link".to_owned(),
        Refused::NoLinkInIt => format!("a directory without a link into {package}"),
        Refused::Foreign(text) => format!("a link to {}, not made by farm", text_shown(text)),
        Refused::NoDirectory => "not a directory, as a package is".to_owned(),
        Refused::WholePackage => "a link to the package itself".to_owned(),
        Refused::Gone(text) => format!("a link to {}, where {package} has nothing", text_shown(text)),
        Refused::BehindPackageLink => format!("{package} has it behind a link of its own"),
        Refused::Twice(path) => format!("it leads to the same thing as {}", path_shown(farm, path)),
    }
}

/// Tells whether something that is not where the package lands is in the target all the same.
fn is_in_target(farm: &Farm, objection: &Objection) -> bool {
    objection.path.up == 0 && objection.path.down.below(&farm.mount).is_some()
}

fn hint(farm: &Farm, asked: &Transfer, objection: &Objection) -> Option<String> {
    let is_adoption = asked.direction != Direction::Eject;
    match &objection.reason {
        Refused::Taken { by: InPackage::OtherFile | InPackage::OtherKind, .. } => Some(
            "--overwrite takes it all the same; what the package has goes to the state directory".to_owned(),
        ),
        Refused::InFarm { owner, .. } if is_adoption && *owner != asked.package => {
            Some(format!("`farm eject {} PATH` takes it out of there first", name(owner)))
        }
        Refused::InFarm { owner, .. } if !is_adoption => Some(format!("`farm eject {} PATH`", name(owner))),
        Refused::LeadsElsewhere(_) => Some("make the link absolute first".to_owned()),
        Refused::Outside if is_in_target(farm, objection) => {
            Some("`as` and `into` in farm.toml say where a package lands".to_owned())
        }
        _ => None,
    }
}

pub(super) fn route_shown(farm: &Farm, route: &Route) -> String {
    match route.up {
        0 if !route.down.is_root() => path_shown(farm, &route.down),
        _ => shown(&farm.absolute(route).to_string_lossy()),
    }
}

/// Returns the paths that were asked for, or how many there are.
fn paths(farm: &Farm, routes: &[Route]) -> String {
    let mut paths: Vec<&RelPath> = routes.iter().map(|route| &route.down).collect();
    paths.sort();
    paths.dedup();
    match paths.len() {
        0..=NAMED => paths.iter().map(|path| path_shown(farm, path)).collect::<Vec<_>>().join(", "),
        n => format!("{n} paths"),
    }
}

/// What a plan comes to, in numbers.
#[derive(Default)]
struct Tally {
    files: usize,
    dirs: usize,
    links: usize,
    equal: usize,
    replaced: usize,
    made: usize,
    unfolded: usize,
}

impl Tally {
    fn of(ops: &Ops) -> Tally {
        let mut tally = Tally::default();
        for change in ops.changes() {
            match &change {
                Change::Displace { to: Place::Equal(_), .. } => {
                    tally.equal += 1;
                    tally.made += 1;
                }
                Change::Displace { what, to, .. } => {
                    tally.moved(what);
                    tally.made += 1;
                    if matches!(to, Place::Package { entry: PackageEntry::Old(_), .. }) {
                        tally.replaced += 1;
                    }
                }
                Change::Restore { what, .. } => tally.moved(what),
                Change::Swap { new: Thing::Dir(_), .. } => tally.unfolded += 1,
                Change::Make(_) | Change::Remove(_) | Change::Swap { .. } => {}
            }
        }
        tally
    }

    fn moved(&mut self, what: &What) {
        match what {
            What::File | What::Other => self.files += 1,
            What::Dir => self.dirs += 1,
            What::Link(_) => self.links += 1,
        }
    }

    fn words(&self, direction: Direction) -> String {
        let moved = if direction == Direction::Eject { "moved back" } else { "moved" };
        let mut parts = Vec::new();
        let mut part = |count: usize, one: &str, many: &str, did: &str| {
            if count > 0 {
                let what = if count == 1 { one } else { many };
                parts.push(format!("{count} {what} {did}").trim_end().to_owned());
            }
        };
        part(self.files, "file", "files", moved);
        part(self.dirs, "directory", "directories", moved);
        part(self.links, "link", "links", moved);
        part(self.equal, "equal file", "equal files", "replaced");
        part(self.replaced, "file of the package", "files of the package", "kept aside");
        part(self.unfolded, "directory", "directories", "unfolded");
        part(self.made, "link", "links", "");
        parts.join(", ")
    }
}
