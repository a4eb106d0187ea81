local map = vim.keymap.set

map('n', '<Esc>', '<Cmd>nohlsearch<CR>')
map('n', '<leader>w', '<Cmd>write<CR>', { desc = 'Write' })
map('n', '<leader>q', '<Cmd>confirm quit<CR>', { desc = 'Quit' })
map('n', '<leader>e', '<Cmd>Explore<CR>', { desc = 'Files' })

for _, key in ipairs { 'h', 'j', 'k', 'l' } do
  map('n', '<C-' .. key .. '>', '<C-w>' .. key, { desc = 'Window ' .. key })
end

map('v', '<', '<gv')
map('v', '>', '>gv')
map('v', 'J', ":move '>+1<CR>gv=gv", { silent = true })
map('v', 'K', ":move '<-2<CR>gv=gv", { silent = true })

map('n', '[q', '<Cmd>cprevious<CR>')
map('n', ']q', '<Cmd>cnext<CR>')

map('n', '<leader>n', function()
  require('notes').today()
end, { desc = "Today's note" })
map('n', '<leader>g', function()
  require('grep').ask()
end, { desc = 'Search in files' })
