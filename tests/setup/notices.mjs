// `make notices`: writes the notices of third-party software. With `--check` this program writes no file. Instead, it
// compares the existing files with the notices that it would write. If a file differs, the program exits with 1.
//
// The lists of packages come from `cargo metadata`, and the texts come from the published packages. Therefore the check
// needs only cargo.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PUBLISHED, dependencies } from './dependencies.mjs'

const CLONE = fileURLToPath(new URL('../..', import.meta.url))
const MIT_OF_THIS_LICENSE = readFileSync(join(CLONE, 'LICENSE'), 'utf8').match(
  /Permission is hereby[^]*?SOFTWARE\.\n/,
)[0]
/** The standard library is part of every binary. It is not a cargo package, so its notice is here. */
const RUST = `The Rust standard library (MIT OR Apache-2.0)

Copyright (c) The Rust Project Contributors

${MIT_OF_THIS_LICENSE}`
const LICENCE_FILE = /^(licen[cs]e|copying|copyright|notice|unlicense)/i
const RULE = `\n${'='.repeat(80)}\n\n`

let different = false
for (const published of PUBLISHED) {
  const text = textOf(published)
  const name = `${published.folder}/THIRD-PARTY-NOTICES`
  const path = join(CLONE, name)
  if (!process.argv.includes('--check')) writeFileSync(path, text)
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`${name} is not what the dependencies of ${published.root} say: \`make notices\` writes it.`)
    different = true
  }
}
process.exitCode = different ? 1 : 0

function textOf(published) {
  /**
   * Each licence text, with all packages that use it. Two texts that differ only in spaces and line breaks count as one
   * text.
   */
  const texts = new Map()
  const names = []
  for (const entry of dependencies(published)) {
    const [name, license] = [`${entry.name} ${entry.version}`, entry.license ?? 'see below']
    names.push(`${name} (${license})`)
    for (const text of licenceTexts(name, license, dirname(entry.manifest_path), entry.authors)) {
      const key = text.replace(/\s+/g, ' ').trim()
      if (!texts.has(key)) texts.set(key, { text, names: [] })
      texts.get(key).names.push(name)
    }
  }
  const parts = [...texts.values()].map(({ text, names }) => `${wrapped(names)}\n\n${text}`)
  return [`Third-party software in ${published.title}\n\n${names.join('\n')}\n`, RUST, ...parts].join(RULE)
}

/**
 * Returns the licence texts of a package. If the licence is a choice that includes MIT, returns only the MIT text, and
 * the files that apply to every licence.
 */
function licenceTexts(name, license, folder, authors = []) {
  const files = readdirSync(folder)
    .filter(file => LICENCE_FILE.test(file))
    .sort()
  const isChoice = /\bMIT\b/.test(license) && !/\bAND\b/.test(license)
  const mit = files.filter(file => /mit/i.test(file))
  const wanted = isChoice && mit.length > 0 ? files.filter(file => /mit|copyright|notice/i.test(file)) : files
  if (wanted.length === 0 && isChoice && authors.length > 0) return [mitOf(authors)]
  if (wanted.length === 0) throw new Error(`${name} (${license}) ships no licence: add its text by hand`)
  return wanted.map(file => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim() + '\n')
}

/** Returns the MIT licence of a package that names its authors and this licence, but has no file with the text. */
function mitOf(authors) {
  const names = authors.map(author => author.replace(/ *<.*>/, ''))
  return `Copyright (c) ${names.join(', ')}\n\n${MIT_OF_THIS_LICENSE}`
}

function wrapped(names) {
  const lines = ['']
  for (const name of names) {
    if (lines.at(-1) && lines.at(-1).length + name.length > 78) lines.push('')
    lines[lines.length - 1] += `${lines.at(-1) && ', '}${name}`
  }
  return lines.join(',\n')
}
