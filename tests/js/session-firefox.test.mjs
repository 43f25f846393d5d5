// doorlist/session in Firefox: tabs, outages and kicks of a real issuer.
import { tellOfTheIssuer, tellStories } from './session-stories.mjs'

tellStories({ browser: 'Firefox', storage: 'shared' })
tellOfTheIssuer('Firefox')
