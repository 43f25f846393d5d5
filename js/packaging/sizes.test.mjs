// D10: the sizes in the README are the sizes of the package. The page of the tour loads the session first, and the
// verifier later.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { sizes, written } from '../scripts/sizes.mjs'
import { createConsumer, js } from './consumer.mjs'
import { snippets } from './snippets.mjs'
import { chapterOfTour, stepsOf } from './tour.mjs'

/** The allowed difference from a size in the README, as a fraction of this size. */
const TOLERANCE = 0.02
/**
 * The maximum size of the tour's first script in bytes, minified and gzipped. The script contains the session, the code
 * of the page, and the code with which Vite loads other scripts.
 */
const FIRST_CHUNK = 8 * 1024
const RENEW = 'run `node scripts/sizes.mjs --write` in js/'

let consumer, wasm
before(async () => {
  consumer = await createConsumer()
  wasm = await readFile(join(consumer.project, 'node_modules/doorlist/dist/verifier.wasm'))
})
after(() => consumer?.remove())

test('D10: the table of sizes in the README has every import, each size within 2 %', async () => {
  const [table, measured] = [written(), await sizes()]
  assert.deepEqual(
    table.map(({ name }) => name),
    measured.map(({ name }) => name),
    RENEW,
  )
  for (const [index, { name, ...row }] of measured.entries()) {
    for (const kind of ['minified', 'gzip', 'brotli']) {
      const [says, is] = [table[index][kind], row[kind]]
      assert.ok(
        Math.abs(says - is) <= is * TOLERANCE,
        `${name}, ${kind}: the README says ${says}, it is ${is}; ${RENEW}`,
      )
    }
  }
})

test('D10: each file that an `import` can load is measured', async () => {
  const { exports } = JSON.parse(await readFile(join(js, 'package.json'), 'utf8'))
  const measured = (await sizes()).map(({ file }) => file)
  assert.deepEqual(measured.toSorted(), [...new Set(Object.values(exports).flatMap(imported))].sort())
})

/**
 * Returns the files of a subpath for all conditions except `types` and `require`. A subpath whose target is a string
 * (for example `package.json`) is not an import, so the result is empty.
 */
const imported = target =>
  typeof target === 'string'
    ? []
    : Object.entries(target).flatMap(([condition, under]) => {
        if (condition === 'types' || condition === 'require') return []
        return typeof under === 'string' ? [under] : imported(under)
      })

test("D10: the first script of the tour's page contains the session; another script contains the verifier with its module", async () => {
  const { html, scripts } = await built('tour', await pageOfTour())
  const entry = firstScript(html, scripts)
  assert.ok(!holdsModule(entry.code), `${entry.fileName} holds the module`)
  const size = gzipSync(entry.code, { level: 9 }).length
  assert.ok(size <= FIRST_CHUNK, `${entry.fileName} has ${size} bytes gzipped, ${FIRST_CHUNK} at most`)
  const later = scripts.filter(({ code }) => holdsModule(code))
  assert.equal(later.length, 1, 'one script holds the module')
  assert.ok(!html.includes(basename(later[0].fileName)), 'the HTML does not load the script with the module')
  assert.ok(entry.code.includes(basename(later[0].fileName)), 'the first script loads the script with the module')
})

test('D10: with `doorlist/slim` the module is a separate, unchanged file, and no script contains it', async () => {
  const { code } = (await snippets()).find(({ name }) => name === 'js/README.md, How the WebAssembly gets there')
  const { scripts, assets } = await built(
    'slim',
    `<script type="module">${code}\nconsole.log(connectVerifier)</script>`,
  )
  assert.ok(!scripts.some(({ code }) => holdsModule(code)))
  const modules = assets.filter(({ fileName }) => fileName.endsWith('.wasm'))
  assert.deepEqual(
    modules.map(({ source }) => wasm.equals(source)),
    [true],
  )
})

async function pageOfTour() {
  const { content } = stepsOf(await chapterOfTour())
    .flat()
    .find(({ file }) => file === 'page/index.html')
  return content
}

/** Returns the files that Vite builds from a page. */
async function built(name, html) {
  const root = await consumer.sibling(name)
  await writeFile(join(root, 'index.html'), html)
  const { output } = await build({ root, logLevel: 'error', build: { write: false } })
  const assets = output.filter(({ type }) => type === 'asset')
  return {
    html: String(assets.find(({ fileName }) => fileName === 'index.html').source),
    scripts: output.filter(({ type }) => type === 'chunk'),
    assets,
  }
}

function firstScript(html, scripts) {
  const asked = scripts.filter(({ fileName }) => html.includes(basename(fileName)))
  assert.equal(asked.length, 1, 'the page asks for one script')
  return asked[0]
}

/** Whether the code contains the module. It is enough to search for a part from the middle of the module. */
const holdsModule = code => code.includes(wasm.subarray(60_000, 60_600).toString('base64'))
