// Shows the state of a tab on the demo page. Writes a text only if it changed, so that the user's selection stays.
const $ = (id) => document.getElementById(id)
const now = () => Date.now() / 1000

/** The text for each way in which this tab gets its lists. */
const MODES = { stream: 'stream, kept by this tab', shared: 'stream, kept by another tab', poll: 'a request from time to time' }
const STALE = 'The issuer has sent no newer list. Tokens are still checked against this one, but later kicks are not known here.'
const ACTIONS = ['refresh', 'break', 'kick', 'sign-out', 'sign-in-again']
const NOT_YET = { word: 'Not checked yet', detail: "The page waits for the issuer's keys and its first list." }
const NEVER = { word: 'Not checked', detail: 'The verifier did not start. The reason is shown beside the revocation list.' }
const REFUSALS = { ERR_JWT_REVOKED: 'Kicked', ERR_JWT_EXPIRED: 'Expired' }

/** The token and verdict shown last, and whether the list was stale. A change of any of them adds an event. */
let last = { token: '', word: '', stale: false }

/** Shows the state of a tab: its card, the verdict on its token, its list. The focus stays on a visible element. */
export function show(tab) {
  const focused = document.activeElement
  $('signed-out').hidden = tab.grant !== null
  $('signed-in').hidden = tab.grant === null
  if (tab.verifier) showList(tab.verifier.status())
  if (tab.failure) shownText('list-problem', `The verifier did not start. Reload the page to try again. (${tab.failure})`)
  if (tab.grant) showToken(tab)
  // If the focused element is hidden, the focus moves to `body`: Tab starts at the top and a screen reader says nothing.
  if (focused?.closest('[hidden]')) (tab.grant ? $('token-title') : $('sign-in').username).focus()
}

/** Adds a line to the list of events; a screen reader announces it. */
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

/** Writes a text into an element, and hides the element if the text is empty. */
export function shownText(id, text) {
  write($(id), text)
  $(id).hidden = text === ''
}

function showToken(tab) {
  const { access_token: whole } = tab.grant
  // A kick revokes the real token, so show the kick even while the token is shown with a broken byte.
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

/** Verifies the token with the WebAssembly in this page, without a request. */
function check({ verifier, isTokenError }, token) {
  try {
    const { revocation, freshness } = verifier.verify(token)
    const took = `${microseconds(() => verifier.verify(token))} µs`
    const list = revocation === 'unknown' ? 'no list yet' : `against a list ${seconds(freshness.age)} old${freshness.stale ? ', which is stale' : ''}`
    return { state: 'accepted', word: 'Accepted', detail: `checked in ${took}, ${list}` }
  } catch (error) {
    if (!isTokenError(error)) throw error
    return { state: 'refused', code: error.code, word: REFUSALS[error.code] ?? 'Refused', detail: `${error.code}: ${error.message}` }
  }
}

/** Whether the session has ended. Then a refresh gets no new token; after an expiry it does. */
const isOver = ({ code }) => code === 'ERR_JWT_REVOKED'

function showVerdict({ state, code, word, detail }, token) {
  const isNews = word !== last.word || token !== last.token
  last = { ...last, token, word }
  $('verdict').dataset.verdict = state
  write($('verdict-word'), word)
  write($('verdict-detail'), detail)
  if (isNews && state !== 'waiting') tell(`Token ${word.toLowerCase()}${code ? `: ${code}` : ''}`)
}

/** Shows only buttons that can work: an ended session cannot be refreshed, kicked or ended. */
function showActions(verdict, { broken, over }) {
  for (const id of ACTIONS) $(id).hidden = over !== (id === 'sign-in-again')
  $('break').hidden ||= verdict.state === 'waiting' || verdict.code === 'ERR_JWT_EXPIRED'
  write($('break'), broken ? 'Mend the byte' : 'Break one byte')
}

/** Shows the encoded token, and the decoded header and payload. */
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
  if (over && left > 0) return `The session is over. Without the list, this token would be accepted until it expires at ${new Date(exp * 1000).toLocaleTimeString('en-GB')}.`
  if (over) return 'The session is over.'
  if (left === 0) return 'Expired. A refresh gets a new token.'
  return `Expires in ${Math.floor(left / 60)} min ${Math.floor(left % 60)} s, unless it is revoked earlier.`
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

/** Microseconds of one run. A page's clock is coarse (1 ms in Firefox), so repeat the work for 10 ms. */
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

/** Decodes a part of a token that is not verified. Use it only to show the content. */
function unverified(part) {
  const binary = atob(part.replaceAll('-', '+').replaceAll('_', '/'))
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0))))
}

/** Changes the first character of the signature: it is still base64url, but no longer valid. */
function breakOneByte(token) {
  const at = token.lastIndexOf('.') + 1
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text
}

const pretty = (value) => JSON.stringify(value, null, 2)
const seconds = (value) => `${Math.round(value)} s`
