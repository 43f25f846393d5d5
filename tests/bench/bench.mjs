// Runs all measurements, and writes RESULTS.md and comparison.svg beside this file. With `--only cold,warm` it measures
// only these sections, and only prints the figures. This is for work on a single measurement.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine } from './lib/machine.mjs'
import { picture } from './lib/picture.mjs'
import { markdown } from './lib/report.mjs'
import { coreSections } from './sections/core.mjs'
import { issuerSections } from './sections/issuer.mjs'
import { nodeSections } from './sections/nodes.mjs'
import { runtimeSections } from './sections/runtimes.mjs'
import { verifierSections } from './sections/verifier.mjs'

const sections = { ...verifierSections, ...runtimeSections, ...coreSections, ...issuerSections, ...nodeSections }
const { values } = parseArgs({ options: { only: { type: 'string' } } })
const wanted = values.only?.split(',') ?? Object.keys(sections)
const unknown = wanted.find(name => !(name in sections))
if (unknown !== undefined) throw new Error(`there is no section ${unknown}, only ${Object.keys(sections).join(', ')}`)

const measured = []
for (const [index, name] of wanted.entries()) {
  const begin = performance.now()
  process.stderr.write(`doorlist  ${index + 1}/${wanted.length} ${name} … `)
  measured.push(await sections[name](step => process.stderr.write(`${step} … `)))
  process.stderr.write(`${((performance.now() - begin) / 1000).toFixed(0)} s\n`)
}

const results = markdown({ machine: machine(), sections: measured })
console.log(results)
if (!values.only) {
  const beside = name => fileURLToPath(new URL(name, import.meta.url))
  writeFileSync(beside('RESULTS.md'), results)
  writeFileSync(beside('comparison.svg'), picture(measured.flatMap(({ bars }) => bars ?? [])))
}
