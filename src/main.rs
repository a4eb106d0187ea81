//! The `farm` program. Under the names `stow` and `chkstow` it speaks as GNU Stow's programs do.
#![forbid(unsafe_code)]

mod cli;
mod stow;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let called = args.first().map(Path::new).and_then(Path::file_name).and_then(dialect);
    let asked = args.get(1).map(OsString::as_os_str).and_then(dialect);
    match (called, asked) {
        (Some(run), _) => run(args.into_iter().skip(1).collect()).into(),
        (None, Some(run)) => run(args.into_iter().skip(2).collect()).into(),
        (None, None) => cli::run(args).into(),
    }
}

/// Returns the program of GNU Stow's that goes by `name`.
fn dialect(name: &OsStr) -> Option<fn(Vec<OsString>) -> u8> {
    match name.as_encoded_bytes() {
        b"stow" => Some(stow::run),
        b"chkstow" => Some(stow::chkstow::run),
        _ => None,
    }
}
