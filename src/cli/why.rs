//! `farm why`: which package and which rule make a path a link, or keep it from being one. Nothing is changed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use farm::manifest::{Content, Entry};
use farm::{Error, Farm, LinkText, Name, Naming, RelPath, Standing};

use super::args::{self, Chosen, Global};
use super::resolve::Landed;
use super::status::View;
use super::told::{Because, Named, There, Why};
use super::words::Words;
use super::{Exit, StowRc, json};

/// Runs `farm why`.
pub fn why(global: &Global, asked: &args::Why, stowrc: &StowRc, words: &Words) -> Exit {
    do_why(global, asked, stowrc, words).unwrap_or_else(|exit| exit)
}

fn do_why(global: &Global, asked: &args::Why, stowrc: &StowRc, words: &Words) -> Result<Exit, Exit> {
    let all = Chosen { names: Vec::new(), dotfiles: asked.dotfiles };
    let view = View::open(global, &all, stowrc, words)?;
    let standings = view.standings(global, words)?;
    let located = view.farm.locate(&asked.path);
    let route = located.map_err(|error| words.error(&Error::new("find", &asked.path, error)))?;
    let in_dotfiles = route.below(&view.request.stow_dir);
    let in_target = (route.up == 0).then_some(&route.down).filter(|it| it.below(&view.farm.mount).is_some());
    if in_dotfiles.is_none() && in_target.is_none() {
        return Err(words.why_outside(&view.farm, &route));
    }
    let mut because = Vec::new();
    for ((landed, _), standing) in view.packages.iter().zip(&standings) {
        let (entry, target) = match (&in_dotfiles, in_target) {
            (Some(path), _) => {
                let Some(entry) = path.below(&landed.package) else { continue };
                let target = spelled(view.request.policy.naming, landed, &entry);
                (Some(entry).filter(|_| exists(&view.farm.absolute(&route))), target)
            }
            (None, Some(target)) => (entry(&view, landed, target), target.clone()),
            (None, None) => continue,
        };
        let why = match (from_links(standing, &target), entry) {
            (Some(why), _) => Some(why),
            (None, Some(entry)) => Some(from_rules(&view, landed, standing, &entry, &target, words)?),
            (None, None) => from_findings(standing, |at| *at == target),
        };
        because.extend(why.map(|why| Because { package: landed.package.clone(), why }));
    }
    let named = match &view.farm.declared {
        Some(declared) => {
            let layout = declared.layout(&[], &view.farm.mount).map_err(|refusal| words.refusal(&refusal))?;
            let entries = layout.entries.into_iter();
            let entries = entries.filter(|it| is_meant(it, in_dotfiles.as_ref(), in_target));
            let line = |entry: &Entry| declared.line(entry.file.target.span.start);
            entries.map(|it| Named { line: line(&it), there: there(&view, &it.at), at: it.at }).collect()
        }
        None => Vec::new(),
    };
    match global.json {
        true => json::why(&view.farm, &route, &because, &named),
        false => words.why(&view.farm, &route, &because, &named),
    }
    Ok(Exit::Done)
}

/// Tells whether a single path of the manifest's is the one in question, or above it, or has its content from there.
fn is_meant(entry: &Entry, in_dotfiles: Option<&RelPath>, in_target: Option<&RelPath>) -> bool {
    let source = match &entry.content {
        Content::Source(said) | Content::Template(said) => RelPath::new(said.value.as_bytes()),
        Content::Text(_) => None,
    };
    in_target.is_some_and(|path| path.below(&entry.at).is_some())
        || in_dotfiles.zip(source).is_some_and(|(path, source)| path.below(&source).is_some())
}

/// Returns what is at a place in the target.
fn there(view: &View, at: &RelPath) -> There {
    let path = view.farm.root.join(OsStr::from_bytes(at.as_bytes()));
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => There::Directory,
        Ok(found) if found.is_symlink() => match path.read_link() {
            Ok(text) => There::Link(LinkText::new(text.as_os_str().as_bytes())),
            Err(_) => There::Nothing,
        },
        Ok(_) => There::File,
        Err(_) => There::Nothing,
    }
}

/// Returns the target path that an entry of a package has.
fn spelled(naming: Naming, landed: &Landed, entry: &RelPath) -> RelPath {
    let names: Vec<Name> = entry.names().map(|name| naming.target_name(&name)).collect();
    landed.mount.at().join_path(&RelPath::from_names(&names))
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Returns the entry that a package has for a target path, if it has one.
fn entry(view: &View, landed: &Landed, target: &RelPath) -> Option<RelPath> {
    let below = target.below(landed.mount.at())?;
    let package = view.farm.dir.join(OsStr::from_bytes(landed.package.as_bytes()));
    let mut entry = RelPath::root();
    for name in below.names() {
        let ways = match view.request.policy.naming {
            Naming::AsIs => vec![name],
            Naming::Dotfiles => vec![name.dotted(), name],
        };
        let there = |entry: &RelPath| exists(&package.join(OsStr::from_bytes(entry.as_bytes())));
        entry = ways.iter().map(|name| entry.join(name)).find(there)?;
    }
    Some(entry)
}

/// Returns the link that a target path is, or lies below, or how many there are in it.
fn from_links(standing: &Standing, target: &RelPath) -> Option<Why> {
    if let Some(link) = standing.links.iter().find(|link| target.below(&link.path).is_some()) {
        return Some(Why::Link { at: link.path.clone(), text: link.text.clone() });
    }
    match standing.links.iter().filter(|link| link.path.below(target).is_some()).count() {
        0 => None,
        links => Some(Why::Directory(links)),
    }
}

/// Returns what is not as linking would make it at the first path that is meant.
fn from_findings(standing: &Standing, is_meant: impl Fn(&RelPath) -> bool) -> Option<Why> {
    let finding = standing.findings.iter().find(|finding| is_meant(&finding.path))?;
    Some(Why::Finding { at: finding.path.clone(), what: finding.what.clone() })
}

/// Returns why an entry that the package has is not linked.
fn from_rules(
    view: &View,
    landed: &Landed,
    standing: &Standing,
    entry: &RelPath,
    target: &RelPath,
    words: &Words,
) -> Result<Why, Exit> {
    let declared = view.farm.declared.as_ref();
    let not_here = declared.and_then(|it| Some((it, it.not_here(&landed.package, &view.farm.mount)?)));
    if let Some((declared, line)) = not_here {
        return Ok(Why::NotHere { manifest: declared.path.clone(), line });
    }
    let opened = Farm::open(&view.request, &view.rules).map_err(|error| words.error(&error))?;
    let kept = opened.kept_out(&landed.package, entry).map_err(|error| words.scan_error(&error))?;
    if let Some((entry, by)) = kept {
        return Ok(Why::Kept { entry, by });
    }
    let found = |at: &RelPath| target.below(at).is_some() || at.below(target).is_some();
    Ok(from_findings(standing, found).unwrap_or(Why::Nothing))
}
