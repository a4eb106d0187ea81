//! Perl's regular expressions by way of PCRE2: the only file that knows the engine.
//!
//! PCRE2 works on bytes here, without UTF, because stow does: `^.$` does not match `é`. The few things
//! that Perl takes and PCRE2 refuses, and that people do write, are respelled before compiling: a hyphen beside a
//! class (`[\w-.]`), a backslash before a letter that means nothing (`\Q`, `\j`), a quantifier without a minimum
//! (`a{,2}`), and bytes that are no UTF-8.

use pcre2::bytes::{Regex, RegexBuilder};

use thiserror::Error;

/// Letters that stand for themselves after a backslash, because they mean something only in Perl's strings or nothing.
const PLAIN: &[u8] = b"EFIJLMOQTUYijlmquy";

/// Letters that mean something after a backslash inside `[…]`.
const CLASS: &[u8] = b"DHNPSVWabcdefhnoprstvwx";

/// The letters of [`CLASS`] that stand for more than one byte.
const SETS: &[u8] = b"DHNPSVWdhpsvw";

/// Where a pattern was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A line of an ignore list, counted from 1.
    Line(usize),
    /// `--ignore`.
    Ignore,
    /// `--defer`.
    Defer,
    /// `--override`.
    Override,
}

/// A pattern that is no regular expression.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{message} in pattern {}", String::from_utf8_lossy(.pattern))]
pub struct RegexError {
    /// The pattern as its author wrote it.
    pub pattern: Vec<u8>,
    /// What is wrong with it, without a full stop.
    pub message: String,
    /// Where it was written.
    pub origin: Origin,
}

/// One compiled pattern.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Compiles `pattern` between `before` and `after`, as stow wraps the patterns it is given.
    pub(super) fn compile(
        before: &str,
        pattern: &[u8],
        after: &str,
        origin: Origin,
    ) -> Result<Pattern, RegexError> {
        let bare = respell(pattern);
        let build = |text: &str| RegexBuilder::new().build(text);
        build(&[before, &bare, after].concat()).map(Pattern).map_err(|wrapped| {
            // Without what is around it an unclosed class is called what it is.
            let error = build(&bare).err().unwrap_or(wrapped);
            RegexError { pattern: pattern.to_vec(), message: reason(&error), origin }
        })
    }

    /// Tells whether the pattern is found in `subject`.
    ///
    /// A search that exceeds PCRE2's limits has met a pattern that explodes, which it does on names that do not match.
    pub(super) fn is_match(&self, subject: &[u8]) -> bool {
        self.0.is_match(subject).unwrap_or(false)
    }
}

/// Returns PCRE2's own words for what is wrong, without its preamble.
fn reason(error: &pcre2::Error) -> String {
    let full = error.to_string();
    full.rsplit(": ").next().unwrap_or(&full).to_owned()
}

/// Returns the text a pattern without metacharacters stands for, or `None` when it needs an engine.
pub(super) fn literal(pattern: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(pattern.len());
    let mut bytes = pattern.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => text.push(*bytes.next().filter(|b| !b.is_ascii_alphanumeric())?),
            b'^' | b'.' | b'$' | b'*' | b'+' | b'?' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'|' => {
                return None;
            }
            plain => text.push(plain),
        }
    }
    Some(text)
}

/// Returns the pattern in PCRE2's spelling.
fn respell(pattern: &[u8]) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            b'\\' => at += escape(&pattern[at..], &mut out, |letter| !PLAIN.contains(&letter)),
            b'[' => at += class(&pattern[at..], &mut out),
            byte => {
                push(byte, &mut out);
                if byte == b'{' && has_no_minimum(&pattern[at + 1..]) {
                    out.push('0');
                }
                at += 1;
            }
        }
    }
    out
}

/// Tells whether what follows an opening brace is `,n}`, which older versions of PCRE2 take for plain text.
fn has_no_minimum(rest: &[u8]) -> bool {
    let Some(digits) = rest.strip_prefix(b",") else { return false };
    let count = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    count > 0 && digits.get(count) == Some(&b'}')
}

/// Writes one byte that stands for itself; beyond ASCII as `\xHH`, since the engine's text is UTF-8.
fn push(byte: u8, out: &mut String) {
    if byte.is_ascii() {
        out.push(char::from(byte));
    } else {
        out.push_str(&format!("\\x{byte:02x}"));
    }
}

/// Writes the escape that `rest` begins with and returns its length; letters without `meaning` lose the backslash.
fn escape(rest: &[u8], out: &mut String, meaning: impl Fn(u8) -> bool) -> usize {
    match rest.get(1) {
        None => {
            out.push('\\');
            return 1;
        }
        Some(&byte) if !byte.is_ascii() => push(byte, out),
        Some(&byte) if byte.is_ascii_alphabetic() && !meaning(byte) => push(byte, out),
        Some(&byte) => {
            out.push('\\');
            push(byte, out);
        }
    }
    2
}

/// What a hyphen inside `[…]` comes after.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// Something it cannot make a range with, and PCRE2 agrees.
    Nothing,
    /// One byte: a range may follow.
    Byte,
    /// A set of bytes: no range may follow, and PCRE2 calls it an error.
    Set,
}

/// Writes the class that `rest` begins with and returns its length.
fn class(rest: &[u8], out: &mut String) -> usize {
    let mut at = 1;
    out.push('[');
    if rest.get(at) == Some(&b'^') {
        out.push('^');
        at += 1;
    }
    let first = at;
    let mut before = Before::Nothing;
    while at < rest.len() {
        match rest[at] {
            b']' if at > first => {
                out.push(']');
                return at + 1;
            }
            b'-' if at > first && rest.get(at + 1).is_some_and(|&b| b != b']') => {
                let closed = before == Before::Set || set_length(&rest[at + 1..]) > 0;
                out.push_str(if closed { "\\-" } else { "-" });
                at += 1;
                if before == Before::Byte && !closed {
                    at += item(&rest[at..], out);
                }
                before = Before::Nothing;
            }
            _ => {
                before = if set_length(&rest[at..]) > 0 { Before::Set } else { Before::Byte };
                at += item(&rest[at..], out);
            }
        }
    }
    at
}

/// Writes one member of a class and returns its length.
fn item(rest: &[u8], out: &mut String) -> usize {
    match (rest[0], set_length(rest)) {
        (b'\\', _) => escape(rest, out, |letter| CLASS.contains(&letter)),
        (_, 0) => {
            push(rest[0], out);
            1
        }
        (_, length) => {
            rest[..length].iter().for_each(|&byte| push(byte, out));
            length
        }
    }
}

/// Returns the length of the set (`\w`, `[:alpha:]`) that `rest` begins with, 0 when it begins with something else.
fn set_length(rest: &[u8]) -> usize {
    match rest {
        [b'\\', letter, ..] if SETS.contains(letter) => 2,
        [b'[', b':', name @ ..] => match name.windows(2).position(|w| w == b":]") {
            Some(end) if name[..end].iter().all(|b| b.is_ascii_lowercase() || *b == b'^') => end + 4,
            _ => 0,
        },
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, subject: &[u8]) -> bool {
        Pattern::compile("^(", pattern.as_bytes(), ")$", Origin::Ignore).expect(pattern).is_match(subject)
    }

    #[test]
    fn a_hyphen_beside_a_set_is_a_hyphen() {
        for (pattern, subject) in [
            (r"[\w-.]+", "a-."),
            (r"[a-\d]+", "a-1"),
            (r"[\d-\w]+", "1-a"),
            (r"[\d-]+", "1-"),
            (r"[[:alpha:]-z]+", "b-z"),
            (r"[a-[:digit:]]+", "a-7"),
            (r"[\w-a-c]+", "-b"),
            (r"[a-c-e]+", "b-e"),
            (r"[]-a]+", "]^a"),
            (r"[-a]+", "-a"),
            (r"[^-a]+", "b"),
            (r"[+--]+", "+,-"),
        ] {
            assert!(found(pattern, subject.as_bytes()), "{pattern} should match {subject}");
        }
        assert!(!found(r"[^\s-.]", b"-"));
        assert!(!found(r"[a-c]", b"-"));
    }

    #[test]
    fn letters_that_mean_nothing_stand_for_themselves() {
        assert!(found(r"\Qa.b\E", b"QaxbE"));
        assert!(found(r"[\z]\j", b"zj"));
        assert!(found(r"\w\.\d", b"a.1"));
        assert!(found(r"[\w\]]+", b"a]"));
    }

    #[test]
    fn a_quantifier_may_lack_its_minimum() {
        assert!(found("a{,2}b", b"aab"));
        assert!(!found("a{,2}b", b"aaab"));
        assert!(found("a{,}", b"a{,}"));
    }

    #[test]
    fn an_error_is_about_the_pattern_alone() {
        let error = Pattern::compile("(", b"[", r")\z", Origin::Ignore).unwrap_err();
        assert_eq!(error.to_string(), "missing terminating ] for character class in pattern [");
    }

    #[test]
    fn bytes_are_bytes() {
        assert!(!found("^.$", "é".as_bytes()));
        assert!(found("é", "é".as_bytes()));
        let latin = Pattern::compile("^(", b"caf\xe9[\xe8-\xea]\\\xff", ")$", Origin::Ignore).expect("valid");
        assert!(latin.is_match(b"caf\xe9\xe9\xff"));
    }

    #[test]
    fn look_around_and_back_references_work() {
        assert!(found(r"(?!.*\.keep).*", b"a.txt"));
        assert!(!found(r"(?!.*\.keep).*", b"a.keep"));
        assert!(found(r"(a|b)\2", b"bb"));
        assert!(found("(?i)README", b"readme"));
    }

    #[test]
    fn a_final_newline_is_outside_of_a_dollar() {
        assert!(found("a", b"a\n"));
        assert!(!found("a.", b"a\n"));
    }

    #[test]
    fn literals_are_known_without_compiling() {
        assert_eq!(literal(br"\.git").as_deref(), Some(&b".git"[..]));
        assert_eq!(literal(br"_darcs").as_deref(), Some(&b"_darcs"[..]));
        assert_eq!(literal(br"a\#b c").as_deref(), Some(&b"a#b c"[..]));
        assert_eq!(literal(br".git"), None);
        assert_eq!(literal(br"\d"), None);
        assert_eq!(literal(br"a\"), None);
    }

    #[test]
    fn an_exploding_pattern_ends() {
        assert!(!found(r"(a+)+(a+)+(a+)+x", &[b'a'; 64]));
    }
}
