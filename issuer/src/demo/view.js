// What the demo page shows of a tab's state. Text is written only where it changed, so that a selection in it stays.
const $ = (id) => document.getElementById(id)
const now = () => Date.now() / 1000

/** How this tab gets its lists. */
const MODES = { stream: 'stream, kept by this tab', shared: 'stream, kept by another tab', poll: 'a request now and then' }
const STALE = 'The issuer has sent no newer list. Tokens are still checked by this one, but a later kick is not known here.'
const ACTIONS = ['refresh', 'break', 'kick', 'sign-out', 'sign-in-again']
const NOT_YET = { word: 'Not checked yet', detail: "The page waits for the issuer's keys and its first list." }
const NEVER = { word: 'Not checked', detail: 'The verifier did not start. The reason is with the revocation list.' }
const REFUSALS = { ERR_JWT_REVOKED: 'Kicked', ERR_JWT_EXPIRED: 'Expired' }

/** The token and the verdict that were shown last, and whether the list was stale: a change of them is news. */
let last = { token: '', word: '', stale: false }

/** Shows a tab's state: its card, the verdict on its token, its list. The focus stays on something that can be seen. */
export function show(tab) {
  const focused = document.activeElement
  $('signed-out').hidden = tab.grant !== null
  $('signed-in').hidden = tab.grant === null
  if (tab.verifier) showList(tab.verifier.status())
  if (tab.failure) shownText('list-problem', `The verifier did not start. Reload the page to try again. (${tab.failure})`)
  if (tab.grant) showToken(tab)
  // A hidden element would leave the focus to `body`: a keyboard would start at the top, a screen reader would fall silent.
  if (focused?.closest('[hidden]')) (tab.grant ? $('token-title') : $('sign-in').username).focus()
}

/** Adds a line to what happened; a screen reader announces it. */
export function tell(text) {
  const item = document.createElement('li')
  const time = document.createElement('time')
  const at = new Date()
  time.textContent = at.toLocaleTimeString('en-GB')
  time.dateTime = at.toISOString()
  item.append(time, text)
  $('events').prepend(item)
  while ($('events').children.length > 40) $('events').lastChild.remove()
}

/** Writes a text that is there only at times; an empty one hides its element. */
export function shownText(id, text) {
  write($(id), text)
  $(id).hidden = text === ''
}

function showToken(tab) {
  const { access_token: whole } = tab.grant
  // A kick counts for the token itself: it is shown even while the token is shown broken.
  if (tab.broken && tab.verifier && isOver(check(tab, whole))) tab.broken = false
  const token = tab.broken ? breakOneByte(whole) : whole
  const claims = unverified(token.split('.')[1])
  write($('subject'), claims.sub)
  if (token !== last.token) showParts(token, tab.broken)
  const verdict = tab.verifier ? check(tab, token) : { state: 'waiting', ...(tab.failure ? NEVER : NOT_YET) }
  if (!tab.broken && isOver(verdict)) tab.over = true
  showVerdict(verdict, token)
  showActions(verdict, tab)
  showTimeLeft(claims, tab.over)
}

/** Verified by the WebAssembly in this page, without a request. */
function check({ verifier, isTokenError }, token) {
  try {
    const { revocation, freshness } = verifier.verify(token)
    const took = `${microseconds(() => verifier.verify(token))} µs`
    const list = revocation === 'unknown' ? 'no list yet' : `by a list ${seconds(freshness.age)} old${freshness.stale ? ', which is stale' : ''}`
    return { state: 'accepted', word: 'Accepted', detail: `checked in ${took}, ${list}` }
  } catch (error) {
    if (!isTokenError(error)) throw error
    return { state: 'refused', code: error.code, word: REFUSALS[error.code] ?? 'Refused', detail: `${error.code}: ${error.message}` }
  }
}

/** Its session has ended: a refresh brings no new token, as it does for one that expired. */
const isOver = ({ code }) => code === 'ERR_JWT_REVOKED'

function showVerdict({ state, code, word, detail }, token) {
  const isNews = word !== last.word || token !== last.token
  last = { ...last, token, word }
  $('verdict').dataset.verdict = state
  write($('verdict-word'), word)
  write($('verdict-detail'), detail)
  if (isNews && state !== 'waiting') tell(`Token ${word.toLowerCase()}${code ? `: ${code}` : ''}`)
}

/** Only what can work: a session that is over cannot be refreshed, kicked or ended. */
function showActions(verdict, { broken, over }) {
  for (const id of ACTIONS) $(id).hidden = over !== (id === 'sign-in-again')
  $('break').hidden ||= verdict.state === 'waiting' || verdict.code === 'ERR_JWT_EXPIRED'
  write($('break'), broken ? 'Mend the byte' : 'Break one byte')
}

/** The token as it travels, and what its parts say. */
function showParts(token, broken) {
  const [header, payload, signature] = token.split('.')
  for (const [name, text] of Object.entries({ header, payload, signature })) {
    const place = document.querySelector(`#token .${name}`)
    place.textContent = text
    if (!broken || name !== 'signature') continue
    const mark = document.createElement('mark')
    mark.textContent = text[0]
    place.replaceChildren(mark, text.slice(1))
  }
  $('header-json').textContent = pretty(unverified(header))
  $('payload-json').textContent = pretty(unverified(payload))
}

function showTimeLeft({ iat, exp }, over) {
  const left = Math.max(0, exp - now())
  $('time').hidden = over
  $('time-bar').style.width = `${Math.min(100, 100 * left / (exp - iat))}%`
  write($('time-left'), timeLeft(left, exp, over))
}

function timeLeft(left, exp, over) {
  if (over && left > 0) return `The session is over. Without the list, this token would pass until it expires at ${new Date(exp * 1000).toLocaleTimeString('en-GB')}.`
  if (over) return 'The session is over.'
  if (left === 0) return 'Expired by itself. A refresh brings a new token.'
  return `Expires by itself in ${Math.floor(left / 60)} min ${Math.floor(left % 60)} s, if it is not taken back earlier.`
}

function showList({ epoch, sequence, entries, age, stale, mode }) {
  write($('list-age'), age === null ? 'none yet' : `${seconds(age)}${stale ? ' (stale)' : ''}`)
  write($('list-entries'), String(entries))
  write($('list-sequence'), String(sequence ?? '–'))
  write($('list-epoch'), epoch ?? '–')
  write($('list-mode'), MODES[mode])
  shownText('list-problem', stale ? STALE : '')
  if (stale !== last.stale) tell(stale ? 'The list is stale: the issuer has sent no newer one' : 'The list is up to date again')
  last = { ...last, stale }
}

/** The time of one run. A page's clock moves in steps (a millisecond in Firefox), so the work is repeated for 10 ms. */
function microseconds(work) {
  const started = performance.now()
  let [times, taken] = [0, 0]
  while (taken < 10) {
    work()
    times++
    taken = performance.now() - started
  }
  return Math.round(taken / times * 1000)
}

/** Only for showing: what a token says before it is checked. */
function unverified(part) {
  const binary = atob(part.replaceAll('-', '+').replaceAll('_', '/'))
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0))))
}

/** Another first character of the signature: still base64url, no longer the issuer's. */
function breakOneByte(token) {
  const at = token.lastIndexOf('.') + 1
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text
}

const pretty = (value) => JSON.stringify(value, null, 2)
const seconds = (value) => `${Math.round(value)} s`
