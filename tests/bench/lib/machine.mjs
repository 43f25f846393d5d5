// Describes the machine of the measurement. The description contains no host name.
import { availableParallelism, cpus, totalmem } from 'node:os'
import { execFileSync } from 'node:child_process'

export function machine() {
  const rustc = execFileSync('rustc', ['--version'], { encoding: 'utf8' }).split(' ')[1]
  return [
    `${availableParallelism()} cores of ${cpus()[0].model.trim()}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${process.platform} ${process.arch}`,
    `Node ${process.versions.node} (V8 ${process.versions.v8}, OpenSSL ${process.versions.openssl})`,
    `Rust ${rustc}`,
  ].join(', ')
}
