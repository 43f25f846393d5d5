// doorlist/session in Chromium with the real issuer: tabs, outages and kicks.
import { tellOfTheIssuer, tellStories } from './session-stories.mjs'

tellStories({ browser: 'Chromium', storage: 'shared' })
tellOfTheIssuer('Chromium')
