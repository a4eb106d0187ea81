//! A GNU Stow compatible symlink farm engine.
#![forbid(unsafe_code)]
#![deny(missing_docs, clippy::print_stdout, clippy::print_stderr)]

pub mod error;
pub mod execute;
pub mod farm;
pub mod op;
pub mod package;
pub mod path;
pub mod plan;
pub mod policy;
pub mod rulebook;
pub mod rules;
pub mod scan;
pub mod snapshot;
pub mod sys;
pub mod tree;
