//! The workloads: what lies in the packages, what in the target, and what is asked of it. Every run makes the same.

mod dotfiles;
mod layout;

use crate::floor::Act;

pub use layout::Layout;

/// A farm and the operations that are timed on it.
pub struct Workload {
    pub id: &'static str,
    pub what: &'static str,
    pub layout: Layout,
    pub operations: Vec<Operation>,
    /// How many rounds there are for one of a large workload: more where a run takes a millisecond.
    pub patience: usize,
}

/// One command, from a state of the target to another.
#[derive(Clone, Copy)]
pub struct Operation {
    pub name: &'static str,
    pub verb: Verb,
    pub manner: Manner,
    pub from: Held,
    pub to: Held,
    /// What the floor does for it.
    pub floor: Act,
    /// Whose ways of saying it are timed.
    pub ways: Ways,
    pub goal: Option<Goal>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Link,
    Relink,
    Unlink,
    /// Says what is in the way, and does nothing.
    Plan,
}

/// What is said beside the verb.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Plain,
    NoFold,
    /// With an ignore pattern that matches nothing.
    Pattern,
}

/// What the target holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// What was there before any package.
    Bare,
    /// The links of all packages.
    All,
    /// Those, and the links of one package more.
    More,
    /// Something else, so it has to be made anew.
    Rest,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ways {
    Both,
    DropIn,
    Native,
}

/// What farm has to reach.
#[derive(Clone, Copy)]
pub struct Goal {
    /// At most so many times the floor's time.
    pub floor: f64,
    /// stow takes at least so many times as long; nothing where it does something else.
    pub stow: Option<f64>,
}

impl Operation {
    const fn new(verb: Verb, from: Held, to: Held, floor: Act) -> Operation {
        let name = match verb {
            Verb::Link => "link",
            Verb::Relink => "relink",
            Verb::Unlink => "unlink",
            Verb::Plan => "plan",
        };
        let manner = Manner::Plain;
        Operation { name, verb, manner, from, to, floor, ways: Ways::Both, goal: None }
    }

    /// Links all packages.
    pub const LINK: Operation = Operation::new(Verb::Link, Held::Bare, Held::All, Act::Link);
    /// Links what is linked already: what finding out that nothing is to be done takes.
    const AGAIN: Operation =
        Operation { name: "link again", ..Operation::new(Verb::Link, Held::All, Held::All, Act::Check) };
    /// Does that, and looks for links whose file is gone, as `stow -R` does; so does the floor.
    const RELINK: Operation = Operation::new(Verb::Relink, Held::All, Held::All, Act::CheckSweep);
    const UNLINK: Operation = Operation::new(Verb::Unlink, Held::All, Held::Bare, Act::Unlink);

    const fn goal(self, floor: f64, stow: f64) -> Operation {
        Operation { goal: Some(Goal { floor, stow: Some(stow) }), ..self }
    }

    /// Returns whether it is about the package that is not among all.
    pub fn is_of_one(&self) -> bool {
        self.from == Held::More || self.to == Held::More
    }
}

/// Returns all workloads, and those that are larger or smaller to show how time grows.
pub fn all() -> Vec<Workload> {
    vec![
        Workload {
            id: "W1",
            what: "nine dotfiles packages, 60 files, a home with `.config`",
            layout: Layout::Dotfiles,
            operations: vec![
                Operation::LINK.goal(1.7, 18.0),
                Operation::AGAIN.goal(1.7, 18.0),
                Operation::RELINK.goal(1.7, 18.0),
                Operation::UNLINK.goal(2.0, 15.0),
            ],
            patience: 3,
        },
        directories("W2", "one package, 1,000 directories of 100 files, which exist in the target", 1_000),
        Workload {
            id: "W3",
            what: "the same into an empty target with `--no-fold`",
            layout: Layout::Directories { dirs: 1_000, target: layout::Before::Nothing },
            operations: vec![
                Operation {
                    manner: Manner::NoFold,
                    floor: Act::LinkNoFold,
                    ..Operation::LINK.goal(1.15, 9.0)
                },
                Operation { manner: Manner::NoFold, ..Operation::AGAIN.goal(1.2, 35.0) },
                Operation { manner: Manner::NoFold, ..Operation::RELINK.goal(1.2, 35.0) },
                // The directories stay.
                Operation { manner: Manner::NoFold, to: Held::Rest, ..Operation::UNLINK.goal(2.5, 4.0) },
            ],
            patience: 1,
        },
        prefix("W4", "1,000 packages of 50 files that share bin, lib, share/man …", 1_000),
        Workload {
            id: "W5",
            what: "500,000 files that fold into one link",
            layout: Layout::Deep { dirs: 5_000 },
            operations: vec![
                Operation::LINK.goal(1.7, 18.0),
                Operation {
                    name: "link, pattern, native",
                    manner: Manner::Pattern,
                    ways: Ways::Native,
                    floor: Act::WalkLink,
                    // stow tries a pattern on the names that it meets, and meets one: that is other work.
                    goal: Some(Goal { floor: 1.3, stow: None }),
                    ..Operation::LINK
                },
                Operation {
                    name: "link, pattern, drop-in",
                    manner: Manner::Pattern,
                    ways: Ways::DropIn,
                    ..Operation::LINK.goal(1.7, 18.0)
                },
            ],
            patience: 3,
        },
        Workload {
            id: "W6",
            what: "W2 with 1,000 real files in the way",
            layout: Layout::Directories { dirs: 1_000, target: layout::Before::Conflicts },
            operations: vec![Operation::new(Verb::Plan, Held::Bare, Held::Bare, Act::Plan).goal(1.5, 100.0)],
            patience: 1,
        },
    ]
}

/// Returns what the models of most programs fit.
pub fn peers() -> Vec<Workload> {
    let mut fitting = all();
    fitting.retain(|workload| matches!(workload.id, "W1" | "W2"));
    for workload in &mut fitting {
        workload.operations.retain(|operation| operation.verb == Verb::Link);
        workload.operations.iter_mut().for_each(|operation| operation.goal = None);
    }
    fitting
}

/// Returns W2 and W4 in other sizes, to show how time grows.
pub fn growth() -> Vec<Workload> {
    let mut sizes = vec![
        directories("W2-10k", "W2 with 10,000 links", 100),
        directories("W2-100k", "W2 with 100,000 links", 1_000),
        directories("W2-1M", "W2 with 1,000,000 links", 10_000),
        prefix("W4-100", "W4 with 100 packages", 100),
        prefix("W4-1k", "W4 with 1,000 packages", 1_000),
        prefix("W4-10k", "W4 with 10,000 packages", 10_000),
    ];
    for workload in &mut sizes {
        if let Layout::Prefix { .. } = workload.layout {
            // What all packages share is gone through once for all of them, not once for each.
            workload.operations.push(Operation { name: "relink all", ..Operation::RELINK });
        }
        workload.operations.iter_mut().for_each(|operation| operation.goal = None);
    }
    sizes
}

fn directories(id: &'static str, what: &'static str, dirs: usize) -> Workload {
    Workload {
        id,
        what,
        layout: Layout::Directories { dirs, target: layout::Before::Directories },
        operations: vec![
            Operation::LINK.goal(1.15, 9.0),
            Operation::AGAIN.goal(1.2, 35.0),
            Operation::RELINK.goal(1.2, 35.0),
            Operation::UNLINK.goal(2.5, 4.0),
        ],
        patience: 1,
    }
}

fn prefix(id: &'static str, what: &'static str, packages: usize) -> Workload {
    let unlink = Operation { from: Held::More, to: Held::All, ..Operation::UNLINK };
    Workload {
        id,
        what,
        layout: Layout::Prefix { packages },
        operations: vec![
            Operation { name: "link all", ..Operation::LINK.goal(1.3, 6.0) },
            Operation {
                name: "link one more",
                from: Held::All,
                to: Held::More,
                ..Operation::LINK.goal(1.7, 22.0)
            },
            Operation { name: "unlink one, native", ways: Ways::Native, ..unlink.goal(2.0, 200.0) },
            Operation {
                name: "unlink one, drop-in",
                ways: Ways::DropIn,
                floor: Act::UnlinkSweep,
                ..unlink.goal(1.2, 6.0)
            },
        ],
        patience: 1,
    }
}
