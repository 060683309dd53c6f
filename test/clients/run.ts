// Drives the built server with real clients of pinned versions, and compares the results with the table of the docs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { laterNode, pinnedPackages } from '../support/pinned-packages.ts'
import { type MatrixClient, matrix } from './matrix.ts'
import { fixtures, type Subject, startSubject } from './server.ts'
import { columns, driven, keyOf, type Result, rowOf, tableRows, writeRow } from './table.ts'
import { summary, verdict } from './witness/verdict.ts'

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { calls: { type: 'string', default: '200' }, write: { type: 'boolean', default: false } },
})
const drivers = fileURLToPath(new URL('drivers', import.meta.url))
if (values.write && values.calls !== '200')
  throw new Error('The table is about 200 calls: leave --calls out with --write.')
let isWrong = false

for (const client of matrix) {
  const title = `${client.name}, ${client.transport}`
  if (wanted.length > 0 && !wanted.some(part => title.includes(part))) continue
  const begun = performance.now()
  const results = await drive(client)
  process.stdout.write(`${title} (${((performance.now() - begun) / 1000).toFixed(0)} s)\n`)
  for (const { scenario, ok, detail } of results) {
    isWrong ||= !ok
    process.stdout.write(`  ${ok ? '' : 'WRONG '}${scenario}: ${detail}\n`)
  }
  const row = rowOf(client, results)
  // A driver that has crashed has no row to write.
  if (values.write) {
    if (results.every(({ scenario }) => columns.includes(scenario))) writeRow(client, row)
  } else if (tableRows().get(keyOf(client)) !== row) {
    isWrong = true
    process.stdout.write(`  docs/clients.md has another row. Now: ${row}\n`)
  }
}
process.exitCode = isWrong ? 1 : 0

/** The scenarios of a client, and what the witness between it and the server has found. */
async function drive(client: MatrixClient): Promise<Result[]> {
  const folder = pinnedPackages(client.folder, client.packages)
  // Beside the packages, where a module finds them.
  cpSync(drivers, join(folder, 'drivers'), { recursive: true })
  const subject = await startSubject()
  const calls = Number(values.calls)
  const results: Result[] = []
  try {
    results.push(...(await runDriver(client, folder, subject, calls)))
  } catch (error) {
    results.push({ scenario: 'start', ok: false, detail: String((error as Error)?.message ?? error) })
  }
  const findings = await subject.close()
  process.stdout.write(`${summary(findings)}\n`)
  return [...results, verdict(findings, calls)]
}

async function runDriver(
  client: MatrixClient,
  folder: string,
  subject: Subject,
  calls: number,
): Promise<Result[]> {
  const target = client.bridge
    ? await client.bridge(subject, await freePort())
    : client.transport === 'stdio'
      ? subject.stdio
      : await subject.http()
  const order = { target, control: subject.control, fixtures, calls }
  const child = spawn(
    client.needsLaterNode ? laterNode() : process.execPath,
    [join(folder, 'drivers', client.driver), JSON.stringify(order)],
    { env: { ...subject.stdio.env, ...client.env }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let said = ''
  child.stderr.on('data', piece => {
    said += piece
  })
  const ended = once(child, 'close')
  const results: Result[] = []
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('{"scenario"')) results.push(JSON.parse(line) as Result)
  const [code, signal] = await ended
  if (code !== 0 || results.length < driven.length) {
    const detail = `ended with ${signal ?? code}: ${said.slice(-1500)}`
    return [...results, { scenario: 'driver', ok: false, detail }]
  }
  return results
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
