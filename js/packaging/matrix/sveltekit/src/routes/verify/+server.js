import { json } from '@sveltejs/kit'
import { connectVerifier, isTokenError } from 'doorlist'

let connecting

export async function GET({ request, url }) {
  connecting ??= connectVerifier({ issuer: url.searchParams.get('issuer'), audience: 'api' })
  try {
    const verifier = await connecting
    const { payload } = verifier.verify(request.headers.get('authorization')?.slice('Bearer '.length) ?? '')
    return json({ sub: payload.sub })
  } catch (error) {
    if (!isTokenError(error)) throw error
    return json({ code: error.code })
  }
}
