local M = {}

if vim.fn.executable 'rg' == 1 then
  vim.o.grepprg = 'rg --vimgrep --smart-case'
  vim.o.grepformat = '%f:%l:%c:%m'
end

--- Asks for a pattern and fills the quickfix list with its matches.
function M.ask()
  vim.ui.input({ prompt = 'Search: ', default = vim.fn.expand '<cword>' }, function(pattern)
    if pattern and pattern ~= '' then
      vim.cmd { cmd = 'grep', args = { vim.fn.shellescape(pattern) }, bang = true, mods = { silent = true } }
      vim.cmd.copen()
    end
  end)
end

return M
