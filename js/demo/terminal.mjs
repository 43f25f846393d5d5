// The terminal output of the demo.
const bold = text => (process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text)

export function scene(title) {
  console.log(`\n${bold(title)}`)
}

export function note(text) {
  console.log(`  ${text}`)
}

/** Prints `text` if `holds` is true. Otherwise throws an error with this text. */
export function check(text, holds) {
  if (!holds) throw new Error(text)
  console.log(`  ✓ ${text}`)
}

export function table(head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map(row => row[column].length)))
  const line = row => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('   ')}`.trimEnd()
  console.log([bold(line(head)), ...rows.map(line)].join('\n'))
}
