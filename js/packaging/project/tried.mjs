import { createVerifier } from 'doorlist'
import { authenticate, requireScope } from 'doorlist/express'
import { createTestIssuer } from 'doorlist/testing'
import { createSession } from 'doorlist/session'
import * as fastify from 'doorlist/fastify'
import * as hono from 'doorlist/hono'
import * as companions from 'doorlist/companions'
import * as stores from 'doorlist/stores'
import { fileStore } from 'doorlist/stores/file'
import { tried } from './trying.mjs'

const adapters = { authenticate, requireScope, fastify, hono, companions, createSession, ...stores, fileStore }
console.log(JSON.stringify(await tried({ createVerifier, createTestIssuer, ...adapters })))
