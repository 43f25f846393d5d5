export * from './verifier.js'
export * from './connected.js'
export * from './errors.js'
