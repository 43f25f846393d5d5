import type { VerifierEvents } from '../types/index.js'
import type { Host } from './host.js'

type Listener<Name extends keyof VerifierEvents> = (news: VerifierEvents[Name]) => void

/** Calls the listeners of events. An event without listeners is ignored. */
export class Emitter {
  readonly #listeners: { [Name in keyof VerifierEvents]: Set<Listener<Name>> } = { change: new Set(), error: new Set() }

  /** Errors that were emitted before the application could add a listener. */
  #heldBack: Error[] | undefined

  /** Stores errors, and does not emit them before `release`. */
  hold(): void {
    this.#heldBack = []
  }

  /**
   * Emits the stored errors in a later task. Before that task, the application can add listeners to the new verifier.
   */
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
        // The error of a listener is thrown in a microtask. So the application sees the error, and the stream
        // continues.
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
