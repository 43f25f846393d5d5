// closing.test.ts runs this program in a separate process that can call the garbage collector. The program creates
// verifiers, and uses each verifier once. Then the program prints the memory growth per verifier as JSON. The first
// argument is the number of verifiers. The second argument says how each verifier ends. `closed`: the program closes
// it. `dropped`: the program does not close it. `collected`: the program does not close it, but runs the garbage
// collector after every 500 verifiers.
import { readFileSync } from 'node:fs'
import { bind } from '../src/entrypoints/slim.js'
import { AUDIENCE, ISSUER, TestIssuer } from './issuer.js'

const [count, fate] = [Number(process.argv[2]), process.argv[3] as 'closed' | 'dropped' | 'collected']
const memories: WebAssembly.Memory[] = []
const { Instance } = WebAssembly
WebAssembly.Instance = class extends Instance {
  constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
    super(module, imports)
    memories.push(this.exports['memory'] as WebAssembly.Memory)
  }
}
const wasmBytes = () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)
/**
 * Runs the garbage collector three times, with a task after each run. The callbacks of a FinalizationRegistry run in
 * such tasks.
 */
async function collect(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    gc!()
    await new Promise(resolve => setImmediate(resolve))
  }
}

const issuer = await TestIssuer.create()
const now = Math.floor(Date.now() / 1000)
const token = await issuer.token(now)
const { createVerifier } = bind(readFileSync(new URL('../wasm/verifier.wasm', import.meta.url)))

function useOne(): void {
  const verifier = createVerifier({ issuer: ISSUER, audience: AUDIENCE, jwks: issuer.jwks, onMissing: 'allow' })
  verifier.verify(token)
  if (fate === 'closed') verifier.close()
}

for (let warm = 0; warm < 10; warm++) useOne()
await collect()
const before = { resident: process.memoryUsage.rss(), wasm: wasmBytes() }
for (let number = 1; number <= count; number++) {
  useOne()
  if (fate === 'collected' && number % 500 === 0) await collect()
}
const after = { resident: process.memoryUsage.rss(), wasm: wasmBytes() }
console.log(
  JSON.stringify({ resident: (after.resident - before.resident) / count, wasm: (after.wasm - before.wasm) / count }),
)
