// Preloaded into a server: writes the host of each connection that it opens to a file.
import { appendFileSync } from 'node:fs'
import { Socket } from 'node:net'

const { connect } = Socket.prototype
Socket.prototype.connect = function (...args) {
  const [options] = Array.isArray(args[0]) ? args[0] : args
  const { host, port, path } = typeof options === 'object' ? options : { port: args[0], host: args[1] }
  appendFileSync(process.env.TEST_CONNECTIONS, `${path ?? `${host}:${port}`}\n`)
  return connect.apply(this, args)
}
