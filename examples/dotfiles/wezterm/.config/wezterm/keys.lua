local wezterm = require 'wezterm'
local act = wezterm.action
local M = {}

local directions = { h = 'Left', j = 'Down', k = 'Up', l = 'Right' }

function M.apply(config)
  config.leader = { key = 'Space', mods = 'CTRL', timeout_milliseconds = 1500 }
  config.keys = {
    { key = '|', mods = 'LEADER|SHIFT', action = act.SplitHorizontal { domain = 'CurrentPaneDomain' } },
    { key = '-', mods = 'LEADER', action = act.SplitVertical { domain = 'CurrentPaneDomain' } },
    { key = 'z', mods = 'LEADER', action = act.TogglePaneZoomState },
    { key = 'c', mods = 'LEADER', action = act.SpawnTab 'CurrentPaneDomain' },
    { key = 'v', mods = 'LEADER', action = act.ActivateCopyMode },
    { key = 's', mods = 'LEADER', action = act.ShowLauncherArgs { flags = 'FUZZY|WORKSPACES' } },
  }
  for key, direction in pairs(directions) do
    table.insert(config.keys, { key = key, mods = 'LEADER', action = act.ActivatePaneDirection(direction) })
  end
  for tab = 1, 9 do
    table.insert(config.keys, { key = tostring(tab), mods = 'LEADER', action = act.ActivateTab(tab - 1) })
  end
end

return M
