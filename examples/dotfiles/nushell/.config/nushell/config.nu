$env.config.show_banner = false
$env.config.edit_mode = "emacs"
$env.config.history.file_format = "sqlite"
$env.config.history.max_size = 50_000
$env.config.history.isolation = false
$env.config.completions.algorithm = "fuzzy"
$env.config.table.mode = "compact"
$env.config.rm.always_trash = true

source aliases.nu
source prompt.nu
use git.nu *
use notes.nu
