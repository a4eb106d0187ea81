//! Ejecting: what a package's link stands for comes back in the link's place, and the package lets go of it.

use super::owner::Place;
use super::transfer::{Mover, Owned, Refused};
use super::{Planner, Src};
use crate::op::{self, Change, Entry, Fate, Fates, Plan};
use crate::path::{LinkText, Name, RelPath, Route};
use crate::policy::Naming;
use crate::tree::{DirId, Leads, Node, ROOT, Texts, Tree};

/// A link that becomes what it stands for.
struct Release {
    dir: DirId,
    name: Name,
    path: RelPath,
    /// Where it lies in the package.
    place: RelPath,
    node: Node,
}

/// A link with a relative text that comes back.
struct Moving {
    path: RelPath,
    text: LinkText,
    /// The directory in the package that it is in.
    from: Route,
}

impl<'a> Mover<'a> {
    /// Plans the ejection of `paths`: folded links above them are taken apart first.
    pub(super) fn eject(&mut self, paths: &[RelPath]) -> Plan {
        let mut releases = Vec::new();
        for path in paths {
            self.eject_path(path, &mut releases);
        }
        let releases = self.once(releases);
        if !self.planner.needs.is_empty() {
            return Plan::default();
        }
        let unfolded = self.planner.tree.clone();
        let mut plan = self.plan_since(&self.planner.snapshot.target, &Fates::new());
        let mut fates = Fates::new();
        for release in &releases {
            let Release { dir, name, .. } = release;
            match &release.node {
                Node::Dir(_) => self.planner.tree.set_unread_dir(*dir, name),
                node => self.planner.tree.set(*dir, name.clone(), node.clone()),
            }
            let from = op::Place::Package { at: self.route(&release.place), entry: Entry::New { dirs: 0 } };
            fates.insert(release.path.clone(), Fate::Returns(from));
        }
        self.check_links(&releases);
        plan.ops.extend(self.plan_since(&unfolded, &fates).ops.iter());
        self.count_emptied_dirs(&mut plan);
        plan
    }

    /// Goes down to a path that was asked for, through folded links, too.
    fn eject_path(&mut self, path: &RelPath, releases: &mut Vec<Release>) -> Option<()> {
        let mut names: Vec<Name> = path.names().collect();
        let mut dir = ROOT;
        for at in 0..names.len() {
            let is_last = at + 1 == names.len();
            let name = names[at].clone();
            let node = self.node(dir, &name)?;
            if let Some(reason) = self.guard(dir) {
                self.refuse(path.clone(), reason);
                return Some(());
            }
            let reason = match node {
                None => Refused::Missing,
                Some(Node::File | Node::Other) if is_last => Refused::NotALink,
                Some(Node::File | Node::Other) => Refused::Missing,
                Some(Node::Dir(below)) if is_last => return self.eject_all(path, below, releases),
                Some(Node::Dir(below)) => {
                    dir = below;
                    continue;
                }
                Some(Node::Link(_)) => {
                    let link = self.planner.tree.path(dir).join(&name);
                    match self.owned(dir, &name)? {
                        Owned { place: None, text } if is_last => Refused::Foreign(text),
                        Owned { place: None, text } => Refused::BehindLink { link, text },
                        Owned { place: Some(place), .. } if !self.is_ours(&place) => {
                            Refused::InFarm { link, owner: place.package }
                        }
                        Owned { place: Some(place), text } if is_last => {
                            match self.release(dir, &name, &place, text)? {
                                Ok(release) => {
                                    releases.push(release);
                                    return Some(());
                                }
                                Err(reason) => reason,
                            }
                        }
                        Owned { place: Some(place), .. } => {
                            match self.unfold_to(dir, &name, &place, &names[at + 1])? {
                                Ok((below, next)) => {
                                    dir = below;
                                    names[at + 1] = next;
                                    continue;
                                }
                                Err(reason) => reason,
                            }
                        }
                    }
                }
            };
            self.refuse(path.clone(), reason);
            return Some(());
        }
        Some(())
    }

    /// Ejects every link of the package that is in a real directory of the target.
    fn eject_all(&mut self, path: &RelPath, top: DirId, releases: &mut Vec<Release>) -> Option<()> {
        let (before, objections) = (releases.len(), self.objections.len());
        let mut known = true;
        let mut todo = vec![top];
        while let Some(dir) = todo.pop() {
            if !self.planner.target_read(dir, Texts::All) {
                known = false;
                continue;
            }
            if self.guard(dir).is_some() {
                continue;
            }
            for (name, node) in &self.planner.tree.entries(dir)?.clone() {
                match node {
                    Node::Dir(below) => todo.push(below),
                    Node::File | Node::Other => {}
                    Node::Link(_) => {
                        let Some(owned) = self.owned(dir, &name) else {
                            known = false;
                            continue;
                        };
                        let Owned { place: Some(place), text } = owned else { continue };
                        if !self.is_ours(&place) {
                            continue;
                        }
                        match self.release(dir, &name, &place, text) {
                            None => known = false,
                            Some(Ok(release)) => releases.push(release),
                            Some(Err(reason)) => {
                                self.refuse(self.planner.tree.path(dir).join(&name), reason);
                            }
                        }
                    }
                }
            }
        }
        if known && (before, objections) == (releases.len(), self.objections.len()) {
            self.refuse(path.clone(), Refused::NoLinkInIt);
        }
        Some(())
    }

    /// Tells whether the package's directory at `path` is `src`, and not reached through a link of the package's own:
    /// what lies behind one may be anybody's.
    fn is_real(&self, src: Src, path: &RelPath) -> bool {
        self.planner.snapshot.source(src.id).tree.find(path) == Some(src.dir)
    }

    fn is_ours(&self, place: &Place) -> bool {
        let source = self.planner.snapshot.source(self.package);
        place.package == source.package && place.stow_dir == source.stow_dir
    }

    /// Returns what the link `name` in the target's `dir` stands for.
    fn release(
        &mut self,
        dir: DirId,
        name: &Name,
        place: &Place,
        text: LinkText,
    ) -> Option<Result<Release, Refused>> {
        let path = self.planner.tree.path(dir).join(name);
        let Some((above, last)) = place.path.split() else {
            return Some(match self.is_landing(&path) {
                true => {
                    let (name, place) = (name.clone(), RelPath::root());
                    Ok(Release { dir, name, path, place, node: Node::Dir(ROOT) })
                }
                false => Err(Refused::WholePackage),
            });
        };
        let above = Place { path: above, ..place.clone() };
        let found = match self.planner.directory_at(&above)? {
            Some(src) if !self.is_real(src, &above.path) => {
                return Some(Err(Refused::BehindPackageLink));
            }
            Some(src) => self.planner.source_entries(src)?.get(last.as_bytes()),
            None => None,
        };
        if let Some(home) = self.shown_at_home(place, &path)? {
            return Some(Err(Refused::Twice(home)));
        }
        Some(match found {
            Some(node) => Ok(Release { dir, name: name.clone(), path, place: place.path.clone(), node }),
            None => Err(Refused::Gone(text)),
        })
    }

    /// Returns the path that the package's layout gives to `place`, when that is not `path` and shows it, too: taking
    /// it from there would leave that link without anything behind it.
    fn shown_at_home(&mut self, place: &Place, path: &RelPath) -> Option<Option<RelPath>> {
        let mount = self.mount.at();
        let homes = [Naming::AsIs, Naming::Dotfiles].map(|naming| {
            let names: Vec<Name> = place.path.names().map(|name| naming.target_name(&name)).collect();
            mount.join_path(&RelPath::from_names(&names))
        });
        if homes.contains(path) {
            return Some(None);
        }
        for home in homes {
            if self.lies(&Route::below_root(home.clone()), &[])? == place.route() {
                return Some(Some(home));
            }
        }
        Some(None)
    }

    /// Makes the folded link `name` in `dir` a directory of links to all that counts in `place`, and to `next`, which
    /// is asked for. Returns the directory, and the name of `next` in it.
    fn unfold_to(
        &mut self,
        dir: DirId,
        name: &Name,
        place: &Place,
        next: &Name,
    ) -> Option<Result<(DirId, Name), Refused>> {
        let at = self.planner.tree.path(dir).join(name);
        let Some(src) = self.planner.directory_at(place)? else { return Some(Err(Refused::Missing)) };
        if !self.is_real(src, &place.path) {
            return Some(Err(Refused::BehindPackageLink));
        }
        let entries = self.planner.source_entries(src)?;
        // A marker in the folded directory is seen through the link, and counts as it does in link.
        if entries.contains(b".stow") {
            return Some(Err(Refused::Marked(at)));
        }
        if entries.contains(b".nonstow") {
            return Some(Err(Refused::Protected(at)));
        }
        // Through a link names are as the package spells them.
        let exact = entries.contains(next.as_bytes()).then(|| next.clone());
        let Some(asked) =
            exact.or_else(|| entries.names().find(|name| self.planner.target_name(name) == *next))
        else {
            return Some(Err(Refused::Missing));
        };
        let asked_name = self.planner.target_name(&asked);
        let made = self.planner.tree.make_dir(dir, name);
        let depth = self.planner.tree.depth(made);
        put_link(&mut self.planner, made, asked_name.clone(), &place.route().join(&asked), depth);
        for (name, node) in entries {
            let target_name = self.planner.target_name(&name);
            let taken = matches!(self.planner.tree.get(made, &target_name), Some(Some(_)));
            if !taken && !self.planner.ignored(src, &place.path, &at, &name, &node) {
                put_link(&mut self.planner, made, target_name, &place.route().join(&name), depth);
            }
        }
        Some(Ok((made, asked_name)))
    }

    /// Refuses what two links lead to.
    fn once(&mut self, mut releases: Vec<Release>) -> Vec<Release> {
        releases.sort_by(|a, b| (&a.place, &a.path).cmp(&(&b.place, &b.path)));
        let mut kept: Vec<Release> = Vec::new();
        for release in releases {
            match kept.last() {
                Some(last) if last.path == release.path => {}
                Some(last) if release.place.below(&last.place).is_some() => {
                    let reason = Refused::Twice(last.path.clone());
                    self.refuse(release.path, reason);
                }
                _ => kept.push(release),
            }
        }
        kept
    }

    /// Refuses links that would lead elsewhere from the target, though they come back as they are.
    fn check_links(&mut self, releases: &[Release]) {
        let mut links = Vec::new();
        for release in releases {
            self.gather_links(release, &mut links);
        }
        let tops: Vec<RelPath> = releases.iter().map(|release| release.path.clone()).collect();
        for link in links {
            let Some((dir, _)) = link.path.split() else { continue };
            let before = self.follow(&link.from, &link.text);
            let moved = releases.iter().find_map(|release| {
                let rest = before.below(&self.route(&release.place))?;
                Some(Route::below_root(release.path.join_path(&rest)))
            });
            let after = self.follow(&Route::below_root(dir), &link.text);
            let Some(after) = self.lies(&after, &tops) else { continue };
            if after != moved.unwrap_or(before) {
                self.refuse(link.path, Refused::LeadsElsewhere(link.text));
            }
        }
    }

    /// Collects the links with relative texts that a release brings back.
    fn gather_links(&mut self, release: &Release, links: &mut Vec<Moving>) {
        let relative = |node: &Node| match node {
            Node::Link(link) => link.text.clone().filter(|text| !text.is_absolute()),
            _ => None,
        };
        if let (Some(text), Some((above, _))) = (relative(&release.node), release.place.split()) {
            links.push(Moving { path: release.path.clone(), text, from: self.route(&above) });
        }
        let Node::Dir(top) = release.node else { return };
        let mut todo = vec![(top, RelPath::root())];
        while let Some((dir, below)) = todo.pop() {
            let Some(entries) = self.planner.source_entries(Src { dir, ..self.top() }) else { continue };
            for (name, node) in entries {
                let at = below.join(&name);
                if let Node::Dir(dir) = node {
                    todo.push((dir, at.clone()));
                }
                if let Some(text) = relative(&node) {
                    let from = self.route(&release.place.join_path(&below));
                    links.push(Moving { path: release.path.join_path(&at), text, from });
                }
            }
        }
    }

    /// Tells the operations which directories of the package are left empty and go: nobody can see them any more. The
    /// package itself stays.
    fn count_emptied_dirs(&self, plan: &mut Plan) {
        let top = self.route(&RelPath::root());
        let mut tree = self.planner.snapshot.source(self.package).tree.clone();
        plan.ops.edit(|op| {
            if let Change::Restore { from: op::Place::Package { at, entry: Entry::New { dirs } }, .. } =
                &mut op.change
                && let Some((above, name)) = at.below(&top).and_then(|path| path.split())
                && let Some(dir) = tree.find(&above)
            {
                tree.remove(dir, &name);
                *dirs = remove_empty(&mut tree, dir);
            }
        });
    }
}

/// Removes `dir` when it is empty, then those above it, and returns how many.
fn remove_empty(tree: &mut Tree, mut dir: DirId) -> usize {
    let mut count = 0;
    while tree.entries(dir).is_some_and(|entries| entries.is_empty()) {
        let Some((up, name)) = tree.parent(dir).map(|(up, name)| (up, name.clone())) else { break };
        tree.remove(up, &name);
        dir = up;
        count += 1;
    }
    count
}

fn put_link(planner: &mut Planner, dir: DirId, name: Name, to: &Route, depth: usize) {
    planner.tree.set(dir, name, Node::link(to.text_from(depth), Leads::Unknown));
}
