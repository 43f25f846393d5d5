// With this setting, the preset for Workers keeps the module as a separate file. ../nitro has the same setting.
export default {
  compatibilityDate: '2025-06-01',
  telemetry: false,
  ...(process.env.WASM && { nitro: { experimental: { wasm: true }, wasm: { lazy: false, esmImport: true } } }),
}
