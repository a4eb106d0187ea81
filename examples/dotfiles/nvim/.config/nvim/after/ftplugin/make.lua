vim.bo.expandtab = false
vim.bo.tabstop = 8
vim.bo.shiftwidth = 8
