# Read by every zsh, scripts included: only the environment, nothing that prints.
export XDG_CONFIG_HOME=${XDG_CONFIG_HOME:-$HOME/.config}
export XDG_CACHE_HOME=${XDG_CACHE_HOME:-$HOME/.cache}
export XDG_DATA_HOME=${XDG_DATA_HOME:-$HOME/.local/share}
export XDG_STATE_HOME=${XDG_STATE_HOME:-$HOME/.local/state}

export EDITOR=nvim
export VISUAL=nvim
export PAGER=less
export LESS='--RAW-CONTROL-CHARS --quit-if-one-screen --ignore-case'
