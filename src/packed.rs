//! Names and link texts, packed: a farm may have millions of them, and most texts end in the name of their own link.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::path::{LinkText, Name, ToWrite};

/// Names and texts, their bytes one after the other.
#[derive(Clone, Default)]
pub struct Packed {
    /// Names that no longer change: a package's directory and its links in the target have them in common.
    shared: Arc<[u8]>,
    /// The names that came after those.
    names: Vec<u8>,
    texts: Vec<u8>,
    /// Where in `texts` the whole texts lie, and heads of texts: what comes before a link's own name.
    spans: Vec<(u32, u32)>,
    /// The head of the last text that had one: the next link most likely leads beside it.
    last_head: Option<u32>,
}

/// Where a name lies: two bytes of length come before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NameAt(u32);

impl NameAt {
    /// Returns where the name lies when everything is moved.
    pub fn moved(self, by: u32) -> NameAt {
        NameAt(self.0 + by)
    }
}

/// Where a text lies: the place in the list of spans, and whether the link's own name follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TextAt(u32);

impl Packed {
    /// Packs a name.
    pub fn put_name(&mut self, name: &[u8]) -> NameAt {
        let len = u16::try_from(name.len()).expect("no system has names of 64 KiB");
        let at = self.shared.len() + self.names.len();
        self.names.extend_from_slice(&len.to_ne_bytes());
        self.names.extend_from_slice(name);
        NameAt(u32::try_from(at).expect("no directory has 4 GiB of names"))
    }

    /// Returns the bytes of a name.
    #[inline]
    pub fn name(&self, name: NameAt) -> &[u8] {
        let (at, shared) = (name.0 as usize, self.shared.len());
        let bytes = if at < shared { &self.shared[at..] } else { &self.names[at - shared..] };
        match bytes.split_first_chunk() {
            Some((len, bytes)) => &bytes[..usize::from(u16::from_ne_bytes(*len))],
            None => &[],
        }
    }

    /// Packs the text of the link `name`.
    pub fn put_text(&mut self, name: &[u8], text: &[u8]) -> TextAt {
        self.put_cut(head_before(name, text), text)
    }

    /// Packs the text of the link whose packed name is `name`.
    pub fn put_text_of(&mut self, name: NameAt, text: &[u8]) -> TextAt {
        self.put_cut(head_before(self.name(name), text), text)
    }

    fn put_cut(&mut self, head: Option<&[u8]>, text: &[u8]) -> TextAt {
        match head {
            Some(head) => self.put_below(head),
            None => TextAt(self.put_span(text) << 1),
        }
    }

    /// Tells whether a text of the link `name` leads to that name in the directory that `head` leads to.
    pub fn leads_below(&self, name: &[u8], text: TextAt, head: &[u8]) -> bool {
        match self.head(text) {
            Some(found) => found == head,
            None => {
                let rest = self.span(text.0 >> 1).strip_prefix(head);
                rest.and_then(|rest| rest.strip_prefix(b"/")) == Some(name)
            }
        }
    }

    /// Packs the text of a link that leads to its own name in the directory that `head` leads to.
    pub fn put_below(&mut self, head: &[u8]) -> TextAt {
        let index = match self.last_head {
            Some(last) if self.span(last) == head => last,
            _ => self.put_span(head),
        };
        self.last_head = Some(index);
        TextAt(index << 1 | 1)
    }

    /// Returns the text of the link `name`.
    pub fn text(&self, name: &[u8], text: TextAt) -> LinkText {
        match self.head(text) {
            Some(head) => LinkText::below(head, name),
            None => LinkText::new(self.span(text.0 >> 1)),
        }
    }

    /// Returns what comes before the link's own name in a text, if the text ends in it.
    pub fn head(&self, text: TextAt) -> Option<&[u8]> {
        (text.0 & 1 == 1).then(|| self.span(text.0 >> 1))
    }

    /// Returns a copy that has all names of `other`, too, and the text of links that lead to their own names in the
    /// directory that `head` leads to; and how far the names of the two are moved.
    pub fn with_names_below(&self, other: &Packed, head: &[u8]) -> (Packed, [u32; 2], TextAt) {
        let len = |packed: &Packed| packed.shared.len() + packed.names.len();
        let (texts, spans, last_head) = (self.texts.clone(), self.spans.clone(), self.last_head);
        let (mut packed, moved) = if len(self) <= other.shared.len() {
            let names = [&other.names[..], &self.shared, &self.names].concat();
            (Packed { shared: other.shared.clone(), names, texts, spans, last_head }, [len(other), 0])
        } else {
            let names = [&self.names[..], &other.shared, &other.names].concat();
            (Packed { shared: self.shared.clone(), names, texts, spans, last_head }, [0, len(self)])
        };
        let text = packed.put_below(head);
        (packed, moved.map(|by| u32::try_from(by).expect("no directory has 4 GiB of names")), text)
    }

    /// Tells whether the names that lie in one place are the same here and in `other`.
    pub fn shares_names(&self, other: &Packed) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared) && other.names.is_empty()
    }

    /// Tells whether what lies in one place here and in `other`, if there is something in both, is the same: one is a copy
    /// of the other, to which more may have been added.
    pub fn agrees_with(&self, other: &Packed) -> bool {
        fn begin_alike<T: PartialEq>(a: &[T], b: &[T]) -> bool {
            let len = a.len().min(b.len());
            a[..len] == b[..len]
        }
        Arc::ptr_eq(&self.shared, &other.shared)
            && begin_alike(&self.names, &other.names)
            && begin_alike(&self.spans, &other.spans)
            && begin_alike(&self.texts, &other.texts)
    }

    /// Returns a copy for all to share, in no more memory than it needs.
    pub fn settled(&self) -> Packed {
        let shared = match &self.shared[..] {
            [] => Arc::from(&self.names[..]),
            shared => [shared, &self.names].concat().into(),
        };
        let (texts, spans) = (self.texts.clone(), self.spans.clone());
        Packed { shared, names: Vec::new(), texts, spans, last_head: self.last_head }
    }

    /// Empties it, with room for as much again.
    pub fn clear(&mut self) {
        self.shared = Arc::default();
        self.names.clear();
        self.texts.clear();
        self.spans.clear();
        self.last_head = None;
    }

    /// Gives unused memory back.
    pub fn shrink(&mut self) {
        // A copy takes just what it needs; shrinking in place would leave holes that nothing fits into.
        *self = self.clone();
    }

    fn put_span(&mut self, bytes: &[u8]) -> u32 {
        let limited = |len| u32::try_from(len).expect("no directory has 4 GiB of texts");
        self.spans.push((limited(self.texts.len()), limited(bytes.len())));
        self.texts.extend_from_slice(bytes);
        limited(self.spans.len() - 1)
    }

    fn span(&self, index: u32) -> &[u8] {
        let (at, len) = self.spans[index as usize];
        &self.texts[at as usize..(at + len) as usize]
    }
}

/// Names in their order, written and read as a list of names.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Names {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Names {
    /// Adds a name.
    pub fn push(&mut self, name: &[u8]) {
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len());
    }

    /// Returns the names one after the other.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }
}

impl<'a> FromIterator<&'a [u8]> for Names {
    fn from_iter<T: IntoIterator<Item = &'a [u8]>>(names: T) -> Names {
        let mut all = Names::default();
        names.into_iter().for_each(|name| all.push(name));
        all
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().map(ToWrite))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Vec::<Name>::deserialize(from)?.iter().map(Name::as_bytes).collect())
    }
}

/// Returns what comes before `name` and its slash in the text of a link, where it ends in that.
fn head_before<'t>(name: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    // An empty head would lose the slash of `/name`.
    text.strip_suffix(name)?.strip_suffix(b"/").filter(|head| !head.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were_and_share_their_heads() {
        let mut packed = Packed::default();
        let links =
            ["../s/p/a -> a", "../s/p/b -> b", "b -> b", "/b -> b", "../s/q/b -> b", "../s/p/dot-x -> .x"];
        let put: Vec<_> = links
            .iter()
            .map(|line| {
                let (text, name) = line.split_once(" -> ").expect("a line");
                let at = packed.put_name(name.as_bytes());
                (at, packed.put_text(name.as_bytes(), text.as_bytes()))
            })
            .collect();
        let back: Vec<_> = put
            .iter()
            .map(|&(name, text)| {
                let name = packed.name(name);
                let text = packed.text(name, text);
                format!("{} -> {}", String::from_utf8_lossy(text.as_bytes()), String::from_utf8_lossy(name))
            })
            .collect();
        assert_eq!(back, links);
        assert_eq!(packed.spans.len(), 5);
    }
}
