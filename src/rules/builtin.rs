//! Stow's built-in ignore list, matched by hand: most packages have no list of their own, and a run that compiles no
//! pattern starts faster than one that compiles sixteen.

/// Names of version control and its leftovers that are ignored wherever they are.
const NAMES: [&[u8]; 9] =
    [b"RCS", b"CVS", b".cvsignore", b".svn", b"_darcs", b".hg", b".git", b".gitignore", b".gitmodules"];

/// The file at a package's top that holds its ignore list; it never counts as an entry itself.
pub const LIST_NAME: &[u8] = b".stow-local-ignore";

/// The list that every package without one of its own, and without a global one, is read with.
#[cfg(test)]
pub(super) const TEXT: &str = r"
RCS
.+,v
CVS
\.\#.+
\.cvsignore
\.svn
_darcs
\.hg
\.git
\.gitignore
\.gitmodules
.+~
\#.*\#
^/README.*
^/LICENSE.*
^/COPYING
";

/// Tells whether the built-in list ignores the entry `name` of the directory `dir` (empty for the package's top).
pub(super) fn ignores(dir: &[u8], name: &[u8]) -> bool {
    let without_newline = name.strip_suffix(b"\n");
    is_suspicious(name) && (names(name) || without_newline.is_some_and(names)) || at_top(dir, name)
}

/// Tells whether [`names`] may match, with a newline at the end or without: nearly all names are passed over here.
fn is_suspicious(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'R' | b'C' | b'.' | b'_' | b'#'))
        || matches!(name.last(), Some(b'v' | b'~' | b'\n'))
}

/// Tells whether a pattern without a slash matches the whole of `name`.
///
/// The dot of a regular expression does not match a newline, hence the checks.
fn names(name: &[u8]) -> bool {
    let one_line = |part: &[u8]| !part.contains(&b'\n');
    let something = |part: &[u8]| !part.is_empty() && one_line(part);
    NAMES.contains(&name)
        || name.strip_suffix(b",v").is_some_and(something)
        || name.strip_suffix(b"~").is_some_and(something)
        || name.strip_prefix(b".#").is_some_and(something)
        || name.strip_prefix(b"#").and_then(|n| n.strip_suffix(b"#")).is_some_and(one_line)
}

/// Tells whether a pattern for the package's top matches: the entry there, or anything below a directory there.
fn at_top(dir: &[u8], name: &[u8]) -> bool {
    // No slash is in what they begin with.
    let start = if dir.is_empty() { name } else { dir };
    if !matches!(start.first(), Some(b'R' | b'L' | b'C' | b'.'))
        || ![&b"README"[..], b"LICENSE", b"COPYING", LIST_NAME].iter().any(|top| start.starts_with(top))
    {
        return false;
    }
    let path = if dir.is_empty() { name.to_vec() } else { [dir, b"/", name].concat() };
    let whole = |rest: &[u8]| rest.is_empty() || rest == b"\n";
    let open = |rest: &[u8]| match rest.iter().position(|&b| b == b'\n' || b == b'/') {
        None => true,
        Some(at) => rest[at] == b'/' || at + 1 == rest.len(),
    };
    path.strip_prefix(b"README").is_some_and(open)
        || path.strip_prefix(b"LICENSE").is_some_and(open)
        || path.strip_prefix(b"COPYING").is_some_and(|rest| whole(rest) || rest.starts_with(b"/"))
        || path.strip_prefix(LIST_NAME).is_some_and(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::IgnoreList;
    use proptest::prelude::*;

    fn compiled() -> IgnoreList {
        IgnoreList::parse(TEXT.as_bytes()).expect("the built-in list is valid")
    }

    #[test]
    fn knows_the_entries_of_the_manual() {
        for name in [
            "RCS",
            "CVS",
            ".git",
            ".gitignore",
            ".hg",
            "a~",
            "a,v",
            ".#a",
            "##",
            "#a#",
            ".stow-local-ignore",
            "README.md",
            "LICENSE",
            "COPYING",
        ] {
            assert!(ignores(b"", name.as_bytes()), "{name}");
        }
        for name in [
            "RCS2",
            "~",
            ",v",
            ".#",
            "#",
            "COPYING.txt",
            ".gitconfig",
            "readme",
            ".stow-global-ignore",
            "bin",
        ] {
            assert!(!ignores(b"", name.as_bytes()), "{name}");
        }
        assert!(!ignores(b"doc", b"README"));
        assert!(!ignores(b"doc", b".stow-local-ignore"));
        assert!(ignores(b"doc", b".git"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]
        #[test]
        fn equals_the_patterns_compiled(
            dir in prop_oneof![Just("".to_owned()), "(README|COPYING|LICENSE|[a~/])[a./\n]{0,3}"],
            front in "(\\.|#|,v|~|a|\\.#|\n|/)?",
            stem in "(RCS|CVS|\\.git|\\.gitignore|\\.svn|_darcs|README|LICENSE|COPYING|\\.stow-local-ignore|[a#~\n]{0,3})",
            back in "(~|#|,v|,|v|a|\n|\\.md|\n\n|\u{e9})?",
        ) {
            let name = [front, stem, back].concat();
            prop_assert_eq!(
                ignores(dir.as_bytes(), name.as_bytes()),
                compiled().ignores(dir.as_bytes(), name.as_bytes()),
                "{:?} in {:?}", name, dir
            );
        }
    }
}
