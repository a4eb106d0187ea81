//! Paths as a manifest writes them, `~/.config/{package}`, and the places in a farm that they stand for.

use super::mistake::Fault;
use super::{Base, Machine};
use crate::path::{RelPath, Route};

/// What stands for a package's name in a path.
const PACKAGE: &str = "{package}";

/// Returns the absolute path that `written` stands for, folded lexically.
pub fn absolute(written: &str, machine: &Machine) -> Result<Vec<u8>, Fault> {
    if written.contains('\0') {
        return Err(Fault::Nul);
    }
    let path = match written.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            let home = machine.home.as_deref().ok_or(Fault::NoHome)?;
            [home, rest.as_bytes()].concat()
        }
        Some(_) => return Err(Fault::OtherHome),
        None if written.starts_with('/') => written.as_bytes().to_vec(),
        None => return Err(Fault::NotAbsolute),
    };
    Ok([b"/", Route::root().follow(&path).down.as_bytes()].concat())
}

/// Returns `written` with the package's name in its place.
pub fn with_name(written: &str, name: &str) -> Result<String, Fault> {
    let filled = written.replace(PACKAGE, name);
    let rest = written.replace(PACKAGE, "");
    match rest.find('{').map(|open| &rest[open..]) {
        Some(other) => {
            let end = other.find('}').map_or(other.len(), |close| close + 1);
            Err(Fault::Placeholder(other[..end].to_owned()))
        }
        None => Ok(filled),
    }
}

/// What appears at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lands {
    /// One thing.
    Whole,
    /// Content, in a directory that others may share.
    Content,
}

/// Returns the place below the farm's root that `written` stands for.
pub fn in_target(written: &str, machine: &Machine, base: &Base, lands: Lands) -> Result<RelPath, Fault> {
    let path = absolute(written, machine)?;
    let route = Route::between(&base.target, &path);
    let dotfiles = Route::between(&base.target, &base.dotfiles);
    if route.up > 0 {
        return Err(Fault::Outside { target: String::from_utf8_lossy(&base.target).into_owned() });
    }
    if lands == Lands::Whole && route.down.is_root() {
        return Err(Fault::Target);
    }
    let holds = lands == Lands::Whole && dotfiles.below(&route).is_some();
    if holds || route.below(&dotfiles).is_some() {
        return Err(Fault::Dotfiles);
    }
    Ok(base.mount.join_path(&route.down))
}

/// Returns a glob on paths from the farm's root for one that counts from the target, or from `/` or `~`.
pub fn glob(written: &str, machine: &Machine, base: &Base) -> Result<String, Fault> {
    let absolute = match written.strip_prefix('~') {
        Some(rest) if rest.starts_with('/') => {
            let home = machine.home.as_deref().ok_or(Fault::NoHome)?;
            Some(globset::escape(&String::from_utf8_lossy(home)) + rest)
        }
        Some(_) => return Err(Fault::OtherHome),
        None if written.starts_with('/') => Some(written.to_owned()),
        None => None,
    };
    let below = match absolute {
        None => written.to_owned(),
        Some(path) => {
            let target = String::from_utf8_lossy(&base.target).into_owned();
            let rest = [&target, &globset::escape(&target)]
                .iter()
                .find_map(|target| path.strip_prefix(target.trim_end_matches('/')));
            let rest = rest.and_then(|rest| rest.strip_prefix('/'));
            rest.ok_or(Fault::Outside { target })?.to_owned()
        }
    };
    if base.mount.is_root() {
        return Ok(below);
    }
    Ok(globset::escape(&String::from_utf8_lossy(base.mount.as_bytes())) + "/" + &below)
}

/// Returns the package's directory that a source is written as: one directly in the dotfiles directory.
pub fn package(written: &str) -> Result<RelPath, Fault> {
    in_dotfiles(written).ok().filter(|path| path.depth() == 1).ok_or(Fault::BadPackage)
}

/// Returns the path in the dotfiles directory that a source is written as.
pub fn in_dotfiles(written: &str) -> Result<RelPath, Fault> {
    if written.contains('\0') {
        return Err(Fault::Nul);
    }
    RelPath::new(written.as_bytes()).filter(|path| !path.is_root()).ok_or(Fault::BadSource)
}
