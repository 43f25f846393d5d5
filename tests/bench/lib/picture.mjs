// Draws the main comparisons as bars in an SVG. The SVG has its own background, so it is readable on a light page and
// on a dark page.

const WIDTH = 780
const MARGIN = 14
const LABEL = 206
const BAR = 430
const LINE = 22

/** `groups` is a list of `{ title, bars: [{ name, value, text, ours? }] }`. A shorter bar is better. */
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
  drawn.push(`<text class="caption" x="${LABEL}" y="${y + 8}">Shorter is better.</text>`)
  y += 16
  const described = groups.map(
    ({ title, bars }) => `${title}: ${bars.map(({ name, text }) => `${name} ${text}`).join(', ')}`,
  )
  const [width, height] = [WIDTH + 2 * MARGIN, y + MARGIN]
  const frame = `x="${-MARGIN}" y="0" width="${width}" height="${height}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${-MARGIN} 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">${escaped(described.join('; '))}</title>
<style>
  text { font: 12px system-ui, sans-serif; fill: #24292f; dominant-baseline: auto }
  .title { font-weight: 600; font-size: 13px }
  .name { text-anchor: end }
  .caption { font-size: 11px }
  .page { fill: #fff }
  .ours { fill: #1a7f37 }
  .theirs { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .page { fill: #0d1117 }
    .ours { fill: #3fb950 }
    .theirs { fill: #6e7681 }
  }
</style>
<rect class="page" ${frame} rx="8"/>
${drawn.join('\n')}
</svg>
`
}

const escaped = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
