local M = {}

--- Errors and warnings of the current buffer, or nothing.
function M.diagnostics()
  local parts = {}
  for name, severity in pairs { E = 'ERROR', W = 'WARN' } do
    local count = #vim.diagnostic.get(0, { severity = vim.diagnostic.severity[severity] })
    if count > 0 then
      table.insert(parts, name .. count)
    end
  end
  table.sort(parts)
  return table.concat(parts, ' ')
end

vim.o.laststatus = 3
vim.o.statusline = "%f %m%r%= %{v:lua.require'statusline'.diagnostics()}  %y  %l:%c  %p%%"

return M
