//! The command line as clap reads it; its doc comments are the help texts.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum, ValueHint};
use farm::Action;

/// Links the packages of a dotfiles repository into your home, folded into as few symbolic links as possible.
///
/// A package is a directory of the dotfiles directory; what is in it appears in the target. All or nothing: when
/// anything is in the way, everything that is gets listed and nothing changes.
#[derive(Parser, Debug)]
#[command(name = "farm", version, max_term_width = 100, after_help = EXIT_STATUS)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_STATUS: &str = "\
Exit status: 0 done or nothing to do, 1 refused or rolled back, 2 usage, 3 something could not be taken back.";

/// Options of every command, before or after its name.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The dotfiles directory, which holds the packages [default: $FARM_DIR, $STOW_DIR, the nearest directory
    /// upwards with a farm.toml, --dir in .stowrc, the current directory]
    #[arg(short, long, value_name = "DIR", global = true, value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// The directory that gets the links [default: $FARM_TARGET, --target in .stowrc, the parent of the dotfiles
    /// directory]
    #[arg(short, long, value_name = "DIR", global = true, value_hint = ValueHint::DirPath)]
    pub target: Option<PathBuf>,
    /// Show the plan and change nothing
    #[arg(short = 'n', long, global = true)]
    pub dry_run: bool,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say each change
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print the result as one JSON object on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", global = true, num_args = 0..=1, require_equals = true,
          default_missing_value = "always")]
    pub color: Option<Color>,
}

/// When to use colour.
#[derive(ValueEnum, Clone, Copy, Default, Debug)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Makes this the choice of the whole program.
    pub fn write_global(self) {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Make the links of packages
    #[command(visible_alias = "add")]
    Link(Change),
    /// Remove the links of packages
    #[command(visible_aliases = ["unstow", "rm"])]
    Unlink(Unlink),
    /// Make the links of packages right: remove stale ones, make missing ones
    #[command(visible_alias = "restow")]
    Relink(Change),
    /// Move files and directories from the target into a package, and put links in their place
    Adopt(Adopt),
    /// Move what a package's links stand for back into their place; the package lets go of it
    Eject(Eject),
    /// Behave as GNU Stow 2.4.1 does: `farm stow --help`
    #[command(disable_help_flag = true)]
    Stow(Passed),
    /// Behave as GNU Stow's chkstow does: `farm chkstow --help`
    #[command(disable_help_flag = true)]
    Chkstow(Passed),
}

/// Which of the three commands runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    Link,
    Unlink,
    Relink,
}

impl Verb {
    /// Returns what happens to each package, in this order.
    pub fn actions(self) -> &'static [Action] {
        match self {
            Verb::Link => &[Action::Link],
            Verb::Unlink => &[Action::Unlink],
            Verb::Relink => &[Action::Unlink, Action::Link],
        }
    }
}

/// What `link` and `relink` take.
#[derive(clap::Args, Clone, Debug)]
pub struct Change {
    #[command(flatten)]
    pub packages: Packages,
    /// Make real directories, never a link to one
    #[arg(long)]
    pub no_fold: bool,
    /// Keep entries out that match, in gitignore syntax; adds to .farmignore. May be repeated
    #[arg(long, value_name = "GLOB")]
    pub ignore: Vec<String>,
    /// Where another package has a link already, let it keep the paths that match. May be repeated
    #[arg(long, value_name = "GLOB")]
    pub defer: Vec<String>,
    /// Where another package has a link already, take the paths that match. May be repeated
    #[arg(long = "override", value_name = "GLOB")]
    pub overrides: Vec<String>,
}

/// What `unlink` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct Unlink {
    #[command(flatten)]
    pub packages: Packages,
    /// Do not turn directories that are left with links of one package into one link
    #[arg(long)]
    pub no_fold: bool,
    /// Leave the links of entries that match, in gitignore syntax; adds to .farmignore. May be repeated
    #[arg(long, value_name = "GLOB")]
    pub ignore: Vec<String>,
}

impl Unlink {
    /// Returns the same as a [`Change`], whose other options have no meaning when links are removed.
    pub fn with_defaults(&self) -> Change {
        Change {
            packages: self.packages.clone(),
            no_fold: self.no_fold,
            ignore: self.ignore.clone(),
            defer: Vec::new(),
            overrides: Vec::new(),
        }
    }
}

/// What all three take.
#[derive(clap::Args, Clone, Debug)]
pub struct Packages {
    /// Packages: names of directories in the dotfiles directory, or paths to them
    #[arg(value_name = "PKG", required = true, value_hint = ValueHint::DirPath)]
    pub names: Vec<OsString>,
    /// Translate `dot-name` in a package to `.name` in the target
    #[arg(long)]
    pub dotfiles: bool,
    /// When something is in the way, hold back only the packages that it concerns
    #[arg(long)]
    pub keep_going: bool,
}

/// What `adopt` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct Adopt {
    /// The package, which is made if it is new
    #[arg(value_name = "PKG")]
    pub package: OsString,
    /// Files, directories and links in the target
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<OsString>,
    /// Give `.name` in the target the name `dot-name` in the package
    #[arg(long)]
    pub dotfiles: bool,
    /// Adopt what is in directories bit by bit: keep real directories, make no link to one
    #[arg(long)]
    pub no_fold: bool,
    /// Leave entries where they are that match, in gitignore syntax; adds to .farmignore. May be repeated
    #[arg(long, value_name = "GLOB")]
    pub ignore: Vec<String>,
    /// Let what is adopted take the place of other files of the package, which go to the state directory
    #[arg(long)]
    pub overwrite: bool,
}

/// What `eject` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct Eject {
    /// The package
    #[arg(value_name = "PKG")]
    pub package: OsString,
    /// Links into the package, paths below them, or directories with such links
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub paths: Vec<OsString>,
    /// Translate `dot-name` in the package to `.name` in the target
    #[arg(long)]
    pub dotfiles: bool,
}

/// Arguments that another command line takes as they are.
#[derive(clap::Args, Debug)]
pub struct Passed {
    /// Arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    pub args: Vec<OsString>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn options_of_every_command_stand_before_or_after_its_name() {
        for line in ["farm -d x -t y -nv link p", "farm link -d x -t y -nv p", "farm -d x link p -t y -nv"] {
            let args = Args::try_parse_from(line.split(' ')).expect("a good line");
            assert_eq!(args.global.dir, Some("x".into()), "{line}");
            assert_eq!(args.global.target, Some("y".into()), "{line}");
            assert!(args.global.dry_run && args.global.verbose == 1, "{line}");
        }
    }

    #[test]
    fn an_optional_value_is_only_taken_with_an_equals_sign() {
        let args = Args::try_parse_from(["farm", "link", "--color", "never"]).expect("a good line");
        let Command::Link(change) = args.command else { panic!("not a link") };
        assert_eq!(change.packages.names, ["never"]);
        assert!(matches!(args.global.color, Some(Color::Always)));
    }
}
