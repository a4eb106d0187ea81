local opt = vim.opt

opt.number = true
opt.relativenumber = true
opt.signcolumn = 'yes'
opt.cursorline = true
opt.scrolloff = 4
opt.wrap = false
opt.list = true
opt.listchars = { tab = '> ', trail = '.', nbsp = '+' }

opt.expandtab = true
opt.shiftwidth = 2
opt.tabstop = 2
opt.smartindent = true

opt.ignorecase = true
opt.smartcase = true
opt.inccommand = 'split'

opt.splitright = true
opt.splitbelow = true
opt.undofile = true
opt.updatetime = 300
opt.completeopt = { 'menu', 'menuone', 'noselect' }
