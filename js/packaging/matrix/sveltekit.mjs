// SvelteKit as a Node server, with a page.
import { otherNode } from '../tools.mjs'
import { ran } from './limits.mjs'
import { inNode } from './services.mjs'

export const sveltekit = inNode({
  // SvelteKit requires Node 22, which is newer than the minimum of this package.
  node: () => otherNode(24),
  build: (project, program) => ran(program, ['node_modules/vite/bin/vite.js', 'build'], project),
  start: 'build/index.js',
  path: '/verify',
  page: true,
})
