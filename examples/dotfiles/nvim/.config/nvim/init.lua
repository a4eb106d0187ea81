-- No plugins: what Neovim has built in, and a few small files.
vim.g.mapleader = ' '
vim.g.maplocalleader = ','

require 'config.options'
require 'config.keymaps'
require 'config.autocmds'
require 'config.lsp'
require 'statusline'

vim.cmd.colorscheme 'paper'
