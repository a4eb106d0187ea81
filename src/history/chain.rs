//! Whether plans fit together that lead from one state to another: each begins where the one before it ended, unless
//! somebody has changed something in between.

use std::collections::BTreeMap;

use crate::op::{Change, Op, Plan, Thing, What};
use crate::path::{LinkText, RelPath};

/// What operations have left at a path.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Left {
    Nothing,
    Link(LinkText),
    File,
    Other,
    /// A directory with what is entered below it.
    Dir,
    /// A directory with whatever is in it.
    SomeDir,
}

/// How an operation goes with what those before it have left.
#[derive(PartialEq, Eq, Debug)]
enum Fit {
    /// It can be done, as far as they tell.
    Good,
    /// What it would do is so already.
    Done,
    /// It expects something else.
    Bad,
}

/// What operations have left, by path.
#[derive(Default)]
struct State(BTreeMap<RelPath, Left>);

/// Leaves out what is so already when its turn comes, because somebody did it in between; returns the paths where an
/// operation expects something else than those before it leave there.
pub fn mend(phases: &mut [Plan]) -> Vec<RelPath> {
    let mut bad: Vec<RelPath> = Vec::new();
    if phases.len() < 2 {
        return bad;
    }
    let mut state = State::default();
    for plan in phases {
        let mut done = Vec::new();
        for (number, op) in plan.ops.iter().enumerate() {
            if bad.iter().any(|path| op.path.below(path).is_some()) {
                continue;
            }
            match state.fit(&op) {
                Fit::Good => state.enter(&op),
                Fit::Done => done.push(number),
                Fit::Bad => bad.push(op.path),
            }
        }
        if !done.is_empty() {
            let is_left = |(number, op): (usize, Op)| done.binary_search(&number).is_err().then_some(op);
            plan.ops = plan.ops.iter().enumerate().filter_map(is_left).collect();
        }
    }
    bad
}

impl State {
    fn fit(&self, op: &Op) -> Fit {
        let above = std::iter::successors(op.path.split(), |(path, _)| path.split());
        let above = above.into_iter().find_map(|(path, _)| self.0.get(&path));
        let here = match (self.0.get(&op.path), above) {
            (Some(here), _) => Some(here),
            (None, Some(Left::SomeDir) | None) => None,
            (None, Some(Left::Dir)) => Some(&Left::Nothing),
            // There is no directory to be in any more.
            (None, Some(_)) if matches!(op.change, Change::Remove(_)) => return Fit::Done,
            (None, Some(_)) => return Fit::Bad,
        };
        let good = |is_good| if is_good { Fit::Good } else { Fit::Bad };
        match (&op.change, here) {
            (Change::Make(_), None | Some(Left::Nothing)) => Fit::Good,
            (Change::Make(Thing::Link(text)), Some(Left::Link(there))) if there == text => Fit::Done,
            (Change::Make(_), Some(_)) => Fit::Bad,
            (Change::Remove(_), Some(Left::Nothing)) => Fit::Done,
            (Change::Remove(old) | Change::Swap { old, .. } | Change::Restore { old, .. }, here) => {
                good(self.may_be(&op.path, here, old))
            }
            (Change::Displace { .. }, None) => Fit::Good,
            (Change::Displace { what, .. }, Some(here)) => good(match what {
                What::File => *here == Left::File,
                What::Link(text) => matches!(here, Left::Link(there) if there == text),
                What::Dir => matches!(here, Left::Dir | Left::SomeDir),
                What::Other => *here == Left::Other,
            }),
        }
    }

    /// Tells whether `thing` may be at `path`, where `here` is known to be.
    fn may_be(&self, path: &RelPath, here: Option<&Left>, thing: &Thing) -> bool {
        let pieces = match thing {
            Thing::Link(text) => return here.is_none_or(|here| matches!(here, Left::Link(it) if it == text)),
            Thing::File(_) => return here.is_none_or(|here| *here == Left::File),
            Thing::Dir(_) if here.is_some_and(|here| !matches!(here, Left::Dir | Left::SomeDir)) => {
                return false;
            }
            Thing::Dir(pieces) => pieces,
        };
        let within = |piece: &RelPath| self.0.get(&path.join_path(piece));
        let is_so = |text: &Option<LinkText>, left: &Left| match text {
            Some(text) => matches!(left, Left::Link(there) if there == text),
            None => matches!(left, Left::Dir | Left::SomeDir),
        };
        let is_known = here == Some(&Left::Dir);
        let there = self.below(path).filter(|(_, left)| **left != Left::Nothing).count();
        let mut found = 0;
        let all_so = pieces.iter().all(|piece| match within(&piece.path) {
            Some(left) => {
                found += 1;
                is_so(&piece.text, left)
            }
            None => !is_known,
        });
        all_so && found == there
    }

    /// Returns what is entered below a path.
    fn below<'s>(&'s self, path: &RelPath) -> impl Iterator<Item = (&'s RelPath, &'s Left)> {
        let from = (std::ops::Bound::Excluded(path.clone()), std::ops::Bound::Unbounded);
        let path = path.clone();
        self.0.range(from).take_while(move |(at, _)| at.below(&path).is_some())
    }

    fn enter(&mut self, op: &Op) {
        let gone: Vec<RelPath> = self.below(&op.path).map(|(path, _)| path.clone()).collect();
        gone.iter().for_each(|path| drop(self.0.remove(path)));
        let left = match &op.change {
            Change::Make(new) | Change::Swap { new, .. } | Change::Displace { new, .. } => match new {
                Thing::Link(text) => Left::Link(text.clone()),
                Thing::File(_) => Left::File,
                Thing::Dir(pieces) => {
                    for piece in pieces {
                        let left = piece.text.clone().map_or(Left::Dir, Left::Link);
                        self.0.insert(op.path.join_path(&piece.path), left);
                    }
                    Left::Dir
                }
            },
            Change::Remove(_) => Left::Nothing,
            Change::Restore { what, .. } => match what {
                What::File => Left::File,
                What::Link(text) => Left::Link(text.clone()),
                What::Dir => Left::SomeDir,
                What::Other => Left::Other,
            },
        };
        self.0.insert(op.path.clone(), left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Piece;

    fn path(path: &str) -> RelPath {
        RelPath::new(path.as_bytes()).expect("a path")
    }

    fn link(text: &str) -> Thing {
        Thing::Link(LinkText::new(text.as_bytes()))
    }

    fn dir(pieces: &[(&str, Option<&str>)]) -> Thing {
        let piece = |&(at, text): &(&str, Option<&str>)| Piece {
            path: path(at),
            text: text.map(|text| LinkText::new(text.as_bytes())),
        };
        Thing::Dir(pieces.iter().map(piece).collect())
    }

    /// Returns how many operations are left of each plan, and what does not fit.
    fn mended(phases: Vec<Vec<(&str, Change)>>) -> (Vec<usize>, Vec<String>) {
        let op = |(at, change)| Op { path: path(at), change };
        let plan = |ops: Vec<_>| Plan { ops: ops.into_iter().map(op).collect() };
        let mut phases: Vec<Plan> = phases.into_iter().map(plan).collect();
        let bad = super::mend(&mut phases);
        let text = |path: &RelPath| String::from_utf8_lossy(path.as_bytes()).into_owned();
        (phases.iter().map(|plan| plan.ops.len()).collect(), bad.iter().map(text).collect())
    }

    #[test]
    fn what_goes_on_where_the_last_one_ended_fits() {
        let phases = vec![
            vec![("d", Change::Swap { old: link("p/d"), new: dir(&[("x", Some("../p/d/x"))]) })],
            vec![("d/y", Change::Make(link("../q/d/y")))],
            vec![("d/y", Change::Remove(link("../q/d/y")))],
            vec![("d", Change::Swap { old: dir(&[("x", Some("../p/d/x"))]), new: link("p/d") })],
            vec![("d", Change::Remove(link("p/d")))],
            vec![("d", Change::Make(dir(&[]))), ("d/z", Change::Make(link("../p/z")))],
            vec![("d", Change::Remove(dir(&[("z", Some("../p/z"))])))],
        ];
        assert_eq!(mended(phases), (vec![1, 1, 1, 1, 1, 2, 1], vec![]));
    }

    #[test]
    fn what_was_done_in_between_is_not_done_again() {
        let phases = vec![vec![("a", Change::Remove(link("p/a")))], vec![("a", Change::Remove(link("p/a")))]];
        assert_eq!(mended(phases), (vec![1, 0], vec![]));
        let phases = vec![vec![("a", Change::Make(link("p/a")))], vec![("a", Change::Make(link("p/a")))]];
        assert_eq!(mended(phases), (vec![1, 0], vec![]));
    }

    #[test]
    fn what_expects_something_else_is_told() {
        let swapped = Change::Swap { old: link("p/a"), new: link("q/a") };
        let phases = vec![vec![("a", swapped)], vec![("a", Change::Remove(link("p/a")))]];
        assert_eq!(mended(phases), (vec![1, 1], vec!["a".to_owned()]));
        // A directory that became one link, and what was to happen in it.
        let folded = Change::Swap { old: dir(&[("x", Some("../p/d/x"))]), new: link("p/d") };
        let phases = vec![vec![("d", folded)], vec![("d/y", Change::Make(link("../q/d/y")))]];
        assert_eq!(mended(phases), (vec![1, 1], vec!["d/y".to_owned()]));
        // Something that nobody counted on is in the directory that goes.
        let phases = vec![
            vec![("d/y", Change::Make(link("../q/d/y")))],
            vec![("d", Change::Remove(dir(&[("x", Some("../p/d/x"))])))],
        ];
        assert_eq!(mended(phases), (vec![1, 1], vec!["d".to_owned()]));
    }
}
