// The report of the issuer, with its goals.
import { quantile, ratio, spread } from '../lib/measure.mjs'
import { goal, kilobytes, megabytes, milliseconds, times, whole } from '../lib/report.mjs'
import { streamFanOut } from '../rows/fan-out.mjs'
import { kickToRefusal } from '../rows/kick.mjs'
import { idleMemory } from '../rows/memory.mjs'
import { OWN, PLAIN, refreshes } from '../rows/refreshes.mjs'

const minMedianMax = ({ min, median, max }, show) => [min, median, max].map(show)

async function refreshSection() {
  const measured = await refreshes()
  const { doorlist, [OWN]: provider } = measured
  const row = (name, { perSecond, p50, p99 }) => [
    name,
    ...minMedianMax(perSecond, whole),
    milliseconds(p50.median),
    milliseconds(p99.median),
  ]
  const bar = (name, { perSecond }, ours) => ({
    name,
    value: 1e6 / perSecond.median,
    text: `${whole(perSecond.median)} a second`,
    ours,
  })
  return {
    title: 'Refreshes',
    text:
      '64 clients refresh. Each client sends its new refresh token as soon as it gets it. Doorlist writes every ' +
      'rotation to disk before it answers. oidc-provider keeps all data in memory: once in its own adapter (the goal ' +
      'applies to this one; its limit of 1,000 entries is removed, because clients lose their sessions at this limit), ' +
      'and once in the simplest possible adapter. The load generator is a separate program on the same cores.',
    tables: [
      {
        head: ['refreshes a second', 'min', 'median', 'max', 'p50', 'p99'],
        rows: Object.entries(measured).map(([name, took]) => row(name, took)),
      },
    ],
    goals: [
      goal({
        what: 'durable refreshes a second, against oidc-provider with its own memory',
        goal: '≥ 5 ×',
        limit: 5,
        got: ratio(doorlist.perSecond, provider.perSecond),
        show: times,
        atLeast: true,
      }),
    ],
    bars: {
      title: 'A refresh, with 64 clients at the same time',
      bars: [bar('doorlist, on disk', doorlist, true), bar(OWN, provider), bar(PLAIN, measured[PLAIN])],
    },
  }
}

async function kickSection() {
  const { sent, acknowledged } = await kickToRefusal()
  const at = (durations, share) => quantile(Float64Array.from(durations).sort(), share)
  const row = (name, durations) => [name, ...[0.5, 0.99, 1].map(share => milliseconds(at(durations, share)))]
  const within = (name, share, limit) =>
    goal({
      what: `kick to refusal, ${name}`,
      goal: `≤ ${limit} ms`,
      limit: limit * 1e6,
      got: spread([at(sent, share)]),
      show: milliseconds,
    })
  return {
    title: 'From a kick to its effect',
    text:
      'One connected verifier in Node, and an idle issuer. One row counts the time from the sending of the kick, to ' +
      'which the goals apply. The other row counts it from the acknowledgement of the kick.',
    tables: [
      {
        head: ['', 'p50', 'p99', 'max'],
        rows: [row('since the kick was sent', sent), row('since it was acknowledged', acknowledged)],
      },
    ],
    goals: [within('p50', 0.5, 5), within('p99', 0.99, 25)],
  }
}

async function fanOutSection() {
  const { subscribers, kicks, p50_ms, p99_ms, max_ms, bytesEach } = await streamFanOut()
  return {
    title: 'Fan-out',
    text: `${whole(subscribers)} subscribers of one issuer on loopback, ${kicks} kicks. Each kick reached all subscribers. The time is counted from the acknowledgement of the kick until a subscriber has parsed the event. The subscribers share the cores with the issuer.`,
    tables: [
      {
        head: ['p50', 'p99', 'max', 'resident memory each'],
        rows: [[...[p50_ms, p99_ms, max_ms].map(ms => milliseconds(ms * 1e6)), kilobytes(bytesEach)]],
      },
    ],
    goals: [
      goal({
        what: 'resident memory of a subscriber',
        goal: '≤ 30 KB',
        limit: 30e3,
        got: spread([bytesEach]),
        show: kilobytes,
      }),
    ],
  }
}

async function memorySection() {
  const { empty, afterLoad, restarted } = await idleMemory()
  return {
    title: 'Memory of an idle issuer',
    text: '100,000 sessions and 10,000 live entries. The goal applies to the process that created all of them.',
    tables: [
      {
        head: ['empty', 'after the load', 'restarted on the same store'],
        rows: [[empty, afterLoad, restarted].map(megabytes)],
      },
    ],
    goals: [
      goal({
        what: 'resident memory, idle, 100,000 sessions',
        goal: '≤ 80 MB',
        limit: 80e6,
        got: spread([afterLoad]),
        show: megabytes,
      }),
    ],
  }
}

export const issuerSections = {
  refreshes: refreshSection,
  kick: kickSection,
  'fan-out': fanOutSection,
  memory: memorySection,
}
