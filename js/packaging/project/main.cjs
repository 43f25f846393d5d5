const doorlist = require('doorlist')

void Promise.all([import('./conformance.mjs'), import('./vectors.mjs')]).then(
  ([{ conformance }, { default: vectors }]) => console.log(JSON.stringify(conformance(doorlist, vectors))),
)
