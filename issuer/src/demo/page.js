// The demo page: the session of one tab, its access token, and the revocation list that can revoke the token.
import { shownText, show, tell } from '/demo/view.js'

const $ = (id) => document.getElementById(id)
const form = $('sign-in')

/**
 * The state of this tab: the last answer of `/login` or `/token`, whether the token is shown with a broken byte,
 * whether the session is over, and the verifier, which exists once it has the keys and a first list (or the reason why
 * it failed). A reload keeps the session, as in an application. The verifier checks the token in the same way as the
 * token of any other client.
 */
const tab = { grant: JSON.parse(sessionStorage.getItem('grant')), broken: false, over: false, verifier: null, isTokenError: null, failure: null }
const render = () => show(tab)

render()
setInterval(render, 1000)
startVerifier().catch((error) => {
  tab.failure = error.message
  tell('The verifier did not start')
  render()
})

/**
 * Imports the verifier here, so that the page can show an error if the import fails. There is no cache, so the time shown
 * includes the signature.
 */
async function startVerifier() {
  const { connectVerifier, isTokenError } = await import('/doorlist/index.js')
  const verifier = await connectVerifier({ issuer: location.origin, audience: 'api', cacheSize: 0 })
  Object.assign(tab, { verifier, isTokenError })
  verifier.on('change', render)
  render()
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const { username, password } = Object.fromEntries(new FormData(form))
  const answer = await post('/login', { json: { username, password, client_id: 'demo-page', device: 'this browser' } })
  shownText('sign-in-error', answer.ok ? '' : `Not signed in: ${answer.problem}.`)
  form.password.setAttribute('aria-invalid', String(answer.status === 400))
  if (!answer.ok) return form.password.focus()
  tell(`${username} signed in`)
  keep(answer.body)
})

for (const button of document.querySelectorAll('[data-account]')) {
  button.addEventListener('click', () => {
    const [username, password] = button.dataset.account.split(':')
    form.username.value = username
    form.password.value = password
    form.requestSubmit()
  })
}

on('refresh', async () => {
  const answer = await post('/token', { form: { grant_type: 'refresh_token', refresh_token: tab.grant.refresh_token, client_id: 'demo-page' } })
  if (answer.status === 400) tab.over = true
  if (!answer.ok) return `No new token: ${answer.problem}.`
  tell('Refreshed: a new access token')
  keep(answer.body)
})

on('break', async () => {
  tab.broken = !tab.broken
  render()
})

on('kick', async () => {
  const sub = $('subject').textContent
  const answer = await post('/demo/kick', { json: { sub } })
  if (!answer.ok) return `Not kicked: ${answer.problem}.`
  tell(`${sub} kicked; acknowledged at sequence ${answer.body.seq}`)
})

on('sign-out', async () => {
  const answer = await post('/revoke', { form: { token: tab.grant.refresh_token } })
  if (!answer.ok) return `Not signed out: ${answer.problem}.`
  tell('Signed out')
  keep(null)
})

// The session has already ended, so no request to the issuer is needed.
on('sign-in-again', async () => keep(null))

// Enable the form only now: without its handler, the browser would send the form with the password in the URL.
$('signed-out').inert = false

/**
 * Runs the action on a click, one at a time, and shows the problem that it returns. Not `disabled`: that would remove the
 * focus.
 */
function on(id, action) {
  const button = $(id)
  button.addEventListener('click', async () => {
    if (button.ariaDisabled === 'true') return
    button.ariaDisabled = 'true'
    shownText('action-problem', '')
    try {
      const problem = await action()
      shownText('action-problem', problem ?? '')
      if (!problem) return
      tell(problem)
      render()
    } finally {
      button.ariaDisabled = null
    }
  })
}

function keep(next) {
  tab.grant = next
  tab.broken = false
  tab.over = false
  if (next) sessionStorage.setItem('grant', JSON.stringify(next))
  else sessionStorage.removeItem('grant')
  render()
}

async function post(path, { json, form }) {
  try {
    const response = await fetch(path, json
      ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) }
      : { method: 'POST', body: new URLSearchParams(form) })
    const text = await response.text()
    const body = text ? JSON.parse(text) : {}
    return { ok: response.ok, status: response.status, body, problem: body.error_description ?? body.error ?? `HTTP ${response.status}` }
  } catch {
    return { ok: false, problem: 'the issuer cannot be reached' }
  }
}
