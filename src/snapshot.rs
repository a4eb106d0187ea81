//! What is known of a farm's two sides, what a planner may still ask, and the answers.
//!
//! A planner never looks at the disk: it works on a [`Snapshot`], and where that is silent it names what it lacks
//! as [`Need`]s. Whoever has the disk (or, in tests, a tree in memory) answers, and planning runs again. So nothing
//! is read that no plan depends on, and a wrong guess of what to read is impossible.

mod mirror;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mirror::Mirrored;
pub(crate) use mirror::is_worth_asking;
pub use mirror::{Mirror, Pair};

use crate::path::{LinkText, Name, RelPath, Route};
use crate::policy::Naming;
use crate::rendered::Stored;
use crate::rules::{Candidate, Rules};
use crate::tree::{Apart, DirId, Entries, Leads, Link, Node, Texts, Tree};

/// Which package of a snapshot: see [`Snapshot::source`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SourceId(usize);

/// One package: a directory in a stow directory, and which of its entries count.
#[derive(Clone)]
pub struct Source {
    /// The stow directory it lies in, from the farm's root.
    pub stow_dir: Route,
    /// Its path there: a name, or the root for the stow directory itself.
    pub package: RelPath,
    /// Its content, as far as it was read.
    pub tree: Tree,
    /// Which entries count.
    pub rules: Rules,
}

impl Source {
    /// Returns the package's directory, from the farm's root.
    pub fn route(&self) -> Route {
        self.stow_dir.join_path(&self.package)
    }
}

/// A side of the farm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// The tree that gets the links.
    Target,
    /// A package.
    Source(SourceId),
}

/// Names that say that a directory is left alone.
pub const MARKERS: [&[u8]; 2] = [b".stow", b".nonstow"];

/// Something a planner has to know.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Need {
    /// The rules of a package, which makes it known: [`Fact::Package`], or [`Fact::Gone`], and it is known and empty.
    Package {
        /// The stow directory it lies in.
        stow_dir: Route,
        /// Its path there.
        package: RelPath,
    },
    /// The rules of a package that does not exist yet, which makes it known and empty: [`Fact::Package`].
    NewPackage {
        /// The stow directory it will lie in.
        stow_dir: Route,
        /// Its path there.
        package: RelPath,
    },
    /// What a directory holds: [`Fact::Listing`].
    Listing {
        /// The side it is on.
        side: Side,
        /// The directory.
        dir: DirId,
        /// Which of its links' texts will be asked for, too.
        texts: Texts,
    },
    /// What a target's directory holds, if it is not large: [`Fact::Listing`] or [`Fact::Large`].
    Start {
        /// The directory.
        dir: DirId,
        /// Which of its links' texts will be asked for, too.
        texts: Texts,
    },
    /// What a package's directory holds, and then the target's directory in which it is mirrored: [`Fact::Many`], as
    /// [`Pair`] says.
    Pair {
        /// The target's directory.
        dir: DirId,
        /// The package.
        source: SourceId,
        /// The package's directory.
        source_dir: DirId,
        /// As with [`Need::InStep`].
        texts: Texts,
    },
    /// What a target's large directory has under the names of a package's entries, with the texts of links:
    /// [`Fact::Names`], or a [`Fact::Listing`] where that takes less.
    Names {
        /// The target's directory.
        dir: DirId,
        /// The package.
        source: SourceId,
        /// The package's directory.
        source_dir: DirId,
        /// Whether a few others are wanted, too: not with `Texts::None`.
        texts: Texts,
    },
    /// The listings of a target directory and of the package's directory that is mirrored there; and, since both
    /// will be walked in step, those of all directories below that both have. Answered by [`Need::Pair`]s.
    InStep {
        /// The target's directory.
        dir: DirId,
        /// The package.
        source: SourceId,
        /// The package's directory.
        source_dir: DirId,
        /// Which of the texts of the target's links will be asked for, too; those that have the names of the package's
        /// entries always will.
        texts: Texts,
    },
    /// The listings of a package's directory and of all below it that count. Answered by [`Need::Listing`]s.
    Below {
        /// The package.
        source: SourceId,
        /// The directory.
        dir: DirId,
    },
    /// The listing of a package's directory that has its place in the target in common with those of other packages; and,
    /// since then no one link can stand for it, those of the directories below that have, too. Answered by
    /// [`Need::Listing`]s.
    Merged {
        /// Their place in the target, where nothing is yet.
        at: RelPath,
        /// The package.
        source: SourceId,
        /// The directory.
        dir: DirId,
    },
    /// The listings of a package's directory and of those on the way down to one below it, itself included, as far as they
    /// are real directories. Answered by [`Need::Listing`]s.
    WayDown {
        /// The package.
        source: SourceId,
        /// The directory.
        dir: DirId,
        /// The path from it.
        path: RelPath,
    },
    /// The listings, with texts, of a target directory and of all below it. Answered by [`Need::Listing`]s.
    Under {
        /// The directory.
        dir: DirId,
    },
    /// The links that a package's directory has in the target when it is linked entry by entry: [`Fact::Mirror`].
    /// What the snapshot holds answers this; whoever answers may do so for many directories at once.
    Mirror {
        /// The package.
        source: SourceId,
        /// The directory, whose listing is known.
        dir: DirId,
        /// Where the links are.
        target_dir: RelPath,
        /// The directory as ignore rules know it.
        rules_dir: RelPath,
    },
    /// The texts of the links in a target's directory that have the names of a package's entries: [`Fact::Texts`].
    Texts {
        /// The target's directory.
        dir: DirId,
        /// The package.
        source: SourceId,
        /// The package's directory.
        source_dir: DirId,
    },
    /// The text of a link in the target: [`Fact::Text`].
    Text {
        /// The directory it is in.
        dir: DirId,
        /// Its name.
        name: Name,
    },
    /// What a link leads to: [`Fact::Leads`].
    Leads {
        /// The side it is on.
        side: Side,
        /// The directory it is in.
        dir: DirId,
        /// Its name.
        name: Name,
    },
    /// What all links of a target's directory lead to, whose entries are known: [`Fact::AllLead`].
    AllLead {
        /// The directory.
        dir: DirId,
    },
    /// Whether a rule of the user's keeps something directly in a package's directory out, whose listing is known:
    /// [`Fact::Holds`]. What the snapshot holds answers this, as with [`Need::Mirror`].
    Hides {
        /// The package.
        source: SourceId,
        /// The directory.
        dir: DirId,
    },
    /// What a package's directory holds, and, as long as that is at hand, what [`Need::Hides`] asks: [`Fact::Sifted`].
    Sifted {
        /// The package.
        source: SourceId,
        /// The directory.
        dir: DirId,
    },
    /// Whether a directory holds a `.stow` file, which makes it a stow directory: [`Fact::Holds`].
    Marked(Route),
    /// Whether there is a directory at a place: [`Fact::Holds`].
    Present(Route),
    /// Whether a package's directory that is reached through a link is one that was passed on the way, so that there
    /// is no end to what is in it: [`Fact::Holds`].
    Endless {
        /// The package.
        source: SourceId,
        /// The directory behind the link.
        dir: DirId,
    },
    /// Where a link in the target leads when links on the way are followed: [`Fact::Real`].
    Real {
        /// The directory it is in.
        dir: DirId,
        /// Its name.
        name: Name,
    },
    /// The links that following a link in the target passes, itself the first: [`Fact::Way`].
    Way {
        /// The directory it is in.
        dir: DirId,
        /// Its name.
        name: Name,
    },
    /// Whether a target's directory has the permissions of a package's: [`Fact::Holds`].
    SameMode {
        /// The target's directory.
        dir: DirId,
        /// The package.
        source: SourceId,
        /// The package's directory.
        source_dir: DirId,
    },
    /// What opening a place would find, links followed: [`Fact::Leads`].
    At(Route),
    /// Whether a file in the target has the bytes and mode that are stored there: [`Fact::Holds`].
    Stored {
        /// The directory it is in.
        dir: DirId,
        /// Its name.
        name: Name,
        /// What it should have.
        stored: Stored,
    },
    /// Whether a file in the target has the bytes and mode of a package's file: [`Fact::Holds`].
    Equal {
        /// The target's directory.
        dir: DirId,
        /// The target's name.
        name: Name,
        /// The package.
        source: SourceId,
        /// The package's directory.
        source_dir: DirId,
        /// The package's name.
        source_name: Name,
    },
}

/// The answer to a [`Need`]. Small, since there may be many at a time.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A package's rules.
    Package(Rules),
    /// There is no such package, or no more.
    Gone,
    /// A directory's content.
    Listing(Arc<Entries>),
    /// A directory's content, and whether a rule of the user's keeps something in it out.
    Sifted(Arc<Entries>, bool),
    /// The links of a directory; `None` when it takes more than a look at each entry's kind to tell.
    Mirror(Option<Mirror>),
    /// A directory is large.
    Large,
    /// Names, and what is there, which may be nothing.
    Names(Arc<Entries>),
    /// Links with their texts.
    Texts(Arc<Entries>),
    /// A link's text.
    Text(LinkText),
    /// What a link leads to.
    Leads(Leads),
    /// What links lead to, in the order of their names.
    AllLead(Vec<Leads>),
    /// A place, or `None` when there is nothing.
    Real(Option<Route>),
    /// The places of links.
    Way(Vec<Route>),
    /// Yes or no.
    Holds(bool),
    /// The answers to other needs.
    Many(Vec<(Need, Fact)>),
}

/// What is known of a farm.
///
/// A copy shares all but the target's directories, of which there is a list.
#[derive(Clone, Default)]
pub struct Snapshot {
    /// The tree that gets the links.
    pub target: Tree,
    sources: Arc<Vec<Source>>,
    by_place: Arc<HashMap<Route, SourceId>>,
    /// Whether a rule of the user's keeps something directly in a package's directory out.
    hides: Arc<HashMap<(SourceId, DirId), bool>>,
    others: Arc<HashMap<Need, Fact>>,
}

impl Snapshot {
    /// Returns a snapshot that knows nothing.
    pub fn unread() -> Snapshot {
        Snapshot::default()
    }

    /// Returns the package at `path` in `stow_dir`, if it is known.
    pub fn source_at(&self, stow_dir: &Route, path: &RelPath) -> Option<SourceId> {
        self.by_place.get(&stow_dir.join_path(path)).copied()
    }

    /// Returns a package.
    pub fn source(&self, id: SourceId) -> &Source {
        &self.sources[id.0]
    }

    /// Returns the tree on a side.
    pub fn tree(&self, side: Side) -> &Tree {
        match side {
            Side::Target => &self.target,
            Side::Source(id) => &self.source(id).tree,
        }
    }

    fn tree_mut(&mut self, side: Side) -> &mut Tree {
        match side {
            Side::Target => &mut self.target,
            Side::Source(id) => &mut Arc::make_mut(&mut self.sources)[id.0].tree,
        }
    }

    /// Returns the answer to a yes-or-no need.
    pub fn holds(&self, need: &Need) -> Option<bool> {
        match self.others.get(need)? {
            Fact::Holds(yes) => Some(*yes),
            _ => None,
        }
    }

    /// Returns where a link really leads, if that was asked.
    pub fn real(&self, dir: DirId, name: &Name) -> Option<Option<&Route>> {
        match self.others.get(&Need::Real { dir, name: name.clone() })? {
            Fact::Real(route) => Some(route.as_ref()),
            _ => None,
        }
    }

    /// Returns the links that following a link passes, if that was asked.
    pub fn way(&self, dir: DirId, name: &Name) -> Option<&[Route]> {
        match self.others.get(&Need::Way { dir, name: name.clone() })? {
            Fact::Way(way) => Some(way),
            _ => None,
        }
    }

    /// Returns what a place holds, if that was asked.
    pub fn at(&self, route: &Route) -> Option<Leads> {
        match self.others.get(&Need::At(route.clone()))? {
            Fact::Leads(leads) => Some(*leads),
            _ => None,
        }
    }

    /// Returns the links of a package's directory, if that was asked.
    pub fn mirror(&self, need: &Need) -> Option<Option<&Mirror>> {
        match self.others.get(need)? {
            Fact::Mirror(mirror) => Some(mirror.as_ref()),
            _ => None,
        }
    }

    /// Answers [`Need::Mirror`].
    pub fn make_mirror(
        &self,
        source: SourceId,
        dir: DirId,
        target_dir: &RelPath,
        rules_dir: &RelPath,
    ) -> Fact {
        let Some(mirrored) = self.mirrored(source, dir, target_dir, rules_dir) else {
            return Fact::Mirror(None);
        };
        let there = self.target.find(target_dir).and_then(|there| self.target.shared_entries(there));
        Fact::Mirror(Some(mirrored.among(there)))
    }

    /// Returns what the target's directory that holds `there` will hold with the links of a package's directory, as
    /// [`Need::Mirror`] names it; and the entries that are to be looked at one by one: those whose names something else has,
    /// or `is_new` does not say are new.
    pub fn with_mirror(
        &self,
        need: &Need,
        there: &Entries,
        is_new: impl Fn(&[u8]) -> bool,
    ) -> Option<(Entries, Vec<Apart>)> {
        let Need::Mirror { source, dir, target_dir, rules_dir } = need else { return None };
        Some(self.mirrored(*source, *dir, target_dir, rules_dir)?.with(there, is_new))
    }

    fn mirrored<'s>(
        &'s self,
        source: SourceId,
        dir: DirId,
        target_dir: &RelPath,
        rules_dir: &'s RelPath,
    ) -> Option<Mirrored<'s>> {
        let entries = self.source(source).tree.entries(dir)?;
        Mirrored::of(self, (source, dir), entries, target_dir, rules_dir)
    }

    /// Returns the answer to [`Need::Hides`].
    pub fn hides(&self, source: SourceId, dir: DirId) -> Option<bool> {
        self.hides.get(&(source, dir)).copied()
    }

    /// Answers [`Need::Hides`].
    pub fn find_hides(&self, source: SourceId, dir: DirId) -> bool {
        let entries = self.source(source).tree.entries(dir);
        entries.is_some_and(|entries| self.hides_among(source, dir, entries))
    }

    /// Tells whether a rule of the user's keeps one of these entries of a package's directory out.
    pub fn hides_among(&self, source: SourceId, dir: DirId, entries: &Entries) -> bool {
        let Source { tree, rules, .. } = self.source(source);
        let at = tree.path(dir);
        entries.any(|name, is_dir| rules.hides(&Candidate { source_dir: &at, target_dir: &at, name, is_dir }))
    }

    /// Answers needs: asks `answer` for the facts, one round after the other, until what goes on below is known, too.
    ///
    /// # Errors
    /// Those of `answer`.
    pub fn learn<E>(
        &mut self,
        naming: Naming,
        mut needs: Vec<Need>,
        mut answer: impl FnMut(&Snapshot, Vec<Need>) -> Result<Vec<(Need, Fact)>, E>,
    ) -> Result<(), E> {
        while !needs.is_empty() {
            let mut asked = HashMap::new();
            for need in &needs {
                if let Need::InStep { dir, source, source_dir, .. } = need {
                    *asked.entry((Side::Target, *dir)).or_insert(0) += 1;
                    *asked.entry((Side::Source(*source), *source_dir)).or_insert(0) += 1;
                }
            }
            let is_asked_once = |side, dir| asked.get(&(side, dir)) == Some(&1);
            let plain: BTreeSet<Need> =
                needs.iter().flat_map(|need| self.plain(need, is_asked_once)).collect();
            let facts = answer(self, plain.into_iter().collect())?;
            let is_mirror = |(need, fact): &&(Need, Fact)| {
                matches!(need, Need::Mirror { .. }) || matches!(fact, Fact::Many(facts) if facts.len() > 2)
            };
            Arc::make_mut(&mut self.others).reserve(facts.iter().filter(is_mirror).count());
            facts.into_iter().for_each(|(need, fact)| self.answer(need, fact));
            let onward = needs.iter().flat_map(|need| self.onward(need, naming));
            needs = onward.chain(self.merged(&needs, naming)).collect();
            needs.dedup();
        }
        Ok(())
    }

    /// Returns the needs that have a fact for an answer in the place of one that has several.
    fn plain(&self, need: &Need, is_asked_once: impl Fn(Side, DirId) -> bool) -> Vec<Need> {
        let unread = |side: Side, dir, texts| {
            let unread = self.tree(side).known_entries(dir).is_none();
            unread.then_some(match side {
                Side::Target => Need::Start { dir, texts },
                Side::Source(_) => Need::Listing { side, dir, texts },
            })
        };
        match need {
            &Need::InStep { dir, source, source_dir, texts } => {
                let from = Side::Source(source);
                match (unread(Side::Target, dir, texts), unread(from, source_dir, Texts::All)) {
                    // What many packages have in one place is read once.
                    (Some(_), Some(_))
                        if is_asked_once(Side::Target, dir) && is_asked_once(from, source_dir) =>
                    {
                        vec![Need::Pair { dir, source, source_dir, texts }]
                    }
                    (there, here) => there.into_iter().chain(here).collect(),
                }
            }
            // Whether all of it may be one link will be asked next.
            Need::Below { source, dir } if self.source(*source).rules.may_hide() => {
                let unread = self.source(*source).tree.known_entries(*dir).is_none();
                unread.then_some(Need::Sifted { source: *source, dir: *dir }).into_iter().collect()
            }
            Need::Below { source, dir }
            | Need::Merged { source, dir, .. }
            | Need::WayDown { source, dir, .. } => {
                unread(Side::Source(*source), *dir, Texts::All).into_iter().collect()
            }
            // All of it is wanted, however large it is.
            Need::Under { dir } if self.target.entries(*dir).is_none() => {
                vec![Need::Listing { side: Side::Target, dir: *dir, texts: Texts::All }]
            }
            Need::Under { .. } => Vec::new(),
            need => vec![need.clone()],
        }
    }

    /// Returns the links in a target's directory that have the names of a package's entries and whose texts are unread.
    pub fn unread_texts(
        &self,
        dir: DirId,
        source: SourceId,
        source_dir: DirId,
        naming: Naming,
    ) -> impl Iterator<Item = Name> {
        let there = self.target.entries(dir).filter(|there| there.has_unread_links());
        let entries = there.and(self.source(source).tree.entries(source_dir));
        let names = entries.into_iter().flat_map(Entries::names).map(move |name| naming.target_name(&name));
        names.filter(move |name| there.is_some_and(|there| there.is_unread_link(name.as_bytes())))
    }

    /// Returns the names of a package's entries, and those that mark a directory, that nobody has looked for in a
    /// target's large directory.
    pub fn unknown_names(
        &self,
        dir: DirId,
        source: SourceId,
        source_dir: DirId,
        naming: Naming,
    ) -> impl Iterator<Item = Name> {
        let there = self.target.known_entries(dir).filter(|there| there.is_partial());
        let entries = there.and(self.source(source).tree.entries(source_dir));
        let unknown = entries.filter(|entries| there.is_some_and(|there| !there.knows_as(entries)));
        let names = unknown.into_iter().flat_map(Entries::names).map(move |name| naming.target_name(&name));
        let markers = there.into_iter().flat_map(|_| MARKERS.iter().filter_map(|marker| Name::new(marker)));
        names.chain(markers).filter(move |name| there.is_some_and(|there| !there.knows(name.as_bytes())))
    }

    /// Returns what to ask next, one level further down, once a need that goes on below is answered for its level.
    fn onward(&self, need: &Need, naming: Naming) -> Vec<Need> {
        let (source, at) = match need {
            Need::InStep { source, source_dir, .. } => (*source, *source_dir),
            Need::Below { source, dir } => (*source, *dir),
            Need::Under { dir } => {
                let nodes = self.target.entries(*dir).into_iter().flat_map(Entries::nodes);
                let under = |node| if let Node::Dir(dir) = node { Some(Need::Under { dir }) } else { None };
                return nodes.filter_map(under).collect();
            }
            Need::WayDown { source, dir, path } => {
                return self.way_down(*source, *dir, path).into_iter().collect();
            }
            _ => return Vec::new(),
        };
        let Source { tree, rules, .. } = self.source(source);
        let Some(entries) = tree.entries(at) else { return Vec::new() };
        let source_dir = &tree.path(at);
        let counts = |name: &Name| {
            let name = name.as_bytes();
            !rules.ignores(&Candidate { source_dir, target_dir: source_dir, name, is_dir: true })
        };
        let mut onward = Vec::new();
        if let Need::InStep { dir, source, source_dir, .. } = *need
            && self.unread_texts(dir, source, source_dir, naming).next().is_some()
        {
            onward.push(Need::Texts { dir, source, source_dir });
        }
        if let Need::InStep { dir, source, source_dir, texts } = *need
            && self.unknown_names(dir, source, source_dir, naming).next().is_some()
        {
            // The names decide what is below: this comes again when they are known.
            onward.push(Need::Names { dir, source, source_dir, texts });
            onward.push(need.clone());
            return onward;
        }
        for (name, below) in entries.dirs() {
            match need {
                Need::InStep { dir, texts, .. } => {
                    let target_name = naming.target_name(&name);
                    if let Some(Some(Node::Dir(dir))) = self.target.get(*dir, &target_name) {
                        let texts = *texts;
                        onward.push(Need::InStep { dir, source, source_dir: below, texts });
                    }
                }
                _ if counts(&name) => onward.push(Need::Below { source, dir: below }),
                _ => {}
            }
        }
        onward
    }

    /// Returns what to ask next on the way from a package's directory down `path`.
    fn way_down(&self, source: SourceId, dir: DirId, path: &RelPath) -> Option<Need> {
        let name = path.names().next()?;
        match self.source(source).tree.get(dir, &name)?? {
            Node::Dir(dir) => {
                let path = path.below(&RelPath::from_names([&name]))?;
                Some(Need::WayDown { source, dir, path })
            }
            _ => None,
        }
    }

    /// Returns the directories directly below those of `needs` that several packages want to have in one place of the
    /// target, where nothing is.
    fn merged(&self, needs: &[Need], naming: Naming) -> Vec<Need> {
        /// A place in the target.
        #[derive(PartialEq, Eq, PartialOrd, Ord)]
        enum Place<'n> {
            There(DirId),
            NotYet(&'n RelPath),
        }
        let mut places: BTreeMap<Place, Vec<(SourceId, DirId)>> = BTreeMap::new();
        for need in needs {
            let (place, from) = match need {
                // Who unlinks asks for texts, and goes only where something is.
                Need::InStep { dir, source, source_dir, texts: Texts::None } => {
                    (Place::There(*dir), (*source, *source_dir))
                }
                Need::Merged { at, source, dir } => (Place::NotYet(at), (*source, *dir)),
                _ => continue,
            };
            places.entry(place).or_default().push(from);
        }
        places.retain(|_, from| from.len() > 1);
        let mut merged = Vec::new();
        for (place, from) in places {
            let is_free = |name: &Name| match place {
                Place::There(dir) => self.target.get(dir, name) == Some(None),
                Place::NotYet(_) => true,
            };
            let mut names: BTreeMap<Name, Vec<(SourceId, DirId)>> = BTreeMap::new();
            for (source, dir) in from {
                let Source { tree, rules, .. } = self.source(source);
                let source_dir = &tree.path(dir);
                for (name, below) in tree.entries(dir).into_iter().flat_map(Entries::dirs) {
                    let target_name = naming.target_name(&name);
                    let name = name.as_bytes();
                    let candidate = Candidate { source_dir, target_dir: source_dir, name, is_dir: true };
                    if is_free(&target_name) && !rules.ignores(&candidate) {
                        names.entry(target_name).or_default().push((source, below));
                    }
                }
            }
            let at = match place {
                Place::There(dir) => self.target.path(dir),
                Place::NotYet(at) => at.clone(),
            };
            for (name, mut dirs) in names {
                dirs.sort();
                dirs.dedup();
                if dirs.len() > 1 {
                    let need = |(source, dir)| Need::Merged { at: at.join(&name), source, dir };
                    merged.extend(dirs.into_iter().map(need));
                }
            }
        }
        merged
    }

    fn add_source(&mut self, source: Source) {
        let id = SourceId(self.sources.len());
        Arc::make_mut(&mut self.by_place).insert(source.route(), id);
        Arc::make_mut(&mut self.sources).push(source);
    }

    /// Enters the answer to `need`.
    pub fn answer(&mut self, need: Need, fact: Fact) {
        match (need, fact) {
            (_, Fact::Many(facts)) => facts.into_iter().for_each(|(need, fact)| self.answer(need, fact)),
            (Need::Package { stow_dir, package }, Fact::Package(rules)) => {
                self.add_source(Source { stow_dir, package, tree: Tree::unread(), rules });
            }
            (Need::Package { stow_dir, package }, Fact::Gone) => {
                self.add_source(Source { stow_dir, package, tree: Tree::empty(), rules: Rules::All });
            }
            (Need::NewPackage { stow_dir, package }, Fact::Package(rules)) => {
                self.add_source(Source { stow_dir, package, tree: Tree::empty(), rules });
            }
            (Need::Listing { side, dir, .. }, Fact::Listing(listing)) => {
                self.tree_mut(side).fill(dir, listing);
            }
            (Need::Hides { source, dir }, Fact::Holds(yes)) => {
                Arc::make_mut(&mut self.hides).insert((source, dir), yes);
            }
            (Need::Sifted { source, dir }, Fact::Sifted(entries, hides)) => {
                self.tree_mut(Side::Source(source)).fill(dir, entries);
                Arc::make_mut(&mut self.hides).insert((source, dir), hides);
            }
            (Need::AllLead { dir }, Fact::AllLead(leads)) => self.target.learn_leads(dir, &leads),
            // Somebody else has asked for all of it at the same time.
            (Need::Start { dir, .. }, _) if self.target.known_entries(dir).is_some() => {}
            (Need::Start { dir, .. }, Fact::Listing(listing)) => self.target.fill(dir, listing),
            (Need::Start { dir, .. }, Fact::Large) => self.target.set_large(dir),
            (Need::Names { dir, .. }, Fact::Names(names)) => self.target.learn_names(dir, &names),
            (Need::Names { dir, .. }, Fact::Listing(listing)) => self.target.fill(dir, listing),
            (Need::Texts { dir, .. }, Fact::Texts(links)) => self.target.learn_texts(dir, links),
            (Need::Text { dir, name }, Fact::Text(text)) => {
                let leads = match self.target.get(dir, &name) {
                    Some(Some(Node::Link(link))) => link.leads,
                    _ => Leads::Unknown,
                };
                self.target.set(dir, name, Node::link(text, leads));
            }
            (Need::Leads { side, dir, name }, Fact::Leads(leads)) => {
                let tree = self.tree_mut(side);
                if let Some(Some(Node::Link(link))) = tree.get(dir, &name) {
                    tree.set(dir, name.clone(), Node::Link(Link { leads, ..link }));
                }
                if side != Side::Target && leads == Leads::Dir {
                    tree.look_behind(dir, &name);
                }
            }
            (need, fact) => {
                Arc::make_mut(&mut self.others).insert(need, fact);
            }
        }
    }
}
