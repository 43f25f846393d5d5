// Checks three things. Every trace that is cited has an entry in issuer/TRACES.md. Every entry has a test that names
// the trace. The documents for contributors name only files, functions and tests that exist. The test needs no issuer.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CLONE, filesIn } from '../language/files.mjs'

const TRACES = 'issuer/TRACES.md'
const DOCUMENTS = [TRACES, 'issuer/GLOSSARY.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', '.github/SECURITY.md']
/** The required parts of an entry. The test finds each part by the words at the beginning of the part. */
const PARTS = {
  actors: /\*\*Actors/,
  steps: /\*\*Steps/,
  'what broke': /what broke/i,
  rule: /\*\*The rule/,
  tests: /\*\*Tests:/,
}

const read = path => readFileSync(join(CLONE, path), 'utf8')
const lineAt = (text, index) => text.slice(0, index).split('\n').length
const fails = complaints => assert.ok(complaints.length === 0, `\n${complaints.join('\n')}`)

const TEXT = /\.(rs|ts|js|mjs|md|lua|sh)$/
const files = filesIn('').filter(path => TEXT.test(path) && path !== TRACES && !path.endsWith('js/traces.test.mjs'))
const cited = files.flatMap(citationsIn)
const listed = sectionsOf(read(TRACES))

test('a trace that is cited is listed', () => {
  const lacking = cited.filter(({ number, letter }) => {
    const entry = listed.get(number)
    return entry === undefined || (letter !== '' && !entry.includes(`**${number}${letter}.**`))
  })
  fails(
    lacking.map(
      ({ path, line, number, letter }) =>
        `${path}:${line} cites trace ${number}${letter}, which ${TRACES} does not list. Add it there (actors, steps, what broke, the rule, the tests), or correct the number.`,
    ),
  )
})

test('an entry has its actors, steps, failure, rule and tests', () => {
  const complaints = []
  for (const [number, entry] of listed)
    for (const [part, words] of Object.entries(PARTS))
      if (!words.test(entry)) complaints.push(`Trace ${number} in ${TRACES} does not say its ${part}. Add the line.`)
  fails(complaints)
})

test('a trace that is listed is named by a test', () => {
  const named = new Set(cited.filter(({ isInTest }) => isInTest).map(({ number }) => number))
  fails(
    [...listed.keys()]
      .filter(number => !named.has(number))
      .map(
        number =>
          `${TRACES} lists trace ${number}, and no test names it. Write "trace ${number}" into the name or the comment of the test that proves it.`,
      ),
  )
})

test('a test that an entry names exists', () => {
  const complaints = []
  for (const [number, entry] of listed) {
    const [, tests = ''] = entry.split('**Tests:**')
    let path
    for (const [, name] of tests.matchAll(/`([^`]+)`/g)) {
      if (/^[\w./-]+\.(rs|ts|mjs)$/.test(name)) path = name
      else if (path === undefined || !existsSync(join(CLONE, path)) || !hasTest(read(path), name))
        complaints.push(
          `Trace ${number} in ${TRACES} names the test \`${name}\`, and ${path ?? 'no file'} has none of that name. Write its name as it is now, after the file that holds it.`,
        )
    }
  }
  fails(complaints)
})

test('a file, folder or function that a document names exists', () => {
  const complaints = []
  for (const document of DOCUMENTS.filter(path => existsSync(join(CLONE, path)))) {
    const text = read(document).replace(/^```[^]*?^```/gm, block => block.replace(/[^\n]/g, ' '))
    const complain = (index, what) => complaints.push(`${document}:${lineAt(text, index)} names ${what}`)
    for (const { index, 1: path } of text.matchAll(/`((?:issuer|verifier-wasm|js|tests|\.github|\.ci)\/[\w./+@-]*)`/g))
      if (!existsSync(join(CLONE, path))) complain(index, `\`${path}\`, which does not exist. Correct the path.`)
    // Matches one or more names before a file, for example: `name` in `file`. A name that contains spaces is the name
    // of a test.
    for (const { index, 1: names, 2: path } of text.matchAll(
      /((?:`[^`\n]+`(?:,|;)?(?: and)?\s+)+)in\s+`([\w./-]+\.\w+)`/g,
    )) {
      if (!existsSync(join(CLONE, path))) continue
      for (const [, name] of names.matchAll(/`([^`]+)`/g)) {
        const last = /^[\w:.]+$/.test(name) ? name.split(/::|\./).at(-1) : name
        if (/^\w+$/.test(last) ? !new RegExp(`\\b${last}\\b`).test(read(path)) : !hasTest(read(path), last))
          complain(index, `\`${name}\` in \`${path}\`, and that file has no \`${last}\`. Name the file that has it.`)
      }
    }
  }
  fails(complaints)
})

/**
 * Returns every trace that a file cites, by number and letter. These forms count: `trace 4`, `traces 8, 23`, `Trace 4
 * (b) and (c)`, `trace_4bc_…`.
 */
function citationsIn(path) {
  const text = read(path)
  const testsFrom = isTest(path) ? 0 : path.endsWith('.rs') ? text.search(/#\[cfg\(test\)\]\s*mod \w+ \{/) : -1
  const found = []
  const cites =
    /(?<![a-z])traces?[ _](\d+)([a-e]*)((?: \([a-e]\)(?: and(?= \())?)*)((?:(?:,| and|, and| to) \d+[a-e]?\b)*)/gi
  for (const { index, 1: first, 2: letters, 3: inBrackets, 4: more } of text.matchAll(cites)) {
    const add = (number, letter = '') =>
      found.push({ path, line: lineAt(text, index), number, letter, isInTest: testsFrom >= 0 && index >= testsFrom })
    const all = [...letters, ...inBrackets.matchAll(/\(([a-e])\)/g)].map(letter =>
      Array.isArray(letter) ? letter[1] : letter,
    )
    if (all.length === 0) add(Number(first))
    for (const letter of all) add(Number(first), letter)
    let last = Number(first)
    for (const [, joint, number, letter] of more.matchAll(/(,| and|, and| to) (\d+)([a-e]?)/g)) {
      if (joint === ' to') for (let between = last + 1; between < Number(number); between++) add(between)
      add(Number(number), letter)
      last = Number(number)
    }
  }
  return found
}

function isTest(path) {
  return /(^|\/)tests?(\/|\.rs$)|\.test\.(ts|mjs)$/.test(path)
}

/** Returns the entries by their number. */
function sectionsOf(text) {
  const [, ...sections] = text.split(/^## (?=\d+\. )/m)
  return new Map(sections.map(section => [Number.parseInt(section, 10), section]))
}

/**
 * Whether a file has a test with this name. In Rust this is the name of a function; in JavaScript it is the first
 * argument of `test`.
 */
function hasTest(source, name) {
  if (/^\w+$/.test(name)) return new RegExp(`\\bfn ${name}\\b`).test(source)
  return ["'", '"', '`'].some(quote => source.includes(`test(${quote}${name}${quote}`))
}
