//! The threads among which work is shared out.

use std::num::NonZero;
use std::sync::OnceLock;
use std::thread::available_parallelism;

/// So many pieces of work at most are handed out at a time: whoever has more left at the end lets the others wait.
pub const AT_A_TIME: usize = 8;

static ARE_SEVERAL: OnceLock<bool> = OnceLock::new();

/// Returns how many work now: one, until the others are [started](start).
pub fn count() -> usize {
    // rayon would start them to count them.
    match ARE_SEVERAL.get() {
        Some(true) => rayon::current_num_threads(),
        _ => 1,
    }
}

/// Starts them, once, and tells whether there is more than one. The calling thread will be one of them: it would only wait
/// for the others otherwise.
pub fn start() -> bool {
    *ARE_SEVERAL.get_or_init(|| {
        let threads = available_parallelism().map_or(1, NonZero::get);
        // A single one would be missed by whoever else calls.
        if threads > 1 {
            let pool = rayon::ThreadPoolBuilder::new().use_current_thread().num_threads(threads);
            // It can only fail where there are threads already.
            let _ = pool.build_global();
        }
        threads > 1
    })
}
