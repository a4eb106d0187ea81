//! What is said while something long is done.

/// Returns what is said while a plan is made.
pub fn reading(_: &str) -> String {
    "reading and planning".to_owned()
}

/// Returns what says how many of `all` changes are done.
pub fn doing(all: usize) -> impl Fn(&str) -> String {
    let all = indicatif::HumanCount(all as u64).to_string();
    move |done| format!("{done} of {all} changes")
}
