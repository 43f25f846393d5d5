import type { VerifierEvents } from '../types/index.js'
import type { Host } from './host.js'

type Listener<Name extends keyof VerifierEvents> = (news: VerifierEvents[Name]) => void

/** Hands news to whoever listens; nobody has to. */
export class Emitter {
  readonly #listeners: { [Name in keyof VerifierEvents]: Set<Listener<Name>> } = { change: new Set(), error: new Set() }

  /** Errors of which nobody can have heard yet. */
  #heldBack: Error[] | undefined

  /** Keeps errors back until `release`. */
  hold(): void {
    this.#heldBack = []
  }

  /** Tells them, once whoever waits for the verifier has had the time to listen. */
  release(host: Host): void {
    host.after(0, () => {
      const errors = this.#heldBack ?? []
      this.#heldBack = undefined
      for (const error of errors) this.emit('error', error)
    })
  }

  readonly on = <Name extends keyof VerifierEvents>(name: Name, listener: Listener<Name>): (() => void) => {
    this.#of(name).add(listener)
    return () => this.off(name, listener)
  }

  readonly off = <Name extends keyof VerifierEvents>(name: Name, listener: Listener<Name>): void => {
    this.#of(name).delete(listener)
  }

  emit<Name extends keyof VerifierEvents>(name: Name, news: VerifierEvents[Name]): void {
    if (name === 'error' && this.#heldBack !== undefined) return void this.#heldBack.push(news as Error)
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
