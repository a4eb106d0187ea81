//! What is said of a `farm.toml` with mistakes: where, the line itself with a mark, and what would be right.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use farm::manifest::{Expected, Fault, Mistake, Only, Shape};

use super::super::Exit;
use super::super::lines::Lines;
pub(super) use super::super::manifest::FILE;
use super::super::manifest::Wrong;
use super::{Words, json, shown};

/// What is said of one mistake.
struct Told {
    /// What is wrong.
    title: String,
    /// What would be right, under the mark.
    label: String,
    /// What stands at the other place.
    other: &'static str,
}

impl Words {
    /// Says what is wrong with a manifest; nothing has changed.
    pub fn manifest(&self, wrong: &Wrong) -> Exit {
        let path = shown(&wrong.path.display().to_string());
        let told: Vec<(&Mistake, Told)> =
            wrong.mistakes.iter().map(|mistake| (mistake, tell(mistake, &wrong.text))).collect();
        let lines = Lines::of(&wrong.text);
        for (mistake, told) in &told {
            let span = within(&wrong.text, &mistake.span);
            let other = mistake.other.as_ref().map(|other| within(&wrong.text, other));
            // Whoever renders it looks at all of the text, for each mistake anew.
            let all = other.iter().fold(span.clone(), |all, it| all.start.min(it.start)..all.end.max(it.end));
            let (part, first) = lines.around(&all);
            let here = |it: Range<usize>| it.start - part.start..it.end - part.start;
            let mark = AnnotationKind::Primary.span(here(span)).label(told.label.as_str());
            let other = other.map(|other| AnnotationKind::Context.span(here(other)).label(told.other));
            let snippet = Snippet::source(&wrong.text[part.clone()])
                .line_start(first)
                .path(path.as_str())
                .annotations(std::iter::once(mark).chain(other));
            let report = [Level::ERROR.primary_title(told.title.as_str()).element(snippet)];
            self.to_stderr(&Renderer::styled().render(&report));
        }
        self.to_stderr("nothing was changed");
        if self.json {
            let line = |(mistake, told): &(&Mistake, Told)| {
                let (line, column) = lines.place(mistake.span.start);
                format!("{path}:{line}:{column}: {}: {}", told.title, told.label)
            };
            json::error(&told.iter().map(line).collect::<Vec<_>>().join("\n"));
        }
        Exit::Refused
    }
}

/// Returns a span that lies in the text, whole characters.
fn within(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start);
    start..text.ceil_char_boundary(span.end).max(start)
}

fn tell(mistake: &Mistake, text: &str) -> Told {
    let said = shown(&text[within(text, &mistake.span)]);
    let (title, label) = words(&mistake.fault, &said);
    let other = match mistake.fault {
        Fault::Both(..) => "and this",
        Fault::Twice { .. } => "this has it, too",
        Fault::Within { .. } => "this is linked as a whole",
        _ => "",
    };
    Told { title, label, other }
}

/// Returns what is wrong, and what would be right.
fn words(fault: &Fault, said: &str) -> (String, String) {
    match fault {
        Fault::NotUtf8 => ("the file is not UTF-8".to_owned(), "this byte is no character".to_owned()),
        Fault::Syntax(message) => ("this is not TOML".to_owned(), shown(message)),
        Fault::Version(version) => (
            format!("the file has version {version}, and this farm knows version 1"),
            "use a newer farm, or write `version = 1` and what that version knows".to_owned(),
        ),
        Fault::UnknownKey { nearest: Some(nearest), .. } => {
            (format!("unknown key `{said}`"), format!("did you mean `{nearest}`?"))
        }
        Fault::UnknownKey { keys, .. } => {
            (format!("unknown key `{said}`"), format!("the keys here are {}", listed(keys)))
        }
        Fault::WrongType { expected, found } => {
            (format!("this is {}", a(found)), format!("it takes {}", shape(expected)))
        }
        Fault::UnknownChoice { nearest, choices } => {
            let meant = nearest.map_or(String::new(), |nearest| format!("did you mean \"{nearest}\"? "));
            (format!("unknown value {said}"), format!("{meant}it takes {}", quoted(choices)))
        }
        Fault::Both(first, second) => {
            (format!("`{first}` and `{second}` exclude each other"), "leave one of them out".to_owned())
        }
        Fault::Lacks(keys) => ("this has no content".to_owned(), format!("it needs one of {}", listed(keys))),
        Fault::Useless { key, only } => (format!("`{key}` has no meaning here"), useless(*only)),
        Fault::Glob(message) => ("this is no glob".to_owned(), shown(message)),
        Fault::BadPackage => (
            format!("{said} is no name of a package"),
            "a package is a directory directly beside farm.toml".to_owned(),
        ),
        Fault::BadSource => (
            "this leads out of the dotfiles directory".to_owned(),
            "write a path below the directory of farm.toml".to_owned(),
        ),
        Fault::BadSuffix => (
            "this cannot end the name of a backup".to_owned(),
            "it must not be empty and have no slash".to_owned(),
        ),
        Fault::BadMode => (
            "these are no permissions".to_owned(),
            "write them as \"0644\" or 0o644, 0o777 at the most".to_owned(),
        ),
        Fault::BadVariable => (
            format!("{said} is no name of a variable"),
            "it takes letters, digits and `_`, and begins with no digit".to_owned(),
        ),
        Fault::NotAbsolute => {
            ("nobody knows where this path begins".to_owned(), "begin it with `~/` or `/`".to_owned())
        }
        Fault::OtherHome => (
            "this is the home directory of another user".to_owned(),
            "farm works in your own: begin with `~/`".to_owned(),
        ),
        Fault::NoHome => (
            "nobody knows the home directory".to_owned(),
            "HOME is not set to an absolute path; write the path in full".to_owned(),
        ),
        Fault::Nul => ("there is a NUL in this".to_owned(), "leave it out".to_owned()),
        Fault::Placeholder(found) => (
            format!("{} stands for nothing", shown(found)),
            "only `{package}` does, for the package's name".to_owned(),
        ),
        Fault::Outside { target } => (
            "this lies outside the target".to_owned(),
            format!("everything lands below {}; `target` in [defaults] names another", shown(target)),
        ),
        Fault::Target => (
            "this is the target itself, which is never a link".to_owned(),
            "write `into` in the place of `as`, or a path below it".to_owned(),
        ),
        Fault::Dotfiles => (
            "this is in the dotfiles directory, or holds it".to_owned(),
            "links there would change the packages".to_owned(),
        ),
        Fault::Twice { path, names: [one, other] } => (
            format!("{} and {} have one target path, {}", shown(one), shown(other), shown(path)),
            "give one of them another".to_owned(),
        ),
        Fault::Within { path, names: [one, other] } => (
            format!("{} would be in {}, which is one link to {}", shown(one), shown(path), shown(other)),
            format!("put it into {}, or say `fold = false` there", shown(other)),
        ),
        Fault::NoSource { path, nearest } => (
            format!("there is no {}", shown(path)),
            nearest.as_ref().map_or("make it, or leave this out".to_owned(), |nearest| {
                format!("did you mean {}?", shown(nearest))
            }),
        ),
        Fault::WrongSource { path, expected } => {
            let expected = match expected {
                Expected::Directory => "a directory",
                Expected::File => "a file",
                Expected::FileOrDirectory => "a file or a directory",
            };
            (format!("{} is not {expected}", shown(path)), "name another".to_owned())
        }
        Fault::Template(message) => ("this template cannot be rendered".to_owned(), shown(message)),
        Fault::Unreadable { path, error } => (format!("{} cannot be read", shown(path)), shown(error)),
    }
}

fn useless(only: Only) -> String {
    match only {
        Only::WithSource => "only a source can be a directory",
        Only::ForWritten => {
            "a link has the permissions of its source: change those, or say method = \"copy\""
        }
        Only::WithLinks => "only links are made one by one: leave `method` out",
    }
    .to_owned()
}

/// Returns names as people list them: `a`, `b` and `c`.
fn listed(names: &[&str]) -> String {
    in_row(names.iter().map(|name| format!("`{name}`")).collect(), "and")
}

fn quoted(values: &[&str]) -> String {
    in_row(values.iter().map(|value| format!("\"{value}\"")).collect(), "or")
}

fn in_row(mut words: Vec<String>, last: &str) -> String {
    match (words.pop(), words.is_empty()) {
        (Some(word), true) => word,
        (Some(word), false) => format!("{} {last} {word}", words.join(", ")),
        (None, _) => String::new(),
    }
}

/// Returns what a value may be.
fn shape(shape: &Shape) -> Cow<'static, str> {
    Cow::Borrowed(match shape {
        Shape::Text => "a string",
        Shape::Flag => "true or false",
        Shape::Number => "a whole number",
        Shape::Texts => "a list of strings",
        Shape::OneOf(choices) => return Cow::Owned(quoted(choices)),
        Shape::SomeOf(_) => "a list of these",
        Shape::Table(_) | Shape::Named(..) => "a table",
        Shape::Either(shapes) => {
            let shapes = shapes.iter().map(|of| self::shape(of).into_owned()).collect();
            return Cow::Owned(in_row(shapes, "or"));
        }
    })
}

/// Returns the name of a type with its article.
fn a(found: &str) -> String {
    let vowel = found.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {found}", if vowel { "an" } else { "a" })
}
