// The files that the build generates (wasm/), and the forms in which platforms provide a `.wasm` import.
declare module '*/wasm/glue.js' {
  export function createGlue(): import('./wasm.js').Glue
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
