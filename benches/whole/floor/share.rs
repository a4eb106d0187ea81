//! Jobs that make jobs, for one thread or several.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// How much work a job is, in a unit of one's own.
pub(super) trait Weight {
    fn weight(&self) -> usize;
}

/// Does `first` and all jobs that come of it; returns each thread's `Hand`.
///
/// The calling thread works alone until the jobs that wait weigh `worth`: a thread costs 0.1 ms.
pub(super) fn run<J: Weight + Send, H: Default + Send>(
    threads: usize,
    worth: usize,
    first: J,
    work: impl Fn(&J, &mut H) -> Vec<J> + Sync,
) -> Vec<H> {
    let (mut waiting, mut hand) = (vec![first], H::default());
    while threads == 1 || waiting.iter().map(J::weight).sum::<usize>() < worth {
        let Some(job) = waiting.pop() else { return vec![hand] };
        waiting.extend(work(&job, &mut hand));
    }
    let queue = Queue { state: Mutex::new(State { waiting, working: 0 }), changed: Condvar::new() };
    let labour = |mut hand: H| {
        while let Some(job) = queue.take() {
            let made = work(&job, &mut hand);
            queue.put(made);
        }
        hand
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| labour(H::default()))).collect();
        let mut hands = vec![labour(hand)];
        hands.extend(
            others.into_iter().map(|other| other.join().expect("the floor exits, it does not panic")),
        );
        hands
    })
}

struct Queue<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
}

struct State<J> {
    waiting: Vec<J>,
    /// The number of threads that may still make jobs.
    working: usize,
}

impl<J> Queue<J> {
    /// Returns the next job, or nothing when all is done.
    fn take(&self) -> Option<J> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.waiting.pop() {
                state.working += 1;
                return Some(job);
            }
            if state.working == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends a job that was taken, and adds those that it made.
    fn put(&self, made: Vec<J>) {
        let mut state = self.lock();
        state.waiting.extend(made);
        state.working -= 1;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
