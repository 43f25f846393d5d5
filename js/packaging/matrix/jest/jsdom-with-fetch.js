// jsdom has no `fetch` and no `TextDecoder`. A project that needs them uses Node's, as `jest-fixed-jsdom` does.
const { TestEnvironment } = require('jest-environment-jsdom')

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup()
    for (const name of ['fetch', 'TextDecoder', 'TextEncoder']) this.global[name] = globalThis[name]
  }
}
