//! Dotbot's `install.conf.yaml`: its links, as `farm.toml` has them.

use saphyr::{LoadableYamlNode as _, MarkedYaml};

use super::{Imported, Importer, Left, Why, as_default};
use crate::cli::draft::{Counts, Draft, Line, Table};
use crate::cli::words::Words;

/// What a link may say, and `defaults` for all links after it.
#[derive(Clone, Default)]
struct Link {
    path: Option<String>,
    force: bool,
    glob: bool,
    /// More than a pattern that says which sources count and how they are called.
    chooses: bool,
    hard: bool,
    condition: Option<String>,
}

impl Link {
    /// Takes what a mapping says over what is said already; returns the keys that are not known, with their lines.
    fn take(&mut self, said: &MarkedYaml) -> Vec<(String, usize)> {
        let mut unknown = Vec::new();
        for (key, value) in said.data.as_mapping().into_iter().flatten() {
            let flag = || value.data.as_bool().unwrap_or(false);
            let text = || text(value).filter(|text| !text.is_empty());
            match key.data.as_str().unwrap_or_default() {
                "path" => self.path = text(),
                "force" => self.force = flag(),
                "glob" => self.glob = flag(),
                "exclude" => self.chooses |= value.data.as_vec().is_some_and(|list| !list.is_empty()),
                "prefix" => self.chooses |= text().is_some(),
                "if" => self.condition = text(),
                "type" => self.hard = text().as_deref() == Some("hardlink"),
                // Of farm's links these are true, or do not matter.
                "create" | "relink" | "relative" | "canonicalize" | "canonicalize-path"
                | "ignore-missing" => {}
                key => unknown.push((key.to_owned(), line(value))),
            }
        }
        unknown
    }
}

impl Importer<'_> {
    /// Returns the draft of what dotbot's configuration says.
    ///
    /// # Errors
    /// The line, from one, at which it is no YAML, and what is wrong there; or at which it is not dotbot's.
    pub fn dotbot(
        mut self,
        config: &str,
        words: &Words,
    ) -> Result<(Draft, Imported), (usize, Option<String>)> {
        let documents = MarkedYaml::load_from_str(config)
            .map_err(|error| (error.marker().line(), Some(error.info().to_owned())))?;
        let tasks = match documents.first() {
            Some(document) => document.data.as_vec().ok_or((line(document), None))?,
            None => return Err((1, None)),
        };
        let mut draft = Draft { head: words.imported_head(&self.imported.file), ..Draft::default() };
        let (mut usual, mut taken) = (Link::default(), Vec::new());
        for task in tasks {
            for (directive, said) in task.data.as_mapping().ok_or((line(task), None))? {
                match directive.data.as_str().unwrap_or_default() {
                    "defaults" => self.defaults(&mut usual, said),
                    "link" => {
                        for (target, said) in said.data.as_mapping().ok_or((line(said), None))? {
                            let link = self.link(target, said, &usual);
                            let entered = link.and_then(|(link, target)| {
                                match taken.contains(&target) {
                                    true => Err(Why::Again),
                                    false => self.enter_link(&target, link, line(said), &mut draft),
                                }?;
                                Ok(target)
                            });
                            match entered {
                                Ok(target) => taken.push(target),
                                Err(why) => self.leave_out(target, text(target), why),
                            }
                        }
                    }
                    "create" => self.leave_out(directive, None, Why::Create),
                    "clean" => self.leave_out(directive, None, Why::Clean),
                    "shell" => {
                        for command in said.data.as_vec().into_iter().flatten() {
                            self.leave_out(command, None, Why::Shell(shell_command(command)));
                        }
                    }
                    other => self.leave_out(directive, Some(other.to_owned()), Why::OtherSetting),
                }
            }
        }
        as_default(&mut draft, words);
        draft.foot = words.imported_foot(&self.imported);
        Ok((draft, self.imported))
    }

    fn leave_out(&mut self, node: &MarkedYaml, what: Option<String>, why: Why) {
        self.imported.left.push(Left { line: line(node), what: what.unwrap_or_default(), why });
    }

    fn leave_keys(&mut self, unknown: Vec<(String, usize)>) {
        let left = |(what, line)| Left { line, what, why: Why::OtherSetting };
        self.imported.left.extend(unknown.into_iter().map(left));
    }

    fn defaults(&mut self, usual: &mut Link, said: &MarkedYaml) {
        for (directive, said) in said.data.as_mapping().into_iter().flatten() {
            if directive.data.as_str() == Some("link") {
                *usual = Link::default();
                let unknown = usual.take(said);
                self.leave_keys(unknown);
            }
        }
    }

    /// Returns what a link says, with its source, and its target path.
    fn link(&mut self, target: &MarkedYaml, said: &MarkedYaml, usual: &Link) -> Result<(Link, String), Why> {
        let mut link = usual.clone();
        match text(said) {
            Some(path) => link.path = Some(path),
            None => {
                let unknown = link.take(said);
                self.leave_keys(unknown);
            }
        }
        let target = self.expanded(&text(target).unwrap_or_default())?;
        let target = target.trim_end_matches('/').to_owned();
        if !target.starts_with("~/") {
            return Err(Why::NotInHome);
        }
        if link.path.is_none() {
            // Without a source it is the target's name, not hidden.
            let name = target.rsplit('/').next().unwrap_or_default();
            link.path = Some(name.strip_prefix('.').unwrap_or(name).to_owned());
        }
        Ok((link, target))
    }

    /// Enters a link into the draft, unless something keeps it out.
    fn enter_link(&mut self, target: &str, link: Link, line: usize, draft: &mut Draft) -> Result<(), Why> {
        let Link { path, force, glob, chooses, hard, condition } = link;
        if let Some(condition) = condition {
            return Err(Why::Condition(condition));
        }
        if hard {
            return Err(Why::HardLink);
        }
        let path = self.expanded(&path.unwrap_or_default())?;
        let comment = self.said(line);
        let lines: Vec<Line> = force.then(|| Line::flag("force", true, "")).into_iter().collect();
        if glob && path.contains(['*', '?', '[']) {
            // All that is in a directory: what `into` is for.
            let dir = path.strip_suffix("/*").filter(|dir| !chooses && !dir.contains(['*', '?', '[']));
            let dir = self.source_of(dir.ok_or(Why::Pattern(path.clone()))?)?;
            let name = dir.rsplit('/').next().unwrap_or_default().to_owned();
            if draft.packages.iter().any(|table| table.name == name) {
                return Err(Why::Again);
            }
            let mut lines = vec![Line::text("into", target, "")];
            if name != dir {
                lines.push(Line::text("source", &dir, ""));
            }
            draft.packages.push(Table { name, comment, lines, counts: Counts::Yes });
            return Ok(());
        }
        let source = self.source_of(&path)?;
        self.enter(target, Some(source), lines, comment, draft);
        Ok(())
    }

    /// Returns the path in the dotfiles directory that a source is: dotbot's base directory is mostly that.
    fn source_of(&self, path: &str) -> Result<String, Why> {
        let in_dir = self.dir.join(path);
        let based = in_dir.symlink_metadata().ok().and_then(|_| in_dir.to_str());
        self.source(based.unwrap_or(path))
    }

    /// Returns a path with the home directory as `~`.
    fn expanded(&self, path: &str) -> Result<String, Why> {
        let home = self.home.as_ref().and_then(|home| home.to_str()).filter(|home| home.len() > 1);
        let homes = ["$HOME", "${HOME}"].into_iter().chain(home);
        let below = homes.filter_map(|home| path.strip_prefix(home)).find(|rest| rest.starts_with('/'));
        let path = below.map_or(path.to_owned(), |rest| format!("~{rest}"));
        if path.contains('$') { Err(Why::Variable) } else { Ok(path) }
    }
}

fn line(node: &MarkedYaml) -> usize {
    node.span.start.line()
}

fn text(node: &MarkedYaml) -> Option<String> {
    node.data.as_str().map(str::to_owned)
}

/// Returns the command of one line of `shell`: a string, the first of a list, or under `command`.
fn shell_command(said: &MarkedYaml) -> String {
    let first = said.data.as_vec().and_then(|list| list.first());
    let named = said.data.as_mapping_get("command");
    text(said).or_else(|| text(first?)).or_else(|| text(named?)).unwrap_or_default()
}
