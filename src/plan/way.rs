//! Links that lead right by way of other links: they do so only as long as the plan leaves those alone.

use std::collections::{BTreeSet, HashSet};

use super::Planner;
use crate::op::Plan;
use crate::path::{LinkText, Name, RelPath, Route};
use crate::snapshot::{Need, Snapshot};
use crate::tree::DirId;

/// Links of the target, each by the directory that it is in and its name.
pub(super) type Links = BTreeSet<(DirId, Name)>;

impl Planner<'_> {
    /// Tells whether a link that leads to `place` will lead there when the plan is done: one whose own text says so does,
    /// one that is led by others does unless the plan was found to change those.
    pub(super) fn trusts(&mut self, dir: DirId, name: &Name, text: &LinkText, place: &Route) -> bool {
        if self.request.route_of(&self.tree.path(dir), text) == *place {
            return true;
        }
        let link = (dir, name.clone());
        if self.misled.contains(&link) {
            return false;
        }
        self.led.insert(link);
        true
    }
}

/// Returns those of the links `led` by others on whose way `plan` changes something.
///
/// # Errors
/// Whose way has to be known first.
pub(super) fn misled(plan: &Plan, led: Links, snapshot: &Snapshot) -> Result<Links, BTreeSet<Need>> {
    if led.is_empty() || plan.is_empty() {
        return Ok(Links::new());
    }
    let changed: HashSet<RelPath> = plan.ops.iter().map(|op| op.path).collect();
    let is_changed = |place: &Route| {
        let above = std::iter::successors(Some(place.down.clone()), |path| Some(path.split()?.0));
        place.up == 0 && above.into_iter().any(|path| changed.contains(&path))
    };
    let mut needs = BTreeSet::new();
    let mut misled = Links::new();
    for (dir, name) in led {
        match snapshot.way(dir, &name) {
            Some(way) if way.iter().any(is_changed) => drop(misled.insert((dir, name))),
            Some(_) => {}
            None => drop(needs.insert(Need::Way { dir, name })),
        }
    }
    if needs.is_empty() { Ok(misled) } else { Err(needs) }
}
