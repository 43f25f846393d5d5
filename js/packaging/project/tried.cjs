const adapters = {
  ...require('doorlist/express'),
  ...require('doorlist/session'),
  fastify: require('doorlist/fastify'),
  hono: require('doorlist/hono'),
  companions: require('doorlist/companions'),
  ...require('doorlist/stores'),
  ...require('doorlist/stores/file'),
}
void import('./trying.mjs')
  .then(({ tried }) => tried({ ...require('doorlist'), ...require('doorlist/testing'), ...adapters }))
  .then(result => console.log(JSON.stringify(result)))
