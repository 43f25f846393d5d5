// One stream for all tabs: the tab that holds the lock has the connection and repeats what comes to the others.
// HTTP/1.1 gives a browser six connections a host; a stream a tab would starve the seventh.

const LOCK = 'doorlist-stream'
const channel = new BroadcastChannel(LOCK)

/** How this tab hears of new lists, for people. */
export let mode = 'asking for a list'

/**
 * A `fetch` for `connectVerifier`: the stream is the browser's one, everything else is as ever. It ends when the
 * tab that held the stream goes away; the connector then asks again, and one of the others takes the lock.
 */
export async function sharedFetch(resource, init) {
  const url = new URL(resource instanceof Request ? resource.url : resource, location.href)
  if (!url.pathname.endsWith('/revocations/stream')) return fetch(resource, init)
  const release = await takeLock()
  return release ? lead(resource, init, release) : follow(init?.signal)
}

/** Resolves with a function that gives the lock back, or with null when another tab holds it. */
function takeLock() {
  return new Promise((resolve) => {
    navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(null)
      return new Promise((release) => resolve(release))
    })
  })
}

async function lead(resource, init, release) {
  try {
    const response = await fetch(resource, init)
    if (!response.ok || !response.body) {
      release()
      return response
    }
    mode = 'stream, held by this tab'
    const repeat = new TransformStream({
      transform(chunk, controller) {
        channel.postMessage(chunk)
        controller.enqueue(chunk)
      },
    })
    // Settles when the stream ends, for whatever reason: then any tab may take over.
    const pumped = response.body.pipeTo(repeat.writable).catch(() => {})
    pumped.finally(release)
    return new Response(repeat.readable, response)
  } catch (error) {
    release()
    throw error
  }
}

function follow(signal) {
  mode = 'stream, held by another tab'
  const left = new AbortController()
  const body = new ReadableStream({
    start(controller) {
      const repeat = ({ data }) => controller.enqueue(data)
      channel.addEventListener('message', repeat)
      left.signal.addEventListener('abort', () => channel.removeEventListener('message', repeat))
      const end = () => {
        if (left.signal.aborted) return
        left.abort()
        controller.close()
      }
      signal?.addEventListener('abort', end)
      // Granted once the leading tab is gone; given back at once, for whoever asks first.
      navigator.locks.request(LOCK, { signal: left.signal }, end).catch(() => {})
    },
    cancel: () => left.abort(),
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}
