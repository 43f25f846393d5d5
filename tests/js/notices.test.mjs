// The documents of the project: notices of third-party software, and licences. All links in documents must lead to
// existing targets.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'

const run = promisify(execFile)
const CLONE = fileURLToPath(new URL('../..', import.meta.url))
const read = path => readFile(join(CLONE, path), 'utf8')

test('D5: the notices match the dependencies', { timeout: 120_000 }, async () => {
  await run('node', ['tests/setup/notices.mjs', '--check'], { cwd: CLONE })
  for (const path of ['issuer/THIRD-PARTY-NOTICES', 'js/THIRD-PARTY-NOTICES']) {
    const text = await read(path)
    for (const name of ['curve25519-dalek', 'subtle']) assert.match(text, new RegExp(`^${name} .*BSD-3-Clause`, 'm'))
    assert.match(text, /Copyright \(c\) \d{4}[-\d]* (Isis Agora Lovecruft|isis agora lovecruft)/)
  }
})

test('the SBOMs name the software that the notices name', { timeout: 120_000 }, async story => {
  const folder = await mkdtemp(join(tmpdir(), 'doorlist-sbom-'))
  story.after(() => rm(folder, { recursive: true }))
  await run('node', ['tests/setup/sbom.mjs', folder], { cwd: CLONE })
  for (const artifact of ['issuer', 'js']) {
    const sbom = JSON.parse(await readFile(join(folder, `${artifact}.cdx.json`), 'utf8'))
    assert.deepEqual([sbom.bomFormat, sbom.specVersion], ['CycloneDX', '1.5'])
    const [, names] = /^.*\n\n([^]*?)\n\n=/.exec(await read(`${artifact}/THIRD-PARTY-NOTICES`))
    const listed = sbom.components.map(({ name, version }) => `${name} ${version}`)
    assert.deepEqual(
      listed,
      names.split('\n').map(line => line.replace(/ \(.*/, '')),
    )
    assert.ok(sbom.components.every(({ hashes }) => /^[0-9a-f]{64}$/.test(hashes[0].content)))
  }
})

test('D5: package and crates have the licence of the project', async () => {
  const license = await read('LICENSE')
  for (const folder of ['js', 'issuer', 'verifier-wasm']) assert.equal(await read(`${folder}/LICENSE`), license, folder)
})

test('D5: the tarball has licence, notices and README, and every link of that README has a target', async () => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: join(CLONE, 'js') })
  const [{ files }] = JSON.parse(stdout)
  const packed = new Set(files.map(({ path }) => path))
  for (const name of ['LICENSE', 'README.md', 'THIRD-PARTY-NOTICES']) assert.ok(packed.has(name), name)
  for (const { target, file } of await linksOf('js/README.md'))
    assert.ok(packed.has(relative('js', file)), `${target} is not in the tarball`)
})

test('D5: every link of every document leads to a file and a heading of this tree', async () => {
  const documents = await markdown('.')
  assert.ok(documents.includes('README.md') && documents.includes('verifier-wasm/FORMAT.md'))
  for (const document of documents) {
    for (const { target, file, heading } of await linksOf(document)) {
      const text = await read(file).catch(error =>
        error.code === 'EISDIR' ? '' : assert.fail(`${document}: ${target}`),
      )
      if (heading) assert.ok(headingsOf(text).has(heading), `${document}: ${target} has no such heading`)
    }
  }
})

/** Returns the targets of the links in a document. Links to targets outside this tree are left out. */
async function linksOf(document) {
  const text = withoutCode(await read(document))
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target)
    .filter(target => !/^(https?|mailto):/.test(target))
    .map(target => {
      const [path, heading] = target.split('#')
      return { target, heading, file: path ? join(dirname(document), path) : document }
    })
}

/** Returns the anchors of all headings, in the form that GitHub generates. */
function headingsOf(text) {
  const headings = [...withoutCode(text).matchAll(/^#+ +(.+)$/gm)].map(([, heading]) => heading)
  return new Set(
    headings.map(heading =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\- ]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

const withoutCode = text => text.replace(/^```[^]*?^```/gm, '')

async function markdown(folder) {
  const entries = await readdir(join(CLONE, folder), { withFileTypes: true })
  const found = entries.map(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return /^(\..*|node_modules|target|dist)$/.test(entry.name) ? [] : markdown(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
  return (await Promise.all(found)).flat()
}
