//! What a directory holds, read with as little as the system allows.

use rustix::fd::OwnedFd;
use rustix::fs::FileType;

use super::fail;

/// Where the kernel writes what a directory holds.
pub(super) struct Buffer(
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "the C library has its own"))] Vec<u8>,
);

impl Default for Buffer {
    fn default() -> Buffer {
        Buffer(Vec::with_capacity(32 << 10))
    }
}

impl Buffer {
    /// Calls `entry` with the name and the kind of everything in the directory.
    pub(super) fn list(&mut self, dir: &OwnedFd, mut entry: impl FnMut(&[u8], FileType)) {
        self.each(dir, |name, kind| {
            if name != b"." && name != b".." {
                entry(name, kind);
            }
        })
        .unwrap_or_else(|error| fail("cannot read a directory", error));
    }

    #[cfg(target_os = "linux")]
    fn each(&mut self, dir: &OwnedFd, mut entry: impl FnMut(&[u8], FileType)) -> rustix::io::Result<()> {
        let mut entries = rustix::fs::RawDir::new(dir, self.0.spare_capacity_mut());
        while let Some(next) = entries.next() {
            let next = next?;
            entry(next.file_name().to_bytes(), next.file_type());
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn each(&mut self, dir: &OwnedFd, mut entry: impl FnMut(&[u8], FileType)) -> rustix::io::Result<()> {
        for next in rustix::fs::Dir::read_from(dir)? {
            let next = next?;
            entry(next.file_name().to_bytes(), next.file_type());
        }
        Ok(())
    }
}
