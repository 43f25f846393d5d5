// The demo page: one tab's view of a token and of the list that can take it back.
import { connectVerifier, isTokenError } from '/doorlist/index.js'

const issuer = location.origin
const audience = 'api'
const $ = (id) => document.getElementById(id)

/**
 * What this tab knows: the answer of `/login` or `/token`, and whether its token is shown with a broken byte. A reload
 * keeps the tab's session, as an application would; the token is checked like any other.
 */
let grant = JSON.parse(sessionStorage.getItem('grant'))
let broken = false
let lastVerdict = ''
/** How this tab gets its lists, for people. */
const MODES = { stream: 'stream, held by this tab', shared: 'stream, held by another tab', poll: 'asking now and then' }

/** Null until the keys and a first list are here. It remembers no tokens: what a check takes is shown, with the signature. */
let verifier = null

show()
setInterval(show, 1000)
connectVerifier({ issuer, audience, cacheSize: 0 }).then((connected) => {
  verifier = connected
  verifier.on('change', show)
  show()
}, (error) => tell(`No verifier: ${error.message}`))

function show() {
  $('signed-out').hidden = grant !== null
  $('signed-in').hidden = grant === null
  if (!verifier) return
  showList()
  if (grant) showToken()
}

function showToken() {
  const token = broken ? breakOneByte(grant.access_token) : grant.access_token
  const verdict = check(token)
  $('verdict').dataset.verdict = verdict.word
  $('verdict-word').textContent = verdict.word === 'accepted' ? 'Accepted' : verdict.code === 'ERR_JWT_REVOKED' ? 'Kicked' : 'Refused'
  $('verdict-detail').textContent = verdict.detail
  const summary = verdict.code ?? verdict.word
  if (summary !== lastVerdict) tell(verdict.word === 'accepted' ? 'Token accepted' : `Token refused: ${summary}`)
  lastVerdict = summary

  const [header, payload, signature] = token.split('.')
  const claims = unverified(payload)
  $('subject').textContent = claims?.sub ?? '…'
  showParts({ header, payload, signature })
  $('header-json').textContent = pretty(unverified(header))
  $('payload-json').textContent = pretty(claims)
  showTimeLeft(claims)
}

/** Verified by the wasm in this page; nobody is asked. */
function check(token) {
  try {
    const { revocation, freshness } = verifier.verify(token)
    const took = `${microseconds(() => verifier.verify(token))} µs`
    const list = revocation === 'unknown' ? 'no list yet' : `by a list ${seconds(freshness.age)} old${freshness.stale ? ', which is stale' : ''}`
    return { word: 'accepted', detail: `checked in ${took}, ${list}` }
  } catch (error) {
    if (!isTokenError(error)) throw error
    return { word: 'refused', code: error.code, detail: `${error.code}: ${error.message}` }
  }
}

/** How long this takes. The clock of a page moves in steps, in Firefox of a millisecond: so it is done many times. */
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

function showParts(parts) {
  for (const [name, text] of Object.entries(parts)) {
    const place = document.querySelector(`#token .${name}`)
    place.textContent = text
    if (broken && name === 'signature') {
      const mark = document.createElement('mark')
      mark.textContent = text[0]
      place.replaceChildren(mark, text.slice(1))
    }
  }
}

function showTimeLeft(claims) {
  const left = Math.max(0, claims.exp - Date.now() / 1000)
  $('time-bar').style.width = `${Math.min(100, 100 * left / (claims.exp - claims.iat))}%`
  $('time-left').textContent = left > 0
    ? `Expires by itself in ${Math.floor(left / 60)} min ${Math.floor(left % 60)} s, if nobody takes it back before.`
    : 'Expired by itself.'
}

function showList() {
  const { epoch, sequence, entries, age, stale, mode } = verifier.status()
  $('list-age').textContent = age === null ? 'none yet' : `${seconds(age)}${stale ? ' (stale)' : ''}`
  $('list-entries').textContent = entries
  $('list-sequence').textContent = sequence ?? '–'
  $('list-epoch').textContent = epoch ?? '–'
  $('list-mode').textContent = MODES[mode]
}

$('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault()
  const { username, password } = Object.fromEntries(new FormData(event.target))
  const answer = await post('/login', { json: { username, password, client_id: 'demo-page', device: 'this browser' } })
  $('sign-in-error').hidden = answer.ok
  if (!answer.ok) return $('sign-in-error').textContent = answer.problem
  tell(`${username} signed in`)
  keep(answer.body)
})

for (const button of document.querySelectorAll('[data-account]')) {
  button.addEventListener('click', () => {
    const [username, password] = button.dataset.account.split(':')
    const form = $('sign-in')
    form.username.value = username
    form.password.value = password
    form.requestSubmit()
  })
}

on('refresh', async () => {
  const answer = await post('/token', { form: { grant_type: 'refresh_token', refresh_token: grant.refresh_token, client_id: 'demo-page' } })
  if (!answer.ok) return tell(`No new token: ${answer.problem}`)
  tell('Refreshed: a new access token')
  keep(answer.body)
})

on('break', async () => {
  broken = !broken
  $('break').textContent = broken ? 'Mend the byte' : 'Break one byte'
  show()
})

on('kick', async () => {
  const sub = unverified(grant.access_token.split('.')[1]).sub
  const answer = await post('/demo/kick', { json: { sub } })
  if (!answer.ok) return tell(`Not kicked: ${answer.problem}`)
  tell(`${sub} kicked; acknowledged at sequence ${answer.body.seq}`)
})

on('sign-out', async () => {
  await post('/revoke', { form: { token: grant.refresh_token } })
  tell('Signed out')
  keep(null)
})

// Until now nobody would have heard: a form sent by the browser itself would show the password in the address.
$('signed-out').inert = false

function on(id, action) {
  $(id).addEventListener('click', async () => {
    $(id).disabled = true
    try { await action() } finally { $(id).disabled = false }
  })
}

function keep(next) {
  grant = next
  broken = false
  lastVerdict = ''
  $('break').textContent = 'Break one byte'
  if (next) sessionStorage.setItem('grant', JSON.stringify(next))
  else sessionStorage.removeItem('grant')
  show()
}

async function post(path, { json, form }) {
  try {
    const response = await fetch(path, json
      ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) }
      : { method: 'POST', body: new URLSearchParams(form) })
    const text = await response.text()
    const body = text ? JSON.parse(text) : {}
    return { ok: response.ok, body, problem: body.error_description ?? body.error ?? `HTTP ${response.status}` }
  } catch {
    return { ok: false, problem: 'the issuer cannot be reached' }
  }
}

function tell(text) {
  const item = document.createElement('li')
  const time = document.createElement('time')
  const now = new Date()
  time.textContent = now.toLocaleTimeString('en-GB')
  time.dateTime = now.toISOString()
  item.append(time, text)
  $('events').prepend(item)
  while ($('events').children.length > 40) $('events').lastChild.remove()
}

/** Only for showing: what a token says before anybody checked it. */
function unverified(part) {
  const binary = atob(part.replaceAll('-', '+').replaceAll('_', '/'))
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0))))
}

/** Another first character of the signature: still base64url, no longer the issuer's. */
function breakOneByte(token) {
  const at = token.lastIndexOf('.') + 1
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

function pretty(value) {
  return JSON.stringify(value, null, 2)
}

function seconds(value) {
  return `${Math.round(value)} s`
}
