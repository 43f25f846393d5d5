// The preset for Workers supports WebAssembly only with this setting. The module stays a file, because Workers
// cannot compile bytes.
export default {
  srcDir: 'server',
  compatibilityDate: '2025-06-01',
  ...(process.env.WASM && { experimental: { wasm: true }, wasm: { lazy: false, esmImport: true } }),
}
