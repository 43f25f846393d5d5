// Finds the browsers of this machine. `node js/packaging/programs.mjs chromium` exits with 1 if there is no Chromium.
// The set-up runs this file before npm packages are installed, so this file imports no npm packages.
import { accessSync, constants, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

/**
 * Returns the path of an installed program. If the environment variable contains the path of a program, this program is
 * used. Otherwise the first program with one of these names is used.
 */
function findProgram({ variable, names, macOS, otherwise }) {
  const folders = process.env.PATH.split(delimiter)
  const candidates = [process.env[variable], ...names.flatMap(name => folders.map(folder => join(folder, name))), macOS]
  const found = candidates.find(path => path && isExecutable(path))
  if (found === undefined) throw new Error(otherwise)
  return found
}

export const findChromium = () =>
  findProgram({
    variable: 'CHROMIUM',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    macOS: '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    otherwise: 'no Chromium: `apt-get install chromium`, or name one in the variable CHROMIUM.',
  })

export const findFirefox = () =>
  findProgram({
    variable: 'FIREFOX',
    names: ['firefox-esr', 'firefox'],
    macOS: '/Applications/Firefox.app/Contents/MacOS/firefox',
    otherwise: 'no Firefox: `apt-get install firefox-esr`, or name one in the variable FIREFOX.',
  })

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

if (argv[1] && realpathSync(argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    console.log({ chromium: findChromium, firefox: findFirefox }[argv[2]]())
  } catch {
    process.exitCode = 1
  }
}
