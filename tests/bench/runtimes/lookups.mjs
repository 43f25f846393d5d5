// Lookups in a list of 1,000,000 handles inside wasm, many a call: from JavaScript a call costs more than they do.

const HANDLES = 1_000_000

/** Of the module of `lookup/`: a function that looks so many random handles of the same blocks up. */
export function lookups(module) {
  const { exports } = new WebAssembly.Instance(module, unused(module))
  // Their names end in a hash of the package.
  const [create, run] = ['lookups_new_', 'lookups_run_'].map(
    start => exports[Object.keys(exports).find(name => name.startsWith(start))],
  )
  const set = create(HANDLES)
  return count => {
    if (run(set, count) === 0) throw new Error('of so many handles some are revoked')
  }
}

/** What wasm-bindgen imports for the sake of values that do not cross here. */
function unused(module) {
  const imports = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {}
    imports[from][name] = () => {}
  }
  return imports
}
