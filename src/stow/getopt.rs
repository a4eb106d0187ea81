//! Options as GNU Stow's programs take them, which is how Perl's Getopt::Long reads a command line.
//!
//! Neither clap nor a plain tokenizer has these habits: abbreviations, `-v 1` beside `-v p1`, a lone `-` after a bundle
//! that turns into `--`. Pure: words in, options and errors out, both in the order of the line.

use std::collections::VecDeque;

/// One option.
pub struct Spec<T: 'static> {
    /// What it is called, without hyphens.
    pub names: &'static [&'static str],
    /// What follows it.
    pub value: Value,
    /// What it means to the caller.
    pub id: T,
}

/// What follows an option.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    None,
    /// Any text.
    Text,
    /// A number, if the next thing looks like one.
    Count,
}

/// How hyphens are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// One hyphen begins a bundle of letters, two or a plus begin a name; capitals matter. So does `stow`.
    Bundles,
    /// One hyphen, two, or a plus begin a name; capitals do not matter. So does `chkstow`.
    Names,
}

/// What the line says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found<T> {
    /// An option without value.
    Flag(T),
    /// An option with text.
    Text(T, Vec<u8>),
    /// An option with a number; `None` adds one.
    Count(T, Option<i64>),
    /// Anything that is no option.
    Word(Vec<u8>),
    /// Something that is wrong.
    Error(UsageError),
}

/// What can be wrong with a command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UsageError {
    /// No option is called so.
    Unknown(Vec<u8>),
    /// Several options begin so.
    Ambiguous {
        /// The beginning.
        name: Vec<u8>,
        /// Their names, sorted.
        candidates: Vec<&'static str>,
    },
    /// A value is missing.
    NeedsValue(&'static str),
    /// A value is given to an option that has none.
    TakesNoValue(&'static str),
    /// A value is not a number.
    NotANumber {
        /// The option.
        name: &'static str,
        /// The value.
        value: Vec<u8>,
    },
    /// A plus stands alone.
    NoName(u8),
    /// A pattern is no regular expression.
    Pattern {
        /// The option.
        name: &'static str,
        /// The pattern.
        pattern: Vec<u8>,
        /// What is wrong with it.
        message: String,
    },
}

/// Reads a command line.
pub fn read<T: Copy>(specs: &'static [Spec<T>], dialect: Dialect, line: Vec<Vec<u8>>) -> Vec<Found<T>> {
    let mut reader = Reader { specs, dialect, rest: line.into(), found: Vec::new() };
    while let Some(word) = reader.rest.pop_front() {
        if word == b"--" {
            reader.found.extend(reader.rest.drain(..).map(Found::Word));
        } else {
            reader.word(word);
        }
    }
    reader.found
}

struct Reader<T: 'static> {
    specs: &'static [Spec<T>],
    dialect: Dialect,
    rest: VecDeque<Vec<u8>>,
    found: Vec<Found<T>>,
}

impl<T: Copy> Reader<T> {
    fn word(&mut self, word: Vec<u8>) {
        match (self.dialect, word.as_slice()) {
            (_, b"-") => self.found.push(Found::Word(word)),
            (_, b"+") => self.fail(UsageError::NoName(b'+')),
            (_, [b'-', b'-', name @ ..]) | (Dialect::Names, [b'-' | b'+', name @ ..]) => self.long(name),
            (Dialect::Bundles, [b'+', name @ ..]) => self.plus(name),
            (Dialect::Bundles, [b'-', letter, bundle @ ..]) => self.short(*letter, bundle),
            _ => self.found.push(Found::Word(word)),
        }
    }

    fn fail(&mut self, error: UsageError) {
        self.found.push(Found::Error(error));
    }

    /// Reads `name` or `name=value`; the equals sign is never the first byte.
    fn long(&mut self, text: &[u8]) {
        let equals = text.iter().skip(1).position(|&b| b == b'=').map(|at| at + 1);
        let (name, value) = match equals {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let lower = name.to_ascii_lowercase();
        let name = if self.dialect == Dialect::Names { lower.as_slice() } else { name };
        match self.find(name) {
            Ok((spec, name)) => self.named(spec, name, value),
            Err(error) => self.fail(error),
        }
    }

    /// Reads a name after a plus where hyphens begin bundles: no `=value`, and only its first letter is called unknown.
    fn plus(&mut self, name: &[u8]) {
        match self.find(name) {
            Ok((spec, name)) => self.named(spec, name, None),
            Err(UsageError::Unknown(name)) => self.fail(UsageError::Unknown(name[..1].to_vec())),
            Err(error) => self.fail(error),
        }
    }

    /// Adds an option found by its name, with the value after its equals sign or in the next word.
    fn named(&mut self, spec: &Spec<T>, name: &'static str, value: Option<&[u8]>) {
        match (spec.value, value) {
            (Value::None, None) => self.found.push(Found::Flag(spec.id)),
            (Value::None, Some(_)) => self.fail(UsageError::TakesNoValue(name)),
            (Value::Text, Some(b"")) => self.fail(UsageError::NeedsValue(name)),
            (Value::Text, Some(value)) => self.found.push(Found::Text(spec.id, value.to_vec())),
            (Value::Text, None) => self.next_text(spec.id, name),
            (Value::Count, Some(b"")) => self.found.push(Found::Count(spec.id, None)),
            (Value::Count, Some(value)) => match whole_number(value) {
                Some(number) => self.found.push(Found::Count(spec.id, Some(number))),
                None => self.fail(UsageError::NotANumber { name, value: value.to_vec() }),
            },
            (Value::Count, None) => self.next_count(spec.id),
        }
    }

    /// Reads one letter of a bundle; what follows it is the letter's value, or a bundle again.
    fn short(&mut self, letter: u8, bundle: &[u8]) {
        let Some((spec, name)) = self.exact(&[letter]) else {
            self.fail(UsageError::Unknown(vec![letter]));
            return self.unread(bundle);
        };
        match spec.value {
            Value::None => {
                self.found.push(Found::Flag(spec.id));
                self.unread(bundle);
            }
            Value::Text if bundle.is_empty() => self.next_text(spec.id, name),
            Value::Text => self.found.push(Found::Text(spec.id, bundle.to_vec())),
            Value::Count if bundle.is_empty() => self.next_count(spec.id),
            Value::Count => {
                let length = number_length(bundle);
                let number = (length > 0).then(|| leading_number(&bundle[..length]));
                self.found.push(Found::Count(spec.id, number));
                self.unread(&bundle[length..]);
            }
        }
    }

    /// Puts what is left of a bundle back as a word of its own: after `-n-` that word is `--`.
    fn unread(&mut self, bundle: &[u8]) {
        if !bundle.is_empty() {
            self.rest.push_front([b"-", bundle].concat());
        }
    }

    /// Takes the next word, whatever it looks like, as a value.
    fn next_text(&mut self, id: T, name: &'static str) {
        let found = match self.rest.pop_front() {
            Some(value) => Found::Text(id, value),
            None => Found::Error(UsageError::NeedsValue(name)),
        };
        self.found.push(found);
    }

    /// Takes the next word as a value if it is a number.
    fn next_count(&mut self, id: T) {
        let number = self.rest.front().and_then(|word| whole_number(word));
        if number.is_some() {
            self.rest.pop_front();
        }
        self.found.push(Found::Count(id, number));
    }

    fn exact(&self, name: &[u8]) -> Option<(&'static Spec<T>, &'static str)> {
        self.all_names().find(|(_, candidate)| candidate.as_bytes() == name)
    }

    fn all_names(&self) -> impl Iterator<Item = (&'static Spec<T>, &'static str)> + use<T> {
        self.specs.iter().flat_map(|spec| spec.names.iter().map(move |name| (spec, *name)))
    }

    /// Returns the option called `name`, or the only one whose name begins so.
    fn find(&self, name: &[u8]) -> Result<(&'static Spec<T>, &'static str), UsageError> {
        if let Some(exact) = self.exact(name) {
            return Ok(exact);
        }
        let begin = |(_, full): &(_, &str)| !name.is_empty() && full.as_bytes().starts_with(name);
        let mut hits: Vec<_> = self.all_names().filter(begin).collect();
        hits.sort_by_key(|(_, full)| *full);
        match hits.as_slice() {
            [] => Err(UsageError::Unknown(name.to_vec())),
            [first, others @ ..] if others.iter().all(|hit| std::ptr::eq(hit.0, first.0)) => Ok(*first),
            _ => Err(UsageError::Ambiguous {
                name: name.to_vec(),
                candidates: hits.iter().map(|hit| hit.1).collect(),
            }),
        }
    }
}

/// Returns the length of the number that `text` begins with: a sign, digits, and underscores as Perl allows them.
fn number_length(text: &[u8]) -> usize {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let digits = text[sign..].iter().take_while(|b| b.is_ascii_digit() || **b == b'_').count();
    if text[sign..sign + digits].iter().any(u8::is_ascii_digit) { sign + digits } else { 0 }
}

/// Returns the number that is the whole of `text`, but for a final newline, read without its underscores.
fn whole_number(text: &[u8]) -> Option<i64> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let whole = !text.is_empty() && number_length(text) == text.len();
    whole.then(|| leading_number(&text.iter().copied().filter(|&b| b != b'_').collect::<Vec<_>>()))
}

/// Returns the number that `text` begins with, as Perl's arithmetic sees it: up to the first underscore.
fn leading_number(text: &[u8]) -> i64 {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let value = digits
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .fold(0i64, |sum, &digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    enum Id {
        Dir,
        Dry,
        Level,
        Bad,
    }

    const SPECS: &[Spec<Id>] = &[
        Spec { names: &["d", "dir"], value: Value::Text, id: Id::Dir },
        Spec { names: &["n", "no", "simulate"], value: Value::None, id: Id::Dry },
        Spec { names: &["v", "verbose"], value: Value::Count, id: Id::Level },
        Spec { names: &["b", "badlinks", "bad"], value: Value::None, id: Id::Bad },
    ];

    fn line(dialect: Dialect, words: &[&str]) -> Vec<Found<Id>> {
        read(SPECS, dialect, words.iter().map(|w| w.as_bytes().to_vec()).collect())
    }

    fn unknown(name: &str) -> Found<Id> {
        Found::Error(UsageError::Unknown(name.as_bytes().to_vec()))
    }

    fn word(text: &str) -> Found<Id> {
        Found::Word(text.as_bytes().to_vec())
    }

    fn dir(text: &str) -> Found<Id> {
        Found::Text(Id::Dir, text.as_bytes().to_vec())
    }

    #[test]
    fn bundles_of_letters() {
        use Dialect::Bundles;
        let one = Found::Count(Id::Level, None);
        assert_eq!(line(Bundles, &["-nv", "p"]), [Found::Flag(Id::Dry), one.clone(), word("p")]);
        assert_eq!(line(Bundles, &["-d=x", "-dy", "-d", "--"]), [dir("=x"), dir("y"), dir("--")]);
        assert_eq!(line(Bundles, &["-n=x"]), [Found::Flag(Id::Dry), unknown("="), unknown("x")]);
        assert_eq!(line(Bundles, &["-n-", "-v"]), [Found::Flag(Id::Dry), word("-v")]);
        assert_eq!(line(Bundles, &["-n-foo"]), [Found::Flag(Id::Dry), unknown("foo")]);
        assert_eq!(line(Bundles, &["+v", "-"]), [one, word("-")]);
        assert_eq!(
            line(Bundles, &["+sim", "+xy", "+d=x"]),
            [Found::Flag(Id::Dry), unknown("x"), unknown("d")]
        );
    }

    #[test]
    fn numbers_are_optional() {
        use Dialect::Bundles;
        let level = |n| Found::Count(Id::Level, n);
        assert_eq!(line(Bundles, &["-v", "1"]), [level(Some(1))]);
        assert_eq!(line(Bundles, &["-v1n"]), [level(Some(1)), Found::Flag(Id::Dry)]);
        assert_eq!(line(Bundles, &["-v-9", "-v", "+2"]), [level(Some(-9)), level(Some(2))]);
        assert_eq!(line(Bundles, &["-v", "1_0", "-v1_0"]), [level(Some(10)), level(Some(1))]);
        assert_eq!(line(Bundles, &["-v", "1.5"]), [level(None), word("1.5")]);
        assert_eq!(line(Bundles, &["--verbose=", "--verb=2"]), [level(None), level(Some(2))]);
        assert_eq!(line(Bundles, &["-v", "--", "-1"]), [level(None), word("-1")]);
        assert_eq!(line(Bundles, &["-v99999999999999999999"]), [level(Some(i64::MAX))]);
        let error = UsageError::NotANumber { name: "verbose", value: b"0x1".to_vec() };
        assert_eq!(line(Bundles, &["--verbose=0x1"]), [Found::Error(error)]);
    }

    #[test]
    fn names_without_bundles() {
        use Dialect::Names;
        assert_eq!(line(Names, &["-DIR", "x", "+d=y", "--d", "-n"]), [dir("x"), dir("y"), dir("-n")]);
        assert_eq!(line(Names, &["-nv", "-FOO=1"]), [unknown("nv"), unknown("foo")]);
        assert_eq!(line(Names, &["+", "-"]), [Found::Error(UsageError::NoName(b'+')), word("-")]);
        assert_eq!(
            line(Names, &["--ba"]),
            [Found::Flag(Id::Bad)],
            "two names of one option are not ambiguous"
        );
    }
}
