// The module stays a file for the preset for Workers, as in ../nitro.
export default {
  compatibilityDate: '2025-06-01',
  telemetry: false,
  ...(process.env.WASM && { nitro: { experimental: { wasm: true }, wasm: { lazy: false, esmImport: true } } }),
}
