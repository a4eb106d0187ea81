//! GNU Stow's ignore rules, as the manual's chapter on ignore lists has them.
//!
//! `--ignore` is asked first, then one list: the package's `.stow-local-ignore`, else `~/.stow-global-ignore`,
//! else the built-in one. The lists replace one another, so an empty one turns the others off.

use std::collections::HashSet;
use std::sync::Arc;

use super::builtin::{self, LIST_NAME};
use super::perl::{Origin, Pattern, RegexError, literal};

/// The rules that one package is read with.
#[derive(Clone, Debug)]
pub struct StowRules {
    /// What `--ignore` says; shared by all packages of a run.
    pub options: Arc<OptionPatterns>,
    /// The package's list; packages without one share theirs.
    pub list: Arc<IgnoreList>,
}

impl StowRules {
    /// Tells whether the entry `name` of the directory `dir` (empty for the package's top, else `a/b`) is left out.
    ///
    /// With `--dotfiles` GNU Stow 2.4.1 spells the two differently, for `--ignore` and for lists, for stowing and for
    /// unstowing alike: `dir` as in the target (`.config`), `name` as in the package (`dot-bashrc`). So `dot-a/dot-b` is
    /// matched as `.a/dot-b`. Only unstowing with `--compat`, which walks the target, asks for `.a/.b`.
    pub fn ignores(&self, dir: &[u8], name: &[u8]) -> bool {
        self.options.ignores(dir, name) || self.list.ignores(dir, name)
    }
}

/// The patterns of `--ignore`.
#[derive(Clone, Default, Debug)]
pub struct OptionPatterns {
    patterns: Vec<Pattern>,
}

impl OptionPatterns {
    /// Returns the patterns, each of which may begin anywhere in a path and must end at its end.
    ///
    /// # Errors
    /// The first pattern that is no regular expression.
    pub fn new(patterns: &[Vec<u8>]) -> Result<OptionPatterns, RegexError> {
        let compile = |pattern: &Vec<u8>| Pattern::compile("(", pattern, r")\z", Origin::Ignore);
        Ok(OptionPatterns { patterns: patterns.iter().map(compile).collect::<Result<_, _>>()? })
    }

    /// Tells whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Tells whether a pattern matches the end of the entry's path, `name` or `a/b/name`.
    pub fn ignores(&self, dir: &[u8], name: &[u8]) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let path = if dir.is_empty() { name.to_vec() } else { [dir, b"/", name].concat() };
        self.patterns.iter().any(|pattern| pattern.is_match(&path))
    }
}

/// Patterns that are searched at the start of a path in the target (`--defer`, `--override`).
#[derive(Clone, Default, Debug)]
pub struct StartPatterns {
    patterns: Vec<Pattern>,
}

impl StartPatterns {
    /// Returns the patterns of an option, each anchored where the path begins and open at its end, as in stow.
    ///
    /// `origin` is what an error names as the place the pattern came from.
    ///
    /// # Errors
    /// The first pattern that is no regular expression.
    pub fn new(patterns: &[Vec<u8>], origin: Origin) -> Result<StartPatterns, RegexError> {
        let compile = |pattern: &Vec<u8>| Pattern::compile(r"\A(", pattern, ")", origin);
        Ok(StartPatterns { patterns: patterns.iter().map(compile).collect::<Result<_, _>>()? })
    }

    /// Tells whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Tells whether a pattern matches the beginning of `path`, a path below the target such as `bin/perl`.
    pub fn matches(&self, path: &[u8]) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_match(path))
    }
}

/// One ignore list.
#[derive(Clone, Debug)]
pub enum IgnoreList {
    /// Stow's own, used where neither the package nor the user has one.
    BuiltIn,
    /// A user's.
    Lines(Lines),
}

/// The patterns of a user's list. Each line is a pattern of its own.
///
/// GNU Stow 2.4.1 joins the lines with `|` in random order, which lets a `(?i)` or an unclosed parenthesis of one line
/// reach into others; here it does not.
#[derive(Clone, Default, Debug)]
pub struct Lines {
    /// Patterns without a slash that stand for exactly one name.
    names: HashSet<Vec<u8>>,
    /// The other patterns without a slash; they match a whole name.
    segments: Vec<Pattern>,
    /// Patterns with a slash; they match whole segments of a path that begins with a slash.
    paths: Vec<Pattern>,
}

impl IgnoreList {
    /// Returns the list that the text of a `.stow-local-ignore` or `.stow-global-ignore` describes.
    ///
    /// Patterns stand in the groups that stow puts around them, which count: the first group of a line is `\2` without a
    /// slash in the line and `\3` with one.
    ///
    /// # Errors
    /// The first line that is no regular expression.
    pub fn parse(text: &[u8]) -> Result<IgnoreList, RegexError> {
        let mut lines = Lines::default();
        for (index, line) in text.split(|&b| b == b'\n').enumerate() {
            let pattern = strip(line);
            let origin = Origin::Line(index + 1);
            if pattern.is_empty() {
                continue;
            }
            if pattern.contains(&b'/') {
                lines.paths.push(Pattern::compile("(^|/)(", &pattern, ")(/|$)", origin)?);
            } else if let Some(name) = literal(&pattern) {
                lines.names.insert(name);
            } else {
                lines.segments.push(Pattern::compile("^(", &pattern, ")$", origin)?);
            }
        }
        Ok(IgnoreList::Lines(lines))
    }

    /// Tells whether the list names nothing, so that only the list's own file is left out.
    pub fn is_empty(&self) -> bool {
        match self {
            IgnoreList::BuiltIn => false,
            IgnoreList::Lines(l) => l.names.is_empty() && l.segments.is_empty() && l.paths.is_empty(),
        }
    }

    /// Tells whether the list leaves out the entry `name` of the directory `dir` (empty for the package's top).
    pub fn ignores(&self, dir: &[u8], name: &[u8]) -> bool {
        match self {
            IgnoreList::BuiltIn => builtin::ignores(dir, name),
            IgnoreList::Lines(lines) => lines.ignores(dir, name),
        }
    }
}

impl Lines {
    fn ignores(&self, dir: &[u8], name: &[u8]) -> bool {
        // A regular expression's `$` also matches before a final newline.
        let shown = name.strip_suffix(b"\n").unwrap_or(name);
        if (dir.is_empty() && (name == LIST_NAME || shown == LIST_NAME))
            || self.names.contains(name)
            || self.names.contains(shown)
            || self.segments.iter().any(|pattern| pattern.is_match(name))
        {
            return true;
        }
        if self.paths.is_empty() {
            return false;
        }
        let slash: &[u8] = if dir.is_empty() { b"" } else { b"/" };
        let path = [b"/", dir, slash, name].concat();
        self.paths.iter().any(|pattern| pattern.is_match(&path))
    }
}

/// Returns the pattern in a line: without blanks around it, without comment, `\#` as `#`; empty when there is none.
///
/// A comment begins with blank space, `#` and at least one more byte: `foo #` keeps its `#`, `foo#bar` is one pattern.
fn strip(line: &[u8]) -> Vec<u8> {
    let line = trim(line);
    if line.starts_with(b"#") {
        return Vec::new();
    }
    let comment = line
        .windows(3)
        .position(|w| is_space(w[0]) && w[1] == b'#')
        .map_or(line.len(), |at| line[..at].iter().rposition(|&b| !is_space(b)).map_or(0, |last| last + 1));
    let mut pattern = Vec::with_capacity(comment);
    for &byte in &line[..comment] {
        if byte == b'#' && pattern.last() == Some(&b'\\') {
            pattern.pop();
        }
        pattern.push(byte);
    }
    pattern
}

fn trim(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|&b| !is_space(b)).unwrap_or(line.len());
    let end = line.iter().rposition(|&b| !is_space(b)).map_or(start, |last| last + 1);
    &line[start..end]
}

/// Tells whether Perl's `\s` matches `byte`.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the paths that a walk of the package does not come to, because of themselves or a directory above.
    fn ignored(list: &str, paths: &[&str]) -> Vec<String> {
        let list = IgnoreList::parse(list.as_bytes()).expect("a valid list");
        let hit = |path: &str| {
            let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
            list.ignores(dir.as_bytes(), name.as_bytes())
        };
        let unreached = |path: &&&str| {
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            ends.into_iter().any(|end| hit(&path[..end]))
        };
        paths.iter().filter(unreached).map(|p| (*p).to_owned()).collect()
    }

    /// What GNU Stow 2.4.1 left out of packages with these files.
    #[test]
    fn lists_leave_out_what_stow_leaves_out() {
        for (list, paths, expected) in [
            ("foo", &["foo", "a/foo", "xfoo", "foox"][..], &["foo", "a/foo"][..]),
            ("/foo", &["foo", "a/foo", "foox"], &["foo"]),
            ("a/foo", &["foo", "a/foo", "b/a/foo", "xa/foo", "a/foox"], &["a/foo", "b/a/foo"]),
            ("^/foo", &["foo", "a/foo", "foox"], &["foo"]),
            ("^/a/foo", &["a/foo", "b/a/foo", "a/foo1"], &["a/foo"]),
            ("foo/", &["foo/b", "a/foo/c", "foo1"], &[]),
            ("/a/.*", &["a/foo", "a/b/c", "b/a/x"], &["a/foo", "a/b/c"]),
            ("/", &["foo", "a/b"], &[]),
            ("o", &["foo", "o"], &["o"]),
            (".*", &["foo", "a/b", ".x"], &["foo", "a/b", ".x"]),
            ("^foo$", &["foo", "a/foo"], &["foo", "a/foo"]),
            ("[^/]*o", &["foo", "a/foo", "b"], &["foo", "a/foo"]),
            (".*[/]b", &["foo", "a/b", "c"], &["a/b"]),
            (r"a\x2fb", &["a/b"], &[]),
            ("(?i)FOO", &["foo", "a/foo"], &["foo", "a/foo"]),
            ("foo|bar/baz", &["foo", "bar/baz", "x/foo", "bar1"], &["foo", "bar/baz", "x/foo"]),
            ("foo\nbar", &["foo", "bar", "a/bar"], &["foo", "bar", "a/bar"]),
            ("", &[".git", "foo", ".stow-local-ignore", "README"], &[".stow-local-ignore"]),
            ("x", &["a/.stow-local-ignore"], &[]),
            (".*~", &["a~", "a/b~"], &["a~", "a/b~"]),
            (r"\Afoo\z", &["foo", "a/foo"], &["foo", "a/foo"]),
            (r"\A/foo\z", &["foo"], &["foo"]),
            ("/b/c|d", &["b/c", "a/b/c", "d", "a/d"], &["b/c", "d", "a/d"]),
            ("/a(/|$)", &["a/b"], &["a/b"]),
            ("a b", &["a b"], &["a b"]),
            (r"\$x", &["$x"], &["$x"]),
            ("^.$", &["é", "b"], &["b"]),
            ("foo", &["foo\n"], &["foo\n"]),
            (r"(a)\2", &["aa", "a", "b"], &["aa"]),
            (r"(a)\1", &["aa", "a"], &[]),
            (r"d/(a)\3", &["d/aa", "d/a", "aa"], &["d/aa"]),
            (r"d/(a)\2", &["d/aa", "d/a"], &[]),
            ("(?(1)a|b)", &["a", "b"], &["b"]),
            (r"\1", &["a", "1"], &[]),
            (r"\g1", &["a", "g1"], &[]),
            (r"\g{-1}", &["a"], &[]),
            (r"(a)\g{-1}", &["aa", "a"], &["aa"]),
        ] {
            assert_eq!(ignored(list, paths), expected, "list {list:?}");
        }
    }

    #[test]
    fn comments_and_blanks_are_no_pattern() {
        for (line, pattern) in [
            ("foo #", "foo #"),
            ("foo #bar", "foo"),
            ("foo   # bar # baz", "foo"),
            (r"foo \# bar", "foo # bar"),
            (r"foo\#", "foo#"),
            (r"\#foo", "#foo"),
            (r"\#\#foo", "##foo"),
            (r"foo\\#", r"foo\#"),
            ("  foo  ", "foo"),
            ("\tfoo\t\r", "foo"),
            ("\u{b}foo\u{c}", "foo"),
            ("foo#bar #", "foo#bar #"),
            ("foo# bar", "foo# bar"),
            ("foo\t#x", "foo"),
            (" #foo", ""),
            ("# foo", ""),
            (r"foo #b \# bar", "foo"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8_lossy(&strip(line.as_bytes())), pattern, "line {line:?}");
        }
    }

    #[test]
    fn lines_do_not_reach_into_one_another() {
        assert_eq!(ignored("(?i)foo\nbar", &["FOO", "BAR", "bar"]), ["FOO", "bar"]);
        assert_eq!(ignored("(a)x\n(b)\\2", &["bb", "ba"]), ["bb"]);
        let error = IgnoreList::parse(b"ok\n\n(a\nb)").unwrap_err();
        assert_eq!((error.pattern.as_slice(), error.origin), (&b"(a"[..], Origin::Line(3)));
    }

    #[test]
    fn option_patterns_end_where_the_path_ends() {
        let option = |pattern: &str, dir: &str, name: &str| {
            OptionPatterns::new(&[pattern.as_bytes().to_vec()])
                .expect("a valid pattern")
                .ignores(dir.as_bytes(), name.as_bytes())
        };
        assert!(option(r"\.orig", "", "a.orig"));
        assert!(!option(r"\.orig", "", "a.orig2"));
        assert!(option("a/b", "x/a", "b"));
        assert!(option("^a/b", "a", "b"));
        assert!(!option("^b", "a", "b"));
        assert!(!option("b", "", "b\n"), "the end is the very end");
        assert!(option("", "", "anything"), "as an empty pattern is found everywhere");
        assert!(!OptionPatterns::default().ignores(b"", b"a"));
    }

    #[test]
    fn emptiness_is_known() {
        assert!(IgnoreList::parse(b"# nothing\n").is_ok_and(|list| list.is_empty()));
        assert!(!IgnoreList::BuiltIn.is_empty());
        assert!(OptionPatterns::default().is_empty());
    }

    #[test]
    fn options_and_list_add_up() {
        let rules = StowRules {
            options: Arc::new(OptionPatterns::new(&[b"x".to_vec()]).expect("valid")),
            list: Arc::new(IgnoreList::BuiltIn),
        };
        assert!(rules.ignores(b"a", b"x") && rules.ignores(b"a", b".git") && !rules.ignores(b"a", b"b"));
    }

    fn starts(of: &[&str]) -> StartPatterns {
        let of: Vec<Vec<u8>> = of.iter().map(|p| p.as_bytes().to_vec()).collect();
        StartPatterns::new(&of, Origin::Defer).expect("valid patterns")
    }

    #[test]
    fn path_patterns_begin_where_the_path_begins_and_may_end_anywhere() {
        assert!(starts(&["man"]).matches(b"man/man1/ls.1"));
        assert!(starts(&["man"]).matches(b"manual"));
        assert!(!starts(&["man"]).matches(b"share/man"));
        assert!(starts(&["a|b"]).matches(b"bin"), "an alternative is anchored too");
        assert!(!starts(&["a|b"]).matches(b"xb"));
        assert!(starts(&["x", "^b"]).matches(b"bin"));
    }

    #[test]
    fn no_patterns_match_nothing() {
        assert!(starts(&[]).is_empty());
        assert!(!StartPatterns::default().matches(b"bin"));
    }

    #[test]
    fn an_error_names_pattern_and_origin() {
        let error = StartPatterns::new(&[b"ok".to_vec(), b"(".to_vec()], Origin::Override).unwrap_err();
        assert_eq!((error.pattern.as_slice(), error.origin), (&b"("[..], Origin::Override));
        assert_eq!(error.to_string(), "missing closing parenthesis in pattern (");
    }
}
