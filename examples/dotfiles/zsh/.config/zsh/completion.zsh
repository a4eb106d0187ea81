autoload -Uz compinit

# The dump is rebuilt once a day; on the other starts it is trusted.
dump=$XDG_CACHE_HOME/zsh/compdump
[[ -d ${dump:h} ]] || mkdir -p ${dump:h}
if [[ -n $dump(#qN.mh-24) ]]; then
  compinit -C -d $dump
else
  compinit -d $dump
fi
unset dump

zstyle ':completion:*' menu select
zstyle ':completion:*' matcher-list 'm:{a-z}={A-Z}' 'r:|[._-]=* r:|=*'
zstyle ':completion:*' group-name ''
zstyle ':completion:*:descriptions' format '%B%d%b'
zstyle ':completion:*:kill:*' command 'ps -u $USER -o pid,%cpu,command'
