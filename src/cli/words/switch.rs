//! What `farm switch` says.

use std::path::Path;

use farm::{Failure, Planned};

use super::super::Exit;
use super::super::args::Verb;
use super::super::resolve::Farm;
use super::super::told::{Ended, NewShells, OnChange};
use super::{CHANGED, HINT, Tally, Words, in_order, path_shown, plan_lines, shown, to_stdout};

/// What is said of another session.
pub(super) const SESSION: &str = "session changed for new shells";

impl Words {
    /// Says what came of a switch to `profile`; `taken_over` links were there and right, and are farm's from now on.
    #[expect(clippy::too_many_arguments, reason = "all that there is to say")]
    pub fn switched(
        &self,
        farm: &Farm,
        profile: Option<&str>,
        planned: &Planned,
        taken_over: usize,
        session: NewShells,
        commands: &[OnChange],
        failure: Option<&Failure>,
    ) -> Exit {
        self.notices(farm, &planned.notices);
        if let Some(failure) = failure {
            return self.failure(failure);
        }
        self.left_alone(farm, &planned.skipped);
        if !planned.conflicts.is_empty() {
            self.conflicts(Verb::Switch, farm, planned, false, 0);
            return Exit::Refused;
        }
        if !self.quiet && !self.json {
            self.say_switched(farm, profile, planned, taken_over, session, commands);
        }
        let failed = commands.iter().filter_map(|command| match &command.ended {
            Some(Ended::Badly(how)) => Some((command, how)),
            _ => None,
        });
        let mut exit = Exit::Done;
        for (command, how) in failed {
            let facts = [
                format!("it was run because {} has changed", path_shown(farm, &command.at)),
                "the links are as farm.toml says".to_owned(),
            ];
            let hints = ["the next `farm switch` runs it again".to_owned()];
            self.say_error(&format!("`{}` failed: {}", shown(&command.command), shown(how)), &facts, &hints);
            exit = Exit::Refused;
        }
        exit
    }

    /// Says how new shells come to read what the state directory has for them.
    pub fn session_begins(&self, state: &Path) {
        if !self.quiet && !self.json {
            let path = shown(&state.join("session.sh").display().to_string());
            let hint = "man 5 farm.toml has other shells";
            self.to_stderr(&format!(
                "{HINT}hint:{HINT:#} `. {path}` in ~/.profile lets new shells read it; {hint}"
            ));
        }
    }

    fn say_switched(
        &self,
        farm: &Farm,
        profile: Option<&str>,
        planned: &Planned,
        taken_over: usize,
        session: NewShells,
        commands: &[OnChange],
    ) {
        if self.verbose {
            plan_lines(farm, &planned.plan.ops).iter().for_each(|line| to_stdout(line));
            for command in commands {
                let line = format!("{CHANGED}!{CHANGED:#} {}", shown(&command.command));
                to_stdout(&format!("{line} (for {})", path_shown(farm, &command.at)));
            }
        }
        let left_alone = in_order(&planned.skipped).len();
        let tally = Tally { left_alone, ..Tally::of(&planned.plan.ops) };
        let mut parts = vec![tally.words()];
        let mut part = |count: usize, one: &str, many: &str| match count {
            0 => {}
            1 => parts.push(format!("1 {one}")),
            n => parts.push(format!("{n} {many}")),
        };
        part(taken_over, "link taken over", "links taken over");
        part(commands.len(), "command run", "commands run");
        if session == NewShells::Differ {
            parts.push(SESSION.to_owned());
        }
        parts.retain(|part| !part.is_empty());
        let to = profile.map_or(String::new(), |profile| format!(" to {}", shown(profile)));
        if planned.plan.is_empty() && taken_over == 0 && commands.is_empty() && session == NewShells::AsBefore
        {
            let end =
                if left_alone == 0 { "everything is as farm.toml says".to_owned() } else { parts.join(", ") };
            to_stdout(&format!("nothing to do: {end}"));
            return;
        }
        let (did, end) =
            if self.dry_run { ("would switch", "; nothing was changed") } else { ("switched", "") };
        to_stdout(&format!("{did}{to}: {}{end}", parts.join(", ")));
        self.seems_moved(Verb::Switch, farm, &planned.plan.ops);
    }
}
