// SvelteKit with the adapter for Node, and a page.
import { otherNode } from '../tools.mjs'
import { ran } from './limits.mjs'
import { inNode } from './services.mjs'

export const sveltekit = inNode({
  // SvelteKit requires at least Node 22. This program can also run in an older Node, because the package supports older
  // versions. Therefore the row always uses Node 24.
  node: () => otherNode(24),
  build: (project, program) => ran(program, ['node_modules/vite/bin/vite.js', 'build'], project),
  start: 'build/index.js',
  path: '/verify',
  page: true,
})
