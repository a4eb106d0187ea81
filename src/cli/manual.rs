//! Keeps the manual pages in `man/` equal to the command line: `FARM_MAN=write cargo test manual` writes them.

use std::path::Path;

use clap::CommandFactory as _;

use super::args::Args;

/// What the page of `farm` says beside the options, in roff.
const MORE: &str = r#".SH ENVIRONMENT
.TP
FARM_DIR, STOW_DIR
The dotfiles directory, where \fB\-\-dir\fR does not say.
.TP
FARM_TARGET
The target, where \fB\-\-target\fR does not say.
.TP
FARM_STATE_DIR
The state directory; else \fI$XDG_STATE_HOME/farm\fR, else \fI~/.local/state/farm\fR.
.TP
NO_COLOR
No colour, unless \fB\-\-color\fR says otherwise.
.SH FILES
.TP
.farmignore
In a package, or in the dotfiles directory: what is not linked, in the syntax of
.BR gitignore (5).
.TP
\&.stowrc, ~/.stowrc
Defaults, as GNU Stow reads them.
.TP
~/.local/state/farm/targets
For each target a lock, the journal of the run at work, the generations, and under \fIkept/GENERATION\fR what they moved out of the way, at the path it had.
.SH SAFETY
Every command does all of its plan or nothing. An error, SIGINT, SIGTERM or SIGHUP takes back what was begun. After SIGKILL or a crash the next farm on the target takes it
back, or cleans up after what was done, and says which;
.BR farm\-recover (1)
does only that.
.PP
What farm did not make is never deleted or overwritten. It is refused, or moves as a whole to a backup, into the package, or to the state directory, as asked, and
.BR farm\-undo (1)
brings it back. Only
.B farm generations \-\-expire
deletes what was kept.
.PP
Two farms on one target wait for each other. What other programs change meanwhile stays as they left it; where that keeps farm from taking something back it is listed, and the
exit status is 3.
"#;

/// Returns each page's name and text.
fn pages() -> Vec<(String, String)> {
    let mut farm = Args::command();
    farm.build();
    let mut pages = vec![page(&farm, "farm", MORE)];
    for command in farm.get_subcommands().filter(|it| !["help", "stow", "chkstow"].contains(&it.get_name())) {
        let name = format!("farm-{}", command.get_name());
        pages.push(page(&command.clone().display_name(name.clone()), &name, ".SH SEE ALSO\n.BR farm (1)\n"));
    }
    pages
}

fn page(command: &clap::Command, name: &str, more: &str) -> (String, String) {
    let mut text = Vec::new();
    let man = clap_mangen::Man::new(command.clone().version(None)).title(name).manual("farm").source("farm");
    man.render(&mut text).expect("memory takes all");
    (format!("{name}.1"), String::from_utf8(text).expect("help texts are UTF-8") + more)
}

#[test]
fn the_manual_pages_say_what_the_command_line_does() {
    let man = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let writes = std::env::var_os("FARM_MAN").is_some_and(|it| it == "write");
    let pages = pages();
    for (name, text) in &pages {
        if writes {
            std::fs::create_dir_all(&man).expect("man/");
            std::fs::write(man.join(name), text).expect("a page");
        }
        let written = std::fs::read_to_string(man.join(name)).unwrap_or_default();
        assert!(written == *text, "man/{name} is stale: FARM_MAN=write cargo test manual");
    }
    let files = std::fs::read_dir(&man).expect("man/").count();
    assert_eq!(files, pages.len(), "man/ holds a page too many");
}
