/** The features of the browser that pages and workers of one origin share. Tests pass their own implementation. */
export interface Origin {
  /** Absent in an insecure context and in old browsers. */
  readonly locks: Locks | undefined
  /**
   * Opens the channel with this name. The channel connects all pages and workers of the origin that have opened this
   * channel. Returns `undefined` if the browser refuses the channel.
   */
  channel(name: string): Channel | undefined
  /**
   * Calls `call` with `true` before this page is frozen or enters the back/forward cache, and with `false` when the
   * page is back. Returns a function that stops the calls.
   */
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

/**
 * Returns the features of the browser, in a page or a worker. Returns `undefined` on other platforms, because a server
 * process does not share its connections with other processes.
 */
export const browserOrigin = (): Origin | undefined =>
  isBrowser() ? { locks: browserLocks(), channel, onAway } : undefined

const browserLocks = (): Locks | undefined => globalThis.navigator?.locks as Locks | undefined

/**
 * Returns `undefined` if the browser has no BroadcastChannel, or refuses to open the channel. Firefox refuses when
 * cookies are blocked.
 */
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
 * Whether the platform is a browser. Web Locks do not prove this, because Node 24 and Deno also have Web Locks.
 * `document` does not prove this either, because jsdom and happy-dom add `document` to Node. A page in Electron counts
 * as a browser, although such a page can have Node's `process`.
 */
export function isBrowser(globals: Globals = globalThis as Globals): boolean {
  const { process, Deno, document, importScripts, location } = globals
  const isServer = Deno !== undefined || (process?.versions?.node !== undefined && process.type !== 'renderer')
  return !isServer && location !== undefined && (document !== undefined || importScripts !== undefined)
}

/** Uses events that only pages have. A worker gets no event before it is frozen. */
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
