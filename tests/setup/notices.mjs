// `make notices`: writes the notices of third-party software. With `--check` this program writes no file. Instead, it
// compares the existing files with the notices that it would write. If a file differs, the program exits with 1.
//
// The lists of packages come from `cargo metadata`, and the texts come from the published packages. Therefore the check
// needs only cargo.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CLONE = fileURLToPath(new URL('../..', import.meta.url))
const NOTICES = [
  {
    path: 'issuer/THIRD-PARTY-NOTICES',
    title: 'the binary `doorlist`',
    root: 'doorlist',
    platforms: ['x86_64-unknown-linux-gnu', 'aarch64-unknown-linux-gnu', 'aarch64-apple-darwin'],
  },
  {
    path: 'js/THIRD-PARTY-NOTICES',
    title: 'the WebAssembly of the npm package `doorlist`',
    root: 'doorlist-verifier',
    platforms: ['wasm32-unknown-unknown'],
  },
]
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
for (const notices of NOTICES) {
  const text = textOf(notices)
  const path = join(CLONE, notices.path)
  if (!process.argv.includes('--check')) writeFileSync(path, text)
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`${notices.path} is not what the dependencies of ${notices.root} say: \`make notices\` writes it.`)
    different = true
  }
}
process.exitCode = different ? 1 : 0

function textOf({ title, root, platforms }) {
  const packages = new Map(platforms.flatMap(platform => dependencies(root, platform)))
  /**
   * Each licence text, with all packages that use it. Two texts that differ only in spaces and line breaks count as one
   * text.
   */
  const texts = new Map()
  const names = []
  for (const name of [...packages.keys()].sort()) {
    const { license, authors, folder } = packages.get(name)
    names.push(`${name} (${license})`)
    for (const text of licenceTexts(name, license, folder, authors)) {
      const key = text.replace(/\s+/g, ' ').trim()
      if (!texts.has(key)) texts.set(key, { text, names: [] })
      texts.get(key).names.push(name)
    }
  }
  const parts = [...texts.values()].map(({ text, names }) => `${wrapped(names)}\n\n${text}`)
  return [`Third-party software in ${title}\n\n${names.join('\n')}\n`, RUST, ...parts].join(RULE)
}

/**
 * Returns the packages from which a package is built, each as `[name and version, folder and licence]`. Dependencies
 * that only tests or build scripts need are left out.
 */
function dependencies(root, platform) {
  const args = ['metadata', '--locked', '--format-version', '1', '--filter-platform', platform]
  const output = execFileSync('cargo', args, { cwd: CLONE, maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] })
  const { packages, resolve } = JSON.parse(output)
  const byId = new Map(packages.map(entry => [entry.id, entry]))
  const nodes = new Map(resolve.nodes.map(node => [node.id, node]))
  const found = new Set()
  const open = packages.filter(({ name, source }) => name === root && source === null).map(({ id }) => id)
  while (open.length > 0) {
    const id = open.pop()
    if (found.has(id)) continue
    found.add(id)
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps)
      if (kinds.some(({ kind }) => kind === null)) open.push(pkg)
  }
  return [...found]
    .map(id => byId.get(id))
    .filter(({ source }) => source !== null)
    .map(({ name, version, license, authors, manifest_path }) => [
      `${name} ${version}`,
      { license: license ?? 'see below', authors, folder: dirname(manifest_path) },
    ])
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
