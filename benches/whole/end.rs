//! What a run left behind, so that nothing wins by doing nothing.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use crate::entrant::Place;

/// What lies below a directory: how many links, how many other things, and a sum over every path and link text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub links: usize,
    pub others: usize,
    sum: u64,
}

impl End {
    /// Reads everything below `top`. It reads every link too, so the next to read one does not pay for its atime.
    pub fn of(top: &Path) -> io::Result<End> {
        let mut end = End { links: 0, others: 0, sum: 0 };
        let mut left = vec![PathBuf::new()];
        while let Some(at) = left.pop() {
            for entry in fs::read_dir(top.join(&at))? {
                let entry = entry?;
                let (path, kind) = (at.join(entry.file_name()), entry.file_type()?);
                let text = if kind.is_symlink() { Some(fs::read_link(entry.path())?) } else { None };
                let mut hasher = DefaultHasher::new();
                (&path, &text, kind.is_dir()).hash(&mut hasher);
                // A sum, since the order of a listing means nothing.
                end.sum = end.sum.wrapping_add(hasher.finish());
                *if kind.is_symlink() { &mut end.links } else { &mut end.others } += 1;
                if kind.is_dir() {
                    left.push(path);
                }
            }
        }
        Ok(end)
    }
}

/// Returns whether every file of the packages is in the target, by way of whatever links.
pub fn all_there(place: &Place) -> io::Result<bool> {
    let mut left: Vec<(PathBuf, PathBuf)> = place
        .layout
        .packages()
        .iter()
        .map(|name| (place.stow_dir.join(name), place.target.clone()))
        .collect();
    while let Some((package, target)) = left.pop() {
        for entry in fs::read_dir(package)? {
            let entry = entry?;
            let there = target.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                left.push((entry.path(), there));
            } else if !there.is_file() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
