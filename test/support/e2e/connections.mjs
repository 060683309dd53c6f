// Preloaded into a server, or used beside one: writes the host of each connection that the process opens to a file.
import { appendFileSync } from 'node:fs'
import { Socket } from 'node:net'

/** The returned function ends it. */
export function recordConnections(file) {
  const { connect } = Socket.prototype
  Socket.prototype.connect = function (...args) {
    const [options] = Array.isArray(args[0]) ? args[0] : args
    const { host, port, path } = typeof options === 'object' ? options : { port: args[0], host: args[1] }
    appendFileSync(file, `${path ?? `${host}:${port}`}\n`)
    return connect.apply(this, args)
  }
  return () => {
    Socket.prototype.connect = connect
  }
}

if (process.env.TEST_CONNECTIONS) recordConnections(process.env.TEST_CONNECTIONS)
