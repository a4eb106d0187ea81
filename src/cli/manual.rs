//! Keeps the manual pages in `man/` equal to the command line: `FARM_MAN=write cargo test manual` writes them.

use std::path::Path;

use clap::CommandFactory as _;
use clap::builder::Resettable;

use farm::manifest::{Key, MANIFEST, Shape};

use super::args::Args;

/// What the page of `farm` says beside the options, in roff.
const MORE: &str = r#".SH EXIT STATUS
.TP
0
Done, or nothing to do.
.TP
1
Refused, or failed and taken back: nothing was changed, except that \fB\-\-keep\-going\fR does the other packages; or an \fBon\-change\fR command failed; or
\fBstatus \-\-check\fR, \fBcheck\fR or \fBdoctor\fR found something.
.TP
2
The command line is wrong.
.TP
3
Something could not be taken back; the message lists it, and
.BR farm\-recover (1)
tries again.
.TP
130
Interrupted, and taken back.
.SH ENVIRONMENT
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
\&.farmignore
In a package, or in the dotfiles directory: what is not linked, in the syntax of
.BR gitignore (5).
.TP
\&.stowrc, ~/.stowrc
Defaults, as GNU Stow reads them.
.TP
farm.toml
At the top of a dotfiles directory: what belongs where.
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
.SH SEE ALSO
.BR farm.toml (5),
.BR farm\-stow (1),
.BR gitignore (5)
"#;

/// What the page of a command ends with, in roff.
const TAIL: &str = r#".SH EXIT STATUS
0 done or nothing to do, 1 refused, taken back, or something is wrong that the command looks for, 2 the command line is wrong, 3 something could not be taken back, 130 interrupted and taken back.
.SH SEE ALSO
.BR farm (1),
which has the environment and the files, and
.BR farm.toml (5)
"#;

/// Examples of command lines, and what they do, by the command.
const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "farm",
        &[
            ("farm link nvim zsh", "Links two packages of the dotfiles directory."),
            ("farm link -n nvim", "Shows what that would change."),
            ("farm switch", "Makes everything as farm.toml says."),
            ("farm undo", "Takes the last change back."),
        ],
    ),
    (
        "farm-link",
        &[
            ("farm link nvim zsh", "Links two packages."),
            ("farm link -d ~/work/dotfiles -t ~ zsh", "Links one of another dotfiles directory."),
            ("farm link --backup zsh", "Gives files that are in the way another name first."),
        ],
    ),
    (
        "farm-unlink",
        &[
            ("farm unlink nvim", "Removes its links."),
            ("farm unlink --restore zsh", "And puts its backups back."),
        ],
    ),
    (
        "farm-relink",
        &[
            ("farm relink zsh", "After files have come or gone in the package."),
            ("farm relink --moved-from ~/old", "After the dotfiles directory has moved here."),
        ],
    ),
    (
        "farm-adopt",
        &[("farm adopt nvim ~/.config/nvim", "Moves the directory into the package, and puts a link there.")],
    ),
    ("farm-eject", &[("farm eject nvim ~/.config/nvim", "Moves it back.")]),
    (
        "farm-switch",
        &[
            ("farm switch -n", "Shows the plan."),
            ("farm switch server", "Makes the farm that of a profile."),
            ("farm switch --json", "Says for a program whether anything has changed."),
        ],
    ),
    ("farm-env", &[("eval \"$(farm env --shell sh)\"", "Gives them to this shell.")]),
    ("farm-import", &[("farm import -n ~/nixos/home.nix", "Shows the farm.toml that it would write.")]),
    (
        "farm-completions",
        &[("source <(farm completions bash)", "Completes in this bash; a line for ~/.bashrc.")],
    ),
    (
        "farm-status",
        &[
            ("farm status", "All packages."),
            ("farm status --long nvim", "Each path of one."),
            ("farm status --check", "For scripts: the exit status tells."),
        ],
    ),
    (
        "farm-check",
        &[
            ("farm check", "All links below the target."),
            ("farm check -t /usr/local -d /usr/local/stow --aliens", "And what is no link beside them."),
        ],
    ),
    ("farm-prune", &[("farm prune -n", "Shows what it would remove."), ("farm prune", "Removes it.")]),
    ("farm-why", &[("farm why ~/.zshrc", "Which package it is of, or what keeps it from being linked.")]),
    (
        "farm-generations",
        &[("farm generations --expire 30d", "Drops those older than thirty days, with what they keep.")],
    ),
    (
        "farm-rollback",
        &[("farm rollback 4", "Goes back to the state of generation 4, which is a new generation.")],
    ),
];

fn examples(name: &str) -> String {
    let Some((_, examples)) = EXAMPLES.iter().find(|(of, _)| *of == name) else { return String::new() };
    let line = |(line, what): &(&str, &str)| {
        let plain = |text: &str| text.replace('\\', "\\e").replace('-', "\\-").replace('~', "\\(ti");
        format!(".TP\n\\fB{}\\fR\n{}\n", plain(line), plain(what))
    };
    format!(".SH EXAMPLES\n{}", examples.iter().map(line).collect::<String>())
}

/// The date of all pages, which says when they were last looked through.
const DATE: &str = "November 23, 2026";

/// Returns each page's name and text.
fn pages() -> Vec<(String, String)> {
    let mut farm = Args::command().disable_help_subcommand(true).after_help(Resettable::Reset);
    farm.build();
    let mut pages = vec![page(&farm, "farm", MORE), ("farm.toml.5".to_owned(), manifest())];
    for command in farm.get_subcommands().filter(|it| !["help", "stow", "chkstow"].contains(&it.get_name())) {
        let name = format!("farm-{}", command.get_name());
        pages.push(page(&command.clone().display_name(name.clone()), &name, TAIL));
    }
    pages
}

fn page(command: &clap::Command, name: &str, more: &str) -> (String, String) {
    let mut text = Vec::new();
    let man = clap_mangen::Man::new(command.clone().version(None));
    let man = man.title(name.to_uppercase()).date(DATE).source("farm").manual("farm manual");
    man.render(&mut text).expect("memory takes all");
    let text = String::from_utf8(text).expect("help texts are UTF-8");
    // A break beside an empty line is one too many.
    (format!("{name}.1"), text.replace("\n.br\n\n.br\n", "\n.sp\n") + &examples(name) + more)
}

/// What the page of `farm.toml` begins with, in mdoc.
const MANIFEST_HEAD: &str = r#".Dt FARM.TOML 5
.Os
.Sh NAME
.Nm farm.toml
.Nd what belongs where in a farm
.Sh DESCRIPTION
.Nm
lies at the top of a dotfiles directory and says where its packages land.
It is written in TOML 1.0.
Without one
.Xr farm 1
behaves as
.Xr stow 1
does there;
where it says anything,
.Pa .stowrc
is not read.
.Pp
.Ic farm link ,
.Ic unlink
and
.Ic relink
take packages by their names there;
.Ic farm switch
makes the farm what the file says, in one plan and one generation.
While it has a mistake nothing is changed.
.Ic farm schema
prints a JSON schema of it, and
.Ic farm init
and
.Ic farm import
write one.
.Pp
A target path begins with
.Ql ~/
or
.Ql / .
A source is a path from the directory of
.Nm .
.Sh SESSION
.Ic farm switch
points
.Pa session.sh ,
.Pa session.fish
and
.Pa session.nu
in the state directory, which is
.Pa ~/.local/state/farm
unless
.Xr farm 1
says otherwise, to what
.Ic session
says.
A shell reads it with
.Ql .\& ~/.local/state/farm/session.sh
(sh, bash, zsh) or
.Ql source ,
or prints it with
.Ic farm env .
.Pp
In a directory or a value
.Ql $NAME
and
.Ql ${NAME}
stand for a variable of the shell that starts, nothing when it is not set;
.Ql $$
stands for a dollar, and
.Ql ~/
at the beginning for the home directory.
All else stands for itself: no command is run.
A variable is set after those that its value names.
.Pp
Variables and directories are entered once, by a hash of them in
.Ev __FARM_SESSION :
a shell that was started by one that has them goes past them, unless they have changed.
The lines of
.Ic session.init
are run by every shell that reads the file.
"#;

/// What it ends with.
const MANIFEST_TAIL: &str = r#".Sh EXAMPLES
.Bd -literal
[defaults]
as = "~/.config/{package}"

[package.nvim]

[package.zshrc]
into = "~"

[files]
"~/.ssh/config" = "ssh/ssh-config"

[session.variables]
EDITOR = "nvim"
.Ed
.Sh SEE ALSO
.Xr farm 1 ,
.Xr farm-switch 1 ,
.Xr gitignore 5
"#;

/// Returns the page of `farm.toml`: every key of the table that the reader goes by.
fn manifest() -> String {
    let mut text = format!(".Dd {DATE}\n{MANIFEST_HEAD}") + ".Sh KEYS\n.Bl -tag -width Ds\n";
    if let Shape::Table(keys) = &MANIFEST {
        keys.iter().for_each(|key| write_key("", key, &mut text));
    }
    text + ".El\n" + MANIFEST_TAIL
}

fn write_key(prefix: &str, key: &Key, text: &mut String) {
    let name = format!("{prefix}{}", key.name);
    let takes = takes(&key.shape);
    text.push_str(&format!(".It Ic {} Pq {takes}\n{}\n", escaped(&name), escaped(key.about)));
    write_below(&name, &key.shape, text);
}

fn write_below(name: &str, shape: &Shape, text: &mut String) {
    match shape {
        Shape::Table(keys) => keys.iter().for_each(|key| write_key(&format!("{name}."), key, text)),
        Shape::Named(of, shape) => write_below(&format!("{name}.{of}"), shape, text),
        Shape::Either(shapes) => shapes.iter().for_each(|shape| write_below(name, shape, text)),
        _ => {}
    }
}

/// Returns what a key takes, in roff.
fn takes(shape: &Shape) -> String {
    match shape {
        Shape::Text => "string".to_owned(),
        Shape::Flag => "true or false".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Texts => "list of strings".to_owned(),
        Shape::OneOf(choices) => choices.join(" | "),
        Shape::SomeOf(_) => "list of these".to_owned(),
        Shape::Table(_) => "table".to_owned(),
        Shape::Named(of, shape) => format!("table: {of} = {}", takes(shape)),
        Shape::Either(shapes) => shapes.iter().map(takes).collect::<Vec<_>>().join(", or "),
    }
}

/// Returns a text that roff shows as it is.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('~', "\\(ti").replace(". ", ".\n");
    text.lines()
        .map(|line| if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() })
        .collect::<Vec<_>>()
        .join("\n")
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
    // That of the other dialect is written by hand, and has two names.
    assert_eq!(files, pages.len() + 2, "man/ holds a page too many");
    assert!(man.join("farm-stow.1").is_file());
    let other = std::fs::read_link(man.join("farm-chkstow.1")).expect("the other name");
    assert_eq!(other, std::path::Path::new("farm-stow.1"));
}
