//! A farm that is larger than this machine's disk, planned once, with the memory that it takes.

use std::time::Instant;

use farm::{Action, Fates, Plan};
use nix::sys::resource::{UsageWho, getrusage};

use crate::world::{NODES_PER_DIR, World, request};

/// Plans to link, to link again and to unlink a package of `nodes` nodes, and prints a Markdown table.
pub fn measure(nodes: usize) {
    println!("| {nodes} nodes | time | a node | peak memory so far |\n|---|--:|--:|--:|");
    let row = |what: &str, start: Instant| {
        let (took, peak) = (start.elapsed().as_secs_f64(), peak());
        let (each, bytes) = (took * 1e9 / nodes as f64, peak / nodes as f64);
        println!("| {what} | {took:.2} s | {each:.0} ns | {:.2} GB, {bytes:.0} bytes a node |", peak / 1e9);
    };

    let start = Instant::now();
    let mut world = World::unlinked(nodes);
    row("make the trees", start);

    let start = Instant::now();
    let (before, linked) = world.know(&request(Action::Link));
    row("link", start);
    assert_eq!(linked.plan.ops.len(), nodes - nodes / NODES_PER_DIR, "one link a file");

    let start = Instant::now();
    drop(Plan::between(&before.target, &linked.after, &Fates::new()));
    row("difference of the target and the linked one", start);

    world.target = linked.after;
    drop((before, linked.plan));
    let start = Instant::now();
    let (_, nothing) = world.know(&request(Action::Link));
    row("link again", start);
    assert!(nothing.plan.is_empty(), "what is linked needs nothing");

    let start = Instant::now();
    drop(world.know(&request(Action::Unlink)));
    row("unlink", start);
}

/// Returns the largest resident size so far, in bytes.
fn peak() -> f64 {
    let unit = if cfg!(target_os = "macos") { 1.0 } else { 1024.0 };
    getrusage(UsageWho::RUSAGE_SELF).map_or(f64::NAN, |usage| usage.max_rss() as f64 * unit)
}
