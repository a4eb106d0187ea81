//! The links that a package's directory has in the target, all at once.

use std::sync::Arc;

use super::{Fact, Need, Side, Snapshot, SourceId};
use crate::package::Request;
use crate::path::{Name, RelPath};
use crate::policy::{Naming, OnFile};
use crate::rules::{Candidate, Rules};
use crate::tree::{Apart, DirId, Entries, Node, Texts};

/// Directories with fewer entries are mirrored one entry after the other. Tests mirror whatever they can.
const WORTH_MIRRORING: usize = if cfg!(test) { 1 } else { 32 };

/// The links that a package's directory has in the target.
#[derive(Clone, Debug)]
pub enum Mirror {
    /// They alone: nothing else is there, or just they are.
    Alone(Arc<Entries>),
    /// With what else is there.
    Among {
        /// What is there, as far as it was known.
        there: Arc<Entries>,
        /// It and the links.
        all: Arc<Entries>,
        /// The entries of the package whose names something else than the right link has.
        taken: Vec<Apart>,
    },
}

/// Tells whether it is worth while to ask for all links at once that a package's directory with `entries` has in the
/// target: it has only files, and enough of them for what is there, and they keep their names.
pub(crate) fn is_worth_asking(request: &Request, entries: &Entries, there: &Entries) -> bool {
    // Who wants to know of each link looks at each, and entering a few into many goes faster one by one.
    request.earlier.is_none()
        && entries.len() >= WORTH_MIRRORING
        && entries.has_only_files()
        && there.len() / 4 <= entries.len()
        && (request.policy.naming == Naming::AsIs
            || entries.names().all(|name| request.policy.naming.keeps(&name)))
}

/// What the links of a package's directory in the target follow from.
pub(super) struct Mirrored<'s> {
    entries: &'s Entries,
    rules: &'s Rules,
    source_dir: RelPath,
    rules_dir: &'s RelPath,
    head: Box<[u8]>,
}

impl<'s> Mirrored<'s> {
    /// Of a directory with these entries; `None` when it takes more than a look at each entry's kind to tell.
    pub(super) fn of(
        snapshot: &'s Snapshot,
        (source, dir): (SourceId, DirId),
        entries: &'s Entries,
        target_dir: &RelPath,
        rules_dir: &'s RelPath,
    ) -> Option<Mirrored<'s>> {
        let source = snapshot.source(source);
        let source_dir = source.tree.path(dir);
        let head = source.route().join_path(&source_dir).head_from(target_dir.depth())?;
        entries.has_only_files().then_some(Mirrored {
            entries,
            rules: &source.rules,
            source_dir,
            rules_dir,
            head,
        })
    }

    fn counts(&self, name: &[u8]) -> bool {
        let (source_dir, target_dir) = (&self.source_dir, self.rules_dir);
        !self.rules.ignores(&Candidate { source_dir, target_dir, name, is_dir: false })
    }

    /// Returns the links.
    fn links(&self) -> Entries {
        self.with(&Entries::default(), |_| true).0
    }

    /// Returns what `there` will be, and the entries that are to be looked at one by one: those whose names something else
    /// has, or `is_new` does not say are new.
    pub(super) fn with(&self, there: &Entries, is_new: impl Fn(&[u8]) -> bool) -> (Entries, Vec<Apart>) {
        there.with_mirror(self.entries, &self.head, |name| self.counts(name), is_new)
    }

    /// Returns the links with what is there.
    pub(super) fn among(&self, there: Option<&Arc<Entries>>) -> Mirror {
        let is_all = |there: &Entries| there.is_mirror(self.entries, &self.head, |name| self.counts(name));
        match there.filter(|there| !there.is_partial() && !there.is_empty()) {
            // One listing does for both.
            Some(there) if is_all(there) => Mirror::Alone(there.clone()),
            Some(there) => {
                let (all, taken) = self.with(there, |_| true);
                let all = if all.len() > there.len() { Arc::new(all) } else { there.clone() };
                Mirror::Among { there: there.clone(), all, taken }
            }
            None => Mirror::Alone(Arc::new(self.links())),
        }
    }
}

/// A package's directory that was just read, while the target's in which it is mirrored is being read: what the one holds
/// tells what to look for in the other, and what is compared is at hand. See [`Need::Pair`].
pub struct Pair<'s> {
    snapshot: &'s Snapshot,
    request: &'s Request,
    dir: DirId,
    source: SourceId,
    source_dir: DirId,
    texts: Texts,
    entries: Arc<Entries>,
    target_dir: RelPath,
    rules_dir: RelPath,
}

impl<'s> Pair<'s> {
    /// Takes what the package's directory holds that `need` names; `None` when it is no [`Need::Pair`].
    pub fn new(
        snapshot: &'s Snapshot,
        request: &'s Request,
        need: &Need,
        entries: Arc<Entries>,
    ) -> Option<Pair<'s>> {
        let &Need::Pair { dir, source, source_dir, texts } = need else { return None };
        let target_dir = snapshot.target.path(dir);
        let rules_dir = request.policy.rules_dir(&snapshot.source(source).tree.path(source_dir), &target_dir);
        Some(Pair { snapshot, request, dir, source, source_dir, texts, entries, target_dir, rules_dir })
    }

    fn mirrored(&self) -> Option<Mirrored<'_>> {
        let from = (self.source, self.source_dir);
        Mirrored::of(self.snapshot, from, &self.entries, &self.target_dir, &self.rules_dir)
    }

    /// Returns the links that the target's directory may be asked for by name in the place of a listing: there is one
    /// for each of the package's entries, and who asks wants to know of no others.
    pub fn links(&self) -> Option<Entries> {
        if self.texts != Texts::None || !is_worth_asking(self.request, &self.entries, &Entries::default()) {
            return None;
        }
        Some(self.mirrored()?.links()).filter(|links| links.len() == self.entries.len())
    }

    /// Returns all that is known now that the target's directory was found to have just these links under their names, and
    /// no marker.
    pub fn with_links(self, links: Entries) -> Fact {
        let there = Arc::new(links.only_some(&super::MARKERS));
        self.facts(Fact::Listing(there.clone()), Some(Mirror::Alone(there)))
    }

    /// Returns the names that the target's directory, if it is large, may be asked for.
    pub fn names(&self) -> Vec<Name> {
        let names = self.entries.names().map(|name| self.request.policy.naming.target_name(&name));
        names.chain(super::MARKERS.iter().filter_map(|marker| Name::new(marker))).collect()
    }

    /// Returns all that is known now that the target's directory was read ([`Fact::Listing`]), or found to be large
    /// ([`Fact::Large`]) and asked for [`names`](Self::names) ([`Fact::Names`]); `differ` tells of the name of two files,
    /// one in each directory, whether they are seen to differ at first sight.
    pub fn with(self, there: Fact, differ: impl Fn(&Name) -> bool) -> Fact {
        let Fact::Listing(there) = there else { return self.facts(there, None) };
        let is_known = !there.may_have_dirs() && !there.has_unread_links();
        let mirrored =
            self.mirrored().filter(|_| is_known && is_worth_asking(self.request, &self.entries, &there));
        let Some(mirrored) = mirrored else { return self.facts(Fact::Listing(there), None) };
        let mirror = match mirrored.among(Some(&there)) {
            // The names are kept once for both.
            Mirror::Alone(all) if Arc::ptr_eq(&all, &there) => Mirror::Alone(Arc::new(mirrored.links())),
            Mirror::Among { there, all, mut taken } if self.request.policy.on_file == OnFile::MergeEqual => {
                for it in &mut taken {
                    let are_files = it.node == Node::File && it.there == Some(Node::File);
                    it.differs = are_files && differ(&it.name);
                }
                Mirror::Among { there, all, taken }
            }
            mirror => mirror,
        };
        let there = match &mirror {
            Mirror::Alone(all) if !there.is_empty() => all.clone(),
            _ => there,
        };
        self.facts(Fact::Listing(there), Some(mirror))
    }

    fn facts(self, there: Fact, mirror: Option<Mirror>) -> Fact {
        let Pair { dir, source, source_dir, texts, entries, target_dir, rules_dir, .. } = self;
        let mut facts = Vec::with_capacity(3);
        match there {
            names @ Fact::Names(_) => {
                facts.push((Need::Start { dir, texts }, Fact::Large));
                facts.push((Need::Names { dir, source, source_dir, texts }, names));
            }
            there => facts.push((Need::Start { dir, texts }, there)),
        }
        let listing = Need::Listing { side: Side::Source(source), dir: source_dir, texts: Texts::All };
        facts.push((listing, Fact::Listing(entries)));
        if let Some(mirror) = mirror {
            let need = Need::Mirror { source, dir: source_dir, target_dir, rules_dir };
            facts.push((need, Fact::Mirror(Some(mirror))));
        }
        Fact::Many(facts)
    }
}
