//! What the program takes from its surroundings: the state directory, and signals.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use farm::manifest::Machine;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Returns the state directory: `$FARM_STATE_DIR`, else `$XDG_STATE_HOME/farm`, else `~/.local/state/farm`. Relative
/// values do not count, nor does a home that is not there: nobody makes one for it.
pub fn state_dir() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("FARM_STATE_DIR")
        .or_else(|| set("XDG_STATE_HOME").map(|state| state.join("farm")))
        .or_else(|| set("HOME").filter(|home| is_dir(home)).map(|home| home.join(".local/state/farm")))
}

/// Tells whether there is a directory. Where the disk does not say, there is: who uses it finds out why.
pub fn is_dir(path: &Path) -> bool {
    path.metadata().map_or_else(|error| !farm::is_out_of_reach(&error), |found| found.is_dir())
}

/// Returns the machine that this is, for a manifest to ask about.
pub fn machine() -> Machine {
    use std::os::unix::ffi::OsStringExt;
    let env = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_vec())));
    let home = env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    Machine {
        os: env::consts::OS.to_owned(),
        host: farm::host_name(),
        home: home.map(|home| home.into_os_string().into_vec()),
        env: env.collect(),
        there: Default::default(),
    }
}

/// Returns the command as it was typed, without the program's path: generations tell it.
pub fn command() -> Vec<String> {
    let mut words = env::args_os().map(|word| word.to_string_lossy().into_owned());
    let program = words.next().unwrap_or_default();
    let called = program.rsplit('/').next().unwrap_or_default();
    let own = ["stow", "chkstow"].contains(&called).then(|| called.to_owned());
    own.into_iter().chain(words).collect()
}

/// Lets SIGINT, SIGTERM and SIGHUP ask to stop instead of killing, from now on; the answer tells whether one has.
///
/// While a run waits for another it may be killed: nothing has been begun.
pub fn stop_on_signals() -> impl Fn() -> bool {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // Where a signal cannot be caught the journal takes care.
        let _ = signal_hook::flag::register(signal, stop.clone());
    }
    // A journal that grows too long is an error like any other, not the end.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)));
    move || stop.load(Ordering::Relaxed)
}
