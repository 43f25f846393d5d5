// Rows that are tested with a page in Chromium.
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { FOLLOWED } from '../issuer.mjs'
import { firstLineIn, launchChromium, serve } from '../tools.mjs'
import { PAGE_LIMIT_MS, ran, within } from './limits.mjs'

export async function parcel({ project, issuer }) {
  for (const folder of ['dist', '.parcel-cache']) await rm(join(project, folder), { recursive: true, force: true })
  await ran(process.execPath, ['node_modules/parcel/lib/bin.js', 'build', '--no-cache'], project)
  const server = await serve(join(project, 'dist'))
  try {
    const address = `${server.address}?${await issuer.tenant()}`
    const line = await within('the page', () => firstLineIn(launchChromium, address), PAGE_LIMIT_MS)
    assert.deepEqual(JSON.parse(line), { state: 'signed-out', ...FOLLOWED })
  } finally {
    server.stop()
  }
}
