//! One farm, opened: plan, then apply.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{Error, Result, ScanError};
use crate::execute::{Failure, Outcome, Recovered, Site, execute, recover};
use crate::journal::Header;
use crate::known::Known;
use crate::op::Plan;
use crate::package::Request;
use crate::path::RelPath;
use crate::plan::Planned;
use crate::rulebook::RuleBook;
use crate::rules::Kept;
use crate::scan::Scanner;
use crate::status::Standing;
use crate::store::{Store, Wait};
use crate::sys::{Handle, os};

/// A farm and what is asked of it.
pub struct Farm<'a> {
    request: &'a Request,
    scanner: Scanner<'a>,
}

impl<'a> Farm<'a> {
    /// Opens the farm that `request` is about.
    ///
    /// # Errors
    /// When its root cannot be opened.
    pub fn open(request: &'a Request, rules: &'a RuleBook) -> Result<Farm<'a>> {
        Ok(Farm { request, scanner: Scanner::open(request, rules)? })
    }

    /// Reads what is needed and plans the request. Changes nothing.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn plan(&self) -> Result<Planned, ScanError> {
        self.scanner.plan()
    }

    /// Returns how the package of each step stands, whatever the step does; `known` is what farm made in the target.
    /// Changes nothing.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn status(&self, known: &Known) -> Result<Vec<Standing>, ScanError> {
        self.scanner.status(known)
    }

    /// Returns what keeps an entry of a package out of the farm, or a directory above it, with the path in the package of
    /// what is kept out; `None` for an entry that counts.
    ///
    /// # Errors
    /// When the package or its rules cannot be read.
    pub fn kept_out(&self, package: &RelPath, entry: &RelPath) -> Result<Option<(RelPath, Kept)>, ScanError> {
        self.scanner.kept_out(package, entry)
    }

    /// Does a plan, all of it or nothing; see [`Memory::apply`].
    ///
    /// # Errors
    /// The step that failed, after everything before it was taken back.
    pub fn apply(&self, plan: &Plan, memory: &Memory, run: &Run) -> Result<Outcome, Box<Failure>> {
        memory.apply_at(
            self.scanner.root(),
            Path::new(os(&self.request.root)),
            std::slice::from_ref(plan),
            run,
        )
    }
}

/// A run of farm that changes something.
pub struct Run<'a> {
    /// The command, as typed, without the program's name: generations tell it.
    pub command: Vec<String>,
    /// The generation that this goes back to, if it does.
    pub back_to: Option<u64>,
    /// Whether plans are done again on the way there.
    pub is_forward: bool,
    /// What is known of the farm when it is done, where that is more than what its plans do.
    pub known: Option<Known>,
    /// Asked before each operation; `true` takes everything back.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

impl Run<'_> {
    /// Returns a run that nobody stops.
    pub fn new(command: impl IntoIterator<Item = impl Into<String>>) -> Run<'static> {
        let command = command.into_iter().map(Into::into).collect();
        Run { command, back_to: None, is_forward: false, known: None, stop: &|| false }
    }
}

/// What farm remembers of a target, for a run that may change it.
///
/// A run that turns out to have nothing to do makes no state directory. Where none can be made, plans are done all the
/// same, and taken back when they fail; only a crash cannot be recovered from, and nothing is kept or remembered.
pub struct Memory<'a> {
    state: Option<PathBuf>,
    target: PathBuf,
    store: Option<Store>,
    wait: Wait<'a>,
    /// Why there is no state directory.
    problem: Option<Error>,
}

impl<'a> Memory<'a> {
    /// Opens what `state` remembers of the target, an absolute path free of links, and recovers from an
    /// interrupted run.
    ///
    /// # Errors
    /// When another farm is at work there and `wait` says not to wait; when the journal cannot be read.
    pub fn open(
        state: Option<&Path>,
        target: &Path,
        wait: Wait<'a>,
    ) -> Result<(Memory<'a>, Option<Recovered>)> {
        let mut memory = Memory {
            state: state.map(Path::to_owned),
            target: target.to_owned(),
            store: None,
            wait,
            problem: None,
        };
        if state.is_none() {
            let error = io::Error::new(io::ErrorKind::NotFound, "neither FARM_STATE_DIR nor HOME says where");
            memory.problem = Some(Error::new("find", "a state directory", error));
        }
        if let Some(state) = state {
            match Store::open(state, target, wait) {
                Ok(store) => memory.store = store,
                Err(error) => memory.go_without(error)?,
            }
        }
        let recovered = memory.store.as_ref().map_or(Ok(None), recover)?;
        Ok((memory, recovered))
    }

    /// Returns a memory that remembers nothing.
    pub fn none() -> Memory<'static> {
        Memory { state: None, target: PathBuf::new(), store: None, wait: &|| false, problem: None }
    }

    /// Makes ready for a change. `true` says that what was planned must be planned again: another farm has been at work
    /// since the memory was opened, or the state directory, made now, lies in the target.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn begin(&mut self) -> Result<bool> {
        // It may have become read-only since it was made. The lock stays.
        if let Some(Err(error)) = self.store.as_ref().map(Store::check_writable) {
            self.go_without(error)?;
        }
        let (Some(state), None, None) = (&self.state, &self.store, &self.problem) else { return Ok(false) };
        match Store::create(state, &self.target, self.wait) {
            Ok(store) => {
                let recovered = recover(&store)?;
                // The journal must stay: it alone knows what is still to be taken back.
                if recovered.as_ref().is_some_and(|recovered| !recovered.stuck.is_empty()) {
                    let message = "another farm was interrupted there, and not all of it could be taken back; \
                                   `farm recover` says what";
                    return Err(Error::new("go on in", &self.target, io::Error::other(message)));
                }
                let others = recovered.is_some() || !store.generations()?.is_empty();
                let made = store.kept();
                let is_inside = made.starts_with(&self.target)
                    || made.canonicalize().is_ok_and(|made| made.starts_with(&self.target));
                self.store = Some(store);
                Ok(others || is_inside)
            }
            Err(error) => self.go_without(error).map(|()| false),
        }
    }

    /// Remembers why there is no state directory, if that is all that an error says.
    fn go_without(&mut self, error: Error) -> Result<()> {
        use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
        // "Not found" is what a file system such as /proc says to who would make something there.
        let is_unwritable =
            matches!(error.source.kind(), PermissionDenied | ReadOnlyFilesystem | NotADirectory | NotFound);
        if !is_unwritable && !error.is_for_want_of_room() {
            return Err(error);
        }
        self.problem = Some(error);
        Ok(())
    }

    /// Sets the journal of an interrupted run aside, so that nothing is taken back; returns where it is now.
    ///
    /// # Errors
    /// The system's.
    pub fn forget(state: &Path, target: &Path, wait: Wait) -> Result<Option<PathBuf>> {
        Store::open(state, target, wait)?.map_or(Ok(None), |store| store.set_aside())
    }

    /// Returns what is remembered, if there is anything, and, from [`begin`](Self::begin) on, more can be.
    pub fn store(&self) -> Option<&Store> {
        self.store.as_ref().filter(|_| self.problem.is_none())
    }

    /// Returns why nothing can be remembered, if that is so.
    pub fn problem(&self) -> Option<&Error> {
        self.problem.as_ref()
    }

    /// Returns why what earlier runs have remembered cannot be read, if there may be something.
    pub fn unreadable(&self) -> Option<&Error> {
        self.problem.as_ref().filter(|problem| {
            // A state directory that cannot be there has nothing in it.
            !matches!(problem.source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        })
    }

    /// Does plans on the farm at `root` one after the other, all of them or nothing, as one generation.
    ///
    /// # Errors
    /// The step that failed, after everything before it was taken back.
    pub fn apply(&self, root: &Path, phases: &[Plan], run: &Run) -> Result<Outcome, Box<Failure>> {
        let handle = Handle::open(root).map_err(|error| Failure {
            error: Error::new("open", root, error),
            interrupted: false,
            begun: false,
            stuck: Vec::new(),
        })?;
        self.apply_at(&handle, root, phases, run)
    }

    fn apply_at(
        &self,
        root: &Handle,
        root_path: &Path,
        phases: &[Plan],
        run: &Run,
    ) -> Result<Outcome, Box<Failure>> {
        let site = Site { root, root_path, store: self.store(), problem: self.problem(), stop: run.stop };
        let refused = |error| Failure { error, interrupted: false, begun: false, stuck: Vec::new() };
        let id = self.store().map_or(Ok(1), Store::next_generation).map_err(refused)?;
        let mut header = header(id, root_path, run.command.clone());
        header.back_to = run.back_to;
        header.is_forward = run.is_forward;
        header.known = run.known.clone();
        let numbered: Vec<Plan>;
        let phases = if phases.iter().any(Plan::moves_bytes) {
            numbered = phases.iter().map(|plan| plan.as_generation(id)).collect();
            &numbered
        } else {
            phases
        };
        execute(&site, &header, phases).map_err(Box::new)
    }
}

fn header(id: u64, root: &Path, command: Vec<String>) -> Header {
    use std::hash::{BuildHasher, RandomState};
    use std::os::unix::ffi::OsStrExt;
    // Names that nobody else uses: this one is drawn from the system's random numbers.
    let token = format!("{:08x}", RandomState::new().hash_one(id) as u32);
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let time = time.map_or(0, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let root = root.as_os_str().as_bytes().strip_prefix(b"/").unwrap_or_default();
    Header::new(id, token, crate::path::RelPath::new(root).unwrap_or_default(), time, command)
}
