//! Adopting and ejecting on literal trees, and their properties over random farms.

use std::collections::BTreeMap;

use super::*;
use crate::op::{Entry as PackageEntry, Piece, Place, Plan, Slot, What};
use crate::plan::transfer::{Direction, InPackage, Objection, Refused, Transfer, Transferred, transfer};

const ADOPT: Direction = Direction::Adopt { overwrite: false };
const OVERWRITE: Direction = Direction::Adopt { overwrite: true };

fn rel(path: &str) -> RelPath {
    RelPath::new(path.as_bytes()).expect("a path")
}

fn route(path: &str) -> Route {
    Route::root().follow(path.as_bytes())
}

fn asked(direction: Direction, package: &str, paths: &[&str]) -> Transfer {
    let mount = Mount::Into(RelPath::root());
    Transfer {
        direction,
        package: rel(package),
        mount,
        paths: paths.iter().map(|path| route(path)).collect(),
    }
}

fn native() -> Policy {
    Policy::native()
}

fn dotfiles() -> Policy {
    Policy { naming: Naming::Dotfiles, ..Policy::native() }
}

impl World {
    fn from(lines: &[&str]) -> World {
        World { tree: Tree::from_lines(lines.iter().copied()), ignore: "", large: usize::MAX }
    }

    fn transfer(&self, policy: &Policy, asked: &Transfer) -> Transferred {
        let request = request(policy, &[]);
        let mut snapshot = Snapshot::unread();
        let mut rounds = 0;
        loop {
            match transfer(&request, asked, &snapshot) {
                Ok(planned) => return planned,
                Err(needs) => {
                    rounds += 1;
                    assert!(rounds < 100, "{needs:?} is asked for again and again");
                    let naming = policy.naming;
                    let learned = snapshot.learn(naming, needs.into_iter().collect(), |snapshot, needs| {
                        let answered = |need: Need| {
                            let fact = self.answer(snapshot, &request, &need);
                            (need, fact)
                        };
                        Ok::<_, std::convert::Infallible>(needs.into_iter().map(answered).collect())
                    });
                    learned.unwrap_or_else(|never| match never {});
                }
            }
        }
    }

    /// Does a plan that moves things, on both sides; panics where the world is not as the plan expects.
    fn carry_out(&self, plan: &Plan) -> World {
        let mut disk = Disk::of(&self.tree);
        plan.ops.iter().for_each(|op| disk.carry_out(&op));
        World { tree: disk.tree(), ignore: self.ignore, large: self.large }
    }

    /// Returns what somebody sees who follows links: every path that is not too deep, and whether it is a directory.
    fn view(&self) -> BTreeMap<RelPath, bool> {
        let mut seen = BTreeMap::new();
        let mut todo = vec![RelPath::root()];
        while let Some(path) = todo.pop() {
            let Some((_, found)) = self.follow(&RelPath::root(), path.as_bytes()) else { continue };
            if let Seen::Dir(dir) = found
                && path.depth() < 4
            {
                for name in self.tree.entries(dir).expect("all is known").names() {
                    let path = path.join(&name);
                    if path != rel("s") {
                        todo.push(path);
                    }
                }
            }
            seen.insert(path, matches!(found, Seen::Dir(_)));
        }
        seen
    }
}

/// A whole file system as paths, each with the tail that its line has.
struct Disk(BTreeMap<RelPath, String>);

impl Disk {
    fn of(tree: &Tree) -> Disk {
        let entry = |line: String| {
            let end = line.find(" -> ").unwrap_or(line.trim_end_matches(['/', '|']).len());
            (rel(&line[..end]), line[end..].to_owned())
        };
        Disk(tree.lines().into_iter().map(entry).collect())
    }

    fn tree(&self) -> Tree {
        let lines =
            self.0.iter().map(|(path, tail)| String::from_utf8_lossy(path.as_bytes()) + tail.as_str());
        let lines: Vec<_> = lines.collect();
        Tree::from_lines(lines.iter().map(|line| &**line))
    }

    fn carry_out(&mut self, op: &Op) {
        match &op.change {
            Change::Displace { what, to, new } => {
                assert_eq!(Some(what), self.what(&op.path).as_ref());
                let gone = self.take(&op.path);
                if let Place::Package { at, entry } = to {
                    match entry {
                        PackageEntry::New { dirs } => self.make_dirs(&at.down, *dirs),
                        PackageEntry::Old(_) => {
                            let old = self.take(&at.down);
                            assert!(old.len() == 1 && old[0].1 != "/", "{old:?} cannot give way");
                        }
                    }
                    self.put(&at.down, gone);
                }
                self.make(&op.path, new);
            }
            Change::Restore { what, from: Place::Package { at, entry: PackageEntry::New { dirs } }, old } => {
                self.unmake(&op.path, old);
                assert_eq!(Some(what), self.what(&at.down).as_ref());
                let back = self.take(&at.down);
                self.put(&op.path, back);
                let mut dir = at.down.clone();
                for _ in 0..*dirs {
                    dir = dir.split().expect("a directory above").0;
                    let removed = self.take(&dir);
                    assert_eq!(removed, [(RelPath::root(), "/".to_owned())], "{dir:?} is not empty");
                }
            }
            Change::Swap { old, new } => {
                self.unmake(&op.path, old);
                self.make(&op.path, new);
            }
            other => panic!("{other:?} is nothing that moves"),
        }
    }

    fn what(&self, path: &RelPath) -> Option<What> {
        Some(match self.0.get(path)?.as_str() {
            "" => What::File,
            "/" => What::Dir,
            "|" => What::Other,
            text => What::Link(LinkText::new(&text.as_bytes()[4..])),
        })
    }

    fn take(&mut self, path: &RelPath) -> Vec<(RelPath, String)> {
        let taken: Vec<RelPath> = self.0.keys().filter(|at| at.below(path).is_some()).cloned().collect();
        let take = |at: RelPath| (at.below(path).expect("below"), self.0.remove(&at).expect("it is there"));
        taken.into_iter().map(take).collect()
    }

    fn put(&mut self, path: &RelPath, entries: Vec<(RelPath, String)>) {
        assert!(
            !entries.is_empty() && !self.0.contains_key(path),
            "nothing comes to {path:?}, or over something"
        );
        self.0.extend(entries.into_iter().map(|(below, tail)| (path.join_path(&below), tail)));
    }

    fn make(&mut self, path: &RelPath, thing: &Thing) {
        let entries = match thing {
            Thing::Link(text) => vec![(RelPath::root(), tail(text))],
            Thing::File(_) => Vec::new(),
            Thing::Dir(pieces) => {
                let piece =
                    |piece: &Piece| (piece.path.clone(), piece.text.as_ref().map_or("/".to_owned(), tail));
                std::iter::once((RelPath::root(), "/".to_owned())).chain(pieces.iter().map(piece)).collect()
            }
        };
        self.put(path, entries);
    }

    fn unmake(&mut self, path: &RelPath, thing: &Thing) {
        let gone = Disk(self.take(path).into_iter().collect());
        let mut made = Disk(BTreeMap::new());
        made.make(&RelPath::root(), thing);
        assert_eq!(gone.0, made.0, "{path:?} is not as planned");
    }

    /// Makes the directories above `path`, of which exactly `count` are missing.
    fn make_dirs(&mut self, path: &RelPath, count: usize) {
        let above = std::iter::successors(path.split(), |(dir, _)| dir.split()).map(|(dir, _)| dir);
        let missing: Vec<RelPath> = above.filter(|dir| !dir.is_root() && !self.0.contains_key(dir)).collect();
        assert_eq!(missing.len(), count, "directories above {path:?}");
        self.0.extend(missing.into_iter().map(|dir| (dir, "/".to_owned())));
    }
}

fn tail(text: &LinkText) -> String {
    format!(" -> {}", String::from_utf8_lossy(text.as_bytes()))
}

/// Plans, carries out and returns the lines of both sides.
#[track_caller]
fn done(lines: &[&str], policy: &Policy, asked: &Transfer) -> Vec<String> {
    let world = World::from(lines);
    let planned = world.transfer(policy, asked);
    assert_eq!(planned.objections, []);
    let after = world.carry_out(&planned.plan);
    assert_eq!(after.carry_out(&planned.plan.inverse()).tree.lines(), world.tree.lines(), "the inverse");
    after.tree.lines()
}

/// Plans what must be refused, and returns the reasons.
#[track_caller]
fn refused(lines: &[&str], policy: &Policy, asked: &Transfer) -> Vec<(String, Refused)> {
    let planned = World::from(lines).transfer(policy, asked);
    assert!(planned.plan.is_empty(), "{:?}", planned.plan);
    let shown = |Objection { path, reason }| (String::from_utf8_lossy(&path.to_bytes()).into_owned(), reason);
    planned.objections.into_iter().map(shown).collect()
}

fn one(path: &str, reason: Refused) -> Vec<(String, Refused)> {
    vec![(path.to_owned(), reason)]
}

#[test]
fn a_new_package_takes_a_file_a_directory_and_a_link() {
    let lines = ["s/", ".a", ".c/n/x", ".c/n/y/", ".c/k", "l -> /etc/l"];
    let after = done(&lines, &native(), &asked(ADOPT, "n", &[".a", ".c/n", "l"]));
    assert_eq!(
        after,
        [
            ".a -> s/n/.a",
            ".c/",
            ".c/k",
            ".c/n -> ../s/n/.c/n",
            "l -> s/n/l",
            "s/",
            "s/n/",
            "s/n/.a",
            "s/n/.c/",
            "s/n/.c/n/",
            "s/n/.c/n/x",
            "s/n/.c/n/y/",
            "s/n/l -> /etc/l",
        ]
    );
}

#[test]
fn the_first_operation_that_needs_a_directory_makes_it() {
    let world = World::from(&["s/", "a/b/x", "a/b/y", "a/z"]);
    let planned = world.transfer(&native(), &asked(ADOPT, "n", &["a/b/x", "a/b/y", "a/z"]));
    let dirs = planned.plan.ops.iter().map(|op| match &op.change {
        Change::Displace { to: Place::Package { entry: PackageEntry::New { dirs }, .. }, .. } => *dirs,
        other => panic!("{other:?}"),
    });
    let paths = paths(&planned.plan.ops);
    assert_eq!(paths, [rel("a/z"), rel("a/b/x"), rel("a/b/y")]);
    assert_eq!(dirs.collect::<Vec<_>>(), [2, 1, 0]);
}

#[test]
fn where_the_package_has_a_directory_its_content_moves_bit_by_bit() {
    let lines = ["s/p/.c/old", ".c/new", ".c/d/x", ".c/old -> ../s/p/.c/old"];
    let after = done(&lines, &native(), &asked(ADOPT, "p", &[".c"]));
    assert_eq!(
        after[..4],
        [".c/", ".c/d -> ../s/p/.c/d", ".c/new -> ../s/p/.c/new", ".c/old -> ../s/p/.c/old"]
    );
    assert_eq!(after[4..], ["s/", "s/p/", "s/p/.c/", "s/p/.c/d/", "s/p/.c/d/x", "s/p/.c/new", "s/p/.c/old"]);
}

#[test]
fn links_of_the_farm_in_a_directory_stay_where_they_are() {
    let lines = ["s/p/", "s/q/c/x", "c/x -> ../s/q/c/x", "c/y"];
    let after = done(&lines, &native(), &asked(ADOPT, "p", &["c"]));
    assert_eq!(after[..3], ["c/", "c/x -> ../s/q/c/x", "c/y -> ../s/p/c/y"]);
    let lines = &lines[..3];
    assert_eq!(refused(lines, &native(), &asked(ADOPT, "p", &["c"])), one("c", Refused::NothingInIt));
}

#[test]
fn a_directory_with_something_ignored_keeps_it() {
    let world = World { ignore: "*.key", ..World::from(&["s/p/", "c/x", "c/b.key"]) };
    let planned = world.transfer(&native(), &asked(ADOPT, "p", &["c"]));
    assert_eq!((planned.objections, planned.left), (vec![], vec![rel("c/b.key")]));
    assert_eq!(paths(&planned.plan.ops), [rel("c/x")]);
    let planned = world.transfer(&native(), &asked(ADOPT, "p", &["c/b.key"]));
    assert_eq!(planned.objections, [Objection { path: route("c/b.key"), reason: Refused::KeptOut }]);
}

#[test]
fn without_folding_files_move_one_by_one() {
    let policy = Policy { fold: Fold::Never, ..native() };
    let after = done(&["s/", "c/d/x", "c/e/"], &policy, &asked(ADOPT, "n", &["c"]));
    assert_eq!(
        after,
        ["c/", "c/d/", "c/d/x -> ../../s/n/c/d/x", "c/e/", "s/", "s/n/", "s/n/c/", "s/n/c/d/", "s/n/c/d/x"]
    );
}

#[test]
fn names_are_spelled_as_the_package_spells_them() {
    let lines = ["s/p/dot-a/x", "s/p/.b/x", ".a/y", ".b/y", ".c"];
    let after = done(&lines, &dotfiles(), &asked(ADOPT, "p", &[".a/y", ".b/y", ".c"]));
    let links: Vec<_> = after.iter().filter(|line| line.contains(" -> ")).collect();
    assert_eq!(links, [".a/y -> ../s/p/dot-a/y", ".b/y -> ../s/p/.b/y", ".c -> s/p/dot-c"]);
    let two = refused(&["s/p/.x", "s/p/dot-x", ".x"], &dotfiles(), &asked(ADOPT, "p", &[".x"]));
    assert_eq!(two, one(".x", Refused::TwoNames));
    let reason = Refused::NoSuchName;
    assert_eq!(
        refused(&["s/p/", "dot-x"], &dotfiles(), &asked(ADOPT, "p", &["dot-x"])),
        one("dot-x", reason)
    );
}

#[test]
fn an_equal_file_is_no_conflict_and_another_gives_way_only_when_told() {
    // In these worlds files named `b` are equal.
    let lines = ["s/p/a", "s/p/b", "a", "b"];
    let at = |path| route(&format!("s/p/{path}"));
    let taken = |path, by| one(path, Refused::Taken { at: at(path), by });
    assert_eq!(refused(&lines, &native(), &asked(ADOPT, "p", &["a", "b"])), taken("a", InPackage::OtherFile));
    let planned = World::from(&lines).transfer(&native(), &asked(OVERWRITE, "p", &["a", "b"]));
    let places = planned.plan.ops.iter().map(|op| match op.change {
        Change::Displace { to, .. } => to,
        other => panic!("{other:?}"),
    });
    let old = Place::Package { at: at("a"), entry: PackageEntry::Old(Slot::NEXT) };
    assert_eq!(places.collect::<Vec<_>>(), [old, Place::Equal(Slot::NEXT)]);
    let lines = ["s/p/a/x", "s/p/c -> /x", "s/p/d", "a", "c", "d/x"];
    assert_eq!(refused(&lines, &native(), &asked(OVERWRITE, "p", &["a"])), taken("a", InPackage::Directory));
    assert_eq!(refused(&lines, &native(), &asked(ADOPT, "p", &["c"])), taken("c", InPackage::OtherKind));
    let way = refused(&lines, &native(), &asked(OVERWRITE, "p", &["d/x"]));
    assert_eq!(way, one("d/x", Refused::Taken { at: at("d"), by: InPackage::NoDirectory }));
}

#[test]
fn all_refusals_of_adopt_are_listed_at_once() {
    let lines = [
        "s/p/c/x",
        "s/q/d/x",
        "c -> s/p/c",
        "e/x -> ../s/q/d/x",
        "foreign -> /mnt",
        "fifo|",
        "deep/fifo|",
        "m/.stow",
        "m/x",
        "n/.nonstow",
        "n/x",
        "k/x",
    ];
    let paths = [
        "../out",
        "",
        "s",
        "s/p/c",
        "nowhere",
        "k",
        "k/x",
        "c",
        "c/x",
        "e/x",
        "foreign/x",
        "fifo",
        "deep",
        "m",
        "m/x",
        "n/x",
        "fifo/x",
    ];
    let found = refused(&lines, &native(), &asked(ADOPT, "p", &paths));
    let in_farm = |link: &str, owner: &str| Refused::InFarm { link: rel(link), owner: rel(owner) };
    let text = LinkText::new(b"/mnt");
    let mut expected = vec![
        (".", Refused::Target),
        ("../out", Refused::Outside),
        ("c", in_farm("c", "p")),
        ("c/x", Refused::Within(rel("c"))),
        ("deep/fifo", Refused::Special),
        ("e/x", in_farm("e/x", "q")),
        ("fifo", Refused::Special),
        ("fifo/x", Refused::Within(rel("fifo"))),
        ("foreign/x", Refused::BehindLink { link: rel("foreign"), text }),
        ("k/x", Refused::Within(rel("k"))),
        ("m", Refused::Marked(rel("m"))),
        ("m/x", Refused::Within(rel("m"))),
        ("n/x", Refused::Protected(rel("n"))),
        ("nowhere", Refused::Missing),
        ("s", Refused::InDotfiles),
        ("s/p/c", Refused::InDotfiles),
    ];
    expected.sort_by_key(|(path, _)| route(path));
    let found: Vec<_> = found.iter().map(|(path, reason)| (path.as_str(), reason.clone())).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_holds_the_dotfiles_directory_stays() {
    let mut request = request(&native(), &[]);
    request.stow_dir = route("d/s");
    let mut snapshot = Snapshot::unread();
    let (stow_dir, package) = (request.stow_dir.clone(), rel("p"));
    snapshot.answer(Need::Present(route("d/s/p")), Fact::Holds(false));
    snapshot.answer(Need::NewPackage { stow_dir, package }, Fact::Package(Rules::All));
    for direction in [ADOPT, Direction::Eject] {
        let planned = transfer(&request, &asked(direction, "p", &["d"]), &snapshot).expect("enough is known");
        assert_eq!(planned.objections, [Objection { path: route("d"), reason: Refused::HoldsDotfiles }]);
    }
}

#[test]
fn a_relative_link_moves_when_it_leads_to_the_same_thing_afterwards() {
    let text = |text: &str| LinkText::new(text.as_bytes());
    let lines = ["s/", "d/x", "d/l -> x", "d/m -> ../.c", "k -> .c", ".c"];
    // To what moves along, beside it or in the same directory.
    done(&lines, &native(), &asked(ADOPT, "n", &["d", "k", ".c"]));
    let found = refused(&lines, &native(), &asked(ADOPT, "n", &["k"]));
    assert_eq!(found, one("k", Refused::LeadsElsewhere(text(".c"))));
    let found = refused(&lines, &native(), &asked(ADOPT, "n", &["d"]));
    assert_eq!(found, one("d/m", Refused::LeadsElsewhere(text("../.c"))));
    // With another name in the package it would dangle.
    let found = refused(&lines, &dotfiles(), &asked(ADOPT, "n", &["k", ".c"]));
    assert_eq!(found, one("k", Refused::LeadsElsewhere(text(".c"))));
    // To what the package has in the same place: a link to a link of the farm is the farm's, too.
    let lines = ["s/p/.b", ".b -> s/p/.b", "l -> .b"];
    let reason = Refused::InFarm { link: rel("l"), owner: rel("p") };
    assert_eq!(refused(&lines, &native(), &asked(ADOPT, "p", &["l"])), one("l", reason));
    assert_eq!(
        refused(&lines, &native(), &asked(Direction::Eject, "p", &["l"])),
        one("l", Refused::Twice(rel(".b")))
    );
}

#[test]
fn ejecting_takes_folded_links_apart_first() {
    let lines = ["s/p/c/n/x", "s/p/c/n/y", "s/p/c/k/z", "s/p/c/b~", "c -> s/p/c"];
    let after = done(&lines, &native(), &asked(Direction::Eject, "p", &["c/n/x", "c/k"]));
    let target = ["c/", "c/k/", "c/k/z", "c/n/", "c/n/x", "c/n/y -> ../../s/p/c/n/y"];
    assert_eq!(after[..6], target);
    assert_eq!(after[6..], ["s/", "s/p/", "s/p/c/", "s/p/c/b~", "s/p/c/n/", "s/p/c/n/y"]);
    // What the built-in list keeps out is seen in a folded directory, too.
    done(&lines, &native(), &asked(Direction::Eject, "p", &["c/b~"]));
}

#[test]
fn ejecting_removes_directories_that_the_package_has_no_use_for() {
    let lines = ["s/p/c/n/x", "s/p/c/y", "c -> s/p/c"];
    let after = done(&lines, &native(), &asked(Direction::Eject, "p", &["c/n/x"]));
    assert_eq!(after, ["c/", "c/n/", "c/n/x", "c/y -> ../s/p/c/y", "s/", "s/p/", "s/p/c/", "s/p/c/y"]);
    let after = done(&lines, &native(), &asked(Direction::Eject, "p", &["c"]));
    assert_eq!(after, ["c/", "c/n/", "c/n/x", "c/y", "s/", "s/p/"]);
}

#[test]
fn ejecting_a_real_directory_ejects_the_links_in_it() {
    let lines = ["s/p/c/x", "s/q/c/y", "c/x -> ../s/p/c/x", "c/y -> ../s/q/c/y", "c/z"];
    let after = done(&lines, &native(), &asked(Direction::Eject, "p", &["c"]));
    assert_eq!(after[..4], ["c/", "c/x", "c/y -> ../s/q/c/y", "c/z"]);
}

#[test]
fn dot_names_come_back_hidden() {
    let lines = ["s/p/dot-c/dot-x", "s/p/dot-c/y", ".c -> s/p/dot-c"];
    // Through a folded link names are the package's.
    for path in [".c/dot-x", ".c/.x"] {
        let after = done(&lines, &dotfiles(), &asked(Direction::Eject, "p", &[path]));
        assert_eq!(after[..3], [".c/", ".c/.x", ".c/y -> ../s/p/dot-c/y"]);
    }
}

#[test]
fn all_refusals_of_eject_are_listed_at_once() {
    let lines = [
        "s/p/c/x",
        "s/p/z",
        "s/p/l -> c",
        "s/q/d/x",
        "c -> s/p/c",
        "d -> s/q/d",
        "file",
        "dir/x",
        "foreign -> /mnt",
        "whole -> s/p",
        "gone -> s/p/gone",
        "z -> s/p/z",
        "zz -> s/p/z",
        "l -> s/p/l",
    ];
    let paths = [
        "../out",
        "c/none",
        "d",
        "d/x",
        "file",
        "dir",
        "foreign",
        "foreign/x",
        "gone",
        "whole",
        "none",
        "z",
        "zz",
        "l/x",
        "s/p",
    ];
    let in_farm = |link: &str| Refused::InFarm { link: rel(link), owner: rel("q") };
    let text = |text: &str| LinkText::new(text.as_bytes());
    let mut expected = vec![
        ("../out", Refused::Outside),
        ("c/none", Refused::Missing),
        ("d", in_farm("d")),
        ("d/x", Refused::Within(rel("d"))),
        ("dir", Refused::NoLinkInIt),
        ("file", Refused::NotALink),
        ("foreign", Refused::Foreign(text("/mnt"))),
        ("foreign/x", Refused::Within(rel("foreign"))),
        ("gone", Refused::Gone(text("s/p/gone"))),
        ("l/x", Refused::BehindPackageLink),
        ("none", Refused::Missing),
        ("s/p", Refused::InDotfiles),
        ("whole", Refused::WholePackage),
        ("zz", Refused::Twice(rel("z"))),
    ];
    expected.sort_by_key(|(path, _)| route(path));
    let found = refused(&lines, &native(), &asked(Direction::Eject, "p", &paths));
    let found: Vec<_> = found.iter().map(|(path, reason)| (path.as_str(), reason.clone())).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_directory_where_the_package_lands_becomes_the_package_and_comes_back() {
    let landing = |direction, paths: &[&str]| Transfer {
        mount: Mount::As(rel(".c/n")),
        ..asked(direction, "n", paths)
    };
    let before = [".c/", ".c/n/", ".c/n/a", ".c/n/d/", ".c/n/d/b", "s/", "s/p/", "s/p/x"];
    let after = [".c/", ".c/n -> ../s/n", "s/", "s/n/", "s/n/a", "s/n/d/", "s/n/d/b", "s/p/", "s/p/x"];
    assert_eq!(done(&before, &native(), &landing(ADOPT, &[".c/n"])), after);
    assert_eq!(done(&after, &native(), &landing(Direction::Eject, &[".c/n"])), before);

    let unfolded = Policy { fold: Fold::Never, ..native() };
    let after = done(&[".c/n/a", "s/n/b"], &unfolded, &landing(ADOPT, &[".c/n"]));
    assert_eq!(after, [".c/", ".c/n/", ".c/n/a -> ../../s/n/a", "s/", "s/n/", "s/n/a", "s/n/b"]);

    for (there, reason) in [
        (".c/n", Refused::NoDirectory),
        (".c/n -> /etc", Refused::Foreign(LinkText::new(b"/etc"))),
        (".c/n -> ../s/p", Refused::InFarm { link: rel(".c/n"), owner: rel("p") }),
        (".c/x", Refused::Missing),
    ] {
        let found = refused(&["s/p/x", there], &native(), &landing(ADOPT, &[".c/n"]));
        assert_eq!(found, one(".c/n", reason));
    }
}

#[test]
fn a_relative_link_comes_back_when_it_leads_to_the_same_thing_afterwards() {
    let lines = ["s/p/a", "s/p/l -> a", "s/p/d/m -> ../a", "a -> s/p/a", "l -> s/p/l", "d -> s/p/d", "k/"];
    done(&lines, &native(), &asked(Direction::Eject, "p", &["l", "d"]));
    done(&lines, &native(), &asked(Direction::Eject, "p", &["l", "a"]));
    let lines = ["s/p/a", "s/p/l -> a", "l -> s/p/l"];
    let found = refused(&lines, &native(), &asked(Direction::Eject, "p", &["l"]));
    assert_eq!(found, one("l", Refused::LeadsElsewhere(LinkText::new(b"a"))));
}

fn some_paths() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(path(), 1..4)
}

fn transferring(direction: Direction, package: &str, paths: &[String]) -> Transfer {
    asked(direction, package, &paths.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Returns the world's lines without the packages' directories: empty ones come and go with what is in them.
fn lines_that_count(world: &World) -> Vec<String> {
    let is_dir = |line: &String| line.starts_with("s/") && line.ends_with('/');
    world.tree.lines().into_iter().filter(|line| !is_dir(line)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_adopted_is_linked_as_linking_would_and_comes_back(
        world in world(0..9, true),
        (fold, dots, overwrite) in (any::<bool>(), any::<bool>(), any::<bool>()),
        package in prop::sample::select(vec!["p", "q", "n"]),
        mut paths in some_paths(),
        landing in prop::option::weighted(0.3, path()),
    ) {
        let mut policy = if dots { dotfiles() } else { native() };
        let mount = landing.as_ref().map_or(Mount::Into(RelPath::root()), |path| Mount::As(rel(path)));
        paths.splice(0..usize::from(landing.is_some()), landing);
        let transferring = |direction: Direction, paths: Vec<Route>| {
            Transfer { direction, package: rel(package), mount: mount.clone(), paths }
        };
        policy.fold = if fold { Fold::Whole } else { Fold::Never };
        let direction = Direction::Adopt { overwrite };
        let planned = world.transfer(&policy, &transferring(direction, paths.iter().map(|path| route(path)).collect()));
        if !planned.objections.is_empty() {
            prop_assert!(planned.plan.is_empty());
            return Ok(());
        }
        prop_assert!(!planned.plan.is_empty());
        let after = world.carry_out(&planned.plan);
        // A link to the dotfiles directory shows what comes into it, and no longer what gave way.
        let seen = after.view();
        prop_assert!(overwrite || world.view().iter().all(|(path, is_dir)| seen.get(path) == Some(is_dir)));

        let link = Step::new(Action::Link, rel(package), mount.clone());
        let linked = after.plan(&Request { steps: vec![link], ..request(&policy, &[]) });
        for op in planned.plan.ops.iter() {
            let touches = |path: &RelPath| path.below(&op.path).is_some() || op.path.below(path).is_some();
            let clash = linked.conflicts.iter().find(|conflict| touches(&conflict.path));
            prop_assert!(clash.is_none(), "{clash:?}");
            let again = linked.plan.ops.iter().find(|op| touches(&op.path));
            prop_assert!(again.is_none(), "{again:?}");
        }

        let is_new = |op: &Op| {
            matches!(&op.change, Change::Displace { to: Place::Package { entry: PackageEntry::New { .. }, .. }, .. })
        };
        if planned.plan.ops.iter().all(|op| is_new(&op)) {
            let back = after.carry_out(&planned.plan.inverse());
            prop_assert_eq!(back.tree.lines(), world.tree.lines());
            let paths = planned.plan.ops.iter().map(|op| Route::below_root(op.path.clone())).collect();
            let ejected = after.transfer(&policy, &transferring(Direction::Eject, paths));
            prop_assert_eq!(&ejected.objections, &vec![]);
            prop_assert_eq!(lines_that_count(&after.carry_out(&ejected.plan)), lines_that_count(&world));
        }
    }

    #[test]
    fn ejecting_changes_nothing_that_anybody_sees(
        world in world(0..5, false), package in 0..2_usize, paths in some_paths(), also in any::<bool>(),
    ) {
        // Links that others made, and the packages' own, may lead to what is ejected, and do so no longer.
        if world.has_links_in_packages() || world.target().iter().any(|line| line.contains(" -> ")) {
            return Ok(());
        }
        let mut world = world;
        let steps = if also { vec![(Action::Link, 1 - package), (Action::Link, package)] } else { vec![(Action::Link, package)] };
        let linked = world.plan(&request(&native(), &steps));
        world.apply(&linked);
        let planned = world.transfer(&native(), &transferring(Direction::Eject, PACKAGES[package], &paths));
        if !linked.conflicts.is_empty() || !planned.objections.is_empty() {
            return Ok(());
        }
        let after = world.carry_out(&planned.plan);
        prop_assert_eq!(world.view(), after.view());
        prop_assert_eq!(after.carry_out(&planned.plan.inverse()).tree.lines(), world.tree.lines());
        let again = after.plan(&request(&native(), &steps));
        prop_assert_eq!(again.plan.ops, Ops::default());
        prop_assert_eq!(again.conflicts, vec![]);
    }
}
