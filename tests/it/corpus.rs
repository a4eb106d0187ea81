//! Real dotfiles must get the links that GNU Stow 2.4.1 gives them: a public repository, laid out in a temporary home,
//! and the packages in `examples/dotfiles`.
//!
//! `tests/data/seed` says what is in the repository and what stow makes of it. Where `$FARM_STOW` names a stow 2.4, or
//! one is on `PATH`, it runs beside farm and the stored list is compared with it too.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use assert_fs::TempDir;

const SEED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/seed");

#[test]
fn stow_dot_makes_the_links_that_stow_makes() {
    let home = Home::with_seed();
    home.run(farm(), &["."]).succeeds_in_silence();
    assert_eq!(links(&home.config()), recorded_links());
}

#[test]
fn stow_dot_a_second_time_changes_nothing() {
    let home = Home::with_seed();
    home.run(farm(), &["."]).succeeds_in_silence();
    let before = home.identity();
    home.run(farm(), &["."]).succeeds_in_silence();
    assert_eq!(home.identity(), before);
    home.run(farm(), &["-R", "."]).succeeds_in_silence();
    assert_eq!(links(&home.config()), recorded_links());
}

#[test]
fn stow_delete_dot_takes_all_away() {
    let home = Home::with_seed();
    let before = home.identity();
    home.run(farm(), &["."]).succeeds_in_silence();
    assert_eq!(links(&home.config()), recorded_links());
    home.run(farm(), &["-D", "."]).succeeds_in_silence();
    assert_eq!(links(&home.config()), Links::new());
    let mut after = home.identity();
    // The one thing that may differ is the time at which links came and went.
    let config = Path::new(".config").to_path_buf();
    after.insert(config.clone(), before[&config]);
    assert_eq!(after, before);
}

#[test]
fn a_target_of_stowrc_that_is_missing_is_an_error() {
    let home = Home::with_seed();
    fs::remove_dir(home.config()).unwrap();
    let before = home.identity();
    let run = home.run(farm(), &["."]);
    let missing = format!("stow: --target value '{}' is not a valid directory\n", home.config().display());
    assert_eq!(run.output.status.code(), Some(1), "{run}");
    assert!(run.stderr().starts_with(&missing), "{run}");
    assert_eq!(home.identity(), before);
}

#[test]
fn a_stow_at_hand_agrees() {
    let Some(stow) = stow_at_hand() else { return };
    let (theirs, ours) = (Home::with_seed(), Home::with_seed());
    for arguments in [&["-n", "-v", "."][..], &["-v", "."], &["-v", "."], &["-v", "-D", "."]] {
        let expected = theirs.run(Command::new(&stow), arguments);
        let got = ours.run(farm(), arguments);
        assert_eq!(
            (got.output.status.code(), got.lines()),
            (expected.output.status.code(), expected.lines()),
            "{expected}{got}"
        );
        assert_eq!(links(&ours.config()), links(&theirs.config()), "{expected}{got}");
        if arguments == ["-v", "."] {
            assert_eq!(links(&theirs.config()), recorded_links());
        }
    }
}

#[test]
fn the_example_packages_link_into_an_empty_home() {
    let home = Home::empty();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/dotfiles");
    let packages = ["aerospace", "ghostty", "nushell", "nvim", "skhd", "starship", "tmux", "wezterm", "zsh"];
    let target = home.path.to_str().unwrap();
    let call = |mode| [&["-d", examples, "-t", target, mode], &packages[..]].concat();
    home.run(farm(), &call("-S")).succeeds_in_silence();
    let expected = [
        (".config/aerospace", "aerospace"),
        (".config/ghostty", "ghostty"),
        (".config/nushell", "nushell"),
        (".config/nvim", "nvim"),
        (".config/skhd", "skhd"),
        (".config/starship.toml", "starship"),
        (".config/tmux", "tmux"),
        (".config/wezterm", "wezterm"),
        (".config/zsh", "zsh"),
        (".zprofile", "zsh"),
        (".zshenv", "zsh"),
        (".zshrc", "zsh"),
    ]
    .map(|(link, package)| {
        (link.into(), Path::new(examples).canonicalize().unwrap().join(package).join(link))
    });
    let leads_to: Links = links(&home.path)
        .into_keys()
        .map(|link| (link.clone(), home.path.join(link).canonicalize().unwrap()))
        .collect();
    assert_eq!(leads_to, Links::from(expected));
    home.run(farm(), &call("-D")).succeeds_in_silence();
    assert_eq!(links(&home.path), Links::new());
}

/// Text of each link by its path below the target.
type Links = BTreeMap<PathBuf, PathBuf>;

/// A home directory with the repository as `~/dotfiles` and an empty `~/.config`.
struct Home {
    /// The real path, since on macOS the temporary directory is reached through a link.
    path: PathBuf,
    _temp: TempDir,
}

impl Home {
    fn empty() -> Home {
        let temp = TempDir::new().unwrap();
        let path = temp.path().canonicalize().unwrap();
        Home { path, _temp: temp }
    }

    fn with_seed() -> Home {
        let home = Home::empty();
        for line in seed("tree.tsv").lines() {
            let [kind, size, name] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("tree.tsv has a line that is not kind, size and path: {line:?}");
            };
            let file = home.path.join("dotfiles").join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, content(name, size.parse().unwrap())).unwrap();
            let mode = if kind == "exec" { 0o755 } else { 0o644 };
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::create_dir(home.config()).unwrap();
        home
    }

    fn config(&self) -> PathBuf {
        self.path.join(".config")
    }

    /// Runs a program in `~/dotfiles`, where there is one, with nothing else in its environment.
    fn run(&self, mut command: Command, arguments: &[&str]) -> Run {
        let dotfiles = self.path.join("dotfiles");
        let place = if dotfiles.is_dir() { &dotfiles } else { &self.path };
        command
            .args(arguments)
            .current_dir(place)
            .env_clear()
            .env("HOME", &self.path)
            .env("FARM_STATE_DIR", self.path.with_file_name("state"))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let output = command.output().unwrap();
        Run { command, output }
    }

    /// What tells an untouched node from one that was made anew or written to: inode, size, mode, time of change.
    fn identity(&self) -> BTreeMap<PathBuf, [i64; 5]> {
        walk(&self.path)
            .into_iter()
            .map(|(path, data)| {
                let (inode, mode) = (data.ino().cast_signed(), data.mode().into());
                let size = data.size().cast_signed();
                (path, [inode, size, mode, data.mtime(), data.mtime_nsec()])
            })
            .collect()
    }
}

/// A call and its result; displayed, it is what a failing test has to show.
struct Run {
    command: Command,
    output: Output,
}

impl Run {
    fn succeeds_in_silence(&self) {
        assert_eq!(self.output.status.code(), Some(0), "{self}");
        assert_eq!(self.output.stdout, b"", "{self}");
        assert_eq!(self.output.stderr, b"", "{self}");
    }

    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// The lines on standard error, sorted: the order of the operations is the program's own.
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.stderr().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{:?}: {}", self.command, self.output.status)?;
        write!(f, "{}", String::from_utf8_lossy(&self.output.stdout))?;
        write!(f, "{}", self.stderr())
    }
}

/// Returns `farm stow`, or the stand-in for farm that `$FARM_BIN` names: a test of this test.
fn farm() -> Command {
    let program = std::env::var_os("FARM_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_farm").into());
    let mut command = Command::new(program);
    command.arg("stow");
    command
}

/// Returns the stow to compare with: `$FARM_STOW`, else one of version 2.4 on `PATH`.
pub fn stow_at_hand() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("FARM_STOW") {
        return Some(named.into());
    }
    let version = Command::new("stow").arg("--version").output().ok()?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    // farm may stand on `PATH` under this name; it is no witness for itself.
    (version.starts_with("stow (GNU Stow) version 2.4") && !version.contains("farm")).then(|| "stow".into())
}

/// Every link below `target`; anything there that is neither link nor directory is an error.
fn links(target: &Path) -> Links {
    walk(target)
        .into_iter()
        .filter(|(_, data)| !data.is_dir())
        .map(|(path, _)| {
            let text = fs::read_link(target.join(&path)).unwrap();
            (path, text)
        })
        .collect()
}

fn recorded_links() -> Links {
    seed("stow-links.tsv")
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(path, text)| (path.into(), text.into()))
        .collect()
}

fn seed(name: &str) -> String {
    fs::read_to_string(Path::new(SEED).join(name)).unwrap()
}

/// Returns the real bytes of a file where they are known, else its path over and over, to the size of the real file.
fn content(name: &str, size: usize) -> Vec<u8> {
    let real = match name {
        ".gitignore" => "gitignore",
        ".stowrc" => "stowrc",
        "nix-darwin/flake.nix" => "flake.nix",
        "nix-darwin/home.nix" => "home.nix",
        _ => {
            return name.bytes().chain([b'\n']).cycle().take(size).collect();
        }
    };
    let bytes = seed(real).into_bytes();
    assert_eq!(bytes.len(), size, "{real} has the size that tree.tsv says");
    bytes
}

/// Every node below `root` and `root` itself, by relative path; links are not followed.
fn walk(root: &Path) -> BTreeMap<PathBuf, fs::Metadata> {
    let mut found = BTreeMap::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(path) = todo.pop() {
        let full = root.join(&path);
        let data = fs::symlink_metadata(&full).unwrap();
        if data.is_dir() {
            let entries = fs::read_dir(&full).unwrap();
            todo.extend(entries.map(|entry| path.join(entry.unwrap().file_name())));
        }
        found.insert(path, data);
    }
    found
}
