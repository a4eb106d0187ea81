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
