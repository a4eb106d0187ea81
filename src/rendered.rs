//! Files that farm writes itself, from texts and templates: named by their content, in the state directory, so that
//! an older generation's links find the older bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::path::{Name, Route};

/// The files that one request may link to, whether they are written yet or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rendered {
    /// The directory that they are in, as seen from the farm's root.
    pub dir: Route,
    /// Its name: one for each dotfiles directory.
    pub shelf: Name,
    /// The files, by their names there.
    pub files: BTreeMap<Name, Content>,
}

/// What is in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its permissions.
    pub mode: u32,
}

/// Where the state directory has the content of a file that farm puts into the target.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Stored {
    /// The directory: one for each dotfiles directory.
    pub shelf: Name,
    /// The name there, which begins with a hash of the content.
    pub name: Name,
}

impl Stored {
    /// Tells whether this is the content.
    pub fn is(&self, content: &Content) -> bool {
        self.name.as_bytes().starts_with(content.hash().as_bytes())
    }
}

impl Content {
    /// Returns the name that a file with this content gets; its end tells what it is for.
    pub fn name(&self, of: &Name) -> Name {
        // A name takes 255 bytes.
        let of = &of.as_bytes()[..of.as_bytes().len().min(200)];
        let name = [self.hash().as_bytes(), b"-", of].concat();
        Name::new(&name).expect("it begins with digits and has no slash")
    }

    fn hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.mode.to_le_bytes());
        hash.update(&self.bytes);
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}
