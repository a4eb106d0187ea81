# The environment. Read before config.nu.
use std/util "path add"

$env.EDITOR = "nvim"
$env.VISUAL = "nvim"
$env.PAGER = "less"

path add ($env.HOME | path join ".cargo" "bin")
path add ($env.HOME | path join ".local" "bin")
