//! A GNU Stow compatible symlink farm engine.
#![forbid(unsafe_code)]
#![deny(missing_docs, clippy::print_stdout, clippy::print_stderr)]

pub mod rules;
