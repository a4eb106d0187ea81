//! Files that farm writes, as the disk has them: whether one is there already, and what a planner may know of one that
//! is not.

use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;

use crate::path::Name;
use crate::rendered::{Content, Rendered};
use crate::rules::Rules;
use crate::snapshot::{Fact, Need, Side, Snapshot, SourceId};
use crate::sys::Handle;
use crate::tree::{Entries, Node};

/// Returns the answer to a need that is about these files: nothing of them need be on the disk.
pub fn answer(
    rendered: &Rendered,
    snapshot: &Snapshot,
    root: &Handle,
    need: &Need,
) -> io::Result<Option<Fact>> {
    let is_ours = |id: SourceId| snapshot.source(id).stow_dir == rendered.dir;
    Ok(match need {
        Need::Package { stow_dir, .. } if *stow_dir == rendered.dir => Some(Fact::Package(Rules::All)),
        Need::Listing { side: Side::Source(id), .. } if is_ours(*id) => {
            let mut entries = Entries::default();
            rendered.files.keys().for_each(|name| entries.set(name, &Node::File));
            Some(Fact::Listing(entries))
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
