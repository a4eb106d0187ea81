//! Resource files: `~/.stowrc`, then `./.stowrc`, whose words are parsed like a command line.
//!
//! Lines are split as Perl's `Text::ParseWords` does, which is what stow uses and no shell: a `#` begins no comment,
//! a backslash inside double quotes always goes, and a line with an unbalanced quote counts for nothing.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::args::{self, Invocation};
use crate::passwd;

/// The name of a resource file.
pub const NAME: &str = ".stowrc";

/// What a resource file makes stow give up on.
#[derive(Debug)]
pub enum RcError {
    /// The file is there but is none that can be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A value names a variable that is not set.
    Undefined {
        /// The option.
        option: &'static str,
        /// The variable.
        name: Vec<u8>,
    },
    /// A value names the home of a user that does not exist.
    NoUser {
        /// The option.
        option: &'static str,
        /// The user.
        name: Vec<u8>,
    },
}

/// What resource files are read with.
pub struct Surroundings<'a> {
    /// The values of environment variables.
    pub variable: &'a dyn Fn(&[u8]) -> Option<Vec<u8>>,
}

/// Reads the resource files; without any of them the settings are empty.
///
/// # Errors
/// A file that is a directory or would block, and what the values of `--dir` and `--target` refer to in vain. Usage errors
/// are part of the result, as on the command line.
pub fn read(around: &Surroundings) -> Result<Invocation, RcError> {
    let home =
        (around.variable)(b"HOME").map(|home| super::path([&home, &b"/"[..], NAME.as_bytes()].concat()));
    let mut words = Vec::new();
    for path in home.into_iter().chain([PathBuf::from(NAME)]) {
        match text(&path) {
            Ok(Some(text)) => words.extend(split(&text)),
            Ok(None) => {}
            Err(source) => return Err(RcError::Unreadable { path, source }),
        }
    }
    if words.is_empty() {
        return Ok(Invocation::Run(args::Settings::default()));
    }
    let mut invocation = args::parse(words);
    if let Invocation::Run(settings) = &mut invocation {
        // The target comes first because its error is the one that shows when both are wrong.
        for (option, value) in [("target", &mut settings.target), ("dir", &mut settings.dir)] {
            if let Some(value) = value {
                *value = expand(option, value, around)?;
            }
        }
    }
    Ok(invocation)
}

/// Returns the text of a file, `None` when it does not exist.
///
/// One that may not be read is an error, not an empty one as to stow; what would block instead of ending is refused.
fn text(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let Ok(found) = fs::metadata(path) else { return Ok(None) };
    let kind = found.file_type();
    if kind.is_fifo() || kind.is_socket() {
        return Err(io::Error::other("not a regular file"));
    }
    fs::read(path).map(Some)
}

/// Returns the words of all lines.
pub fn split(text: &[u8]) -> Vec<Vec<u8>> {
    text.split(|&b| b == b'\n').filter_map(line).flatten().collect()
}

/// Returns the words of a line, or `None` when a quote stays open or a backslash ends it.
fn line(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => quoted(byte, &mut bytes, true, word.get_or_insert_default())?,
            b'\'' => quoted(byte, &mut bytes, false, word.get_or_insert_default())?,
            b'\\' => word.get_or_insert_default().push(bytes.next()?),
            b' ' | b'\t'..=b'\r' => words.extend(word.take()),
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Some(words)
}

/// Adds what stands before the closing `quote`. A backslash protects the next byte and goes away if `unescape`.
fn quoted(quote: u8, bytes: &mut impl Iterator<Item = u8>, unescape: bool, word: &mut Vec<u8>) -> Option<()> {
    loop {
        match bytes.next()? {
            byte if byte == quote => return Some(()),
            b'\\' => {
                if !unescape {
                    word.push(b'\\');
                }
                word.push(bytes.next()?);
            }
            byte => word.push(byte),
        }
    }
}

/// Returns the value of `--dir` or `--target` with variables and a leading tilde replaced.
///
/// In this order: `${NAME}`, `$NAME` (also in what the first put there), `\$`, the tilde, `\~`.
fn expand(option: &'static str, value: &[u8], around: &Surroundings) -> Result<Vec<u8>, RcError> {
    let lookup = |name: &[u8]| {
        (around.variable)(name).ok_or_else(|| RcError::Undefined { option, name: name.to_vec() })
    };
    let value = variables(value, braced, lookup)?;
    let value = variables(&value, bare, lookup)?;
    let value = tilde(option, &unescape(&value, b'$'), around)?;
    Ok(unescape(&value, b'~'))
}

/// A variable's name at the beginning of a text, and the length of the whole reference.
type Reference<'a> = Option<(&'a [u8], usize)>;

/// Finds `${NAME}`; blanks count as part of the name.
fn braced(text: &[u8]) -> Reference<'_> {
    let inner = text.strip_prefix(b"${")?;
    let end = inner.iter().position(|&b| !(is_word(b) || matches!(b, b' ' | b'\t'..=b'\r')))?;
    (end > 0 && inner[end] == b'}').then(|| (&inner[..end], end + 3))
}

/// Finds `$NAME`.
fn bare(text: &[u8]) -> Reference<'_> {
    let name = text.strip_prefix(b"$")?;
    let end = name.iter().position(|&b| !is_word(b)).unwrap_or(name.len());
    (end > 0).then(|| (&name[..end], end + 1))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Replaces every reference that no backslash precedes.
fn variables(
    text: &[u8],
    reference: fn(&[u8]) -> Reference<'_>,
    value: impl Fn(&[u8]) -> Result<Vec<u8>, RcError>,
) -> Result<Vec<u8>, RcError> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let escaped = at > 0 && text[at - 1] == b'\\';
        match reference(&text[at..]) {
            Some((name, length)) if !escaped => {
                out.extend(value(name)?);
                at += length;
            }
            _ => {
                out.push(text[at]);
                at += 1;
            }
        }
    }
    Ok(out)
}

/// Removes one backslash before each `byte`.
fn unescape(text: &[u8], byte: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &next in text {
        if next == byte && out.last() == Some(&b'\\') {
            out.pop();
        }
        out.push(next);
    }
    out
}

/// Replaces a leading `~` or `~user`. An empty variable counts as none.
fn tilde(option: &'static str, text: &[u8], around: &Surroundings) -> Result<Vec<u8>, RcError> {
    let Some(after) = text.strip_prefix(b"~") else { return Ok(text.to_vec()) };
    let end = after.iter().position(|&b| b == b'/').unwrap_or(after.len());
    let (name, rest) = after.split_at(end);
    let set = |variable: &[u8]| (around.variable)(variable).filter(|v| !v.is_empty() && v != b"0");
    let home = match name {
        b"" => set(b"HOME").or_else(|| set(b"LOGDIR")).or_else(passwd::own_home),
        user => passwd::home_of(user),
    };
    let home = home.ok_or_else(|| RcError::NoUser { option, name: name.to_vec() })?;
    Ok([&home, rest].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        split(text.as_bytes()).into_iter().map(|w| String::from_utf8_lossy(&w).into_owned()).collect()
    }

    /// What stow 2.4.1 made of these lines.
    #[test]
    fn lines_split_as_perl_splits_them() {
        for (line, expected) in [
            ("--a --c", &["--a", "--c"][..]),
            (r#"--"a b"--c --d"#, &["--a b--c", "--d"]),
            (r#""--a\nb" --c"#, &["--anb", "--c"]),
            (r"'--a\'b' --c", &[r"--a\'b", "--c"]),
            (r"'--a\nb' --c", &[r"--a\nb", "--c"]),
            (r"--a\ b --c", &["--a b", "--c"]),
            (r"--a\", &[]),
            (r"--x --y\", &[]),
            (r"--a\\", &[r"--a\"]),
            (r#""--a\\b\"c""#, &[r#"--a\b"c"#]),
            (r#""" --a"#, &["", "--a"]),
            ("\t--a\u{b}--b\u{c}--c\r--d ", &["--a", "--b", "--c", "--d"]),
            ("--a\\\n--b", &["--b"]),
            ("\"--a\n--b\"", &[]),
            ("--x \"y", &[]),
            ("--x y\"z", &[]),
            (r"--x 'y\' --z'", &["--x", r"y\' --z"]),
            (r"--x 'y\'", &[]),
            (r#"--ignore="^\.git$""#, &["--ignore=^.git$"]),
            ("--x;b|c&d>e", &["--x;b|c&d>e"]),
            ("--x'b'\"c\"z", &["--xbcz"]),
            ("--x\"b'c\"z'e\"f'", &["--xb'cze\"f"]),
            ("--xa\u{a0}--b", &["--xa\u{a0}--b"]),
            ("--x #--b", &["--x", "#--b"]),
            ("--x''", &["--x"]),
            ("-'' --b", &["-", "--b"]),
            ("'--x' '--b'\"--c\"", &["--x", "--b--c"]),
            ("--x\r\n--y\r", &["--x", "--y"]),
            ("  \n\n", &[]),
        ] {
            assert_eq!(words(line), expected, "line {line:?}");
        }
    }

    fn expanded(value: &str) -> Result<String, String> {
        let variable = |name: &[u8]| {
            let value: &[u8] = match name {
                b"HOME" => b"/home/me",
                b"A" => b"$HOME",
                b"B" => br"\$HOME",
                b"C" => b"~/c",
                b"D" => b"${A}",
                b"E" => b"",
                _ => return None,
            };
            Some(value.to_vec())
        };
        match expand("dir", value.as_bytes(), &Surroundings { variable: &variable }) {
            Ok(value) => Ok(String::from_utf8_lossy(&value).into_owned()),
            Err(RcError::Undefined { name, .. }) => Err(format!("${}", String::from_utf8_lossy(&name))),
            Err(RcError::NoUser { name, .. }) => Err(format!("~{}", String::from_utf8_lossy(&name))),
            Err(RcError::Unreadable { path, .. }) => Err(path.display().to_string()),
        }
    }

    /// What stow 2.4.1 made of these values.
    #[test]
    fn values_expand_as_in_stow() {
        for (value, expected) in [
            ("$HOME/x", "/home/me/x"),
            ("${HOME}x", "/home/mex"),
            ("$HOME$HOME", "/home/me/home/me"),
            ("$", "$"),
            ("${", "${"),
            ("${}x", "${}x"),
            ("${HOME", "${HOME"),
            ("${NO-PE}", "${NO-PE}"),
            (r"\$HOME", "$HOME"),
            (r"\\$HOME", r"\$HOME"),
            (r"\\\$HOME", r"\\$HOME"),
            (r"/x\\$y", r"/x\$y"),
            (r"/x\\~y", r"/x\~y"),
            ("${A}", "/home/me"),
            ("$A", "$HOME"),
            ("${B}", "$HOME"),
            ("$C", "/home/me/c"),
            ("${D}", "${A}"),
            ("x${E}y", "xy"),
            (r"a\~b\~c", "a~b~c"),
            (r"\~\~c~", "~~c~"),
            ("~", "/home/me"),
            ("~/x", "/home/me/x"),
            ("~root/x", "/root/x"),
            ("a~/x", "a~/x"),
            ("$A-b", "$HOME-b"),
            ("$Aé", "$HOMEé"),
            ("$é", "$é"),
        ] {
            if value.starts_with("~root") && passwd::home_of(b"root").as_deref() != Some(b"/root") {
                continue;
            }
            assert_eq!(expanded(value).as_deref(), Ok(expected), "value {value:?}");
        }
    }

    #[test]
    fn what_does_not_exist_is_named() {
        for (value, expected) in [
            ("$NOPE", "$NOPE"),
            ("${NOPE}", "$NOPE"),
            ("$HOMEx", "$HOMEx"),
            ("$1x", "$1x"),
            ("$$x", "$x"),
            ("${ HOME }x", "$ HOME "),
            ("$NOPE${NOPF}", "$NOPF"),
            ("${A}$NOPE", "$NOPE"),
            ("~no such user/x", "~no such user"),
        ] {
            assert_eq!(expanded(value), Err(expected.to_owned()), "value {value:?}");
        }
    }
}
