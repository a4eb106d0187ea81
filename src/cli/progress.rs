//! How far something long has come, for who looks at a terminal.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar};

use super::words::Words;

/// What takes less is not worth a word.
const PATIENCE: Duration = Duration::from_millis(500);
const EVERY: Duration = Duration::from_millis(100);

/// A count that is shown while it grows, from half a second on. It goes with this.
pub struct Progress {
    count: Arc<AtomicU64>,
    shown: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins; `say` makes a line of the count. Without a terminal, or when nothing or JSON is wanted, nothing is shown.
    pub fn begin(words: &Words, say: impl Fn(&str) -> String + Send + 'static) -> Progress {
        let count = Arc::new(AtomicU64::new(0));
        let shown = (words.shows_progress() && io::stderr().is_terminal()).then(|| {
            let (done, waits) = channel::<()>();
            let count = count.clone();
            let show = move || {
                if waits.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                let bar = ProgressBar::new_spinner();
                loop {
                    bar.set_message(say(&HumanCount(count.load(Ordering::Relaxed)).to_string()));
                    bar.tick();
                    if waits.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                        return bar.finish_and_clear();
                    }
                }
            };
            (done, thread::spawn(show))
        });
        Progress { count, shown }
    }

    /// Tells whether the count may be seen: counting takes time, too.
    pub fn counts(&self) -> bool {
        self.shown.is_some()
    }

    /// Returns what counts.
    pub fn count(&self) -> &AtomicU64 {
        &self.count
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, thread)) = self.shown.take() {
            drop(done);
            let _ = thread.join();
        }
    }
}
