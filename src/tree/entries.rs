//! What a directory holds, as small as can be.

use std::cmp::Ordering;
use std::fmt;

use super::{DirId, Leads, Link, Node};
use crate::packed::{NameAt, Packed, TextAt};
use crate::path::Name;

/// The names in a directory, in byte order, and what each is.
#[derive(Clone, Default)]
pub struct Entries {
    packed: Packed,
    /// In the order of their names.
    slots: Vec<Slot>,
    /// In the order of their names, too: newer ones that `slots` has not taken in yet.
    recent: Vec<Slot>,
    /// How many of the slots hold nothing any more.
    gone: usize,
}

/// An entry without its bytes.
#[derive(Clone, Copy)]
struct Slot {
    name: NameAt,
    held: Held,
}

#[derive(Clone, Copy)]
enum Held {
    Gone,
    Dir(DirId),
    File,
    Other,
    UnreadLink(Leads),
    Link(TextAt, Leads),
}

/// Where a name is, or would be.
enum At {
    Slot(usize),
    Recent(usize),
    Nowhere { recent: usize },
}

impl Entries {
    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.slots.len() + self.recent.len() - self.gone
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what stands under `name`.
    pub fn get(&self, name: &[u8]) -> Option<Node> {
        let slot = match self.find(name) {
            At::Slot(at) => &self.slots[at],
            At::Recent(at) => &self.recent[at],
            At::Nowhere { .. } => return None,
        };
        self.node(slot)
    }

    /// Tells whether anything stands under `name`.
    pub fn contains(&self, name: &[u8]) -> bool {
        match self.find(name) {
            At::Slot(at) => !self.slots[at].is_gone(),
            At::Recent(at) => !self.recent[at].is_gone(),
            At::Nowhere { .. } => false,
        }
    }

    /// Returns the entries in the order of their names.
    pub fn iter(&self) -> Iter<'_> {
        Iter { entries: self, slot: 0, recent: 0 }
    }

    /// Returns the names in their order.
    pub fn names(&self) -> impl Iterator<Item = Name> {
        self.iter().map(|(name, _)| name)
    }

    /// Returns what the entries are, in the order of their names.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        self.iter().map(|(_, node)| node)
    }

    /// Puts `node` under `name`, in the place of what was there.
    pub fn set(&mut self, name: &Name, node: &Node) {
        let held = self.pack(name.as_bytes(), node);
        match self.find(name.as_bytes()) {
            At::Slot(at) => {
                self.gone -= usize::from(self.slots[at].is_gone());
                self.slots[at].held = held;
            }
            At::Recent(at) => {
                self.gone -= usize::from(self.recent[at].is_gone());
                self.recent[at].held = held;
            }
            At::Nowhere { recent } => {
                let slot = Slot { name: self.packed.put_name(name.as_bytes()), held };
                let is_last = self.slots.last().is_none_or(|last| self.name(last) < name.as_bytes());
                if is_last && self.recent.is_empty() {
                    self.slots.push(slot);
                } else {
                    self.recent.insert(recent, slot);
                    // Both inserting here and taking in are cheap then, whatever order the names come in.
                    if self.recent.len() > 16 + 2 * self.slots.len().isqrt() {
                        self.take_in();
                    }
                }
            }
        }
    }

    /// Takes what stands under `name` out.
    pub fn remove(&mut self, name: &[u8]) {
        let slot = match self.find(name) {
            At::Slot(at) => &mut self.slots[at],
            At::Recent(at) => &mut self.recent[at],
            At::Nowhere { .. } => return,
        };
        self.gone += usize::from(!slot.is_gone());
        slot.held = Held::Gone;
    }

    /// Gives each directory the place that `number` says.
    pub(super) fn number(&mut self, mut number: impl FnMut(&[u8]) -> DirId) {
        let packed = &self.packed;
        for slot in self.slots.iter_mut().chain(&mut self.recent) {
            if let Held::Dir(id) = &mut slot.held {
                *id = number(packed.name(slot.name));
            }
        }
    }

    fn name(&self, slot: &Slot) -> &[u8] {
        self.packed.name(slot.name)
    }

    fn find(&self, name: &[u8]) -> At {
        let by_name = |slot: &Slot| self.name(slot).cmp(name);
        // Names often come in order: what is behind the last one is nowhere.
        if self.recent.is_empty() && self.slots.last().is_none_or(|last| by_name(last) == Ordering::Less) {
            return At::Nowhere { recent: 0 };
        }
        match self.slots.binary_search_by(by_name) {
            Ok(at) => At::Slot(at),
            Err(_) => match self.recent.binary_search_by(by_name) {
                Ok(at) => At::Recent(at),
                Err(recent) => At::Nowhere { recent },
            },
        }
    }

    fn pack(&mut self, name: &[u8], node: &Node) -> Held {
        match node {
            Node::Dir(id) => Held::Dir(*id),
            Node::File => Held::File,
            Node::Other => Held::Other,
            Node::Link(Link { text: None, leads }) => Held::UnreadLink(*leads),
            Node::Link(Link { text: Some(text), leads }) => {
                Held::Link(self.packed.put_text(name, text), *leads)
            }
        }
    }

    fn node(&self, slot: &Slot) -> Option<Node> {
        Some(match slot.held {
            Held::Gone => return None,
            Held::Dir(id) => Node::Dir(id),
            Held::File => Node::File,
            Held::Other => Node::Other,
            Held::UnreadLink(leads) => Node::Link(Link { text: None, leads }),
            Held::Link(text, leads) => {
                Node::Link(Link { text: Some(self.packed.text(self.name(slot), text)), leads })
            }
        })
    }

    fn take_in(&mut self) {
        let (old, recent) = (std::mem::take(&mut self.slots), std::mem::take(&mut self.recent));
        let mut merged = Vec::with_capacity(old.len() + recent.len());
        let (mut old, mut recent) = (old.into_iter().peekable(), recent.into_iter().peekable());
        loop {
            let next = match (old.peek(), recent.peek()) {
                (Some(a), Some(b)) if self.name(a) < self.name(b) => old.next(),
                (Some(_), None) => old.next(),
                (_, Some(_)) => recent.next(),
                (None, None) => break,
            };
            merged.extend(next.filter(|slot| !slot.is_gone()));
        }
        self.slots = merged;
        self.gone = 0;
    }
}

impl FromIterator<(Name, Node)> for Entries {
    /// Takes entries in any order, each name once.
    fn from_iter<T: IntoIterator<Item = (Name, Node)>>(entries: T) -> Entries {
        let mut listing = Listing::default();
        entries.into_iter().for_each(|(name, node)| listing.push(name.as_bytes(), &node));
        listing.sorted()
    }
}

impl<'a> IntoIterator for &'a Entries {
    type Item = (Name, Node);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl PartialEq for Entries {
    fn eq(&self, other: &Entries) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl Slot {
    fn is_gone(&self) -> bool {
        matches!(self.held, Held::Gone)
    }
}

/// Entries on their way into order.
#[derive(Default)]
pub struct Listing(Entries);

impl Listing {
    /// Adds an entry that is not there yet.
    pub fn push(&mut self, name: &[u8], node: &Node) {
        let held = self.0.pack(name, node);
        let name = self.0.packed.put_name(name);
        self.0.slots.push(Slot { name, held });
    }

    /// Replaces what the links are, asking with their names.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn try_read_links<E>(&mut self, mut read: impl FnMut(&[u8]) -> Result<Link, E>) -> Result<(), E> {
        for at in 0..self.0.slots.len() {
            let slot = self.0.slots[at];
            if let Held::UnreadLink(_) = slot.held {
                let link = Node::Link(read(self.0.packed.name(slot.name))?);
                // The name lies in what the text is added to.
                let name = self.0.packed.name(slot.name).to_vec();
                self.0.slots[at].held = self.0.pack(&name, &link);
            }
        }
        Ok(())
    }

    /// Returns the entries in order.
    pub fn sorted(self) -> Entries {
        let Entries { mut packed, mut slots, recent, gone } = self.0;
        slots.sort_unstable_by(|a, b| packed.name(a.name).cmp(packed.name(b.name)));
        slots.shrink_to_fit();
        packed.shrink();
        Entries { packed, slots, recent, gone }
    }
}

/// The entries of a directory in the order of their names.
#[derive(Clone)]
pub struct Iter<'a> {
    entries: &'a Entries,
    slot: usize,
    recent: usize,
}

impl Iterator for Iter<'_> {
    type Item = (Name, Node);

    fn next(&mut self) -> Option<(Name, Node)> {
        let Entries { slots, recent, .. } = self.entries;
        loop {
            let slot = match (slots.get(self.slot), recent.get(self.recent)) {
                (None, None) => return None,
                (Some(a), b) if b.is_none_or(|b| self.entries.name(a) < self.entries.name(b)) => {
                    self.slot += 1;
                    a
                }
                (_, Some(b)) => {
                    self.recent += 1;
                    b
                }
                (Some(_), None) => unreachable!("with nothing recent the other comes first"),
            };
            if let Some(node) = self.entries.node(slot) {
                return Some((Name::of_segment(self.entries.name(slot)), node));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::path::LinkText;

    fn name(number: u16) -> Name {
        Name::new(format!("n{number}").as_bytes()).expect("a name")
    }

    fn node(kind: u8, number: u16) -> Node {
        match kind {
            0 => Node::File,
            1 => Node::Dir(DirId(u32::from(number))),
            2 => Node::Link(Link { text: None, leads: Leads::Unknown }),
            _ => Node::link(LinkText::new(format!("../p{}/n{number}", number % 3).as_bytes()), Leads::Other),
        }
    }

    proptest! {
        #[test]
        fn entries_are_an_ordered_map(edits in prop::collection::vec((0..300_u16, 0..6_u8), 0..400)) {
            let (mut entries, mut map) = (Entries::default(), BTreeMap::new());
            for (number, kind) in edits {
                if kind == 5 {
                    entries.remove(name(number).as_bytes());
                    map.remove(&name(number));
                } else {
                    entries.set(&name(number), &node(kind, number));
                    map.insert(name(number), node(kind, number));
                }
                prop_assert_eq!(entries.get(name(number).as_bytes()), map.get(&name(number)).cloned());
            }
            prop_assert_eq!(entries.len(), map.len());
            prop_assert!(entries.iter().eq(map.clone()));
            prop_assert!(map.into_iter().rev().collect::<Entries>() == entries);
        }
    }
}
