//! What the system knows of users: home directories, for the `~` and `~user` of resource files, and the name of who runs
//! the program.

use std::fs;
use std::process::{Command, Stdio};

/// Returns the home directory of the user who runs the program.
pub fn own_home() -> Option<Vec<u8>> {
    let id = rustix::process::getuid().as_raw().to_string();
    find(id.as_bytes(), 2)
}

/// Returns the home directory of the user called `name`.
pub fn home_of(name: &[u8]) -> Option<Vec<u8>> {
    find(name, 0)
}

/// Returns the name of the user as whom the program acts.
pub fn own_name() -> Option<String> {
    let id = rustix::process::geteuid().as_raw().to_string();
    let local = fs::read("/etc/passwd").ok().and_then(|users| field_in(&users, id.as_bytes(), 2, 0));
    // macOS has its users elsewhere, and no getent.
    let asked = || {
        let asked = Command::new("id").arg("-un").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        asked.status.success().then(|| asked.stdout.trim_ascii_end().to_vec())
    };
    let name = local.or_else(asked).filter(|name| !name.is_empty())?;
    Some(String::from_utf8_lossy(&name).into_owned())
}

/// Looks a user up in the file of users, then in whatever else the system asks, by way of `getent`.
fn find(key: &[u8], field: usize) -> Option<Vec<u8>> {
    let local = fs::read("/etc/passwd").ok().and_then(|users| home_in(&users, key, field));
    local.or_else(|| {
        let key = std::str::from_utf8(key).ok().filter(|key| !key.contains('\0'))?;
        let asked = Command::new("getent")
            .args(["passwd", "--", key])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        home_in(&asked.stdout, key.as_bytes(), field)
    })
}

/// Returns the sixth field of the line whose field number `field` is `key`.
fn home_in(users: &[u8], key: &[u8], field: usize) -> Option<Vec<u8>> {
    field_in(users, key, field, 5)
}

/// Returns the field number `wanted` of the line whose field number `field` is `key`.
fn field_in(users: &[u8], key: &[u8], field: usize, wanted: usize) -> Option<Vec<u8>> {
    users.split(|&b| b == b'\n').find_map(|line| {
        let fields: Vec<&[u8]> = line.split(|&b| b == b':').collect();
        (fields.get(field) == Some(&key)).then(|| fields.get(wanted).map(|found| found.to_vec()))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_homes_and_names_by_name_and_by_number() {
        let users = b"root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\nbroken:x\n";
        assert_eq!(home_in(users, b"me", 0).as_deref(), Some(&b"/home/me"[..]));
        assert_eq!(home_in(users, b"0", 2).as_deref(), Some(&b"/root"[..]));
        assert_eq!(home_in(users, b"broken", 0), None);
        assert_eq!(field_in(users, b"1000", 2, 0).as_deref(), Some(&b"me"[..]));
        assert_eq!(home_in(users, b"you", 0), None);
    }
}
