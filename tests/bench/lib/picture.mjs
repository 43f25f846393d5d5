// The main comparisons as bars, in an SVG that is readable on light and on dark pages.

const WIDTH = 760
const LABEL = 190
const BAR = 430
const LINE = 22

/** `groups`: `{ title, bars: [{ name, value, text, ours? }] }`, shorter is better. */
export function picture(groups) {
  let y = 14
  const drawn = []
  for (const { title, bars } of groups) {
    y += 16
    drawn.push(`<text class="title" x="0" y="${y}">${escaped(title)}</text>`)
    y += 10
    const longest = Math.max(...bars.map(({ value }) => value))
    for (const { name, value, text, ours } of bars) {
      const width = Math.max(1.5, (value / longest) * BAR).toFixed(1)
      const kind = ours ? 'ours' : 'theirs'
      drawn.push(
        `<text class="name" x="${LABEL - 8}" y="${y + 14}">${escaped(name)}</text>` +
          `<rect class="${kind}" x="${LABEL}" y="${y + 2}" width="${width}" height="${LINE - 7}" rx="2"/>` +
          `<text x="${(LABEL + Number(width) + 7).toFixed(1)}" y="${y + 14}">${escaped(text)}</text>`,
      )
      y += LINE
    }
    y += 12
  }
  const described = groups.map(
    ({ title, bars }) => `${title}: ${bars.map(({ name, text }) => `${name} ${text}`).join(', ')}`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-labelledby="title">
<title id="title">${escaped(described.join('; '))}</title>
<style>
  text { font: 12px system-ui, sans-serif; fill: #24292f; dominant-baseline: auto }
  .title { font-weight: 600; font-size: 13px }
  .name { text-anchor: end }
  .ours { fill: #1a7f37 }
  .theirs { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ours { fill: #3fb950 }
    .theirs { fill: #6e7681 }
  }
</style>
${drawn.join('\n')}
</svg>
`
}

const escaped = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
