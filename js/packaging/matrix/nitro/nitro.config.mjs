// Nitro's preset for Workers supports WebAssembly only with this setting. The setting keeps the module as a separate
// file, because Workers cannot compile a module from bytes.
export default {
  srcDir: 'server',
  compatibilityDate: '2025-06-01',
  ...(process.env.WASM && { experimental: { wasm: true }, wasm: { lazy: false, esmImport: true } }),
}
