//! How long planning takes when nothing has to be read: farms of 1,000 to 1,000,000 nodes that are only in memory.
//!
//! A package has directories of 99 files, ten directories in each. The target has the directories, so there is one
//! link a file. `cargo bench --bench plan` runs all, `-- /1k` the smallest, `-- rules` what ignore lists cost.
//! With `$FARM_NODES` there is one run of a farm of that size instead, and its memory.

mod large;
mod rules;
mod world;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use farm::{Action, Fates, Plan, RelPath};

use world::{NODES_PER_DIR, World, file, request};

const SIZES: [(&str, usize); 4] = [("1k", 1_000), ("10k", 10_000), ("100k", 100_000), ("1M", 1_000_000)];

fn main() {
    if let Some(nodes) = std::env::var("FARM_NODES").ok().and_then(|nodes| nodes.parse().ok()) {
        return large::measure(nodes);
    }
    let mut criterion = Criterion::default()
        .configure_from_args()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    for (label, nodes) in SIZES {
        size(&mut criterion, label, nodes);
    }
    rules::measure(&mut criterion);
    criterion.final_summary();
}

/// Measures one size: three requests, and the difference of two trees that differ everywhere or in one place.
fn size(criterion: &mut Criterion, label: &str, nodes: usize) {
    let mut group = criterion.benchmark_group("farm");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(nodes as u64));

    let unlinked = World::unlinked(nodes);
    let (before, linked) = unlinked.know(&request(Action::Link));
    let links = linked.plan.ops.len();
    assert_eq!(links, nodes - nodes / NODES_PER_DIR, "one link a file");
    group.bench_function(BenchmarkId::new("link", label), |bencher| {
        bencher.iter_with_large_drop(|| unlinked.know(&request(Action::Link)));
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

    let there = World { target: linked.after, ..unlinked };
    let (_, nothing) = there.know(&request(Action::Link));
    assert!(nothing.plan.is_empty(), "what is linked needs nothing");
    group.bench_function(BenchmarkId::new("link again", label), |bencher| {
        bencher.iter_with_large_drop(|| there.know(&request(Action::Link)));
    });
    let (_, gone) = there.know(&request(Action::Unlink));
    assert_eq!(gone.plan.ops.len(), links);
    group.bench_function(BenchmarkId::new("unlink", label), |bencher| {
        bencher.iter_with_large_drop(|| there.know(&request(Action::Unlink)));
    });
    group.finish();
}
