import { TokenError } from './errors.js'

interface Cause {
  readonly reason: string
  /** Matches the name and message of the thrown error in V8, SpiderMonkey and JavaScriptCore. */
  readonly says: RegExp
  readonly means: string
}

/** The first entry that matches is used. */
const CAUSES: readonly Cause[] = [
  {
    reason: 'memory',
    says: /RangeError|out of memory|allocat/i,
    means:
      'there is not enough memory or address space; raise the limit of the process (`ulimit -v`, the container), or start Node with --disable-wasm-trap-handler',
  },
  {
    reason: 'csp',
    says: /unsafe-eval|Content Security Policy|blocked by CSP/i,
    means: "the page's Content-Security-Policy forbids it; allow script-src 'wasm-unsafe-eval'",
  },
  {
    reason: 'code_generation',
    says: /code generation disallowed/i,
    means:
      "this runtime does not compile WebAssembly while it runs; pass the compiled module (`doorlist/slim`), or in a page allow script-src 'wasm-unsafe-eval'",
  },
  {
    reason: 'version',
    says: /LinkError|Import #|is not a function|is not a constructor/i,
    means: 'the module is from another version; use `doorlist/verifier.wasm` of the same installation',
  },
  {
    reason: 'bytes',
    says: /magic|wasm module doesn't start/i,
    means: 'the given bytes are not WebAssembly, perhaps a 404 page; check where they come from',
  },
  {
    reason: 'engine',
    says: /CompileError/i,
    means: 'this engine does not know an instruction in it; use a newer engine',
  },
]

/** Returns the error that explains why the module could not be loaded. */
export function unavailable(cause: unknown): TokenError {
  const { reason, means } =
    typeof WebAssembly === 'undefined'
      ? {
          reason: 'no_webassembly',
          means: 'this engine has no WebAssembly (Node with --jitless, a browser in lockdown mode, React Native)',
        }
      : (CAUSES.find(({ says }) => says.test(String(cause))) ?? { reason: 'unknown', means: String(cause) })
  return new TokenError(
    'ERR_WASM_UNAVAILABLE',
    `the verifier's WebAssembly could not be loaded: ${means}`,
    { reason },
    { cause },
  )
}
