//! The text form of scenarios: written by the recorder, read by the replay, reviewed by people.
//!
//! ```text
//! ## unfolds a directory that two packages share
//! file t/stow/p1/a/f
//! file t/stow/p2/a/g "some text\n"
//! exec t/stow/p2/run
//! link t/x -> ../foreign
//! in t/stow $ stow -v p1
//!   exit 0
//!   2| LINK: a => stow/p1/a
//!   link t/a -> stow/p1/a
//! gone t/stow/p1/a/f
//! in t/stow $ STOW_DIR={R}/stow stow p2
//! ```
//!
//! A file without text holds its own path. Lines before a call are edits; indented lines are its outcome: exit
//! status, `1|` standard output, `2|` standard error, and what changed.

use super::scenario::{Call, Edit, Node, Outcome, Scenario, Status, Step};
use std::fmt::{self, Write};

/// Quotes a word unless it can stand as it is.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/+~,=@{}#:|^$*()?!-%<>".contains(c);
    if !word.is_empty() && word != "->" && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("{word:?}")
    }
}

fn write_edit(f: &mut impl Write, indent: &str, edit: &Edit) -> fmt::Result {
    let path = quote(&edit.path);
    match &edit.node {
        None => writeln!(f, "{indent}gone {path}"),
        Some(Node::Dir) => writeln!(f, "{indent}dir {path}"),
        Some(Node::Link(text)) => writeln!(f, "{indent}link {path} -> {}", quote(text)),
        Some(Node::File { text, exec }) => {
            let kind = if *exec { "exec" } else { "file" };
            if *text == edit.path {
                writeln!(f, "{indent}{kind} {path}")
            } else {
                writeln!(f, "{indent}{kind} {path} {text:?}")
            }
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in {} $ ", quote(&self.cwd))?;
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quote(value))?;
        }
        write!(f, "stow")?;
        for arg in &self.args {
            write!(f, " {}", quote(arg))?;
        }
        Ok(())
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Other => write!(f, "other"),
            Self::Hangs => write!(f, "hangs"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  exit {}", self.status)?;
        for line in &self.out {
            writeln!(f, "  1| {line}")?;
        }
        for line in &self.err {
            writeln!(f, "  2| {line}")?;
        }
        for change in &self.changes {
            write_edit(f, "  ", change)?;
        }
        Ok(())
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}", self.title)?;
        for edit in &self.start {
            write_edit(f, "", edit)?;
        }
        for step in &self.steps {
            for edit in &step.edits {
                write_edit(f, "", edit)?;
            }
            writeln!(f, "{}", step.call)?;
            if let Some(outcome) = &step.outcome {
                write!(f, "{outcome}")?;
            }
        }
        Ok(())
    }
}

/// Splits a line into words, undoing [`quote`].
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if_eq(&' ').is_some() {}
        let Some(&first) = chars.peek() else {
            return Ok(words);
        };
        let mut word = String::new();
        // NAME="quoted value" is one word, so a quote may open anywhere.
        let mut quoted = false;
        if first == '"' {
            chars.next();
            quoted = true;
        }
        loop {
            match chars.next() {
                None if quoted => return Err(format!("quote without end: {line}")),
                None => break,
                Some(' ') if !quoted => break,
                Some('"') if quoted => quoted = false,
                Some('"') => quoted = true,
                Some('\\') if quoted => word.push(match chars.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('r') => '\r',
                    Some('0') => '\0',
                    Some(c @ ('"' | '\\' | '\'')) => c,
                    Some('u') => {
                        let code: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                        u32::from_str_radix(&code, 16)
                            .ok()
                            .and_then(char::from_u32)
                            .ok_or_else(|| format!("bad escape: {line}"))?
                    }
                    _ => return Err(format!("bad escape: {line}")),
                }),
                Some(c) => word.push(c),
            }
        }
        words.push(word);
    }
}

fn read_edit(line: &str) -> Result<Edit, String> {
    let words = words(line)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Ok(match words[..] {
        ["gone", path] => Edit::gone(path),
        ["dir", path] => Edit::dir(path),
        ["link", path, "->", text] => Edit::link(path, text),
        [kind @ ("file" | "exec"), path] => {
            Edit::set(path, Node::File { text: path.to_owned(), exec: kind == "exec" })
        }
        [kind @ ("file" | "exec"), path, text] => {
            Edit::set(path, Node::File { text: text.to_owned(), exec: kind == "exec" })
        }
        _ => return Err(format!("not an edit: {line}")),
    })
}

fn read_call(line: &str) -> Result<Call, String> {
    let wrong = || format!("not a call: {line}");
    let mut words = words(line)?.into_iter();
    words.next();
    let cwd = words.next().ok_or_else(wrong)?;
    if words.next().as_deref() != Some("$") {
        return Err(wrong());
    }
    let mut env = Vec::new();
    loop {
        let word = words.next().ok_or_else(wrong)?;
        if word == "stow" {
            break;
        }
        let (name, value) = word.split_once('=').ok_or_else(wrong)?;
        env.push((name.to_owned(), value.to_owned()));
    }
    Ok(Call { cwd, env, args: words.collect() })
}

fn read_outcome_line(outcome: &mut Option<Outcome>, line: &str) -> Result<(), String> {
    if let Some(status) = line.strip_prefix("exit ") {
        let status = match status {
            "other" => Status::Other,
            "hangs" => Status::Hangs,
            code => Status::Code(code.parse().map_err(|_| format!("bad status: {code}"))?),
        };
        *outcome = Some(Outcome { status, out: Vec::new(), err: Vec::new(), changes: Vec::new() });
        return Ok(());
    }
    let Some(outcome) = outcome else {
        return Err(format!("an outcome begins with its exit status: {line}"));
    };
    match line.split_at_checked(2) {
        Some(("1|", text)) => outcome.out.push(text.strip_prefix(' ').unwrap_or(text).to_owned()),
        Some(("2|", text)) => outcome.err.push(text.strip_prefix(' ').unwrap_or(text).to_owned()),
        _ => outcome.changes.push(read_edit(line)?),
    }
    Ok(())
}

/// Reads a file of scenarios; lines before the first title are a comment.
pub fn read(text: &str) -> Result<Vec<Scenario>, String> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    let mut edits = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let at = |message: String| format!("line {}: {message}", number + 1);
        if let Some(title) = line.strip_prefix("## ") {
            if let Some(last) = scenarios.last_mut()
                && last.steps.is_empty()
            {
                return Err(at(format!("no call in “{}”", last.title)));
            }
            edits.clear();
            scenarios.push(Scenario { title: title.to_owned(), start: Vec::new(), steps: Vec::new() });
            continue;
        }
        let Some(scenario) = scenarios.last_mut() else {
            continue;
        };
        if let Some(line) = line.strip_prefix("  ") {
            let step = scenario.steps.last_mut().ok_or_else(|| at("an outcome without a call".into()))?;
            read_outcome_line(&mut step.outcome, line).map_err(at)?;
        } else if line.starts_with("in ") {
            let call = read_call(line).map_err(at)?;
            // The edits before the first call are the start.
            let mut edits = std::mem::take(&mut edits);
            if scenario.steps.is_empty() {
                scenario.start = std::mem::take(&mut edits);
            }
            scenario.steps.push(Step { edits, call, outcome: None });
        } else if !line.trim().is_empty() && !line.starts_with("# ") {
            edits.push(read_edit(line).map_err(at)?);
        }
    }
    Ok(scenarios)
}
