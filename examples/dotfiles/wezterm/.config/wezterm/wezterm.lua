local wezterm = require 'wezterm'
local config = wezterm.config_builder()

require('appearance').apply(config)
require('keys').apply(config)
require('tabs').apply(config)

config.scrollback_lines = 20000
config.audible_bell = 'Disabled'
config.check_for_updates = false
config.window_close_confirmation = 'NeverPrompt'

return config
