// Measures each import of the package, bundled from dist/ in the same way as in an application. `node
// scripts/sizes.mjs` prints the table of sizes. With `--write` it also writes the table to README.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const js = fileURLToPath(new URL('..', import.meta.url))
const readmePath = join(js, 'README.md')
/** With these export conditions, `doorlist` resolves to another file. */
const CONDITIONS = ['workerd', 'edge-light']
const HEAD = ['| import | minified | gzip | brotli |', '|---|---:|---:|---:|']

/** Returns one row for each import: its name, its file in dist/, and its three sizes in bytes. */
export async function sizes() {
  const { name, exports } = JSON.parse(readFileSync(join(js, 'package.json'), 'utf8'))
  const rows = []
  for (const [subpath, target] of Object.entries(exports)) {
    const specifier = name + subpath.slice(1)
    if (target.import) {
      rows.push(await bundled(specifier, []))
      for (const condition of CONDITIONS) if (target[condition]) rows.push(await bundled(specifier, [condition]))
    } else if (target.default) {
      rows.push({ name: `\`${specifier}\``, file: target.default, ...weigh(readFileSync(join(js, target.default))) })
    }
  }
  return rows
}

async function bundled(specifier, conditions) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export * from '${specifier}'`, resolveDir: js, sourcefile: 'application.js' },
    absWorkingDir: js,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions,
    external: ['*.wasm', '*.wasm?module', 'node:*'],
    logLevel: 'warning',
  })
  const [file] = Object.keys(metafile.inputs).filter(path => path.startsWith('dist/'))
  const where = conditions.map(condition => `, condition \`${condition}\``).join('')
  return { name: `\`${specifier}\`${where}`, file: `./${file}`, ...weigh(outputFiles[0].contents) }
}

const weigh = bytes => ({
  minified: bytes.length,
  gzip: gzipSync(bytes, { level: 9 }).length,
  brotli: brotliCompressSync(bytes).length,
})

export const tableOf = rows =>
  [...HEAD, ...rows.map(row => `| ${[row.name, ...numbersOf(row).map(shown)].join(' | ')} |`)].join('\n')

const numbersOf = ({ minified, gzip, brotli }) => [minified, gzip, brotli]
const shown = number => number.toLocaleString('en-US')

/** Returns the rows of the table in README.md. These rows have no files. */
export function written() {
  return tableIn(readFileSync(readmePath, 'utf8'))
    .split('\n')
    .slice(HEAD.length)
    .map(line => {
      const [name, ...numbers] = line.slice(2, -2).split(' | ')
      const [minified, gzip, brotli] = numbers.map(number => Number(number.replaceAll(',', '')))
      return { name, minified, gzip, brotli }
    })
}

function tableIn(readme) {
  const [, after] = readme.split(`\n${HEAD.join('\n')}\n`)
  if (after === undefined) throw new Error(`README.md has no table that begins with ${HEAD[0]}`)
  return [...HEAD, ...after.split('\n\n')[0].split('\n')].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const table = tableOf(await sizes())
  if (process.argv.includes('--write')) {
    const readme = readFileSync(readmePath, 'utf8')
    writeFileSync(
      readmePath,
      readme.replace(tableIn(readme), () => table),
    )
  } else console.log(table)
}
