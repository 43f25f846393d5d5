/** What the pages and workers of one origin share, and a test brings its own of. */
export interface Origin {
  /** Absent in an insecure context and in old browsers. */
  readonly locks: Locks | undefined
  /** Reaches every other holder of the name, and not this one. Absent where the browser refuses it. */
  channel(name: string): Channel | undefined
  /** Calls with `true` before this page is frozen or put into the back/forward cache, with `false` when it is back. The answer stops it. */
  onAway(call: (isAway: boolean) => void): () => void
}

export interface Locks {
  request<T>(name: string, options: { signal: AbortSignal }, work: () => Promise<T>): Promise<T>
}

export interface Channel {
  postMessage(message: unknown): void
  onmessage: ((event: { readonly data: unknown }) => void) | null
  close(): void
}

/** The browser's, in a page or a worker. `undefined` elsewhere: a server process has connections of its own. */
export const browserOrigin = (): Origin | undefined =>
  isBrowser() ? { locks: browserLocks(), channel, onAway } : undefined

const browserLocks = (): Locks | undefined => globalThis.navigator?.locks as Locks | undefined

/** `undefined` where a browser has none, or refuses it: as Firefox does where it keeps no cookies. */
export function channel(name: string): Channel | undefined {
  try {
    return new BroadcastChannel(name) as Channel
  } catch {
    return undefined
  }
}

interface Globals {
  readonly process?: { readonly versions?: { readonly node?: string }; readonly type?: string }
  readonly Deno?: unknown
  readonly document?: unknown
  readonly importScripts?: unknown
  readonly location?: unknown
}

/**
 * Not by Web Locks alone: Node 24 and Deno have them too. Nor by `document` alone: jsdom and happy-dom bring one into Node.
 * Electron's pages may have Node's `process`, and are pages.
 */
export function isBrowser(globals: Globals = globalThis as Globals): boolean {
  const { process, Deno, document, importScripts, location } = globals
  const isServer = Deno !== undefined || (process?.versions?.node !== undefined && process.type !== 'renderer')
  return !isServer && location !== undefined && (document !== undefined || importScripts !== undefined)
}

/** The page's events; a worker has none of them, and is frozen without a word. */
function onAway(call: (isAway: boolean) => void): () => void {
  const leave = () => call(true)
  const comeBack = () => call(false)
  const events = [
    [globalThis, 'pagehide', leave],
    [globalThis, 'pageshow', comeBack],
    [globalThis.document, 'freeze', leave],
    [globalThis.document, 'resume', comeBack],
  ] as const
  for (const [target, name, listener] of events) target?.addEventListener?.(name, listener)
  return () => {
    for (const [target, name, listener] of events) target?.removeEventListener?.(name, listener)
  }
}
