// What was tried for each goal, in the words of RESULTS.md; said there of those that are missed.

const COLD =
  'These goals were set where OpenSSL took 117 to 150 µs for a bare signature; on this machine it takes about 61, and jose, ' +
  'fast-jwt and node:crypto all rest on it. By the figures of then they came to 41 µs against jose, 50 against fast-jwt and 53 ' +
  'against node:crypto. Most of a check is the signature. Tried: tables of multiples with windows of 6, 7 and 8 bits (45.6, 42.8 ' +
  'and 41.3 µs a token for 215, 370 and 640 KiB a key, where 91.9 µs are without), of which 7 stayed; 64-bit limbs, about ' +
  'twice slower in WebAssembly; unrolled SHA-2, no faster there and 16 KB larger; claims as objects across the boundary, 5 µs ' +
  'dearer than as JSON text.'

const CHANGED =
  'A list that changed has every remembered token checked again, its signature left out; what a check costs then is its claims, ' +
  'its time and two lookups.'

const TRIED = {
  'cold, against fast-jwt without cache': COLD,
  'cold, against `jose.jwtVerify`': COLD,
  'cold, against bare `node:crypto.verify`': COLD,
  'warm, against fast-jwt with its cache':
    'Part of a warm check is making the string, for both. Tried: a `Map` by token, 1.6 to 1.7 µs and most of it the hash of a long ' +
    'new string, against an index from a few characters of the signature and then the whole string, 1.0 µs.',
  'warm, list just changed, against a check with its signature': CHANGED,
  'warm, checked again since the list changed, against one before it changed': CHANGED,
  'first verification after import':
    'Most of it is the compiling of the module, and shrinks with the module. Tables are not made before a key has earned them.',
  '`.wasm`, brotli':
    'Tried: code in which no token spends its time compiled for size; SHA-2 without unrolled loops, 16 KB; JSON text across the ' +
    'boundary in place of serde-wasm-bindgen, 7.7 KB.',
  'durable refreshes a second, against oidc-provider with its own memory':
    'One writer gathers what 64 clients wait for into one durable commit; how many a second depends on the disk, and the load ' +
    'shares the cores with both.',
  'resident memory, idle, 100,000 sessions':
    'The embedded store holds at most 24 MiB of its file in memory, where it held 64.',
}

/** A sentence or more. */
export const tried = what => TRIED[what] ?? 'Nothing was tried yet.'
