//! The planner: a request and what is known of the farm in, a plan or every conflict out. A pure function.
//!
//! The steps edit a copy of the target's tree one after the other, all unlinking before all linking, and the plan
//! is the difference between the first and the last state ([`Plan::between`]): what one step does and another
//! takes back never becomes an operation. Where the snapshot is silent the planner notes a [`Need`] and goes on,
//! so that one round asks for as much as possible.

mod adopt;
mod conflict;
mod earlier;
mod eject;
mod link;
mod mount;
mod owner;
mod refold;
mod strategy;
#[cfg(test)]
mod tests;
mod transfer;
mod unlink;
mod vacant;
mod way;
mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::op::{Fates, Files, Plan};
use crate::package::{Action, Request, Step};
use crate::path::{LinkText, Name, RelPath, Route};
use crate::policy::{Fold, Guarded, OnConflict, OnFile, Refold};
use crate::rendered::Stored;
use crate::rules::Candidate;
use crate::snapshot::{Mirror, Need, Side, Snapshot, SourceId, is_worth_asking};
use crate::tree::{DirId, Entries, Leads, Node, Texts, Tree};

pub use conflict::{Compared, Conflict, Notice, Obstacle, Reason};
pub use transfer::{Direction, InPackage, Objection, Refused, Transfer, Transferred, transfer};
pub use vacant::Vacant;

/// What planning a request came to.
#[derive(Clone)]
pub struct Planned {
    /// What to do; nothing when there are conflicts and the policy is to stop.
    pub plan: Plan,
    /// The target as it will be.
    pub after: Tree,
    /// The packages that conflicts hold back.
    pub held_back: Vec<RelPath>,
    /// All that stands in the way, in the order in which the planner met it.
    pub conflicts: Vec<Conflict>,
    /// What is in the way and was left there, as the policy has it.
    pub skipped: Vec<Conflict>,
    /// What was left out on purpose.
    pub notices: Vec<Notice>,
    /// The links that the steps have in the end, made or found, when the request says what earlier runs made.
    pub links: BTreeMap<RelPath, LinkText>,
    /// The files that the steps have in the end, with what farm wrote there, when the request says that.
    pub files: BTreeMap<RelPath, Stored>,
    /// The packages in which there is nothing to link.
    pub vacant: Vec<Vacant>,
}

/// Plans `request` on what `snapshot` knows.
///
/// # Errors
/// What the plan depends on and the snapshot does not know, at least one need; answered, planning can go on.
pub fn plan(request: &Request, snapshot: &Snapshot) -> Result<Planned, BTreeSet<Need>> {
    let mut request = request.clone();
    let mut conflicts = Vec::new();
    let mut held_back = Vec::new();
    let mut misled = way::Links::new();
    loop {
        let mut planner = Planner::new(&request, snapshot);
        planner.misled = misled.clone();
        planner.run();
        let Planner { tree, needs, fates, files, conflicts: found, skipped, notices, led, .. } = planner;
        let Planner { standing, standing_files, .. } = planner;
        if !needs.is_empty() {
            return Err(needs);
        }
        let to_hold: Vec<RelPath> = match request.policy.on_conflict {
            OnConflict::HoldBack => found.iter().map(|conflict| conflict.package.clone()).collect(),
            OnConflict::Stop => Vec::new(),
        };
        let is_clear = found.is_empty();
        conflicts.extend(found);
        let steps = request.steps.len();
        request.steps.retain(|step| !to_hold.contains(&step.package));
        if request.steps.len() < steps {
            held_back.extend(to_hold);
            continue;
        }
        let after = if is_clear { tree } else { snapshot.target.clone() };
        let plan = Plan::between_with(&snapshot.target, &after, &fates, &files);
        let more = way::misled(&plan, led, snapshot)?;
        if !more.is_empty() {
            misled.extend(more);
            continue;
        }
        held_back.sort();
        held_back.dedup();
        let links = earlier::left_standing(standing, &after);
        let files = write::left_standing(standing_files, &after);
        let vacant = vacant::vacant(&request, snapshot, &after);
        return Ok(Planned { plan, after, held_back, conflicts, skipped, notices, links, files, vacant });
    }
}

/// Where planning a request leads, whatever stands in the way: that stays, and the rest is planned.
pub(crate) struct Survey {
    /// What would be done.
    pub plan: Plan,
    /// What stands in the way.
    pub conflicts: Vec<Conflict>,
}

/// Plans `request` on what `snapshot` knows, conflicts or not. What comes of it is for looking at only.
///
/// # Errors
/// As [`plan`].
pub(crate) fn survey(request: &Request, snapshot: &Snapshot) -> Result<Survey, BTreeSet<Need>> {
    let mut planner = Planner::new(request, snapshot);
    planner.run();
    let Planner { tree, needs, fates, conflicts, .. } = planner;
    if !needs.is_empty() {
        return Err(needs);
    }
    Ok(Survey { plan: Plan::between(&snapshot.target, &tree, &fates), conflicts })
}

/// A directory of a package.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Src {
    id: SourceId,
    dir: DirId,
}

struct Planner<'a> {
    request: &'a Request,
    snapshot: &'a Snapshot,
    /// The target as it will be.
    tree: Tree,
    /// What becomes of what is not the farm's.
    fates: Fates,
    /// The farm's own files, as they are and as they will be.
    files: Files,
    /// Files that farm wrote and somebody has changed since.
    edited: BTreeSet<RelPath>,
    /// Where backups go.
    asides: HashSet<RelPath>,
    needs: BTreeSet<Need>,
    conflicts: Vec<Conflict>,
    skipped: Vec<Conflict>,
    notices: Vec<Notice>,
    /// The step that is being planned, where it says which directories fold.
    folding: Option<&'a Step>,
    /// The links of the steps, where that matters.
    standing: BTreeMap<RelPath, LinkText>,
    standing_files: BTreeMap<RelPath, Stored>,
    /// Directories that unlinking has visited, where folding waits for the last package.
    to_refold: Vec<DirId>,
    /// And those with the packages whose dangling links are to be removed there.
    to_tidy: BTreeMap<DirId, BTreeSet<SourceId>>,
    /// Directories in which no link dangles.
    tidied: HashSet<DirId>,
    /// Target directories that packages were mirrored into, and those that unlinking went through, where it matters.
    entered: HashSet<DirId>,
    unlinked_in: HashSet<DirId>,
    /// Whether a package's directory holds something that its rules keep out.
    hides: HashMap<Src, bool>,
    /// What the directories hold that lose all they had.
    nothing: Arc<Entries>,
    /// Links taken for right that other links lead there, and those that the plan would lead elsewhere.
    led: way::Links,
    misled: way::Links,
}

impl<'a> Planner<'a> {
    fn new(request: &'a Request, snapshot: &'a Snapshot) -> Self {
        Planner {
            request,
            snapshot,
            tree: snapshot.target.clone(),
            fates: Fates::new(),
            files: Files::default(),
            edited: BTreeSet::new(),
            asides: HashSet::new(),
            needs: BTreeSet::new(),
            conflicts: Vec::new(),
            skipped: Vec::new(),
            notices: Vec::new(),
            folding: None,
            standing: BTreeMap::new(),
            standing_files: BTreeMap::new(),
            to_refold: Vec::new(),
            to_tidy: BTreeMap::new(),
            tidied: HashSet::new(),
            entered: HashSet::new(),
            unlinked_in: HashSet::new(),
            hides: HashMap::new(),
            nothing: Arc::default(),
            led: way::Links::new(),
            misled: way::Links::new(),
        }
    }

    /// Goes through the steps, all unlinking first, whatever their order (GNU Stow's manual, "Mixing Operations").
    fn run(&mut self) {
        let of = |action| self.request.steps.iter().filter(move |s| s.action == action);
        for step in of(Action::Unlink) {
            if let Some(id) = self.package_of(step) {
                self.unlink(id, step);
            }
        }
        self.tidy_visited();
        // What is not known yet must not be planned upon: a directory might fold here that does not.
        if !self.needs.is_empty() {
            return;
        }
        if self.request.policy.refold == Refold::AfterAll {
            self.refold_visited();
        }
        if !self.needs.is_empty() {
            return;
        }
        self.clear_earlier();
        if !self.needs.is_empty() {
            return;
        }
        for step in of(Action::Link) {
            if let Some(id) = self.package_of(step) {
                self.folding = Some(step).filter(|step| step.folds.is_some());
                self.link(id, step);
                self.folding = None;
            }
        }
        self.restore();
        self.leave_edited();
    }

    fn package(&mut self, package: &RelPath) -> Option<SourceId> {
        self.package_in(&self.request.stow_dir, package)
    }

    fn package_of(&mut self, step: &Step) -> Option<SourceId> {
        self.package_in(self.request.origin(step), &step.package)
    }

    fn package_in(&mut self, stow_dir: &Route, package: &RelPath) -> Option<SourceId> {
        let id = self.snapshot.source_at(stow_dir, package);
        if id.is_none() {
            self.needs.insert(Need::Package { stow_dir: stow_dir.clone(), package: package.clone() });
        }
        id
    }

    /// Returns what a package's directory holds.
    fn source_entries(&mut self, src: Src) -> Option<&'a Entries> {
        let entries = self.snapshot.source(src.id).tree.entries(src.dir);
        if entries.is_none() {
            self.need_listing(Side::Source(src.id), src.dir, Texts::All);
        }
        entries
    }

    /// Returns the links of a package's directory in the target's directory `dir`, where all of them can be had at once:
    /// the package has only files there. The outer `None` means that nobody has looked yet.
    fn mirror(&mut self, dir: DirId, src: Src, target_dir: &RelPath) -> Option<Option<&'a Mirror>> {
        let entries = self.snapshot.source(src.id).tree.entries(src.dir);
        let (Some(entries), Some(there)) = (entries, self.tree.known_entries(dir)) else { return Some(None) };
        if !self.asides.is_empty() || !is_worth_asking(self.request, entries, there) {
            return Some(None);
        }
        let need = self.mirror_need(src, target_dir);
        let known = self.snapshot.mirror(&need);
        if there.is_partial() {
            // Only who has looked for them by name knows all of them.
            return Some(known.flatten());
        }
        if known.is_none() {
            if self.request.policy.on_file == OnFile::MergeEqual {
                // How the files that are in the way compare will be asked next.
                let source_dir = self.snapshot.source(src.id).tree.path(src.dir);
                let rules_dir = self.request.policy.rules_dir(&source_dir, target_dir);
                let files = there.common_files(entries);
                let files =
                    files.filter(|name| !self.ignored(src, &source_dir, &rules_dir, name, &Node::File));
                let needs = files.map(|name| Self::equal_need(dir, &name, src, &name));
                let needs: Vec<_> = needs.filter(|need| self.snapshot.holds(need).is_none()).collect();
                self.needs.extend(needs);
            }
            self.needs.insert(need);
        }
        known
    }

    fn equal_need(dir: DirId, name: &Name, src: Src, source_name: &Name) -> Need {
        let (name, source_name) = (name.clone(), source_name.clone());
        Need::Equal { dir, name, source: src.id, source_dir: src.dir, source_name }
    }

    fn mirror_need(&self, src: Src, target_dir: &RelPath) -> Need {
        let rules_dir =
            self.request.policy.rules_dir(&self.snapshot.source(src.id).tree.path(src.dir), target_dir);
        Need::Mirror { source: src.id, dir: src.dir, target_dir: target_dir.clone(), rules_dir }
    }

    /// Makes sure that a target directory was read; `texts` says which texts of its links will be wanted, too.
    fn target_read(&mut self, dir: DirId, texts: Texts) -> bool {
        let read = self.tree.entries(dir).is_some();
        if !read {
            self.need_listing(Side::Target, dir, texts);
        }
        read
    }

    /// Makes sure that a target directory and the package's directory that is mirrored there were both read, and
    /// returns what the package's holds.
    fn both_read(&mut self, dir: DirId, src: Src, texts: Texts) -> Option<&'a Entries> {
        let entries = self.snapshot.source(src.id).tree.entries(src.dir);
        if let Some(entries) = entries
            && let Some(there) = self.tree.known_entries(dir)
        {
            let knows = |name: Name| there.knows(self.target_name(&name).as_bytes());
            if there.knows_as(entries) || entries.names().all(knows) {
                return Some(entries);
            }
        }
        let (source, source_dir) = (src.id, src.dir);
        self.needs.insert(if self.snapshot.target.knows(dir) {
            Need::InStep { dir, source, source_dir, texts }
        } else if self.request.policy.fold == Fold::Never {
            // A directory of the plan's own, which will get all that is below.
            Need::Below { source, dir: source_dir }
        } else {
            Need::Listing { side: Side::Source(source), dir: source_dir, texts: Texts::All }
        });
        None
    }

    fn need_listing(&mut self, side: Side, dir: DirId, texts: Texts) {
        // A listing that somebody wants with texts is not asked for a second time without them.
        for others in [Texts::None, Texts::Few, Texts::All] {
            let asked = Need::Listing { side, dir, texts: others };
            if others < texts {
                self.needs.remove(&asked);
            } else if self.needs.contains(&asked) {
                return;
            }
        }
        self.needs.insert(Need::Listing { side, dir, texts });
    }

    /// Returns the text of the link `name` in the target's `dir`, which is known to be a link.
    fn text(&mut self, dir: DirId, name: &Name) -> Option<LinkText> {
        match self.tree.get(dir, name) {
            Some(Some(Node::Link(link))) if link.text.is_some() => link.text.clone(),
            _ => {
                self.needs.insert(Need::Text { dir, name: name.clone() });
                None
            }
        }
    }

    /// Returns what an entry of a package leads to, links followed.
    fn source_leads(&mut self, src: Src, name: &Name, node: &Node) -> Option<Leads> {
        match node {
            Node::Dir(_) => Some(Leads::Dir),
            Node::File | Node::Other => Some(Leads::Other),
            Node::Link(link) if link.leads != Leads::Unknown => Some(link.leads),
            Node::Link(_) => {
                let side = Side::Source(src.id);
                self.needs.insert(Need::Leads { side, dir: src.dir, name: name.clone() });
                None
            }
        }
    }

    /// Returns the directory that an entry of a package is or leads to; `Some(None)` when it is none.
    fn source_dir(&mut self, src: Src, name: &Name, node: &Node) -> Option<Option<Src>> {
        let dir = match (node, self.source_leads(src, name, node)?) {
            (Node::Dir(dir), _) => Some(*dir),
            (_, Leads::Dir) => self.snapshot.source(src.id).tree.behind(src.dir, name),
            _ => None,
        };
        Some(dir.map(|dir| Src { id: src.id, dir }))
    }

    /// Returns the name under which a package's entry appears in the target.
    fn target_name(&self, name: &Name) -> Name {
        self.request.policy.naming.target_name(name)
    }

    /// Tells whether an entry of a package is kept out by the package's rules.
    fn ignored(
        &self,
        src: Src,
        source_dir: &RelPath,
        target_dir: &RelPath,
        name: &Name,
        node: &Node,
    ) -> bool {
        self.snapshot.source(src.id).rules.ignores(&Candidate {
            source_dir,
            target_dir,
            name: name.as_bytes(),
            is_dir: matches!(node, Node::Dir(_)),
        })
    }

    /// Tells whether a target directory that was read is left alone: it belongs to others.
    fn guarded(&mut self, dir: DirId) -> bool {
        let stow_dir = &self.request.stow_dir;
        let marked = self.has_marker(dir, b".stow");
        let protected = self.has_marker(dir, b".nonstow");
        let is_stow_dir = stow_dir.up == 0 && self.tree.find(&stow_dir.down) == Some(dir);
        let guarded = marked || protected || is_stow_dir;
        if guarded && !(is_stow_dir && self.request.policy.guarded == Guarded::Refuse) {
            let path = self.tree.path(dir);
            self.notices.push(if is_stow_dir {
                Notice::StowDir(path)
            } else if marked {
                Notice::Marked(path)
            } else {
                Notice::Protected(path)
            });
        }
        guarded
    }

    /// Tells whether a target directory holds a marker; a link that leads nowhere marks nothing.
    fn has_marker(&mut self, dir: DirId, marker: &[u8]) -> bool {
        match self.tree.known_entries(dir).and_then(|entries| entries.get(marker)) {
            None => false,
            Some(Node::Link(link))
                if link.leads == Leads::Unknown && self.is_on_disk(dir, &Name::of_segment(marker)) =>
            {
                let name = Name::of_segment(marker);
                self.needs.insert(Need::Leads { side: Side::Target, dir, name });
                false
            }
            Some(Node::Link(link)) => link.leads != Leads::Nothing,
            Some(_) => true,
        }
    }

    fn conflict(&mut self, action: Action, package: SourceId, path: RelPath, reason: Reason) {
        let package = self.snapshot.source(package).package.clone();
        self.conflicts.push(Conflict { action, package, path, reason });
    }
}
