//! What commands that change a farm have in common: the memory of the target, and the words around it.

use std::path::Path;
use std::sync::atomic::Ordering;

use farm::{Failure, Known, Memory, Outcome, Plan, Recovered, Run, Way, is_interrupted};

use super::Exit;
use super::args::Global;
use super::progress::Progress;
use super::resolve;
use super::words::{Words, doing};
use crate::environment;

/// A run that may change a farm.
pub struct Session<'a> {
    memory: Memory<'a>,
    words: &'a Words,
}

impl<'a> Session<'a> {
    /// Opens the memory of the target and recovers from an interrupted run, unless nothing is to be changed.
    ///
    /// # Errors
    /// How to exit, when that has been said.
    pub fn open(
        global: &Global,
        target: &Path,
        wait: &'a dyn Fn() -> bool,
        words: &'a Words,
    ) -> Result<Session<'a>, Exit> {
        let state = environment::state_dir();
        if global.dry_run {
            // Who cannot look would find out why when it is read.
            if state.is_some_and(|state| is_interrupted(&state, target).unwrap_or(false)) {
                words.pending();
            }
            return Ok(Session { memory: Memory::none(), words });
        }
        let opened = Memory::open(state.as_deref(), target, wait);
        let (memory, recovered) = opened.map_err(|error| words.memory_error(&error))?;
        let session = Session { memory, words };
        match recovered {
            Some(recovered) => session.say_recovered(&recovered).map(|()| session),
            None => Ok(session),
        }
    }

    /// As [`open`](Self::open), also when nothing is to be changed: what is remembered is wanted.
    ///
    /// # Errors
    /// How to exit, when that has been said.
    pub fn open_to_read(
        global: &Global,
        target: &Path,
        wait: &'a dyn Fn() -> bool,
        words: &'a Words,
    ) -> Result<Session<'a>, Exit> {
        let state = environment::state_dir();
        let is_pending = |state: &Path| is_interrupted(state, target).unwrap_or(false);
        if global.dry_run && state.as_deref().is_some_and(is_pending) {
            words.pending();
            return Err(Exit::Refused);
        }
        let opened = Memory::open(state.as_deref(), target, wait);
        let (memory, recovered) = opened.map_err(|error| words.memory_error(&error))?;
        if let Some(problem) = memory.unreadable() {
            return Err(words.memory_error(problem));
        }
        let session = Session { memory, words };
        match recovered {
            Some(recovered) => session.say_recovered(&recovered).map(|()| session),
            None => Ok(session),
        }
    }

    /// Goes the way back to another generation.
    ///
    /// # Errors
    /// The step that failed.
    pub fn go_back(&self, way: &Way) -> Result<(), Box<Failure>> {
        let stop = self.stop(&way.phases);
        let run = Run {
            back_to: Some(way.to),
            is_forward: way.is_forward,
            known: way.known.clone(),
            stop: &stop,
            ..Run::new(environment::command())
        };
        let outcome = self.memory.apply(&way.root, &way.phases, &run)?;
        drop(stop);
        self.words.left_over(&outcome.left_over);
        Ok(())
    }

    /// Returns what tells whether to stop: it is asked at each change, which shows how far the plans have come.
    fn stop(&self, plans: &[Plan]) -> impl Fn() -> bool + Sync + use<> {
        let progress = Progress::begin(self.words, doing(plans.iter().map(|plan| plan.ops.len()).sum()));
        let stop = environment::stop_on_signals();
        move || {
            if progress.counts() {
                progress.count().fetch_add(1, Ordering::Relaxed);
            }
            stop()
        }
    }

    /// Says what became of an interrupted run.
    fn say_recovered(&self, recovered: &Recovered) -> Result<(), Exit> {
        match self.words.recovered(recovered) {
            Exit::Done => Ok(()),
            exit => Err(exit),
        }
    }

    /// What is remembered of the target.
    pub fn memory(&self) -> &Memory<'a> {
        &self.memory
    }

    /// Makes ready for a change; `true` says that what was planned must be planned again.
    ///
    /// # Errors
    /// How to exit, when that has been said.
    pub fn begin(&mut self) -> Result<bool, Exit> {
        let again = self.memory.begin().map_err(|error| self.words.memory_error(&error))?;
        if let Some(problem) = self.memory.problem() {
            self.words.no_memory(problem);
        }
        Ok(again)
    }

    /// Does a plan on the farm at `root`.
    ///
    /// # Errors
    /// The step that failed.
    pub fn apply(&self, root: &Path, phases: &[Plan]) -> Result<Outcome, Box<Failure>> {
        self.apply_knowing(root, phases, None)
    }

    /// As [`apply`](Self::apply), and remembers what is known of the farm from then on.
    ///
    /// # Errors
    /// The step that failed.
    pub fn apply_knowing(
        &self,
        root: &Path,
        phases: &[Plan],
        known: Option<Known>,
    ) -> Result<Outcome, Box<Failure>> {
        let stop = self.stop(phases);
        let run = Run { known, stop: &stop, ..Run::new(environment::command()) };
        let outcome = self.memory.apply(root, phases, &run)?;
        drop(stop);
        if let Some(problem) = &outcome.unrecorded {
            self.words.no_memory(problem);
        }
        self.words.left_over(&outcome.left_over);
        Ok(outcome)
    }
}

/// Returns what farm made in the target, for who only looks: nothing where an interrupted run waits for recovery, or where
/// only another user may look, as after `sudo farm`.
///
/// # Errors
/// How to exit, when that has been said.
pub fn known(global: &Global, farm: &resolve::Farm, words: &Words) -> Result<Known, Exit> {
    let state = environment::state_dir();
    match state.map_or(Ok(false), |state| is_interrupted(&state, &farm.target())) {
        Ok(false) => {}
        Ok(true) => {
            words.pending();
            return Ok(Known::default());
        }
        Err(error) => {
            words.unknown(&error);
            return Ok(Known::default());
        }
    }
    let wait = wait(global, words);
    let session = Session::open_to_read(global, &farm.target(), &wait, words)?;
    session.memory().known(&farm.root).map_err(|error| words.memory_error(&error))
}

/// Returns what waits for another farm, or does not.
pub fn wait<'a>(global: &Global, words: &'a Words) -> impl Fn() -> bool + 'a {
    let wait = !global.no_wait;
    move || {
        if wait {
            words.waiting();
        }
        wait
    }
}
