//! The command line as clap reads it; its doc comments are the help texts.

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Parser, Subcommand, ValueEnum, ValueHint};
use farm::manifest::Clash;
use farm::{Action, Backup, Existing, Name, Strategy};

use super::completions;
use super::env::Shell;

/// Links the packages of a dotfiles repository into your home, folded into as few symbolic links as possible.
///
/// A package is a directory of the dotfiles directory; what is in it appears in the target. All or nothing: when
/// anything is in the way, everything that is gets listed and nothing changes.
#[derive(Parser, Debug)]
#[command(name = "farm", version, max_term_width = 100, after_help = EXIT_STATUS, args_override_self = true)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// The line of one command, without its name.
#[derive(Parser)]
#[command(args_override_self = true)]
struct Short<T: clap::Args> {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    own: T,
}

impl Args {
    /// Reads a command line; the first word is the program's name. Help and version are errors to clap.
    pub fn read(line: Vec<OsString>) -> Result<Args, clap::Error> {
        // To describe all commands to clap takes longer than to link a home. What is wrong or asks for help is left to
        // the whole description.
        match read_short(&line) {
            Some(Ok(args)) => Ok(args),
            None | Some(Err(_)) => parsed(&line),
        }
    }
}

/// Reads the command lines that are typed most often.
fn read_short(line: &[OsString]) -> Option<Result<Args, clap::Error>> {
    fn read<T: clap::Args>(words: &[OsString], make: fn(T) -> Linking) -> Result<Args, clap::Error> {
        let Short { global, own } = parsed(words)?;
        Ok(Args { global, command: Command::Linking(make(own)) })
    }
    let (_, words) = line.split_first()?;
    Some(match words.first()?.to_str()? {
        "link" => read(words, Linking::Link),
        "unlink" => read(words, Linking::Unlink),
        "relink" => read(words, Linking::Relink),
        _ => return None,
    })
}

fn parsed<T: Parser>(line: &[OsString]) -> Result<T, clap::Error> {
    // Freeing the description would take half as long as making it, and the process ends soon.
    let mut command = ManuallyDrop::new(T::command());
    let mut matches = command.try_get_matches_from_mut(line)?;
    T::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

const EXIT_STATUS: &str = "\
Exit status: 0 done or nothing to do, 1 refused or rolled back, 2 usage, 3 something could not be taken back.";

/// Options of every command, before or after its name.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The dotfiles directory, which holds the packages [default: $FARM_DIR, $STOW_DIR, the nearest directory
    /// upwards with a farm.toml, --dir in .stowrc, ~/.dotfiles, ~/dotfiles or ~/.config/dotfiles with a farm.toml, the
    /// current directory]
    #[arg(short, long, value_name = "DIR", global = true, value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// The directory that gets the links [default: $FARM_TARGET, the target of farm.toml, --target in .stowrc, the
    /// parent of the dotfiles directory]
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
    /// Fail at once when another farm is at work on the target, instead of waiting for it
    #[arg(long, global = true)]
    pub no_wait: bool,
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

/// The commands that say what becomes of the links of packages.
#[derive(Subcommand, Debug)]
pub enum Linking {
    /// Make the links of packages
    #[command(visible_alias = "add")]
    Link(Change),
    /// Remove the links of packages
    #[command(visible_aliases = ["unstow", "rm"])]
    Unlink(Unlink),
    /// Make the links of packages right: remove stale ones, make missing ones
    #[command(visible_alias = "restow")]
    Relink(Relink),
}

#[derive(Subcommand, Debug)]
pub enum Command {
    #[command(flatten)]
    Linking(Linking),
    /// Move files and directories from the target into a package, and put links in their place
    Adopt(Adopt),
    /// Move what a package's links stand for back into their place; the package lets go of it
    Eject(Eject),
    /// Make the farm what farm.toml says: link what it names, and take away what an earlier switch or link made and it
    /// no longer names
    Switch(Switch),
    /// Print what farm.toml has for new shells: `eval "$(farm env --shell sh)"`
    Env(Env),
    /// Write a farm.toml from what is there: the directories, .stowrc, and the links that exist
    Init,
    /// Write a farm.toml from Home Manager's home.nix or dotbot's install.conf.yaml; what it cannot say is listed with
    /// its lines
    Import(Import),
    /// Print the JSON schema of farm.toml, for editors
    Schema,
    /// Print what a shell reads to complete farm's command line, with the names of packages, generations and profiles
    Completions(Completions),
    /// Say how packages stand: linked, partly linked, in conflict, or no longer as farm left them
    #[command(visible_alias = "st")]
    Status(Status),
    /// Say why a path is linked, or is not: the package, the rule, what is in the way
    Why(Why),
    /// Show how files that are in the way differ from those of packages
    Diff(Diff),
    /// Look over the whole target for links into packages that lead to nothing, or twice to one thing
    Check(Check),
    /// Remove the links into packages that lead to nothing
    Prune(Prune),
    /// Look at everything that farm needs, and say what is wrong
    Doctor,
    /// List packages, and where they land
    #[command(visible_alias = "ls")]
    List(List),
    /// List what was changed, the newest first
    #[command(visible_alias = "log")]
    Generations(Generations),
    /// Go back to an older state, as a new generation
    Rollback(Rollback),
    /// Take the last change back
    Undo(Undo),
    /// Take back or finish what an interrupted run has left
    Recover(Recover),
    /// Behave as GNU Stow 2.4.1 does: `farm stow --help`
    #[command(disable_help_flag = true)]
    Stow(Passed),
    /// Behave as GNU Stow's chkstow does: `farm chkstow --help`
    #[command(disable_help_flag = true)]
    Chkstow(Passed),
}

impl Command {
    /// Tells whether its output is all that comes of it.
    pub fn only_tells(&self) -> bool {
        match self {
            Command::Env(_)
            | Command::Schema
            | Command::Completions(_)
            | Command::Status(_)
            | Command::Why(_)
            | Command::Diff(_)
            | Command::Check(_)
            | Command::Doctor
            | Command::List(_) => true,
            Command::Generations(asked) => asked.expire.is_none(),
            _ => false,
        }
    }
}

/// What `switch` takes.
#[derive(clap::Args, Debug)]
pub struct Switch {
    /// The profile of farm.toml; without profiles, everything that counts on this machine
    #[arg(value_name = "PROFILE")]
    pub profile: Option<String>,
    #[command(flatten)]
    pub in_the_way: InTheWay,
    /// The dotfiles directory has come from there: links that lead into DIR, or to what farm wrote for it, are made anew
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub moved_from: Option<PathBuf>,
}

/// What `import` takes.
#[derive(clap::Args, Debug)]
pub struct Import {
    /// A file of Home Manager's with home.file, xdg.configFile, home.sessionVariables, home.sessionPath and
    /// programs.zsh.initExtra (a flake.nix beside it may have backupFileExtension), or dotbot's install.conf.yaml
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Read settings in comments, too
    #[arg(long)]
    pub commented: bool,
}

/// What `env` takes.
#[derive(clap::Args, Debug)]
pub struct Env {
    /// The shell that is to read it [default: that of $SHELL, else sh]
    #[arg(long, value_name = "SHELL")]
    pub shell: Option<Shell>,
}

/// What `check` takes.
#[derive(clap::Args, Debug)]
pub struct Check {
    /// Enter everything: other file systems, too, and .git, .hg, .svn, .jj, .cache, Library/Caches, node_modules,
    /// __pycache__ and .Trash
    #[arg(long)]
    pub all: bool,
    /// List what is no link, too, in the directories that hold links of packages
    #[arg(long)]
    pub aliens: bool,
}

/// What `prune` takes.
#[derive(clap::Args, Debug)]
pub struct Prune {
    /// Enter everything, as `farm check --all` does
    #[arg(long)]
    pub all: bool,
}

/// What `completions` takes.
#[derive(clap::Args, Debug)]
pub struct Completions {
    /// The shell that is to complete
    #[arg(value_name = "SHELL")]
    pub shell: completions::Shell,
}

/// What `status` takes.
#[derive(clap::Args, Debug)]
pub struct Status {
    #[command(flatten)]
    pub chosen: Chosen,
    /// List each path, and say what is wrong with it
    #[arg(short, long, conflicts_with = "tree")]
    pub long: bool,
    /// Draw the farm as a tree: each link with its package
    #[arg(long)]
    pub tree: bool,
    /// Exit with 1 when anything is not as it should be
    #[arg(long)]
    pub check: bool,
}

/// What `why` takes.
#[derive(clap::Args, Debug)]
pub struct Why {
    /// A path in the target, or in a package
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub path: OsString,
    /// Translate `dot-name` in a package to `.name` in the target
    #[arg(long)]
    pub dotfiles: bool,
}

/// What `diff` takes.
#[derive(clap::Args, Debug)]
pub struct Diff {
    #[command(flatten)]
    pub chosen: Chosen,
}

/// What `list` takes.
#[derive(clap::Args, Debug)]
pub struct List {
    #[command(flatten)]
    pub chosen: Chosen,
}

/// The packages that a command looks at.
#[derive(clap::Args, Debug)]
pub struct Chosen {
    /// Packages [default: those of farm.toml, and others with links; without one, every directory]
    #[arg(value_name = "PKG", value_hint = ValueHint::DirPath)]
    pub names: Vec<OsString>,
    /// Translate `dot-name` in a package to `.name` in the target
    #[arg(long)]
    pub dotfiles: bool,
}

impl Chosen {
    /// Returns the same as a [`Change`]: linking the packages.
    pub fn of_link(&self) -> Change {
        Change {
            packages: Packages { names: self.names.clone(), dotfiles: self.dotfiles, keep_going: false },
            no_fold: false,
            ignore: Vec::new(),
            defer: Vec::new(),
            overrides: Vec::new(),
            in_the_way: InTheWay::default(),
            restore: false,
            moved_from: None,
        }
    }
}

/// What `generations` takes.
#[derive(clap::Args, Debug)]
pub struct Generations {
    /// Drop generations older than this, with what they keep: `30d`, `2 weeks`, `1y`
    #[arg(long, value_name = "SPAN")]
    pub expire: Option<String>,
}

/// What `rollback` takes.
#[derive(clap::Args, Debug)]
pub struct Rollback {
    /// The generation whose state comes back; 0 is the state before the first [default: the one before the present]
    #[arg(value_name = "ID", value_parser = generation)]
    pub id: Option<u64>,
    #[command(flatten)]
    pub undo: Undo,
}

/// What `undo` takes.
#[derive(clap::Args, Debug)]
pub struct Undo {
    /// Leave paths alone that were changed since in other ways, and go back with the rest
    #[arg(long)]
    pub keep_going: bool,
}

/// What `recover` takes.
#[derive(clap::Args, Debug)]
pub struct Recover {
    /// Set the journal aside and leave everything as it is
    #[arg(long)]
    pub forget: bool,
}

/// Which of the three commands runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    Link,
    Unlink,
    Relink,
    Switch,
}

impl Verb {
    /// Returns what happens to each package, in this order.
    pub fn actions(self) -> &'static [Action] {
        match self {
            Verb::Link | Verb::Switch => &[Action::Link],
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
    #[command(flatten)]
    pub in_the_way: InTheWay,
    /// `unlink --restore`.
    #[arg(skip)]
    pub restore: bool,
    /// `relink --moved-from`.
    #[arg(skip)]
    pub moved_from: Option<PathBuf>,
}

/// What `relink` takes.
#[derive(clap::Args, Clone, Debug)]
#[command(mut_arg("names", |names| names.required(false).required_unless_present("moved_from")))]
pub struct Relink {
    #[command(flatten)]
    pub change: Change,
    /// The dotfiles directory has come from there: links that lead into DIR are the packages', and are made anew. Without
    /// PKG, those of all packages that have links; `farm switch --moved-from` does it for all that farm.toml names
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub moved_from: Option<PathBuf>,
}

impl Relink {
    /// Returns the same as a [`Change`].
    pub fn with_defaults(&self) -> Change {
        Change { moved_from: self.moved_from.clone(), ..self.change.clone() }
    }
}

/// What becomes of things in the way. At most one of the first five is given.
#[derive(clap::Args, Clone, Default, Debug)]
#[command(next_help_heading = "When something that farm did not make is in the way")]
pub struct InTheWay {
    /// What to do about it [default: stop]
    #[arg(long, value_name = "HOW", group = "way")]
    pub on_conflict: Option<OnConflict>,
    /// Give it another name in the same directory, with .backup or SUFFIX at the end
    #[arg(long, value_name = "SUFFIX", group = "way", num_args = 0..=1, require_equals = true,
          value_parser = OsStringValueParser::new().try_map(suffix))]
    pub backup: Option<Option<Name>>,
    /// Let a file take the place of the package's file, whose content goes to the state directory
    #[arg(long, group = "way")]
    pub adopt: bool,
    /// Move it to the state directory
    #[arg(long, group = "way")]
    pub replace: bool,
    /// Leave it, and link the rest
    #[arg(long, group = "way")]
    pub skip: bool,
    /// What to do when a backup's name is taken: number takes the next free .backup.1, .backup.2 … [default: refuse]
    #[arg(long, value_name = "HOW")]
    pub backup_existing: Option<IfTaken>,
}

/// What `--on-conflict` takes.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnConflict {
    /// Change nothing, and list all that is in the way
    Stop,
    /// Leave it, and link the rest
    Skip,
    /// Give it another name in the same directory, with .backup at the end
    Backup,
    /// Let a file take the place of the package's file
    Adopt,
    /// Move it to the state directory
    Replace,
    /// Ask on the terminal about each thing in the way
    Ask,
}

/// What `--backup-existing` takes.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum IfTaken {
    /// Change nothing, and say so
    Refuse,
    /// Take the next free number
    Number,
}

/// What becomes of things in the way when no option says it.
#[derive(Clone, Debug)]
pub struct DefaultWay {
    /// What.
    pub clash: Clash,
    /// How backups are named.
    pub backup: Backup,
}

impl Default for DefaultWay {
    fn default() -> DefaultWay {
        DefaultWay { clash: Clash::Stop, backup: Backup::default() }
    }
}

/// What the options about things in the way come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// One strategy for all.
    All(Strategy),
    /// Ask about each; backups are named like this.
    Ask(Backup),
}

impl InTheWay {
    /// Returns what the options come to, or `None` when there is an option about backups and none are made.
    pub fn way(&self, default: &DefaultWay) -> Option<Way> {
        let mut backup = default.backup.clone();
        if let Some(Some(suffix)) = &self.backup {
            backup.suffix = suffix.clone();
        }
        match self.backup_existing {
            Some(IfTaken::Refuse) => backup.existing = Existing::Refuse,
            Some(IfTaken::Number) => backup.existing = Existing::Number,
            None => {}
        }
        let clash = match self.on_conflict {
            Some(OnConflict::Stop) => Clash::Stop,
            Some(OnConflict::Skip) => Clash::Skip,
            Some(OnConflict::Backup) => Clash::Backup,
            Some(OnConflict::Adopt) => Clash::Adopt,
            Some(OnConflict::Replace) => Clash::Replace,
            Some(OnConflict::Ask) => Clash::Ask,
            None if self.backup.is_some() => Clash::Backup,
            None if self.adopt => Clash::Adopt,
            None if self.replace => Clash::Replace,
            None if self.skip => Clash::Skip,
            None => default.clash,
        };
        let way = match clash {
            Clash::Ask => return Some(Way::Ask(backup)),
            Clash::Backup => Strategy::Backup(backup),
            Clash::Stop => Strategy::Stop,
            Clash::Skip => Strategy::Skip,
            Clash::Adopt => Strategy::Adopt,
            Clash::Replace => Strategy::Replace,
        };
        let unused = self.backup_existing.is_some() && !matches!(way, Strategy::Backup(_));
        (!unused).then_some(Way::All(way))
    }
}

/// Returns the suffix of backups that was typed.
fn suffix(typed: OsString) -> Result<Name, &'static str> {
    Name::new(typed.as_bytes()).ok_or("it becomes the end of a file's name: it is not empty and has no slash")
}

/// Returns the number of a generation that was typed.
fn generation(typed: &str) -> Result<u64, &'static str> {
    typed.parse().map_err(|_| "it is not the number of a generation: `farm generations` lists them")
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
    /// Put the backups that farm made of what was in the way back in the links' places
    #[arg(long)]
    pub restore: bool,
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
            in_the_way: InTheWay::default(),
            restore: self.restore,
            moved_from: None,
        }
    }
}

/// What all three take.
#[derive(clap::Args, Clone, Debug)]
pub struct Packages {
    /// Packages: their names in farm.toml, names of directories in the dotfiles directory, or paths to them
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
    /// Files, directories and links in the target [default: every file that is in the package's way, as stow --adopt]
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

impl Adopt {
    /// Returns the same as a [`Change`]: linking the package, where every file in the way is adopted.
    pub fn of_all(&self) -> Change {
        let names = vec![self.package.clone()];
        Change {
            packages: Packages { names, dotfiles: self.dotfiles, keep_going: false },
            no_fold: self.no_fold,
            ignore: self.ignore.clone(),
            defer: Vec::new(),
            overrides: Vec::new(),
            in_the_way: InTheWay { adopt: true, ..InTheWay::default() },
            restore: false,
            moved_from: None,
        }
    }
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
    fn the_short_description_reads_as_the_whole_does() {
        for line in [
            "farm link a b",
            "farm link -nvv a --no-fold --ignore x --ignore=y -d d --defer z --override w --color=never",
            "farm link --backup=.old --backup-existing=number --dotfiles --keep-going -- -a",
            "farm unlink -q a --restore --ignore x --no-fold --json",
            "farm relink a --moved-from /old --on-conflict ask --target=t --no-wait",
            "farm relink --moved-from /old",
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let short = read_short(&words).expect("a short line").expect("a good line");
            let whole: Args = parsed(&words).expect("a good line");
            assert_eq!(format!("{short:?}"), format!("{whole:?}"));
        }
    }

    #[test]
    fn what_is_wrong_is_said_of_the_whole_command_line() {
        for line in
            ["farm link", "farm relink", "farm link --help", "farm unlink --adopt p", "farm link a -q -v"]
        {
            let read = Args::read(line.split(' ').map(OsString::from).collect()).expect_err("no good line");
            let whole = Args::try_parse_from(line.split(' ')).expect_err("no good line");
            assert_eq!(read.render().to_string(), whole.render().to_string());
        }
    }

    #[test]
    fn an_optional_value_is_only_taken_with_an_equals_sign() {
        let args = Args::try_parse_from(["farm", "link", "--color", "never"]).expect("a good line");
        let Command::Linking(Linking::Link(change)) = args.command else { panic!("not a link") };
        assert_eq!(change.packages.names, ["never"]);
        assert!(matches!(args.global.color, Some(Color::Always)));
    }

    fn way(line: &str) -> Result<Option<Way>, clap::error::ErrorKind> {
        let words = ["farm", "link", "p"].into_iter().chain(line.split_whitespace());
        let args = Args::try_parse_from(words).map_err(|error| error.kind())?;
        let Command::Linking(Linking::Link(change)) = args.command else { panic!("not a link") };
        Ok(change.in_the_way.way(&DefaultWay::default()))
    }

    fn backup(suffix: &str, existing: Existing) -> Backup {
        Backup { suffix: Name::new(suffix.as_bytes()).expect("a name"), existing }
    }

    #[test]
    fn each_strategy_has_two_names() {
        for (lines, strategy) in [
            (["", "--on-conflict stop"], Strategy::Stop),
            (["--skip", "--on-conflict skip"], Strategy::Skip),
            (["--adopt", "--on-conflict=adopt"], Strategy::Adopt),
            (["--replace", "--on-conflict=replace"], Strategy::Replace),
            (["--backup", "--on-conflict=backup"], Strategy::Backup(Backup::default())),
        ] {
            for line in lines {
                assert_eq!(way(line), Ok(Some(Way::All(strategy.clone()))), "{line}");
            }
        }
        assert_eq!(way("--on-conflict ask"), Ok(Some(Way::Ask(Backup::default()))));
    }

    #[test]
    fn backups_have_a_suffix_and_may_be_numbered() {
        let numbered = Strategy::Backup(backup("~", Existing::Number));
        assert_eq!(way("--backup=~ --backup-existing number"), Ok(Some(Way::All(numbered))));
        let asked = Way::Ask(backup(".backup", Existing::Number));
        assert_eq!(way("--on-conflict ask --backup-existing=number"), Ok(Some(asked)));
        for line in ["--backup-existing number", "--skip --backup-existing=refuse"] {
            assert_eq!(way(line), Ok(None), "{line}");
        }
    }

    #[test]
    fn a_suffix_is_the_end_of_a_name() {
        for line in ["--backup=", "--backup=/x", "--backup=a/b"] {
            assert!(way(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_last_of_an_option_given_twice_counts() {
        // An alias has it first.
        for command in ["link p", "switch laptop"] {
            let line = format!("farm -n -d a {command} -n -d b --on-conflict skip --on-conflict=backup -vv");
            let args = Args::read(line.split(' ').map(OsString::from).collect()).expect("a good line");
            let Global { dir, dry_run, verbose, .. } = args.global;
            assert_eq!((dir, dry_run, verbose), (Some(PathBuf::from("b")), true, 2), "{line}");
        }
        let line = "farm link --ignore a p --ignore b -n -n -d x -d y q";
        let args = Args::read(line.split(' ').map(OsString::from).collect()).expect("a good line");
        assert_eq!(args.global.dir, Some(PathBuf::from("y")));
        let said = format!("{:?}", args.command);
        assert!(said.contains(r#"["a", "b"]"#) && said.contains(r#"["p", "q"]"#), "{said}");
    }

    #[test]
    fn there_is_one_strategy() {
        for line in ["--backup --adopt", "--skip --replace", "--on-conflict=skip --skip", "--adopt --replace"]
        {
            assert_eq!(way(line), Err(clap::error::ErrorKind::ArgumentConflict), "{line}");
        }
    }
}
