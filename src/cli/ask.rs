//! `--on-conflict ask`: one question about each thing in the way.

use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use farm::{Backup, Error, Reason, RelPath, Strategy};
use similar::TextDiff;

use super::words::asked as words;

/// Larger files are not compared on a terminal.
const LARGEST: u64 = 4 << 20;

/// A diff that takes longer than this gets coarser.
const PATIENCE: Duration = Duration::from_secs(2);

/// One thing in the way.
#[derive(Debug)]
pub struct Question<'a> {
    /// Where it is, from the farm's root.
    pub path: &'a RelPath,
    /// Why it is in the way, which says what can be done about it.
    pub reason: &'a Reason,
    /// The two in words.
    pub says: String,
    /// It and the package's, when both are files.
    pub files: Option<Files>,
}

/// Two files to compare.
#[derive(Debug)]
pub struct Files {
    /// The one in the way.
    pub target: PathBuf,
    /// The package's.
    pub package: PathBuf,
}

/// Asks, and remembers what was said about all of them.
pub struct Asker<R, W> {
    input: R,
    output: W,
    backup: Backup,
    /// The answer to all the questions that it is possible for.
    all: Option<Strategy>,
}

/// What was answered.
enum Answer {
    One(Strategy),
    All(Strategy),
    Diff,
    Quit,
}

impl<R: BufRead, W: Write> Asker<R, W> {
    /// Returns an asker that reads answers from `input`, asks on `output`, and has backups named as `backup` says.
    pub fn new(input: R, output: W, backup: Backup) -> Self {
        Asker { input, output, backup, all: None }
    }

    /// Asks every question; returns a strategy for each path, or `None` when the answer is to quit, or there is none.
    ///
    /// # Errors
    /// When the terminal fails.
    pub fn ask(&mut self, questions: &[Question]) -> io::Result<Option<Vec<(RelPath, Strategy)>>> {
        let mut decisions = Vec::new();
        for question in questions {
            match self.all.clone().filter(|all| question.reason.allows(all)) {
                Some(all) => decisions.push((question.path.clone(), all)),
                None => match self.decide(question)? {
                    Some(strategy) => decisions.push((question.path.clone(), strategy)),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(decisions))
    }

    fn decide(&mut self, question: &Question) -> io::Result<Option<Strategy>> {
        writeln!(self.output, "{}", question.says)?;
        let choices = words::choices(|way| question.reason.allows(way), question.files.is_some());
        loop {
            write!(self.output, "{choices} ")?;
            self.output.flush()?;
            let Some(line) = self.line()? else {
                writeln!(self.output)?;
                return Ok(None);
            };
            match (self.answer(question, &line), &question.files) {
                (Some(Answer::One(strategy)), _) => return Ok(Some(strategy)),
                (Some(Answer::All(strategy)), _) => {
                    self.all = Some(strategy.clone());
                    return Ok(Some(strategy));
                }
                (Some(Answer::Quit), _) => return Ok(None),
                (Some(Answer::Diff), Some(files)) => write!(self.output, "{}", diff(files))?,
                (Some(Answer::Diff), None) | (None, _) => writeln!(self.output, "{}", words::NO_ANSWER)?,
            }
        }
    }

    /// Reads a line; `None` at the end of the input.
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let got = self.input.read_until(b'\n', &mut line)?;
        Ok((got > 0).then_some(line))
    }

    fn answer(&self, question: &Question, line: &[u8]) -> Option<Answer> {
        let &[letter] = line.trim_ascii() else { return None };
        let strategy = match letter.to_ascii_lowercase() {
            b'b' => Strategy::Backup(self.backup.clone()),
            b'a' => Strategy::Adopt,
            b'r' => Strategy::Replace,
            b's' => Strategy::Skip,
            b'd' => return Some(Answer::Diff),
            b'q' => return Some(Answer::Quit),
            _ => return None,
        };
        let possible = question.reason.allows(&strategy);
        possible.then(
            || {
                if letter.is_ascii_uppercase() { Answer::All(strategy) } else { Answer::One(strategy) }
            },
        )
    }
}

/// Returns the difference of two files as people read it, or why there is none, as lines.
fn diff(files: &Files) -> String {
    compare(files).unwrap_or_else(|why| format!("{why}\n"))
}

/// Returns the difference of two files as coloured lines.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn compare(files: &Files) -> Result<String, String> {
    let text = |path: &Path| -> Result<String, String> {
        let bytes = read(path).map_err(|error| Error::new("read", path, error));
        let bytes = bytes.map_err(|error| words::printable(&error.to_string()))?;
        let bytes = bytes.ok_or(words::TOO_LARGE)?;
        let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
        text.ok_or_else(|| words::NOT_TEXT.to_owned())
    };
    let (target, package) = (text(&files.target)?, text(&files.package)?);
    if target == package {
        return Err(words::SAME_BYTES.to_owned());
    }
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(&target, &package);
    let [old, new] = [&files.target, &files.package].map(|path| path.to_string_lossy().into_owned());
    let diff = diff.unified_diff().header(&old, &new).to_string();
    Ok(diff.lines().map(|line| words::diff_line(line) + "\n").collect())
}

/// Reads a file; `None` when it is too large. A FIFO that has taken its place is not opened: it would block.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    if !path.symlink_metadata()?.is_file() {
        return Err(io::Error::other(words::NO_FILE));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= LARGEST).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use assert_fs::TempDir;
    use farm::{Compared, LinkText, Obstacle, Route};

    const ALL: &str = "[b]ack up, [a]dopt, [r]eplace, [s]kip, show [d]iff, [q]uit (capital: all of these)? ";
    const SOME: &str = "[b]ack up, [r]eplace, [s]kip, [q]uit (capital: all of these)? ";

    fn path(s: &str) -> RelPath {
        RelPath::new(s.as_bytes()).expect("a path")
    }

    fn differs() -> Reason {
        Reason::File { source: Route::below_root(path("s/p/f")), compared: Compared::Differ }
    }

    fn foreign() -> Reason {
        Reason::NotOwned(LinkText::new(b"elsewhere"))
    }

    /// Asks about paths with these reasons; returns what was decided and what was said.
    fn ask(
        things: &[(&str, Reason)],
        files: Option<[PathBuf; 2]>,
        answers: &str,
    ) -> (Option<Vec<(RelPath, Strategy)>>, String) {
        let paths: Vec<RelPath> = things.iter().map(|(name, _)| path(name)).collect();
        let question = |(path, (name, reason)): (_, &'static (&str, Reason))| Question {
            path,
            reason,
            says: (*name).to_owned(),
            files: files.clone().map(|[target, package]| Files { target, package }),
        };
        let things: &'static [(&str, Reason)] =
            Box::leak(things.iter().map(|(name, r)| (&*(*name).to_owned().leak(), r.clone())).collect());
        let questions: Vec<Question> = paths.iter().zip(things).map(question).collect();
        let mut said = Vec::new();
        let output = anstream::StripStream::new(&mut said);
        let decided = Asker::new(answers.as_bytes(), output, Backup::default()).ask(&questions);
        (decided.expect("memory does not fail"), String::from_utf8(said).expect("text"))
    }

    fn decided(answers: &str) -> Option<Vec<Strategy>> {
        let things = [("a", foreign()), ("b", differs()), ("c", foreign())];
        let (decided, _) = ask(&things, None, answers);
        Some(decided?.into_iter().map(|(_, strategy)| strategy).collect())
    }

    #[test]
    fn each_thing_has_its_own_answer() {
        let backup = || Strategy::Backup(Backup::default());
        assert_eq!(decided("b\na\ns\n"), Some(vec![backup(), Strategy::Adopt, Strategy::Skip]));
        assert_eq!(decided(" r \ns\nb\n"), Some(vec![Strategy::Replace, Strategy::Skip, backup()]));
    }

    #[test]
    fn a_capital_answers_all_the_rest() {
        assert_eq!(decided("s\nR\n"), Some(vec![Strategy::Skip, Strategy::Replace, Strategy::Replace]));
        assert_eq!(decided("S\n"), Some(vec![Strategy::Skip; 3]));
    }

    #[test]
    fn what_an_answer_for_all_cannot_do_is_asked() {
        assert_eq!(
            decided("s\nA\nr\n"),
            Some(vec![Strategy::Skip, Strategy::Adopt, Strategy::Replace]),
            "a link cannot be adopted"
        );
    }

    #[test]
    fn quitting_and_the_end_of_the_input_decide_nothing() {
        for answers in ["q\n", "Q\n", "", "b\n", "b\nb\nq\n", "b\nb\n"] {
            assert_eq!(decided(answers), None, "{answers:?}");
        }
    }

    #[test]
    fn only_what_is_possible_is_offered_and_taken() {
        let (decided, said) = ask(&[("f", foreign())], None, "a\nd\nx\nbb\n\ns\n");
        let again = format!("answer with one of these letters\n{SOME}");
        assert_eq!(said, format!("f\n{SOME}{}", again.repeat(5)));
        assert_eq!(decided, Some(vec![(path("f"), Strategy::Skip)]));
        let taken = Obstacle::BackupExists(farm::Name::new(b"f.backup").expect("a name"));
        let taken = Reason::Unresolved { of: Box::new(foreign()), why: taken };
        let (_, said) = ask(&[("f", taken)], None, "s\n");
        assert_eq!(said, "f\n[r]eplace, [s]kip, [q]uit (capital: all of these)? ");
    }

    #[test]
    fn a_diff_is_shown_and_the_question_asked_again() {
        let temp = TempDir::new().expect("a directory");
        let files = ["old", "new"].map(|name| temp.path().join(name));
        let [old, new] = &files;
        let shown = |old_bytes: &[u8], new_bytes: &[u8]| {
            fs_err::write(old, old_bytes).expect("a file");
            fs_err::write(new, new_bytes).expect("a file");
            let (decided, said) = ask(&[("f", differs())], Some(files.clone()), "d\nb\n");
            assert_eq!(decided, Some(vec![(path("f"), Strategy::Backup(Backup::default()))]));
            let said = said.strip_prefix(&format!("f\n{ALL}")).expect("a question").to_owned();
            said.strip_suffix(ALL).expect("the question again").to_owned()
        };
        let header = format!("--- {}\n+++ {}\n", old.display(), new.display());
        assert_eq!(shown(b"a\nb\n", b"a\n\tc\x1b\n"), header + "@@ -1,2 +1,2 @@\n a\n-b\n+\tc\\u{1b}\n");
        assert_eq!(shown(b"a\0", b"b"), "not text\n");
        assert_eq!(shown(b"a", b"\xff"), "not text\n");
        assert_eq!(shown(b"a", b"a"), "the same bytes; only the mode differs\n");
        let large = vec![b'a'; LARGEST as usize + 1];
        assert_eq!(shown(&large, b"a"), "too large to show\n");
    }
}
