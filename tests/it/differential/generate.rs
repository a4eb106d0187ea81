//! Random scenarios from a seed, biased towards collisions: few names, shallow trees, packages that overlap.

use super::rng::Rng;
use super::scenario::{Call, Edit, Node, Scenario, Step};

const NAMES: &[(usize, &str)] = &[
    (10, "a"),
    (10, "b"),
    (6, "c"),
    (2, "d"),
    (3, ".x"),
    (3, "dot-x"),
    (1, "dot-y"),
    (1, "README"),
    (1, "a~"),
    (1, ".git"),
    (1, "b.c"),
];

const PACKAGES: &[&str] = &["p1", "p2", "p3"];

const PATTERNS: &[&str] =
    &["a", "b", "c", "b.*", "^a", "^a/b", "a/b", ".x", "x", "a.", "[ab]", "b$", "dot-.*"];

/// Where things are, and what the scenario is fond of.
struct Farm {
    target: &'static str,
    stow: &'static str,
    /// A second stow directory, marked by a `.stow` or not.
    other: Option<&'static str>,
    /// Paths that packages and target have in common, with whether they are directories.
    paths: Vec<(String, bool)>,
    dotfiles: bool,
    adopts: bool,
    /// Nothing is in the way, so that calls get far.
    clean: bool,
    loud: bool,
}

/// Returns the scenario that `seed` names.
pub fn scenario(seed: u64) -> Scenario {
    let mut rng = Rng::new(seed);
    let rng = &mut rng;
    let (target, stow) = *rng.weighted(&[
        (60, ("t", "t/stow")),
        (12, ("t", "stow")),
        (5, ("t", "t/a/stow")),
        (6, ("t", "t/d/stow")),
        (8, (".", "dots")),
        (3, ("t/b", "t/stow")),
        (2, ("stow/t", "stow")),
        (2, ("t", "t/.stow")),
        (2, ("t", "u/v/stow")),
    ]);
    let other = rng.chance(25).then(|| {
        *rng.weighted(&[(10, "t/stow2"), (3, "t/a/stow2"), (3, "stow2"), (2, "t/stow/sub"), (2, "t/c")])
    });
    let farm = Farm {
        target,
        stow,
        other,
        paths: shape(rng),
        dotfiles: rng.chance(25),
        adopts: rng.chance(12),
        clean: rng.chance(40),
        loud: rng.chance(40),
    };
    let mut start = vec![Edit::dir(farm.stow), Edit::dir(farm.target)];
    for package in PACKAGES {
        start.extend(farm.package(rng, farm.stow, package));
    }
    if let Some(other) = farm.other {
        if rng.chance(75) {
            start.push(Edit::text(format!("{other}/.stow"), ""));
        }
        for package in PACKAGES {
            start.extend(farm.package(rng, other, package));
        }
    }
    let in_the_way = if farm.clean { 20 } else { 4 };
    for _ in 0..*rng.weighted(&[(in_the_way, 0), (4, 1), (3, 2), (2, 3), (1, 5)]) {
        start.push(farm.target_edit(rng));
    }
    farm.settings(rng, &mut start);
    let mut steps = Vec::new();
    for number in 0..*rng.weighted(&[(2, 1), (3, 2), (4, 3), (4, 4), (3, 5)]) {
        let mut edits = Vec::new();
        if number > 0 && rng.chance(45) {
            for _ in 0..rng.between(1, 3) {
                edits.push(farm.later_edit(rng));
            }
        }
        let call = farm.call(rng, number == 0);
        steps.push(Step { edits, call, outcome: None });
    }
    Scenario { title: format!("seed {seed}"), start, steps }
}

/// The paths that this scenario is about.
fn shape(rng: &mut Rng) -> Vec<(String, bool)> {
    let mut paths: Vec<(String, bool)> = Vec::new();
    for _ in 0..rng.between(3, 9) {
        let name = *rng.weighted(NAMES);
        let parents: Vec<&String> = paths
            .iter()
            .filter(|(path, dir)| *dir && path.matches('/').count() < 3)
            .map(|(path, _)| path)
            .collect();
        let path = if parents.is_empty() || rng.chance(35) {
            name.to_owned()
        } else {
            format!("{}/{name}", rng.pick(&parents))
        };
        if paths.iter().all(|(it, _)| *it != path) {
            paths.push((path, rng.chance(55)));
        }
    }
    paths
}

impl Farm {
    /// A path most packages know, or one that only looks like it.
    fn path(&self, rng: &mut Rng) -> (String, bool) {
        let (path, dir) = rng.pick(&self.paths).clone();
        if dir && rng.chance(30) { (format!("{path}/{}", rng.weighted(NAMES)), false) } else { (path, dir) }
    }

    /// One package: most of the common paths, some of another kind.
    fn package(&self, rng: &mut Rng, stow: &str, package: &str) -> Vec<Edit> {
        let mut edits = Vec::new();
        let most = rng.between(40, 95);
        for (path, dir) in &self.paths {
            // Packages share directories more often than files.
            if !rng.chance(if *dir {
                most
            } else if self.clean {
                most / 6
            } else {
                most / 2
            }) {
                continue;
            }
            let full = format!("{stow}/{package}/{}", respell(rng, path));
            if !self.clean && rng.chance(6) {
                edits.push(Edit::link(&full, self.package_link(rng)));
            } else if *dir != (!self.clean && rng.chance(4)) {
                edits.push(Edit::dir(&full));
                if rng.chance(if self.clean { 15 } else { 35 }) {
                    edits.push(Edit::file(format!("{full}/{}", rng.weighted(NAMES))));
                }
                if rng.chance(50) {
                    edits.push(Edit::file(format!("{full}/{}", package.replace('p', "f"))));
                }
            } else {
                edits.push(self.file(rng, &full));
            }
        }
        if rng.chance(7) {
            edits.push(ignore_file(rng, &format!("{stow}/{package}/.stow-local-ignore")));
        }
        if rng.chance(1) {
            let (dir, _) = rng.pick(&self.paths);
            let marker = rng.pick(&[".stow", ".nonstow"]);
            edits.push(Edit::text(format!("{stow}/{package}/{dir}/{marker}"), ""));
        }
        if edits.is_empty() || rng.chance(20) {
            edits.push(Edit::file(format!("{stow}/{package}/{package}f")));
        }
        edits
    }

    fn file(&self, rng: &mut Rng, path: &str) -> Edit {
        let text = path.to_owned();
        let exec = rng.chance(8);
        Edit::set(path, Node::File { text, exec })
    }

    /// The text of a symbolic link inside a package.
    fn package_link(&self, rng: &mut Rng) -> String {
        let (path, _) = self.path(rng);
        let package = rng.pick(PACKAGES);
        match rng.below(6) {
            0 => path,
            1 => format!("../{package}/{path}"),
            2 => "nowhere".to_owned(),
            3 => ".".to_owned(),
            4 => format!("{{R}}/{}/{package}/{path}", self.stow),
            _ => format!("../{path}"),
        }
    }

    /// A change of the target by hand.
    fn target_edit(&self, rng: &mut Rng) -> Edit {
        let (path, dir) = self.path(rng);
        let path = if self.dotfiles { undot(&path) } else { path };
        let place = format!("{}/{path}", self.target);
        let files = if self.adopts {
            20
        } else if dir {
            1
        } else {
            4
        };
        match *rng.weighted(&[
            (files, "file"),
            (if dir { 6 } else { 1 }, "dir"),
            (9, "link"),
            (1, "marker"),
            (2, "below"),
            (1, "other"),
        ]) {
            "file" => Edit::set(&place, Node::File { text: place.clone(), exec: rng.chance(10) }),
            "dir" => Edit::dir(place),
            "marker" if dir => Edit::text(format!("{place}/{}", rng.pick(&[".stow", ".nonstow"])), ""),
            "below" if dir => Edit::file(format!("{place}/{}", rng.weighted(NAMES))),
            "other" => Edit::link(place, *rng.pick(&["{R}/away", "/nonexistent/x", ".", "..", "b", "0"])),
            _ => {
                let text = self.handmade_link(rng, &path);
                Edit::link(place, text)
            }
        }
    }

    /// The text of a link at `path` in the target, right, nearly right or wrong.
    fn handmade_link(&self, rng: &mut Rng, path: &str) -> String {
        let stow = match self.other {
            Some(other) if rng.chance(30) => other,
            _ => self.stow,
        };
        let place = format!("{}/{path}", self.target);
        let up = relative(&place, stow);
        let package = rng.pick(&["p1", "p1", "p2", "p2", "p3", "nop"]);
        let (other_path, _) = self.path(rng);
        match *rng.weighted(&[
            (6, "right"),
            (3, "another"),
            (2, "dot"),
            (2, "absolute"),
            (2, "dangling"),
            (2, "foreign"),
            (2, "foreign dangling"),
            (1, "package"),
            (1, "stow"),
            (1, "roundabout"),
        ]) {
            "right" => format!("{up}/{package}/{path}"),
            "another" => format!("{up}/{package}/{other_path}"),
            "dot" => format!("./{up}/{package}/{path}"),
            "absolute" => format!("{{R}}/{stow}/{package}/{path}"),
            "dangling" => format!("{up}/{package}/{path}/gone"),
            "foreign" => relative(&place, "away"),
            "foreign dangling" => "no/where".to_owned(),
            "package" => format!("{up}/{package}"),
            "stow" => up,
            _ => format!("{up}/../{}/{package}/{path}", stow.rsplit('/').next().unwrap_or(stow)),
        }
    }

    /// Files that steer stow, and something for foreign links to lead to.
    fn settings(&self, rng: &mut Rng, start: &mut Vec<Edit>) {
        if rng.chance(40) {
            let (path, dir) = self.path(rng);
            start.push(if dir {
                Edit::file(format!("away/{path}/f"))
            } else {
                Edit::file(format!("away/{path}"))
            });
        }
        if rng.chance(5) {
            start.push(ignore_file(rng, ".stow-global-ignore"));
        }
        if rng.chance(8) {
            let place = *rng.pick(&[".stowrc", "t/.stowrc", "stow/.stowrc", "t/stow/.stowrc"]);
            start.push(self.rc(rng, place));
        }
    }

    fn rc(&self, rng: &mut Rng, place: &str) -> Edit {
        let mut lines = String::new();
        for _ in 0..rng.between(1, 3) {
            let line = match rng.below(12) {
                0 => "--dotfiles".to_owned(),
                1 => "--no-folding".to_owned(),
                2 => "-v".to_owned(),
                3 => "--adopt".to_owned(),
                4 => format!("--ignore={}", rng.pick(PATTERNS)),
                5 => format!("--ignore='{}'", rng.pick(PATTERNS)),
                6 => format!("--override={}", rng.pick(PATTERNS)),
                7 => format!("--defer={}", rng.pick(PATTERNS)),
                8 => format!("--target=$HOME/{}", self.target),
                9 => format!("--dir=~/{}", self.stow),
                10 => format!("--target={{R}}/{} p3", self.target),
                _ => "# -p".to_owned(),
            };
            lines.push_str(&line);
            lines.push('\n');
        }
        Edit::text(place, lines)
    }

    /// A change between two calls.
    fn later_edit(&self, rng: &mut Rng) -> Edit {
        let package = rng.pick(PACKAGES);
        let (path, dir) = self.path(rng);
        let place = format!("{}/{package}/{}", self.stow, respell(rng, &path));
        match *rng.weighted(&[
            (4, "new"),
            (5, "gone"),
            (2, "kind"),
            (5, "target"),
            (4, "target gone"),
            (1, "package gone"),
        ]) {
            "new" if dir => Edit::file(format!("{place}/{}", rng.weighted(NAMES))),
            "new" => self.file(rng, &place),
            "gone" => Edit::gone(place),
            "kind" if dir => self.file(rng, &place),
            "kind" if rng.chance(50) => Edit::link(place, self.package_link(rng)),
            "kind" => Edit::dir(place),
            "target gone" => Edit::gone(format!("{}/{path}", self.target)),
            "package gone" => Edit::gone(format!("{}/{package}", self.stow)),
            _ => self.target_edit(rng),
        }
    }

    fn call(&self, rng: &mut Rng, first: bool) -> Call {
        let stow = match self.other {
            Some(other) if rng.chance(20) => other,
            _ => self.stow,
        };
        let cwd = *rng.weighted(&[(6, stow), (3, self.target), (2, ".")]);
        let mut env = Vec::new();
        let mut args = Vec::new();
        let dir = spelled(rng, cwd, stow);
        if cwd != stow || rng.chance(8) {
            if rng.chance(4) {
                env.push(("STOW_DIR".to_owned(), dir));
            } else {
                option(rng, &mut args, 'd', "dir", dir);
            }
        }
        let parent = stow.rsplit_once('/').map_or(".", |(parent, _)| parent);
        if parent != self.target || rng.chance(15) {
            let target = spelled(rng, cwd, self.target);
            option(rng, &mut args, 't', "target", target);
        }
        if self.dotfiles != rng.chance(6) {
            args.push("--dotfiles".to_owned());
        }
        for (chance, flag) in
            [(13, "--no-folding"), (7, "-n"), (8, "-p"), (if self.adopts { 60 } else { 3 }, "--adopt")]
        {
            if rng.chance(chance) {
                args.push(flag.to_owned());
            }
        }
        for (chance, name) in [(5, "ignore"), (5, "defer"), (6, "override")] {
            if rng.chance(chance) {
                args.push(format!("--{name}={}", rng.pick(PATTERNS)));
            }
        }
        if self.loud && rng.chance(85) {
            args.push(
                (*rng.pick(&["-v", "-v", "-v", "-v", "--verbose", "--verbose=1", "--verbose=2"])).to_owned(),
            );
        }
        self.requests(rng, first, &mut args);
        Call { cwd: cwd.to_owned(), env, args }
    }

    /// Modes and packages.
    fn requests(&self, rng: &mut Rng, first: bool, args: &mut Vec<String>) {
        // Before anything is stowed there is little to unstow.
        let less = if first { 1 } else { 7 };
        let flags: &[(usize, &str)] = &[(8, ""), (2, "-S"), (less + 1, "-D"), (less / 2 + 1, "-R")];
        let mut flag = *rng.weighted(flags);
        for number in 0..*rng.weighted(&[(6, 1), (4, 2), (2, 3), (1, 4)]) {
            if number > 0 && rng.chance(35) {
                flag = *rng.weighted(&flags[1..]);
            } else if number > 0 {
                flag = "";
            }
            if !flag.is_empty() {
                args.push(flag.to_owned());
            }
            let package = *rng.pick(PACKAGES);
            args.push(match rng.below(150) {
                0 => format!("{package}/"),
                1 => format!("{package}/a"),
                2 => "nop".to_owned(),
                _ => package.to_owned(),
            });
        }
    }
}

/// Some packages say `dot-x` where others say `.x`.
fn respell(rng: &mut Rng, path: &str) -> String {
    if rng.chance(97) {
        path.to_owned()
    } else if path.contains("dot-") {
        undot(path)
    } else {
        path.replace("/.", "/dot-")
    }
}

/// The path that `--dotfiles` makes of a path.
fn undot(path: &str) -> String {
    path.split('/')
        .map(|name| match name.strip_prefix("dot-") {
            Some(rest) => format!(".{rest}"),
            None => name.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("/")
}

fn ignore_file(rng: &mut Rng, path: &str) -> Edit {
    const LINES: &[&str] = &["# none", "", "^/a/b", "a  # not a", "\\.x", "^/README.*"];
    let mut text = String::new();
    for _ in 0..rng.between(0, 3) {
        let lines = if rng.chance(70) { PATTERNS } else { LINES };
        let line: &&str = rng.pick(lines);
        text.push_str(line);
        text.push('\n');
    }
    Edit::text(path, text)
}

/// The relative way from the directory that holds `place` to `to`.
fn relative(place: &str, to: &str) -> String {
    let from: Vec<&str> = place.split('/').filter(|name| *name != ".").collect();
    let to: Vec<&str> = to.split('/').filter(|name| *name != ".").collect();
    let from = &from[..from.len() - 1];
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut way: Vec<&str> = vec![".."; from.len() - common];
    way.extend(&to[common..]);
    if way.is_empty() { ".".to_owned() } else { way.join("/") }
}

/// A directory as seen from `cwd`, in one of its spellings.
fn spelled(rng: &mut Rng, cwd: &str, dir: &str) -> String {
    let way = relative(&format!("{cwd}/x"), dir);
    match rng.below(12) {
        0 | 1 => format!("{{R}}/{dir}"),
        2 => format!("{way}/"),
        3 => format!("./{way}"),
        4 => format!("{way}/."),
        5 => format!("{{R}}/{dir}/."),
        6 => format!("{{R}}/./{dir}//"),
        _ => way,
    }
}

fn option(rng: &mut Rng, args: &mut Vec<String>, short: char, long: &str, value: String) {
    if rng.chance(60) {
        args.push(format!("-{short}"));
        args.push(value);
    } else {
        args.push(format!("--{long}={value}"));
    }
}
