// One session for an Angular application with zone.js. Angular is not stable while a timer or a request of its zone is
// pending. The timer of a session would be pending most of the time, so server-side rendering, service workers and
// tests would wait forever. Therefore the session runs outside the zone.
import { DestroyRef, Injectable, InjectionToken, NgZone, inject, signal } from '@angular/core'
import { createSession, type Session, type SessionOptions } from 'doorlist/session'

export const SESSION_OPTIONS = new InjectionToken<SessionOptions>('the options of `createSession`')

@Injectable({ providedIn: 'root' })
export class SessionService {
  readonly #zone = inject(NgZone)
  readonly #session = this.#outside(() => createSession(inject(SESSION_OPTIONS)))
  readonly #state = signal(this.#session.state)
  /** Use this signal in templates as `{{ session.state() }}`. */
  readonly state = this.#state.asReadonly()

  constructor() {
    // The session reports a kick, or a change in another tab, outside the zone. Angular updates its views only inside
    // the zone.
    const off = this.#session.onChange(state => this.#zone.run(() => this.#state.set(state)))
    inject(DestroyRef).onDestroy(() => {
      off()
      this.#session.close()
    })
  }

  // Each of these methods can start the timer of the next refresh. So the methods run outside the zone.
  readonly login: Session['login'] = how => this.#outside(() => this.#session.login(how))
  readonly logout: Session['logout'] = () => this.#outside(() => this.#session.logout())
  readonly fetch: Session['fetch'] = (...request) => this.#outside(() => this.#session.fetch(...request))

  #outside<T>(act: () => T): T {
    return this.#zone.runOutsideAngular(act)
  }
}
