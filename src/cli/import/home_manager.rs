//! Home Manager's settings, as `farm.toml` has them.

use super::nix::{Found, HOME, Setting, Value};
use super::{Imported, Importer, Left, Why, as_default};
use crate::cli::draft::{Draft, Line};
use crate::cli::words::Words;

/// A file or directory of Home Manager's.
struct HomeFile<'f> {
    /// Its attributes, without the last.
    path: &'f [String],
    settings: Vec<&'f Setting>,
}

impl HomeFile<'_> {
    fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().copied().find(|setting| setting.path.last().is_some_and(|last| last == key))
    }

    fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)?.value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    fn line(&self) -> usize {
        self.settings.first().map_or(0, |setting| setting.line)
    }

    /// Returns the target path: below the home directory, or one that Home Manager has below it.
    fn target(&self) -> String {
        let named = self.path.last().cloned().unwrap_or_default();
        let named = match self.get("target").map(|setting| &setting.value) {
            Some(Value::Text(target)) => target.clone(),
            _ => named,
        };
        let named = named.trim_start_matches([HOME, '/']);
        match self.path[1].as_str() {
            "configFile" => format!("~/.config/{named}"),
            "dataFile" => format!("~/.local/share/{named}"),
            _ => format!("~/{named}"),
        }
    }
}

impl Importer<'_> {
    fn leave(&mut self, setting: &Setting, why: Why) {
        self.imported.left.push(Left { line: setting.line, what: setting.path.join("."), why });
    }

    /// Returns the draft of what was found.
    pub fn home_manager(
        mut self,
        found: &Found,
        backup: Option<(String, String, usize)>,
        words: &Words,
    ) -> (Draft, Imported) {
        self.imported.left.extend(found.left.iter().cloned());
        let mut draft = Draft { head: words.imported_head(&self.imported.file), ..Draft::default() };
        let mut files: Vec<HomeFile> = Vec::new();
        for setting in &found.settings {
            match setting.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["home" | "xdg", _, _, _] => {
                    let path = &setting.path[..3];
                    match files.iter_mut().find(|file| file.path == path) {
                        Some(file) => file.settings.push(setting),
                        None => files.push(HomeFile { path, settings: vec![setting] }),
                    }
                }
                ["home" | "programs", .., "sessionVariables", name] => {
                    self.variable(name, setting, &mut draft)
                }
                ["home", "sessionPath"] => self.session_path(setting, &mut draft),
                ["programs", ..] => match &setting.value {
                    Value::Text(lines) if !lines.contains(HOME) => {
                        let said = self.said(setting.line);
                        draft.init.push(Line::text("zsh", lines, said));
                    }
                    _ => self.leave(setting, Why::WrongType),
                },
                _ => {}
            }
        }
        // Home Manager takes several; farm has one for each shell.
        draft.init.truncate(1);
        let mut taken = Vec::new();
        for file in &files {
            let target = file.target();
            if taken.contains(&target) {
                self.leave(file.settings[0], Why::Again);
                continue;
            }
            if self.file(file, &target, &mut draft) {
                taken.push(target);
            }
        }
        as_default(&mut draft, words);
        if let Some((extension, file, line)) = backup {
            let comment = words.imported_backup(&file, line);
            draft.defaults.push(Line::text("backup", &format!(".{extension}"), comment));
        }
        draft.foot = words.imported_foot(&self.imported);
        (draft, self.imported)
    }

    /// Enters a file into the draft, unless something keeps it out.
    fn file(&mut self, file: &HomeFile, target: &str, draft: &mut Draft) -> bool {
        let comment = self.said(file.line());
        let mut lines = Vec::new();
        let Some(content) = file.get("source").or_else(|| file.get("text")) else {
            self.leave(file.settings[0], Why::NoContent);
            return false;
        };
        let is_text = content.path.last().is_some_and(|key| key == "text");
        let source = match (&content.value, is_text) {
            (Value::ContentOf(path), true) | (Value::Path(path) | Value::Text(path), false) => {
                match self.source(path) {
                    Ok(source) => Some(source),
                    Err(why) => {
                        self.leave(content, why);
                        return false;
                    }
                }
            }
            (Value::Text(text), true) => {
                let home =
                    self.home.as_ref().map(|home| home.to_string_lossy().into_owned()).unwrap_or_default();
                lines.push(Line::text("text", &text.replace(HOME, &home), ""));
                None
            }
            _ => {
                self.leave(content, Why::WrongType);
                return false;
            }
        };
        match (file.flag("executable"), &source) {
            (Some(executable), None) => lines.push(Line::flag("executable", executable, "")),
            (Some(true), Some(_)) => {
                let setting = file.get("executable").unwrap_or(content);
                self.leave(setting, Why::Executable);
            }
            _ => {}
        }
        let mut keep = |key: &str, value: bool| {
            if file.flag(key) == Some(value) {
                lines.push(Line::flag(key, value, ""));
            }
        };
        keep("enable", false);
        keep("force", true);
        if source.as_ref().is_some_and(|source| self.dir.join(source).is_dir()) {
            keep("recursive", true);
        }
        match file.get("onChange").map(|setting| (&setting.value, setting)) {
            Some((Value::Text(command), _)) if !command.contains(HOME) => {
                lines.push(Line::text("on-change", command, ""));
            }
            Some((_, setting)) => self.leave(setting, Why::WrongType),
            None => {}
        }
        self.enter(target, source, lines, comment, draft);
        true
    }

    fn variable(&mut self, name: &str, setting: &Setting, draft: &mut Draft) {
        let value = match &setting.value {
            Value::Text(text) => match in_session(text) {
                Some(text) => text,
                None => return self.leave(setting, Why::ShellCode),
            },
            Value::Path(path) => path.clone(),
            Value::Number(number) => number.to_string(),
            // Home Manager writes them as Nix does.
            Value::Flag(flag) => if *flag { "1" } else { "" }.to_owned(),
            _ => return self.leave(setting, Why::WrongType),
        };
        draft.variables.push(Line::text(name, &value, self.said(setting.line)));
    }

    fn session_path(&mut self, setting: &Setting, draft: &mut Draft) {
        let Value::List(dirs) = &setting.value else { return self.leave(setting, Why::WrongType) };
        for (dir, line) in dirs {
            let dir = match dir {
                Value::Text(text) => in_session(text),
                Value::Path(path) => Some(path.clone()),
                _ => None,
            };
            match dir {
                Some(dir) => draft.path.push((dir, format!("{}:{line}", self.imported.file))),
                None => self.leave(setting, Why::ShellCode),
            }
        }
    }
}

/// Returns what Home Manager puts between double quotes of a shell as farm.toml writes it; `None` when the shell would
/// run something or do more than put variables in.
fn in_session(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            HOME => out += "$HOME",
            '`' => return None,
            '\\' if matches!(chars.peek(), Some('"' | '\\' | '`')) => out.extend(chars.next()),
            '\\' if chars.peek() == Some(&'$') => {
                chars.next();
                out += "$$";
            }
            '$' => match chars.peek() {
                Some('{') => {
                    let rest: String = chars.clone().skip(1).take_while(|&c| c != '}').collect();
                    if rest.is_empty() || !rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                        return None;
                    }
                    out.push('$');
                }
                Some(c) if c.is_ascii_alphabetic() || *c == '_' => out.push('$'),
                Some(c) if !c.is_whitespace() && !"/:.,\"'".contains(*c) => return None,
                _ => out += "$$",
            },
            c => out.push(c),
        }
    }
    Some(out)
}
