const { readFileSync } = require('node:fs')
const { bind, isTokenError } = require('doorlist/slim')

const module_ = new WebAssembly.Module(readFileSync(require.resolve('doorlist/verifier.wasm')))
void Promise.all([import('./conformance.mjs'), import('./vectors.mjs')]).then(
  ([{ conformance }, { default: vectors }]) =>
    console.log(JSON.stringify(conformance({ ...bind(module_), isTokenError }, vectors))),
)
