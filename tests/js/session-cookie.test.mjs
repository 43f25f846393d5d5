// doorlist/session in Chromium, with the refresh token in the issuer's cookie.
import { tellOfTheCookie, tellStories } from './session-stories.mjs'

tellStories({ browser: 'Chromium', storage: 'cookie' })
tellOfTheCookie('Chromium')
