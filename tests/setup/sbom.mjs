// `make sbom`: writes a list of the software in each published artifact, in the format CycloneDX 1.5:
//
//   node tests/setup/sbom.mjs FOLDER
//
// The npm package has no npm dependencies. Its WebAssembly module is built from crates, so both lists name crates.
// The lists come from `cargo metadata` and Cargo.lock, like the notices. They contain no time and no random number, so
// two people get the same bytes for one commit.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PUBLISHED, dependencies } from './dependencies.mjs'

const CLONE = fileURLToPath(new URL('../..', import.meta.url))
const read = path => readFileSync(join(CLONE, path), 'utf8')
const [output = join(CLONE, 'target/sbom')] = process.argv.slice(2)

/** The SHA-256 of each published crate, by name and version. */
const CHECKSUMS = new Map(
  [...read('Cargo.lock').matchAll(/^name = "(.*)"\nversion = "(.*)"\nsource = ".*"\nchecksum = "(.*)"$/gm)].map(
    ([, name, version, checksum]) => [`${name} ${version}`, checksum],
  ),
)
const [, crateVersion] = /^version = "(.*)"$/m.exec(read('Cargo.toml'))
const npmPackage = JSON.parse(read('js/package.json'))
if (Object.keys(npmPackage.dependencies ?? {}).length > 0)
  throw new Error('the npm package has dependencies: list them here too')

/** What each list describes, by the folder of the artifact. */
const ARTIFACTS = {
  issuer: { type: 'application', name: 'doorlist', version: crateVersion, purl: `pkg:cargo/doorlist@${crateVersion}` },
  js: {
    type: 'library',
    name: npmPackage.name,
    version: npmPackage.version,
    purl: `pkg:npm/${npmPackage.name}@${npmPackage.version}`,
  },
}

mkdirSync(output, { recursive: true })
for (const published of PUBLISHED) {
  const file = join(output, `${published.folder}.cdx.json`)
  writeFileSync(file, `${JSON.stringify(listOf(published), null, 2)}\n`)
  console.log(file)
}

function listOf(published) {
  const components = dependencies(published).map(component)
  const artifact = ARTIFACTS[published.folder]
  const licenses = [{ expression: npmPackage.license }]
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { 'bom-ref': artifact.purl, ...artifact, licenses } },
    components,
    dependencies: [{ ref: artifact.purl, dependsOn: components.map(({ purl }) => purl) }],
  }
}

function component({ name, version, description, license, repository }) {
  const purl = `pkg:cargo/${name}@${version.replaceAll('+', '%2B')}`
  const checksum = CHECKSUMS.get(`${name} ${version}`)
  if (checksum === undefined) throw new Error(`Cargo.lock has no checksum of ${name} ${version}`)
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    ...(description && { description: description.trim() }),
    scope: 'required',
    hashes: [{ alg: 'SHA-256', content: checksum }],
    // Old crates separate a choice of licences by a slash.
    ...(license && { licenses: [{ expression: license.replace(/ *\/ */g, ' OR ') }] }),
    purl,
    ...(repository && { externalReferences: [{ type: 'vcs', url: repository }] }),
  }
}
