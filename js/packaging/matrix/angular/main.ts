import 'zone.js'
import '@angular/compiler'
import { ApplicationRef, Component, NgZone, inject } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
import { connectVerifier, type ConnectedVerifier } from 'doorlist'
import { SESSION_OPTIONS, SessionService } from './session.service.js'

const issuer = location.search.slice(1)
/** A storage that all tabs share. */
const storage = {
  get: (key: string) => localStorage.getItem(key),
  set: (key: string, value: string) => localStorage.setItem(key, value),
  delete: (key: string) => localStorage.removeItem(key),
}

@Component({
  selector: 'app-root',
  template: `
    <h1>{{ session.state() }}</h1>
    <button id="in" (click)="signIn()">Sign in</button>
    <button id="out" (click)="session.logout()">Sign out</button>
  `,
})
class App {
  readonly session = inject(SessionService)

  async signIn() {
    const access_token = await (await fetch(`${issuer}/token`)).text()
    await this.session.login({ access_token, expires_in: 900, refresh_token: 'one' })
  }
}

const providers = [
  {
    provide: SESSION_OPTIONS,
    useValue: { issuer, storage, verifier: () => connectVerifier({ issuer, audience: 'api' }) },
  },
]

bootstrapApplication(App, { providers }).then(
  app => {
    const { isStable } = app.injector.get(ApplicationRef)
    const zone = app.injector.get(NgZone)
    /** The functions that the test calls. */
    Object.assign(globalThis, {
      stable: () =>
        new Promise<void>(resolve => {
          const following = isStable.subscribe(
            stable => stable && (resolve(), queueMicrotask(() => following.unsubscribe())),
          )
        }),
      /**
       * Creates a verifier that does not belong to a session. The README recommends creating such a verifier outside
       * the zone.
       */
      connect: (): Promise<ConnectedVerifier> =>
        zone.runOutsideAngular(() => connectVerifier({ issuer, audience: 'api' })),
      /** Creates a verifier inside the zone. The README warns against this. */
      connectInside: (): Promise<ConnectedVerifier> => zone.run(() => connectVerifier({ issuer, audience: 'api' })),
      settled: () => !zone.hasPendingMacrotasks,
    })
    console.log('ready')
  },
  error => console.error(error),
)
