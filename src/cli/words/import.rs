//! What `farm init` and `farm import` say, in messages and in the comments that they write.

use super::super::create::Made;
use super::super::import::{Imported, Left, Why};
use super::{HINT, WARNING, Words, shown, to_stdout};

impl Words {
    /// Returns what an imported manifest begins with.
    pub fn imported_head(&self, file: &str) -> Vec<String> {
        vec![
            format!("Written by `farm import {file}`; the numbers are lines of that file."),
            "`farm switch -n` shows what it makes, `farm switch` makes it, and man 5 farm.toml has every key.".to_owned(),
        ]
    }

    /// Returns what an imported manifest ends with.
    pub fn imported_foot(&self, imported: &Imported) -> Vec<String> {
        let mut foot = Vec::new();
        if !imported.left.is_empty() {
            foot.push("Left out:".to_owned());
        }
        let mut left: Vec<&Left> = imported.left.iter().collect();
        left.sort_by_key(|left| left.line);
        foot.extend(left.into_iter().map(|left| format!("  {}", left_out(&imported.file, left))));
        foot
    }

    /// Returns the comment on where most packages land.
    pub fn default_as(&self) -> &'static str {
        "where a package lands that does not say so itself"
    }

    /// Returns the comment on a target outside the home.
    pub fn default_target(&self) -> &'static str {
        "as `farm init` was told; all that is named below lands in it"
    }

    /// Returns the comment on how backups end.
    pub fn imported_backup(&self, file: &str, line: usize) -> String {
        format!("{file}:{line}: what is in the way keeps its name, with this behind it")
    }

    /// Says what came of an import.
    pub fn imported(&self, imported: &Imported, made: &Made) {
        self.made(made);
        self.left_out(imported);
    }

    /// Says what an import could not say.
    pub fn left_out(&self, imported: &Imported) {
        if self.quiet {
            return;
        }
        for left in &imported.left {
            self.to_stderr(&format!(
                "{WARNING}warning:{WARNING:#} left out {}",
                shown(&left_out(&imported.file, left))
            ));
        }
        match imported.in_comments {
            0 => {}
            1 => self.hint("1 setting is in a comment: --commented reads it, too"),
            n => self.hint(&format!("{n} settings are in comments: --commented reads them, too")),
        }
    }

    /// Says that a manifest was written.
    pub fn made(&self, made: &Made) {
        if self.dry_run || self.quiet || self.json {
            return;
        }
        let count = |count: usize, one: &str| match count {
            1 => format!("1 {one}"),
            n => format!("{n} {one}s"),
        };
        let path = shown(&made.path.display().to_string());
        to_stdout(&format!(
            "wrote {path}: {}, {}",
            count(made.packages, "package"),
            count(made.files, "file")
        ));
        self.hint("`farm switch -n` shows what it makes");
    }

    fn hint(&self, hint: &str) {
        self.to_stderr(&format!("{HINT}hint:{HINT:#} {hint}"));
    }

    /// Returns what a manifest from what is there begins with.
    pub fn init_head(&self) -> Vec<String> {
        vec![
            "Written by `farm init` from what was there. `farm switch -n` shows what it makes, `farm switch` makes it,".to_owned(),
            "and man 5 farm.toml has every key.".to_owned(),
        ]
    }

    /// Returns a comment of `farm init`.
    pub fn init_comment(&self, why: &Because) -> String {
        match why {
            Because::Linked(path) => format!("{path} leads here"),
            Because::NotLinked => "nothing leads here yet: take the # away to link it".to_owned(),
            Because::Home => "its content has the names of a home directory".to_owned(),
            Because::Flat => "a plain directory, linked as a whole".to_owned(),
            Because::StowRc(option) => format!(".stowrc: {option}"),
            Because::StowIgnores(patterns) => format!(
                ".stowrc ignores what matches the regular expressions {}: say it in gitignore syntax in `ignore` of [defaults]",
                patterns.join(", ")
            ),
        }
    }
}

/// Why `farm init` writes a line.
#[derive(Debug)]
pub enum Because {
    /// A link at this path leads there.
    Linked(String),
    /// No link leads there.
    NotLinked,
    /// What is in it is hidden, as in a home directory.
    Home,
    /// What is in it is not.
    Flat,
    /// `.stowrc` says so, with this option.
    StowRc(&'static str),
    /// `.stowrc` ignores these.
    StowIgnores(Vec<String>),
}

fn left_out(file: &str, left: &Left) -> String {
    let what = if left.what.is_empty() { String::new() } else { format!("{}: ", left.what) };
    let why = match &left.why {
        Why::TakesNix(code) => {
            let code: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
            let short: String = code.chars().take(60).collect();
            let end = if short.len() < code.len() { "…" } else { "" };
            format!("it takes Nix to know `{short}{end}`")
        }
        Why::OtherSetting => "it is no setting of files or of the session".to_owned(),
        Why::WrongType => "a value of another type, or with the home directory in it".to_owned(),
        Why::Executable => "a link has the permissions of its source: change those".to_owned(),
        Why::ShellCode => "farm puts variables in, and runs no code of a shell".to_owned(),
        Why::Outside(path) => format!("{path} is not in the dotfiles directory"),
        Why::Missing(path) => format!("there is no {path}"),
        Why::Again => "its target path is taken by one before".to_owned(),
        Why::NoContent => "nothing says where its content comes from".to_owned(),
        Why::Variable => "of variables farm knows only $HOME in paths".to_owned(),
        Why::NotInHome => "it is not in the home directory".to_owned(),
        Why::Condition(command) => {
            format!("farm runs no command to decide, such as `{command}`; `when.os` and `when.host` may do")
        }
        Why::Pattern(pattern) => format!("the pattern {pattern}: name each, or the directory that has them"),
        Why::HardLink => "farm makes symbolic links".to_owned(),
        Why::Create => "create: farm makes the directories that links need".to_owned(),
        Why::Shell(command) => {
            format!("shell: farm runs commands only where a file has changed: `{command}`")
        }
        Why::Clean => "clean: farm removes the links that it no longer makes".to_owned(),
    };
    format!("{file}:{}: {what}{why}", left.line)
}
