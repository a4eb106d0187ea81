//! The threads among which work is shared out.

use std::num::NonZero;
use std::sync::Once;
use std::thread::available_parallelism;

/// Starts them, once. The calling thread will be one of them: it would only wait for the others otherwise.
pub fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let threads = available_parallelism().map_or(1, NonZero::get);
        // Alone it would be missed by whoever else calls.
        if threads > 1 {
            let pool = rayon::ThreadPoolBuilder::new().use_current_thread().num_threads(threads);
            // It can only fail where there are threads already.
            let _ = pool.build_global();
        }
    });
}
