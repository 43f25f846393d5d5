// The preset for Workers has WebAssembly only when it is asked for. The module stays a file: Workers compile no bytes.
export default {
  srcDir: 'server',
  compatibilityDate: '2025-06-01',
  ...(process.env.WASM && { experimental: { wasm: true }, wasm: { lazy: false, esmImport: true } }),
}
