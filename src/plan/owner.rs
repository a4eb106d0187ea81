//! Whose a link is: the packages that links lead into.

use super::{Planner, Src};
use crate::path::{LinkText, Name, RelPath, Route};
use crate::policy::Ownership;
use crate::snapshot::{Need, Side};
use crate::tree::{DirId, Leads, Node, ROOT, Tree};

/// Whom a link in the target belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Owner {
    /// Not the farm's.
    Foreign,
    /// It leads into a package.
    Package(Place),
}

/// A place in a package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// The stow directory.
    pub stow_dir: Route,
    /// The package there.
    pub package: RelPath,
    /// The path in the package; the root when the link leads to the package itself.
    pub path: RelPath,
}

impl Place {
    /// Returns the place `route` below `stow_dir`, or `None` when it is not in a package of it.
    fn of(stow_dir: &Route, route: &Route) -> Option<Place> {
        let below = route.below(stow_dir)?;
        let package = RelPath::from_names([&below.names().next()?]);
        let path = below.below(&package)?;
        Some(Place { stow_dir: stow_dir.clone(), package, path })
    }

    /// Returns the place as seen from the farm's root.
    pub(super) fn route(&self) -> Route {
        self.stow_dir.join_path(&self.package).join_path(&self.path)
    }
}

impl Planner<'_> {
    /// Returns whom the link `name` with `text` in the target's `dir` belongs to.
    ///
    /// Ownership never depends on whether the destination exists.
    pub(super) fn owner(&mut self, dir: DirId, name: &Name, text: &LinkText) -> Option<Owner> {
        let ways = self.request.policy.ownership;
        let at = self.tree.path(dir);
        let route = match text.route_from(&at) {
            // Up and down again may lead back below the root, as absolute texts may.
            relative if ways == Ownership::ByDestination && relative.as_ref().is_none_or(|r| r.up > 0) => {
                Some(self.request.route_of(&at, text))
            }
            relative => relative,
        };
        if let Some(route) = &route {
            if let Some(place) = self.place_of(route)? {
                return Some(Owner::Package(place));
            }
            let former = self.request.former.as_ref().and_then(|former| Place::of(former, route));
            if let Some(place) = former {
                let stow_dir = self.request.stow_dir.clone();
                return Some(Owner::Package(Place { stow_dir, ..place }));
            }
        }
        if ways == Ownership::ByText {
            return Some(Owner::Foreign);
        }
        if !self.is_on_disk(dir, name) {
            return Some(Owner::Foreign);
        }
        match self.snapshot.real(dir, name) {
            Some(real) => {
                let place = real.and_then(|real| Place::of(&self.request.stow_dir, real));
                Some(place.map_or(Owner::Foreign, Owner::Package))
            }
            None => {
                self.needs.insert(Need::Real { dir, name: name.clone() });
                None
            }
        }
    }

    /// Returns the place in a package that a route leads to; `Some(None)` when it leads into no stow directory.
    pub(super) fn place_of(&mut self, route: &Route) -> Option<Option<Place>> {
        match Place::of(&self.request.stow_dir, route) {
            Some(place) => Some(Some(place)),
            None => Some(self.marked_above(route)?.and_then(|stow_dir| Place::of(&stow_dir, route))),
        }
    }

    /// Returns the topmost directory above `route` that holds a `.stow` file, if there is one.
    fn marked_above(&mut self, route: &Route) -> Option<Option<Route>> {
        let mut above: Vec<Route> = (1..=route.up).map(|up| Route { up, down: RelPath::root() }).collect();
        let mut at = Route { up: route.up, down: RelPath::root() };
        for name in route.down.names() {
            at = at.join(&name);
            above.push(at.clone());
        }
        above.pop();
        let mut known = true;
        for stow_dir in above {
            let need = Need::Marked(stow_dir);
            match self.snapshot.holds(&need) {
                Some(false) => {}
                Some(true) if known => {
                    let Need::Marked(stow_dir) = need else { continue };
                    return Some(Some(stow_dir));
                }
                Some(true) => break,
                None => {
                    self.needs.insert(need);
                    known = false;
                }
            }
        }
        known.then_some(None)
    }

    /// Tells whether a link of the planned tree is one that the disk has, too.
    pub(super) fn is_on_disk(&self, dir: DirId, name: &Name) -> bool {
        if !self.snapshot.target.knows(dir) {
            return false;
        }
        let text = |node: Option<Option<Node>>| match node {
            Some(Some(Node::Link(link))) => Some(link.text),
            _ => None,
        };
        text(self.snapshot.target.get(dir, name)) == text(self.tree.get(dir, name))
    }

    /// Returns what the link `name` in the target's `dir`, which leads to `place`, finds there.
    ///
    /// Stow looks at the place itself. The system takes the text by its letters: through `f/` it finds no file.
    pub(super) fn leads(&mut self, dir: DirId, name: &Name, place: &Place) -> Option<Leads> {
        if self.request.policy.ownership == Ownership::ByText
            && self.is_on_disk(dir, name)
            && self.text(dir, name)?.asks_for_directories()
        {
            let route = place.route();
            let leads = self.snapshot.at(&route);
            if leads.is_none() {
                self.needs.insert(Need::At(route));
            }
            return leads;
        }
        let known = |tree: &Tree| match tree.get(dir, name) {
            Some(Some(Node::Link(link))) if link.leads != Leads::Unknown => Some(link.leads),
            _ => None,
        };
        if let Some(leads) = known(&self.tree) {
            return Some(leads);
        }
        if self.is_on_disk(dir, name) {
            let leads = known(&self.snapshot.target);
            if leads.is_none() {
                self.needs.insert(Need::Leads { side: Side::Target, dir, name: name.clone() });
            }
            return leads;
        }
        // A link of the plan itself: its destination is an entry of a package.
        let Some((above, last)) = place.path.split() else {
            return Some(Leads::Dir);
        };
        let above = Place { path: above, ..place.clone() };
        match self.directory_at(&above)? {
            Some(src) => match self.source_entries(src)?.get(last.as_bytes()) {
                Some(node) => self.source_leads(src, &last, &node),
                None => Some(Leads::Nothing),
            },
            None => Some(Leads::Nothing),
        }
    }

    /// Tells whether the entry that the link `name` in the target's `dir` stands for is gone from its package.
    ///
    /// Stow takes a link to a package's own dangling link for such a one; farm does not.
    pub(super) fn is_gone(&mut self, dir: DirId, name: &Name, place: &Place) -> Option<bool> {
        if self.leads(dir, name, place)? != Leads::Nothing {
            return Some(false);
        }
        let Some((above, last)) = place.path.split() else { return Some(true) };
        if self.request.policy.ownership == Ownership::ByText {
            return Some(true);
        }
        let above = Place { path: above, ..place.clone() };
        // A package that is gone as a whole is nothing to look into.
        if self.snapshot.source_at(&above.stow_dir, &above.package).is_none() {
            let package = Place { path: RelPath::root(), ..above.clone() };
            let need = Need::Present(package.route());
            match self.snapshot.holds(&need) {
                Some(true) => {}
                Some(false) => return Some(true),
                None => {
                    self.needs.insert(need);
                    return None;
                }
            }
        }
        match self.directory_at(&above)? {
            Some(src) => Some(!self.source_entries(src)?.contains(last.as_bytes())),
            None => Some(true),
        }
    }

    /// Returns the package's directory at `place`; `Some(None)` when there is none.
    pub(super) fn directory_at(&mut self, place: &Place) -> Option<Option<Src>> {
        let Some(id) = self.snapshot.source_at(&place.stow_dir, &place.package) else {
            let (stow_dir, package) = (place.stow_dir.clone(), place.package.clone());
            self.needs.insert(Need::Package { stow_dir, package });
            return None;
        };
        let mut src = Src { id, dir: ROOT };
        let mut names = place.path.names();
        while let Some(name) = names.next() {
            let Some(entries) = self.snapshot.source(id).tree.entries(src.dir) else {
                let rest: Vec<Name> = std::iter::once(name).chain(names).collect();
                self.need_way_down(src, RelPath::from_names(&rest));
                return None;
            };
            let Some(node) = entries.get(name.as_bytes()) else { return Some(None) };
            match self.source_dir(src, &name, &node)? {
                Some(below) => src = below,
                None => return Some(None),
            }
        }
        Some(Some(src))
    }

    /// Asks for a package's directory with those down to `path` at once: a round for each would plan anew as often as the
    /// way is deep.
    fn need_way_down(&mut self, src: Src, path: RelPath) {
        let need = Need::WayDown { source: src.id, dir: src.dir, path: path.clone() };
        let is_asked = self.needs.range(&need..).next().is_some_and(|it| match it {
            Need::WayDown { source, dir, path: asked } => {
                (*source, *dir) == (src.id, src.dir) && asked.below(&path).is_some()
            }
            _ => false,
        });
        if !is_asked {
            self.needs.insert(need);
        }
    }
}
