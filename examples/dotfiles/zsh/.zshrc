# Interactive shells. Each subject has a file of its own in ~/.config/zsh.
HISTFILE=$XDG_STATE_HOME/zsh/history
HISTSIZE=50000
SAVEHIST=50000
[[ -d ${HISTFILE:h} ]] || mkdir -p ${HISTFILE:h}

setopt hist_ignore_all_dups hist_ignore_space hist_reduce_blanks share_history
setopt auto_cd auto_pushd pushd_ignore_dups pushd_silent
setopt extended_glob interactive_comments no_beep

for part in completion keys aliases functions prompt; do
  source $XDG_CONFIG_HOME/zsh/$part.zsh
done
unset part

# What belongs to one machine only stays out of the repository.
if [[ -r $XDG_CONFIG_HOME/zsh/local.zsh ]]; then
  source $XDG_CONFIG_HOME/zsh/local.zsh
fi
