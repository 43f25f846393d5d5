// Runs wasm-opt, and removes code that wasm-opt cannot recognise as unused: formatting functions whose output
// is never read.
import binaryen from 'binaryen'

const { Features } = binaryen
/** Listed individually, because all features together are more than Node 20 and 24 accept. */
const FEATURES =
  Features.BulkMemory |
  Features.BulkMemoryOpt |
  Features.CallIndirectOverlong |
  Features.Multivalue |
  Features.MutableGlobals |
  Features.NontrappingFPToInt |
  Features.ReferenceTypes |
  Features.SignExt

/**
 * If a value has the wrong type, serde formats the value into its error message. The code for this needs 8 KB
 * (brotli), because it can format any value, including floats. Here the value can only be an option, and
 * `src/options.ts` has already refused an option of a wrong type. Therefore these functions write nothing.
 */
const SHOWN_AS_NOTHING = [
  '<serde_core::de::Unexpected as core::fmt::Display>::fmt',
  '<serde_core::de::WithDecimalPoint as core::fmt::Display>::fmt',
  '<f64 as core::fmt::Display>::fmt',
  '<&str as core::fmt::Debug>::fmt',
]

/**
 * The maximum size of a function with one caller that is inlined there. A higher limit makes the module larger,
 * not faster.
 */
const ONE_CALLER_INLINE_MAX_SIZE = 30

/** Optimises a module that contains its function names, and removes the names. */
export function shrunk(wasm) {
  const module = binaryen.readBinary(wasm)
  module.setFeatures(FEATURES)
  for (const wanted of SHOWN_AS_NOTHING) {
    // Another compiler version may name a function differently. Then the function stays, and the size check fails.
    for (const name of functionNames(module)) if (withoutHash(name) === wanted) showNothing(module, name)
  }
  binaryen.setOptimizeLevel(3)
  binaryen.setShrinkLevel(0)
  binaryen.setOneCallerInlineMaxSize(ONE_CALLER_INLINE_MAX_SIZE)
  module.optimize()
  module.runPasses(['strip-producers', 'strip-target-features'])
  const result = module.emitBinary()
  module.dispose()
  return Buffer.from(result)
}

/** Makes the function return 0, which is `Ok` of `fmt::Result`. */
function showNothing(module, name) {
  const { params, results } = binaryen.getFunctionInfo(module.getFunction(name))
  module.removeFunction(name)
  module.addFunction(name, params, results, [], module.i32.const(0))
}

const functionNames = module =>
  Array.from(
    { length: module.getNumFunctions() },
    (_, index) => binaryen.getFunctionInfo(module.getFunctionByIndex(index)).name,
  )

const withoutHash = name => name.replace(/::h[0-9a-f]{16}$|\[[0-9a-f]+\]/g, '')
