//! Reads a call's arguments as far as the harness must understand them: which steps are asked for, how loudly.
//!
//! It knows the spellings that the generator uses, and says `None` to all others.

use super::scenario::{Call, Node, Tree};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Stow,
    Unstow,
    Restow,
}

/// A command line taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Everything but modes, packages, `-n` and `-v`.
    pub options: Vec<String>,
    pub steps: Vec<(Option<Mode>, String)>,
    pub simulate: bool,
    pub verbosity: usize,
}

impl Request {
    pub fn read(args: &[String]) -> Option<Self> {
        let mut request = Self::default();
        let mut mode = None;
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "-S" | "--stow" => mode = Some(Mode::Stow),
                "-D" | "--delete" => mode = Some(Mode::Unstow),
                "-R" | "--restow" => mode = Some(Mode::Restow),
                "-n" | "--no" | "--simulate" => request.simulate = true,
                "-v" | "--verbose" => request.verbosity += 1,
                "-d" | "-t" => {
                    request.options.push(arg.clone());
                    request.options.push(args.next()?.clone());
                }
                "-p" | "--compat" | "--adopt" | "--no-folding" | "--dotfiles" => {
                    request.options.push(arg.clone())
                }
                _ => {
                    if let Some(level) = arg.strip_prefix("--verbose=") {
                        request.verbosity = level.parse().ok()?;
                    } else if ["--dir=", "--target=", "--ignore=", "--defer=", "--override="]
                        .iter()
                        .any(|option| arg.starts_with(option))
                    {
                        request.options.push(arg.clone());
                    } else if arg.starts_with('-') || arg.is_empty() {
                        return None;
                    } else {
                        request.steps.push((mode, arg.clone()));
                    }
                }
            }
        }
        Some(request)
    }

    /// The same work, one step a call: all unstowing first, then all stowing, as GNU Stow orders it.
    pub fn one_by_one(&self, call: &Call) -> Vec<Call> {
        let single = |flag: &str, package: &String| {
            let mut args = self.options.clone();
            args.extend([flag.to_owned(), package.clone()]);
            Call { args, ..call.clone() }
        };
        let unstow = |(mode, _): &&(Option<Mode>, String)| matches!(mode, Some(Mode::Unstow | Mode::Restow));
        let stow = |(mode, _): &&(Option<Mode>, String)| *mode != Some(Mode::Unstow);
        let first = self.steps.iter().filter(unstow).map(|(_, package)| single("-D", package));
        let then = self.steps.iter().filter(stow).map(|(_, package)| single("-S", package));
        first.chain(then).collect()
    }
}

/// The words of the `.stowrc` files that a call reads.
pub fn rc_words(call: &Call, tree: &Tree) -> Vec<String> {
    let here = match call.cwd.as_str() {
        "." => ".stowrc".to_owned(),
        dir => format!("{dir}/.stowrc"),
    };
    [".stowrc", &here]
        .into_iter()
        .filter_map(|path| match tree.get(path) {
            Some(Node::File { text, .. }) => Some(text.split_whitespace().map(str::to_owned)),
            _ => None,
        })
        .flatten()
        .collect()
}

/// How many of the options of a call and its `.stowrc` files are `option`.
pub fn asks_for(call: &Call, tree: &Tree, option: &str) -> bool {
    rc_words(call, tree).iter().chain(&call.args).any(|word| word == option)
}

/// The verbosity of a call; the command line wins over `.stowrc`.
pub fn verbosity(call: &Call, tree: &Tree) -> usize {
    let loud = |args: &[String]| -> usize {
        args.iter()
            .take_while(|arg| *arg != "--")
            .map(|arg| match arg.strip_prefix("--verbose=") {
                Some(level) => level.parse().unwrap_or(0),
                None if arg == "--verbose" => 1,
                // Bundles of short options: -nv, -vv.
                None if arg.starts_with('-') && arg[1..].chars().all(|c| "nvpSDR".contains(c)) => {
                    arg.matches('v').count()
                }
                None => 0,
            })
            .sum()
    };
    match loud(&call.args) {
        0 => loud(&rc_words(call, tree)),
        level => level,
    }
}
