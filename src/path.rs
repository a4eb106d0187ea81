//! Paths as a farm sees them: bytes, relative to the farm's root, folded lexically.
//!
//! Nothing here looks at the disk. Four types keep apart what must not be mixed up: one segment ([`Name`]),
//! a place below the root ([`RelPath`]), a place that may lie beside or above it ([`Route`]), and what
//! stands in a symbolic link ([`LinkText`]).

use std::borrow::{Borrow, Cow};
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One segment of a path: not empty, without `/`, neither `.` nor `..`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<[u8]>);

impl Name {
    /// Returns the segment, or `None` when `bytes` are no single segment.
    pub fn new(bytes: &[u8]) -> Option<Name> {
        let whole = !bytes.is_empty() && bytes != b"." && bytes != b".." && !bytes.contains(&b'/');
        whole.then(|| Name(bytes.into()))
    }

    /// Returns the segment that was taken from a name before.
    pub(crate) fn of_segment(bytes: &[u8]) -> Name {
        debug_assert!(Name::new(bytes).is_some());
        Name(bytes.into())
    }

    /// Returns the bytes of the segment.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the name under which a package's entry appears with `--dotfiles`: `dot-x` as `.x`.
    ///
    /// `dot-` alone and `dot-.x` stay as they are.
    pub fn undotted(&self) -> Name {
        match self.0.strip_prefix(b"dot-") {
            Some(rest) if !rest.is_empty() && rest[0] != b'.' => {
                Name([b".", rest].concat().into_boxed_slice())
            }
            _ => self.clone(),
        }
    }

    /// Returns the name that [`undotted`](Self::undotted) turns into this one, for walks from the target's side.
    pub fn dotted(&self) -> Name {
        match self.0.strip_prefix(b".") {
            Some(rest) if !rest.is_empty() && rest[0] != b'.' => {
                Name([b"dot-", rest].concat().into_boxed_slice())
            }
            _ => self.clone(),
        }
    }
}

impl Borrow<[u8]> for Name {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// A path below the farm's root, such as `.config/nvim`; empty for the root itself.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct RelPath(Vec<u8>);

impl RelPath {
    /// Returns the root.
    pub fn root() -> RelPath {
        RelPath::default()
    }

    /// Returns the path with the segments of `bytes`, or `None` when `..` leads above the root or `bytes` is absolute.
    ///
    /// `.` and empty segments are dropped, `..` is folded away lexically.
    pub fn new(bytes: &[u8]) -> Option<RelPath> {
        let route = Route::root().follow(bytes);
        (!bytes.starts_with(b"/") && route.up == 0).then_some(route.down)
    }

    /// Returns the path with these segments, outermost first.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a Name, IntoIter: Clone>) -> RelPath {
        let names = names.into_iter();
        let len = names.clone().map(|name| name.as_bytes().len() + 1).sum();
        let mut path = RelPath(Vec::with_capacity(len));
        names.for_each(|name| path.push(name.as_bytes()));
        path
    }

    /// Returns this path with one more segment.
    #[must_use]
    pub fn join(&self, name: &Name) -> RelPath {
        self.join_segment(&name.0)
    }

    /// As [`join`](Self::join), with the bytes of a name.
    pub(crate) fn join_segment(&self, name: &[u8]) -> RelPath {
        self.with(name)
    }

    /// Returns this path with all segments of `other` after its own.
    #[must_use]
    pub fn join_path(&self, other: &RelPath) -> RelPath {
        if other.is_root() { self.clone() } else { self.with(&other.0) }
    }

    fn with(&self, segments: &[u8]) -> RelPath {
        let mut path = RelPath(Vec::with_capacity(self.0.len() + 1 + segments.len()));
        path.0.extend_from_slice(&self.0);
        path.push(segments);
        path
    }

    fn push(&mut self, segments: &[u8]) {
        if !self.0.is_empty() {
            self.0.push(b'/');
        }
        self.0.extend_from_slice(segments);
    }

    fn pop(&mut self) -> bool {
        let had = !self.0.is_empty();
        let end = self.0.iter().rposition(|&b| b == b'/').unwrap_or(0);
        self.0.truncate(end);
        had
    }

    /// Returns the directory that holds this path and its name there; `None` for the root.
    pub fn split(&self) -> Option<(RelPath, Name)> {
        let name = Name::new(self.segments().next_back()?)?;
        let mut parent = self.clone();
        parent.pop();
        Some((parent, name))
    }

    /// Tells whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the segments, outermost first.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&b| b == b'/').filter(|s| !s.is_empty())
    }

    /// Returns the segments as names, outermost first.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = Name> {
        self.segments().map(|s| Name(s.into()))
    }

    /// Returns the number of segments.
    pub fn depth(&self) -> usize {
        self.segments().count()
    }

    /// Returns the bytes, `a/b/c`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns what remains of this path below `base`, or `None` when it does not lie there.
    pub fn below(&self, base: &RelPath) -> Option<RelPath> {
        if base.is_root() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(base.0.as_slice())?;
        match rest.strip_prefix(b"/") {
            Some(rest) => Some(RelPath(rest.to_vec())),
            None => rest.is_empty().then(RelPath::root),
        }
    }
}

impl Ord for RelPath {
    /// Orders as a walk in byte order meets the paths: a directory directly before what is in it.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.segments().cmp(other.segments())
    }
}

impl PartialOrd for RelPath {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// A place reached from the farm's root: some steps up, then down. `../stow/zsh` is one step up.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Route {
    /// How many directories above the root it starts.
    pub up: usize,
    /// The way down from there.
    pub down: RelPath,
}

impl Route {
    /// Returns the root's own place.
    pub fn root() -> Route {
        Route::default()
    }

    /// Returns the place of a path below the root.
    pub fn below_root(path: RelPath) -> Route {
        Route { up: 0, down: path }
    }

    /// Returns where the absolute path `to` lies as seen from the absolute path `from`, both folded lexically.
    pub fn between(from: &[u8], to: &[u8]) -> Route {
        let fold = |path: &[u8]| Route::root().follow(path).down;
        let (from, to) = (fold(from), fold(to));
        let shared = from.segments().zip(to.segments()).take_while(|(a, b)| a == b).count();
        let mut down = RelPath::root();
        to.segments().skip(shared).for_each(|s| down.push(s));
        Route { up: from.depth() - shared, down }
    }

    /// Returns the place that the segments of `text` lead to from here, folding `.` and `..` lexically.
    #[must_use]
    pub fn follow(&self, text: &[u8]) -> Route {
        let mut place = self.clone();
        for segment in text.split(|&b| b == b'/') {
            match segment {
                b"" | b"." => {}
                b".." => {
                    if !place.down.pop() {
                        place.up += 1;
                    }
                }
                name => place.down.push(name),
            }
        }
        place
    }

    /// Returns the place one segment further down.
    #[must_use]
    pub fn join(&self, name: &Name) -> Route {
        Route { up: self.up, down: self.down.join(name) }
    }

    /// Returns the place of `path` below this one.
    #[must_use]
    pub fn join_path(&self, path: &RelPath) -> Route {
        Route { up: self.up, down: self.down.join_path(path) }
    }

    /// Returns what remains of this place below `base`, or `None` when it does not lie there.
    pub fn below(&self, base: &Route) -> Option<RelPath> {
        if self.up == base.up { self.down.below(&base.down) } else { None }
    }

    /// Returns the bytes of the relative path from the root: `../stow`, or `.` for the root itself.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes_from(0)
    }

    /// Returns what comes before a name in the text of a link at depth `depth` that leads to that name in this place;
    /// `None` where that is nothing.
    pub(crate) fn head_from(&self, depth: usize) -> Option<Box<[u8]>> {
        let is_below = !self.down.is_root();
        let head = if is_below { self.bytes_from(depth) } else { b"../".repeat(depth + self.up) };
        let head = head.strip_suffix(b"/").unwrap_or(&head);
        (!head.is_empty()).then(|| head.into())
    }

    /// Returns the text of a link at depth `depth` (directories between the root and the link) that leads to this place.
    pub fn text_from(&self, depth: usize) -> LinkText {
        LinkText(self.bytes_from(depth).into())
    }

    /// Returns the bytes of the relative path from a directory that lies so far below the root.
    fn bytes_from(&self, depth: usize) -> Vec<u8> {
        const UP: &[u8] = b"../";
        let down = match (self.up, self.down.as_bytes()) {
            (0, b"") => b".",
            (_, down) => down,
        };
        let mut bytes = Vec::with_capacity(UP.len() * (depth + self.up) + down.len());
        (0..depth + self.up).for_each(|_| bytes.extend_from_slice(UP));
        bytes.extend_from_slice(down);
        if down.is_empty() {
            bytes.pop();
        }
        bytes
    }
}

/// What stands in a symbolic link, byte for byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkText(Box<[u8]>);

impl LinkText {
    /// Returns the text with these bytes.
    pub fn new(bytes: &[u8]) -> LinkText {
        LinkText(bytes.into())
    }

    /// Returns the text that leads to `name` in the directory that `head` leads to.
    pub(crate) fn below(head: &[u8], name: &[u8]) -> LinkText {
        let mut bytes = Vec::with_capacity(head.len() + 1 + name.len());
        bytes.extend_from_slice(head);
        bytes.push(b'/');
        bytes.extend_from_slice(name);
        LinkText(bytes.into_boxed_slice())
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Tells whether the text begins at the file system's root.
    pub fn is_absolute(&self) -> bool {
        self.0.starts_with(b"/")
    }

    /// Returns where this text leads, lexically, from a link in the directory `dir`; `None` for an absolute text.
    pub fn route_from(&self, dir: &RelPath) -> Option<Route> {
        (!self.is_absolute()).then(|| Route::below_root(dir.clone()).follow(&self.0))
    }

    /// Tells whether the text says more than its folded route: a `..` after a name or something after the last name, by
    /// which the system finds out whether what is before is a directory.
    pub fn asks_for_directories(&self) -> bool {
        let mut segments =
            self.0.split(|&b| b == b'/').skip_while(|segment| matches!(*segment, b"" | b"." | b".."));
        let mut last: &[u8] = b"x";
        let goes_up = segments.any(|segment| {
            last = segment;
            segment == b".."
        });
        goes_up || matches!(last, b"" | b".")
    }

    /// Returns the text without its last segment, and that segment: `../stow/p/a` and `x` for `../stow/p/a/x`.
    pub fn split(&self) -> (&[u8], &[u8]) {
        match self.0.iter().rposition(|&b| b == b'/') {
            Some(slash) => (&self.0[..slash], &self.0[slash + 1..]),
            None => (b"", &self.0),
        }
    }
}

impl fmt::Debug for LinkText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// Bytes as people can read them where they are text, and as a list of numbers where they are not.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written<'a> {
    #[serde(borrow)]
    Text(Cow<'a, str>),
    Bytes(Vec<u8>),
}

/// Bytes to be written so.
pub(crate) struct ToWrite<'a>(pub &'a [u8]);

impl Serialize for ToWrite<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) => to.serialize_str(text),
            Err(_) => to.collect_seq(self.0),
        }
    }
}

/// Writes and reads a type by its bytes; what is read is checked as if somebody had typed it.
macro_rules! written_as_bytes {
    ($type:ty, $read:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                ToWrite(self.as_bytes()).serialize(to)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let read: fn(&[u8]) -> Option<$type> = $read;
                let value = match Written::deserialize(from)? {
                    Written::Text(text) => read(text.as_bytes()),
                    Written::Bytes(bytes) => read(&bytes),
                };
                value.ok_or_else(|| de::Error::custom(concat!("not a ", stringify!($type))))
            }
        }
    };
}

written_as_bytes!(Name, Name::new);
written_as_bytes!(RelPath, |bytes| RelPath::new(bytes).filter(|path| path.as_bytes() == bytes));
written_as_bytes!(LinkText, |bytes| Some(LinkText::new(bytes)));

#[cfg(test)]
mod tests {
    use super::*;

    fn rel(s: &str) -> RelPath {
        RelPath::new(s.as_bytes()).expect("a path below the root")
    }

    #[test]
    fn folds_dots_and_refuses_to_leave_the_root() {
        assert_eq!(rel("a//./b/../c/").as_bytes(), b"a/c");
        assert_eq!(RelPath::new(b"a/../.."), None);
        assert_eq!(RelPath::new(b"/a"), None);
        assert!(rel(".").is_root());
    }

    #[test]
    fn orders_a_directory_directly_before_its_content() {
        let mut paths = [rel("a-b"), rel("a/x"), rel("a"), rel("b")];
        paths.sort();
        assert_eq!(paths, [rel("a"), rel("a/x"), rel("a-b"), rel("b")]);
    }

    #[test]
    fn tells_what_lies_below() {
        assert_eq!(rel("a/b/c").below(&rel("a/b")), Some(rel("c")));
        assert_eq!(rel("a/b").below(&rel("a/b")), Some(RelPath::root()));
        assert_eq!(rel("ab").below(&rel("a")), None);
        assert_eq!(rel("a").below(&RelPath::root()), Some(rel("a")));
    }

    #[test]
    fn a_link_text_leads_where_its_directory_says() {
        let text = LinkText::new(b"../../stow/p/x");
        let route = text.route_from(&rel("a")).expect("relative");
        assert_eq!(route, Route { up: 1, down: rel("stow/p/x") });
        assert_eq!(route.text_from(1), text);
        assert_eq!(LinkText::new(b"/etc/x").route_from(&rel("a")), None);
    }

    #[test]
    fn finds_the_way_between_two_directories() {
        let way = |from: &str, to: &str| Route::between(from.as_bytes(), to.as_bytes()).to_bytes();
        assert_eq!(way("/home/me", "/home/me/dotfiles"), b"dotfiles");
        assert_eq!(way("/home/me/.config", "/home/me/dotfiles"), b"../dotfiles");
        assert_eq!(way("/a/b", "/a"), b"..");
        assert_eq!(way("/a", "/a"), b".");
    }

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_is() {
        for bytes in [&b"a/b"[..], b"", b"\xff/\"x\n", b"../up"] {
            let json = serde_json::to_string(&LinkText::new(bytes)).expect("JSON");
            assert_eq!(serde_json::from_str::<LinkText>(&json).expect("a text").as_bytes(), bytes);
        }
        let odd = RelPath::new(b"a/\xff").expect("a path");
        let json = serde_json::to_string(&odd).expect("JSON");
        assert_eq!(json, "[97,47,255]");
        assert_eq!(serde_json::from_str::<RelPath>(&json).expect("a path"), odd);
        for wrong in ["\"../a\"", "\"/a\"", "\"a//b\"", "\"a/../b\"", "7"] {
            assert!(serde_json::from_str::<RelPath>(wrong).is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<Name>("\"a/b\"").is_err());
    }

    #[test]
    fn dot_names_translate_both_ways() {
        let name = |s: &str| Name::new(s.as_bytes()).expect("one segment");
        assert_eq!(name("dot-zshrc").undotted(), name(".zshrc"));
        assert_eq!(name("dot-").undotted(), name("dot-"));
        assert_eq!(name("dot-.x").undotted(), name("dot-.x"));
        assert_eq!(name(".zshrc").dotted(), name("dot-zshrc"));
        assert_eq!(name("zshrc").dotted(), name("zshrc"));
    }
}
