//! Operations in their order, as small as can be: a plan may have millions, nearly all of them links that come or go.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Change, Op, Thing};
use crate::packed::{NameAt, Names, Packed, TextAt};
use crate::path::{LinkText, Name, RelPath};
use crate::tree::Entries;

/// Operations in the order in which they are to be done.
#[derive(Clone, Default)]
pub struct Ops {
    groups: Vec<Group>,
    len: usize,
    /// The length of the longest text that a link is made with.
    longest_text: usize,
}

/// Operations next to each other, in one directory.
#[derive(Clone)]
pub struct Group {
    /// How many operations come before.
    first: usize,
    dir: RelPath,
    steps: Steps,
}

#[derive(Clone)]
enum Steps {
    /// One after the other.
    Each(Each),
    /// All links of a directory come, or go.
    All(All, Arc<Entries>),
}

/// What happens to all links of a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum All {
    /// They are made; nothing is there before.
    Come,
    /// They are removed; nothing is left.
    Go,
}

#[derive(Clone, Default)]
struct Each {
    packed: Packed,
    steps: Vec<Step>,
    /// The changes that are none of the usual ones.
    others: Vec<Change>,
}

/// How many links a plan makes and removes, each by itself, and how many directories it makes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Usual {
    /// Links that are made where nothing is.
    pub links_made: usize,
    /// Links that are removed, and nothing takes their place.
    pub links_removed: usize,
    /// Directories that are made where nothing is, and filled by operations of their own.
    pub dirs_made: usize,
}

/// Operations next to each other that are of one kind, as far as that can be said in few words.
pub enum Run {
    /// Links that come and lead to their own names in one place.
    Make(Links),
    /// Such links that go.
    Remove(Links),
    /// Anything else.
    One(Op),
}

/// Links in one directory whose texts differ in their names only.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Links {
    /// The directory.
    #[serde(rename = "in")]
    pub dir: RelPath,
    /// What comes before the name in each text.
    pub to: LinkText,
    /// Their names.
    pub names: Names,
}

/// Operations next to each other, and whether they depend on one another.
pub enum Stretch<'a> {
    /// Each may need those before it.
    InOrder(Unit<'a>),
    /// Nothing in one unit needs anything in another.
    Apart(Vec<Unit<'a>>),
}

/// Operations that are done one after the other.
#[derive(Clone, Copy)]
pub struct Unit<'a> {
    groups: &'a [Group],
}

impl<'a> Unit<'a> {
    /// Returns the number of operations.
    pub fn len(&self) -> usize {
        self.groups.iter().map(Group::len).sum()
    }

    /// Returns its parts: the operations in one directory, then those in the next.
    pub fn groups(&self) -> &'a [Group] {
        self.groups
    }
}

#[derive(Clone, Copy)]
struct Step {
    name: NameAt,
    change: Packaged,
}

const _: () = assert!(size_of::<Step>() == 12, "a plan may have millions of operations");

#[derive(Clone, Copy)]
enum Packaged {
    MakeLink(TextAt),
    RemoveLink(TextAt),
    MakeDir,
    Other(u32),
}

impl Ops {
    /// Returns the number of operations.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an operation at the end.
    pub fn push(&mut self, op: Op) {
        // The root itself is changed by no plan; what asks for it is found out when it is done.
        let (dir, name) = match op.path.split() {
            Some((dir, name)) => (dir, Some(name)),
            None => (RelPath::root(), None),
        };
        let texts = op.change.new_texts();
        self.longest_text = texts.map(|text| text.as_bytes().len()).max().unwrap_or(0).max(self.longest_text);
        let is_open = |last: &Group| last.dir == dir && matches!(last.steps, Steps::Each(_));
        if !self.groups.last().is_some_and(is_open) {
            self.settle();
            self.groups.push(Group { first: self.len, dir, steps: Steps::Each(Each::default()) });
        }
        if let Some(Group { steps: Steps::Each(each), .. }) = self.groups.last_mut() {
            each.push(name.as_ref().map_or(b"", Name::as_bytes), op.change);
            self.len += 1;
        }
    }

    /// Adds an operation for each of the links that `entries`, which hold nothing else, has in `dir`.
    pub fn push_all(&mut self, all: All, dir: RelPath, entries: Arc<Entries>) {
        if entries.is_empty() {
            return;
        }
        if all == All::Come {
            let length = |(name, text): (&[u8], Result<&[u8], LinkText>)| {
                text.map_or_else(|text| text.as_bytes().len(), |head| head.len() + 1 + name.len())
            };
            self.longest_text = entries.links().map(length).max().unwrap_or(0).max(self.longest_text);
        }
        self.settle();
        let len = entries.len();
        self.groups.push(Group { first: self.len, dir, steps: Steps::All(all, entries) });
        self.len += len;
    }

    /// Gives the memory back that the last group does not use.
    fn settle(&mut self) {
        if let Some(Group { steps: Steps::Each(last), .. }) = self.groups.last_mut() {
            last.packed.shrink();
            last.steps.shrink_to_fit();
        }
    }

    /// Returns the length of the longest text that a link is made with.
    pub fn longest_text(&self) -> usize {
        self.longest_text
    }

    /// Returns the operations one after the other.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Op> {
        self.groups.iter().flat_map(Group::iter)
    }

    /// Lets `edit` change each operation.
    pub fn edit(&mut self, mut edit: impl FnMut(&mut Op)) {
        let edited = self.iter().map(|mut op| {
            edit(&mut op);
            op
        });
        *self = edited.collect();
    }

    /// Returns the operations in their order, those next to each other in one directory together.
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Adds links that come or go, one operation each.
    pub fn push_run(&mut self, run: Run) {
        let (links, change): (_, fn(Thing) -> Change) = match run {
            Run::Make(links) => (links, Change::Make),
            Run::Remove(links) => (links, Change::Remove),
            Run::One(op) => return self.push(op),
        };
        for name in links.names.iter() {
            let text = LinkText::below(links.to.as_bytes(), name);
            self.push(Op { path: links.dir.join_segment(name), change: change(Thing::Link(text)) });
        }
    }

    /// Returns the operations that do more than make or remove a link, or make a directory.
    pub fn unusual(&self) -> impl Iterator<Item = Op> {
        let is_unusual = |op: &Op| match &op.change {
            Change::Make(Thing::Dir(pieces)) => !pieces.is_empty(),
            Change::Make(Thing::Link(_)) | Change::Remove(Thing::Link(_)) => false,
            _ => true,
        };
        self.groups.iter().filter(|group| !group.is_usual()).flat_map(Group::iter).filter(is_unusual)
    }

    /// Returns how many of each kind the other operations are, of which there may be millions.
    pub fn usual(&self) -> Usual {
        let mut usual = Usual::default();
        for group in &self.groups {
            match &group.steps {
                Steps::All(All::Come, entries) => usual.links_made += entries.len(),
                Steps::All(All::Go, entries) => usual.links_removed += entries.len(),
                Steps::Each(each) => {
                    for step in &each.steps {
                        match step.change {
                            Packaged::MakeLink(_) => usual.links_made += 1,
                            Packaged::RemoveLink(_) => usual.links_removed += 1,
                            Packaged::MakeDir => usual.dirs_made += 1,
                            Packaged::Other(_) => {}
                        }
                    }
                }
            }
        }
        usual
    }

    /// Tells whether all operations make something, so that nothing goes.
    pub fn only_make(&self) -> bool {
        self.groups.iter().all(|group| match &group.steps {
            Steps::Each(each) => each.steps.iter().all(|step| match step.change {
                Packaged::MakeLink(_) | Packaged::MakeDir => true,
                Packaged::RemoveLink(_) => false,
                Packaged::Other(at) => matches!(each.others[at as usize], Change::Make(_)),
            }),
            Steps::All(all, _) => *all == All::Come,
        })
    }

    /// Tells whether all operations remove links.
    pub fn only_remove_links(&self) -> bool {
        self.groups.iter().all(|group| match &group.steps {
            Steps::Each(each) => each.steps.iter().all(|step| matches!(step.change, Packaged::RemoveLink(_))),
            Steps::All(all, _) => *all == All::Go,
        })
    }

    /// Returns the operations in stretches, each to be done when all of the one before it is.
    pub fn stretches(&self) -> Vec<Stretch<'_>> {
        let mut stretches: Vec<Stretch> = Vec::new();
        // The directories that the last stretch makes, and the unit that does.
        let mut made: HashMap<RelPath, usize> = HashMap::new();
        for (at, group) in self.groups.iter().enumerate() {
            let alone = Unit { groups: &self.groups[at..=at] };
            match stretches.last_mut() {
                Some(Stretch::InOrder(unit)) if !group.is_usual() => {
                    unit.groups = &self.groups[at - unit.groups.len()..=at];
                    continue;
                }
                Some(Stretch::Apart(units)) if group.is_usual() => match group.needs(&made) {
                    None => units.push(alone),
                    Some(unit) if unit + 1 == units.len() => {
                        units[unit].groups = &self.groups[at - units[unit].groups.len()..=at];
                    }
                    Some(_) => {
                        made.clear();
                        stretches.push(Stretch::Apart(vec![alone]));
                    }
                },
                _ => {
                    made.clear();
                    if !group.is_usual() {
                        stretches.push(Stretch::InOrder(alone));
                        continue;
                    }
                    stretches.push(Stretch::Apart(vec![alone]));
                }
            }
            if let Some(Stretch::Apart(units)) = stretches.last() {
                made.extend(group.dirs_made().map(|dir| (dir, units.len() - 1)));
            }
        }
        stretches
    }

    /// Returns the operations without their paths.
    pub fn changes(&self) -> impl Iterator<Item = Change> {
        self.iter().map(|op| op.change)
    }
}

impl Group {
    /// Returns the operations, each with its number in the plan.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, Op)> {
        (self.first..).zip(self.iter())
    }

    /// Returns the number in the plan of the first operation.
    pub fn first(&self) -> usize {
        self.first
    }

    /// Returns the directory.
    pub fn dir(&self) -> &RelPath {
        &self.dir
    }

    /// Returns the links that are removed here, as [`Entries::links`] does.
    pub fn links_removed(&self) -> impl Iterator<Item = (&[u8], Result<&[u8], LinkText>)> {
        let (each, all) = match &self.steps {
            Steps::Each(each) => (Some(each), None),
            Steps::All(All::Go, entries) => (None, Some(entries)),
            Steps::All(All::Come, _) => (None, None),
        };
        let each = each.into_iter().flat_map(|each| {
            each.steps.iter().filter_map(|step| {
                let Packaged::RemoveLink(text) = step.change else { return None };
                let name = each.packed.name(step.name);
                Some((name, each.packed.head(text).ok_or_else(|| each.packed.text(name, text))))
            })
        });
        each.chain(all.into_iter().flat_map(|entries| entries.links()))
    }

    /// Returns what becomes of all links of a directory, the number of the first operation, the directory and the links,
    /// when that is what happens.
    pub fn all(&self) -> Option<(All, usize, &RelPath, &Entries)> {
        match &self.steps {
            Steps::All(all, entries) => Some((*all, self.first, &self.dir, entries)),
            Steps::Each(_) => None,
        }
    }

    /// Returns the number of operations.
    pub fn len(&self) -> usize {
        match &self.steps {
            Steps::Each(each) => each.steps.len(),
            Steps::All(_, entries) => entries.len(),
        }
    }

    /// Tells whether links are made and removed here, and directories made, and nothing else.
    fn is_usual(&self) -> bool {
        match &self.steps {
            Steps::Each(each) => each.others.is_empty(),
            Steps::All(..) => true,
        }
    }

    fn iter(&self) -> Box<dyn DoubleEndedIterator<Item = Op> + '_> {
        match &self.steps {
            Steps::Each(each) => Box::new(each.steps.iter().map(|step| each.op(&self.dir, step))),
            Steps::All(all, entries) => {
                let links: Vec<_> = entries.links().collect();
                Box::new(links.into_iter().map(|(name, text)| {
                    let text = text.map_or_else(|text| text, |head| LinkText::below(head, name));
                    let link = Thing::Link(text);
                    let change = match all {
                        All::Come => Change::Make(link),
                        All::Go => Change::Remove(link),
                    };
                    Op { path: self.dir.join(&Name::of_segment(name)), change }
                }))
            }
        }
    }

    /// Returns the operations in as few words as can be, in their order.
    pub(crate) fn runs(&self) -> Vec<Run> {
        match &self.steps {
            Steps::Each(each) => each
                .steps
                .chunk_by(|a, b| each.is_run(a, b))
                .map(|steps| each.run(&self.dir, steps))
                .collect(),
            Steps::All(all, entries) => {
                let mut runs = Vec::new();
                let mut links = entries.links().peekable();
                while let Some((name, leads)) = links.next() {
                    match leads {
                        Ok(to) => {
                            let mut names = Names::default();
                            names.push(name);
                            while let Some((name, _)) = links.next_if(|(_, leads)| *leads == Ok(to)) {
                                names.push(name);
                            }
                            let links = Links { dir: self.dir.clone(), to: LinkText::new(to), names };
                            runs.push(if *all == All::Come { Run::Make(links) } else { Run::Remove(links) });
                        }
                        Err(text) => {
                            let link = Thing::Link(text);
                            let change =
                                if *all == All::Come { Change::Make(link) } else { Change::Remove(link) };
                            runs.push(Run::One(Op { path: self.dir.join_segment(name), change }));
                        }
                    }
                }
                runs
            }
        }
    }

    /// Returns the unit that makes the directory of this group, or one above it.
    fn needs(&self, made: &HashMap<RelPath, usize>) -> Option<usize> {
        if made.is_empty() {
            return None;
        }
        let above = std::iter::successors(Some(self.dir.clone()), |dir| Some(dir.split()?.0));
        above.into_iter().find_map(|dir| made.get(&dir).copied())
    }

    fn dirs_made(&self) -> impl Iterator<Item = RelPath> {
        let each = match &self.steps {
            Steps::Each(each) => Some(each),
            Steps::All(..) => None,
        };
        let makes_dir = |step: &&Step| matches!(step.change, Packaged::MakeDir);
        let made =
            each.map(|each| each.steps.iter().filter(makes_dir).map(|step| each.op(&self.dir, step).path));
        made.into_iter().flatten()
    }
}

impl Each {
    fn push(&mut self, name: &[u8], change: Change) {
        let at = self.packed.put_name(name);
        let change = match change {
            Change::Make(Thing::Link(text)) => {
                Packaged::MakeLink(self.packed.put_text(name, text.as_bytes()))
            }
            Change::Remove(Thing::Link(text)) => {
                Packaged::RemoveLink(self.packed.put_text(name, text.as_bytes()))
            }
            Change::Make(Thing::Dir(pieces)) if pieces.is_empty() => Packaged::MakeDir,
            other => {
                self.others.push(other);
                Packaged::Other(u32::try_from(self.others.len() - 1).expect("fewer than names fit"))
            }
        };
        self.steps.push(Step { name: at, change });
    }

    /// Tells whether two steps are links that come, or links that go, whose texts differ in their names only.
    fn is_run(&self, a: &Step, b: &Step) -> bool {
        match (a.change, b.change) {
            (Packaged::MakeLink(a), Packaged::MakeLink(b))
            | (Packaged::RemoveLink(a), Packaged::RemoveLink(b)) => {
                self.packed.head(a).is_some() && self.packed.head(a) == self.packed.head(b)
            }
            _ => false,
        }
    }

    fn run(&self, dir: &RelPath, steps: &[Step]) -> Run {
        let (make, text): (fn(Links) -> Run, _) = match steps[0].change {
            Packaged::MakeLink(text) => (Run::Make, text),
            Packaged::RemoveLink(text) => (Run::Remove, text),
            Packaged::MakeDir | Packaged::Other(_) => return Run::One(self.op(dir, &steps[0])),
        };
        match self.packed.head(text) {
            Some(head) if steps.len() > 1 => make(Links {
                dir: dir.clone(),
                to: LinkText::new(head),
                names: steps.iter().map(|step| self.packed.name(step.name)).collect(),
            }),
            _ => Run::One(self.op(dir, &steps[0])),
        }
    }

    fn op(&self, dir: &RelPath, step: &Step) -> Op {
        let path = match Name::new(self.packed.name(step.name)) {
            Some(name) => dir.join(&name),
            None => dir.clone(),
        };
        Op { path, change: self.change(step) }
    }

    fn change(&self, step: &Step) -> Change {
        let link = |text| Thing::Link(self.packed.text(self.packed.name(step.name), text));
        match step.change {
            Packaged::MakeLink(text) => Change::Make(link(text)),
            Packaged::RemoveLink(text) => Change::Remove(link(text)),
            Packaged::MakeDir => Change::Make(Thing::Dir(Vec::new())),
            Packaged::Other(at) => self.others[at as usize].clone(),
        }
    }
}

impl FromIterator<Op> for Ops {
    fn from_iter<T: IntoIterator<Item = Op>>(iter: T) -> Ops {
        let mut ops = Ops::default();
        ops.extend(iter);
        ops
    }
}

impl Extend<Op> for Ops {
    fn extend<T: IntoIterator<Item = Op>>(&mut self, iter: T) {
        iter.into_iter().for_each(|op| self.push(op));
        self.settle();
    }
}

impl PartialEq for Ops {
    fn eq(&self, other: &Ops) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl Eq for Ops {}

impl fmt::Debug for Ops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Place, Slot, What};

    fn made(path: &str) -> Op {
        let path = RelPath::new(path.as_bytes()).expect("a path");
        let change = match path.split().expect("not the root").1.as_bytes() {
            [b'l', ..] => Change::Make(Thing::Link(LinkText::new(b"somewhere"))),
            [b's', ..] => {
                Change::Swap { old: Thing::Dir(Vec::new()), new: Thing::Link(LinkText::new(b"somewhere")) }
            }
            _ => Change::Make(Thing::Dir(Vec::new())),
        };
        Op { path, change }
    }

    #[test]
    fn what_needs_one_another_stays_together() {
        let paths =
            ["l", "a", "a/l", "a/b", "a/b/l", "a/m", "b", "b/l", "c/l", "s", "s2", "d/l", "e", "d/l2", "e/l"];
        let ops: Ops = paths.into_iter().map(made).collect();
        let shown = |unit: &Unit| {
            let paths: Vec<_> = unit
                .groups()
                .iter()
                .flat_map(Group::numbered)
                .map(|(number, op)| {
                    assert_eq!(op, made(paths[number]));
                    paths[number]
                })
                .collect();
            paths.join(" ")
        };
        let stretches: Vec<Vec<String>> = ops
            .stretches()
            .iter()
            .map(|stretch| match stretch {
                Stretch::InOrder(unit) => vec![format!("in order: {}", shown(unit))],
                Stretch::Apart(units) => units.iter().map(shown).collect(),
            })
            .collect();
        assert_eq!(
            stretches,
            [
                &["l a a/l a/b a/b/l a/m", "b b/l", "c/l"][..],
                &["in order: s s2"],
                &["d/l", "e", "d/l2"],
                &["e/l"]
            ]
        );
    }

    #[test]
    fn operations_come_back_as_they_were() {
        let link = |text: &str| Thing::Link(LinkText::new(text.as_bytes()));
        let changes = [
            ("a/x", Change::Make(link("../s/p/a/x"))),
            ("a/y", Change::Remove(link("../s/p/a/y"))),
            ("a/z", Change::Swap { old: link("/else"), new: link("../s/p/a/z") }),
            ("b", Change::Make(Thing::Dir(Vec::new()))),
            ("b/f", Change::Displace { what: What::File, to: Place::Kept(Slot(3)), new: link("t") }),
            ("", Change::Make(link("s"))),
        ];
        let ops =
            changes.map(|(path, change)| Op { path: RelPath::new(path.as_bytes()).expect("a path"), change });
        let packed: Ops = ops.iter().cloned().collect();
        assert_eq!(packed.iter().collect::<Vec<_>>(), ops);
        assert_eq!(packed.len(), ops.len());
        let mut again = Ops::default();
        packed.groups().iter().flat_map(Group::runs).for_each(|run| again.push_run(run));
        assert_eq!(again, packed);
        assert_eq!(packed.longest_text(), "../s/p/a/x".len());
        let usual = packed.usual();
        let others = packed.unusual().count();
        assert_eq!(usual.links_made + usual.links_removed + usual.dirs_made + others, ops.len());
        assert!(packed.changes().eq(ops.into_iter().map(|op| op.change)));
    }
}
