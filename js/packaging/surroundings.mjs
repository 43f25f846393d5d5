// A snippet can use names that the text around it introduces. This file declares these names for the compiler.

const verifier = "declare const verifier: import('doorlist').ConnectedVerifier"
const token = 'declare const token: string'
const issuer = 'declare const issuer: string'

/** Types for packages that are not installed in js/. They contain only the declarations that the snippets need. */
const cors =
  "declare module 'cors' { export default function cors(options: { origin: string }): import('express').RequestHandler }"
const workers = `declare module 'cloudflare:workers' {
  export const env: { ISSUER: string; LISTS: import('doorlist/stores').KvNamespaceLike }
}`
/**
 * The declarations that the example in `examples/next` needs. Next's own build compiles the example with the real
 * types.
 */
const next = `declare module 'next/server' {
  export class NextResponse extends Response { static next(init?: { request?: { headers?: Headers } }): NextResponse }
}`
const claims = `declare module '*claims.js' {
  export function withClaims(headers: Headers, claims: object): Headers
  export function claimsOf(request: Request): import('doorlist').AccessTokenClaims
}`

/** The row `angular` of the matrix compiles the same example with the real package. */
const angular = `declare module '@angular/core' {
  export class InjectionToken<T> { private value?: T; constructor(description: string) }
  export class NgZone { run<T>(act: () => T): T; runOutsideAngular<T>(act: () => T): T }
  export class DestroyRef { onDestroy(call: () => void): () => void }
  export function inject<T>(token: InjectionToken<T> | (new (...args: never[]) => T)): T
  export function Injectable(options: { providedIn: 'root' }): (target: new () => object, context?: unknown) => void
  export interface WritableSignal<T> { (): T; set(value: T): void; asReadonly(): () => T }
  export function signal<T>(value: T): WritableSignal<T>
}`

/**
 * The declarations that each snippet needs, by the name of the snippet (see `snippets.mjs`). Other snippets compile
 * without declarations.
 */
export const surroundings = {
  'README.md, Verify in a browser': token,
  'README.md, A page and an API in ten minutes (1)': cors,
  'js/README.md, A service': token,
  'js/README.md, A page (1)': 'declare function render(state: string): void\ndeclare const password: string',
  'js/README.md, A page (2)': `${issuer}\ndeclare const createSession: typeof import('doorlist/session').createSession`,
  'js/README.md, Without any I/O': `${issuer}\n${token}\ndeclare const listJwt: string\ndeclare const jwks: { keys: object[] }`,
  'js/README.md, Hono (2)': workers,
  'js/README.md, Next.js (1)': `${next}\n${claims}`,
  'js/README.md, Next.js (3)': claims,
  'js/README.md, Angular': angular,
  'js/README.md, Connections that stay open': `${verifier}
declare const isTokenError: typeof import('doorlist').isTokenError
declare const present: Map<{ close(code: number, reason?: string): void }, import('doorlist').Verified>`,
  'js/README.md, Beside a verifier you have (1)': `${verifier}\n${token}\n${issuer}
declare const audience: string
declare const jwtVerify: typeof import('jose').jwtVerify
declare const keys: import('jose').JWTVerifyGetKey`,
  'js/README.md, Beside a verifier you have (2)': `${verifier}
declare const app: import('fastify').FastifyInstance & import('express').Application
declare const fastifyJwt: typeof import('@fastify/jwt').default
declare const expressjwt: typeof import('express-jwt').expressjwt
declare const yours: { secret: string; algorithms: 'HS256'[] }`,
  'js/README.md, Errors': `declare const parentPort: { postMessage(value: unknown): void }
declare const error: import('doorlist').TokenError
declare const message: { error: unknown }`,
  'js/README.md, Over a restart': issuer,
  'js/README.md, While the issuer is down': `${issuer}\n${token}
declare const connectVerifier: typeof import('doorlist').connectVerifier`,
  'js/README.md, How the WebAssembly gets there': "declare module '*?url' { const url: string; export default url }",
  'js/types/stores.d.ts, kvStore': workers,
  'tests/vectors/README.md, Test vectors (1)': "type Options = import('doorlist').VerifierOptions",
  'tests/vectors/README.md, Test vectors (2)': "declare const createVerifier: typeof import('doorlist').createVerifier",
}

/** Names that every example in `types/` can use without a declaration. */
const inTypes = `${verifier}
${token}
declare const list: string
declare const jwks: { keys: object[] }
declare const error: unknown
declare const worker: Worker
declare const session: import('doorlist/session').Session
declare const password: string
declare const issuer: import('doorlist/testing').TestIssuer
declare const secret: string
`

export const surroundingsOf = name => (name.startsWith('js/types/') ? inTypes : '') + (surroundings[name] ?? '')
