//! A `farm.toml` that is being written, with a comment on each line of it.

use toml_writer::{ToTomlKey as _, ToTomlValue as _, TomlKeyBuilder, TomlStringBuilder};

/// What a draft says.
#[derive(Clone, Default, Debug)]
pub struct Draft {
    /// What the file is, before everything.
    pub head: Vec<String>,
    /// Keys of `[defaults]`.
    pub defaults: Vec<Line>,
    /// Packages.
    pub packages: Vec<Table>,
    /// Files that are only a source.
    pub files: Vec<Line>,
    /// Other files.
    pub tables: Vec<Table>,
    /// Directories for `PATH`, with their comments.
    pub path: Vec<(String, String)>,
    /// Variables.
    pub variables: Vec<Line>,
    /// Lines for shells.
    pub init: Vec<Line>,
    /// What is only said in comments, at the end.
    pub foot: Vec<String>,
}

/// A key, its value as TOML, and a comment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    key: String,
    value: String,
    comment: String,
}

/// A table of one package or file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// Its name, a package's or a target path.
    pub name: String,
    /// What it is.
    pub comment: String,
    /// Its keys.
    pub lines: Vec<Line>,
    /// Whether it counts.
    pub counts: Counts,
}

/// Whether a table counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counts {
    /// It does.
    Yes,
    /// It stands in a comment.
    No,
}

impl Line {
    /// Returns a key with a string.
    pub fn text(key: &str, value: &str, comment: impl Into<String>) -> Line {
        Line { key: self::key(key), value: text(value), comment: comment.into() }
    }

    /// Returns a key with a list of strings.
    pub fn texts(key: &str, values: &[String], comment: impl Into<String>) -> Line {
        let values: Vec<String> = values.iter().map(|value| text(value)).collect();
        Line { key: self::key(key), value: format!("[{}]", values.join(", ")), comment: comment.into() }
    }

    /// Returns a key with `true` or `false`.
    pub fn flag(key: &str, value: bool, comment: impl Into<String>) -> Line {
        Line { key: self::key(key), value: value.to_string(), comment: comment.into() }
    }
}

impl Draft {
    /// Tells whether it says nothing of any farm.
    pub fn is_empty(&self) -> bool {
        self.defaults.is_empty()
            && self.packages.is_empty()
            && self.files.is_empty()
            && self.tables.is_empty()
            && self.path.is_empty()
            && self.variables.is_empty()
            && self.init.is_empty()
    }

    /// Returns it as TOML.
    pub fn to_toml(&self) -> String {
        let mut out: Vec<String> = self.head.iter().map(|line| commented(line)).collect();
        out.push("version = 1".to_owned());
        section(&mut out, "[defaults]", &self.defaults);
        if !self.packages.is_empty() {
            out.push(String::new());
        }
        self.packages.iter().for_each(|table| table.write("package", &mut out));
        section(&mut out, "[files]", &self.files);
        for table in &self.tables {
            out.push(String::new());
            table.write("file", &mut out);
        }
        if !self.path.is_empty() {
            out.extend([String::new(), "[session]".to_owned(), "path = [".to_owned()]);
            let dirs =
                self.path.iter().map(|(dir, comment)| format!("  {},  {}", text(dir), commented(comment)));
            out.extend(dirs);
            out.push("]".to_owned());
        }
        section(&mut out, "[session.variables]", &self.variables);
        section(&mut out, "[session.init]", &self.init);
        if !self.foot.is_empty() {
            out.push(String::new());
            out.extend(self.foot.iter().map(|line| commented(line)));
        }
        out.join("\n") + "\n"
    }
}

impl Table {
    fn write(&self, kind: &str, out: &mut Vec<String>) {
        let mut lines = vec![format!("[{kind}.{}]", key(&self.name))];
        lines.extend(self.lines.iter().map(|line| format!("{} = {}", line.key, line.value)));
        let comments = std::iter::once(&self.comment).chain(self.lines.iter().map(|line| &line.comment));
        let lines = aligned(lines.into_iter().zip(comments));
        out.extend(lines.into_iter().map(|line| match self.counts {
            Counts::Yes => line,
            Counts::No => format!("# {line}"),
        }));
    }
}

fn section(out: &mut Vec<String>, head: &str, lines: &[Line]) {
    if lines.is_empty() {
        return;
    }
    out.extend([String::new(), head.to_owned()]);
    let pairs = lines.iter().map(|line| (format!("{} = {}", line.key, line.value), &line.comment));
    out.extend(aligned(pairs));
}

/// Returns lines with their comments in one column; before a line that is long, or several, the comment has its own.
fn aligned<'a>(lines: impl Iterator<Item = (String, &'a String)>) -> Vec<String> {
    const LONG: usize = 60;
    let lines: Vec<(String, &String)> = lines.collect();
    let is_long = |line: &str| line.contains('\n') || line.chars().count() > LONG;
    let short = lines.iter().filter(|(line, _)| !is_long(line));
    let width = short.map(|(line, _)| line.chars().count()).max().unwrap_or(0);
    let line = |(line, comment): (String, &String)| match (comment.is_empty(), is_long(&line)) {
        (true, _) => line,
        (false, true) => format!("{}\n{line}", commented(comment)),
        (false, false) => format!("{line:width$}  {}", commented(comment)),
    };
    lines.into_iter().map(line).collect()
}

/// Returns a comment of one line, whatever is in it.
fn commented(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("# {plain}").trim_end().to_owned()
}

fn text(value: &str) -> String {
    TomlStringBuilder::new(value).as_default().to_toml_value()
}

fn key(name: &str) -> String {
    TomlKeyBuilder::new(name).as_default().to_toml_key()
}
