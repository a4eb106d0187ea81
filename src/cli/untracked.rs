//! Files that git does not know. Only git itself can tell: its index says what is tracked, and its ignore rules count.

use std::path::Path;
use std::process::{Command, Stdio};

use farm::RelPath;

/// Returns the files below `dir` that git neither tracks nor ignores, by their paths there; none where there is no git,
/// or no repository.
pub fn untracked(dir: &Path) -> Vec<RelPath> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--others", "--exclude-standard", "-z"]).current_dir(dir);
    // The repository that this lies in is meant, whatever a hook that called has said of another.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    // Nobody who only looks writes an index, or waits for one.
    git.env("GIT_OPTIONAL_LOCKS", "0").stdin(Stdio::null()).stderr(Stdio::null());
    let Ok(output) = git.output() else { return Vec::new() };
    let found = if output.status.success() { output.stdout } else { Vec::new() };
    found.split(|&byte| byte == 0).filter(|path| !path.is_empty()).filter_map(RelPath::new).collect()
}
