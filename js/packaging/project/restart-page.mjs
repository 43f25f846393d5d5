import { indexedDbStore } from 'doorlist/stores'
import { restart } from './restarting.mjs'

restart(location.search.slice(1), indexedDbStore()).then(
  result => console.log(JSON.stringify(result)),
  error => console.error(error),
)
