// One login for an Angular application with zone.js. Angular counts timers and requests that are started in its zone, and is not
// stable while one waits: server-side rendering, service workers and tests then wait for ever. So the session lives outside of it.
import { DestroyRef, Injectable, InjectionToken, NgZone, inject, signal } from '@angular/core'
import { createSession, type Session, type SessionOptions } from 'doorlist/session'

export const SESSION_OPTIONS = new InjectionToken<SessionOptions>('the options of `createSession`')

@Injectable({ providedIn: 'root' })
export class SessionService {
  readonly #zone = inject(NgZone)
  readonly #session = this.#outside(() => createSession(inject(SESSION_OPTIONS)))
  readonly #state = signal(this.#session.state)
  /** For templates: `{{ session.state() }}`. */
  readonly state = this.#state.asReadonly()

  constructor() {
    // News of another tab, or of a kick, comes from outside the zone: what shows it is to be told inside.
    const off = this.#session.onChange(state => this.#zone.run(() => this.#state.set(state)))
    inject(DestroyRef).onDestroy(() => {
      off()
      this.#session.close()
    })
  }

  // Each of them may set the timer of the next refresh.
  readonly login: Session['login'] = how => this.#outside(() => this.#session.login(how))
  readonly logout: Session['logout'] = () => this.#outside(() => this.#session.logout())
  readonly fetch: Session['fetch'] = (...request) => this.#outside(() => this.#session.fetch(...request))

  #outside<T>(act: () => T): T {
    return this.#zone.runOutsideAngular(act)
  }
}
