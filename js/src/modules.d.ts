// Declares the files that the build generates in wasm/, and the two kinds of `.wasm` imports.
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
