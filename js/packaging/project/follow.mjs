import process from 'node:process'
import { follow } from './following.mjs'

console.log(JSON.stringify(await follow(process.argv[2])))
