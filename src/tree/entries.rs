//! What a directory holds, as small as can be.

use std::cmp::Ordering;
use std::fmt;

use super::{DirId, Leads, Link, Node, Stamp};
use crate::packed::{NameAt, Packed, TextAt};
use crate::path::{LinkText, Name};

/// The names in a directory, in byte order, and what each is.
#[derive(Clone, Default)]
pub struct Entries {
    packed: Packed,
    /// In the order of their names.
    slots: Vec<Slot>,
    /// In the order of their names, too: newer ones that `slots` has not taken in yet.
    recent: Vec<Slot>,
    /// How many of the slots hold nothing (any more).
    gone: usize,
    /// Only the names that have a slot are known: the directory is large, and nobody has read all of it.
    partial: bool,
    /// What entries are or have been; what is not among this need not be looked for.
    kinds: Kinds,
    /// The directory's when it was read, where that can be told from any later one.
    stamp: Option<Stamp>,
}

/// An entry without its bytes.
#[derive(Clone, Copy)]
struct Slot {
    name: NameAt,
    held: Held,
}

/// What an entry is. Eight bytes: with the name's place a slot has twelve.
#[derive(Clone, Copy)]
enum Held {
    Gone,
    Dir(DirId),
    File,
    Other,
    UnreadLink(Leads),
    Link(TextAt, Leads),
}

/// A set of what entries can be.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Kinds(u8);

impl Kinds {
    const DIR: Kinds = Kinds(1);
    const UNREAD_LINK: Kinds = Kinds(2);
    const LINK: Kinds = Kinds(4);
    const REST: Kinds = Kinds(8);

    fn add(&mut self, held: Held) {
        self.0 |= match held {
            Held::Gone => Kinds(0),
            Held::Dir(_) => Kinds::DIR,
            Held::UnreadLink(_) => Kinds::UNREAD_LINK,
            Held::Link(..) => Kinds::LINK,
            Held::File | Held::Other => Kinds::REST,
        }
        .0;
    }

    fn has(self, kind: Kinds) -> bool {
        self.0 & kind.0 != 0
    }
}

/// Where a name is, or would be.
enum At {
    Slot(usize),
    Recent(usize),
    Nowhere { recent: usize },
}

impl Entries {
    /// Returns the stamp that the directory had when this was read, where that can be told from any later one.
    pub fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    /// Returns the content of a large directory of which nothing is known yet but names that are looked up.
    pub fn partial() -> Entries {
        Entries { partial: true, ..Entries::default() }
    }

    /// Tells whether only some names are known.
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    /// Tells whether it is known what, if anything, stands under `name`.
    pub fn knows(&self, name: &[u8]) -> bool {
        !self.partial || !matches!(self.find(name), At::Nowhere { .. })
    }

    /// Enters that nothing stands under `name`.
    pub fn set_absent(&mut self, name: &[u8]) {
        self.put(name, Held::File);
        self.remove(name);
    }

    /// Returns all names that are known, also those of nothing.
    pub(super) fn known(&self) -> impl Iterator<Item = (Name, Option<Node>)> {
        let slots = self.slots.iter().chain(&self.recent);
        slots.map(|slot| (Name::of_segment(self.name(slot)), self.node(slot)))
    }

    pub(super) fn with_stamp(self, stamp: Option<Stamp>) -> Entries {
        Entries { stamp, ..self }
    }

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

    /// Returns the directories in the order of their names.
    pub fn dirs(&self) -> impl Iterator<Item = (Name, DirId)> {
        let held = self.kinds.has(Kinds::DIR).then(|| self.held());
        held.into_iter().flatten().filter_map(|slot| match slot.held {
            Held::Dir(dir) => Some((Name::of_segment(self.name(slot)), dir)),
            _ => None,
        })
    }

    /// Puts `node` under `name`, in the place of what was there.
    pub fn set(&mut self, name: &Name, node: &Node) {
        let held = self.pack(name.as_bytes(), node);
        self.put(name.as_bytes(), held);
    }

    fn put(&mut self, name: &[u8], held: Held) {
        self.kinds.add(held);
        let slot = match self.find(name) {
            At::Slot(at) => &mut self.slots[at],
            At::Recent(at) => &mut self.recent[at],
            At::Nowhere { recent } => {
                let is_last = self.slots.last().is_none_or(|last| self.name(last) < name);
                let slot = Slot { name: self.packed.put_name(name), held };
                if is_last && self.recent.is_empty() {
                    self.slots.push(slot);
                } else {
                    self.recent.insert(recent, slot);
                    // Both inserting here and taking in are cheap then, whatever order the names come in.
                    if self.recent.len() > 16 + 2 * self.slots.len().isqrt() {
                        self.take_in();
                    }
                }
                return;
            }
        };
        self.gone -= usize::from(slot.is_gone());
        slot.held = held;
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
        if self.is_empty() && !self.partial {
            *self = Entries::default();
        }
    }

    /// Tells whether a link stands under `name` that leads to that name in the directory that `head` leads to.
    pub fn leads_below(&self, name: &[u8], head: &[u8]) -> bool {
        let slot = match self.find(name) {
            At::Slot(at) => &self.slots[at],
            At::Recent(at) => &self.recent[at],
            At::Nowhere { .. } => return false,
        };
        matches!(slot.held, Held::Link(text, _) if self.packed.leads_below(name, text, head))
    }

    /// Tells whether there are links whose texts nobody has read.
    pub fn has_unread_links(&self) -> bool {
        self.kinds.has(Kinds::UNREAD_LINK) && self.held().any(|slot| matches!(slot.held, Held::UnreadLink(_)))
    }

    /// Tells whether a link stands under `name` whose text nobody has read.
    pub fn is_unread_link(&self, name: &[u8]) -> bool {
        let slot = match self.find(name) {
            At::Slot(at) => &self.slots[at],
            At::Recent(at) => &self.recent[at],
            At::Nowhere { .. } => return false,
        };
        matches!(slot.held, Held::UnreadLink(_))
    }

    /// Returns the names of the links in their order.
    pub fn link_names(&self) -> impl Iterator<Item = &[u8]> {
        self.held().filter(|slot| slot.leads().is_some()).map(|slot| self.name(slot))
    }

    /// Returns the names of the links that lead to one of these.
    pub fn links_to(&self, leads: &[Leads]) -> impl Iterator<Item = Name> {
        let is_one = |slot: &&Slot| slot.leads().is_some_and(|to| leads.contains(&to));
        self.held().filter(is_one).map(|slot| Name::of_segment(self.name(slot)))
    }

    /// Returns these entries, with what their links lead to, in the order of their names.
    pub fn with_leads(&self, leads: Vec<Leads>) -> Entries {
        let mut entries = self.clone();
        entries.take_in();
        let links = entries.slots.iter_mut().filter(|slot| slot.leads().is_some());
        links.zip(leads).for_each(|(slot, to)| slot.lead(to));
        entries
    }

    /// Takes over what links lead to from others of the same names.
    pub(super) fn learn_leads(&mut self, others: &Entries) {
        self.take_in();
        let mut others = others.held().map(|slot| (others.name(slot), slot.leads())).peekable();
        for slot in &mut self.slots {
            let name = self.packed.name(slot.name);
            while others.next_if(|(other, _)| *other < name).is_some() {}
            if let Some((_, Some(leads))) = others.next_if(|(other, _)| *other == name) {
                slot.lead(leads);
            }
        }
    }

    /// Returns the number of links.
    pub fn count_links(&self) -> usize {
        self.link_names().count()
    }

    /// Tells whether these are the same names as `links`, all of them links of which nothing else is known.
    pub(super) fn is_unread(&self, links: &Entries) -> bool {
        let is_same = |(a, b)| {
            matches!(a, &Slot { held: Held::UnreadLink(Leads::Unknown), .. }) && self.name(a) == links.name(b)
        };
        self.len() == links.len() && self.held().zip(links.held()).all(is_same)
    }

    /// Tells whether all entries are links whose texts were read.
    pub fn only_links(&self) -> bool {
        self.kinds == Kinds::LINK || self.held().all(|slot| matches!(slot.held, Held::Link(..)))
    }

    /// Tells whether `other` holds the same, and it is links, whatever they lead to.
    pub fn same_links(&self, other: &Entries) -> bool {
        let is_same = |(a, b)| self.name(a) == other.name(b) && self.same_text(a, other, b);
        if std::ptr::eq(self, other) {
            return self.only_links();
        }
        self.len() == other.len() && self.held().zip(other.held()).all(is_same)
    }

    /// Returns each name that stands for something else here than in `other`, with what it stands for; links count by
    /// their texts.
    pub(crate) fn changes<'e>(
        &'e self,
        other: &'e Entries,
    ) -> impl Iterator<Item = (Name, Option<Node>, Option<Node>)> + 'e {
        let (mut here, mut there) = (self.held().peekable(), other.held().peekable());
        std::iter::from_fn(move || {
            loop {
                let order = match (here.peek(), there.peek()) {
                    (None, None) => return None,
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (Some(a), Some(b)) => self.name(a).cmp(other.name(b)),
                };
                let a = here.next_if(|_| order != Ordering::Greater);
                let b = there.next_if(|_| order != Ordering::Less);
                if let (Some(a), Some(b)) = (a, b)
                    && self.same_text(a, other, b)
                {
                    continue;
                }
                let name = a.map(|a| self.name(a)).or(b.map(|b| other.name(b)))?;
                let (a, b) = (a.and_then(|a| self.node(a)), b.and_then(|b| other.node(b)));
                return Some((Name::of_segment(name), a, b));
            }
        })
    }

    /// Tells whether both slots, which have one name, are links with one text.
    fn same_text(&self, slot: &Slot, other: &Entries, others: &Slot) -> bool {
        let (Held::Link(a, _), Held::Link(b, _)) = (slot.held, others.held) else { return false };
        let name = self.name(slot);
        match other.packed.head(b) {
            Some(head) => self.packed.leads_below(name, a, head),
            None => self.packed.text(name, a) == other.packed.text(name, b),
        }
    }

    /// Returns names and texts of the links, in order; the texts as what comes before the name where they end in it.
    pub(crate) fn links(&self) -> impl Iterator<Item = (&[u8], Result<&[u8], LinkText>)> {
        self.held().filter_map(|slot| {
            let name = self.name(slot);
            match slot.held {
                Held::Link(text, _) => {
                    Some((name, self.packed.head(text).ok_or_else(|| self.packed.text(name, text))))
                }
                _ => None,
            }
        })
    }

    /// Returns the slots that hold something, in order.
    fn held(&self) -> impl Iterator<Item = &Slot> {
        Iter { entries: self, slot: 0, recent: 0 }.slots()
    }

    /// Returns a link for each of these entries that is neither a directory nor a link and that `counts` says counts:
    /// one that leads to its own name in the directory that `head` leads to. `None` when there is anything else that
    /// counts.
    pub(crate) fn mirror(&self, head: &[u8], counts: impl Fn(&[u8], bool) -> bool) -> Option<Entries> {
        let mut mirror = Entries { kinds: Kinds::LINK, ..Entries::default() };
        mirror.slots.reserve_exact(self.len());
        for slot in self.held() {
            let name = self.name(slot);
            if !counts(name, matches!(slot.held, Held::Dir(_))) {
                continue;
            }
            if !matches!(slot.held, Held::File | Held::Other) {
                return None;
            }
            let name = mirror.packed.put_name(name);
            let held = Held::Link(mirror.packed.put_below(head), Leads::Other);
            mirror.slots.push(Slot { name, held });
        }
        mirror.shrink();
        Some(mirror)
    }

    /// Tells whether these are the links that [`mirror`](Self::mirror) makes of `source`.
    pub(crate) fn is_mirror(
        &self,
        source: &Entries,
        head: &[u8],
        counts: impl Fn(&[u8], bool) -> bool,
    ) -> bool {
        let mut there = self.held();
        for slot in source.held() {
            let name = source.name(slot);
            if !counts(name, matches!(slot.held, Held::Dir(_))) {
                continue;
            }
            let leads_there = |link: &Slot| match link.held {
                Held::Link(text, _) => self.name(link) == name && self.packed.leads_below(name, text, head),
                _ => false,
            };
            if !matches!(slot.held, Held::File | Held::Other) || !there.next().is_some_and(leads_there) {
                return false;
            }
        }
        there.next().is_none()
    }

    /// Tells whether something is so of any entry, by its name and whether it is a directory.
    pub(crate) fn any(&self, is_so: impl Fn(&[u8], bool) -> bool) -> bool {
        self.held().any(|slot| is_so(self.name(slot), matches!(slot.held, Held::Dir(_))))
    }

    /// Returns these entries with those of `links` whose names are not among them and that `is_new` says are new, and
    /// the other names of `links`. All of `links` are links that lead to their own names in some directory.
    pub(crate) fn with_links(&self, links: &Entries, is_new: impl Fn(&[u8]) -> bool) -> (Entries, Vec<Name>) {
        let mut all = self.clone();
        all.kinds.0 |= Kinds::LINK.0;
        all.recent = Vec::new();
        all.gone = 0;
        all.slots = Vec::with_capacity(self.len() + links.len());
        let mut left = Vec::new();
        let mut here = self.held().peekable();
        for link in links.held() {
            let name = links.name(link);
            while let Some(slot) = here.next_if(|slot| self.name(slot) < name) {
                all.slots.push(*slot);
            }
            let head = match link.held {
                Held::Link(text, _) => links.packed.head(text),
                _ => None,
            };
            let is_taken = here.peek().is_some_and(|slot| self.name(slot) == name);
            match head {
                Some(head) if !is_taken && is_new(name) => {
                    let name = all.packed.put_name(name);
                    let held = Held::Link(all.packed.put_below(head), Leads::Other);
                    all.slots.push(Slot { name, held });
                }
                _ => left.push(Name::of_segment(name)),
            }
        }
        all.slots.extend(here);
        (all, left)
    }

    /// Gives unused memory back.
    pub fn shrink(&mut self) {
        if self.partial {
            return;
        }
        if !self.recent.is_empty() || self.gone > 0 {
            self.take_in();
        }
        self.recent = Vec::new();
        self.slots = self.slots.clone();
        self.packed.shrink();
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

    /// Puts a link under `name` that leads to that name in the directory that `head` leads to.
    pub(super) fn set_below(&mut self, name: &[u8], head: &[u8], leads: Leads) {
        let text = self.packed.put_below(head);
        self.put(name, Held::Link(text, leads));
    }

    fn name(&self, slot: &Slot) -> &[u8] {
        self.packed.name(slot.name)
    }

    fn find(&self, name: &[u8]) -> At {
        let by_name = |slot: &Slot| self.name(slot).cmp(name);
        // Names often come in order: what is behind the last one is nowhere. So is what would come first, as `.stow`.
        if self.recent.is_empty()
            && (self.slots.last().is_none_or(|last| by_name(last) == Ordering::Less)
                || self.slots.first().is_none_or(|first| by_name(first) == Ordering::Greater))
        {
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
                Held::Link(self.packed.put_text(name, text.as_bytes()), *leads)
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
            merged.extend(next.filter(|slot| self.partial || !slot.is_gone()));
        }
        self.gone = merged.iter().filter(|slot| slot.is_gone()).count();
        self.slots = merged;
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

    /// Enters what it leads to, if it is a link.
    fn lead(&mut self, to: Leads) {
        if let Held::UnreadLink(leads) | Held::Link(_, leads) = &mut self.held {
            *leads = to;
        }
    }

    /// Returns what it leads to, if it is a link.
    fn leads(&self) -> Option<Leads> {
        match self.held {
            Held::UnreadLink(leads) | Held::Link(_, leads) => Some(leads),
            Held::Gone | Held::Dir(_) | Held::File | Held::Other => None,
        }
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
        self.0.kinds.add(held);
        self.0.slots.push(Slot { name, held });
    }

    /// Returns the number of links.
    pub fn count_links(&self) -> usize {
        self.0.count_links()
    }

    /// Enters the directory's stamp from before it was read.
    pub fn set_stamp(&mut self, stamp: Option<Stamp>) {
        self.0.stamp = stamp;
    }

    /// Reads the texts of the links: `read` is given a name and puts the text in the place of what the vector holds.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn try_read_links<E>(
        &mut self,
        mut read: impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut text = Vec::new();
        let Entries { packed, slots, kinds, .. } = &mut self.0;
        *kinds = Kinds::default();
        for slot in slots {
            if let Held::UnreadLink(leads) = slot.held {
                read(packed.name(slot.name), &mut text)?;
                slot.held = Held::Link(packed.put_text_of(slot.name, &text), leads);
            }
            kinds.add(slot.held);
        }
        Ok(())
    }

    /// Returns the entries in order.
    pub fn sorted(self) -> Entries {
        let Entries { packed, mut slots, stamp, kinds, .. } = self.0;
        slots.sort_unstable_by(|a, b| packed.name(a.name).cmp(packed.name(b.name)));
        // What has grown makes room as a whole for the next one to grow; what stays takes no more than it needs.
        Entries { packed: packed.clone(), slots: slots.clone(), stamp, kinds, ..Entries::default() }
    }
}

/// The entries of a directory in the order of their names.
#[derive(Clone)]
pub struct Iter<'a> {
    entries: &'a Entries,
    slot: usize,
    recent: usize,
}

impl<'a> Iter<'a> {
    /// Returns the slots that hold something.
    fn slots(mut self) -> impl Iterator<Item = &'a Slot> {
        std::iter::from_fn(move || self.next_slot())
    }

    fn next_slot(&mut self) -> Option<&'a Slot> {
        let Entries { slots, recent, .. } = self.entries;
        if recent.is_empty() {
            let slot = slots[self.slot..].iter().find(|slot| {
                self.slot += 1;
                !slot.is_gone()
            });
            return slot;
        }
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
            if !slot.is_gone() {
                return Some(slot);
            }
        }
    }
}

impl Iterator for Iter<'_> {
    type Item = (Name, Node);

    fn next(&mut self) -> Option<(Name, Node)> {
        let slot = self.next_slot()?;
        let node = self.entries.node(slot)?;
        Some((Name::of_segment(self.entries.name(slot)), node))
    }
}

const _: () = assert!(size_of::<Slot>() == 12, "a farm may have millions of entries");

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

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
