vim.wo.spell = true
vim.wo.colorcolumn = '51,73'
vim.bo.textwidth = 72
