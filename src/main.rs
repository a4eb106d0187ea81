//! The `farm` program.
fn main() {}
