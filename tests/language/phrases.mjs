// Finds the phrases that CONTRIBUTING.md bans ("Writing"). Because of such a phrase, a reader must read the sentence
// twice.
import { saidIn, sourcesIn } from './comments.mjs'

/** Each banned phrase, with advice for the writer. */
const BANNED = [
  [/\bof (before|then|now)\b/i, 'say which: "the previous …", "at that time", "the current …"'],
  [/\b(is|are) none\b/i, 'say what is missing'],
  [/\bso (long|many)\b(?! as)/i, 'say the number, or the setting that has it'],
  [/\banew\b/i, '"again", or "a new …"'],
  [/\b(whoever|whatever|nobody|somebody)\b/i, 'name the actor: the client, the caller, another node'],
]
/** Sentences in which a banned phrase is allowed. */
const ALLOWED = [/Whatever\(/]

const found = []
for (const { path, line, text } of (await Promise.all(sourcesIn('').map(saidIn))).flat()) {
  if (ALLOWED.some(allowed => allowed.test(text))) continue
  for (const [phrase, instead] of BANNED) {
    const [words] = phrase.exec(text) ?? []
    if (words) found.push(`${path}:${line}: "${words}": ${instead}`)
  }
}
for (const sentence of found) console.error(sentence)
if (found.length > 0) {
  console.error(`${found.length} phrases that CONTRIBUTING.md ("Writing") bans. Say it plainly.`)
  process.exitCode = 1
}
