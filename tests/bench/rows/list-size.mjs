// Measures the size of a list in bytes, and the traffic of one verifier in an hour. No time is measured, so every run
// has nearly the same result. Only the size of a compressed signature can differ by a few bytes.
import { constants, deflateSync, gzipSync } from 'node:zlib'
import { verifierWith } from '../lib/doorlist.mjs'
import { encode, handle, list, sample, statusList } from '../lib/world.mjs'

const SESSIONS = [1_000_000, 100_000_000]
const SHARES = [0.0001, 0.001, 0.01]
const best = { level: constants.Z_BEST_COMPRESSION }

/**
 * Returns `{ sessions, share, doorlist: { bare, served }, bitmap: { bare, served } }` for each of the six cases. The
 * sizes are in bytes.
 */
export async function listSizes() {
  const cases = []
  for (const sessions of SESSIONS) {
    for (const share of SHARES) {
      const revoked = sample(sessions * share, sessions)
      cases.push({ sessions, share, doorlist: await doorlist(revoked), bitmap: await bitmap(revoked, sessions) })
    }
  }
  return cases
}

async function doorlist(revoked) {
  const handles = Array.from(revoked, handle)
  const jwt = await list(handles, { seq: handles.length })
  const { entries } = verifierWith([jwt]).status()
  if (entries !== handles.length) throw new Error(`${entries} handles came out of a list of ${handles.length}`)
  return { bare: encode(handles).length, served: gzipSync(jwt, best).length }
}

async function bitmap(revoked, sessions) {
  const bits = Buffer.alloc(Math.ceil(sessions / 8))
  for (const session of revoked) bits[session >> 3] |= 1 << (session & 7)
  const compressed = deflateSync(bits, best)
  return { bare: compressed.length, served: gzipSync(await statusList(compressed), best).length }
}

const HOUR = 3600
const POLL = 10
const LIVE_ENTRIES = 10_000

/**
 * Returns the total size of all bodies that one verifier receives in an hour, in bytes. There is one kick each second,
 * and there are 1,000,000 sessions and 10,000 live entries. Three cases are compared: a status list polled every 10 s,
 * deltas polled every 10 s, and a stream with one event per kick.
 */
export async function bytesAnHour() {
  const sessions = SESSIONS[0]
  const live = sample(LIVE_ENTRIES, sessions)
  const snapshot = await list(Array.from(live, handle), { seq: LIVE_ENTRIES })
  const first = gzipSync(snapshot, best).length

  const polls = HOUR / POLL
  const fresh = [...sample(HOUR, sessions)]
  const [polled, streamed] = [await deltas(fresh, POLL), await deltas(fresh, 1)]
  const { served } = await bitmap(live, sessions)
  return {
    'status list, polled every 10 s': polls * served,
    'doorlist, polled every 10 s': first + polled.reduce((sum, delta) => sum + gzipSync(delta.jwt, best).length, 0),
    'doorlist, streamed': first + streamed.reduce((sum, delta) => sum + framed(delta), 0),
  }
}

/** Returns deltas with `size` kicks each. The kicked sessions are in random order. */
async function deltas(kicked, size) {
  const made = []
  for (let index = 0; index < kicked.length; index += size) {
    const handles = kicked.slice(index, index + size).sort((a, b) => a - b)
    const since = LIVE_ENTRIES + index
    made.push({ seq: since + size, jwt: await list(handles.map(handle), { seq: since + size, since }) })
  }
  return made
}

/** Returns the number of bytes of one event of `text/event-stream`, in an HTTP/1.1 chunk. */
function framed({ seq, jwt }) {
  const event = `id: 00000000000000ab:${seq}\ndata: ${jwt}\n\n`
  return event.length + event.length.toString(16).length + 4
}
