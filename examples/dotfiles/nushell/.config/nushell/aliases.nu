alias v = nvim
alias l = ls
alias la = ls --all
alias g = git
alias gs = git status --short --branch
alias gd = git diff
