//! Runs to be disturbed: homes, what is asked there, and what strace sees of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use assert_fs::TempDir;

use crate::sandbox::{Call, Sandbox, contents};

/// System calls that change a file system, on any machine, and opening, which may make a file.
pub const CHANGES: &str = "?symlink,symlinkat,?mkdir,mkdirat,?rename,?renameat,renameat2,?unlink,?rmdir,unlinkat,?link,\
                           linkat,write,?pwrite64,?writev,fsync,fdatasync,?chmod,fchmod,fchmodat,utimensat,?utimes,\
                           ftruncate,?truncate,?copy_file_range,?sendfile,?sendfile64,fsetxattr,openat";

/// System calls that only look, on any machine, beside opening.
pub const READS: &str = "?open,?openat2,?access,faccessat,?faccessat2,?stat,?lstat,fstat,?newfstatat,?fstatat64,statx,\
                         ?readlink,readlinkat,getdents64,read,?pread64,?readv,flistxattr,fgetxattr,flock,getcwd,lseek";

/// A command on a home that is made anew for each trial.
pub struct Run {
    pub name: &'static str,
    /// `None`, with a note, where the machine does not have what it takes.
    pub start: fn() -> Option<World>,
    pub args: &'static [&'static str],
    /// The exit status when the command is refused or taken back.
    pub refused: i32,
}

impl Run {
    const fn new(
        name: &'static str,
        start: fn() -> Option<World>,
        args: &'static [&'static str],
        refused: i32,
    ) -> Run {
        Run { name, start, args, refused }
    }
}

pub const NINE_PACKAGES: Run = Run::new(
    "fresh link of nine packages",
    || Some(examples().into()),
    &["link", "aerospace", "ghostty", "nushell", "nvim", "skhd", "starship", "tmux", "wezterm", "zsh"],
    1,
);
pub const UNFOLD: Run = Run::new("link that unfolds", || Some(folded().into()), &["link", "q"], 1);
pub const REFOLD: Run = Run::new("unlink that refolds", || Some(unfolded().into()), &["unlink", "q"], 1);
pub const ADOPT: Run = Run::new(
    "adopt of three files",
    || {
        let home = Sandbox::with(&["dotfiles/p/there", "d/mine"]);
        three_files(&home);
        Some(home.into())
    },
    &["adopt", "p", "../a", "../b", "../d/c"],
    1,
);
pub const BACKUP: Run =
    Run::new("link with backups", || Some(crowded().into()), &["link", "--backup", "p"], 1);
pub const RELINK: Run = Run::new("relink with a stale link", || Some(stale().into()), &["relink", "p"], 1);
pub const ROLLBACK: Run = Run::new(
    "rollback over three generations",
    || {
        let home = crowded();
        for file in ["dotfiles/q/.c/d/x", "dotfiles/r/.c/y", "dotfiles/r/adopted", "adopted"] {
            home.file(file);
        }
        home.farm(&["link", "-q", "q"]).run().prints("");
        home.farm(&["link", "-q", "--backup", "p"]).run().prints("");
        home.farm(&["link", "-q", "--adopt", "r"]).run().prints("");
        Some(home.into())
    },
    &["rollback", "0"],
    1,
);

/// The runs on which every error is tried at every call.
pub const MAIN: [Run; 7] = [NINE_PACKAGES, UNFOLD, REFOLD, ADOPT, BACKUP, RELINK, ROLLBACK];

/// More runs, each with something that those do not have.
pub const MORE: [Run; 19] = [
    Run::new(
        "link of two packages into nothing",
        || {
            let files = ["dotfiles/p/.c/d/x", "dotfiles/q/.c/d/y", "dotfiles/q/.c/z", "dotfiles/q/end"];
            Some(Sandbox::with(&files).into())
        },
        &["link", "p", "q"],
        1,
    ),
    Run::new(
        "adopt over what the package has",
        || {
            let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b", "dotfiles/p/d/c"]);
            three_files(&home);
            Some(home.into())
        },
        &["link", "--adopt", "p"],
        1,
    ),
    Run::new(
        "eject",
        || {
            let home = Sandbox::with(&["dotfiles/p/.c/d/x", "dotfiles/p/.c/y", "dotfiles/p/z"]);
            home.farm(&["link", "-q", "p"]).run().prints("");
            Some(home.into())
        },
        &["eject", "p", "../.c/d", "../z"],
        1,
    ),
    Run::new(
        "adopt of a directory that becomes the package",
        || {
            let home = Sandbox::with(&[".config/nvim/init.lua", ".config/nvim/lua/x.lua"]);
            home.write("dotfiles/farm.toml", "[package.nvim]\nas = '~/.config/nvim'\n");
            Some(home.into())
        },
        &["adopt", "nvim", "../.config/nvim"],
        1,
    ),
    Run::new("link that replaces", || Some(crowded().into()), &["link", "--replace", "p"], 1),
    Run::new("link that replaces, memory elsewhere", || far(crowded()), &["link", "--replace", "p"], 1),
    Run::new(
        "undo",
        || {
            let home = crowded();
            home.farm(&["link", "-q", "--replace", "p"]).run().prints("");
            Some(home.into())
        },
        &["undo"],
        1,
    ),
    Run::new(
        "undo, memory elsewhere",
        || {
            let world = far(crowded())?;
            world.farm(&["link", "-q", "--replace", "p"]).run().prints("");
            Some(world)
        },
        &["undo"],
        1,
    ),
    Run::new(
        "link that takes over",
        || {
            let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/d/x", "dotfiles/q/a", "dotfiles/q/d/y"]);
            home.farm(&["link", "-q", "p"]).run().prints("");
            Some(home.into())
        },
        &["link", "--override", "a", "q"],
        1,
    ),
    Run::new(
        "unlink that restores backups",
        || {
            let home = crowded();
            home.farm(&["link", "-q", "--backup", "p"]).run().prints("");
            Some(home.into())
        },
        &["unlink", "--restore", "p"],
        1,
    ),
    Run::new("backup below a directory", || Some(shared().into()), &["link", "--backup", "p", "q"], 1),
    Run::new("replacing by a directory", || Some(shared().into()), &["link", "--replace", "p", "q"], 1),
    Run::new("the same, memory elsewhere", || far(shared()), &["link", "--replace", "p", "q"], 1),
    Run::new(
        "a file that equals the package's",
        || {
            let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b"]);
            home.write("b", "dotfiles/p/b");
            Some(home.into())
        },
        &["link", "p"],
        1,
    ),
    Run::new(
        "switch with copies",
        || {
            let home = Sandbox::with(&["dotfiles/p/x"]);
            let manifest = |text: &str| {
                let copy = |path: &str| format!("[file.'{path}']\ntext = '{text}'\nmethod = 'copy'\n");
                format!("[package.p]\n{}{}", copy("~/changed"), copy(&format!("~/d/{text}")))
            };
            home.write("dotfiles/farm.toml", manifest("old"));
            home.farm(&["switch", "-q"]).run().prints("");
            home.write(
                "dotfiles/farm.toml",
                manifest("new") + "[file.'~/mine']\ntext = 'x'\nmethod = 'copy'\n",
            );
            home.write("mine", "the user's file");
            Some(home.into())
        },
        &["switch", "--backup"],
        1,
    ),
    Run::new("stow", || Some(folded().into()), &["stow", "q"], 2),
    Run::new("stow -D", || Some(unfolded().into()), &["stow", "-D", "q"], 2),
    Run::new("stow -R", || Some(stale().into()), &["stow", "-R", "p"], 2),
    Run::new(
        "stow --adopt",
        || {
            let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/b"]);
            home.write("a", "mine");
            home.write("b", "dotfiles/p/b");
            Some(home.into())
        },
        &["stow", "--adopt", "p"],
        2,
    ),
];

/// A home with the example packages, and things of the user's own.
pub fn examples() -> Sandbox {
    let home = Sandbox::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dotfiles"), &home.path("dotfiles"));
    home.file(".bashrc");
    home
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn three_files(home: &Sandbox) {
    for (path, content) in [("a", "mine"), ("b", "mine, too"), ("d/c", "mine in a directory")] {
        home.write(path, content);
    }
    home.mode("b", 0o600);
}

/// A package in whose way there are a file, a directory and a foreign link.
pub fn crowded() -> Sandbox {
    let home = Sandbox::with(&["dotfiles/p/dir", "dotfiles/p/file", "dotfiles/p/folder/x", "dotfiles/p/new"]);
    home.write("file", "the user's file");
    home.write("dir/mine", "the user's file in a directory");
    home.write("dir/deep/mine", "the user's deep file");
    home.mode("dir/deep/mine", 0o600);
    home.link("folder", "the-user's/link");
    home
}

/// A home whose memory lies on another file system; `None`, with a note, where there is none at hand.
pub fn far(home: Sandbox) -> Option<World> {
    let far = TempDir::new_in("/dev/shm")
        .ok()
        .filter(|far| fs::metadata(far.path()).unwrap().dev() != fs::metadata(home.path("")).unwrap().dev());
    if far.is_none() {
        eprintln!("passed over: /dev/shm is no other file system");
    }
    Some(World { home, far: Some(far?) })
}

/// Two packages that share a directory of a directory; the first one is linked.
pub fn folded() -> Sandbox {
    let home = Sandbox::with(&[
        "dotfiles/p/.c/d/x",
        "dotfiles/p/top",
        "dotfiles/q/.c/d/y",
        "dotfiles/q/.c/z",
        "dotfiles/q/end",
    ]);
    home.farm(&["link", "-q", "p"]).run().prints("");
    home
}

/// Both packages linked.
pub fn unfolded() -> Sandbox {
    let home = folded();
    home.farm(&["link", "-q", "q"]).run().prints("");
    home
}

/// A package that has changed since it was linked, and a link that is spelled as neither farm nor stow would.
fn stale() -> Sandbox {
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/p/d/old", "dotfiles/p/e/x", "d/mine", "e/mine"]);
    home.farm(&["link", "-q", "p"]).run().prints("");
    home.remove("dotfiles/p/d/old");
    home.file("dotfiles/p/d/new");
    home.remove("e/x");
    home.link("e/x", ".././dotfiles/p/e/x");
    home
}

/// Two packages that share a directory, where a file of the user's is in its way.
fn shared() -> Sandbox {
    let home =
        Sandbox::with(&["dotfiles/p/d/e/x", "dotfiles/p/d/f/x", "dotfiles/q/d/e/y", "dotfiles/q/d/f/y"]);
    home.write("d", "the user's file");
    home
}

/// A home, and where farm's memory of it lies.
pub struct World {
    pub home: Sandbox,
    /// Another file system.
    far: Option<TempDir>,
}

impl From<Sandbox> for World {
    fn from(home: Sandbox) -> World {
        World { home, far: None }
    }
}

impl World {
    pub fn state(&self) -> PathBuf {
        self.far.as_ref().map_or_else(|| self.home.state(), |far| far.path().join("state"))
    }

    pub fn farm(&self, args: &[&str]) -> Call<'_> {
        self.home.farm(args).env("FARM_STATE_DIR", self.state())
    }

    /// Returns a call of farm under strace, which also does `inject`.
    pub fn traced(&self, strace: &Path, calls: &str, inject: Option<&str>, args: &[&str]) -> Call<'_> {
        let trace = self.home.text("../trace");
        self.home
            .call(strace)
            .env("FARM_STATE_DIR", self.state())
            .args(["-f", "-qq", "-o", &trace, "-e", &format!("trace={calls}")])
            .args(inject.iter().flat_map(|inject| ["-e", inject]))
            .args([env!("CARGO_BIN_EXE_farm")])
            .args(args)
    }

    pub fn trace(&self) -> String {
        fs::read_to_string(self.home.path("../trace")).unwrap()
    }

    pub fn contents(&self) -> BTreeSet<Vec<u8>> {
        contents(&[&self.home.path(""), &self.state()])
    }

    #[track_caller]
    pub fn has_lost_nothing_of(&self, before: &BTreeSet<Vec<u8>>, what: &str) {
        let now = self.contents();
        let lost: Vec<_> = before.difference(&now).map(|bytes| String::from_utf8_lossy(bytes)).collect();
        assert!(lost.is_empty(), "{what}: lost {lost:?}");
    }

    /// Everything in the home that two homes can have in common.
    pub fn entries(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let all = self.home.identity().into_iter();
        all.map(|(path, entry)| (path, (entry.mode, entry.content))).collect()
    }

    /// The directory that holds farm's memory of the home.
    pub fn memory(&self) -> PathBuf {
        let targets = self.state().join("targets");
        let mut all = fs::read_dir(targets).into_iter().flatten().map(|entry| entry.unwrap().path());
        let first = all.next().unwrap_or_default();
        assert_eq!(all.next(), None, "one target, one memory");
        first
    }

    /// Tells whether an interrupted run waits for the next one.
    pub fn is_interrupted(&self) -> bool {
        ["journal", "committed"].iter().any(|name| self.memory().join(name).exists())
    }
}

/// A system call of a run: its name, and how many of that name there were with it.
pub struct At {
    pub call: String,
    pub nth: usize,
    pub line: String,
}

/// Returns the system calls of a trace that `is_meant` says yes to.
pub fn calls(trace: &str, is_meant: impl Fn(&str, &str) -> bool) -> Vec<At> {
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut all = Vec::new();
    for line in trace.lines() {
        let line = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        let Some((call, _)) = line.split_once('(') else { continue };
        if !call.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let nth = counts.entry(call).or_default();
        *nth += 1;
        if is_meant(call, line) {
            all.push(At { call: call.to_owned(), nth: *nth, line: line.to_owned() });
        }
    }
    all
}
