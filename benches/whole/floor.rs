//! The floor: the least work that ends where farm ends, a program of its own with one and with two threads.
//!
//! For each directory of a package one open and its listing, for each directory of the target one open, then one
//! call a link. It knows no rules, looks at nothing before it acts, and takes nothing back.

mod act;
mod listing;
mod share;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::exit;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, openat};

pub use act::Act;
use act::Hand;

/// Runs the floor: `ACT THREADS STOW-DIR TARGET PACKAGE…`, where TARGET lies beside STOW-DIR.
pub fn main(mut arguments: impl Iterator<Item = String>) {
    const USAGE: &str = "floor ACT THREADS STOW-DIR TARGET PACKAGE...";
    let mut next = || arguments.next().unwrap_or_else(|| fail("usage", USAGE));
    let act = Act::named(&next()).unwrap_or_else(|| fail("usage", USAGE));
    let threads = next().parse().unwrap_or_else(|_| fail("usage", USAGE));
    let (stow_dir, target) = (next(), next());
    let name = Path::new(&stow_dir).file_name().unwrap_or_else(|| fail("usage", USAGE));
    let ground = Ground {
        stow: open(CWD, stow_dir.as_bytes()),
        target: open(CWD, target.as_bytes()),
        way: [b"../", name.as_encoded_bytes(), b"/"].concat(),
    };
    let all = Job { at: Vec::new(), packages: arguments.map(|name| format!("{name}/").into()).collect() };
    for &act in act.passes() {
        let hands = share::run(threads, act.worth_sharing(), all.clone(), |job, hand: &mut Hand| {
            hand.work(act, &ground, job)
        });
        for hand in hands {
            io::stdout().write_all(&hand.told).unwrap_or_else(|error| fail("cannot write", error));
        }
    }
}

/// Where it happens.
struct Ground {
    stow: OwnedFd,
    target: OwnedFd,
    /// The way from the target to the stow directory, with a `/` at the end.
    way: Vec<u8>,
}

/// Directories of packages that meet in one directory of the target. All paths end in `/` or are empty.
#[derive(Clone)]
struct Job {
    at: Vec<u8>,
    packages: Vec<Vec<u8>>,
}

impl share::Weight for Job {
    fn weight(&self) -> usize {
        self.packages.len()
    }
}

fn open(dir: impl AsFd, path: &[u8]) -> OwnedFd {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let path = if path.is_empty() { b"." } else { path };
    openat(dir, path, flags, Mode::empty())
        .unwrap_or_else(|error| fail(&path.escape_ascii().to_string(), error))
}

/// Gives up. The floor takes nothing back, and whoever runs it looks at what it left.
fn fail(what: &str, why: impl Display) -> ! {
    eprintln!("floor: {what}: {why}");
    exit(1)
}
