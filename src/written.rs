//! Files that farm writes, as the disk has them: whether one is there already, and what a planner may know of one that
//! is not.

use std::fs::Permissions;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;

use crate::path::Name;
use crate::rendered::{Content, Rendered, Stored};
use crate::rules::Rules;
use crate::snapshot::{Fact, Need, Side, Snapshot, SourceId};
use crate::sys::Handle;
use crate::tree::{Entries, Node};

/// Returns the answer to a need that is about these files: nothing of them need be on the disk.
pub fn answer(
    rendered: Option<&Rendered>,
    snapshot: &Snapshot,
    root: &Handle,
    need: &Need,
) -> io::Result<Option<Fact>> {
    if let Need::Stored { dir, name, stored } = need {
        let dir = root.open_below(&snapshot.target.path(*dir))?;
        let content = read(&dir, name.as_bytes())?;
        return Ok(Some(Fact::Holds(content.is_some_and(|content| stored.is(&content)))));
    }
    let Some(rendered) = rendered else { return Ok(None) };
    let is_ours = |id: SourceId| snapshot.source(id).stow_dir == rendered.dir;
    Ok(match need {
        Need::Package { stow_dir, .. } if *stow_dir == rendered.dir => Some(Fact::Package(Rules::All)),
        Need::Listing { side: Side::Source(id), .. } if is_ours(*id) => {
            let mut entries = Entries::default();
            rendered.files.keys().for_each(|name| entries.set(name, &Node::File));
            Some(Fact::Listing(entries.into()))
        }
        Need::Equal { dir, name, source, source_name, .. } if is_ours(*source) => {
            let dir = root.open_below(&snapshot.target.path(*dir))?;
            let content = rendered.files.get(source_name);
            Some(Fact::Holds(match content {
                Some(content) => holds(&dir, name, content)?,
                None => false,
            }))
        }
        _ => None,
    })
}

/// Returns what is in a regular file; `None` when there is none.
pub fn read(dir: &Handle, name: &[u8]) -> io::Result<Option<Content>> {
    let mut file = match dir.open_file(name) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput || crate::sys::is_nowhere(&error) => {
            return Ok(None);
        }
        opened => opened?,
    };
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(Content { bytes, mode }))
}

/// Makes a file with the content that is stored under `stored` on `shelf`, and waits until it is on the disk; `building`
/// is the name that it has until it is complete.
pub fn put(shelf: &Handle, stored: &Stored, dir: &Handle, building: &[u8], name: &[u8]) -> io::Result<()> {
    let content = read(shelf, stored.name.as_bytes())?.ok_or(io::ErrorKind::NotFound)?;
    if !stored.is(&content) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the state directory has other bytes there"));
    }
    let mut file = dir.create_file(building)?;
    crate::sys::fault::point()?;
    file.write_all(&content.bytes)?;
    file.set_permissions(Permissions::from_mode(content.mode))?;
    crate::sys::fault::point()?;
    file.sync_all()?;
    dir.rename(building, dir, name)
}

/// Tells whether a regular file has this content and these permissions.
pub fn holds(dir: &Handle, name: &Name, content: &Content) -> io::Result<bool> {
    let mut file = match dir.open_file(name.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput || crate::sys::is_nowhere(&error) => {
            return Ok(false);
        }
        opened => opened?,
    };
    let metadata = file.metadata()?;
    let is_as_long = metadata.len() == content.bytes.len() as u64;
    if !is_as_long || metadata.permissions().mode() & 0o7777 != content.mode {
        return Ok(false);
    }
    let mut bytes = Vec::with_capacity(content.bytes.len());
    file.read_to_end(&mut bytes)?;
    Ok(bytes == content.bytes)
}
