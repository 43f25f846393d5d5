// What wasm-opt does, and one thing that it cannot know: which functions never say anything that is read.
import binaryen from 'binaryen'

const { Features } = binaryen
/** By name: all of them would be more than Node 20 and 24 take. */
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
 * serde puts a value of the wrong type into its message: any value, a float too, which takes 8 KB (brotli) of code. Here
 * that is one of the options, and `src/options.ts` has refused it before. It is shown as nothing.
 */
const SHOWN_AS_NOTHING = [
  '<serde_core::de::Unexpected as core::fmt::Display>::fmt',
  '<serde_core::de::WithDecimalPoint as core::fmt::Display>::fmt',
  '<f64 as core::fmt::Display>::fmt',
  '<&str as core::fmt::Debug>::fmt',
]

/** A function called from one place only may be this large to be inlined there; more makes the module larger, not faster. */
const ONE_CALLER_INLINE_MAX_SIZE = 30

/** A module with its names, smaller and without them. */
export function shrunk(wasm) {
  const module = binaryen.readBinary(wasm)
  module.setFeatures(FEATURES)
  for (const wanted of SHOWN_AS_NOTHING) {
    // Another compiler may have named it otherwise. Then it stays, and the size says so.
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

/** `fmt::Result` is 0 when it is `Ok`. */
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
