local M = {}

--- Opens today's note and goes to its end.
function M.today()
  local path = vim.fn.expand('~/notes/' .. os.date '%Y-%m-%d' .. '.md')
  vim.cmd.edit(vim.fn.fnameescape(path))
  vim.cmd.normal { 'G', bang = true }
end

return M
