import { generate } from 'selfsigned'

/** For 127.0.0.1, self-signed and made for this run of the tests: no client trusts it. */
export const { private: key, cert: certificate } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
  keyType: 'ec',
  extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
})
