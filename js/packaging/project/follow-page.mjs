import { follow } from './following.mjs'

follow(location.search.slice(1)).then(
  result => console.log(JSON.stringify(result)),
  error => console.error(error),
)
