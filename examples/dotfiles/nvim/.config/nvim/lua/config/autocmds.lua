local group = vim.api.nvim_create_augroup('config', { clear = true })
local on = function(event, options)
  options.group = group
  vim.api.nvim_create_autocmd(event, options)
end

-- Show what was yanked.
on('TextYankPost', {
  callback = function()
    vim.highlight.on_yank { timeout = 150 }
  end,
})

-- Go back to the line where the file was left.
on('BufReadPost', {
  callback = function(args)
    local mark = vim.api.nvim_buf_get_mark(args.buf, '"')
    if mark[1] > 0 and mark[1] <= vim.api.nvim_buf_line_count(args.buf) then
      pcall(vim.api.nvim_win_set_cursor, 0, mark)
    end
  end,
})

-- Make missing directories on write.
on('BufWritePre', {
  callback = function(args)
    if not args.match:match '^%w+://' then
      vim.fn.mkdir(vim.fn.fnamemodify(args.match, ':p:h'), 'p')
    end
  end,
})
