//! Counts what the scenarios reached, so that a quiet generator is noticed.

use super::known::Known;
use super::ops;
use super::request::verbosity;
use super::scenario::{Call, Node, Outcome, Tree};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Stats {
    pub scenarios: usize,
    pub calls: usize,
    counts: BTreeMap<String, usize>,
    known: BTreeMap<Known, usize>,
}

impl Stats {
    pub fn known(&mut self, known: Known) {
        *self.known.entry(known).or_default() += 1;
    }

    pub fn call(&mut self, call: &Call, before: &Tree, outcome: &Outcome, after: &Tree) {
        self.calls += 1;
        for feature in features(call, before, outcome, after) {
            *self.counts.entry(feature).or_default() += 1;
        }
    }

    pub fn add(&mut self, other: Self) {
        self.scenarios += other.scenarios;
        self.calls += other.calls;
        for (feature, count) in other.counts {
            *self.counts.entry(feature).or_default() += count;
        }
        for (known, count) in other.known {
            *self.known.entry(known).or_default() += count;
        }
    }
}

impl std::fmt::Display for Stats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} scenarios, {} calls", self.scenarios, self.calls)?;
        for (feature, count) in &self.counts {
            let share = 100.0 * *count as f64 / self.calls.max(1) as f64;
            writeln!(f, "  {count:7} {share:5.1} %  {feature}")?;
        }
        for (known, count) in &self.known {
            writeln!(f, "  {count:7} known: {known}")?;
        }
        Ok(())
    }
}

/// What is remarkable about a call: its options, how it ended, what it did to the tree, the kinds of messages.
pub fn features(call: &Call, before: &Tree, outcome: &Outcome, after: &Tree) -> BTreeSet<String> {
    let mut features = BTreeSet::new();
    features.insert(format!("exit {}", outcome.status));
    for arg in &call.args {
        if arg.starts_with('-') {
            features.insert(format!("option {}", arg.split_once('=').map_or(arg.as_str(), |(name, _)| name)));
        }
    }
    for (name, _) in &call.env {
        features.insert(format!("option ${name}"));
    }
    for (path, node) in after {
        match (before.get(path), node) {
            (Some(Node::Link(_)), Node::Dir) => features.insert("event unfold".to_owned()),
            (Some(Node::Dir), Node::Link(_)) => features.insert("event refold".to_owned()),
            (Some(Node::File { .. }), Node::Link(_)) => features.insert("event adopt".to_owned()),
            (Some(Node::Link(was)), Node::Link(is)) if was != is => {
                features.insert("event relink".to_owned())
            }
            (None, Node::Link(_)) => features.insert("event link".to_owned()),
            (None, Node::Dir) => features.insert("event mkdir".to_owned()),
            _ => false,
        };
    }
    if before.iter().any(|(path, node)| matches!(node, Node::Link(_)) && !after.contains_key(path)) {
        features.insert("event unlink".to_owned());
    }
    for line in &outcome.err {
        if !ops::is_op(line) && verbosity(call, before) < 2 {
            features.insert(format!("text {}", shape(line)));
        }
    }
    features
}

/// A message without the names in it.
fn shape(line: &str) -> String {
    let is_name = |word: &str| {
        word.contains('/')
            || word.starts_with(['.', 'p']) && word.len() == 2
            || word.len() == 1 && word != "*"
    };
    let is_word = |word: &&str| {
        let word = word.trim_end_matches([':', ',', '.', '!']);
        !is_name(word) && word.chars().all(|c| c.is_ascii_alphabetic() || c == '*')
    };
    line.split_whitespace().filter(is_word).collect::<Vec<_>>().join(" ")
}
