// The report of the verifier, with its goals.
import { brotliCompressSync } from 'node:zlib'
import { readFileSync } from 'node:fs'
import { PACKAGE } from '../lib/doorlist.mjs'
import { ratio, spread } from '../lib/measure.mjs'
import {
  durations,
  goal,
  kilobytes,
  megabytes,
  microseconds,
  milliseconds,
  nanoseconds,
  times,
  whole,
} from '../lib/report.mjs'
import { cold } from '../rows/cold.mjs'
import { first } from '../rows/first.mjs'
import { largeList } from '../rows/large-list.mjs'
import { bytesAnHour, listSizes } from '../rows/list-size.mjs'
import { warm } from '../rows/warm.mjs'
import { CHANGED, FAST_JWT, FORGETFUL, RECHECKED } from '../runtimes/contests.mjs'

const within = limit => `≤ ${limit.toFixed(2)} ×`

async function coldSection() {
  const took = await cold()
  const against = (what, peer, limit) =>
    goal({
      what: `cold, against ${what}`,
      goal: within(limit),
      limit,
      got: ratio(took.doorlist, took[peer]),
      show: times,
    })
  return {
    title: 'Cold: a token that the verifier has not seen before',
    text:
      "Each contender checks the claims, the issuer, the audience and the time. Doorlist also looks up the token's " +
      'handles in a list of 10,000 handles. `node:crypto`, `WebCrypto` and `@noble/ed25519` check only the signature.',
    tables: [durations(took, microseconds)],
    goals: [
      against('fast-jwt without cache', 'fast-jwt', 0.4),
      against('`jose.jwtVerify`', 'jose', 0.2),
      against('bare `node:crypto.verify`', 'node:crypto', 0.45),
    ],
    bars: {
      title: 'A check of a token that the verifier has not seen before',
      bars: ['doorlist', 'node:crypto', 'fast-jwt', 'aws-jwt-verify', 'jose', 'hono'].map(name => ({
        name: name === 'node:crypto' ? 'node:crypto, bare signature' : name,
        value: took[name].median,
        text: microseconds(took[name].median),
        ours: name === 'doorlist',
      })),
    },
  }
}

async function warmSection() {
  const took = await warm()
  const [ours, theirs] = [took.doorlist, took[FAST_JWT]]
  return {
    title: 'Warm: a token seen before',
    text:
      '20,000 live tokens in random order, each as a new string. The time to make the string is part of each figure; ' +
      'the last line shows this time alone. Both caches have room for 32,768 tokens. `list just changed`: the first ' +
      'check of a token after a delta. `checked again since`: the second check, directly after the first. `remembering ' +
      'nothing`: a cache of size zero, so that every check includes the signature.',
    tables: [durations(took, microseconds)],
    goals: [
      goal({
        what: 'warm, against fast-jwt with its cache',
        goal: within(0.22),
        limit: 0.22,
        got: ratio(ours, theirs),
        show: times,
      }),
      goal({
        what: 'warm, list just changed, against a check with its signature',
        goal: within(0.5),
        limit: 0.5,
        got: ratio(took[CHANGED], took[FORGETFUL]),
        show: times,
      }),
      goal({
        what: 'warm, checked again since the list changed, against one before it changed',
        goal: within(1.25),
        limit: 1.25,
        got: ratio(took[RECHECKED], ours),
        show: times,
      }),
    ],
    bars: {
      title: 'A check of a token seen before',
      bars: [
        { name: 'doorlist', value: ours.median, text: microseconds(ours.median), ours: true },
        { name: FAST_JWT, value: theirs.median, text: microseconds(theirs.median) },
      ],
    },
  }
}

async function firstSection() {
  const took = await first()
  const size = brotliCompressSync(readFileSync(`${PACKAGE}/verifier.wasm`)).length
  return {
    title: 'First verification of a process',
    text: 'The time from the end of the imports to the answer, each time in a new process.',
    tables: [durations(took, milliseconds)],
    goals: [
      goal({
        what: 'first verification after import',
        goal: '≤ 10 ms',
        limit: 10e6,
        got: took.doorlist,
        show: milliseconds,
      }),
      goal({ what: '`.wasm`, brotli', goal: '≤ 60 KB', limit: 60e3, got: spread([size]), show: kilobytes }),
    ],
  }
}

async function largeListSection() {
  const { load, deltas, lookup } = await largeList()
  const delta = size => ({
    what: `delta of ${size} onto 1,000,000 handles`,
    goal: '≤ 5 ms',
    limit: 5e6,
    got: deltas[size],
    show: milliseconds,
  })
  return {
    title: 'A list of 1,000,000 handles',
    text:
      'The list has 1,000,000 handles of 100,000,000 sessions. Lookups use random handles in the same blocks. Each call ' +
      'into WebAssembly performs many lookups.',
    tables: [
      {
        head: ['', 'min', 'median', 'max'],
        rows: [
          ['load', ...low(load.doorlist, milliseconds)],
          ['delta of 1', ...low(deltas[1], milliseconds)],
          ['delta of 100', ...low(deltas[100], milliseconds)],
          ['lookup', ...low(lookup.doorlist, nanoseconds)],
        ],
      },
    ],
    goals: [
      goal({
        what: 'list of 1,000,000 handles: load',
        goal: '≤ 150 ms',
        limit: 150e6,
        got: load.doorlist,
        show: milliseconds,
      }),
      goal({
        what: 'list of 1,000,000 handles: lookup',
        goal: '≤ 200 ns',
        limit: 200,
        got: lookup.doorlist,
        show: nanoseconds,
      }),
      goal(delta(1)),
      goal(delta(100)),
    ],
  }
}

const low = ({ min, median, max }, show) => [min, median, max].map(show)

async function listSizeSection() {
  const [cases, hour] = [await listSizes(), await bytesAnHour()]
  const goals = cases.flatMap(({ sessions, share, doorlist, bitmap }) => {
    const what = `list, ${share * 100} % of ${whole(sessions / 1e6)}M sessions`
    const [bare, served] = [share < 0.01 ? 1 : 1.5, sessions < 1e8 ? 1.15 : 1]
    const against = (kind, limit) =>
      goal({
        what: `${what}, ${kind}`,
        goal: within(limit),
        limit,
        got: spread([doorlist[kind] / bitmap[kind]]),
        show: times,
      })
    return [against('bare', bare), ...(share < 0.01 ? [against('served', served)] : [])]
  })
  const [status, polled] = Object.values(hour)
  goals.push(
    goal({
      what: 'bytes in an hour, against a status list, both polled',
      goal: '≤ 0.05 ×',
      limit: 0.05,
      got: spread([polled / status]),
      show: times,
    }),
  )
  return {
    title: 'Size of a list',
    text:
      'The handles are drawn as issuers draw them, and revoked at random. The list is compared with a Token Status ' +
      'List: a bitmap, compressed by zlib at level 9. `bare` is the encoding alone; `served` is the gzip of the JWT, at ' +
      'the best level for both. The hour has one kick per second, 10,000 live entries of 1,000,000 sessions, and one ' +
      'verifier; only the bytes of the bodies are counted.',
    tables: [
      {
        head: ['', 'Doorlist, bare', 'status list, bare', '×', 'Doorlist, served', 'status list, served', '×'],
        rows: cases.map(({ sessions, share, doorlist, bitmap }) => [
          `${share * 100} % of ${whole(sessions)}`,
          `${whole(doorlist.bare)} B`,
          `${whole(bitmap.bare)} B`,
          (doorlist.bare / bitmap.bare).toFixed(2),
          `${whole(doorlist.served)} B`,
          `${whole(bitmap.served)} B`,
          (doorlist.served / bitmap.served).toFixed(2),
        ]),
      },
      {
        head: ['an hour of', 'bytes', 'of the status list'],
        rows: Object.entries(hour).map(([name, bytes]) => [name, megabytes(bytes), (bytes / status).toFixed(3)]),
      },
    ],
    goals,
    bars: {
      title: 'Bytes that one verifier reads in an hour to be at most 10 s behind',
      bars: Object.entries(hour).map(([name, bytes]) => ({
        name,
        value: bytes,
        text: megabytes(bytes),
        ours: name.startsWith('doorlist'),
      })),
    },
  }
}

export const verifierSections = {
  cold: coldSection,
  warm: warmSection,
  first: firstSection,
  'large list': largeListSection,
  'list size': listSizeSection,
}
