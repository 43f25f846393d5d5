// What the build makes (wasm/), and how platforms hand over a `.wasm` import.
declare module '*/wasm/glue.js' {
  export function createGlue(): {
    __wbg_set_wasm(exports: WebAssembly.Exports): void
    Verifier: new (options: object) => import('./wasm.js').GlueVerifier
  }
}

declare module '*/wasm/inlined.js' {
  export const base64: string
}

declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}

declare module '*.wasm?module' {
  const module: WebAssembly.Module
  export default module
}
