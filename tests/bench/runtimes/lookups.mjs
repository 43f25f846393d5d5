// Lookups in a list of 1,000,000 handles inside wasm, many per call, because a call from JavaScript costs more
// than a lookup.

const HANDLES = 1_000_000

/** From the module of `lookup/`, makes a function that looks up this many random handles from the same blocks. */
export function lookups(module) {
  const { exports } = new WebAssembly.Instance(module, unused(module))
  // The names of the module's exports end in a hash of the package.
  const [create, run] = ['lookups_new_', 'lookups_run_'].map(
    start => exports[Object.keys(exports).find(name => name.startsWith(start))],
  )
  const set = create(HANDLES)
  return count => {
    if (run(set, count) === 0) throw new Error('some of the handles must be revoked')
  }
}

/** Imports of wasm-bindgen for kinds of values that are not used here. */
function unused(module) {
  const imports = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {}
    imports[from][name] = () => {}
  }
  return imports
}
