# Read once at login. macOS resets PATH after .zshenv, so PATH is set here.
typeset -U path fpath

if [[ -x /opt/homebrew/bin/brew ]]; then
  eval "$(/opt/homebrew/bin/brew shellenv)"
fi

path=(
  $HOME/.local/bin
  $HOME/.cargo/bin
  $path
)
