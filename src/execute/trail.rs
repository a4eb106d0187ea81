//! Where what an operation moves is when later phases of the same run are done, too.

use super::ground::{At, Ground};
use crate::error::Error;
use crate::op::{Change, Entry, Op, Place, Plan, Slot};
use crate::path::{RelPath, Route};

/// Where something of somebody's lies.
#[derive(Clone, PartialEq, Eq)]
pub enum Spot {
    /// Below the farm's root.
    Target(RelPath),
    /// In a package.
    Package(Route),
    /// In the state directory, which keeps what was at this path.
    Kept(Slot, RelPath),
}

impl Spot {
    /// Returns where the place of an operation at `path` is.
    pub fn of(path: &RelPath, place: &Place) -> Spot {
        match place {
            Place::Package { at, .. } => Spot::Package(at.clone()),
            Place::Beside(name) => {
                Spot::Target(path.split().map_or_else(RelPath::root, |(above, _)| above).join(name))
            }
            Place::Kept(slot) | Place::Equal(slot) => Spot::Kept(*slot, path.clone()),
        }
    }

    /// Follows what is here through the phases that come after; `None` when one of them changes something in it.
    pub fn after(self, later: &[Plan]) -> Option<Spot> {
        later.iter().flat_map(|plan| plan.ops.iter()).try_fold(self, |spot, op| {
            let moves = moves(&op);
            let changed = moves.iter().flat_map(|(from, to)| [from, to]);
            if Spot::Target(op.path).is_within(&spot) || changed.into_iter().any(|it| it.is_within(&spot)) {
                return None;
            }
            let moved = moves.iter().find_map(|(from, to)| Some(to.clone().join(&spot.below(from)?)));
            Some(moved.unwrap_or(spot))
        })
    }

    /// Follows what lies beside this: directories above may move in the phases that come after, and take it along.
    pub fn beside_after(self, later: &[Plan]) -> Spot {
        later.iter().flat_map(|plan| plan.ops.iter()).fold(self, |spot, op| {
            let along = |from: &Spot| spot.below(from).filter(|rest| !rest.is_root());
            let moved = moves(&op).iter().find_map(|(from, to)| Some(to.clone().join(&along(from)?)));
            moved.unwrap_or(spot)
        })
    }

    /// Tells whether this is in a directory that is at the other spot.
    fn is_within(&self, other: &Spot) -> bool {
        self.below(other).is_some_and(|rest| !rest.is_root())
    }

    /// Returns the way down to this from the other spot.
    fn below(&self, other: &Spot) -> Option<RelPath> {
        match (self, other) {
            (Spot::Target(path), Spot::Target(dir)) => path.below(dir),
            (Spot::Package(at), Spot::Package(dir)) => at.below(dir),
            (Spot::Kept(slot, path), Spot::Kept(other, dir)) if slot == other => path.below(dir),
            _ => None,
        }
    }

    fn join(self, rest: &RelPath) -> Spot {
        match self {
            Spot::Target(path) => Spot::Target(path.join_path(rest)),
            Spot::Package(Route { up, down }) => Spot::Package(Route { up, down: down.join_path(rest) }),
            Spot::Kept(slot, path) => Spot::Kept(slot, path.join_path(rest)),
        }
    }
}

/// Returns from where to where an operation moves what is not the farm's.
fn moves(op: &Op) -> Vec<(Spot, Spot)> {
    let (Change::Displace { to: place, .. } | Change::Restore { from: place, .. }) = &op.change else {
        return Vec::new();
    };
    let spot = Spot::of(&op.path, place);
    let mut moves = vec![(Spot::Target(op.path.clone()), spot.clone())];
    if let Place::Package { entry: Entry::Old(slot), .. } = place {
        moves.push((spot, Spot::Kept(*slot, op.path.clone())));
    }
    if let Change::Restore { .. } = op.change {
        moves.iter_mut().for_each(|(from, to)| std::mem::swap(from, to));
    }
    moves
}

impl Ground<'_> {
    /// Opens a spot; `None` when there is no such directory.
    pub fn spot(&mut self, spot: &Spot) -> Result<Option<At>, Error> {
        match spot {
            Spot::Target(path) => self.at_if_there(path, false),
            Spot::Package(route) => self.package_entry(route, 0, false),
            Spot::Kept(slot, path) => self.kept_at(path, *slot, false),
        }
    }
}
