//! Lets the program start sooner: on Linux with glibc it is linked at a fixed address and, where the system has what that
//! takes, statically. To link nine packages takes a third less time (docs/BENCHMARKS.md).
//!
//! The loader has 7,700 addresses to correct in a program that may lie anywhere, and copies the pages they are on; then
//! it looks for three libraries. Rust's `crt-static` feature would do away with that, but Cargo gives it to procedural
//! macros, too, which cannot have it. So the linker is told here what that feature would tell it. `FARM_LINK=dynamic`
//! leaves it alone, for those whose rules want programs that may lie anywhere.

use std::env::var;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What Rust's standard library is linked with, and the archive that stands for it.
const ARCHIVES: [(&str, &str); 7] = [
    ("gcc_s", "gcc_eh"),
    ("util", "util"),
    ("rt", "rt"),
    ("pthread", "pthread"),
    ("m", "m"),
    ("dl", "dl"),
    ("c", "c"),
];

/// Uses what of the libraries' is most likely to be amiss.
const PROBE: &str = r#"
fn main() {
    let power = std::thread::spawn(|| std::env::args().count() as f64).join().unwrap().powf(0.5);
    let unwound = std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(power))).is_err();
    println!("{power} {unwound} {}", std::env::current_dir().is_ok());
}
"#;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=FARM_LINK");
    let set = |name: &str| var(name).unwrap_or_default();
    let is_glibc = set("CARGO_CFG_TARGET_OS") == "linux" && set("CARGO_CFG_TARGET_ENV") == "gnu";
    let is_static = set("CARGO_CFG_TARGET_FEATURE").split(',').any(|feature| feature == "crt-static");
    if !is_glibc || is_static || set("HOST") != set("TARGET") || set("FARM_LINK") == "dynamic" {
        return;
    }
    let out = PathBuf::from(set("OUT_DIR"));
    let fixed = || vec!["-no-pie".to_owned()];
    let ways = archives(&out)
        .map(|dir| vec![format!("-L{}", dir.display()), "-static".to_owned(), "-no-pie".to_owned()]);
    let works = ways.into_iter().chain([fixed()]).find(|args| works(args, &out));
    for arg in works.into_iter().flatten() {
        println!("cargo::rustc-link-arg-bins={arg}");
    }
}

/// Returns a directory with links to archives, under the names of the shared libraries that they stand for: the linker
/// takes what it finds there first.
fn archives(out: &Path) -> Option<PathBuf> {
    let dir = out.join("archives");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir(&dir).ok()?;
    for (library, archive) in ARCHIVES {
        let asked = Command::new("cc").arg(format!("-print-file-name=lib{archive}.a")).output().ok()?;
        let found = PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim_end());
        // Of what it does not find, `cc` prints the bare name.
        if !found.is_absolute() {
            return None;
        }
        println!("cargo::rerun-if-changed={}", found.display());
        symlink(found, dir.join(format!("lib{library}.a"))).ok()?;
    }
    Some(dir)
}

/// Tells whether a small program that is linked with these arguments runs.
fn works(args: &[String], out: &Path) -> bool {
    let (source, program) = (out.join("probe.rs"), out.join("probe"));
    let Ok(()) = fs::write(&source, PROBE) else { return false };
    let mut rustc = Command::new(var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()));
    rustc.args(["--edition=2024", "-o"]).arg(&program).arg(&source);
    if let Ok(linker) = var("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={linker}"));
    }
    let flags = var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    rustc.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    rustc.args(args.iter().map(|arg| format!("-Clink-arg={arg}")));
    let is_built = rustc.output().is_ok_and(|output| output.status.success());
    is_built && Command::new(&program).output().is_ok_and(|said| said.stdout == b"1 true true\n")
}
