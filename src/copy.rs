//! Copying what cannot be renamed because it lies on another file system.
//!
//! A copy has the bytes, owner, permissions, times, extended attributes and link texts of what it was made of, and is on
//! the disk before anything else happens. What cannot be the same there is not copied.

use std::io;
use std::os::unix::fs::MetadataExt;

use crate::path::{Name, RelPath};
use crate::scan::equal_as;
use crate::sys::{Found, Handle, copy_file_metadata, fault, have_same_attributes, os};
use crate::tree::{Node, Texts};

/// Copies what is at `name` in `from`, a directory with all that is in it, to `new_name` in `to`, where nothing may be.
///
/// # Errors
/// The system's, and "unsupported" for a FIFO, socket or device.
pub fn copy(from: &Handle, name: &[u8], to: &Handle, new_name: &[u8]) -> io::Result<()> {
    match from.look(name)? {
        None => return Err(io::ErrorKind::NotFound.into()),
        Some(Found::Dir) => {}
        Some(found) => {
            copy_entry(from, name, found, to, new_name)?;
            return to.sync();
        }
    }
    let (Some(top), Some(new_top)) = (Name::new(name), Name::new(new_name)) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    to.mkdir(new_name)?;
    // Permissions and times of a directory are set when it is full.
    let mut dirs = vec![RelPath::root()];
    let mut at = 0;
    while at < dirs.len() {
        let dir = dirs[at].clone();
        let source = from.open_below(&RelPath::from_names([&top]).join_path(&dir))?;
        let target = to.open_below(&RelPath::from_names([&new_top]).join_path(&dir))?;
        for (name, node) in
            from.open_below(&RelPath::from_names([&top]).join_path(&dir))?.list(Texts::None)?.iter()
        {
            let found = match node {
                Node::Dir(_) => {
                    target.mkdir(name.as_bytes())?;
                    dirs.push(dir.join(&name));
                    continue;
                }
                Node::Link(_) => Found::Link,
                Node::File => Found::File,
                Node::Other => Found::Other,
            };
            copy_entry(&source, name.as_bytes(), found, &target, name.as_bytes())
                .map_err(|error| within(&dir.join(&name), error))?;
        }
        at += 1;
    }
    for dir in dirs.iter().rev() {
        let source = from.open_below(&RelPath::from_names([&top]).join_path(dir))?;
        let target = to.open_below(&RelPath::from_names([&new_top]).join_path(dir))?;
        target.copy_metadata(&source).map_err(|error| within(dir, error))?;
        target.sync()?;
    }
    to.sync()
}

/// Names what an error is about by its path in the directory that is copied.
fn within(path: &RelPath, error: io::Error) -> io::Error {
    if path.is_root() {
        return error;
    }
    io::Error::new(error.kind(), format!("{}: {error}", os(path.as_bytes()).display()))
}

fn copy_entry(from: &Handle, name: &[u8], found: Found, to: &Handle, new_name: &[u8]) -> io::Result<()> {
    match found {
        Found::Link => {
            to.symlink(from.link_text(name)?.as_bytes(), new_name)?;
            to.copy_link_owner(new_name, from, name)
        }
        Found::File => {
            let mut reader = from.open_file(name)?;
            let mut writer = to.create_file(new_name)?;
            fault::point()?;
            io::copy(&mut reader, &mut writer)?;
            copy_file_metadata(&reader, &writer)?;
            fault::point()?;
            writer.sync_all()
        }
        Found::Dir | Found::Other => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a FIFO, socket or device cannot move to another file system",
        )),
    }
}

/// Tells whether two files have the same bytes, permissions and extended attributes of the user's own. A copy that has
/// another group has lost the rights that come with it.
fn is_copy_of_file(one: &Handle, name: &[u8], other: &Handle, other_name: &[u8]) -> io::Result<bool> {
    const BY_GROUP: u32 = 0o6000;
    equal_as(one, name, other, other_name, |one, other| {
        let (a, b) = (one.metadata()?, other.metadata()?);
        let differ = a.mode() ^ b.mode();
        Ok((differ == 0 || a.gid() != b.gid() && differ & !BY_GROUP == 0)
            && have_same_attributes(one, other)?)
    })
}

/// Tells whether two entries are the same: kind, bytes, permissions and attributes of files, texts of links, names in
/// directories but those that `counts` says do not.
///
/// # Errors
/// The system's.
pub fn is_copy(
    one: &Handle,
    name: &[u8],
    other: &Handle,
    other_name: &[u8],
    counts: impl Fn(&[u8]) -> bool,
) -> io::Result<bool> {
    let kinds = (one.look(name)?, other.look(other_name)?);
    match kinds {
        (Some(Found::Link), Some(Found::Link)) => {
            return Ok(one.link_text(name)? == other.link_text(other_name)?);
        }
        (Some(Found::File), Some(Found::File)) => return is_copy_of_file(one, name, other, other_name),
        (Some(Found::Dir), Some(Found::Dir)) => {}
        _ => return Ok(false),
    }
    let (Some(top), Some(other_top)) = (Name::new(name), Name::new(other_name)) else { return Ok(false) };
    let mut todo = vec![RelPath::root()];
    while let Some(dir) = todo.pop() {
        let here = RelPath::from_names([&top]).join_path(&dir);
        let there = RelPath::from_names([&other_top]).join_path(&dir);
        let (left, right) =
            (one.open_below(&here)?.list(Texts::All)?, other.open_below(&there)?.list(Texts::All)?);
        let counted = |(name, _): &(Name, Node)| counts(name.as_bytes());
        if !left.iter().filter(counted).eq(right.iter().filter(counted)) {
            return Ok(false);
        }
        let (one, other) = (one.open_below(&here)?, other.open_below(&there)?);
        if !one.has_same_attributes(&other)? {
            return Ok(false);
        }
        for (name, node) in left.iter().filter(counted) {
            match node {
                Node::Dir(_) => todo.push(dir.join(&name)),
                Node::File if !is_copy_of_file(&one, name.as_bytes(), &other, name.as_bytes())? => {
                    return Ok(false);
                }
                Node::File | Node::Link(_) | Node::Other => {}
            }
        }
    }
    Ok(true)
}

/// Removes what is at `name` in `dir`, a directory with all that is in it: a copy, or what was copied.
///
/// # Errors
/// The system's.
pub fn remove(dir: &Handle, name: &[u8]) -> io::Result<()> {
    match dir.look(name)? {
        None => return Ok(()),
        Some(Found::Dir) => {}
        Some(_) => return dir.unlink(name),
    }
    let Some(top) = Name::new(name) else { return Ok(()) };
    let mut dirs = vec![RelPath::from_names([&top])];
    let mut at = 0;
    while at < dirs.len() {
        let path = dirs[at].clone();
        let handle = dir.open_below(&path)?;
        handle.let_owner_change()?;
        for (name, node) in dir.open_below(&path)?.list(Texts::None)?.iter() {
            match node {
                Node::Dir(_) => dirs.push(path.join(&name)),
                _ => handle.unlink(name.as_bytes())?,
            }
        }
        at += 1;
    }
    for path in dirs.iter().rev() {
        let Some((above, name)) = path.split() else { continue };
        if above.is_root() {
            dir.rmdir(name.as_bytes())?;
        } else {
            dir.open_below(&above)?.rmdir(name.as_bytes())?;
        }
    }
    Ok(())
}
