//! Operations in their order, as small as can be: a plan may have millions, nearly all of them links that come or go.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Change, Op, Thing};
use crate::packed::{NameAt, Packed, TextAt};
use crate::path::{LinkText, Name, RelPath};

/// Operations in the order in which they are to be done.
#[derive(Clone, Default)]
pub struct Ops {
    groups: Vec<Group>,
    len: usize,
}

/// Operations next to each other, in one directory.
#[derive(Clone)]
struct Group {
    dir: RelPath,
    packed: Packed,
    steps: Vec<Step>,
    /// The changes that are none of the usual ones.
    others: Vec<Change>,
}

#[derive(Clone, Copy)]
struct Step {
    name: NameAt,
    change: Packaged,
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
    pub names: Vec<Name>,
}

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
        if self.groups.last().is_none_or(|last| last.dir != dir) {
            self.settle();
            self.groups.push(Group { dir, packed: Packed::default(), steps: Vec::new(), others: Vec::new() });
        }
        if let Some(group) = self.groups.last_mut() {
            group.push(name.as_ref().map_or(b"", Name::as_bytes), op.change);
            self.len += 1;
        }
    }

    /// Gives the memory back that the last group does not use.
    fn settle(&mut self) {
        if let Some(last) = self.groups.last_mut() {
            last.packed.shrink();
            last.steps.shrink_to_fit();
        }
    }

    /// Returns the operations one after the other.
    pub fn iter(&self) -> impl Iterator<Item = Op> + Clone {
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

    /// Returns the operations in as few words as can be, in their order.
    pub fn runs(&self) -> impl Iterator<Item = Run> {
        self.groups
            .iter()
            .flat_map(|group| group.steps.chunk_by(|a, b| group.is_run(a, b)).map(|steps| group.run(steps)))
    }

    /// Adds links that come or go, one operation each.
    pub fn push_run(&mut self, run: Run) {
        let (links, change): (_, fn(Thing) -> Change) = match run {
            Run::Make(links) => (links, Change::Make),
            Run::Remove(links) => (links, Change::Remove),
            Run::One(op) => return self.push(op),
        };
        for name in links.names {
            let text = LinkText::below(links.to.as_bytes(), name.as_bytes());
            self.push(Op { path: links.dir.join(&name), change: change(Thing::Link(text)) });
        }
    }

    /// Returns the operations without their paths.
    pub fn changes(&self) -> impl Iterator<Item = Change> {
        self.groups.iter().flat_map(|group| group.steps.iter().map(|step| group.change(step)))
    }
}

impl Group {
    fn push(&mut self, name: &[u8], change: Change) {
        let at = self.packed.put_name(name);
        let change = match change {
            Change::Make(Thing::Link(text)) => Packaged::MakeLink(self.packed.put_text(name, &text)),
            Change::Remove(Thing::Link(text)) => Packaged::RemoveLink(self.packed.put_text(name, &text)),
            Change::Make(Thing::Dir(pieces)) if pieces.is_empty() => Packaged::MakeDir,
            other => {
                self.others.push(other);
                Packaged::Other(u32::try_from(self.others.len() - 1).expect("fewer than names fit"))
            }
        };
        self.steps.push(Step { name: at, change });
    }

    fn iter(&self) -> impl Iterator<Item = Op> + Clone {
        self.steps.iter().map(|step| self.op(step))
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

    fn run(&self, steps: &[Step]) -> Run {
        let (make, text): (fn(Links) -> Run, _) = match steps[0].change {
            Packaged::MakeLink(text) => (Run::Make, text),
            Packaged::RemoveLink(text) => (Run::Remove, text),
            Packaged::MakeDir | Packaged::Other(_) => return Run::One(self.op(&steps[0])),
        };
        match self.packed.head(text) {
            Some(head) if steps.len() > 1 => make(Links {
                dir: self.dir.clone(),
                to: LinkText::new(head),
                names: steps.iter().filter_map(|step| Name::new(self.packed.name(step.name))).collect(),
            }),
            _ => Run::One(self.op(&steps[0])),
        }
    }

    fn op(&self, step: &Step) -> Op {
        let path = match Name::new(self.packed.name(step.name)) {
            Some(name) => self.dir.join(&name),
            None => self.dir.clone(),
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
        packed.runs().for_each(|run| again.push_run(run));
        assert_eq!(again, packed);
        assert!(packed.changes().eq(ops.into_iter().map(|op| op.change)));
    }
}
