//! Manifests as text, and what they come to on a machine that is a value.

use super::*;
use crate::package::Mount;
use crate::path::RelPath;
use crate::policy::Fold;

/// Returns the mistakes in a manifest, each as `line:column fault`, with the marked text.
fn mistakes(text: &str) -> Vec<String> {
    match Manifest::parse(text).map(|manifest| manifest.layout(&[], &linux(), &base())) {
        Ok(Ok(_)) => Vec::new(),
        Ok(Err(mistakes)) | Err(mistakes) => mistakes.iter().map(|mistake| line(text, mistake)).collect(),
    }
}

fn line(text: &str, mistake: &Mistake) -> String {
    let before = &text[..mistake.span.start];
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
    let fault = format!("{:?}", mistake.fault);
    let fault = fault.split([' ', '(', '{']).next().unwrap_or_default();
    format!("{line}:{column} {fault} {}", &text[mistake.span.clone()])
}

fn linux() -> Machine {
    Machine {
        os: "linux".to_owned(),
        host: "build-7.example.org".to_owned(),
        home: Some(b"/home/ann".to_vec()),
        env: [("CI".to_owned(), b"a/b".to_vec())].into(),
        there: ["~/.work".to_owned()].into(),
    }
}

fn macos() -> Machine {
    Machine { os: "macos".to_owned(), ..linux() }
}

fn base() -> Base {
    let mount = RelPath::root();
    Base { target: b"/home/ann".to_vec(), dotfiles: b"/home/ann/dotfiles".to_vec(), mount }
}

fn name(name: &str) -> Name {
    Name::new(name.as_bytes()).expect("a name")
}

fn read(text: &str) -> Manifest {
    Manifest::parse(text).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

#[track_caller]
fn place(text: &str, package: &str, machine: &Machine) -> Placed {
    read(text).place(&name(package), machine, &base()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

fn at(path: &str) -> RelPath {
    RelPath::new(path.as_bytes()).expect("a path")
}

/// Every key there is.
const EVERYTHING: &str = r#"
version = 1
[defaults]
target = "~"
as = "~/.config/{package}"
fold = { never = ["~/.config/karabiner", "**/Spoons"] }
dotfiles = false
conflict = "stop"
backup = ".backup"
backup-existing = "number"
ignore = [".DS_Store", "*.swp", "/README.md"]
[package.zshrc]
into = "~"
enable = true
[package.nushell]
source = "nu"
as = "~/.config/nushell"
macos.as = "~/Library/Application Support/nushell"
linux.fold = false
[package.work]
when = { os = ["linux", "macos"], host = "build-*", env = { CI = "*" }, exists = "~/.work" }
fold = false
[file."~/.claude/CLAUDE.md"]
source = "claude/CLAUDE.md"
method = "copy"
mode = "0600"
on-change = "true"
[file."~/.claude/agents"]
source = "claude/agents"
recursive = true
force = true
[file."~/.gitconfig"]
template = "gitconfig.j2"
linux.text = "[user]"
enable = false
executable = true
when.os = "linux"
[files]
"~/.ssh/config" = "ssh/ssh-config"
[session]
path = ["/run/current-system/sw/bin", "$HOME/.nix-profile/bin"]
[session.variables]
EDITOR = "nvim"
[session.init]
zsh = 'true'
[profile.laptop]
packages = ["nvim", "zshrc"]
"#;

#[test]
fn every_key_is_understood() {
    let manifest = read(EVERYTHING);
    let layout = manifest.layout(&[], &linux(), &base()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let placed: Vec<_> = layout.packages.iter().map(|it| (it.source.clone(), it.mount.clone())).collect();
    let expected = [
        (at("nu"), Mount::As(at(".config/nushell"))),
        (at("work"), Mount::As(at(".config/work"))),
        (at("zshrc"), Mount::Into(at(""))),
    ];
    assert_eq!(placed, expected);
    let entries: Vec<_> = layout.entries.iter().map(|entry| entry.at.clone()).collect();
    assert_eq!(entries, [at(".claude/CLAUDE.md"), at(".claude/agents"), at(".ssh/config")]);
    assert_eq!(layout.entries[0].file.mode, Some(0o600));
    assert_eq!(manifest.profiles["laptop"].packages[1].value, "zshrc");
    assert_eq!(manifest.session.variables["EDITOR"], "nvim");
    assert_eq!(
        manifest.defaults.backup.as_ref().map(|backup| backup.existing),
        Some(crate::Existing::Number)
    );
    assert_eq!(manifest.asks_for().into_iter().collect::<Vec<_>>(), ["~/.work"]);
}

#[test]
fn a_platform_says_what_is_different_there() {
    let nushell = |machine: &Machine| place(EVERYTHING, "nushell", machine);
    assert_eq!(nushell(&macos()).mount, Mount::As(at("Library/Application Support/nushell")));
    assert_eq!((nushell(&linux()).folds.fold, nushell(&macos()).folds.fold), (Fold::Never, Fold::Whole));
    // Either key takes the place of either.
    let text = "[package.p]\nas = '~/x'\nmacos.into = '~/y'";
    assert_eq!(place(text, "p", &macos()).mount, Mount::Into(at("y")));
    assert_eq!(place(text, "p", &linux()).mount, Mount::As(at("x")));
}

#[test]
fn all_conditions_must_hold() {
    let counts = |when: &str| {
        let placed = place(&format!("[package.p]\nwhen = {{ {when} }}"), "p", &linux());
        placed.counts
    };
    for when in [
        "",
        "os = 'linux'",
        "os = ['macos', 'linux']",
        "host = 'build-*'",
        "host = 'build-?'",
        "host = ['other', 'build-7.example.org']",
        "env.CI = '*'",
        "env = { CI = 'a*' }",
        "exists = '~/.work'",
    ] {
        assert!(counts(when), "{when}");
    }
    for when in [
        "os = 'macos'",
        "os = []",
        "host = 'laptop'",
        "env.OTHER = '*'",
        "env.CI = 'b*'",
        "exists = '~/.other'",
        "exists = ['~/.work', '~/.other']",
        "os = 'linux', env.CI = 'b'",
    ] {
        assert!(!counts(when), "{when}");
    }
}

#[test]
fn a_package_that_is_not_mentioned_lands_where_the_defaults_say() {
    let nvim = |text| place(text, "nvim", &linux());
    assert_eq!(nvim("").mount, Mount::Into(at("")));
    assert_eq!(nvim("defaults.as = '~/.config/{package}'").mount, Mount::As(at(".config/nvim")));
    assert_eq!(nvim("defaults.into = '/home/ann/x/../y'").mount, Mount::Into(at("y")));
    let package = nvim("defaults.as = '~/.config/{package}'\npackage.nvim.into = '~/{package}'");
    assert_eq!(package.mount, Mount::Into(at("nvim")));
    let below = Base { mount: at("missing/home"), ..base() };
    let manifest = read("defaults.as = '~/{package}'\ndefaults.fold.never = ['**/x', '~/y']");
    let placed = manifest.place(&name("p"), &linux(), &below).expect("a place");
    assert_eq!(placed.mount, Mount::As(at("missing/home/p")));
    assert!(!placed.folds.may_fold(&at("missing/home/a/x")) && !placed.folds.may_fold(&at("missing/home/y")));
    assert!(placed.folds.may_fold(&at("x")) && placed.folds.may_fold(&at("y")));
}

#[test]
fn a_backup_suffix_says_that_backups_are_made() {
    let defaults = |text| read(text).defaults;
    assert_eq!(defaults("defaults.backup = '.b'").conflict, Some(Clash::Backup));
    assert_eq!(defaults("[defaults]\nbackup = '.b'\nconflict = 'stop'").conflict, Some(Clash::Stop));
    assert_eq!(defaults("").conflict, None);
}

#[test]
fn what_is_not_toml_is_shown_where_it_is() {
    assert_eq!(mistakes("a = \n[b\n"), ["1:5 Syntax ", "2:3 Syntax "]);
    assert_eq!(mistakes("[defaults]\nas = '~'\nas = '~'"), ["3:1 Syntax as"]);
}

#[test]
fn another_version_is_the_only_mistake_that_is_told() {
    assert_eq!(mistakes("version = 2\nnew-key = 1"), ["1:11 Version 2"]);
    assert_eq!(mistakes("version = 1"), Vec::<String>::new());
    assert_eq!(mistakes("version = '1'"), ["1:11 WrongType '1'"]);
}

#[test]
fn unknown_keys_are_all_told_with_the_nearest_one() {
    let text = "[defualts]\n[defaults]\nfodl = true\nzzz = 1\n[package.p]\nsuorce = 'x'\nmacos.when = {}\n\
                [package.q.when]\nhots = 'x'\n[file.'~/x']\ntext = ''\nonchange = ''\n[profile.a]\npackage = []\n";
    let expected = [
        "1:2 UnknownKey defualts",
        "3:1 UnknownKey fodl",
        "4:1 UnknownKey zzz",
        "6:1 UnknownKey suorce",
        "7:7 UnknownKey when",
        "9:1 UnknownKey hots",
        "12:1 UnknownKey onchange",
        "14:1 UnknownKey package",
    ];
    assert_eq!(mistakes(text), expected);
    let nearest: Vec<_> = Manifest::parse(text).expect_err("mistakes");
    let nearest = nearest.iter().map(|mistake| match &mistake.fault {
        Fault::UnknownKey { nearest, .. } => *nearest,
        other => panic!("{other:?}"),
    });
    let expected = ["defaults", "fold", "", "source", "", "host", "on-change", "packages"];
    assert_eq!(nearest.map(Option::unwrap_or_default).collect::<Vec<_>>(), expected);
}

#[test]
fn every_key_refuses_every_wrong_type() {
    /// Calls `f` with each key's path and shape.
    fn each(path: &str, shape: &'static Shape, f: &mut impl FnMut(&str, &'static Shape)) {
        f(path, shape);
        below(path, shape, f);
    }
    fn below(path: &str, shape: &'static Shape, f: &mut impl FnMut(&str, &'static Shape)) {
        match shape {
            Shape::Table(keys) => {
                keys.iter().for_each(|key| each(&format!("{path}.{}", key.name), &key.shape, f));
            }
            Shape::Named(_, shape) => each(&format!("{path}.'~/x'"), shape, f),
            Shape::Either(shapes) => shapes.iter().for_each(|shape| below(path, shape, f)),
            _ => {}
        }
    }
    fn takes(shape: &Shape, value: &str) -> bool {
        match shape {
            Shape::Text => value == "'s'",
            Shape::Flag => value == "true",
            Shape::Number => value == "1",
            Shape::Texts | Shape::SomeOf(_) => value == "[]",
            Shape::OneOf(_) => false,
            Shape::Table(_) | Shape::Named(..) => value == "{}",
            Shape::Either(shapes) => shapes.iter().any(|shape| takes(shape, value)),
        }
    }
    let mut tried = 0;
    below("", &MANIFEST, &mut |path, shape| {
        let path = path.trim_start_matches('.');
        for value in ["'s'", "true", "1", "1.5", "1979-05-27", "[]", "[1]", "{}", "{ zzz = 1 }"] {
            let text = format!("{path} = {value}");
            let wrong: Vec<_> = mistakes(&text);
            let of_form = wrong.iter().any(|it| {
                ["WrongType", "UnknownKey", "UnknownChoice", "Version"].iter().any(|fault| it.contains(fault))
            });
            let named = matches!(shape, Shape::Named(..)) && value.starts_with('{');
            assert_eq!(of_form, !takes(shape, value) || named && value != "{}", "{text}: {wrong:?}");
            tried += 1;
        }
    });
    assert!(tried > 400, "{tried}");
}

#[test]
fn keys_that_do_not_go_together_are_told() {
    for (text, expected) in [
        ("[package.p]\nas = '~/a'\ninto = '~/b'", "3:8 Both '~/b'"),
        ("[file.'~/x']\nsource = 'a'\ntext = 'b'", "3:8 Both 'b'"),
        ("[file.'~/x']\nforce = true", "1:7 Lacks '~/x'"),
        ("[file.'~/x']\nsource = 'a'\nmode = '0600'", "3:8 Useless '0600'"),
        ("[file.'~/x']\nsource = 'a'\nexecutable = true", "3:14 Useless true"),
        ("[file.'~/x']\ntext = 'a'\nrecursive = true", "3:13 Useless true"),
        ("[file.'~/x']\nsource = 'a'\nmethod = 'copy'\nrecursive = true", "4:13 Useless true"),
        ("[file.'~/x']\ntext = ''\nmode = '0600'\nexecutable = true", "3:8 Both '0600'"),
    ] {
        assert_eq!(mistakes(text), [expected]);
    }
}

#[test]
fn values_that_mean_nothing_are_told() {
    for (text, expected) in [
        ("[defaults]\nbackup = ''", "2:10 BadSuffix ''"),
        ("[defaults]\nbackup = 'a/b'", "2:10 BadSuffix 'a/b'"),
        ("[defaults]\nignore = ['[z-a]']", "2:11 Glob '[z-a]'"),
        ("[defaults]\nfold.never = ['[']", "2:15 Glob '['"),
        ("[package.p.when]\nhost = '['", "2:8 Glob '['"),
        ("[package.p.when]\nenv.X = '['", "2:9 Glob '['"),
        ("[package.p.when]\nexists = 'x'", "2:10 NotAbsolute 'x'"),
        ("[package.'a/b']", "1:10 BadPackage 'a/b'"),
        ("[package.'']", "1:10 BadPackage ''"),
        ("[package.'..']", "1:10 BadPackage '..'"),
        ("[package.\"a\\u0000\"]", "1:10 BadPackage \"a\\u0000\""),
        ("[package.p]\nsource = '../q'", "2:10 BadPackage '../q'"),
        ("[package.p]\nsource = 'a/b'", "2:10 BadPackage 'a/b'"),
        ("[file.'~/x']\nsource = '/etc/passwd'", "2:10 BadSource '/etc/passwd'"),
        ("[file.'~/x']\nsource = 'a/../../b'", "2:10 BadSource 'a/../../b'"),
        ("[file.'~/x']\ntext = ''\nmode = '0888'", "3:8 BadMode '0888'"),
        ("[file.'~/x']\ntext = ''\nmode = 600", "3:8 BadMode 600"),
        ("[file.'~/x']\ntext = ''\nmode = 0o1777", "3:8 BadMode 0o1777"),
        ("[session.variables]\n'A B' = ''", "2:1 BadVariable 'A B'"),
        ("[session.variables]\n1A = ''", "2:1 BadVariable 1A"),
    ] {
        assert_eq!(mistakes(text), [expected]);
    }
}

#[test]
fn targets_that_farm_must_not_touch_are_told() {
    for (text, expected) in [
        ("[package.p]\nas = 'x'", "2:6 NotAbsolute 'x'"),
        ("[package.p]\nas = '~bob/x'", "2:6 OtherHome '~bob/x'"),
        ("[package.p]\nas = '/home/bob/x'", "2:6 Outside '/home/bob/x'"),
        ("[package.p]\nas = '~/../bob'", "2:6 Outside '~/../bob'"),
        ("[package.p]\nas = '~'", "2:6 Target '~'"),
        ("[package.p]\nas = '~/a/..'", "2:6 Target '~/a/..'"),
        ("[package.p]\nas = '~/dotfiles/p'", "2:6 Dotfiles '~/dotfiles/p'"),
        ("[package.p]\ninto = '~/dotfiles'", "2:8 Dotfiles '~/dotfiles'"),
        ("[package.p]\nas = '~/{name}'", "2:6 Placeholder '~/{name}'"),
        ("[package.p]\nas = \"~/\\u0000\"", "2:6 Nul \"~/\\u0000\""),
        ("[defaults]\nas = 'x'\n[package.p]\n[package.q]", "2:6 NotAbsolute 'x'"),
        ("[defaults]\ntarget = 'x'", "2:10 NotAbsolute 'x'"),
        ("[defaults]\nfold.never = ['/etc/*']\n[package.p]", "2:15 Outside '/etc/*'"),
        ("[files]\n'~/../x' = 'a'", "2:1 Outside '~/../x'"),
        ("[files]\n'~' = 'a'", "2:1 Target '~'"),
        ("[files]\n'~/dotfiles/x' = 'a'", "2:1 Dotfiles '~/dotfiles/x'"),
    ] {
        assert_eq!(mistakes(text), [expected]);
    }
}

#[test]
fn a_package_may_hold_the_dotfiles_directory_among_others() {
    let inside = Base { dotfiles: b"/home/ann/.config/dots".to_vec(), ..base() };
    let manifest = read("[package.p]\ninto = '~'\n[package.q]\nas = '~/.config/q'");
    assert!(manifest.layout(&[], &linux(), &inside).is_ok());
    let manifest = read("[package.p]\nas = '~/.config'");
    assert!(manifest.layout(&[], &linux(), &inside).is_err());
    let manifest = read("[package.p]\ninto = '~/.config'");
    assert!(manifest.layout(&[], &linux(), &inside).is_ok());
}

#[test]
fn two_entries_for_one_path_are_told_with_both() {
    for (text, expected, other) in [
        ("[package.p]\nas = '~/x'\n[package.q]\nas = '~/a/../x'", "4:6 Twice '~/a/../x'", "'~/x'"),
        ("[file.'~/x']\ntext = ''\n[files]\n'~//x' = 'a'", "1:7 Twice '~/x'", "'~//x'"),
        ("[package.p]\nas = '~/x'\n[files]\n'~/x/y' = 'a'", "4:1 Within '~/x/y'", "'~/x'"),
        ("[package.p]\nas = '~/x'\n[package.q]\ninto = '~/x'", "4:8 Within '~/x'", "'~/x'"),
        ("[package.p]\nas = '~/x'\n[package.q]\ninto = '~/x/y/z'", "4:8 Within '~/x/y/z'", "'~/x'"),
        ("[files]\n'~/x' = 'a'\n'~/x/y' = 'b'", "3:1 Within '~/x/y'", "'~/x'"),
    ] {
        assert_eq!(mistakes(text), [expected]);
        let found = read(text).layout(&[], &linux(), &base()).expect_err("a mistake");
        assert_eq!(&text[found[0].other.clone().expect("another place")], other, "{text}");
    }
}

#[test]
fn entries_that_share_a_real_directory_are_fine() {
    for text in [
        "[package.p]\ninto = '~/x'\n[package.q]\ninto = '~/x'\n[files]\n'~/x/y' = 'a'",
        "[package.p]\nas = '~/x'\nfold = false\n[files]\n'~/x/y' = 'a'",
        "[defaults]\nfold.never = ['~/x']\n[package.p]\nas = '~/x'\n[package.q]\ninto = '~/x'",
        "[file.'~/x']\nsource = 'd'\nrecursive = true\n[files]\n'~/x/y' = 'a'",
        "[package.p]\nas = '~/x'\n[package.q]\nas = '~/x'\nenable = false",
        "[package.p]\nas = '~/x'\n[package.q]\nas = '~/x'\nwhen.os = 'macos'",
        "[files]\n'~/x' = 'a'\n'~/xy' = 'b'\n'~/x-y/z' = 'c'",
    ] {
        assert_eq!(mistakes(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_package_that_is_only_typed_counts_when_paths_are_compared() {
    let manifest = read("[defaults]\nas = '~/.config/{package}'\n[package.x]\nas = '~/.config/nvim'");
    let found = manifest.layout(&[name("nvim")], &linux(), &base()).expect_err("a mistake");
    assert!(matches!(&found[0].fault, Fault::Twice { names, .. } if names.contains(&"nvim".to_owned())));
    assert!(manifest.layout(&[name("tmux")], &linux(), &base()).is_ok());
}

#[test]
fn a_home_that_nobody_knows_is_told() {
    let nobody = Machine { home: None, ..linux() };
    let manifest = read("[package.p]\nas = '~/x'");
    let found = manifest.target(&nobody).expect_err("no home");
    assert!(matches!(found.fault, Fault::NoHome));
}

#[test]
fn a_manifest_that_says_nothing_only_marks_a_directory() {
    assert!(read("").says_nothing() && read("# x\nversion = 1\n[defaults]\n[package]\n").says_nothing());
    for text in ["[package.p]", "defaults.as = '~/x'", "session.path = ['x']", "defaults.dotfiles = true"] {
        assert!(!read(text).says_nothing(), "{text}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_makes_reading_panic(text in "([\\[\\]{}=.'\"#~/\n a-z0-9]|defaults|package|file|as|into|fold|\u{e9}){0,40}") {
        for mistake in Manifest::parse(&text).err().into_iter().flatten() {
            proptest::prop_assert!(mistake.span.start <= text.len() && mistake.span.end <= text.len());
        }
    }

    #[test]
    fn no_cut_makes_reading_panic(at in 0..EVERYTHING.len(), insert in "[\\[\\]{}=.'\"#~/\na-z]{0,3}") {
        let text = format!("{}{insert}{}", &EVERYTHING[..at], &EVERYTHING[at..]);
        if let Ok(manifest) = Manifest::parse(&text) {
            let _ = manifest.layout(&[], &linux(), &base());
        }
    }
}
