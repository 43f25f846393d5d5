// The crates from which a binary or the WebAssembly module is built, for the notices and the SBOMs.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const CLONE = fileURLToPath(new URL('../..', import.meta.url))

/** What the project publishes, with the platforms for which it is built. */
export const PUBLISHED = [
  {
    folder: 'issuer',
    title: 'the binary `doorlist`',
    root: 'doorlist',
    platforms: ['x86_64-unknown-linux-gnu', 'aarch64-unknown-linux-gnu', 'aarch64-apple-darwin'],
  },
  {
    folder: 'js',
    title: 'the WebAssembly of the npm package `doorlist`',
    root: 'doorlist-verifier',
    platforms: ['wasm32-unknown-unknown'],
  },
]

/**
 * Returns the packages from which a package is built on any of its platforms, as `cargo metadata` describes them, sorted
 * by name and version. Dependencies that only tests or build scripts need are left out.
 */
export function dependencies({ root, platforms }) {
  const found = new Map(platforms.flatMap(platform => onPlatform(root, platform)))
  return [...found.keys()].sort().map(name => found.get(name))
}

function onPlatform(root, platform) {
  const args = ['metadata', '--locked', '--format-version', '1', '--filter-platform', platform]
  const output = execFileSync('cargo', args, { cwd: CLONE, maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] })
  const { packages, resolve } = JSON.parse(output)
  const byId = new Map(packages.map(entry => [entry.id, entry]))
  const nodes = new Map(resolve.nodes.map(node => [node.id, node]))
  const found = new Set()
  const open = packages.filter(({ name, source }) => name === root && source === null).map(({ id }) => id)
  while (open.length > 0) {
    const id = open.pop()
    if (found.has(id)) continue
    found.add(id)
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps)
      if (kinds.some(({ kind }) => kind === null)) open.push(pkg)
  }
  return [...found]
    .map(id => byId.get(id))
    .filter(({ source }) => source !== null)
    .map(entry => [`${entry.name} ${entry.version}`, entry])
}
