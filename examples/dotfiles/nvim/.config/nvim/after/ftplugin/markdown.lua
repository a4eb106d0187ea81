vim.wo.wrap = true
vim.wo.linebreak = true
vim.wo.spell = true
