vim.bo.shiftwidth = 4
vim.wo.colorcolumn = '101'
vim.bo.makeprg = 'cargo check --message-format=short'
