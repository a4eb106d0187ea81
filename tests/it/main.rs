//! What a user can do, each in a file of its own, as processes on temporary trees. One binary, so that it links once.

mod adopt; // files, directories and links move into a package, and back
mod all_or_nothing; // an error in the middle takes everything back
mod ansible; // the example playbook
mod ask; // on a terminal each thing in the way is asked about
mod bad_input; // every bad input gets a clear message and changes nothing
mod calls; // system calls are counted
mod check; // a whole target is looked over for links that lead to nothing
mod chkstow; // `chkstow` finds what is not as stow would have it
mod completions; // what Tab offers, in the shells themselves
mod corpus; // a real repository gets the links that GNU Stow makes
mod diff; // what links would replace
mod differences; // the documented differences from GNU Stow are real
mod differential; // farm's stow dialect does what GNU Stow 2.4 does, on thousands of random farms
mod doctor; // everything that farm needs is looked at
mod env; // what farm.toml has for new shells, in the shells themselves
mod every_key; // one manifest with every key, on three platforms and in two profiles
mod far; // what moves to another file system is there what it was
mod few; // what a system gives little of
mod generations; // every change is one, and there is a way back
mod guide; // the guide in docs shows what its commands print
mod import; // a farm.toml from Home Manager, .stowrc, directories and links
mod json; // docs/JSON.md says what `--json` prints
mod kills; // a run that is killed is taken back or finished by the next one
mod link;
mod manifest; // farm.toml: packages land where it says, and mistakes are shown where they are
mod many; // packages by the dozen that share large directories
mod mistakes; // what a manifest asks for and cannot be is told where it is
mod moved; // a dotfiles directory that has moved
mod progress; // what takes long shows how far it is
mod races; // others change the target while farm is at work
mod runs; // runs that are killed, stopped and hit by errors
mod sandbox; // a home of its own for each test
mod status; // how packages stand, and where they land
mod stowrc; // resource files give stow its options
mod strategies; // what is in the way is skipped, backed up, adopted, replaced, or asked about
mod switch; // the farm becomes what farm.toml says
mod terminal; // colour is all that a terminal gets more
mod why; // which rule makes a path a link, or keeps it from being one
