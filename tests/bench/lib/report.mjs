// Writes the measurements as Markdown. The goals come first, and then all figures.
import { tried } from './tried.mjs'

/**
 * Returns a goal and whether it is met. A goal is met if the median of `got` is at most `limit`. With `atLeast`, the
 * median must be at least `limit`.
 */
export function goal({ what, goal, limit, got, show, atLeast = false }) {
  const met = atLeast ? got.median >= limit : got.median <= limit
  const off = atLeast ? limit / got.median : got.median / limit
  return { what, goal, got, show, met, off }
}

const verdict = ({ met, off }) =>
  met ? 'met' : `missed: ${off < 1.1 ? off.toFixed(3) : off.toFixed(2)} times the goal`

/**
 * Returns the paragraphs about missed goals. If `tried.mjs` has the same text for several goals, these goals share a
 * paragraph.
 */
function missed(goals) {
  const paragraphs = new Map()
  for (const one of goals) paragraphs.set(tried(one.what), [...(paragraphs.get(tried(one.what)) ?? []), by(one)])
  const written = [...paragraphs].map(
    ([sentences, these]) => `${these.map(one => `- ${one}`).join('\n')}\n\n${sentences}`,
  )
  return written.length === 0 ? [] : ['### What was missed, and what was tried', ...written]
}

const by = ({ what, got, goal, show, off }) =>
  `**${what}**: measured ${show(got.median)}, the goal is ${goal}, missed by a factor of ${off.toFixed(off < 1.1 ? 3 : 2)}`

export function markdown({ machine, sections }) {
  const goals = sections.flatMap(section => section.goals)
  return `${[
    '# Measurements',
    '`make bench` wrote this page. All contenders take turns in interleaved rounds of one run, on the same tokens; ' +
      'those in JavaScript run in the same process. A ratio is the median of the ratios of the single rounds. Absolute ' +
      'figures apply only to this machine; ratios depend less on the machine.',
    machine,
    '![The main comparisons](comparison.svg)',
    '## Goals',
    table(
      ['', 'goal', 'median', 'min – max', ''],
      goals.map(one => [one.what, one.goal, one.show(one.got.median), between(one.got, one.show), verdict(one)]),
    ),
    ...missed(goals.filter(({ met }) => !met)),
    ...sections.flatMap(({ title, text, tables }) => [
      `## ${title}`,
      text,
      ...tables.map(({ head, rows }) => table(head, rows)),
    ]),
  ].join('\n\n')}\n`
}

/**
 * Returns a table of the durations of all contenders. `first` is the name of a contender. The last column divides the
 * median of each contender by the median of this contender.
 */
export function durations(times, show, first = Object.keys(times)[0]) {
  return {
    head: ['', 'min', 'median', 'max', `times ${first}`],
    rows: Object.entries(times).map(([name, took]) => [
      name,
      show(took.min),
      show(took.median),
      show(took.max),
      (took.median / times[first].median).toFixed(2),
    ]),
  }
}

/** Returns a cell for a table that has several contenders in one row. */
export const cell = (took, show) => `${show(took.median)} (${between(took, show)})`

const between = ({ min, max }, show) => (min === max ? '' : `${show(min)} – ${show(max)}`)

const table = (head, rows) => [head, head.map((_, column) => (column ? '--:' : '---')), ...rows].map(row).join('\n')
const row = cells => `| ${cells.join(' | ')} |`

export const microseconds = ns => `${significant(ns / 1e3)} µs`
export const milliseconds = ns => `${significant(ns / 1e6)} ms`
export const nanoseconds = ns => `${Math.round(ns)} ns`
/** Shows a duration in nanoseconds, microseconds or milliseconds, depending on its size. */
export const duration = ns => (ns < 1e3 ? nanoseconds(ns) : ns < 1e6 ? microseconds(ns) : milliseconds(ns))
export const times = ratio => `${ratio.toFixed(ratio < 0.1 ? 3 : 2)} ×`
export const megabytes = bytes => `${significant(bytes / 1e6)} MB`
export const kilobytes = bytes => `${significant(bytes / 1e3)} KB`
export const whole = number => Math.round(number).toLocaleString('en')

/** Shows a number with three digits and without an exponent. */
function significant(number) {
  const size = Math.abs(number)
  return number.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}
