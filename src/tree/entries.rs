//! What a directory holds, as small as can be.

use std::cmp::Ordering;
use std::fmt;

use super::{DirId, Leads, Link, Node};
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
}

/// An entry of a package's directory that is to be looked at on its own.
#[derive(Clone, Debug)]
pub struct Apart {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub node: Node,
    /// What has its name in the target.
    pub there: Option<Node>,
    /// Both are files, and seen to differ at first sight.
    pub differs: bool,
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
        self.put(name, Held::Gone);
    }

    /// Returns these entries as those of a directory of which no more is known, but that nothing is under `absent`.
    pub(crate) fn only_some(mut self, absent: &[&[u8]]) -> Entries {
        self.partial = true;
        absent.iter().for_each(|name| self.set_absent(name));
        self
    }

    /// Tells whether it is certainly known what, if anything, stands under each name of `other`.
    pub(crate) fn knows_as(&self, other: &Entries) -> bool {
        let is_same = |(a, b): (&Slot, &Slot)| a.name == b.name;
        !self.partial
            || self.packed.shares_names(&other.packed)
                && other.recent.is_empty()
                && other.slots.len() <= self.slots.len()
                && self.slots.iter().zip(&other.slots).all(is_same)
    }

    /// Returns all names that are known, also those of nothing.
    pub(super) fn known(&self) -> impl Iterator<Item = (Name, Option<Node>)> {
        let slots = self.slots.iter().chain(&self.recent);
        slots.map(|slot| (Name::of_segment(self.name(slot)), self.node(slot)))
    }

    /// Tells whether there may be directories.
    pub(crate) fn may_have_dirs(&self) -> bool {
        self.kinds.has(Kinds::DIR)
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

    /// Returns the names that are regular files here and in `other`.
    pub(crate) fn common_files(&self, other: &Entries) -> impl Iterator<Item = Name> {
        let held = self.kinds.has(Kinds::REST).then(|| self.held());
        let is_common =
            |slot: &&Slot| matches!(slot.held, Held::File) && other.get(self.name(slot)) == Some(Node::File);
        held.into_iter().flatten().filter(is_common).map(|slot| Name::of_segment(self.name(slot)))
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
                self.gone += usize::from(matches!(held, Held::Gone));
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
        self.gone += usize::from(slot.is_gone());
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
        // Whoever goes through what is left shall not pass more of what is gone.
        if self.gone > 16 + self.len() / 4 && !self.partial {
            self.take_in();
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

    /// Returns the last of the links' names.
    pub(crate) fn last_link_name(&self) -> Option<&[u8]> {
        let last = |slots: &[Slot]| slots.iter().rposition(|slot| slot.leads().is_some());
        let last = [(&self.slots, last(&self.slots)), (&self.recent, last(&self.recent))];
        last.into_iter().filter_map(|(slots, at)| Some(self.name(&slots[at?]))).max()
    }

    /// Returns the names of the links that lead to one of these.
    pub fn links_to(&self, leads: &[Leads]) -> impl Iterator<Item = Name> {
        let is_one = |slot: &&Slot| slot.leads().is_some_and(|to| leads.contains(&to));
        self.held().filter(is_one).map(|slot| Name::of_segment(self.name(slot)))
    }

    /// Enters what the links lead to, in the order of their names.
    pub(super) fn learn_leads(&mut self, leads: &[Leads]) {
        if !self.recent.is_empty() {
            self.take_in();
        }
        let links = self.slots.iter_mut().filter(|slot| slot.leads().is_some());
        links.zip(leads).for_each(|(slot, to)| slot.lead(*to));
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

    /// Tells whether all entries are links.
    pub(crate) fn has_only_links(&self) -> bool {
        !(self.kinds.has(Kinds::DIR) || self.kinds.has(Kinds::REST))
            || self.held().all(|slot| slot.leads().is_some())
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
        let agree = self.packed.agrees_with(&other.packed);
        let is_same = move |a: &Slot, b: &Slot| {
            let are_links = matches!((a.held, b.held), (Held::Link(a, _), Held::Link(b, _)) if a == b);
            agree && a.name == b.name && are_links
        };
        std::iter::from_fn(move || {
            loop {
                let order = match (here.peek(), there.peek()) {
                    (None, None) => return None,
                    // Of a large directory little changes.
                    (Some(a), Some(b)) if is_same(a, b) => {
                        here.next();
                        there.next();
                        continue;
                    }
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

    /// Tells whether there is certainly nothing but what is neither a directory nor a link.
    pub(crate) fn has_only_files(&self) -> bool {
        self.kinds == Kinds::REST
    }

    /// Returns these entries and a link for each entry of `source` that `counts` says counts: one that leads to its own
    /// name in the directory that `head` leads to. A name gets none that is taken, or that `is_new` does not say is new;
    /// such entries are returned, too, unless they are just such links already.
    pub(crate) fn with_mirror(
        &self,
        source: &Entries,
        head: &[u8],
        counts: impl Fn(&[u8]) -> bool,
        is_new: impl Fn(&[u8]) -> bool,
    ) -> (Entries, Vec<Apart>) {
        let mut all = Entries { kinds: self.kinds, ..Entries::default() };
        all.kinds.0 |= Kinds::LINK.0;
        let (packed, [moved, new], text) = self.packed.with_names_below(&source.packed, head);
        all.packed = packed;
        let held = Held::Link(text, Leads::Other);
        all.slots.reserve_exact(self.len() + source.len());
        let mut left = Vec::new();
        let mut here = self.held().peekable();
        for slot in source.held() {
            let name = source.name(slot);
            if !counts(name) {
                continue;
            }
            while let Some(slot) = here.next_if(|slot| self.name(slot) < name) {
                all.slots.push(slot.moved(moved));
            }
            match here.peek().filter(|slot| self.name(slot) == name) {
                Some(Slot { held: Held::Link(text, _), .. })
                    if is_new(name) && self.packed.leads_below(name, *text, head) => {}
                None if is_new(name) => all.slots.push(Slot { held, ..slot.moved(new) }),
                there => left.extend(source.node(slot).map(|node| {
                    let there = there.and_then(|there| self.node(there));
                    Apart { name: Name::of_segment(name), node, there, differs: false }
                })),
            }
        }
        all.slots.extend(here.map(|slot| slot.moved(moved)));
        (all, left)
    }

    /// Tells whether these are just the links that [`with_mirror`](Self::with_mirror) makes of `source`.
    pub(crate) fn is_mirror(&self, source: &Entries, head: &[u8], counts: impl Fn(&[u8]) -> bool) -> bool {
        let mut there = self.held();
        for slot in source.held() {
            let name = source.name(slot);
            if !counts(name) {
                continue;
            }
            let leads_there = |link: &Slot| match link.held {
                Held::Link(text, _) => self.name(link) == name && self.packed.leads_below(name, text, head),
                _ => false,
            };
            if !there.next().is_some_and(leads_there) {
                return false;
            }
        }
        there.next().is_none()
    }

    /// Tells whether something is so of any entry, by its name and whether it is a directory.
    pub(crate) fn any(&self, is_so: impl Fn(&[u8], bool) -> bool) -> bool {
        self.held().any(|slot| is_so(self.name(slot), matches!(slot.held, Held::Dir(_))))
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
        listing.take_sorted()
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
    /// Returns it with its name so much further on.
    fn moved(self, by: u32) -> Slot {
        Slot { name: self.name.moved(by), ..self }
    }

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

/// Entries on their way into order. One that was emptied has room for the next ones.
#[derive(Default)]
pub struct Listing {
    all: Entries,
    /// Used while they are put in order.
    order: Vec<u64>,
}

impl Listing {
    /// Adds an entry that is not there yet.
    pub fn push(&mut self, name: &[u8], node: &Node) {
        let held = self.all.pack(name, node);
        let name = self.all.packed.put_name(name);
        self.all.kinds.add(held);
        self.all.slots.push(Slot { name, held });
    }

    /// Returns the number of links.
    pub fn count_links(&self) -> usize {
        self.all.count_links()
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
        let Entries { packed, slots, kinds, .. } = &mut self.all;
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

    /// Takes the entries out, in order and in no more memory than they need.
    pub fn take_sorted(&mut self) -> Entries {
        let Listing { all: Entries { packed, slots, kinds, .. }, order } = self;
        let name = |at: u32| packed.name(slots[at as usize].name);
        let len = u32::try_from(slots.len()).expect("names of 4 GiB are fewer");
        // Names in one directory often begin alike. What comes then tells most apart without a look at the rest.
        let alike = (1..len).fold(if len > 0 { name(0) } else { b"" }, |alike, at| {
            let same = alike.iter().zip(name(at)).take_while(|(a, b)| a == b).count();
            &alike[..same]
        });
        // Whole numbers are put in order without a branch: the first bits are of the name, the last its number.
        let bits = u32::BITS - len.leading_zeros();
        let at = |key: u64| (key & !(u64::MAX << bits)) as u32;
        order.extend(
            (0..len).map(|at| (first_eight(&name(at)[alike.len()..]) >> bits << bits) | u64::from(at)),
        );
        order.sort_unstable();
        for same in order.chunk_by_mut(|a, b| a >> bits == b >> bits).filter(|same| same.len() > 1) {
            same.sort_unstable_by(|&a, &b| name(at(a)).cmp(name(at(b))));
        }
        let sorted = Entries {
            packed: packed.settled(),
            slots: order.iter().map(|&key| slots[at(key) as usize]).collect(),
            kinds: *kinds,
            ..Entries::default()
        };
        self.clear();
        sorted
    }

    /// Empties it.
    pub fn clear(&mut self) {
        let Entries { packed, slots, kinds, .. } = &mut self.all;
        packed.clear();
        slots.clear();
        self.order.clear();
        *kinds = Kinds::default();
    }
}

/// Returns a number for the first eight bytes, which compares as they do; what is missing counts as zeros, which no name
/// has.
fn first_eight(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    let len = bytes.len().min(8);
    eight[..len].copy_from_slice(&bytes[..len]);
    u64::from_be_bytes(eight)
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
        fn listings_come_in_order(
            start in "[a-c]{0,12}",
            // Some differ only where the numbers that they are put in order by have ended.
            rest in prop::collection::btree_set("[a-c]{1,3}-{0,8}[a-c]{0,3}", 0..40),
            turn in 0..40_usize,
            is_reversed in any::<bool>(),
        ) {
            let mut names: Vec<String> = rest.iter().map(|rest| format!("{start}{rest}")).collect();
            let (mut listing, len) = (Listing::default(), names.len());
            names.rotate_left(turn % len.max(1));
            if is_reversed {
                names.reverse();
            }
            names.iter().for_each(|name| listing.push(name.as_bytes(), &Node::File));
            let mut expected: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
            expected.sort_unstable();
            let found: Vec<_> = listing.take_sorted().names().collect();
            prop_assert_eq!(found.iter().map(Name::as_bytes).collect::<Vec<_>>(), expected);
            prop_assert!(listing.take_sorted().is_empty());
        }

        #[test]
        fn entries_are_an_ordered_map(edits in prop::collection::vec((0..300_u16, 0..7_u8), 0..400)) {
            let (mut entries, mut map) = (Entries::default(), BTreeMap::new());
            for (number, kind) in edits {
                if kind == 5 {
                    entries.remove(name(number).as_bytes());
                    map.remove(&name(number));
                } else if kind == 6 {
                    entries.set_absent(name(number).as_bytes());
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
