// D3: a reader can paste the code of the READMEs, and the code of the examples in the package's types. All this code
// compiles under `strict`.
import assert from 'node:assert/strict'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { createConsumer, js } from './consumer.mjs'
import { documentation, examples, snippets, snippetsOf } from './snippets.mjs'
import { surroundings, surroundingsOf } from './surroundings.mjs'
import { bin, output } from './tools.mjs'

const inTypes = await examples()
const shown = [...(await snippets()), ...inTypes]

let consumer, project, complaints
before(async () => {
  consumer = await createConsumer()
  project = await consumer.sibling('readme')
  for (const scope of ['@fastify', '@hono', '@types']) await mkdir(join(project, 'node_modules', scope))
  for (const name of PACKAGES) await symlink(join(js, 'node_modules', name), join(project, 'node_modules', name))
  complaints = await compiled()
})
after(() => consumer?.remove())

/** The packages that the snippets import, except `doorlist`. */
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

/**
 * Compiles each snippet in its own project, because some snippets change types for the whole program. Returns the
 * messages of the compiler for each snippet.
 */
async function compiled() {
  const folders = await Promise.all(shown.map((snippet, index) => projectOf(snippet, `snippet-${index}`)))
  const references = folders.map(folder => ({ path: `./${folder}` }))
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ files: [], references }))
  const written = await output(bin('tsc'), ['--build', '--pretty', 'false'], project).catch(error => {
    if (/^(?!snippet-\d+\/)\S/m.test(error.stdout || '?')) throw error
    return error.stdout
  })
  const messages = written.split(/^(?=\S)/m)
  return folders.map(folder => messages.filter(message => message.startsWith(`${folder}/`)))
}

async function projectOf({ name, language, code }, folder) {
  const path = join(project, folder)
  await mkdir(path)
  // In a page, `/` is the folder of the project. For the compiler, `/` is the root of the disk.
  const pasted = code.replaceAll("from '/node_modules/", "from '../node_modules/")
  await writeFile(join(path, `snippet.${language}`), `${pasted}\nexport {}\n`)
  await writeFile(join(path, 'surroundings.d.ts'), surroundingsOf(name))
  await writeFile(join(path, 'tsconfig.json'), JSON.stringify({ compilerOptions: options(language) }))
  return folder
}

for (const [index, { name, at }] of shown.entries()) {
  test(`D3: the snippet of ${name} compiles under strict`, () => {
    assert.equal(complaints[index].length, 0, [at, ...complaints[index]].join('\n'))
  })
}

/**
 * The options of the compiler. All rules of `strict` apply, with one exception: JavaScript cannot declare the type of a
 * parameter, so in JavaScript a parameter is allowed to be `any`. Errors in the types of libraries do not matter here.
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

test('D3: the table of contents of the package has every chapter, in their order', async () => {
  const [contents, ...chapters] = (await readFile(join(js, 'README.md'), 'utf8')).split(/^(?=#{2,3} )/m)
  assert.deepEqual(
    [...contents.matchAll(/\[(.+?)\]\(#/g)].map(([, name]) => name),
    chapters.map(chapter => /^#+ (.*)/.exec(chapter)[1]),
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

test('D3: an example is found by its declaration, at its line', () => {
  const text =
    'import {}\n/**\n * A.\n *\n * @example\n * ```ts\n * a\n * ```\n */\nexport const a: A\n\nexport interface A {\n' +
    '  /** b. */\n  b: 1\n  /**\n   * @example\n   * ```ts\n   * c\n   *   d\n   * ```\n   */\n  readonly c: 1\n}\n'
  assert.deepEqual(snippetsOf('x.d.ts', documentation(text)), [
    { name: 'x.d.ts, a', at: 'x.d.ts:7', language: 'ts', code: 'a' },
    { name: 'x.d.ts, A.c', at: 'x.d.ts:18', language: 'ts', code: 'c\n  d' },
  ])
})

test('D3: every value that the package exports has an example, and so has every function on such a value', async () => {
  const without = []
  for (const { file, module } of await entryPoints()) {
    for (const [name, value] of Object.entries(module)) {
      const [path, declared] = (await declarationOf(file, name)) ?? [file, name]
      const functions = Object.getOwnPropertyNames(value).filter(key => typeof value[key] === 'function')
      // Some functions are properties of another function, for example `connectVerifier.lazy`. The type of the other
      // function declares such a property. The name of this type is the name of the other function with a capital first
      // letter, for example `ConnectVerifier`.
      const type = declared.replace(/^./, letter => letter.toUpperCase())
      for (const wanted of [declared, ...functions.map(key => `${type}.${key}`)])
        if (!inTypes.some(({ name }) => name.replace(/ \(\d+\)$/, '') === `${path}, ${wanted}`))
          without.push(`${path}, ${wanted}`)
    }
  }
  assert.deepEqual([...new Set(without)], [])
})

test('D3: code in the types is marked as an example, so that editors show it as one', async () => {
  const files = new Set(inTypes.map(({ name }) => name.split(',')[0]))
  for (const file of files) {
    const text = await readFile(join(js, '..', file), 'utf8')
    assert.doesNotMatch(text, /(?<!@example)\n *\* *```\w/, file)
  }
})

/**
 * For each import of the installed package, returns the exported values and the file in `types/` with the types of this
 * import.
 */
async function entryPoints() {
  const root = join(project, 'node_modules/doorlist')
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const targets = Object.values(exports).filter(target => typeof target === 'object')
  return Promise.all(
    targets.map(async ({ import: esm, types = esm.types }) => ({
      file: basename(types),
      // Node cannot import `verifier.wasm`. Its only export is `default`.
      module: esm ? await import(join(root, esm.default)) : { default: {} },
    })),
  )
}

/**
 * Returns the file that declares an exported value, and the name of the value in that file. If `file` re-exports the
 * value from another file, the result names the other file.
 */
async function declarationOf(file, name) {
  const text = await readFile(join(js, 'types', file), 'utf8')
  const own =
    name === 'default' ? /^export default (\w+)/m : new RegExp(`^export (?:const|function|class) (${name})\\b`, 'm')
  const [, declared] = own.exec(text) ?? []
  if (declared) return [`js/types/${file}`, declared]
  for (const [, from] of text.matchAll(/^export (?:\*|\{.*\}) from '\.\/(\w+)\.js'/gm)) {
    const found = await declarationOf(`${from}.d.ts`, name)
    if (found) return found
  }
}
