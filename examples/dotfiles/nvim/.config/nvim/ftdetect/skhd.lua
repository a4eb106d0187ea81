vim.filetype.add {
  filename = { skhdrc = 'conf' },
  extension = { skhdrc = 'conf' },
}
