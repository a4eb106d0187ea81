//! What is said about generations, rollbacks and recovery.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use farm::{Error, Expired, Failure, Header, Ops, READ_GENERATION, Recovered, RelPath, Way};

use super::switch::SESSION;
use super::{MADE, Tally, WARNING, Words, path_shown, plan_lines, shown, to_stdout};
use crate::cli::Exit;
use crate::cli::json;
use crate::cli::resolve::Farm;
use crate::cli::told::Told;

/// Returns what to do about a memory that cannot be used.
pub(super) fn memory_hint(error: &Error) -> &'static str {
    match error.source.kind() {
        io::ErrorKind::WouldBlock => "without --no-wait farm waits for it",
        io::ErrorKind::Unsupported => "use that farm here: it knows what was done, and this one does not",
        io::ErrorKind::InvalidData if error.verb == READ_GENERATION => {
            "move it away: that generation then counts as expired, and the others are there"
        }
        io::ErrorKind::InvalidData => {
            "`farm recover --forget` sets it aside; links that are missing then come back with `farm relink`"
        }
        _ => "FARM_STATE_DIR names another state directory",
    }
}

/// What generation 0 is.
pub const BEFORE_THE_FIRST: &str = "the state before the first generation";

/// Returns what a generation is known by beside its number, on one line.
pub fn generation(date: &str, header: &Header) -> String {
    shown(&format!("{date}  {}", header.command.join(" ")))
}

impl Words {
    /// Says that another farm is at work on the target, and that this one waits.
    pub fn waiting(&self) {
        if !self.quiet {
            self.to_stderr("waiting for another farm to finish with this target");
        }
    }

    /// Says why what farm remembers of the target cannot be used; nothing has changed.
    pub fn memory_error(&self, error: &Error) -> Exit {
        self.say_refusal(
            &shown(&error.to_string()),
            &["nothing was changed".to_owned()],
            Some(memory_hint(error)),
        );
        Exit::Refused
    }

    /// Says that a run without a memory goes on all the same.
    pub fn no_memory(&self, problem: &Error) {
        if !self.quiet {
            let problem = shown(&problem.to_string());
            let text = format!("{problem}: this change cannot be undone later, nor recovered after a crash");
            self.to_stderr(&format!("{WARNING}warning:{WARNING:#} {text}"));
        }
    }

    /// Says that nobody knows what was made, and looks all the same.
    pub fn unknown(&self, problem: &Error) {
        if !self.quiet {
            let text = format!("{}: what farm made here is not known", shown(&problem.to_string()));
            self.to_stderr(&format!("{WARNING}warning:{WARNING:#} {text}"));
        }
    }

    /// Says that an interrupted run waits for recovery.
    pub fn pending(&self) {
        if !self.quiet {
            let text = "an interrupted farm has left things half done here; the next change, or `farm recover`, mends that first";
            self.to_stderr(&format!("{WARNING}warning:{WARNING:#} {text}"));
        }
    }

    /// Says what became of a run that was interrupted.
    pub fn recovered(&self, recovered: &Recovered) -> Exit {
        let command = shown(&recovered.header.command.join(" "));
        let did = if recovered.finished { "finished" } else { "took back" };
        if recovered.stuck.is_empty() {
            if !self.quiet {
                self.to_stderr(&format!("{did} what an interrupted `farm {command}` had begun"));
            }
            return Exit::Done;
        }
        let facts: Vec<String> =
            recovered.stuck.iter().map(|error| format!("  {}", shown(&error.to_string()))).collect();
        let message = if recovered.finished {
            format!("`farm {command}` was done, but not all of what it put out of the way could be removed")
        } else {
            format!("`farm {command}` was interrupted, and not all of it could be taken back")
        };
        let hint = "mend these and run `farm recover`; `farm recover --forget` leaves them as they are";
        self.say_error(&message, &facts, &[hint.to_owned()]);
        if self.json {
            json::late_error(&message);
        }
        Exit::Stuck
    }

    fn summary(&self, line: &str) {
        if !self.quiet && !self.json {
            to_stdout(&shown(line));
        }
    }

    /// Says that there is nothing to recover.
    pub fn nothing_to_recover(&self, farm: &Farm) -> Exit {
        self.summary(&format!("nothing to recover: no farm was interrupted in {}", farm.target().display()));
        Exit::Done
    }

    /// Says where a journal went that was not to be used.
    pub fn forgotten(&self, aside: Option<&Path>) -> Exit {
        match aside {
            Some(path) => {
                self.summary(&format!("nothing was changed; the journal is now {}", path.display()))
            }
            None => self.summary("nothing to forget"),
        }
        Exit::Done
    }

    /// Says which generations are gone.
    pub fn expired(&self, farm: &Farm, Expired { ids, left_over }: &Expired) {
        for error in left_over {
            let error = shown(&error.to_string());
            let text = format!("{error}: the next `farm generations --expire` tries again");
            self.to_stderr(&format!("{WARNING}warning:{WARNING:#} {text}"));
        }
        if self.json {
            json::expired(farm, ids, self.dry_run);
        }
        let (dropped, end) =
            if self.dry_run { ("would drop", "; nothing was changed") } else { ("dropped", "") };
        self.summary(&match ids.as_slice() {
            [] => "no generation is that old".to_owned(),
            [id] => format!("{dropped} generation {id}{end}"),
            [first, .., last] => format!("{dropped} {} generations, {first} to {last}{end}", ids.len()),
        });
    }

    /// Lists generations.
    pub fn generations(&self, farm: &Farm, told: &[Told]) {
        if told.is_empty() {
            self.summary(&format!(
                "no generations yet: farm has changed nothing in {}",
                farm.target().display()
            ));
        }
        let width = told.first().map_or(1, |told| told.header.id.to_string().len());
        for told in told {
            let id = told.header.id;
            let command = shown(&told.header.command.join(" "));
            let current = if told.is_current { format!(" {MADE}(current){MADE:#}") } else { String::new() };
            let back = told.header.back_to.map_or(String::new(), |id| format!(", back to {id}"));
            let what = match Tally::of(&told.ops).words() {
                // It changed neither links nor files.
                nothing if nothing.is_empty() => "what new shells find".to_owned(),
                what => what,
            };
            to_stdout(&format!("{}  {id:>width$}  {command}: {what}{back}{current}", told.date));
            if self.verbose {
                let farm = Farm {
                    root: root_of(&told.header),
                    mount: RelPath::root(),
                    dir: farm.dir.clone(),
                    declared: None,
                };
                for line in plan_lines(&farm, &told.ops) {
                    to_stdout(&format!("    {line}"));
                }
            }
        }
    }

    /// Says why there is no way to another generation.
    pub fn no_way(&self, error: &Error) -> Exit {
        let hint =
            (error.source.kind() == io::ErrorKind::NotFound).then_some("`farm generations` lists them");
        self.say_refusal(&shown(&error.to_string()), &["nothing was changed".to_owned()], hint);
        Exit::Refused
    }

    /// Says that there is no older state to go back to.
    pub fn nothing_to_undo(&self) -> Exit {
        self.summary("nothing to undo");
        Exit::Done
    }

    /// Says which paths keep a rollback from being one.
    pub fn changed_since(&self, farm: &Farm, way: &Way) -> Exit {
        let mut facts: Vec<String> =
            way.changed.iter().map(|path| format!("  {}", path_shown(farm, path))).collect();
        facts.push("nothing was changed".to_owned());
        let count = match way.changed.len() {
            1 => "1 path was".to_owned(),
            n => format!("{n} paths were"),
        };
        let message = format!("cannot go back to generation {}: {count} changed since in other ways", way.to);
        self.say_error(&message, &facts, &["--keep-going leaves them and takes the rest back".to_owned()]);
        if self.json {
            json::error(&message);
        }
        Exit::Refused
    }

    /// Says what came of a rollback.
    pub fn back(&self, farm: &Farm, way: &Way, failure: Option<&Failure>) -> Exit {
        if let Some(failure) = failure {
            return self.failure(failure);
        }
        if !self.quiet {
            for path in &way.changed {
                let path = path_shown(farm, path);
                self.to_stderr(&format!("{WARNING}warning:{WARNING:#} left {path}: it was changed since"));
            }
        }
        let ops: Ops = way.phases.iter().flat_map(|plan| plan.ops.iter()).collect();
        if self.verbose && !self.quiet && !self.json {
            plan_lines(farm, &ops).iter().for_each(|line| to_stdout(line));
        }
        let to = match way.to {
            0 => BEFORE_THE_FIRST.to_owned(),
            to => format!("generation {to}"),
        };
        let mut parts = vec![Tally::of(&ops).words()];
        parts.extend(way.session.as_ref().map(|_| SESSION.to_owned()));
        parts.retain(|part| !part.is_empty());
        let words = parts.join(", ");
        self.summary(&match (way.is_empty(), self.dry_run) {
            (true, _) if !way.changed.is_empty() => format!("nothing to do: nothing else differs from {to}"),
            (true, _) => format!("nothing to do: this is {to}"),
            (false, true) => format!("would go back to {to}: {words}; nothing was changed"),
            (false, false) => format!("went back to {to}: {words}"),
        });
        Exit::Done
    }
}

/// Returns the root of the farm that a generation is about.
fn root_of(header: &Header) -> PathBuf {
    Path::new("/").join(OsStr::from_bytes(header.root.as_bytes()))
}
