import type { VerifierEvents } from '../types/index.js'
import type { Host } from './host.js'

type Listener<Name extends keyof VerifierEvents> = (news: VerifierEvents[Name]) => void

/** Calls the listeners of events. An event may have no listener. */
export class Emitter {
  readonly #listeners: { [Name in keyof VerifierEvents]: Set<Listener<Name>> } = { change: new Set(), error: new Set() }

  /** Errors that were emitted before any listener could be added. */
  #heldBack: Error[] | undefined

  /** Keeps errors back until `release`. */
  hold(): void {
    this.#heldBack = []
  }

  /** Emits the errors that were held back, after the code that awaits the verifier has had time to add listeners. */
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
        // The error is thrown in a microtask. So the application sees the error of its listener, and the stream does
        // not end.
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
