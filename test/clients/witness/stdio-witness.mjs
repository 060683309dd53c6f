// Stands between a client of stdio and the server: passes all bytes on, and writes each line into a file of its own.
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'

const [folder, command, ...args] = process.argv.slice(2)
const file = join(folder, `${process.pid}.jsonl`)
const server = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })

pass(process.stdin, server.stdin, 'client').on('end', () => server.stdin.end())
pass(server.stdout, process.stdout, 'server')
// A server that has died reads nothing more, and a client that has left neither.
server.stdin.on('error', () => {})
process.stdout.on('error', () => {})
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => server.kill(signal))
server.on('close', code => {
  note('end', String(server.pid))
  process.exit(code ?? 1)
})

function note(by, ...texts) {
  appendFileSync(file, texts.map(text => `${JSON.stringify([by, text])}\n`).join(''))
}

function pass(from, to, by) {
  const decoder = new StringDecoder()
  let rest = ''
  from.on('end', () => {
    if (rest !== '') note(by, rest)
  })
  return from.on('data', bytes => {
    const lines = `${rest}${decoder.write(bytes)}`.split('\n')
    rest = lines.pop()
    // Written before it is passed on: an answer never comes before its request.
    note(by, ...lines)
    to.write(bytes)
  })
}
