// Finds the code blocks of the READMEs and the examples in `types/`. Each block gets a name, which the tests use.
import { execFile } from 'node:child_process'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { js } from './consumer.mjs'

const root = join(js, '..')
/**
 * The languages of blocks with JavaScript or TypeScript. Other tests check the blocks of other languages (`sh`, `json`,
 * …).
 */
const SPOKEN = {
  js: 'js',
  javascript: 'js',
  mjs: 'js',
  jsx: 'jsx',
  ts: 'ts',
  typescript: 'ts',
  tsx: 'tsx',
  html: 'html',
}

/**
 * Returns all blocks of JavaScript and TypeScript, and the scripts in blocks of HTML, from the Markdown files in the
 * Git repository.
 */
export async function snippets() {
  const { stdout } = await promisify(execFile)(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
    {
      cwd: root,
    },
  )
  const files = stdout.trim().split('\n').sort()
  return (await Promise.all(files.map(async file => snippetsOf(file, await readFile(join(root, file), 'utf8'))))).flat()
}

/**
 * Returns every `@example` of `types/`. Its name consists of the file and the declaration, for example
 * `js/types/connected.d.ts, ConnectVerifier.lazy`.
 */
export async function examples() {
  const names = (await readdir(join(js, 'types'))).sort()
  const files = names.map(async name => {
    const text = await readFile(join(js, 'types', name), 'utf8')
    return snippetsOf(`js/types/${name}`, documentation(text))
  })
  return (await Promise.all(files)).flat()
}

/**
 * `DECLARED` matches the first line of a declaration at the top level. `MEMBER` matches the first line of a declaration
 * inside a type.
 */
const DECLARED = /^(?:export |declare )*(?:const|function|class|interface|type) (\w+)/
const MEMBER = /^ +(?:static |readonly )*\[?([\w.]+)/
/** Matches a comment of several lines together with the line after it. Any other line is matched alone. */
const DOCUMENTED = /^( *)\/\*\*\n(.*?)^ *\*\/\n([^\n]*)|^[^\n]*/gms

/**
 * Converts a file of types to Markdown that contains only its comments. Each comment is under a heading with the name
 * of its declaration. All other lines become empty, so that the line numbers stay the same.
 */
export function documentation(text) {
  let outer
  return text.replace(DOCUMENTED, (line, indent, comment, declared) => {
    outer = DECLARED.exec(declared ?? line)?.[1] ?? outer
    if (comment === undefined) return ''
    const name = indent ? `${outer}.${MEMBER.exec(declared)?.[1]}` : outer
    return `# ${name}\n${comment.replace(/^ *\* ?/gm, '')}\n`
  })
}

/**
 * Returns the blocks of a file. The heading above a block is its name. If there are several blocks under one heading,
 * their names also have a number.
 */
export function snippetsOf(file, text) {
  const found = []
  let heading = '',
    open
  for (const [index, line] of text.split('\n').entries()) {
    const [, indent, mark, language] = /^( *)(`{3,}|~{3,})\s*([\w-]*)/.exec(line) ?? []
    if (open) {
      if (mark?.startsWith(open.mark) && !language) {
        found.push({ ...open, code: open.lines.map(line => line.slice(open.indent)).join('\n') })
        open = undefined
      } else open.lines.push(line)
    } else if (mark) open = { mark, indent: indent.length, language, heading, line: index + 2, lines: [] }
    else if (/^#+ /.test(line)) heading = line.replace(/^#+ /, '').trim()
  }
  if (open) throw new Error(`${file}: the block that begins at line ${open.line} has no end`)
  const spoken = found.filter(({ language }) => language in SPOKEN)
  return spoken
    .flatMap(({ language, code, ...rest }) => scripts(SPOKEN[language], code).map(script => ({ ...rest, ...script })))
    .map(({ heading, line, language, code }, at, all) => {
      const under = all.filter(other => other.heading === heading)
      const number =
        under.length > 1 ? ` (${all.slice(0, at + 1).filter(other => other.heading === heading).length})` : ''
      return { name: `${file}, ${heading}${number}`, at: `${file}:${line}`, language, code }
    })
}

/** Returns the parts of a block that a browser would run: the inline scripts of HTML, or the whole block. */
const scripts = (language, code) =>
  language === 'html'
    ? [...code.matchAll(/<script[^>]*>(.*?)<\/script>/gs)].map(([, code]) => ({ language: 'js', code }))
    : [{ language, code }]
