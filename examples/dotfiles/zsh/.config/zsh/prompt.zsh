# starship where it is installed, else two plain lines.
if (( $+commands[starship] )); then
  eval "$(starship init zsh)"
else
  PROMPT=$'%F{blue}%~%f\n%(?.%F{green}.%F{red})%#%f '
fi
