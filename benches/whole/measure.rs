//! One process, measured by another that is small.
//!
//! A child's peak memory includes what its parent had when it was made. So this program starts itself once more,
//! and that second, small process starts and measures the program in question.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use rustix::process::{Pid, Signal, kill_process};

/// The word that makes this program the one that measures.
pub const WORD: &str = "measure";

/// The unit in which the system tells the largest resident size.
const PEAK_UNIT: u64 = if cfg!(target_os = "macos") { 1 } else { 1024 };

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub wall: Duration,
    pub user: Duration,
    pub system: Duration,
    /// The largest resident size, in bytes.
    pub peak: u64,
    /// The exit code; nothing where a signal ended it.
    pub code: Option<i32>,
}

/// What a program finds where it starts. Of the environment it gets only this and `PATH`.
#[derive(Clone)]
pub struct Surroundings {
    pub dir: PathBuf,
    pub home: PathBuf,
    pub state: PathBuf,
    /// What else it wants to find in the environment.
    pub variables: Vec<(&'static str, PathBuf)>,
    /// Where everything goes that it prints.
    pub output: PathBuf,
    /// It is killed when it takes longer, to the second.
    pub limit: Duration,
}

/// Runs a program with its arguments.
pub fn run(line: &[String], at: &Surroundings) -> io::Result<Sample> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(WORD).arg(at.limit.as_secs().to_string()).arg(&at.output).args(line);
    command
        .current_dir(&at.dir)
        .env_clear()
        .env("LC_ALL", "C")
        .env("HOME", &at.home)
        .env("FARM_STATE_DIR", &at.state);
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.envs(at.variables.iter().map(|(name, value)| (name, value)));
    let told = command.stderr(Stdio::inherit()).output()?.stdout;
    read(&String::from_utf8_lossy(&told)).ok_or_else(|| io::Error::other(format!("cannot measure {line:?}")))
}

fn read(told: &str) -> Option<Sample> {
    let mut words = told.split_whitespace();
    let mut number = || words.next()?.parse().ok();
    let (wall, user, system, peak) = (number()?, number()?, number()?, number()?);
    Some(Sample {
        wall: Duration::from_nanos(wall),
        user: Duration::from_micros(user),
        system: Duration::from_micros(system),
        peak,
        code: words.next()?.parse().ok(),
    })
}

/// Is the small process: `SECONDS OUTPUT PROGRAM ARGUMENT…`.
pub fn main(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let mut next = || arguments.next().unwrap_or_default();
    let (limit, output, program) = (next(), next(), next());
    let limit = Duration::from_secs(limit.parse().unwrap_or(u64::MAX));
    match measure(limit, Path::new(&output), Command::new(&program).args(arguments)) {
        Ok(Sample { wall, user, system, peak, code }) => {
            let code = code.map_or("signal".to_owned(), |code| code.to_string());
            println!("{} {} {} {peak} {code}", wall.as_nanos(), user.as_micros(), system.as_micros());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cannot run {program}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(limit: Duration, output: &Path, command: &mut Command) -> io::Result<Sample> {
    let output = File::create(output)?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let start = Instant::now();
    let mut child = command.spawn()?;
    if let Ok(pid) = i32::try_from(child.id()) {
        // It ends with this process, at the latest.
        thread::spawn(move || {
            thread::sleep(limit);
            Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::KILL))
        });
    }
    let status = child.wait()?;
    let wall = start.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let peak = u64::try_from(usage.max_rss()).unwrap_or_default() * PEAK_UNIT;
    let (user, system) = (duration(usage.user_time()), duration(usage.system_time()));
    Ok(Sample { wall, user, system, peak, code: status.code() })
}

fn duration(time: TimeVal) -> Duration {
    Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or_default())
}
