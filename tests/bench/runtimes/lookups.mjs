// Looks up handles inside wasm, in a list of 1,000,000 handles. One call does many lookups, because a call from
// JavaScript takes longer than a lookup.

const HANDLES = 1_000_000

/**
 * Returns a function that looks up a number of random handles from the same blocks. `module` is built from `lookup/`.
 */
export function lookups(module) {
  const { exports } = new WebAssembly.Instance(module, unused(module))
  // The name of an export ends with a hash of the package, so only the beginning of the name is compared.
  const [create, run] = ['lookups_new_', 'lookups_run_'].map(
    start => exports[Object.keys(exports).find(name => name.startsWith(start))],
  )
  const set = create(HANDLES)
  return count => {
    if (run(set, count) === 0) throw new Error('some of the handles must be revoked')
  }
}

/** Returns empty imports. wasm-bindgen imports functions for kinds of values that this module does not use. */
function unused(module) {
  const imports = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {}
    imports[from][name] = () => {}
  }
  return imports
}
