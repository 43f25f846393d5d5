// Empties functions whose output is never read, and runs wasm-opt. wasm-opt itself cannot recognise that these
// functions are unnecessary.
import binaryen from 'binaryen'

const { Features } = binaryen
/** The features are listed one by one, because Node 20 and 24 do not support all features of wasm-opt. */
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
 * The functions that are emptied. If a value has a wrong type, serde uses these functions to write the value into the
 * error message. The functions can format any value, including floats, and need 8 KB (brotli). Only options are parsed
 * here, and `src/options.ts` has already refused every option of a wrong type.
 */
const SHOWN_AS_NOTHING = [
  '<serde_core::de::Unexpected as core::fmt::Display>::fmt',
  '<serde_core::de::WithDecimalPoint as core::fmt::Display>::fmt',
  '<f64 as core::fmt::Display>::fmt',
  '<&str as core::fmt::Debug>::fmt',
]

/**
 * A function that has only one caller is inlined if it is at most this large. A higher limit makes the module larger,
 * but not faster.
 */
const ONE_CALLER_INLINE_MAX_SIZE = 30

/** Optimises a module. The input must contain the names of its functions; the output does not contain them. */
export function shrunk(wasm) {
  const module = binaryen.readBinary(wasm)
  module.setFeatures(FEATURES)
  for (const wanted of SHOWN_AS_NOTHING) {
    // Another version of the compiler can give a function another name. Then this loop does not empty the function, and
    // the check of the size fails.
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
