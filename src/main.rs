//! The `farm` program. Under the names `stow` and `chkstow` it speaks as GNU Stow's programs do.

#[allow(dead_code, reason = "the engine that uses the rest of it is not connected yet")]
mod stow;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let called = args.next().unwrap_or_default();
    let mut args: Vec<OsString> = args.collect();
    let named = Path::new(&called).file_name().and_then(dialect);
    let status = match named {
        Some(run) => run(args),
        None => match args.first().map(OsString::as_os_str).and_then(dialect) {
            Some(run) => run(args.split_off(1)),
            None => 2,
        },
    };
    ExitCode::from(status)
}

/// Returns the program of GNU Stow's that goes by `name`.
fn dialect(name: &OsStr) -> Option<fn(Vec<OsString>) -> u8> {
    match name.as_encoded_bytes() {
        b"stow" => Some(stow::run),
        b"chkstow" => Some(stow::chkstow::run),
        _ => None,
    }
}
