//! How long planning takes when nothing has to be read: farms of 1,000 to 1,000,000 nodes that are only in memory.
//!
//! A package has directories of 99 files, ten directories in each. The target has the directories, so there is one
//! link a file. `cargo bench --bench plan` runs all, `cargo bench --bench plan -- /1k` the smallest.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use farm::{
    Action, DirId, Fact, Fates, Leads, Mount, Name, Need, Node, Plan, Planned, Policy, RelPath, Request,
    Route, Rules, Side, Snapshot, Step, Tree, plan,
};

const SIZES: [(&str, usize); 4] = [("1k", 1_000), ("10k", 10_000), ("100k", 100_000), ("1M", 1_000_000)];

/// How many directories lie in a directory, and how many nodes there are for each directory.
const FANOUT: usize = 10;
const NODES_PER_DIR: usize = 100;

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    for (label, nodes) in SIZES {
        size(&mut criterion, label, nodes);
    }
    criterion.final_summary();
}

/// Measures one size: three requests, and the difference of two trees that differ everywhere or in one place.
fn size(criterion: &mut Criterion, label: &str, nodes: usize) {
    let mut group = criterion.benchmark_group("farm");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(nodes as u64));

    let unlinked = World { package: tree(nodes, true), target: tree(nodes, false) };
    let (before, linked) = unlinked.know(&request(Action::Link));
    let links = linked.plan.ops.len();
    assert_eq!(links, nodes - nodes / NODES_PER_DIR, "one link a file");
    group.bench_function(BenchmarkId::new("link", label), |bencher| {
        bencher.iter(|| run(&request(Action::Link), &before));
    });
    group.bench_function(BenchmarkId::new("diff everything", label), |bencher| {
        bencher.iter(|| Plan::between(black_box(&before.target), black_box(&linked.after), &Fates::new()));
    });
    let mut changed = linked.after.clone();
    let top = changed.find(&RelPath::root()).expect("a tree has a root");
    changed.remove(top, &file(0));
    group.bench_function(BenchmarkId::new("diff one node", label), |bencher| {
        bencher.iter(|| Plan::between(black_box(&linked.after), black_box(&changed), &Fates::new()));
    });

    let there = World { package: unlinked.package, target: linked.after };
    let (before, nothing) = there.know(&request(Action::Link));
    assert!(nothing.plan.is_empty(), "what is linked needs nothing");
    group.bench_function(BenchmarkId::new("link again", label), |bencher| {
        bencher.iter(|| run(&request(Action::Link), &before));
    });
    let (before, gone) = there.know(&request(Action::Unlink));
    assert_eq!(gone.plan.ops.len(), links);
    group.bench_function(BenchmarkId::new("unlink", label), |bencher| {
        bencher.iter(|| run(&request(Action::Unlink), &before));
    });
    group.finish();
}

fn run(request: &Request, snapshot: &Snapshot) -> Planned {
    plan(black_box(request), black_box(snapshot)).unwrap_or_else(|_| panic!("all is known"))
}

fn request(action: Action) -> Request {
    Request {
        root: b"/home".to_vec(),
        stow_dir: Route::below_root(path(b"s")),
        steps: vec![Step::new(action, path(b"p"), Mount::Into(RelPath::root()))],
        others: Default::default(),
        earlier: None,
        rendered: None,
        policy: Policy::stow(),
    }
}

/// A package and a target, all of both: what a disk is to farm.
struct World {
    package: Tree,
    target: Tree,
}

impl World {
    /// Plans, answering what is asked; returns what was known in the end.
    fn know(&self, request: &Request) -> (Snapshot, Planned) {
        let mut snapshot = Snapshot::unread();
        loop {
            match plan(request, &snapshot) {
                Ok(planned) => return (snapshot, planned),
                Err(needs) => {
                    for need in needs {
                        let fact = self.fact(&snapshot, &need);
                        snapshot.answer(need, fact);
                    }
                }
            }
        }
    }

    fn fact(&self, snapshot: &Snapshot, need: &Need) -> Fact {
        match need {
            Need::Package { .. } => Fact::Package(Rules::All),
            Need::Listing { side, dir, .. } => {
                let here = match side {
                    Side::Target => &self.target,
                    Side::Source(_) => &self.package,
                };
                let dir =
                    here.find(&snapshot.tree(*side).path(*dir)).expect("only what is there is asked for");
                let entries = here.entries(dir).expect("all is in memory");
                Fact::Listing(entries.clone())
            }
            Need::Leads { .. } => Fact::Leads(Leads::Other),
            Need::Marked(_) => Fact::Holds(false),
            Need::Present(_) => Fact::Holds(true),
            other => panic!("a farm of one package does not depend on {other:?}"),
        }
    }
}

/// Returns a tree of `nodes` nodes, or only the directories of it.
fn tree(nodes: usize, with_files: bool) -> Tree {
    let mut tree = Tree::empty();
    let mut dirs: Vec<DirId> = vec![tree.find(&RelPath::root()).expect("a tree has a root")];
    // The root counts as a node, for it takes a directory's files.
    for number in 1..nodes / NODES_PER_DIR {
        let parent = dirs[(number - 1) / FANOUT];
        dirs.push(tree.make_dir(parent, &name(&format!("directory-{number}"))));
    }
    if with_files {
        for dir in dirs {
            (1..NODES_PER_DIR).for_each(|number| tree.set(dir, file(number - 1), Node::File));
        }
    }
    tree
}

fn file(number: usize) -> Name {
    name(&format!("file-{number:02}.conf"))
}

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).expect("one segment")
}

fn path(bytes: &[u8]) -> RelPath {
    RelPath::new(bytes).expect("a path below the root")
}
