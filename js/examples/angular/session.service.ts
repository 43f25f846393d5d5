// One login for an Angular application with zone.js. Angular counts timers and requests that start in its zone,
// and is not stable while one is pending. Server-side rendering, service workers and tests would then wait
// forever. Therefore the session runs outside the zone.
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
    // A change in another tab and a kick arrive outside the zone. Views must be updated inside it.
    const off = this.#session.onChange(state => this.#zone.run(() => this.#state.set(state)))
    inject(DestroyRef).onDestroy(() => {
      off()
      this.#session.close()
    })
  }

  // Each of these may set the timer of the next refresh.
  readonly login: Session['login'] = how => this.#outside(() => this.#session.login(how))
  readonly logout: Session['logout'] = () => this.#outside(() => this.#session.logout())
  readonly fetch: Session['fetch'] = (...request) => this.#outside(() => this.#session.fetch(...request))

  #outside<T>(act: () => T): T {
    return this.#zone.runOutsideAngular(act)
  }
}
