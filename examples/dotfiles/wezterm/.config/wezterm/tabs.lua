local wezterm = require 'wezterm'
local M = {}

--- The last part of a pane's directory, or its program where it has none.
local function title(tab)
  local directory = tab.active_pane.current_working_dir
  local path = directory and directory.file_path or ''
  return path:match '([^/]+)/*$' or tab.active_pane.title
end

function M.apply(config)
  config.use_fancy_tab_bar = false
  config.hide_tab_bar_if_only_one_tab = true
  config.tab_bar_at_bottom = true
  config.tab_max_width = 28
  wezterm.on('format-tab-title', function(tab)
    return string.format(' %d %s ', tab.tab_index + 1, title(tab))
  end)
end

return M
