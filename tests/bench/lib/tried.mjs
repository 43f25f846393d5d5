// For each goal, a text about the attempts to reach this goal. RESULTS.md shows the text if the goal is missed.

const COLD =
  'These goals were set where OpenSSL took 117 to 150 µs for a bare signature; on this machine it takes about 61, and jose, ' +
  'fast-jwt and node:crypto all rest on it. With the figures of that time, they were 41 µs against jose, 50 against fast-jwt and 53 ' +
  'against node:crypto. Most of a check is the signature. Tried: tables of multiples with windows of 6, 7 and 8 bits (34.2, 31.4 ' +
  'and 30.1 µs a token for 215, 370 and 640 KiB a key), of which 8 stayed; 64-bit limbs, about twice slower in WebAssembly; ' +
  'unrolled SHA-2, no faster there and 16 KB larger; claims as objects across the boundary, 5 µs dearer than as JSON text; ' +
  'a reader of our own, which takes a token apart once where jwt-compact and a strict second look did it twice. ' +
  'Alone in its process a token took 29 µs; between the rounds of the others, which probably leave little of 1.3 MB of ' +
  'tables in the caches, it takes more.'

const CHANGED =
  'After a list changed a remembered token is checked again without its signature: its time, cut-off and two lookups.'

const TRIED = {
  'cold, against fast-jwt without cache': COLD,
  'cold, against `jose.jwtVerify`': COLD,
  'cold, against bare `node:crypto.verify`': COLD,
  'warm, against fast-jwt with its cache':
    'The goal was set where fast-jwt took 5.1 to 5.6 µs for a hit of its cache; against that it is met. Making the string is ' +
    'part of a warm check, for both, and most of the rest are cache misses: with 50 tokens a check takes 0.27 µs. Tried: a `Map` by token, 1.6 to 1.7 µs and most of it the hash of a ' +
    'long new string, against an index from a few characters of the signature and then the whole string, 1.0 µs; the second ' +
    'is what the module does, on bytes in its own memory, so that nothing holds on to the string.',
  'warm, list just changed, against a check with its signature': CHANGED,
  'warm, checked again since the list changed, against one before it changed': CHANGED,
  'first verification after import':
    'Most of it is the compiling of the module, and shrinks with the module. Tables are not made before a key has earned them.',
  '`.wasm`, brotli':
    'It was 96.4 KB. Tried: code in which no token spends its time compiled for size, SHA-2 without unrolled loops, readers of ' +
    'our own in place of jwt-compact and serde_json, and wasm-opt kept from inlining what has one caller.',
  'durable refreshes a second, against oidc-provider with its own memory':
    'One writer gathers what 64 clients wait for into one durable commit; how many a second depends on the disk, and the load ' +
    'shares the cores with both. In five runs on one such machine the medians were 3.7, 4.6, 4.8, 4.9 and 5.5 times.',
  'resident memory, idle, 100,000 sessions':
    'The embedded store holds at most 24 MiB of its file in memory, where it held 64.',
}

/** Returns the text for a goal. It has one or more sentences. */
export const tried = what => TRIED[what] ?? 'Nothing was tried yet.'
