//! Farm's own commands: parse, resolve, plan, apply, say.

mod adopt;
mod args;
mod ask;
mod check;
pub mod completions;
mod contents;
mod create;
mod diff;
mod doctor;
mod draft;
mod env;
mod history;
mod import;
mod init;
mod json;
mod lines;
mod manifest;
#[cfg(test)]
mod manual;
mod progress;
mod resolve;
mod run;
mod session;
mod status;
mod survey;
mod switch;
mod told;
mod untracked;
mod why;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use farm::{OptionPatterns, StartPatterns};

use args::{Args, Command, Linking, Verb};
use words::Words;

/// How a call ended, as the manual documents it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Refused, or rolled back: nothing has changed.
    Refused,
    /// The command line makes no sense.
    Usage,
    /// Something could not be taken back.
    Stuck,
    /// A signal asked to stop, and all was taken back.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Stuck => 3,
            Exit::Interrupted => 130,
        })
    }
}

/// What `.stowrc` files say, for those who come from stow; farm's own options go over it.
#[derive(Clone, Default, Debug)]
pub struct StowRc {
    /// `--dir`.
    pub dir: Option<PathBuf>,
    /// `--target`.
    pub target: Option<PathBuf>,
    /// `--dotfiles`.
    pub dotfiles: bool,
    /// `--no-folding`.
    pub no_fold: bool,
    /// `--ignore`, regular expressions.
    pub ignore: OptionPatterns,
    /// The same as they are written.
    pub ignored: Vec<String>,
    /// `--defer`.
    pub defer: StartPatterns,
    /// `--override`.
    pub overrides: StartPatterns,
}

impl StowRc {
    /// Tells whether there is anything in the files that farm's own commands take.
    pub fn says_something(&self) -> bool {
        let StowRc { dir, target, dotfiles, no_fold, ignored, defer, overrides, .. } = self;
        let patterns = !ignored.is_empty() || !defer.is_empty() || !overrides.is_empty();
        dir.is_some() || target.is_some() || *dotfiles || *no_fold || patterns
    }
}

/// Runs one command line; the first argument is the program's name. `stowrc` reads the `.stowrc` files, or says what
/// is wrong with them.
pub fn run(args: Vec<OsString>, stowrc: impl FnOnce() -> Result<StowRc, String>) -> Exit {
    let wants_json = args.iter().any(|word| word == "--json");
    let args = match Args::read(args) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are errors to clap; a reader that went away is nobody's mistake.
            let _ = error.print();
            if wants_json && error.use_stderr() {
                let text = error.render().to_string();
                let message: Vec<&str> =
                    text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
                json::error(message.join(" ").trim_start_matches("error: "));
            }
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let global = &args.global;
    global.color.unwrap_or_default().write_global();
    let words = Words::new(global);
    let stowrc = match stowrc() {
        Ok(stowrc) => stowrc,
        Err(message) => return words.bad_stowrc(&message),
    };
    let exit = match &args.command {
        Command::Linking(Linking::Link(change)) => run::change(Verb::Link, global, change, &stowrc, &words),
        Command::Linking(Linking::Unlink(change)) => {
            run::change(Verb::Unlink, global, &change.with_defaults(), &stowrc, &words)
        }
        Command::Linking(Linking::Relink(change)) => {
            run::change(Verb::Relink, global, &change.with_defaults(), &stowrc, &words)
        }
        Command::Adopt(args) => adopt::adopt(global, args, &stowrc, &words),
        Command::Eject(args) => adopt::eject(global, args, &stowrc, &words),
        Command::Switch(asked) => switch::switch(global, asked, &stowrc, &words),
        Command::Env(asked) => env::env(global, asked, &stowrc, &words),
        Command::Init => init::init(global, &stowrc, &words),
        Command::Import(asked) => import::import(global, asked, &stowrc, &words),
        Command::Schema => {
            words.print(&format!("{:#}\n", farm::manifest::schema()));
            Exit::Done
        }
        Command::Completions(asked) => completions::print(global, asked, &words),
        Command::Status(asked) => status::status(global, asked, &stowrc, &words),
        Command::Why(asked) => why::why(global, asked, &stowrc, &words),
        Command::Diff(asked) => diff::diff(global, asked, &stowrc, &words),
        Command::Check(asked) => check::check(global, asked, &stowrc, &words),
        Command::Prune(asked) => check::prune(global, asked, &stowrc, &words),
        Command::Doctor => doctor::doctor(global, &stowrc, &words),
        Command::List(asked) => status::list(global, asked, &stowrc, &words),
        Command::Generations(asked) => history::generations(global, asked, &stowrc, &words),
        Command::Rollback(asked) => history::back(global, asked.id, asked.undo.keep_going, &stowrc, &words),
        Command::Undo(asked) => history::back(global, None, asked.keep_going, &stowrc, &words),
        Command::Recover(asked) => history::recover(global, asked, &stowrc, &words),
        Command::Stow(_) | Command::Chkstow(_) => {
            words.usage("options before `stow` and `chkstow` have no meaning there", "put them after it")
        }
    };
    words.ended(exit, global.dry_run || args.command.only_tells())
}
