//! The record of a plan that is being done, and of every plan that was: lines of JSON.
//!
//! A journal is written before the first change and renamed when all is done: a record is a journal that was
//! committed. The last line says how many operations there are, so a journal that lost its end is known as such.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::known::Known;
use crate::op::{Group, Links, Op, Ops, Plan, Run};
use crate::path::RelPath;
use crate::threads;

/// The version of the form that is written; a newer one is refused.
const FORMAT: u32 = 1;

/// The lines of fewer operations than this are made by one thread.
const WORTH_SHARING: usize = 4096;

/// So many groups of operations are turned into lines at a time.
const GROUPS: usize = 256;

/// What a record says about itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// The version of the form.
    format: u32,
    /// The number of the generation that the plan makes.
    pub id: u64,
    /// What the temporary names of the run have in common.
    pub token: String,
    /// The farm's root, from the file system's root.
    pub root: RelPath,
    /// When it was begun: seconds since 1970, in UTC.
    pub time: i64,
    /// The command, as typed, without the program's name.
    pub command: Vec<String>,
    /// The generation that a rollback went back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_to: Option<u64>,
    /// A rollback that did plans again: what they moved out of the way, it moved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_forward: bool,
    /// What is known of the farm from then on, where that is more than what plans did. A record has it on a line of its
    /// own, which reading the header alone leaves out.
    #[serde(skip)]
    pub known: Option<Known>,
    /// The inodes of what the plan moves out of the way, by the numbers of the operations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inodes: BTreeMap<usize, u64>,
}

impl Header {
    /// Returns the header of a plan that begins now.
    pub fn new(id: u64, token: String, root: RelPath, time: i64, command: Vec<String>) -> Header {
        Header {
            format: FORMAT,
            id,
            token,
            root,
            time,
            command,
            back_to: None,
            is_forward: false,
            known: None,
            inodes: BTreeMap::new(),
        }
    }
}

/// One plan after the other, all or nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// What it is.
    pub header: Header,
    /// The plans. In one plan each path changes at most once; a rollback over several generations needs several.
    pub phases: Vec<Plan>,
    /// How many phases were done completely; of a committed record this says nothing.
    pub phases_done: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Farm(Header),
    Known(Known),
    Op(Op),
    /// Operations that make links.
    Make(Links),
    /// Operations that remove links.
    Remove(Links),
    /// The operations so far are a phase.
    Phase,
    /// So many operations there are.
    End(usize),
    /// So many phases are done.
    Done(usize),
}

/// Writes a record.
///
/// # Errors
/// The writer's.
pub fn write(header: &Header, phases: &[Plan], to: &mut impl Write) -> io::Result<()> {
    write_line(&Line::Farm(header.clone()), to)?;
    if let Some(known) = &header.known {
        write_line(&Line::Known(known.clone()), to)?;
    }
    for plan in phases {
        write_ops(&plan.ops, to)?;
        write_line(&Line::Phase, to)?;
    }
    write_line(&Line::End(phases.iter().map(|plan| plan.ops.len()).sum()), to)
}

/// Writes operations; the lines of many are made by several threads.
fn write_ops(ops: &Ops, to: &mut impl Write) -> io::Result<()> {
    if ops.len() < WORTH_SHARING || !threads::start() {
        return ops.groups().iter().try_for_each(|group| write_group(group, to));
    }
    let lines = |group: &Group| {
        let mut lines = Vec::new();
        write_group(group, &mut lines).map(|()| lines)
    };
    // Not all at once: that would take as much memory as the journal is long.
    for groups in ops.groups().chunks(GROUPS) {
        let lines = groups.par_iter().with_max_len(threads::AT_A_TIME).map(lines);
        let lines = lines.collect::<io::Result<Vec<_>>>()?;
        lines.iter().try_for_each(|lines| to.write_all(lines))?;
    }
    Ok(())
}

fn write_group(group: &Group, to: &mut impl Write) -> io::Result<()> {
    group.runs().into_iter().try_for_each(|run| {
        let line = match run {
            Run::Make(links) => Line::Make(links),
            Run::Remove(links) => Line::Remove(links),
            Run::One(op) => Line::Op(op),
        };
        write_line(&line, to)
    })
}

fn write_line(line: &Line, to: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *to, line)?;
    to.write_all(b"\n")
}

/// Writes that so many phases are done.
///
/// # Errors
/// The writer's.
pub fn write_done(phases: usize, to: &mut impl Write) -> io::Result<()> {
    // One call: half a line must not be taken for a whole one.
    let line = serde_json::to_string(&Line::Done(phases))? + "\n";
    to.write_all(line.as_bytes())
}

/// Reads a header only.
///
/// # Errors
/// The reader's; "unsupported" for what a newer farm wrote, "invalid data" for what is no header.
pub fn read_header(from: &mut impl BufRead) -> io::Result<Header> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    match parse(&line)? {
        Line::Farm(header) if header.format == FORMAT => Ok(header),
        Line::Farm(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "it was written by a newer farm")),
        _ => Err(bad("it is no record of farm's")),
    }
}

/// Tells whether what follows a header is what is known of the farm.
///
/// # Errors
/// The reader's.
pub fn has_known(from: &mut impl BufRead) -> io::Result<bool> {
    Ok(from.fill_buf()?.starts_with(b"{\"known\""))
}

/// Reads a record.
///
/// # Errors
/// The reader's; "invalid data" for what is no record, or not a whole one.
pub fn read(from: &mut impl BufRead) -> io::Result<Record> {
    let header = read_header(from)?;
    let mut record = Record { header, phases: Vec::new(), phases_done: 0 };
    let mut ops = Ops::default();
    let mut count = None;
    for line in from.split(b'\n') {
        match (parse(&line?), count) {
            (Ok(Line::Known(known)), None) => record.header.known = Some(known),
            (Ok(Line::Op(op)), None) => ops.push(op),
            (Ok(Line::Make(links)), None) => ops.push_run(Run::Make(links)),
            (Ok(Line::Remove(links)), None) => ops.push_run(Run::Remove(links)),
            (Ok(Line::Phase), None) => record.phases.push(Plan { ops: std::mem::take(&mut ops) }),
            (Ok(Line::End(written)), None) => count = Some(written),
            (Ok(Line::Done(phases)), Some(_)) => record.phases_done = phases,
            // A note that was cut off was not made.
            (Err(_), Some(_)) => break,
            (Err(error), None) => return Err(error),
            (Ok(_), _) => return Err(bad("its lines are out of order")),
        }
    }
    let found = record.phases.iter().map(|plan| plan.ops.len()).sum();
    if count != Some(found) || !ops.is_empty() || record.phases_done > record.phases.len() {
        return Err(bad("it is cut off"));
    }
    Ok(record)
}

fn parse(line: &[u8]) -> io::Result<Line> {
    serde_json::from_slice(line).map_err(|_| bad("it is damaged, or no record of farm's"))
}

fn bad(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Change, Place, Slot, Thing, What};
    use crate::path::{LinkText, Name};
    use crate::rendered::Stored;

    fn record() -> Record {
        let path = |path: &str| RelPath::new(path.as_bytes()).expect("a path");
        let many = ["x", "y", "z"].map(|name| {
            let text = Thing::Link(LinkText::new(format!("../p/{name}").as_bytes()));
            Op { path: path(&format!("d/{name}")), change: Change::Remove(text) }
        });
        let link = Thing::Link(LinkText::new(b"../stow/\xff"));
        let make = [Op { path: path("a/b"), change: Change::Make(link.clone()) }];
        let change = Change::Displace { what: What::File, to: Place::Kept(Slot(7)), new: link };
        let displace = Op { path: path("c"), change };
        let header =
            Header::new(7, "abc".to_owned(), path("home/ann"), 1_700_000_000, vec!["link".to_owned()]);
        let mut header = header;
        let name = |name: &[u8]| Name::new(name).expect("a name");
        let stored = Stored { shelf: name(b"dotfiles"), name: name(b"0-f") };
        header.known = Some(Known {
            links: [(path("x"), LinkText::new(b"y"))].into(),
            dirs: [path("d")].into(),
            files: [(path("f"), stored)].into(),
            contents: [(path("x"), "0".to_owned())].into(),
            session: vec!["s".to_owned()],
        });
        let phases = vec![
            Plan { ops: make.into_iter().chain(many).collect() },
            Plan { ops: Ops::from_iter([displace]) },
        ];
        Record { header, phases, phases_done: 0 }
    }

    fn written(record: &Record) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&record.header, &record.phases, &mut bytes).expect("memory takes all");
        bytes
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut bytes = written(&record());
        assert_eq!(read(&mut &bytes[..]).expect("a record"), record());
        let mut from = &bytes[..];
        assert_eq!(read_header(&mut from).expect("a header").id, 7);
        assert!(has_known(&mut from).expect("memory"));
        write_done(1, &mut bytes).expect("memory takes all");
        assert_eq!(read(&mut &bytes[..]).expect("a record").phases_done, 1);
    }

    #[test]
    fn what_several_threads_write_is_read_back_in_order() {
        let op = |number: usize| {
            let path = RelPath::new(format!("d{}/l{number}", number / 5).as_bytes()).expect("a path");
            let link = Thing::Link(LinkText::new(format!("../p/l{number}").as_bytes()));
            Op { path, change: Change::Make(link) }
        };
        let phases = vec![Plan { ops: (0..WORTH_SHARING + 3).map(op).collect() }];
        let record = Record { phases, ..record() };
        assert_eq!(read(&mut &written(&record)[..]).expect("a record"), record);
    }

    #[test]
    fn a_record_that_lost_its_end_is_refused_wherever_it_was_cut() {
        let bytes = written(&record());
        for end in 0..bytes.len() - 1 {
            assert!(read(&mut &bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_note_that_was_cut_off_was_not_made() {
        let whole = written(&record());
        let mut bytes = whole.clone();
        write_done(1, &mut bytes).expect("memory takes all");
        for end in whole.len()..bytes.len() - 2 {
            assert_eq!(read(&mut &bytes[..end]).expect("a record").phases_done, 0);
        }
    }

    #[test]
    fn what_a_newer_farm_wrote_is_refused() {
        let bytes = String::from_utf8(written(&record()).split_off(0)).unwrap_or_default();
        let newer = bytes.replacen("\"format\":1", "\"format\":2", 1);
        let error = read(&mut newer.as_bytes()).expect_err("newer");
        assert_eq!(error.to_string(), "it was written by a newer farm");
        assert!(read(&mut &b"# a shell script\n"[..]).is_err());
    }
}
