alias ..='cd ..'
alias ...='cd ../..'
alias v='nvim'
alias mv='mv -i'
alias cp='cp -i'

case $OSTYPE in
  darwin*) alias ls='ls -G' ;;
  *) alias ls='ls --color=auto' ;;
esac
alias l='ls -lh'
alias la='ls -lAh'

alias g='git'
alias gs='git status --short --branch'
alias gd='git diff'
alias gl='git log --oneline --graph --decorate -20'
alias gp='git push'
