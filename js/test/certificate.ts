import { generate } from 'selfsigned'

/**
 * A self-signed certificate for 127.0.0.1. Each run of the tests creates a new certificate. No client trusts this
 * certificate.
 */
export const { private: key, cert: certificate } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
  keyType: 'ec',
  extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
})
