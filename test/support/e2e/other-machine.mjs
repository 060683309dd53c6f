// Preloaded into a process: it takes itself for another machine, with a host name and a clock of its own.
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'

const { TEST_HOST_NAME: name, TEST_CLOCK_MS: ahead = '0' } = process.env
os.hostname = () => name ?? 'other'
syncBuiltinESMExports()

const now = Date.now
const shifted = () => now() + Number(ahead)
globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length > 0 ? args : [shifted()], newTarget),
  apply: target => new target(shifted()).toString(),
  get: (target, key, receiver) => (key === 'now' ? shifted : Reflect.get(target, key, receiver)),
})
