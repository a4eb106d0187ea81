-- A server starts only where its program is installed.
local servers = {
  { name = 'lua_ls', cmd = { 'lua-language-server' }, filetypes = { 'lua' }, root = { '.luarc.json', '.git' } },
  { name = 'rust_analyzer', cmd = { 'rust-analyzer' }, filetypes = { 'rust' }, root = { 'Cargo.toml' } },
  { name = 'gopls', cmd = { 'gopls' }, filetypes = { 'go' }, root = { 'go.mod' } },
}

local group = vim.api.nvim_create_augroup('lsp', { clear = true })

for _, server in ipairs(servers) do
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    pattern = server.filetypes,
    callback = function(args)
      if vim.fn.executable(server.cmd[1]) == 0 then
        return
      end
      local marker = vim.fs.find(server.root, { upward = true, path = vim.fs.dirname(args.file) })[1]
      vim.lsp.start {
        name = server.name,
        cmd = server.cmd,
        root_dir = marker and vim.fs.dirname(marker) or vim.fn.getcwd(),
      }
    end,
  })
end

vim.api.nvim_create_autocmd('LspAttach', {
  group = group,
  callback = function(args)
    local function map(key, action, desc)
      vim.keymap.set('n', key, action, { buffer = args.buf, desc = desc })
    end
    map('gd', vim.lsp.buf.definition, 'Definition')
    map('gr', vim.lsp.buf.references, 'References')
    map('K', vim.lsp.buf.hover, 'Hover')
    map('<leader>r', vim.lsp.buf.rename, 'Rename')
    map('<leader>a', vim.lsp.buf.code_action, 'Action')
  end,
})
