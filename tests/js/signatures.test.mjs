// The built module accepts exactly the signatures that the original ed25519-dalek accepts. The test verifies 100,000
// tokens, each of them with and without tables for the key. Some signatures are good, damaged or random. Other
// signatures are of kinds about which implementations disagree.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { createVerifier, isTokenError } from '../../js/dist/index.js'

const fromRoot = path => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const CASES = Number(process.env.DOORLIST_WASM_SIGNATURE_CASES ?? 100_000)
const MAKER = process.env.DOORLIST_SIGNATURE_MAKER ?? fromRoot('target/debug/examples/signature_cases')

/** Reads a constant from the source of the verifier, so that the counts in this test match the verifier. */
const constant = (file, name) =>
  Number(
    new RegExp(`^const ${name}: \\w+ = (\\d+);$`, 'm').exec(
      readFileSync(fromRoot(`verifier-wasm/src/signature/${file}`), 'utf8'),
    )[1],
  )
const earned = constant('tables.rs', 'EARNED_AFTER')
/** After `earned` good signatures, the verifier computes one row of the tables for each further good signature. */
const prepared = earned + constant('multiples.rs', 'WINDOWS')
/** verifier-wasm/examples/signature_cases.rs uses the same time. */
const at = { currentDate: new Date(1_767_225_600_000) }

/**
 * Verifies the tokens of one key in two ways. One verifier sees all tokens, and makes tables for the key. Other
 * verifiers see too few tokens to make tables.
 */
class Key {
  #jwk
  #used
  #new

  constructor(jwk) {
    this.#jwk = jwk
    this.#used = this.#verifier()
    this.#new = this.#verifier()
  }

  /** Returns the results of both ways. A result is `good` or `bad`. */
  verdicts(token, counts) {
    counts[this.#used.good < prepared ? 'stock' : 'tables']++
    counts.stock++
    const verdicts = [this.#used, this.#new].map(one => one.verify(token))
    // After one more good signature, this verifier could make tables. Therefore a new verifier replaces this verifier.
    if (this.#new.good === earned - 1) this.#new = this.#verifier()
    return verdicts
  }

  #verifier() {
    // No token is remembered. So the verifier checks each signature, even if the verifier has seen the token before.
    const rules = {
      issuer: 'https://issuer.example',
      audience: 'api',
      onMissing: 'allow',
      cacheSize: 0,
    }
    const verifier = createVerifier({ ...rules, jwks: { keys: [this.#jwk] } })
    return {
      good: 0,
      verify(token) {
        try {
          verifier.verify(token, at)
        } catch (error) {
          if (isTokenError(error, 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED')) return 'bad'
          throw error
        }
        this.good++
        return 'good'
      },
    }
  }
}

test(`${CASES} signatures get the same result as with stock dalek, with and without tables`, async story => {
  const maker = spawn(MAKER, [String(CASES)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  story.after(() => maker.kill())
  const exit = once(maker, 'exit')
  const counts = { good: 0, bad: 0, refused: 0, stock: 0, tables: 0 }
  let key
  for await (const line of createInterface({ input: maker.stdout })) {
    const [verdict, text] = line.split(' ')
    if (verdict === 'trusted') {
      key = new Key(JSON.parse(text))
    } else if (verdict === 'refused') {
      assert.throws(
        () => new Key(JSON.parse(text)),
        error => isTokenError(error, 'ERR_JWKS_INVALID'),
        text,
      )
      counts.refused++
    } else {
      for (const said of key.verdicts(text, counts)) assert.equal(said, verdict, text)
      counts[verdict]++
    }
  }
  assert.deepEqual(await exit, [0, null])
  story.diagnostic(JSON.stringify(counts))
  assert.ok(counts.good + counts.bad >= CASES)
  assert.ok(counts.good > CASES / 8 && counts.refused > 0)
  assert.ok(counts.stock >= CASES && counts.tables > CASES / 2)
})
