//! Directory handles: the only file that makes system calls on the two sides of a farm.
//!
//! Everything below a handle is reached from it, component by component and without following links, so nothing
//! that is swapped in meanwhile can send a call elsewhere, and paths may be longer than the system's limit.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::{CStr, OsStr};
use std::io;
#[cfg(target_os = "linux")]
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Stat, Uid, XattrFlags};
use rustix::io::Errno;

use crate::path::{LinkText, Name, RelPath};
use crate::tree::{DirId, Entries, FEW, Leads, Link, Listing, Node, Texts};

/// An open directory.
#[derive(Debug)]
pub struct Handle(OwnedFd);

/// What stands at a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// A real directory.
    Dir,
    /// A symbolic link.
    Link,
    /// A regular file.
    File,
    /// Anything else.
    Other,
}

/// Paths this long and longer are taken in pieces; the systems' own limits are 1024 (macOS) and 4096 (Linux).
const LONG: usize = 1000;

/// No link has a text of more bytes than this: the system's `PATH_MAX` less the zero at the end.
pub const LONGEST_TEXT: usize = if cfg!(target_os = "macos") { 1023 } else { 4095 };

/// So many bytes are room for some of a directory's entries: each takes 19 and its name.
const SOME: usize = 2048;

/// Nobody keeps the room that so many entries take.
const MANY: usize = 4096;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Handle {
    /// Opens the directory at `path`, following links.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path) -> io::Result<Handle> {
        fault::point()?;
        let mut bytes = path.as_os_str().as_bytes();
        let mut at = None;
        while bytes.len() >= LONG {
            let Some(slash) = bytes[..LONG].iter().rposition(|&b| b == b'/').filter(|&slash| slash > 0)
            else {
                break;
            };
            at = Some(open_dir(at.as_ref(), &bytes[..slash], OFlags::empty())?);
            bytes = bytes[slash..].strip_prefix(b"/").unwrap_or_default();
        }
        open_dir(at.as_ref(), bytes, OFlags::empty()).map(Handle)
    }

    /// Opens a directory below this one; no segment of `path` may be a link.
    ///
    /// # Errors
    /// The system's; a link on the way is "not a directory" or "too many levels of symbolic links".
    pub fn open_below(&self, path: &RelPath) -> io::Result<Handle> {
        fault::point()?;
        let mut at: Option<OwnedFd> = None;
        for piece in pieces(path) {
            let from = at.as_ref().unwrap_or(&self.0);
            at = Some(open_beneath(from, piece)?);
        }
        match at {
            Some(at) => Ok(Handle(at)),
            None => open_dir(Some(&self.0), b".", OFlags::empty()).map(Handle),
        }
    }

    /// Opens a directory below this one, following links, for reading packages only.
    ///
    /// # Errors
    /// The system's.
    pub fn open_through(&self, path: &RelPath) -> io::Result<Handle> {
        fault::point()?;
        let mut at = None;
        for piece in pieces(path) {
            at = Some(open_dir(Some(at.as_ref().unwrap_or(&self.0)), piece, OFlags::empty())?);
        }
        match at {
            Some(at) => Ok(Handle(at)),
            None => open_dir(Some(&self.0), b".", OFlags::empty()).map(Handle),
        }
    }

    /// Lists the directory: every name but `.` and `..`; `texts` says whether to read the links' texts along.
    ///
    /// # Errors
    /// The system's.
    pub fn list(&self, texts: Texts) -> io::Result<Entries> {
        thread_local! {
            // What grows makes room as a whole for the next one.
            static LISTING: Cell<Listing> = Cell::default();
        }
        fault::point()?;
        let mut listing = LISTING.take();
        listing.clear();
        each_entry(&self.0, |name, mut file_type| {
            if file_type == FileType::Unknown {
                let stat = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
                file_type = FileType::from_raw_mode(stat.st_mode);
            }
            let node = match file_type {
                FileType::Directory => Node::Dir(DirId::NOWHERE),
                FileType::Symlink => Node::Link(Link { text: None, leads: Leads::Unknown }),
                FileType::RegularFile => Node::File,
                _ => Node::Other,
            };
            listing.push(name.to_bytes(), &node);
            Ok(())
        })?;
        let is_wanted = match texts {
            Texts::None => false,
            Texts::Few => listing.count_links() <= FEW,
            Texts::All => true,
        };
        if is_wanted {
            listing.try_read_links(|name, text| read_link(&self.0, name, text))?;
        }
        let entries = listing.take_sorted();
        if entries.len() <= MANY {
            LISTING.set(listing);
        }
        Ok(entries)
    }

    /// Tells every name in the directory but `.` and `..`, in no order.
    ///
    /// # Errors
    /// The system's.
    pub fn each_name(&self, mut tell: impl FnMut(&[u8])) -> io::Result<()> {
        fault::point()?;
        each_entry(&self.0, |name, _| {
            tell(name.to_bytes());
            Ok(())
        })
    }

    /// Returns the size of the directory itself in bytes, which grows with its names.
    ///
    /// # Errors
    /// The system's.
    pub fn size(&self) -> io::Result<u64> {
        Ok(rustix::fs::fstat(&self.0)?.st_size as u64)
    }

    /// Tells what stands under each of these names, if anything does, with the texts of links.
    ///
    /// # Errors
    /// The system's.
    pub fn find_names(&self, names: impl Iterator<Item = Name>) -> io::Result<Entries> {
        fault::point()?;
        let mut text = Vec::new();
        let mut found = Entries::partial();
        for name in names {
            // In a farm most are links.
            let node = match read_link(&self.0, name.as_bytes(), &mut text) {
                Ok(()) => Some(Node::link(LinkText::new(&text), Leads::Unknown)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => self.look_at(name.as_bytes())?,
                Err(error) => return Err(error),
            };
            match node {
                Some(node) => found.set(&name, &node),
                None => found.set_absent(name.as_bytes()),
            }
        }
        Ok(found)
    }

    /// Returns at most `most` of the names in this directory that `counts` lets pass, from all over what one call brings.
    ///
    /// # Errors
    /// The system's.
    pub fn some_names(&self, most: usize, counts: impl Fn(&[u8]) -> bool) -> io::Result<Vec<Name>> {
        let (mut bytes, mut ends) = (Vec::with_capacity(SOME), Vec::with_capacity(SOME / 32));
        self.each_of_some(|name| {
            if name != b"." && name != b".." && counts(name) {
                bytes.extend_from_slice(name);
                ends.push(bytes.len());
            }
        })?;
        let apart = ends.len().div_ceil(most).max(1);
        let name = |at: usize| Name::new(&bytes[at.checked_sub(1).map_or(0, |last| ends[last])..ends[at]]);
        Ok((0..ends.len()).step_by(apart).filter_map(name).collect())
    }

    #[cfg(target_os = "linux")]
    fn each_of_some(&self, mut tell: impl FnMut(&[u8])) -> io::Result<()> {
        // One call, and not all that it could bring.
        let mut buffer = [MaybeUninit::uninit(); SOME];
        let mut dir = rustix::fs::RawDir::new(&self.0, &mut buffer);
        while let Some(entry) = dir.next() {
            tell(entry?.file_name().to_bytes());
            if dir.is_buffer_empty() {
                break;
            }
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn each_of_some(&self, mut tell: impl FnMut(&[u8])) -> io::Result<()> {
        for entry in rustix::fs::Dir::read_from(&self.0)?.take(SOME / 32) {
            tell(entry?.file_name().to_bytes());
        }
        Ok(())
    }

    fn look_at(&self, name: &[u8]) -> io::Result<Option<Node>> {
        Ok(self.look(name)?.map(|found| match found {
            Found::Dir => Node::Dir(DirId::NOWHERE),
            Found::Link => Node::Link(Link { text: None, leads: Leads::Unknown }),
            Found::File => Node::File,
            Found::Other => Node::Other,
        }))
    }

    /// Reads the texts of links in this directory.
    ///
    /// # Errors
    /// The system's.
    pub fn link_texts(&self, names: impl Iterator<Item = Name>) -> io::Result<Entries> {
        fault::point()?;
        let mut text = Vec::new();
        let mut links = Listing::default();
        for name in names {
            read_link(&self.0, name.as_bytes(), &mut text)?;
            links.push(name.as_bytes(), &Node::link(LinkText::new(&text), Leads::Unknown));
        }
        Ok(links.take_sorted())
    }

    /// Tells whether this directory has these links, whatever else it has, and nothing under `none`.
    ///
    /// # Errors
    /// The system's.
    pub fn has_links(&self, links: &Entries, none: &[&[u8]]) -> io::Result<bool> {
        fault::point()?;
        let mut found = Vec::new();
        for (name, text) in links.links() {
            match read_link(&self.0, name, &mut found) {
                Ok(()) => {}
                Err(error) if is_nowhere(&error) || error.kind() == io::ErrorKind::InvalidInput => {
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
            let is_right = match text {
                Ok(head) => {
                    let tail = found.strip_prefix(head).and_then(|tail| tail.strip_prefix(b"/"));
                    tail == Some(name)
                }
                Err(text) => text.as_bytes() == found,
            };
            if !is_right {
                return Ok(false);
            }
        }
        for name in none {
            if self.look(name)?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the length and the mode of what stands under `name` in this directory, links not followed.
    ///
    /// # Errors
    /// The system's.
    pub fn length_and_mode(&self, name: &[u8]) -> io::Result<(u64, u32)> {
        let stat = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok((stat.st_size as u64, stat.st_mode as u32))
    }

    /// Reads the text of a link below this directory.
    ///
    /// # Errors
    /// The system's.
    pub fn read_link(&self, path: &RelPath) -> io::Result<LinkText> {
        self.reach(path, |dir, tail| {
            rustix::fs::readlinkat(dir, tail, Vec::new()).map(|text| LinkText::new(text.as_bytes()))
        })
    }

    /// Reads the text of the link `name` in this directory.
    ///
    /// # Errors
    /// The system's.
    pub fn link_text(&self, name: &[u8]) -> io::Result<LinkText> {
        fault::point()?;
        let mut text = Vec::new();
        read_link(&self.0, name, &mut text)?;
        Ok(LinkText::new(&text))
    }

    /// As [`link_text`](Self::link_text), in the place of what `text` holds.
    ///
    /// # Errors
    /// The system's.
    pub fn read_text(&self, name: &[u8], text: &mut Vec<u8>) -> io::Result<()> {
        fault::point()?;
        read_link(&self.0, name, text)
    }

    /// Tells what opening a path below this directory would find, links followed.
    ///
    /// # Errors
    /// The system's, where it leaves the question open; what certainly leads nowhere is an answer.
    pub fn leads(&self, path: &RelPath) -> io::Result<Leads> {
        lead(self.reach(path, |dir, tail| rustix::fs::statat(dir, tail, AtFlags::empty())))
    }

    /// As [`leads`](Self::leads), for a name in this directory.
    ///
    /// # Errors
    /// The system's, where it leaves the question open.
    pub fn name_leads(&self, name: &[u8]) -> io::Result<Leads> {
        fault::point()?;
        lead(rustix::fs::statat(&self.0, name, AtFlags::empty()).map_err(io::Error::from))
    }

    /// Tells what stands under `name` in this directory, links not followed; `None` for nothing.
    ///
    /// # Errors
    /// The system's.
    pub fn look(&self, name: &[u8]) -> io::Result<Option<Found>> {
        fault::point()?;
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(kind_of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the inode of what stands under `name` in this directory, links not followed; `None` for nothing.
    ///
    /// # Errors
    /// The system's.
    pub fn inode(&self, name: &[u8]) -> io::Result<Option<u64>> {
        fault::point()?;
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat.st_ino)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells whether something stands at `path` below this directory, links followed on the way and at the end. Where
    /// nobody may look there is nothing.
    ///
    /// # Errors
    /// The system's, where it leaves the question open.
    pub fn holds(&self, path: &[u8]) -> io::Result<bool> {
        match rustix::fs::statat(&self.0, path, AtFlags::empty()).map_err(io::Error::from) {
            Ok(_) => Ok(true),
            Err(error) if is_out_of_reach(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Opens the regular file `name` in this directory for reading: no link is followed, no FIFO waited for.
    ///
    /// # Errors
    /// The system's, and "invalid input" for anything but a regular file.
    pub fn open_file(&self, name: &[u8]) -> io::Result<std::fs::File> {
        self.open_regular(name, OFlags::NOFOLLOW)
    }

    /// As [`open_file`](Self::open_file), following links.
    ///
    /// # Errors
    /// The system's, and "invalid input" for anything but a regular file.
    pub fn open_file_through(&self, name: &[u8]) -> io::Result<std::fs::File> {
        self.open_regular(name, OFlags::empty())
    }

    fn open_regular(&self, name: &[u8], flags: OFlags) -> io::Result<std::fs::File> {
        fault::point()?;
        let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = rustix::fs::openat(&self.0, name, flags, Mode::empty())?;
        if kind_of(&rustix::fs::fstat(&fd)?) != Found::File {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(std::fs::File::from(fd))
    }

    /// Makes the file `name`, which must not exist, for writing by its owner only.
    ///
    /// # Errors
    /// The system's.
    pub fn create_file(&self, name: &[u8]) -> io::Result<std::fs::File> {
        fault::point()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(std::fs::File::from(fd))
    }

    /// Opens the file `name`, which this process made, for writing.
    ///
    /// # Errors
    /// The system's.
    pub fn open_to_write(&self, name: &[u8]) -> io::Result<std::fs::File> {
        fault::point()?;
        let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let fd = rustix::fs::openat(&self.0, name, flags, Mode::empty())?;
        Ok(std::fs::File::from(fd))
    }

    /// Makes a link, where nothing may be.
    ///
    /// # Errors
    /// The system's.
    pub fn symlink(&self, text: &[u8], name: &[u8]) -> io::Result<()> {
        fault::point()?;
        Ok(rustix::fs::symlinkat(text, &self.0, name)?)
    }

    /// Makes a directory, where nothing may be, with the permissions that the process gives new directories.
    ///
    /// # Errors
    /// The system's.
    pub fn mkdir(&self, name: &[u8]) -> io::Result<()> {
        fault::point()?;
        Ok(rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o777))?)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// The system's.
    pub fn rmdir(&self, name: &[u8]) -> io::Result<()> {
        fault::point()?;
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Removes a name that is no directory's.
    ///
    /// # Errors
    /// The system's.
    pub fn unlink(&self, name: &[u8]) -> io::Result<()> {
        fault::point()?;
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Moves `name` to `new_name` in `to`, where nothing may be.
    ///
    /// A file system that cannot promise this is looked at first; a name that appears in between is overwritten
    /// only if it is of the same kind, which is as good as such a file system allows.
    ///
    /// # Errors
    /// The system's.
    pub fn rename(&self, name: &[u8], to: &Handle, new_name: &[u8]) -> io::Result<()> {
        fault::point()?;
        match rename_with(self, name, to, new_name, RenameFlags::NOREPLACE) {
            Err(errno) if knows_no_flags(errno) => {
                if to.look(new_name)?.is_some() {
                    return Err(Errno::EXIST.into());
                }
                Ok(rustix::fs::renameat(&self.0, name, &to.0, new_name)?)
            }
            done => Ok(done?),
        }
    }

    /// As [`rename`](Self::rename), for a `name` that nobody else has to do with.
    ///
    /// Where the file system cannot promise it, a link or a file has both names for an instant, so that nothing that appears
    /// in between is overwritten. When that is interrupted, [`is_second_name`](Self::is_second_name) tells.
    ///
    /// # Errors
    /// The system's.
    pub fn place(&self, name: &[u8], to: &Handle, new_name: &[u8]) -> io::Result<()> {
        fault::point()?;
        match rename_with(self, name, to, new_name, RenameFlags::NOREPLACE) {
            Err(errno) if knows_no_flags(errno) => {}
            done => return Ok(done?),
        }
        match rustix::fs::linkat(&self.0, name, &to.0, new_name, AtFlags::empty()) {
            Ok(()) => self.unlink(name),
            Err(Errno::EXIST) => Err(Errno::EXIST.into()),
            // A directory, or a file system or a system that will not have second names.
            Err(_) => self.rename(name, to, new_name),
        }
    }

    /// Tells whether `name` in this directory and `other_name` in `other` are names of one thing, and no directory.
    ///
    /// # Errors
    /// The system's.
    pub fn is_second_name(&self, name: &[u8], other: &Handle, other_name: &[u8]) -> io::Result<bool> {
        fault::point()?;
        let stat =
            |dir: &Handle, name: &[u8]| match rustix::fs::statat(&dir.0, name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(errno) if is_nowhere(&errno.into()) => Ok(None),
                stat => stat.map(Some),
            };
        Ok(match (stat(self, name)?, stat(other, other_name)?) {
            (Some(one), Some(other)) => {
                (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino) && kind_of(&one) != Found::Dir
            }
            _ => false,
        })
    }

    /// Exchanges `name` with `other_name` in `other` in one step; `Ok(false)` where the file system cannot.
    ///
    /// # Errors
    /// The system's; "crosses devices" when the two are on different file systems.
    pub fn exchange(&self, name: &[u8], other: &Handle, other_name: &[u8]) -> io::Result<bool> {
        fault::point()?;
        match rename_with(self, name, other, other_name, RenameFlags::EXCHANGE) {
            Err(errno) if knows_no_flags(errno) => Ok(false),
            done => Ok(done.map(|()| true)?),
        }
    }

    /// Moves `name` to `new_name` in this directory, over what is there: for names of farm's own only.
    ///
    /// # Errors
    /// The system's.
    pub fn rename_over(&self, name: &[u8], new_name: &[u8]) -> io::Result<()> {
        fault::point()?;
        Ok(rustix::fs::renameat(&self.0, name, &self.0, new_name)?)
    }

    /// Makes a directory that only its owner may enter, unless there is one.
    ///
    /// # Errors
    /// The system's.
    pub fn make_private_dir(&self, name: &[u8]) -> io::Result<()> {
        fault::point()?;
        match rustix::fs::mkdirat(&self.0, name, Mode::RWXU) {
            Err(Errno::EXIST) => Ok(()),
            made => Ok(made?),
        }
    }

    /// Looks whether names can be made and removed in this directory.
    ///
    /// # Errors
    /// Why not.
    pub fn check_writable(&self) -> io::Result<()> {
        fault::point()?;
        let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
        Ok(rustix::fs::accessat(&self.0, c".", access, AtFlags::empty())?)
    }

    /// Lets the directory's owner change names in it, where its permissions do not and this process may change them.
    ///
    /// # Errors
    /// The system's.
    pub fn let_owner_change(&self) -> io::Result<()> {
        let mode = Mode::from_raw_mode(rustix::fs::fstat(&self.0)?.st_mode & 0o7777);
        if !mode.contains(Mode::RWXU) {
            // Who may not finds out when a name is to be changed.
            let _ = rustix::fs::fchmod(&self.0, mode | Mode::RWXU);
        }
        Ok(())
    }

    /// Opens the file `name`, made where it is missing, to be locked; `make` says whether it may be made.
    ///
    /// # Errors
    /// The system's.
    pub fn open_lock(&self, name: &[u8], make: bool) -> io::Result<std::fs::File> {
        fault::point()?;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let flags = if make { flags | OFlags::CREATE } else { flags };
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?.into())
    }

    /// Opens the file `name`, which this process made, to write at its end.
    ///
    /// # Errors
    /// The system's.
    pub fn open_to_append(&self, name: &[u8]) -> io::Result<std::fs::File> {
        fault::point()?;
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    /// Waits until all changes of names in this directory are on the disk.
    ///
    /// # Errors
    /// The system's.
    pub fn sync(&self) -> io::Result<()> {
        fault::point()?;
        match rustix::fs::fsync(&self.0) {
            // Some file systems have nothing to wait for.
            Err(errno) if errno == Errno::INVAL || is_unsupported(errno) => Ok(()),
            done => Ok(done?),
        }
    }

    /// Tells whether this is the same directory as `other`.
    ///
    /// # Errors
    /// The system's.
    pub fn is_same(&self, other: &Handle) -> io::Result<bool> {
        let (a, b) = (rustix::fs::fstat(&self.0)?, rustix::fs::fstat(&other.0)?);
        Ok((a.st_dev, a.st_ino) == (b.st_dev, b.st_ino))
    }

    /// Gives the directory the owner, permissions, times and extended attributes of another.
    ///
    /// # Errors
    /// The system's, and "permission denied" where the owner cannot be the same.
    pub fn copy_metadata(&self, from: &Handle) -> io::Result<()> {
        copy_metadata(&from.0, &self.0)
    }

    /// Gives the link `name` in this directory the owner that another has, where that can be: only its text matters.
    ///
    /// # Errors
    /// The system's.
    pub fn copy_link_owner(&self, name: &[u8], from: &Handle, from_name: &[u8]) -> io::Result<()> {
        let owner = |dir: &Handle, name| {
            rustix::fs::statat(&dir.0, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| (stat.st_uid, stat.st_gid))
        };
        let (uid, gid) = owner(from, from_name)?;
        if owner(self, name)? == (uid, gid) {
            return Ok(());
        }
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        match rustix::fs::chownat(&self.0, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW) {
            Err(errno) if is_refused(errno) => Ok(()),
            done => Ok(done?),
        }
    }

    /// Tells whether this directory has the same extended attributes as another, as far as they are the user's own.
    ///
    /// # Errors
    /// The system's.
    pub fn has_same_attributes(&self, other: &Handle) -> io::Result<bool> {
        have_same_attributes(&self.0, &other.0)
    }

    /// Calls `f` with a directory and a path from there that is short enough for one system call.
    fn reach<T>(
        &self,
        path: &RelPath,
        f: impl Fn(&OwnedFd, &[u8]) -> rustix::io::Result<T>,
    ) -> io::Result<T> {
        if path.as_bytes().len() < LONG {
            let tail = if path.is_root() { &b"."[..] } else { path.as_bytes() };
            return Ok(f(&self.0, tail)?);
        }
        match path.split() {
            Some((parent, name)) => Ok(f(&self.open_through(&parent)?.0, name.as_bytes())?),
            None => Ok(f(&self.0, b".")?),
        }
    }
}

/// Calls `each` with the name and kind of everything in a directory but `.` and `..`.
#[cfg(target_os = "linux")]
fn each_entry(dir: &OwnedFd, mut each: impl FnMut(&CStr, FileType) -> io::Result<()>) -> io::Result<()> {
    thread_local! {
        // Not on the stack: entering a frame touches all its pages, and a small directory fills a part of one.
        static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    }
    let mut buffer = BUFFER.take();
    buffer.reserve(32 * 1024);
    let mut entries = rustix::fs::RawDir::new(dir, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            each(entry.file_name(), entry.file_type())?;
        }
    }
    BUFFER.set(buffer);
    Ok(())
}

/// As on Linux, whose way saves a copy of every name.
#[cfg(not(target_os = "linux"))]
fn each_entry(dir: &OwnedFd, mut each: impl FnMut(&CStr, FileType) -> io::Result<()>) -> io::Result<()> {
    for entry in rustix::fs::Dir::read_from(dir)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            each(entry.file_name(), entry.file_type())?;
        }
    }
    Ok(())
}

/// Puts the text of a link in the place of what `text` holds.
fn read_link(dir: &OwnedFd, name: &[u8], text: &mut Vec<u8>) -> io::Result<()> {
    let mut room = 256;
    loop {
        text.clear();
        text.reserve(room);
        rustix::fs::readlinkat_raw(dir, name, rustix::buffer::spare_capacity(text))?;
        // What fills the room may have been cut.
        if text.len() < text.capacity() {
            return Ok(());
        }
        room = 2 * text.capacity();
    }
}

/// Tells what opening `path` would find, links followed.
///
/// # Errors
/// The system's, where it leaves the question open.
pub fn leads(path: &Path) -> io::Result<Leads> {
    let Some((above, name)) = path.parent().zip(path.file_name()) else { return Ok(Leads::Dir) };
    match Handle::open(above) {
        Ok(above) => above.name_leads(name.as_bytes()),
        Err(error) if is_nowhere(&error) => Ok(Leads::Nothing),
        Err(error) => Err(error),
    }
}

/// Renames as the flags say, where the file system knows them.
fn rename_with(
    from: &Handle,
    name: &[u8],
    to: &Handle,
    new_name: &[u8],
    flags: RenameFlags,
) -> rustix::io::Result<()> {
    fault::flags(flags)?;
    rustix::fs::renameat_with(&from.0, name, &to.0, new_name, flags)
}

/// Tells whether an error says that a file system cannot rename as flags say.
fn knows_no_flags(errno: Errno) -> bool {
    errno == Errno::INVAL || is_unsupported(errno)
}

fn lead(stat: io::Result<Stat>) -> io::Result<Leads> {
    match stat {
        Ok(stat) if kind_of(&stat) == Found::Dir => Ok(Leads::Dir),
        Ok(_) => Ok(Leads::Other),
        Err(error) if is_nowhere(&error) => Ok(Leads::Nothing),
        Err(error) => Err(error),
    }
}

/// Cuts a path where it would be too long for one system call.
fn pieces(path: &RelPath) -> impl Iterator<Item = &[u8]> {
    let mut rest = path.as_bytes();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let cut = if rest.len() < LONG {
            rest.len()
        } else {
            let within = rest[..LONG].iter().rposition(|&b| b == b'/');
            within.or_else(|| rest.iter().position(|&b| b == b'/')).unwrap_or(rest.len())
        };
        let (piece, tail) = rest.split_at(cut);
        rest = tail.strip_prefix(b"/").unwrap_or(tail);
        Some(piece)
    })
}

fn open_dir(from: Option<&OwnedFd>, path: &[u8], flags: OFlags) -> io::Result<OwnedFd> {
    let flags = DIRECTORY | flags;
    Ok(match from {
        Some(from) => rustix::fs::openat(from, path, flags, Mode::empty())?,
        None => rustix::fs::open(path, flags, Mode::empty())?,
    })
}

/// Opens a directory below another without following any link.
fn open_beneath(from: &OwnedFd, path: &[u8]) -> io::Result<OwnedFd> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::ResolveFlags;
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
        match rustix::fs::openat2(from, path, DIRECTORY, Mode::empty(), resolve) {
            // Kernels before 5.6, and sandboxes that do not know the call.
            Err(Errno::NOSYS | Errno::PERM) => {}
            opened => return Ok(opened?),
        }
    }
    let mut at: Option<OwnedFd> = None;
    for segment in path.split(|&b| b == b'/') {
        at = Some(open_dir(Some(at.as_ref().unwrap_or(from)), segment, OFlags::NOFOLLOW)?);
    }
    at.ok_or_else(|| Errno::NOENT.into())
}

/// Gives an open file the owner, permissions, times and extended attributes of another.
///
/// # Errors
/// The system's, and "permission denied" where the owner cannot be the same.
pub fn copy_file_metadata(from: &std::fs::File, to: &std::fs::File) -> io::Result<()> {
    copy_metadata(from, to)
}

fn copy_metadata(from: impl AsFd, to: impl AsFd) -> io::Result<()> {
    let stat = rustix::fs::fstat(&from)?;
    // The owner first: a change of it takes away rights to set.
    let rights = copy_owner(&stat, &to)?;
    copy_attributes(&from, &to)?;
    rustix::fs::fchmod(&to, rights)?;
    Ok(rustix::fs::futimens(&to, &times(&stat))?)
}

/// Gives an open file the owner and the group that another has; returns the permissions that it may have then.
fn copy_owner(stat: &Stat, to: impl AsFd) -> io::Result<Mode> {
    let has = rustix::fs::fstat(&to)?;
    let rights = Mode::from_raw_mode(stat.st_mode & 0o7777);
    let uid = (has.st_uid != stat.st_uid).then(|| Uid::from_raw(stat.st_uid));
    let gid = (has.st_gid != stat.st_gid).then(|| Gid::from_raw(stat.st_gid));
    if uid.is_none() && gid.is_none() {
        return Ok(rights);
    }
    match rustix::fs::fchown(&to, uid, gid) {
        Err(errno) if is_refused(errno) && uid.is_none() => Ok(rights - (Mode::SUID | Mode::SGID)),
        Err(errno) if is_refused(errno) => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to another user, and a copy there cannot",
        )),
        done => Ok(done.map(|()| rights)?),
    }
}

/// Tells whether a file system, or who asks it, cannot do this at all. An owner that a container does not know is invalid.
fn is_refused(errno: Errno) -> bool {
    [Errno::PERM, Errno::ACCESS, Errno::INVAL].contains(&errno) || is_unsupported(errno)
}

/// Tells whether a file system does not have something. On macOS the two have numbers of their own.
fn is_unsupported(errno: Errno) -> bool {
    [Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOSYS].contains(&errno)
}

fn times(stat: &Stat) -> rustix::fs::Timestamps {
    let time = |seconds, nanoseconds| rustix::fs::Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    rustix::fs::Timestamps {
        last_access: time(stat.st_atime as _, stat.st_atime_nsec as _),
        last_modification: time(stat.st_mtime as _, stat.st_mtime_nsec as _),
    }
}

/// Copies the extended attributes: those that are the user's all of them, the system's as far as the other file system
/// takes them.
fn copy_attributes(from: impl AsFd, to: impl AsFd) -> io::Result<()> {
    for name in attributes(&from)? {
        let value = attribute(&from, &name)?;
        match rustix::fs::fsetxattr(&to, &*name, &value, XattrFlags::empty()) {
            Err(errno) if is_refused(errno) && !is_users(&name) => {}
            Err(errno) if is_users(&name) => {
                let error = io::Error::from(errno);
                let name = String::from_utf8_lossy(&name);
                let words = format!("its attribute {name} cannot be kept there: {error}");
                return Err(io::Error::new(error.kind(), words));
            }
            set => set?,
        }
    }
    Ok(())
}

/// Tells whether two open files have the same extended attributes, as far as they are the user's own.
///
/// # Errors
/// The system's.
pub fn have_same_attributes(one: impl AsFd, other: impl AsFd) -> io::Result<bool> {
    let read = |file: BorrowedFd| {
        let names = attributes(file)?.into_iter().filter(|name| name.starts_with(b"user."));
        names.map(|name| Ok((attribute(file, &name)?, name))).collect::<io::Result<BTreeSet<_>>>()
    };
    Ok(read(one.as_fd())? == read(other.as_fd())?)
}

/// Tells whether an extended attribute was set by the user, and is not the system's own record.
fn is_users(name: &[u8]) -> bool {
    if cfg!(target_os = "macos") {
        !name.starts_with(b"com.apple.")
    } else {
        name.starts_with(b"user.") || name.starts_with(b"system.posix_acl_")
    }
}

/// Returns the names of the extended attributes.
fn attributes(file: impl AsFd) -> io::Result<Vec<Vec<u8>>> {
    let mut names = vec![0; 64 * 1024];
    let length = match rustix::fs::flistxattr(&file, &mut names[..]) {
        Err(errno) if is_refused(errno) => 0,
        listed => listed?,
    };
    let names = names[..length].split(|&b| b == 0).filter(|name| !name.is_empty());
    Ok(names.map(<[u8]>::to_vec).collect())
}

fn attribute(file: impl AsFd, name: &[u8]) -> io::Result<Vec<u8>> {
    let mut value = vec![0; 64 * 1024];
    let length = rustix::fs::fgetxattr(&file, name, &mut value[..])?;
    value.truncate(length);
    Ok(value)
}

fn kind_of(stat: &Stat) -> Found {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Found::Dir,
        FileType::Symlink => Found::Link,
        FileType::RegularFile => Found::File,
        _ => Found::Other,
    }
}

/// Tells whether an error says that a file must be open for writing to be locked, as on NFS.
pub fn wants_writing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::BADF.raw_os_error())
}

/// Tells whether an error says that a path leads nowhere, rather than that nobody could look.
pub fn is_nowhere(error: &io::Error) -> bool {
    let nowhere = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::NAMETOOLONG];
    nowhere.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Tells whether an error says that as many files are open as may be.
pub fn is_for_want_of_descriptors(error: &io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Returns how many files a process may have open.
pub fn most_open_files() -> usize {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    most.and_then(|most| most.try_into().ok()).unwrap_or(usize::MAX)
}

/// Returns the machine's name in the network.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Tells whether an error says that a path leads nowhere, or nowhere that one may go.
pub fn is_out_of_reach(error: &io::Error) -> bool {
    is_nowhere(error) || error.kind() == io::ErrorKind::PermissionDenied
}

/// Returns bytes as the system's string.
pub fn os(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// Where tests let system calls fail.
#[cfg(test)]
pub mod fault {
    use std::cell::{Cell, RefCell};
    use std::io;

    use rustix::fs::RenameFlags;
    use rustix::io::Errno;

    /// What happens at a system call.
    #[derive(Clone, Copy, Debug)]
    pub enum Fault {
        /// It fails with this error, and the ones after it work.
        Once(Errno),
        /// The process is dead: it and all after it do nothing.
        Death,
    }

    /// Gets the number of a call, and tells whether he is done.
    type Somebody = Box<dyn Fn(usize) -> bool>;

    thread_local! {
        static NEXT: Cell<Option<(usize, Fault)>> = const { Cell::new(None) };
        static CALLS: Cell<usize> = const { Cell::new(0) };
        static UNKNOWN: Cell<(RenameFlags, Errno)> = const { Cell::new((RenameFlags::empty(), Errno::INVAL)) };
        static SOMEBODY: RefCell<Option<Somebody>> = const { RefCell::new(None) };
    }

    /// Lets somebody else at the disk before each of this thread's calls, until he says that he is done.
    pub fn meanwhile(somebody: impl Fn(usize) -> bool + 'static) {
        SOMEBODY.set(Some(Box::new(somebody)));
        CALLS.set(0);
    }

    /// Tells whether he never was done, and sends him away.
    pub fn is_waiting() -> bool {
        SOMEBODY.take().is_some()
    }

    /// Lets the call with this number, counted from 0, fail on this thread; `None` disarms. Counting begins anew.
    pub fn arm(fault: Option<(usize, Fault)>) {
        NEXT.set(fault);
        CALLS.set(0);
    }

    /// Returns how many calls there were since the last [`arm`].
    pub fn calls() -> usize {
        CALLS.get()
    }

    /// Does something that is no part of what is tried: its calls do not count.
    pub fn aside<T>(f: impl FnOnce() -> T) -> T {
        let (next, calls) = (NEXT.replace(None), CALLS.get());
        let value = f();
        NEXT.set(next);
        CALLS.set(calls);
        value
    }

    /// Makes this thread's file systems ones that do not know these flags, and say so with this error.
    pub fn without(unknown: RenameFlags, errno: Errno) {
        UNKNOWN.set((unknown, errno));
    }

    pub fn flags(flags: RenameFlags) -> rustix::io::Result<()> {
        let (unknown, errno) = UNKNOWN.get();
        if unknown.intersects(flags) { Err(errno) } else { Ok(()) }
    }

    pub fn point() -> io::Result<()> {
        let number = CALLS.get();
        CALLS.set(number + 1);
        if let Some(somebody) = SOMEBODY.take()
            && !somebody(number)
        {
            SOMEBODY.set(Some(somebody));
        }
        match NEXT.get() {
            Some((at, Fault::Once(errno))) if at == number => Err(errno.into()),
            Some((at, Fault::Death)) if at <= number => Err(io::Error::other("dead")),
            _ => Ok(()),
        }
    }
}

#[cfg(not(test))]
pub(crate) mod fault {
    #[inline(always)]
    pub fn point() -> std::io::Result<()> {
        Ok(())
    }

    #[inline(always)]
    pub fn flags(_: rustix::fs::RenameFlags) -> rustix::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_that_knows_no_flags_is_got_round_whatever_it_says() {
        let temp = assert_fs::TempDir::new().expect("a directory");
        let dir = Handle::open(temp.path()).expect("it is there");
        let names = || std::fs::read_dir(temp.path()).expect("a directory").count();
        dir.symlink(b"text", b"a").expect("a link");
        dir.symlink(b"text", b"b").expect("a link");
        for errno in [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP] {
            fault::without(RenameFlags::all(), errno);
            assert!(!dir.exchange(b"a", &dir, b"b").expect("an answer"), "{errno}");
            let refused = dir.rename(b"a", &dir, b"b").expect_err("something is there");
            assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists, "{errno}");
            let refused = dir.place(b"a", &dir, b"b").expect_err("something is there");
            assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists, "{errno}");
            dir.rename(b"a", &dir, b"c").expect("a move");
            dir.place(b"c", &dir, b"a").expect("a move");
            assert_eq!(names(), 2, "{errno}");
        }
        fault::without(RenameFlags::empty(), Errno::INVAL);
        assert!(!dir.is_second_name(b"a", &dir, b"b").expect("an answer"));
        std::fs::hard_link(temp.path().join("a"), temp.path().join("c")).expect("a second name");
        assert!(dir.is_second_name(b"a", &dir, b"c").expect("an answer"));
    }
}
