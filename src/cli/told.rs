//! A generation as the words and the JSON tell of it.

use farm::{Header, Ops};

/// A generation.
pub struct Told {
    /// What its record says of itself.
    pub header: Header,
    /// When, in the local time zone.
    pub date: String,
    /// What its command changed.
    pub ops: Ops,
    /// Whether it is the state of things.
    pub is_current: bool,
}
