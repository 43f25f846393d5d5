import type { ConnectVerifier, CreateVerifier } from './index.js'

export type {
  AccessTokenClaims,
  AccessTokenHeader,
  AtTime,
  Change,
  Code,
  ConnectOptions,
  ConnectVerifier,
  ConnectedVerifier,
  CreateVerifier,
  EvidenceByCode,
  Freshness,
  LazyVerifier,
  ListStore,
  Loaded,
  Mode,
  PlainTokenError,
  Status,
  Verdict,
  Verified,
  Verifier,
  VerifierEvents,
  VerifierOptions,
  VettedBy,
  WaitUntil,
} from './index.js'
export { TokenError, codes, isTokenError, isTokensFault } from './index.js'

/**
 * The WebAssembly of the verifier: a compiled module, the bytes of `doorlist/verifier.wasm`, or a function that returns
 * a module or bytes.
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs'
 * import { createRequire } from 'node:module'
 * import { bind, type WasmSource } from 'doorlist/slim'
 *
 * const path = createRequire(import.meta.url).resolve('doorlist/verifier.wasm')
 * const source: WasmSource = () => readFileSync(path) // called when the first verifier is created
 * const { createVerifier } = bind(source)
 * ```
 */
export type WasmSource = WebAssembly.Module | BufferSource | (() => WebAssembly.Module | BufferSource)

/**
 * Returns the API of this package for a given module. The bytes of the module are not part of the JavaScript, so the
 * application delivers `doorlist/verifier.wasm` itself. The module is compiled when the first verifier is created.
 *
 * @example
 * ```ts
 * import { bind } from 'doorlist/slim'
 *
 * const { createVerifier } = bind(await WebAssembly.compileStreaming(fetch('/verifier.wasm')))
 * ```
 */
export function bind(source: WasmSource): { createVerifier: CreateVerifier; connectVerifier: ConnectVerifier }
