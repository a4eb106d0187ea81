//! A home of its own for each test, and a program that cannot hang: everything a run says is compared with the home's
//! path written as `~`, and a failing test shows the command, both streams and the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use assert_fs::TempDir;

/// A program that runs longer than this hangs: the slowest test takes seconds.
const PATIENCE: Duration = Duration::from_secs(100);

/// A temporary home, `~`, which is the target too; packages lie in `~/dotfiles`, where programs start.
pub struct Sandbox {
    temp: TempDir,
    home: PathBuf,
}

/// Everything there is to an entry but its times; two equal ones are the same entry, untouched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    pub inode: u64,
    pub mode: u32,
    pub content: Vec<u8>,
}

impl Sandbox {
    pub fn new() -> Sandbox {
        let temp = TempDir::new().unwrap();
        // On macOS the temporary directory is reached through a link.
        let home = temp.path().canonicalize().unwrap().join("home");
        fs::create_dir_all(home.join("dotfiles")).unwrap();
        Sandbox { temp, home }
    }

    /// Returns a home with these files, each holding its own path.
    pub fn with(files: &[&str]) -> Sandbox {
        let sandbox = Sandbox::new();
        files.iter().for_each(|file| sandbox.file(file));
        sandbox
    }

    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.home.join(path)
    }

    pub fn text(&self, path: &str) -> String {
        self.path(path).to_str().unwrap().to_owned()
    }

    /// Makes a file that holds its own path.
    pub fn file(&self, path: &str) {
        self.write(path, path);
    }

    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn dir(&self, path: impl AsRef<Path>) {
        fs::create_dir_all(self.path(path)).unwrap();
    }

    pub fn link(&self, path: impl AsRef<Path>, text: impl AsRef<Path>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(text, path).unwrap();
    }

    pub fn fifo(&self, path: impl AsRef<Path>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    pub fn mode(&self, path: impl AsRef<Path>, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn remove(&self, path: impl AsRef<Path>) {
        let path = self.path(path);
        match fs::symlink_metadata(&path).unwrap().is_dir() {
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
    }

    /// Returns a call of `farm` from the dotfiles directory, with nothing in its environment that a test does not say.
    pub fn farm(&self, args: &[&str]) -> Call<'_> {
        self.call(env!("CARGO_BIN_EXE_farm")).args(args)
    }

    /// Returns a call of `farm stow`.
    pub fn stow(&self, args: &[&str]) -> Call<'_> {
        self.farm(&["stow"]).args(args)
    }

    /// Returns a call of any program.
    pub fn call(&self, program: impl AsRef<OsStr>) -> Call<'_> {
        let mut command = Command::new(program);
        command
            .current_dir(self.path("dotfiles"))
            .env_clear()
            .env("HOME", &self.home)
            .env("FARM_STATE_DIR", self.temp.path().join("state"))
            .env("LC_ALL", "C")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Call { sandbox: self, command }
    }

    /// Returns everything in the home but the dotfiles directory, an entry a line.
    pub fn tree(&self) -> String {
        self.tree_of("", Some("dotfiles"))
    }

    /// Returns everything below `dir`, an entry a line: `path/`, `path -> text`, `path`.
    pub fn tree_below(&self, dir: &str) -> String {
        self.tree_of(dir, None)
    }

    fn tree_of(&self, dir: &str, but: Option<&str>) -> String {
        let top = self.path(dir);
        let mut lines = Vec::new();
        walk(&top, &mut |path, metadata| {
            let below = path.strip_prefix(&top).unwrap();
            if but.is_some_and(|but| below.starts_with(but)) {
                return;
            }
            let name = below.display();
            lines.push(if metadata.is_symlink() {
                // What is shown of a failed race may change meanwhile.
                let text = fs::read_link(path).unwrap_or_default();
                format!("{name} -> {}\n", self.tilde(text.as_os_str().as_bytes()))
            } else if metadata.is_dir() {
                format!("{name}/\n")
            } else {
                format!("{name}\n")
            });
        });
        lines.sort();
        lines.concat()
    }

    /// Returns the identity of everything in the home, dotfiles and all.
    pub fn identity(&self) -> BTreeMap<PathBuf, Identity> {
        let mut all = BTreeMap::new();
        walk(&self.home, &mut |path, metadata| {
            let content = if metadata.is_symlink() {
                fs::read_link(path).unwrap().into_os_string().into_encoded_bytes()
            } else if metadata.is_file() {
                fs::read(path).unwrap()
            } else {
                Vec::new()
            };
            let identity = Identity { inode: metadata.ino(), mode: metadata.mode(), content };
            all.insert(path.strip_prefix(&self.home).unwrap().to_owned(), identity);
        });
        all
    }

    /// Returns the time at which each entry last changed: a run that changes nothing leaves them all.
    pub fn times(&self) -> BTreeMap<PathBuf, (i64, i64)> {
        let mut all = BTreeMap::new();
        walk(&self.home, &mut |path, metadata| {
            all.insert(path.to_owned(), (metadata.ctime(), metadata.ctime_nsec()));
        });
        all
    }

    /// Returns where farm's memory lies, unless a call names another place.
    pub fn state(&self) -> PathBuf {
        self.temp.path().join("state")
    }

    fn tilde(&self, bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).replace(self.home.to_str().unwrap(), "~")
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Very deep trees are more than the standard library's removal can take.
        if fs::remove_dir_all(&self.temp).is_err() {
            let _ = Command::new("rm").arg("-rf").arg(self.temp.path()).status();
        }
    }
}

/// Returns the bytes of all files and, with an arrow, the texts of all links below some directories, but for the links
/// into packages: those are farm's to make and remove.
pub fn contents(dirs: &[&Path]) -> BTreeSet<Vec<u8>> {
    let mut all = BTreeSet::new();
    for dir in dirs {
        walk(dir, &mut |path, metadata| {
            // What is moved while this looks is found by whoever looks when nothing moves.
            all.extend(match metadata {
                it if it.is_symlink() => fs::read_link(path).ok().and_then(|text| {
                    let is_farms = text.iter().any(|part| part == "dotfiles");
                    (!is_farms).then(|| [b"-> ", text.as_os_str().as_bytes()].concat())
                }),
                it if it.is_file() => fs::read(path).ok(),
                _ => None,
            });
        });
    }
    all
}

/// Returns the paths below some directories that have a name of farm's own in them.
pub fn left_over(dirs: &[&Path]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for dir in dirs {
        walk(dir, &mut |path, _| {
            if path.file_name().is_some_and(|name| name.as_bytes().starts_with(b".farm-")) {
                all.push(path.to_owned());
            }
        });
    }
    all
}

/// Does `work` for 0, 1, … `count` on all processors.
pub fn on_all_processors(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    work(number);
                }
            });
        }
    });
}

/// Calls `f` with all that is below `dir`, links not followed; what no path can name is left out.
fn walk(dir: &Path, f: &mut impl FnMut(&Path, &fs::Metadata)) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        f(&path, &metadata);
        if metadata.is_dir() && path.components().count() < 100 {
            walk(&path, f);
        }
    }
}

/// Tells whether a path is something that would block a reader.
pub fn is_fifo(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

/// A program about to run.
#[must_use]
pub struct Call<'s> {
    sandbox: &'s Sandbox,
    command: Command,
}

impl<'s> Call<'s> {
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Call<'s> {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Call<'s> {
        self.command.env(name, value);
        self
    }

    pub fn env_remove(mut self, name: &str) -> Call<'s> {
        self.command.env_remove(name);
        self
    }

    /// Starts the program in this directory of the home.
    pub fn from(mut self, dir: impl AsRef<Path>) -> Call<'s> {
        self.command.current_dir(self.sandbox.path(dir));
        self
    }

    /// Starts the program as a user who is not root and owns nothing else; only root may do that.
    pub fn by_nobody(mut self) -> Call<'s> {
        self.command.uid(65534).gid(65534);
        self
    }

    /// Tells whether the program can be started at all.
    pub fn can_start(mut self) -> bool {
        self.command.stdout(Stdio::null()).status().is_ok()
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// When it hangs, panics or is killed.
    pub fn run(self) -> Ran<'s> {
        let ran = self.run_or_die();
        assert_eq!(ran.signal(), None, "it was killed\n{ran}");
        ran
    }

    /// Starts the program, for who talks with it.
    pub fn spawn(&mut self, stdin: Stdio) -> Child {
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.shown()))
    }

    /// As [`run`](Self::run), for a program that may be killed.
    pub fn run_or_die(mut self) -> Ran<'s> {
        let mut child = self.spawn(Stdio::null());
        let shown = self.shown();
        let stdout = reader(child.stdout.take().unwrap());
        let stderr = reader(child.stderr.take().unwrap());
        let status = wait(&mut child);
        let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
        let tilde = |bytes: &[u8]| self.sandbox.tilde(bytes);
        let ran =
            Ran { sandbox: self.sandbox, shown, status, stdout: tilde(&stdout), stderr: tilde(&stderr) };
        assert!(ran.status.is_some(), "it hangs\n{ran}");
        assert!(!ran.stderr.contains("panicked"), "it panicked\n{ran}");
        ran
    }

    fn shown(&self) -> String {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let words: Vec<OsString> = words.map(OsStr::to_owned).collect();
        words.iter().map(|word| self.sandbox.tilde(word.as_bytes())).collect::<Vec<_>>().join(" ")
    }
}

fn reader(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        text
    })
}

/// Waits for a program; one that hangs is ended, and `None` returned.
fn wait(child: &mut Child) -> Option<ExitStatus> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// A program that ran.
pub struct Ran<'s> {
    sandbox: &'s Sandbox,
    shown: String,
    status: Option<ExitStatus>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran<'_> {
    pub fn code(&self) -> i32 {
        self.status.and_then(|status| status.code()).unwrap()
    }

    /// The signal that ended the program, if one did.
    pub fn signal(&self) -> Option<i32> {
        self.status.and_then(|status| status.signal())
    }

    /// Asserts everything that the program said and its exit status.
    #[track_caller]
    pub fn says(self, code: i32, stdout: &str, stderr: &str) -> Self {
        assert_eq!((self.code(), &*self.stdout, &*self.stderr), (code, stdout, stderr), "\n{self}");
        self
    }

    /// Asserts success, this standard output, and nothing else.
    #[track_caller]
    pub fn prints(self, stdout: &str) -> Self {
        self.says(0, stdout, "")
    }

    /// Asserts a failure with this standard error, and nothing else.
    #[track_caller]
    pub fn fails(self, code: i32, stderr: &str) -> Self {
        self.says(code, "", stderr)
    }

    /// Asserts the exit status, and that standard error has these words.
    #[track_caller]
    pub fn fails_with(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code(), code, "\n{self}");
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in\n{self}");
        }
        self
    }

    /// Returns what was printed as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl fmt::Display for Ran<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}", self.shown)?;
        writeln!(f, "status: {:?}", self.status)?;
        writeln!(f, "--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)?;
        let tree = self.sandbox.tree_below("");
        let cut: Vec<&str> = tree.lines().take(60).collect();
        writeln!(f, "--- ~\n{}", cut.join("\n"))
    }
}

/// Returns the path of strace, or says that a test is passed over.
pub fn strace() -> Option<PathBuf> {
    let found = std::env::var_os("PATH").and_then(|dirs| {
        std::env::split_paths(&dirs).map(|dir| dir.join("strace")).find(|path| path.is_file())
    });
    // A container may have the program and not the right to use it.
    let works = |path: &PathBuf| {
        Command::new(path).args(["-o", "/dev/null", "true"]).output().is_ok_and(|run| run.status.success())
    };
    let found = found.filter(works);
    if found.is_none() {
        eprintln!("passed over: there is no strace that works");
    }
    found
}
