local wezterm = require 'wezterm'
local M = {}

--- Follows the system: paper by day, ink by night.
local function scheme()
  if wezterm.gui and wezterm.gui.get_appearance():find 'Dark' then
    return 'Ink'
  end
  return 'Paper'
end

function M.apply(config)
  config.color_scheme = scheme()
  config.font = wezterm.font_with_fallback { 'Iosevka', 'Menlo', 'Noto Sans Mono' }
  config.font_size = 14.0
  config.line_height = 1.1
  config.window_decorations = 'RESIZE'
  config.window_padding = { left = 8, right = 8, top = 6, bottom = 2 }
  config.inactive_pane_hsb = { saturation = 0.9, brightness = 0.85 }
end

return M
