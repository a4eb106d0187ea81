-- Paper by day, ink by night: 'background' decides.
vim.cmd.highlight 'clear'
vim.g.colors_name = 'paper'

local p = vim.o.background == 'dark'
    and {
      bg = '#171a1f', fg = '#d9d4c7', dim = '#7c838f', line = '#20242b', select = '#343a44',
      red = '#d9706a', green = '#93b56a', yellow = '#d3a554', blue = '#76a3d6', purple = '#bb8cc2',
    }
  or {
    bg = '#f6f2e9', fg = '#2b2a27', dim = '#8a8578', line = '#ece6d8', select = '#ded6c4',
    red = '#a8322d', green = '#4f7327', yellow = '#9a6a12', blue = '#2f5f94', purple = '#7d4584',
  }

local groups = {
  Normal = { fg = p.fg, bg = p.bg },
  CursorLine = { bg = p.line },
  LineNr = { fg = p.dim },
  CursorLineNr = { fg = p.fg, bold = true },
  Visual = { bg = p.select },
  Search = { bg = p.yellow, fg = p.bg },
  StatusLine = { fg = p.fg, bg = p.select },
  Comment = { fg = p.dim, italic = true },
  Constant = { fg = p.purple },
  String = { fg = p.green },
  Identifier = { fg = p.fg },
  Function = { fg = p.blue },
  Statement = { fg = p.fg, bold = true },
  Type = { fg = p.blue },
  Special = { fg = p.yellow },
  Error = { fg = p.red },
  DiagnosticError = { fg = p.red },
  DiagnosticWarn = { fg = p.yellow },
}

for name, style in pairs(groups) do
  vim.api.nvim_set_hl(0, name, style)
end
