//! The differences that are meant: what stow gets wrong and farm does better.

use super::run::Program;
use super::scenario::{Call, Outcome, Tree};

/// The entry of the list of differences.
pub type Known = &'static str;

/// One call, seen from both sides; there is no farm's side when recording.
pub struct Case<'a> {
    pub call: &'a Call,
    pub before: &'a Tree,
    pub stow: &'a Outcome,
    pub farm: Option<&'a Outcome>,
    /// The real stow, to ask it the same in another way.
    pub program: &'a Program,
}

pub fn find(_case: &Case) -> Option<Known> {
    None
}
