import { claimsOf } from '../../../claims.js'

export function DELETE(request) {
  const scopes = claimsOf(request).scope?.split(' ') ?? []
  if (scopes.includes('admin')) return new Response(null, { status: 204 })
  const challenge = 'Bearer error="insufficient_scope", scope="admin"'
  return new Response(null, { status: 403, headers: { 'www-authenticate': challenge } })
}
