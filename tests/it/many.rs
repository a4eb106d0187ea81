//! Many packages that share directories, as below `/usr/local`: what is done for all of them at once is what each would
//! get alone.

use crate::sandbox::Sandbox;

const PACKAGES: usize = 40;

/// More files than this are in `bin`, so that it is a large directory.
const FILES: usize = 30;

fn packages() -> Vec<String> {
    (0..PACKAGES).map(|number| format!("pkg-{number:02}")).collect()
}

/// Packages with files in `bin` and a directory of their own in `share`, which fold, and a file of the user's in `bin`.
fn prefix() -> Sandbox {
    let home = Sandbox::new();
    home.file("bin/mine");
    for package in packages() {
        for number in 0..FILES {
            home.file(&format!("dotfiles/{package}/bin/{package}-{number}"));
        }
        home.file(&format!("dotfiles/{package}/share/{package}/readme"));
    }
    home
}

/// Returns a command line with all packages.
fn all<'a>(line: &[&'a str], packages: &'a [String]) -> Vec<&'a str> {
    line.iter().copied().chain(packages.iter().map(String::as_str)).collect()
}

#[test]
fn they_come_and_go_together() {
    let (home, packages) = (prefix(), packages());
    let before = home.tree();
    let names = packages[..20].join(", ");
    let links = PACKAGES * (FILES + 1);
    let says = format!("linked {names} and 20 more: {links} links, 1 directory made\n");
    home.farm(&all(&["link"], &packages)).run().prints(&says);
    let linked = home.tree();
    assert_eq!(linked.matches(" -> ").count(), links);
    home.farm(&all(&["relink"], &packages)).run();
    assert_eq!(home.tree(), linked);
    home.stow(&all(&["-R"], &packages)).run().prints("");
    assert_eq!(home.tree(), linked);
    let says = format!("unlinked {names} and 20 more: {links} links removed\n");
    home.farm(&all(&["unlink"], &packages)).run().prints(&says);
    assert_eq!(home.tree(), format!("{before}share/\n"));
}

#[test]
fn what_dangles_goes_with_the_packages_that_it_is_of() {
    let native: [&[&str]; 2] = [&["relink"], &["unlink"]];
    for line in native {
        let (home, packages) = (prefix(), packages());
        home.farm(&all(&["link"], &packages)).run();
        for package in &packages[..3] {
            home.remove(format!("dotfiles/{package}/bin/{package}-7"));
        }
        let (_, some) = packages.split_first().expect("packages");
        home.farm(&all(line, some)).run();
        let tree = home.tree();
        let is_there = |name: &str| tree.contains(&format!("bin/{name} -> "));
        assert!(is_there("pkg-00-7"), "it is of a package that nobody asked for\n{tree}");
        assert!(!is_there("pkg-01-7") && !is_there("pkg-02-7"), "they dangle\n{tree}");
        assert_eq!(is_there("pkg-01-8"), line == ["relink"]);
    }
}

#[test]
fn each_stands_as_it_does_alone() {
    let (home, packages) = (prefix(), packages());
    home.farm(&all(&["link"], &packages[..30])).run();
    home.remove("bin/pkg-04-3");
    home.remove("bin/pkg-17-0");
    home.write("bin/pkg-17-0", "written by a program");
    home.file("dotfiles/pkg-22/bin/new");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let together = home.farm(&["status", "--long"]).run();
    let together: Vec<_> = together.stdout.lines().map(words).collect();
    let alone = |name: &String| home.farm(&["status", "--long", name]).run().stdout;
    let alone: Vec<_> = packages.iter().map(alone).collect();
    let alone: Vec<_> = alone.iter().flat_map(|said| said.lines()).map(words).collect();
    assert_eq!(together, alone);
    let states = ["linked", "partly", "drifted", "not"];
    let state =
        |state: &str| together.iter().filter(|line| line.get(1).is_some_and(|it| it == state)).count();
    assert_eq!(states.map(state), [27, 1, 2, 10]);
}
