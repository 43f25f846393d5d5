// doorlist/session in Chromium: tabs, outages and kicks of a real issuer.
import { tellOfTheIssuer, tellStories } from './session-stories.mjs'

tellStories({ browser: 'Chromium', storage: 'shared' })
tellOfTheIssuer('Chromium')
