//! What `farm why` says.

use farm::{Finds, Kept, RelPath, Route};

use super::super::Exit;
use super::super::resolve::Farm;
use super::super::told::{Because, Named, There, Why};
use super::status::finding;
use super::transfer::route_shown;
use super::{Words, name, path_shown, shown, text_shown, to_stdout};

impl Words {
    /// Says that a path lies neither in the target nor in the dotfiles directory.
    pub fn why_outside(&self, farm: &Farm, route: &Route) -> Exit {
        let [path, target, dir] =
            [&farm.absolute(route), &farm.target(), &farm.dir].map(|path| shown(&path.to_string_lossy()));
        self.say_refusal(&format!("{path} is neither in the target, {target}, nor in {dir}"), &[], None);
        Exit::Refused
    }

    /// Says for each package that has something to do with a path why it is linked, or is not, and where the manifest
    /// names it by itself.
    pub fn why(&self, farm: &Farm, route: &Route, because: &[Because], named: &[Named]) {
        if self.quiet {
            return;
        }
        let path = route_shown(farm, route);
        if because.is_empty() && named.is_empty() {
            to_stdout(&format!("{path}: no package has it"));
        }
        for Because { package, why } in because {
            to_stdout(&format!("{path}: {}", reason(farm, route, package, why)));
        }
        for it in named {
            to_stdout(&format!("{path}: {}", naming(farm, route, it)));
        }
    }
}

fn naming(farm: &Farm, route: &Route, named: &Named) -> String {
    let manifest = farm.declared.as_ref().map_or_else(String::new, |it| shown(&it.path.to_string_lossy()));
    let is_here = *route == Route::below_root(named.at.clone());
    let what = if is_here { "it".to_owned() } else { path_shown(farm, &named.at) };
    let there = match &named.there {
        There::Link(text) => format!("a link to {}", text_shown(text)),
        There::Directory => "a real directory".to_owned(),
        There::File => "a file, not a link".to_owned(),
        There::Nothing => "and nothing is there: `farm switch` makes it".to_owned(),
    };
    format!("{manifest}:{} names {what}, {there}", named.line)
}

fn reason(farm: &Farm, route: &Route, package: &RelPath, why: &Why) -> String {
    let is_here = |at: &RelPath| *route == Route::below_root(at.clone());
    let package_name = name(package);
    match why {
        Why::Link { at, text } if is_here(at) => format!("a link to {}, of {package_name}", text_shown(text)),
        Why::Link { at, text } => {
            format!("linked for {package_name} by {}, a link to {}", path_shown(farm, at), text_shown(text))
        }
        Why::Directory(1) => format!("a real directory with 1 link of {package_name}"),
        Why::Directory(links) => format!("a real directory with {links} links of {package_name}"),
        Why::Finding { at, what } => {
            let says = match what {
                Finds::Missing => format!("not linked, and nothing keeps {package_name} from it"),
                what => finding(package, what),
            };
            let place = if is_here(at) { String::new() } else { format!("{} is ", path_shown(farm, at)) };
            match what {
                Finds::Missing | Finds::Gone | Finds::CouldFold | Finds::MustUnfold => says,
                _ => format!("{place}{says}"),
            }
        }
        Why::Kept { entry, by } => {
            let what = format!("{package_name}/{}", shown(&String::from_utf8_lossy(entry.as_bytes())));
            match by {
                Kept::Rules => format!("not linked: {what} says what is linked, and is not itself"),
                Kept::BuiltIn => format!("not linked: the built-in list keeps {what} out"),
                Kept::ByFile { file, line, pattern } => {
                    let file = shown(&file.to_string_lossy());
                    format!("not linked: {file}:{line} keeps {what} out with `{}`", shown(pattern))
                }
                Kept::ByOption { option, pattern } => {
                    format!("not linked: `ignore` in {option} keeps {what} out with `{}`", shown(pattern))
                }
                Kept::StowList => format!("not linked: {package_name}/.stow-local-ignore keeps {what} out"),
                Kept::StowRc => format!("not linked: --ignore in .stowrc keeps {what} out"),
            }
        }
        Why::NotHere { manifest, line } => {
            let manifest = shown(&manifest.to_string_lossy());
            format!("not linked: {package_name} is not for this machine, says {manifest}:{line}")
        }
        Why::Nothing => format!("not linked: {package_name} has nothing to link there"),
    }
}
