//! `stow`, as GNU Stow 2.4.1 runs it: its command line, its resource files, its sentences, its exit statuses.
//!
//! What is asked for becomes [`Options`]; from there on it is a farm like any other.

mod args;
pub mod chkstow;
mod getopt;
mod options;
mod rc;
mod words;

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use farm::{Farm, Memory, Plan, Run, ScanError};

use crate::environment;

use args::{Invocation, Settings};
pub use getopt::Value;
use options::{Options, Refusal};
use rc::Surroundings;

/// The exit status of usage errors and conflicts.
const REFUSED: u8 = 1;
/// The exit status of errors that begin with `stow: ERROR:`.
const FAILED: u8 = 2;
/// The exit status when something could not be taken back, as of farm's own commands.
const STUCK: u8 = 3;
/// The exit status after a signal, when all was taken back.
const INTERRUPTED: u8 = 130;
/// The exit status of errors in files that stow reads.
const ABORTED: u8 = 255;

/// Runs `stow` with the arguments after its name and returns the exit status.
pub fn run(args: Vec<OsString>) -> u8 {
    match options(args.into_iter().map(OsString::into_vec).collect()) {
        Ok(options) => farm(&options),
        Err(status) => status,
    }
}

/// Turns the command line, the resource files and the environment into options, or says why not.
fn options(line: Vec<Vec<u8>>) -> Result<Options, u8> {
    let line = settings(args::parse(line))?;
    let rc = rc::read(&Surroundings { variable: &variable }).map_err(|error| {
        words::say(&words::rc_error(&error));
        if matches!(error, rc::RcError::Unreadable { .. }) { FAILED } else { ABORTED }
    })?;
    let settings = line.over(settings(rc)?);
    options::resolve(settings, &variable).map_err(|refusal| {
        words::say(&words::refusal(&refusal));
        if words::wants_usage(&refusal) {
            words::tell(&words::usage());
            return REFUSED;
        }
        FAILED
    })
}

/// Returns the names of the options, without hyphens, and what follows each.
pub fn command_line_options() -> impl Iterator<Item = (&'static [&'static str], Value)> {
    args::options()
}

/// Returns what the resource files say, or in words what is wrong with them.
pub fn resources() -> Result<Settings, String> {
    let said = |text: Vec<u8>| String::from_utf8_lossy(text.trim_ascii_end()).into_owned();
    match rc::read(&Surroundings { variable: &variable }).map_err(|error| said(words::rc_error(&error)))? {
        Invocation::Run(settings) => Ok(settings),
        Invocation::Wrong(errors) => Err(format!(".stowrc: {}", said(words::usage_errors(&errors)))),
        Invocation::Help | Invocation::Version => Ok(Settings::default()),
    }
}

/// Answers what asks for text instead of work, with the status to end with.
fn settings(invocation: Invocation) -> Result<Settings, u8> {
    match invocation {
        Invocation::Run(settings) => return Ok(settings),
        Invocation::Help => words::tell(&words::usage()),
        Invocation::Version => words::tell(&words::version()),
        Invocation::Wrong(errors) => {
            words::say(&words::usage_errors(&errors));
            words::tell(&words::usage());
            return Err(REFUSED);
        }
    }
    Err(0)
}

/// Returns the value of an environment variable.
fn variable(name: &[u8]) -> Option<Vec<u8>> {
    env::var_os(OsStr::from_bytes(name)).map(OsString::into_vec)
}

/// Returns the path that these bytes spell.
pub fn path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}

/// Returns the bytes that spell a path.
fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// Plans and does what the options ask for.
fn farm(options: &Options) -> u8 {
    match planned(options) {
        Ok(status) => status,
        Err(error) => {
            words::say(&words::scan_error(&error));
            if matches!(error, ScanError::Regex { .. }) { ABORTED } else { FAILED }
        }
    }
}

fn planned(options: &Options) -> Result<u8, ScanError> {
    let rules = options.rules()?;
    let request = options.request();
    let wait = || {
        words::say(words::WAITING);
        true
    };
    let mut memory = Memory::none();
    if !options.simulate {
        let state = environment::state_dir();
        let (opened, recovered) = Memory::open(state.as_deref(), &options.target, &wait)?;
        if let Some(recovered) = recovered {
            words::say(&words::recovered(&recovered));
            if !recovered.stuck.is_empty() {
                return Ok(STUCK);
            }
        }
        memory = opened;
    }
    let farm = Farm::open(&request, &rules)?;
    let planned = farm.plan()?;
    let mut said = Vec::new();
    if options.verbosity > 1 {
        words::details(&mut said, &request, &planned);
    }
    planned.notices.iter().for_each(|notice| words::notice(&mut said, notice));
    if options.verbosity > 0 {
        planned.plan.ops.iter().for_each(|op| words::op(&mut said, &op));
    }
    words::say(&said);
    if let Some(name) = &options.missing {
        let missing = Refusal::NoPackage { dir: request.stow_dir.to_bytes(), name: name.clone() };
        words::say(&words::refusal(&missing));
        return Ok(FAILED);
    }
    if !planned.conflicts.is_empty() {
        words::say(&words::conflicts(&planned.conflicts));
        return Ok(REFUSED);
    }
    if options.simulate {
        words::say(words::SIMULATION);
        return Ok(0);
    }
    if planned.plan.is_empty() {
        return Ok(0);
    }
    apply(options, &farm, &mut memory, planned.plan)
}

/// Does a plan, with the memory that farm's own commands have.
fn apply(options: &Options, farm: &Farm, memory: &mut Memory, mut plan: Plan) -> Result<u8, ScanError> {
    if memory.begin()? {
        // Another farm was there first.
        let planned = farm.plan()?;
        if !planned.conflicts.is_empty() {
            words::say(&words::conflicts(&planned.conflicts));
            return Ok(REFUSED);
        }
        if planned.plan.is_empty() {
            return Ok(0);
        }
        plan = planned.plan;
    }
    let stop = environment::stop_on_signals();
    let run = Run { stop: &stop, ..Run::new(environment::command()) };
    match farm.apply(&plan, memory, &run) {
        Ok(outcome) => {
            words::say(&words::outcome(&outcome, options.verbosity > 1));
            Ok(0)
        }
        Err(failure) => {
            words::say(&words::failed(&failure));
            Ok(match (failure.stuck.is_empty(), failure.interrupted) {
                (false, _) => STUCK,
                (true, true) => INTERRUPTED,
                (true, false) => FAILED,
            })
        }
    }
}
