# mkcd DIR: makes a directory and goes there.
mkcd() {
  mkdir -p -- "$1" && cd -- "$1"
}

# up [N]: goes up N directories.
up() {
  local count=${1:-1} to=
  repeat $count to+=../
  cd -- "$to"
}

# port N: shows what listens on a port.
port() {
  lsof -nP -iTCP:"$1" -sTCP:LISTEN
}

# note [WORD...]: adds a line to today's note, or opens it.
note() {
  local file=$HOME/notes/$(date +%F).md
  mkdir -p -- "${file:h}"
  if (( $# )); then
    print -r -- "- $(date +%H:%M) $*" >>"$file"
  else
    $EDITOR "$file"
  fi
}
