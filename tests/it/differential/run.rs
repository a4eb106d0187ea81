//! Builds scenarios in temporary directories and runs programs in them.

use super::scenario::{Call, Edit, Node, Outcome, Status, Tree, changes};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a call may take; the slowest honest one takes a tenth of a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that speaks stow's language.
#[derive(Clone, Debug)]
pub struct Program {
    pub exe: PathBuf,
    pub first_args: Vec<String>,
}

impl Program {
    /// The program at `exe`: called `stow` it is one, called anything else it has a subcommand `stow`.
    pub fn at(exe: impl Into<PathBuf>) -> Self {
        let exe = exe.into();
        let first_args = match exe.file_name() {
            Some(name) if name == "stow" => Vec::new(),
            _ => vec!["stow".to_owned()],
        };
        Self { exe, first_args }
    }

    /// Whether it is taken for GNU Stow itself, which prints operations that it then takes back.
    pub fn is_stow(&self) -> bool {
        self.first_args.is_empty()
    }

    /// The program under test: `$FARM_BIN`, else farm.
    pub fn under_test() -> Self {
        match std::env::var_os("FARM_BIN") {
            Some(exe) => Self::at(exe),
            None => Self::at(env!("CARGO_BIN_EXE_farm")),
        }
    }

    /// A real GNU Stow 2.4: `$FARM_STOW`, else the first `stow` on `$PATH`.
    pub fn stow() -> Option<Self> {
        let exe = match std::env::var_os("FARM_STOW") {
            Some(exe) => PathBuf::from(exe),
            None => std::env::split_paths(&std::env::var_os("PATH")?)
                .map(|dir| dir.join("stow"))
                .find(|exe| exe.is_file())?,
        };
        let version = Command::new(&exe).arg("--version").output().ok()?;
        String::from_utf8_lossy(&version.stdout).contains("(GNU Stow) version 2.4").then(|| Self::at(exe))
    }
}

/// A directory of its own for one scenario; removed when dropped.
pub struct Sandbox {
    base: PathBuf,
    root: PathBuf,
    /// The root as text, for `{R}`.
    name: String,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // What is left behind lies in a temporary directory: not worth failing for.
        let _ = fs::remove_dir_all(&self.base);
    }
}

impl Sandbox {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let shm = Path::new("/dev/shm");
        let temp = if shm.is_dir() { shm.to_owned() } else { std::env::temp_dir() };
        let temp = temp.canonicalize().expect("the temporary directory exists");
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let base = temp.join(format!("farm-diff-{}-{count}", std::process::id()));
        // Some levels down, so that a link with too many `..` still ends in a place of ours.
        let root = base.join("1/2/r");
        fs::create_dir_all(&root).expect("a temporary directory can be made");
        let name = root.to_str().expect("the temporary directory's name is text").to_owned();
        Self { base, root, name }
    }

    /// A sandbox that holds `tree`.
    pub fn of(tree: &Tree) -> Self {
        let sandbox = Self::new();
        for (path, node) in tree {
            sandbox.edit(&Edit::set(path, node.clone()));
        }
        sandbox
    }

    fn real(&self, text: &str) -> String {
        text.replace("{R}", &self.name)
    }

    fn general(&self, text: &str) -> String {
        text.replace(&self.name, "{R}")
    }

    /// Makes an edit. One that cannot be made, say below a file, is left out: it is left out on both sides.
    pub fn edit(&self, edit: &Edit) {
        let _ = self.try_edit(edit);
    }

    fn try_edit(&self, edit: &Edit) -> io::Result<()> {
        let path = self.root.join(&edit.path);
        let there = fs::symlink_metadata(&path).ok();
        if matches!(edit.node, Some(Node::Dir)) && there.as_ref().is_some_and(|it| it.is_dir()) {
            return Ok(());
        }
        match there {
            Some(it) if it.is_dir() => fs::remove_dir_all(&path)?,
            Some(_) => fs::remove_file(&path)?,
            None => {}
        }
        let Some(node) = &edit.node else {
            return Ok(());
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match node {
            Node::Dir => fs::create_dir(&path),
            Node::Link(text) => symlink(self.real(text), &path),
            Node::File { text, exec } => {
                fs::write(&path, self.real(text))?;
                fs::set_permissions(&path, Permissions::from_mode(if *exec { 0o755 } else { 0o644 }))
            }
        }
    }

    /// Reads everything below the root.
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        self.read_dir(&self.root, "", &mut tree);
        tree
    }

    fn read_dir(&self, dir: &Path, prefix: &str, tree: &mut Tree) {
        let entries = fs::read_dir(dir).unwrap_or_else(|e| panic!("cannot read {}: {e}", dir.display()));
        for entry in entries {
            let entry = entry.expect("an entry of a readable directory");
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().expect("the kind of an entry");
            let node = if kind.is_dir() {
                self.read_dir(&entry.path(), &format!("{path}/"), tree);
                Node::Dir
            } else if kind.is_symlink() {
                let text = fs::read_link(entry.path()).expect("the text of a link");
                Node::Link(self.general(&text.to_string_lossy()))
            } else {
                let bytes = fs::read(entry.path()).expect("a readable file");
                let mode = entry.metadata().expect("the mode of a file").permissions().mode();
                Node::File { text: self.general(&String::from_utf8_lossy(&bytes)), exec: mode & 0o100 != 0 }
            };
            tree.insert(path, node);
        }
    }

    /// Runs a call whose start is `before`; returns what it did and the tree it left.
    ///
    /// Where the call's directory is gone, nothing runs.
    pub fn run(&self, program: &Program, call: &Call, before: &Tree) -> (Outcome, Tree) {
        let cwd = self.root.join(&call.cwd);
        if !cwd.is_dir() {
            let nothing =
                Outcome { status: Status::Code(0), out: Vec::new(), err: Vec::new(), changes: Vec::new() };
            return (nothing, before.clone());
        }
        let (out, err) = (self.base.join("out"), self.base.join("err"));
        let file = |path: &Path| File::create(path).expect("a file for the output");
        let mut command = Command::new(&program.exe);
        command
            .args(&program.first_args)
            .args(call.args.iter().map(|arg| self.real(arg)))
            .current_dir(&cwd)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.root)
            // What --adopt replaces is kept there: not in the home that is compared.
            .env("FARM_STATE_DIR", self.base.join("state"))
            .env("LC_ALL", "C")
            .envs(call.env.iter().map(|(name, value)| (name, self.real(value))))
            .stdin(Stdio::null())
            .stdout(file(&out))
            .stderr(file(&err));
        let status = finish(&mut command);
        let lines = |path: &Path| -> Vec<String> {
            let bytes = fs::read(path).expect("the output");
            let text = self.general(&String::from_utf8_lossy(&bytes));
            text.lines().map(str::to_owned).collect()
        };
        let after = self.tree();
        let outcome =
            Outcome { status, out: lines(&out), err: lines(&err), changes: changes(before, &after) };
        (outcome, after)
    }
}

/// Waits for a program, but not for ever.
fn finish(command: &mut Command) -> Status {
    let mut child =
        command.spawn().unwrap_or_else(|e| panic!("cannot run {}: {e}", command.get_program().display()));
    let start = Instant::now();
    let mut nap = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait().expect("the state of a child") {
            return Status::of(status.code());
        }
        if start.elapsed() > PATIENCE {
            // It may have ended just now, which is as good.
            let _ = child.kill();
            let _ = child.wait();
            return Status::Hangs;
        }
        std::thread::sleep(nap);
        nap = (nap * 2).min(Duration::from_millis(2));
    }
}
