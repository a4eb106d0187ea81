//! A package and a target that are only in memory, and what is asked of them.

use std::convert::Infallible;
use std::hint::black_box;

use farm::{
    Action, DirId, Fact, Leads, Mount, Name, Need, Node, Pair, Planned, Policy, RelPath, Request, Route,
    Rules, Side, Snapshot, Step, Tree, plan,
};

/// How many directories lie in a directory, and how many nodes there are for each directory.
const FANOUT: usize = 10;
pub const NODES_PER_DIR: usize = 100;

/// A package and a target, all of both: what a disk is to farm.
pub struct World {
    pub package: Tree,
    pub target: Tree,
    pub rules: Rules,
}

impl World {
    /// Returns a package of `nodes` nodes, and a target with the directories of it.
    pub fn unlinked(nodes: usize) -> World {
        World {
            package: tree(nodes, Content::Files),
            target: tree(nodes, Content::Directories),
            rules: Rules::All,
        }
    }

    /// Plans, answering what is asked out of memory; returns what was known in the end.
    pub fn know(&self, request: &Request) -> (Snapshot, Planned) {
        let mut snapshot = Snapshot::unread();
        loop {
            match plan(black_box(request), &snapshot) {
                Ok(planned) => return (snapshot, planned),
                Err(needs) => {
                    let answer = |snapshot: &Snapshot, needs: Vec<Need>| {
                        let facts = needs.into_iter().map(|need| self.fact(snapshot, request, need));
                        Ok::<_, Infallible>(facts.collect())
                    };
                    let Ok(()) = snapshot.learn(request.policy.naming, needs.into_iter().collect(), answer);
                }
            }
        }
    }

    fn fact(&self, snapshot: &Snapshot, request: &Request, need: Need) -> (Need, Fact) {
        let fact = match &need {
            Need::Package { .. } => Fact::Package(self.rules.clone()),
            Need::Listing { side, dir, .. } => {
                let here = match side {
                    Side::Target => &self.target,
                    Side::Source(_) => &self.package,
                };
                let dir =
                    here.find(&snapshot.tree(*side).path(*dir)).expect("only what is there is asked for");
                let entries = here.entries(dir).expect("all is in memory");
                Fact::Listing(entries.clone().into())
            }
            Need::Start { dir, .. } => {
                let dir =
                    self.target.find(&snapshot.target.path(*dir)).expect("only what is there is asked for");
                Fact::Listing(self.target.entries(dir).expect("all is in memory").clone().into())
            }
            &Need::Pair { dir, source, source_dir, texts } => {
                let here = Need::Listing { side: Side::Source(source), dir: source_dir, texts };
                let (_, Fact::Listing(entries)) = self.fact(snapshot, request, here) else {
                    panic!("a listing")
                };
                let (_, there) = self.fact(snapshot, request, Need::Start { dir, texts });
                Pair::new(snapshot, request, &need, entries).expect("it is one").with(there, |_| true)
            }
            Need::Mirror { source, dir, target_dir, rules_dir } => {
                snapshot.make_mirror(*source, *dir, target_dir, rules_dir)
            }
            Need::Leads { .. } => Fact::Leads(Leads::Other),
            Need::Marked(_) => Fact::Holds(false),
            Need::Present(_) => Fact::Holds(true),
            other => panic!("a farm of one package does not depend on {other:?}"),
        };
        (need, fact)
    }
}

/// What is in the directories of a tree.
#[derive(PartialEq, Eq)]
enum Content {
    Files,
    Directories,
}

/// Returns a tree of `nodes` nodes, or only the directories of it.
fn tree(nodes: usize, content: Content) -> Tree {
    let mut tree = Tree::empty();
    let mut dirs: Vec<DirId> = vec![tree.find(&RelPath::root()).expect("a tree has a root")];
    // The root counts as a node, for it takes a directory's files.
    for number in 1..nodes / NODES_PER_DIR {
        let parent = dirs[(number - 1) / FANOUT];
        dirs.push(tree.make_dir(parent, &name(&format!("directory-{number}"))));
    }
    if content == Content::Files {
        for dir in dirs {
            (1..NODES_PER_DIR).for_each(|number| tree.set(dir, file(number - 1), Node::File));
        }
    }
    tree
}

pub fn file(number: usize) -> Name {
    name(&format!("file-{number:02}.conf"))
}

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).expect("one segment")
}

fn path(bytes: &[u8]) -> RelPath {
    RelPath::new(bytes).expect("a path below the root")
}

/// Returns the wish to link or to unlink the package.
pub fn request(action: Action) -> Request {
    Request {
        former: None,
        root: b"/home".to_vec(),
        stow_dir: Route::below_root(path(b"s")),
        steps: vec![Step::new(action, path(b"p"), Mount::Into(RelPath::root()))],
        others: Default::default(),
        earlier: None,
        rendered: None,
        policy: Policy::stow(),
    }
}
