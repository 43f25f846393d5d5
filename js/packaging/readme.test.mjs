// D3: the code in the READMEs compiles under `strict` when a reader pastes it.
import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createConsumer, js } from './consumer.mjs'
import { snippets, snippetsOf } from './snippets.mjs'
import { surroundings } from './surroundings.mjs'
import { bin, output } from './tools.mjs'

const shown = await snippets()

let consumer, project
before(async () => {
  consumer = await createConsumer()
  project = await consumer.sibling('readme')
  for (const scope of ['@fastify', '@hono', '@types']) await mkdir(join(project, 'node_modules', scope))
  for (const name of PACKAGES) await symlink(join(js, 'node_modules', name), join(project, 'node_modules', name))
})
after(() => consumer?.remove())

/** The packages that the snippets import besides `doorlist`. */
const PACKAGES = [
  'express',
  'express-jwt',
  'fastify',
  '@fastify/jwt',
  'hono',
  '@hono/node-server',
  'jose',
  ...['express', 'express-serve-static-core', 'node'].map(name => `@types/${name}`),
]

for (const [index, { name, at, language, code }] of shown.entries()) {
  test(`D3: the snippet of ${name} compiles under strict`, async () => {
    const folder = join(project, `snippet-${index}`)
    await mkdir(folder)
    // In a page, `/` is the project. The compiler would resolve it to the root of the disk.
    const pasted = code.replaceAll("from '/node_modules/", "from '../node_modules/")
    await writeFile(join(folder, `snippet.${language}`), `${pasted}\nexport {}\n`)
    await writeFile(join(folder, 'surroundings.d.ts'), surroundings[name] ?? '')
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options(language) }))
    await output(bin('tsc'), ['--project', folder], project).catch(error => assert.fail(`${at}\n${error.stdout}`))
  })
}

/**
 * JavaScript cannot declare the type of a parameter, so `any` is allowed there. All other rules of `strict`
 * apply. Errors in the declarations of libraries do not matter here.
 */
const options = language => ({
  strict: true,
  noImplicitAny: /^ts/.test(language),
  allowJs: true,
  checkJs: true,
  noEmit: true,
  skipLibCheck: true,
  target: 'es2022',
  lib: ['es2022', 'dom', 'dom.iterable'],
  module: 'esnext',
  moduleResolution: 'bundler',
  types: ['node'],
})

test('D3: surroundings are declared for snippets that are shown, and for no others', () => {
  const names = shown.map(({ name }) => name)
  assert.ok(names.length >= 25, `only ${names.length} snippets were found`)
  assert.deepEqual(
    Object.keys(surroundings).filter(name => !names.includes(name)),
    [],
  )
})

test('D3: a snippet is found in a list, in a page, and by any of its languages', () => {
  const text =
    '# A\n\n- one\n\n  ```js\n  a\n  ```\n\n```html\n<p>\n<script type="module">b</script>\n```\n\n## B\n~~~ts\nc\n~~~\n```sh\nd\n```\n'
  const found = snippetsOf('X.md', text).map(({ name, language, code }) => [name, language, code])
  assert.deepEqual(found, [
    ['X.md, A (1)', 'js', 'a'],
    ['X.md, A (2)', 'js', 'b'],
    ['X.md, B', 'ts', 'c'],
  ])
})
