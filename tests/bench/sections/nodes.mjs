// The report of several issuers on one Redis. issuer/SCALE.md uses these figures for its calculations.
import { quantile } from '../lib/measure.mjs'
import { megabytes, microseconds, milliseconds, whole } from '../lib/report.mjs'
import { hasRedis } from '../lib/redis.mjs'
import { ENTRIES, kickAcrossNodes, longLog, nodeRefreshes } from '../rows/nodes.mjs'

const REDIS = 'Redis writes its AOF to disk every second, which is the default in its configuration files.'

async function refreshSection() {
  const measured = await nodeRefreshes()
  return {
    title: 'Refreshes on one Redis',
    text: `64 clients refresh. Each client sends its new refresh token as soon as it gets it. With two issuers, half of the clients use each issuer. Clients, issuers and Redis share the cores of one machine, so the row with two issuers shows the cost of a second issuer, not its benefit. ${REDIS}`,
    tables: [
      {
        head: ['refreshes a second', 'min', 'median', 'max', 'p50', 'p99', 'CPU time of Redis per refresh'],
        rows: Object.entries(measured).map(([name, { perSecond, p50, p99, worked }]) => [
          name,
          ...[perSecond.min, perSecond.median, perSecond.max].map(whole),
          milliseconds(p50.median),
          milliseconds(p99.median),
          microseconds(worked.median),
        ]),
      },
    ],
    goals: [],
  }
}

async function kickSection() {
  const { sent, acknowledged } = await kickAcrossNodes()
  const at = (durations, share) => milliseconds(quantile(Float64Array.from(durations).sort(), share))
  const row = (name, durations) => [name, ...[0.5, 0.99, 1].map(share => at(durations, share))]
  return {
    title: 'From a kick at one issuer to its effect at another',
    text: `${sent.length} kicks at one issuer, and one verifier in Node that follows the stream of the other issuer. ${REDIS}`,
    tables: [
      {
        head: ['', 'p50', 'p99', 'max'],
        rows: [row('since the kick was sent', sent), row('since it was acknowledged', acknowledged)],
      },
    ],
    goals: [],
  }
}

async function logSection() {
  const { subject, session, perEntry, listens, ready, resident, list } = await longLog()
  return {
    title: `A revocation log of ${whole(ENTRIES)} live entries in Redis`,
    text:
      'When a node starts, it checks the record of every entry before it accepts requests, and signs a list of all ' +
      'entries. The memory is the amount that Redis reports for keys and values, without the audit stream.',
    tables: [
      {
        head: ['from the start until it listens', 'until it is ready', 'resident memory of the issuer', 'its list'],
        rows: [[milliseconds(listens), milliseconds(ready), megabytes(resident), megabytes(list)]],
      },
      {
        head: [
          'bytes in Redis',
          'a subject with one session',
          'another session of the same subject',
          'an entry of the revocation log',
        ],
        rows: [['', whole(subject), whole(session), whole(perEntry)]],
      },
    ],
    goals: [],
  }
}

const notMeasured = () => ({
  title: 'Many issuers on one Redis',
  text: 'Not measured: there is no `redis-server` on the PATH.',
  tables: [],
  goals: [],
})

/** If Redis is not installed, the report contains a sentence instead of the figures. */
export const nodeSections = hasRedis()
  ? { 'node-refreshes': refreshSection, 'node-kick': kickSection, 'node-log': logSection }
  : { nodes: notMeasured }
