//! Whole processes: `farm stow` beside GNU Stow, in pairs, A B A B.
//!
//! `cargo bench --bench whole` compares with the stow that `$FARM_STOW` names, else with the one on `PATH`.
//! `$FARM_PAIRS` is the number of pairs. The two programs alternate in who goes first, and after every step the
//! two targets must hold the same links.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use assert_fs::TempDir;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/dotfiles");
const PACKAGES: [&str; 9] =
    ["aerospace", "ghostty", "nushell", "nvim", "skhd", "starship", "tmux", "wezterm", "zsh"];

/// What is asked of a farm, one after the other.
const STEPS: [(&str, &str); 3] = [("link", "-S"), ("relink, nothing to do", "-R"), ("unlink", "-D")];

fn main() -> io::Result<()> {
    let stow = std::env::var_os("FARM_STOW").unwrap_or_else(|| "stow".into());
    if !runs(&stow) {
        println!("no stow on PATH and none at $FARM_STOW: nothing to compare with");
        return Ok(());
    }
    let pairs = std::env::var("FARM_PAIRS").ok().and_then(|pairs| pairs.parse().ok()).unwrap_or(5);
    let farm = Program { exe: env!("CARGO_BIN_EXE_farm").into(), first: &["stow"] };
    let stow = Program { exe: stow, first: &[] };
    println!("{pairs} pairs; median milliseconds, and the median of the pairs' ratios\n");
    println!("{:<38} {:>8} {:>8} {:>12}", "", "farm", "stow", "stow / farm");
    compare("nine packages", pairs, &farm, &stow, &nine_packages()?)?;
    compare("100 directories of 100 files", pairs, &farm, &stow, &many_files()?)
}

fn runs(program: &OsString) -> bool {
    let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

struct Program {
    exe: OsString,
    first: &'static [&'static str],
}

/// A stow directory and two targets of the same shape beside it, one for each program.
struct Scene {
    dir: PathBuf,
    targets: [PathBuf; 2],
    packages: &'static [&'static str],
    temp: TempDir,
}

fn nine_packages() -> io::Result<Scene> {
    let temp = temp()?;
    let targets = ["a", "b"].map(|name| temp.path().join(name));
    targets.iter().try_for_each(fs::create_dir)?;
    Ok(Scene { dir: EXAMPLES.into(), targets, packages: &PACKAGES, temp })
}

fn many_files() -> io::Result<Scene> {
    let temp = temp()?;
    let dir = temp.path().join("stow");
    let targets = ["a", "b"].map(|name| temp.path().join(name));
    for number in 0..100 {
        let directory = format!("directory-{number:02}");
        let package = dir.join("p").join(&directory);
        fs::create_dir_all(&package)?;
        for file in 0..100 {
            fs::write(package.join(format!("file-{file:02}.conf")), "")?;
        }
        targets.iter().try_for_each(|target| fs::create_dir_all(target.join(&directory)))?;
        // Something that is no link keeps the directory a directory.
        targets.iter().try_for_each(|target| fs::write(target.join(&directory).join("mine"), ""))?;
    }
    Ok(Scene { dir, targets, packages: &["p"], temp })
}

fn temp() -> io::Result<TempDir> {
    TempDir::new().map_err(io::Error::other)
}

/// Runs each step `pairs` times with both programs, and prints a line for each.
fn compare(title: &str, pairs: usize, farm: &Program, stow: &Program, scene: &Scene) -> io::Result<()> {
    let mut times: [Vec<(Duration, Duration)>; STEPS.len()] = Default::default();
    for pair in 0..pairs {
        for (times, (step, mode)) in times.iter_mut().zip(STEPS) {
            let [a, b] = &scene.targets;
            let (ours, theirs) = if pair % 2 == 0 {
                let ours = run(farm, scene, a, mode)?;
                (ours, run(stow, scene, b, mode)?)
            } else {
                let theirs = run(stow, scene, b, mode)?;
                (run(farm, scene, a, mode)?, theirs)
            };
            assert_eq!(links(a)?, links(b)?, "{title}: {step}");
            times.push((ours, theirs));
        }
    }
    for (mut times, (step, _)) in times.into_iter().zip(STEPS) {
        let ours = median(times.iter().map(|pair| milliseconds(pair.0)).collect());
        let theirs = median(times.iter().map(|pair| milliseconds(pair.1)).collect());
        let ratio = median(times.drain(..).map(|(a, b)| b.as_secs_f64() / a.as_secs_f64()).collect());
        println!("{:<38} {ours:>8.1} {theirs:>8.1} {ratio:>12.1}", format!("{title}: {step}"));
    }
    Ok(())
}

fn run(program: &Program, scene: &Scene, target: &Path, mode: &str) -> io::Result<Duration> {
    let mut command = Command::new(&program.exe);
    command.args(program.first).arg("-d").arg(&scene.dir).arg("-t").arg(target).arg(mode);
    command.args(scene.packages).current_dir(scene.temp.path()).env("HOME", scene.temp.path());
    command.env("FARM_STATE_DIR", scene.temp.path().join("state"));
    let start = Instant::now();
    let status = command.status()?;
    let took = start.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    Ok(took)
}

/// Returns everything below `target`: a link's text, or nothing for what is no link.
fn links(target: &Path) -> io::Result<BTreeMap<PathBuf, Option<PathBuf>>> {
    let mut found = BTreeMap::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(at) = todo.pop() {
        for entry in fs::read_dir(target.join(&at))? {
            let entry = entry?;
            let (path, kind) = (at.join(entry.file_name()), entry.file_type()?);
            if kind.is_dir() {
                todo.push(path.clone());
            }
            let text = kind.is_symlink().then(|| fs::read_link(entry.path())).transpose()?;
            found.insert(path, text);
        }
    }
    Ok(found)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
