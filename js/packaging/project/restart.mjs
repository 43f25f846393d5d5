import process from 'node:process'
import { fileStore } from 'doorlist/stores/file'
import { restart } from './restarting.mjs'

const [, , issuer, folder] = process.argv
console.log(JSON.stringify(await restart(issuer, fileStore(folder))))
