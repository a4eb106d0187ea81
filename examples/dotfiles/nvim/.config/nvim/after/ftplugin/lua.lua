vim.bo.shiftwidth = 2
vim.bo.commentstring = '-- %s'
