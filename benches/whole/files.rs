//! A small tree of directories and files, kept in memory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Paths, directories before what is in them, with the content of those that are files.
pub struct Files(Vec<(PathBuf, Option<Vec<u8>>)>);

impl Files {
    /// Reads all that is below `top`.
    pub fn read(top: &Path) -> io::Result<Files> {
        let (mut found, mut left) = (Vec::new(), vec![PathBuf::new()]);
        while let Some(at) = left.pop() {
            for entry in fs::read_dir(top.join(&at))? {
                let entry = entry?;
                let path = at.join(entry.file_name());
                let content = if entry.file_type()?.is_dir() { None } else { Some(fs::read(entry.path())?) };
                if content.is_none() {
                    left.push(path.clone());
                }
                found.push((path, content));
            }
        }
        Ok(Files(found))
    }

    /// Replaces what is at `top`.
    pub fn write(&self, top: &Path) -> io::Result<()> {
        fs::remove_dir_all(top)?;
        fs::create_dir(top)?;
        self.0.iter().try_for_each(|(path, content)| match content {
            Some(content) => fs::write(top.join(path), content),
            None => fs::create_dir(top.join(path)),
        })
    }
}
