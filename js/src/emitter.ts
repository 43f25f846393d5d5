import type { VerifierEvents } from '../types/index.js'

type Listener<Name extends keyof VerifierEvents> = (news: VerifierEvents[Name]) => void

/** Hands news to whoever listens; nobody has to. */
export class Emitter {
  readonly #listeners: { [Name in keyof VerifierEvents]: Set<Listener<Name>> } = { change: new Set(), error: new Set() }

  readonly on = <Name extends keyof VerifierEvents>(name: Name, listener: Listener<Name>): (() => void) => {
    this.#of(name).add(listener)
    return () => this.off(name, listener)
  }

  readonly off = <Name extends keyof VerifierEvents>(name: Name, listener: Listener<Name>): void => {
    this.#of(name).delete(listener)
  }

  emit<Name extends keyof VerifierEvents>(name: Name, news: VerifierEvents[Name]): void {
    for (const listener of [...this.#of(name)]) {
      try {
        listener(news)
      } catch (error) {
        // The listener's mistake is the application's to see; it must not end the stream it was told about.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  #of<Name extends keyof VerifierEvents>(name: Name): Set<Listener<Name>> {
    const listeners = this.#listeners[name]
    if (listeners === undefined) throw new TypeError(`there is no event '${String(name)}', only 'change' and 'error'`)
    return listeners as Set<Listener<Name>>
  }
}
