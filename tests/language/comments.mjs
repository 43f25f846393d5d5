// Reads the English texts of a source tree: its comments, and its error messages.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CLONE, filesIn } from './files.mjs'

const SOURCE = /\.(rs|ts|mjs)$/
const ERROR = /#\[error\(\s*"((?:[^"\\]|\\.)*)"|Error\(\s*(?:'[A-Z_]+',\s*)?['"`]((?:[^'"`\\]|\\.){20,})['"`]/g

/** The sources below these folders of the clone. */
export const sourcesIn = (...folders) => folders.flatMap(filesIn).filter(path => SOURCE.test(path))

/**
 * Returns the comments and error messages of a file, each with the number of its first line. Consecutive comment lines
 * form one comment.
 */
export async function saidIn(path) {
  const lines = (await readFile(join(CLONE, path), 'utf8')).split('\n')
  const said = []
  let open
  for (const [index, line] of lines.entries()) {
    const text = commentOn(line, path.endsWith('.rs') ? RUST : JAVASCRIPT)
    if (text === undefined) open = undefined
    else if (open) open.text += `\n${text}`
    else said.push((open = { path, line: index + 1, text }))
    for (const [, rust, other] of line.matchAll(ERROR))
      said.push({ path, line: index + 1, text: `Error message: ${rust ?? other}` })
  }
  return said.filter(({ text }) => /[a-z]{2}/i.test(text))
}

/** Matches the beginning of a line that contains only a comment. In Rust, a line that begins with a star is code. */
const RUST = /^\s*\/\/[/!]?\s?(.*)$/
const JAVASCRIPT = /^\s*(?:\/\/|\/\*\*?|\*\/?)\s?(.*)$/

const commentOn = (line, form) => form.exec(line)?.[1].replace(/\*\/$/, '').trimEnd()
