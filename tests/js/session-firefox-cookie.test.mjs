// doorlist/session in Firefox, with the refresh token in the issuer's cookie.
import { tellOfTheCookie, tellStories } from './session-stories.mjs'

tellStories({ browser: 'Firefox', storage: 'cookie' })
tellOfTheCookie('Firefox')
