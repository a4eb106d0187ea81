//! `farm generations`, `farm rollback`, `farm undo` and `farm recover`.

use std::path::Path;

use farm::{Expired, Memory, Record, RelPath};
use jiff::{Span, Timestamp, Zoned};

use super::args::{Generations, Global, Recover};
use super::env;
use super::json::Recovery;
use super::resolve::Farm;
use super::session::{self, Session};
use super::told::Told;
use super::words::Words;
use super::{Exit, StowRc, json};
use crate::environment;

fn find(global: &Global, stowrc: &StowRc, words: &Words) -> Result<Farm, Exit> {
    Farm::find(global.dir.as_deref(), global.target.as_deref(), stowrc)
        .map_err(|refusal| words.refusal(&refusal))
}

/// Runs `farm generations`.
pub fn generations(global: &Global, asked: &Generations, stowrc: &StowRc, words: &Words) -> Exit {
    run(|| {
        let farm = find(global, stowrc, words)?;
        let wait = session::wait(global, words);
        let session = Session::open_to_read(global, &farm.target(), &wait, words)?;
        let memory = session.memory();
        if let Some(span) = &asked.expire {
            let before = Zoned::now().checked_sub(parse_span(span).map_err(|()| {
                words.usage(&format!("{span} is no span of time"), "say `30d`, `2 weeks` or `1y`")
            })?);
            let before =
                before.map_err(|_| words.usage(&format!("{span} is too long ago"), "say `30d` or `1y`"))?;
            let ids =
                memory.older(before.timestamp().as_second()).map_err(|error| words.memory_error(&error))?;
            let expired = match global.dry_run {
                true => Expired { ids, ..Expired::default() },
                false => memory.expire(&ids).map_err(|error| words.memory_error(&error))?,
            };
            words.expired(&farm, &expired);
            return Ok(Exit::Done);
        }
        let headers = memory.generations().map_err(|error| words.memory_error(&error))?;
        let last = headers.last().map(|header| header.id);
        let mut told = Vec::new();
        for header in headers.into_iter().rev() {
            let Record { header, phases, .. } =
                memory.generation(header.id).map_err(|error| words.memory_error(&error))?;
            told.push(Told {
                date: date(header.time),
                ops: phases.iter().flat_map(|plan| plan.ops.iter()).collect(),
                is_current: last == Some(header.id),
                header,
            });
        }
        if global.json {
            json::generations(&farm, &told);
        } else {
            words.generations(&farm, &told);
        }
        Ok(Exit::Done)
    })
}

/// Runs `farm rollback` and `farm undo`.
pub fn back(global: &Global, to: Option<u64>, keep_going: bool, stowrc: &StowRc, words: &Words) -> Exit {
    run(|| {
        let farm = find(global, stowrc, words)?;
        let wait = session::wait(global, words);
        let session = Session::open_to_read(global, &farm.target(), &wait, words)?;
        let memory = session.memory();
        let before = || memory.before().map_err(|error| words.memory_error(&error));
        let Some(to) = to.map_or_else(before, |to| Ok(Some(to)))? else {
            if global.json {
                json::nowhere(&farm, global.dry_run);
            }
            return Ok(words.nothing_to_undo());
        };
        let now = memory.known(&farm.root).map_err(|error| words.memory_error(&error))?;
        let way = memory.way(to).map_err(|error| words.no_way(&error))?;
        let farm = Farm { root: way.root.clone(), mount: RelPath::root(), ..farm };
        if !way.changed.is_empty() && !keep_going {
            return Ok(words.changed_since(&farm, &way));
        }
        let failure = match global.dry_run || way.is_empty() {
            true => None,
            false => session.go_back(&way).err(),
        };
        if let (Some(to), Some(state), None, false) =
            (&way.session, environment::state_dir(), &failure, global.dry_run)
        {
            env::point(&state, &now.session, to).map_err(|error| words.left_behind(&error))?;
        }
        if global.json {
            json::back(&farm, &way, failure.as_deref(), global.dry_run);
        }
        Ok(words.back(&farm, &way, failure.as_deref()))
    })
}

/// Runs `farm recover`.
pub fn recover(global: &Global, asked: &Recover, stowrc: &StowRc, words: &Words) -> Exit {
    run(|| {
        let farm = find(global, stowrc, words)?;
        let wait = session::wait(global, words);
        let say = |recovery: Recovery, journal: Option<&Path>| {
            if global.json {
                json::recovery(&farm, recovery, journal, global.dry_run);
            }
        };
        let state = environment::state_dir();
        let interrupted =
            match state.as_deref().map(|it| farm::is_interrupted(it, &farm.target())).transpose() {
                Ok(interrupted) => interrupted.unwrap_or(false),
                Err(error) => return Err(words.memory_error(&error)),
            };
        let Some(state) = state.filter(|_| interrupted) else {
            say(Recovery::Nothing, None);
            return Ok(words.nothing_to_recover(&farm));
        };
        if global.dry_run {
            words.pending();
            say(Recovery::Waiting, None);
            return Ok(Exit::Done);
        }
        if asked.forget {
            let aside =
                Memory::forget(&state, &farm.target(), &wait).map_err(|error| words.memory_error(&error))?;
            say(Recovery::Forgotten, aside.as_deref());
            return Ok(words.forgotten(aside.as_deref()));
        }
        Session::open(global, &farm.target(), &wait, words)?;
        say(Recovery::Recovered, None);
        Ok(Exit::Done)
    })
}

fn run(command: impl FnOnce() -> Result<Exit, Exit>) -> Exit {
    command().unwrap_or_else(|exit| exit)
}

fn parse_span(text: &str) -> Result<Span, ()> {
    text.parse::<Span>().map_err(drop).and_then(|span| if span.is_negative() { Err(()) } else { Ok(span) })
}

/// Returns a time in the local time zone, to the minute.
pub(super) fn date(seconds: i64) -> String {
    let Ok(time) = Timestamp::from_second(seconds) else { return "?".to_owned() };
    time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}
