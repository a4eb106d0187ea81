//! The command line of `stow`, as data.
//!
//! The manual's chapter on invoking stow, with the habits of the program: options and packages in any order, each
//! `-S`, `-D` or `-R` ruling the packages after it. A resource file is parsed by the same function.

use farm::{OptionPatterns, Origin, RegexError, StartPatterns};

use super::getopt::{self, Dialect, Found, Spec, UsageError, Value};

/// What happens to a package.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mode {
    /// Its links are removed.
    Unstow,
    /// Its links are made.
    Stow,
}

/// What a command line asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Invocation {
    /// The help text.
    Help,
    /// The version line.
    Version,
    /// Work, as far as this line describes it.
    Run(Settings),
    /// Nothing, because of these.
    Wrong(Vec<UsageError>),
}

/// What one source of options says.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Settings {
    /// `--dir`.
    pub dir: Option<Vec<u8>>,
    /// `--target`.
    pub target: Option<Vec<u8>>,
    /// What to do to which package: all unstowing, then all stowing, each in the order of the line.
    pub steps: Vec<(Mode, Vec<u8>)>,
    /// The patterns of `--ignore`.
    pub ignore: Vec<Vec<u8>>,
    /// The patterns of `--defer`.
    pub defer: Vec<Vec<u8>>,
    /// The patterns of `--override`.
    pub overrides: Vec<Vec<u8>>,
    /// `--adopt`.
    pub adopt: bool,
    /// `--no-folding`.
    pub no_folding: bool,
    /// `--dotfiles`.
    pub dotfiles: bool,
    /// `--compat`.
    pub compat: bool,
    /// `--simulate`.
    pub simulate: bool,
    /// `--verbose`, added up.
    pub verbosity: Option<i64>,
}

#[derive(Clone, Copy)]
enum Id {
    Dir,
    Target,
    Stow,
    Delete,
    Restow,
    Ignore,
    Defer,
    Override,
    Adopt,
    NoFolding,
    Dotfiles,
    Compat,
    Simulate,
    Verbose,
    Version,
    Help,
}

const SPECS: &[Spec<Id>] = &[
    Spec { names: &["d", "dir"], value: Value::Text, id: Id::Dir },
    Spec { names: &["t", "target"], value: Value::Text, id: Id::Target },
    Spec { names: &["S", "stow"], value: Value::None, id: Id::Stow },
    Spec { names: &["D", "delete"], value: Value::None, id: Id::Delete },
    Spec { names: &["R", "restow"], value: Value::None, id: Id::Restow },
    Spec { names: &["ignore"], value: Value::Text, id: Id::Ignore },
    Spec { names: &["defer"], value: Value::Text, id: Id::Defer },
    Spec { names: &["override"], value: Value::Text, id: Id::Override },
    Spec { names: &["adopt"], value: Value::None, id: Id::Adopt },
    Spec { names: &["no-folding"], value: Value::None, id: Id::NoFolding },
    Spec { names: &["dotfiles"], value: Value::None, id: Id::Dotfiles },
    Spec { names: &["p", "compat"], value: Value::None, id: Id::Compat },
    Spec { names: &["n", "no", "simulate"], value: Value::None, id: Id::Simulate },
    Spec { names: &["v", "verbose"], value: Value::Count, id: Id::Verbose },
    Spec { names: &["V", "version"], value: Value::None, id: Id::Version },
    Spec { names: &["h", "help"], value: Value::None, id: Id::Help },
];

/// Returns what the options are called, and what follows them.
pub fn options() -> impl Iterator<Item = (&'static [&'static str], Value)> {
    SPECS.iter().map(|spec| (spec.names, spec.value))
}

/// Parses the words of a command line or of the resource files.
///
/// Every error is collected. One of them outweighs `--help`, which outweighs `--version`, which outweighs work.
pub fn parse(words: Vec<Vec<u8>>) -> Invocation {
    let mut parser = Parser::default();
    getopt::read(SPECS, Dialect::Bundles, words).into_iter().for_each(|found| parser.take(found));
    parser.finish()
}

/// Which packages a word joins.
#[derive(Clone, Copy, Default)]
enum Ruling {
    #[default]
    Stow,
    Delete,
    Restow,
}

#[derive(Default)]
struct Parser {
    settings: Settings,
    ruling: Ruling,
    unstow: Vec<Vec<u8>>,
    stow: Vec<Vec<u8>>,
    help: bool,
    version: bool,
    errors: Vec<UsageError>,
}

impl Parser {
    fn take(&mut self, found: Found<Id>) {
        match found {
            Found::Flag(id) => self.flag(id),
            Found::Text(id, value) => self.text(id, value),
            Found::Count(_, Some(level)) => self.settings.verbosity = Some(level),
            Found::Count(_, None) => {
                self.settings.verbosity = Some(self.settings.verbosity.unwrap_or(0).saturating_add(1));
            }
            Found::Word(name) => self.package(name),
            Found::Error(error) => self.errors.push(error),
        }
    }

    fn flag(&mut self, id: Id) {
        match id {
            Id::Stow => self.ruling = Ruling::Stow,
            Id::Delete => self.ruling = Ruling::Delete,
            Id::Restow => self.ruling = Ruling::Restow,
            Id::Adopt => self.settings.adopt = true,
            Id::NoFolding => self.settings.no_folding = true,
            Id::Dotfiles => self.settings.dotfiles = true,
            Id::Compat => self.settings.compat = true,
            Id::Simulate => self.settings.simulate = true,
            Id::Version => self.version = true,
            Id::Help => self.help = true,
            Id::Dir | Id::Target | Id::Ignore | Id::Defer | Id::Override | Id::Verbose => {}
        }
    }

    fn text(&mut self, id: Id, value: Vec<u8>) {
        match id {
            Id::Dir => self.settings.dir = Some(value),
            Id::Target => self.settings.target = Some(value),
            Id::Ignore => {
                let checked = OptionPatterns::new(std::slice::from_ref(&value)).err();
                self.pattern("ignore", checked);
                self.settings.ignore.push(value);
            }
            Id::Defer => {
                let checked = StartPatterns::new(std::slice::from_ref(&value), Origin::Defer).err();
                self.pattern("defer", checked);
                self.settings.defer.push(value);
            }
            Id::Override => {
                let checked = StartPatterns::new(std::slice::from_ref(&value), Origin::Override).err();
                self.pattern("override", checked);
                self.settings.overrides.push(value);
            }
            _ => {}
        }
    }

    /// Remembers a pattern that is no regular expression; like any usage error it does not end the reading.
    fn pattern(&mut self, name: &'static str, error: Option<RegexError>) {
        let wrong = |e: RegexError| UsageError::Pattern { name, pattern: e.pattern, message: e.message };
        self.errors.extend(error.map(wrong));
    }

    /// Adds a package, without the slashes a shell's completion leaves at its end.
    fn package(&mut self, mut name: Vec<u8>) {
        while name.last() == Some(&b'/') {
            name.pop();
        }
        match self.ruling {
            Ruling::Stow => self.stow.push(name),
            Ruling::Delete => self.unstow.push(name),
            Ruling::Restow => {
                self.unstow.push(name.clone());
                self.stow.push(name);
            }
        }
    }

    fn finish(mut self) -> Invocation {
        if !self.errors.is_empty() {
            return Invocation::Wrong(self.errors);
        }
        if self.help {
            return Invocation::Help;
        }
        if self.version {
            return Invocation::Version;
        }
        let unstow = self.unstow.into_iter().map(|name| (Mode::Unstow, name));
        let stow = self.stow.into_iter().map(|name| (Mode::Stow, name));
        self.settings.steps = unstow.chain(stow).collect();
        Invocation::Run(self.settings)
    }
}

impl Settings {
    /// Returns these settings of the command line on top of those of the resource files.
    ///
    /// Single values of the command line win, lists come after those of the files, packages in the files do not count.
    pub fn over(self, rc: Settings) -> Settings {
        let join = |mut first: Vec<Vec<u8>>, second| {
            first.extend::<Vec<Vec<u8>>>(second);
            first
        };
        Settings {
            dir: self.dir.or(rc.dir),
            target: self.target.or(rc.target),
            steps: self.steps,
            ignore: join(rc.ignore, self.ignore),
            defer: join(rc.defer, self.defer),
            overrides: join(rc.overrides, self.overrides),
            adopt: self.adopt || rc.adopt,
            no_folding: self.no_folding || rc.no_folding,
            dotfiles: self.dotfiles || rc.dotfiles,
            compat: self.compat || rc.compat,
            simulate: self.simulate || rc.simulate,
            verbosity: self.verbosity.or(rc.verbosity),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stow::words;

    #[test]
    fn the_manual_page_has_every_option() {
        let page = include_str!("../../man/farm-stow.1");
        let (all, check) = page.split_once(".Ss farm chkstow").expect("both programs");
        let has = |page: &str, name: &str| {
            let flag = if name.len() == 1 { format!("Fl {name}") } else { format!("Fl -{name}") };
            let mut items = page.lines().filter(|line| line.starts_with(".It Fl"));
            items.any(|line| {
                line.replace(',', " ")
                    .split("Fl ")
                    .any(|it| format!("Fl {}", it.split(' ').next().unwrap_or("")) == flag)
            })
        };
        let missing: Vec<_> =
            SPECS.iter().flat_map(|spec| spec.names).filter(|name| !has(all, name)).collect();
        assert!(missing.is_empty(), "{missing:?} are not in man/farm-stow.1");
        for name in crate::stow::chkstow::options() {
            assert!(has(check, name), "{name} is not in man/farm-stow.1");
        }
    }

    fn parsed(line: &str) -> Invocation {
        parse(line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect())
    }

    fn settings(line: &str) -> Settings {
        match parsed(line) {
            Invocation::Run(settings) => settings,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn steps(line: &str) -> String {
        let steps = settings(line).steps.into_iter().map(|(mode, name)| {
            let sign = if mode == Mode::Stow { '+' } else { '-' };
            format!("{sign}{}", String::from_utf8_lossy(&name))
        });
        steps.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn modes_rule_the_packages_after_them() {
        for (line, expected) in [
            ("p", "+p"),
            ("p -D q", "-q +p"),
            ("-D p q -S r", "-p -q +r"),
            ("-R p", "-p +p"),
            ("-R p -D q -S r", "-p -q +p +r"),
            ("-Rp p", "-p +p"),
            ("+D p", "-p"),
            ("--D p --st q", "-p +q"),
            ("--del p --restow q", "-p -q +q"),
            ("p/ q//", "+p +q"),
            ("a/b / .", "+a/b + +."),
            ("-n- -p --foo", "+-p +--foo"),
            ("- p p", "+- +p +p"),
            ("-D", ""),
        ] {
            assert_eq!(steps(line), expected, "stow {line}");
        }
    }

    #[test]
    fn verbosity_adds_up() {
        for (line, expected) in [
            ("p", None),
            ("-v", Some(1)),
            ("-vvn", Some(2)),
            ("-v 2", Some(2)),
            ("-v2p", Some(2)),
            ("-v3 -v", Some(4)),
            ("-v9 -v-9", Some(-9)),
            ("--verb=2 --v", Some(3)),
            ("-v --verbose=", Some(2)),
            ("-v p1", Some(1)),
        ] {
            assert_eq!(settings(line).verbosity, expected, "stow {line}");
        }
    }

    #[test]
    fn every_option_has_its_place() {
        let all = settings(
            "-d=X --target /t --ignore a --ignore=b --defer=c --override d --adopt --no-f --dotfiles --compat --no",
        );
        let expected = Settings {
            dir: Some(b"=X".to_vec()),
            target: Some(b"/t".to_vec()),
            steps: Vec::new(),
            ignore: vec![b"a".to_vec(), b"b".to_vec()],
            defer: vec![b"c".to_vec()],
            overrides: vec![b"d".to_vec()],
            adopt: true,
            no_folding: true,
            dotfiles: true,
            compat: true,
            simulate: true,
            verbosity: None,
        };
        assert_eq!(all, expected);
        assert!(settings("--no- p").no_folding && !settings("--no- p").simulate);
        assert!(settings("--n p").simulate && settings("--sim p").simulate && settings("+n p").simulate);
    }

    /// What stow 2.4.1 wrote to standard error, but for the engine's words about a pattern.
    #[test]
    fn errors_are_all_named_in_order() {
        for (line, expected) in [
            ("--foo --bar=1 -Z p", "Unknown option: foo\nUnknown option: bar\nUnknown option: Z\n"),
            ("-ZY", "Unknown option: Z\nUnknown option: Y\n"),
            ("-Sp1", "Unknown option: 1\n"),
            ("-h=1", "Unknown option: =\nUnknown option: 1\n"),
            ("--=x", "Unknown option: =x\n"),
            ("--DIR=/tmp", "Unknown option: DIR\n"),
            ("--no-dotfiles", "Unknown option: no-dotfiles\n"),
            ("+nv", "Unknown option: n\n"),
            ("+", "Missing option after +\n"),
            ("-d", "Option d requires an argument\n"),
            ("--tar", "Option target requires an argument\n"),
            ("--ignore=", "Option ignore requires an argument\n"),
            ("-h -d", "Option d requires an argument\n"),
            ("--ver", "Option ver is ambiguous (verbose, version)\n"),
            ("--ver=2", "Option ver is ambiguous (verbose, version)\n"),
            ("--de", "Option de is ambiguous (defer, delete)\n"),
            ("--s", "Option s is ambiguous (simulate, stow)\n"),
            ("--o", "Option override requires an argument\n"),
            ("--dotfiles=1", "Option dotfiles does not take an argument\n"),
            ("--n=", "Option n does not take an argument\n"),
            ("--verb=x", "Value \"x\" invalid for option verbose (number expected)\n"),
            (
                "--foo --ignore=( --override=[ -Z",
                "Unknown option: foo\nValue \"(\" invalid for option ignore (missing closing parenthesis)\n\
                 Value \"[\" invalid for option override (missing terminating ] for character class)\nUnknown option: Z\n",
            ),
        ] {
            let Invocation::Wrong(errors) = parsed(line) else { panic!("stow {line} is accepted") };
            assert_eq!(String::from_utf8_lossy(&words::usage_errors(&errors)), expected, "stow {line}");
        }
    }

    #[test]
    fn help_outweighs_version_and_errors_outweigh_both() {
        assert_eq!(parsed("-Vh p"), Invocation::Help);
        assert_eq!(parsed("-nV"), Invocation::Version);
        assert!(matches!(parsed("-h --foo"), Invocation::Wrong(_)));
    }

    #[test]
    fn the_command_line_goes_over_the_files() {
        let rc = settings("-d a -t b -vv --ignore=1 --adopt -D gone");
        let line = settings("-t c --ignore=2 -n p");
        let both = line.over(rc);
        assert_eq!((both.dir, both.target), (Some(b"a".to_vec()), Some(b"c".to_vec())));
        assert_eq!((both.verbosity, both.adopt, both.simulate), (Some(2), true, true));
        assert_eq!(both.ignore, [b"1".to_vec(), b"2".to_vec()]);
        assert_eq!(both.steps, [(Mode::Stow, b"p".to_vec())]);
    }
}
