//! Farm's own rules: gitignore patterns from several places, the later ones over the earlier, on top of a built-in list.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder, Glob};

use super::builtin::LIST_NAME;
use super::stow::{IgnoreList, StowRules};
use super::{Candidate, Kept};
use crate::path::{Name, RelPath};

/// The file of gitignore patterns that a package or a dotfiles directory may hold.
pub const FARMIGNORE: &str = ".farmignore";

/// A pattern that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("bad pattern `{pattern}`: {message}")]
pub struct PatternError {
    /// The pattern as written.
    pub pattern: String,
    /// What is wrong with it.
    pub message: String,
}

/// The directory that a list's patterns count from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Base {
    /// The package.
    Package,
    /// The dotfiles directory, which holds the packages.
    Dotfiles,
}

/// A list of gitignore patterns.
#[derive(Clone, Debug)]
pub struct GlobList {
    base: Base,
    list: Arc<Gitignore>,
    /// What the names that it matches begin and end with.
    ends: Arc<[Ends]>,
    /// The file it stands in, with its text, when it is one of a line for each pattern.
    file: Option<Arc<(PathBuf, Vec<u8>)>>,
    /// What it goes by in messages without one.
    option: &'static str,
}

impl GlobList {
    /// Returns the list with these lines.
    ///
    /// # Errors
    /// The first pattern that gitignore syntax does not allow.
    pub fn new(base: Base, lines: &[u8]) -> Result<GlobList, PatternError> {
        let ends = lines.split(|&b| b == b'\n').filter_map(Ends::of_line).collect();
        Ok(GlobList { base, list: Arc::new(gitignore(lines)?), ends, file: None, option: "" })
    }

    /// Tells whether the list may have an opinion on an entry of this name; a look that most names do not pass.
    fn may_match(&self, name: &[u8]) -> bool {
        self.ends.iter().any(|ends| ends.are_of(name))
    }

    /// Returns the same list, which stands in the file at `path` with this text.
    #[must_use]
    pub fn in_file(self, path: PathBuf, text: Vec<u8>) -> GlobList {
        GlobList { file: Some(Arc::new((path, text))), ..self }
    }

    /// Returns the same list, which an option or a key gives.
    #[must_use]
    pub fn of_option(self, option: &'static str) -> GlobList {
        GlobList { option, ..self }
    }

    /// Returns where a pattern of the list stands. Of equal ones the last counts.
    fn origin(&self, pattern: &str) -> Kept {
        let pattern = pattern.to_owned();
        let Some(file) = &self.file else { return Kept::ByOption { option: self.option, pattern } };
        let (path, text) = &**file;
        let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
        let same = |line: &&[u8]| String::from_utf8_lossy(line).trim_end() == pattern.trim_end();
        let line = lines.iter().rposition(same).map_or(0, |at| at + 1);
        Kept::ByFile { file: path.clone(), line, pattern }
    }
}

/// What every name begins and ends with that a gitignore pattern can match.
#[derive(Debug)]
struct Ends {
    start: String,
    end: String,
}

impl Ends {
    /// Returns those of a line's pattern, if it has one. Both are empty where it takes more than a look to tell.
    fn of_line(line: &[u8]) -> Option<Ends> {
        let line = String::from_utf8_lossy(line);
        let pattern = line.trim_end();
        if pattern.is_empty() || pattern.starts_with('#') {
            return None;
        }
        let pattern = pattern.strip_prefix('!').unwrap_or(pattern).trim_end_matches('/');
        let name = pattern.rsplit('/').next().unwrap_or(pattern);
        // A class may hold a slash, and a slash may be what is escaped.
        if pattern.contains(['\\', '[', ']', '{', '}']) || name.contains("**") {
            return Some(Ends { start: String::new(), end: String::new() });
        }
        let is_wild = |c: char| matches!(c, '*' | '?');
        let start = name.split(is_wild).next().unwrap_or_default();
        let end = name.rsplit(is_wild).next().unwrap_or_default();
        Some(Ends { start: start.to_owned(), end: end.to_owned() })
    }

    fn are_of(&self, name: &[u8]) -> bool {
        // Comparing nothing with a name takes longer than comparing something: it reads where no memory is.
        (self.start.is_empty() || name.starts_with(self.start.as_bytes()))
            && (self.end.is_empty() || name.ends_with(self.end.as_bytes()))
    }
}

/// Farm's own rules for one package.
#[derive(Clone, Debug)]
pub struct NativeRules {
    package: Name,
    /// The user's lists, the weakest first.
    lists: Vec<GlobList>,
    /// What holds where no list has an opinion: the package's `.stow-local-ignore` with its meaning, else the
    /// built-in list; and the patterns of a `.stowrc`.
    base: StowRules,
}

/// Files that say something about the package they lie in, and are no part of it.
const OWN: [&[u8]; 2] = [FARMIGNORE.as_bytes(), LIST_NAME];

/// What the Finder leaves in every directory that it shows.
const FINDER: &[u8] = b".DS_Store";

impl NativeRules {
    /// Returns the rules of `package`: the later lists have the last word, `base` the first.
    pub fn new(package: Name, lists: Vec<GlobList>, base: StowRules) -> NativeRules {
        let lists = lists.into_iter().filter(|list| !list.list.is_empty()).collect();
        NativeRules { package, lists, base }
    }

    /// Tells what the strongest list with an opinion says; `None` without one.
    fn verdict(&self, candidate: &Candidate) -> Option<bool> {
        self.strongest(candidate).map(|(_, found)| found.is_ignore())
    }

    /// Returns the strongest list with an opinion, and its pattern.
    fn strongest(&self, candidate: &Candidate) -> Option<(&GlobList, Match<&Glob>)> {
        if !self.lists.iter().any(|list| list.may_match(candidate.name)) {
            return None;
        }
        let path = candidate.source_dir.join_segment(candidate.name);
        self.lists.iter().rev().filter(|list| list.may_match(candidate.name)).find_map(|list| {
            let from_dotfiles = match list.base {
                Base::Package => None,
                Base::Dotfiles => Some(RelPath::from_names([&self.package]).join_path(&path)),
            };
            let path = from_dotfiles.as_ref().unwrap_or(&path);
            let found = list.list.matched(OsStr::from_bytes(path.as_bytes()), candidate.is_dir);
            (!found.is_none()).then_some((list, found))
        })
    }

    /// Returns what keeps an entry out, if anything does: says the same as [`ignores`](Self::ignores), with the reason.
    pub(super) fn keeps(&self, candidate: &Candidate) -> Option<Kept> {
        let name = candidate.name;
        if candidate.source_dir.is_root() && OWN.contains(&name) {
            return Some(Kept::Rules);
        }
        match self.strongest(candidate) {
            Some((list, Match::Ignore(glob))) => return Some(list.origin(glob.original())),
            Some(_) => return None,
            None => {}
        }
        let dir = candidate.target_dir.as_bytes();
        if name == FINDER {
            Some(Kept::BuiltIn)
        } else if self.base.options.ignores(dir, name) {
            Some(Kept::StowRc)
        } else if self.base.list.ignores(dir, name) {
            let is_built_in = matches!(*self.base.list, IgnoreList::BuiltIn);
            Some(if is_built_in { Kept::BuiltIn } else { Kept::StowList })
        } else {
            None
        }
    }

    pub(super) fn ignores(&self, candidate: &Candidate) -> bool {
        let name = candidate.name;
        if candidate.source_dir.is_root() && OWN.contains(&name) {
            return true;
        }
        self.verdict(candidate)
            .unwrap_or_else(|| name == FINDER || self.base.ignores(candidate.target_dir.as_bytes(), name))
    }

    pub(super) fn hides(&self, candidate: &Candidate) -> bool {
        // It comes and goes by itself, so a directory must not become links one by one for it.
        if candidate.name == FINDER {
            return false;
        }
        self.verdict(candidate).unwrap_or_else(|| {
            self.base_is_users() && self.base.ignores(candidate.target_dir.as_bytes(), candidate.name)
        })
    }

    pub(super) fn may_hide(&self) -> bool {
        !self.lists.is_empty() || self.base_is_users()
    }

    fn base_is_users(&self) -> bool {
        !self.base.options.is_empty()
            || matches!(*self.base.list, IgnoreList::Lines(_)) && !self.base.list.is_empty()
    }
}

fn gitignore(lines: &[u8]) -> Result<Gitignore, PatternError> {
    let mut builder = GitignoreBuilder::new("");
    for line in lines.split(|&b| b == b'\n') {
        let line = String::from_utf8_lossy(line);
        builder.add_line(None, &line).map_err(|error| PatternError {
            pattern: line.clone().into_owned(),
            message: error.to_string(),
        })?;
    }
    builder.build().map_err(|error| PatternError { pattern: String::new(), message: error.to_string() })
}

/// Globs on whole paths from the target: `bin/*`, `**/man1`, `share/doc/**`.
#[derive(Clone, Default, Debug)]
pub struct Globs(GlobSet);

impl Globs {
    /// Returns the set of these globs; `*` does not match `/`, `**` does.
    ///
    /// # Errors
    /// The first glob that cannot be understood.
    pub fn new<'a>(globs: impl IntoIterator<Item = &'a str>) -> Result<Globs, PatternError> {
        Globs::build(globs, true)
    }

    /// Returns the set of these globs on values that are no paths: `*` matches `/`, too.
    ///
    /// # Errors
    /// The first glob that cannot be understood.
    pub fn on_values<'a>(globs: impl IntoIterator<Item = &'a str>) -> Result<Globs, PatternError> {
        Globs::build(globs, false)
    }

    fn build<'a>(globs: impl IntoIterator<Item = &'a str>, separator: bool) -> Result<Globs, PatternError> {
        let mut set = GlobSetBuilder::new();
        for glob in globs {
            let bad = |error: globset::Error| PatternError {
                pattern: glob.to_owned(),
                message: error.kind().to_string(),
            };
            set.add(GlobBuilder::new(glob).literal_separator(separator).build().map_err(bad)?);
        }
        let bad = |error: globset::Error| PatternError {
            pattern: error.glob().unwrap_or_default().to_owned(),
            message: error.kind().to_string(),
        };
        Ok(Globs(set.build().map_err(bad)?))
    }

    /// Tells whether one of the globs matches.
    pub fn matches(&self, path: &[u8]) -> bool {
        self.0.is_match(OsStr::from_bytes(path))
    }

    /// Tells whether there is no glob at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ignores(lines: &[&str], path: &str) -> bool {
        ignores_from(Base::Package, lines, path)
    }

    fn ignores_from(base: Base, lines: &[&str], path: &str) -> bool {
        let lists = lines.iter().map(|list| GlobList::new(base, list.as_bytes()).expect("good patterns"));
        let base = StowRules { options: Arc::default(), list: Arc::new(IgnoreList::BuiltIn) };
        let rules = NativeRules::new(Name::new(b"pkg").expect("a name"), lists.collect(), base);
        let path = RelPath::new(path.as_bytes()).expect("a path");
        let (dir, name): (RelPath, Name) = path.split().expect("not the root");
        rules.ignores(&Candidate { source_dir: &dir, target_dir: &dir, name: name.as_bytes(), is_dir: false })
    }

    #[test]
    fn gitignore_patterns_count_from_the_package() {
        assert!(ignores(&["*.swp\n# a comment\n"], "a/b.swp"));
        assert!(ignores(&["/b"], "b"));
        assert!(!ignores(&["/b"], "a/b"));
        assert!(!ignores(&["b/"], "b"));
    }

    #[test]
    fn the_built_in_list_counts_where_no_pattern_says_otherwise() {
        assert!(ignores(&[], "a/b~") && ignores(&[], "README.md") && ignores(&[], "a/.DS_Store"));
        assert!(ignores(&[], ".farmignore") && !ignores(&[], "a/.farmignore"));
        assert!(!ignores(&["!README.md"], "README.md"));
    }

    #[test]
    fn patterns_of_the_dotfiles_directory_count_from_there() {
        assert!(ignores_from(Base::Dotfiles, &["/pkg/b"], "b"));
        assert!(!ignores_from(Base::Dotfiles, &["/b"], "b"));
        assert!(ignores_from(Base::Dotfiles, &["*.swp"], "a/b.swp"));
    }

    #[test]
    fn the_later_list_has_the_last_word() {
        assert!(!ignores(&["*.md", "!README.md"], "README.md"));
        assert!(ignores(&["!README.md", "*.md"], "README.md"));
    }

    proptest! {
        #[test]
        fn no_name_is_passed_over_that_a_pattern_matches(
            lines in prop::collection::vec("[ab!#/*?\\[\\]{}\\\\ .,-]{1,6}|[ab*?/]{1,5}", 1..4),
            path in "[ab](/?[ab.!#*]){0,4}",
            is_dir in any::<bool>(),
        ) {
            if let Ok(list) = GlobList::new(Base::Package, lines.join("\n").as_bytes()) {
                let name = path.rsplit('/').next().expect("there is a name");
                let has_opinion = !list.list.matched(&path, is_dir).is_none();
                prop_assert!(list.may_match(name.as_bytes()) || !has_opinion, "{lines:?} {path}");
            }
        }
    }

    #[test]
    fn a_star_does_not_cross_directories() {
        let globs = Globs::new(["bin/*", "**/man1"]).expect("good globs");
        assert!(globs.matches(b"bin/ls") && globs.matches(b"share/man/man1"));
        assert!(!globs.matches(b"bin/a/b"));
    }
}
