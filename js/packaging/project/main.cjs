const doorlist = require('doorlist')

Promise.all([import('./conformance.mjs'), import('./vectors.mjs')]).then(([{ conformance }, { default: vectors }]) =>
  console.log(JSON.stringify(conformance(doorlist, vectors))),
)
