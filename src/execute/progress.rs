//! How far a run has come, operation by operation; several threads may be at it.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// The state of each operation of a run.
pub struct Progress {
    states: Box<[AtomicU8]>,
    has_failed: AtomicBool,
}

/// How far one operation has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Nothing was changed for it.
    NotBegun,
    /// Something may have been changed.
    Begun,
    /// All of it was done.
    Done,
}

impl Progress {
    /// Returns the progress of a run of so many operations that has not begun.
    pub fn new(ops: usize) -> Progress {
        let states = std::iter::repeat_with(|| AtomicU8::new(State::NotBegun as u8)).take(ops);
        Progress { states: states.collect(), has_failed: AtomicBool::new(false) }
    }

    /// Notes how far the operation with this number has come.
    pub fn note(&self, index: usize, state: State) {
        self.states[index].store(state as u8, Ordering::Relaxed);
    }

    /// Returns how far the operation with this number has come. Only for when all threads are done.
    pub fn of(&self, index: usize) -> State {
        match self.states[index].load(Ordering::Relaxed) {
            0 => State::NotBegun,
            1 => State::Begun,
            _ => State::Done,
        }
    }

    /// Tells whether any operation was done.
    pub fn has_any_done(&self) -> bool {
        (0..self.states.len()).any(|index| self.of(index) == State::Done)
    }

    /// Lets all threads stop.
    pub fn fail(&self) {
        self.has_failed.store(true, Ordering::Relaxed);
    }

    /// Tells whether some thread has failed, so that the others need not go on.
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }
}
