import { createSession } from 'doorlist/session'
import { follow } from './following.mjs'

const session = createSession({ issuer: 'https://id.example', storage: 'memory' })
session.ready
  .then(state => {
    session.close()
    return follow(location.search.slice(1)).then(result => console.log(JSON.stringify({ state, ...result })))
  })
  .catch(error => console.error(error))
