//! Names and link texts, packed: a farm may have millions of them, and most texts end in the name of their own link.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::path::{LinkText, Name, ToWrite};

/// Bytes of names and texts, one after the other.
#[derive(Clone, Default)]
pub struct Packed {
    bytes: Vec<u8>,
    /// Whole texts, and heads of texts: what comes before a link's own name.
    texts: Vec<(u32, u32)>,
    /// The head of the last text that had one: the next link most likely leads beside it.
    last_head: Option<u32>,
}

/// Where a name lies: two bytes of length come before it.
#[derive(Clone, Copy)]
pub struct NameAt(u32);

impl NameAt {
    /// Returns where the name lies when everything is moved.
    pub fn moved(self, by: u32) -> NameAt {
        NameAt(self.0 + by)
    }
}

/// Where a text lies: the place in the list of texts, and whether the link's own name follows.
#[derive(Clone, Copy)]
pub struct TextAt(u32);

impl Packed {
    /// Packs a name.
    pub fn put_name(&mut self, name: &[u8]) -> NameAt {
        let len = u16::try_from(name.len()).expect("no system has names of 64 KiB");
        let at = self.put(&len.to_ne_bytes());
        self.bytes.extend_from_slice(name);
        NameAt(at)
    }

    /// Returns the bytes of a name.
    pub fn name(&self, name: NameAt) -> &[u8] {
        let at = name.0 as usize;
        let len = u16::from_ne_bytes([self.bytes[at], self.bytes[at + 1]]);
        &self.bytes[at + 2..at + 2 + usize::from(len)]
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
    /// directory that `head` leads to; and how far those names are moved.
    pub fn with_names_below(&self, other: &Packed, head: &[u8]) -> (Packed, u32, TextAt) {
        let mut bytes = Vec::with_capacity(self.bytes.len() + other.bytes.len() + head.len());
        bytes.extend_from_slice(&self.bytes);
        let mut packed = Packed { bytes, texts: self.texts.clone(), last_head: self.last_head };
        let moved = packed.put(&other.bytes);
        let text = packed.put_below(head);
        (packed, moved, text)
    }

    /// Empties it, with room for as much again.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.texts.clear();
        self.last_head = None;
    }

    /// Gives unused memory back.
    pub fn shrink(&mut self) {
        // A copy takes just what it needs; shrinking in place would leave holes that nothing fits into.
        *self = self.clone();
    }

    fn put(&mut self, bytes: &[u8]) -> u32 {
        let at = u32::try_from(self.bytes.len()).expect("no directory has 4 GiB of names and texts");
        self.bytes.extend_from_slice(bytes);
        at
    }

    fn put_span(&mut self, bytes: &[u8]) -> u32 {
        let at = self.put(bytes);
        let len = u32::try_from(bytes.len()).expect("no text has 4 GiB");
        self.texts.push((at, len));
        u32::try_from(self.texts.len() - 1).expect("fewer texts than bytes")
    }

    fn span(&self, index: u32) -> &[u8] {
        let (at, len) = self.texts[index as usize];
        &self.bytes[at as usize..(at + len) as usize]
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
    /// Returns the names one after the other.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }
}

impl<'a> FromIterator<&'a [u8]> for Names {
    fn from_iter<T: IntoIterator<Item = &'a [u8]>>(names: T) -> Names {
        let mut all = Names::default();
        for name in names {
            all.bytes.extend_from_slice(name);
            all.ends.push(all.bytes.len());
        }
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
        assert_eq!(packed.texts.len(), 5);
    }
}
