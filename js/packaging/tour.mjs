// Parses the README's ten-minute tour, so that the tests can execute and build the tour.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { js } from './consumer.mjs'

const CHAPTER = '## A page and an API in ten minutes\n'

export async function chapterOfTour() {
  const [, after] = (await readFile(join(js, '../README.md'), 'utf8')).split(CHAPTER)
  return after.split('\n## ')[0]
}

/** Returns the actions of each step. An action is a command, or a file to paste. */
export function stepsOf(chapter) {
  const block = /(?:Put this into `(?<file>[^`]+)`[^\n]*\n\n)?```\w+\n(?<content>.*?)```/gs
  const [, ...steps] = chapter.split(/^\*\*\d\. /m)
  return steps.map(step =>
    [...step.matchAll(block)].map(({ groups: { file, content } }) =>
      file ? { file, content } : { command: content.trim() },
    ),
  )
}
