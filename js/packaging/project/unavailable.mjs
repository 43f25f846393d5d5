import { createVerifier } from 'doorlist'

try {
  createVerifier({ issuer: 'https://issuer.example', audience: null })
} catch ({ code, message }) {
  console.log(JSON.stringify({ code, message }))
}
