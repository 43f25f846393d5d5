// The presets for an edge take a module of the package, and have WebAssembly only when it is asked for. On Vercel it must stay a file:
// by default Nitro inlines it there, and the edge compiles no bytes.
export default {
  srcDir: 'server',
  compatibilityDate: '2025-06-01',
  ...(process.env.WASM && { experimental: { wasm: true }, wasm: { lazy: false, esmImport: true } }),
}
