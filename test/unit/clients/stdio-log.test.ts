// The judge of what the witness of stdio has written.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { noFindings } from '../../clients/witness/conversation.ts'
import { judgeLog } from '../../clients/witness/stdio-log.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stdio-log-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function judged(lines: [string, string][], killed: string[] = []) {
  const file = join(folder, '1.jsonl')
  writeFileSync(file, lines.map(line => `${JSON.stringify(line)}\n`).join(''))
  const findings = noFindings()
  judgeLog(file, findings, new Set(killed))
  return findings
}

const ping = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
const pong = JSON.stringify({ jsonrpc: '2.0', id: 1, result: {} })

it('a conversation with all its answers has no error', () => {
  expect(
    judged([
      ['client', ping],
      ['server', pong],
      ['end', '77'],
    ]),
  ).toMatchObject({ messages: 2, problems: [] })
})

it('a request that is open at the end is an error', () => {
  const left = [expect.stringMatching(/^The server left unanswered: .*ping/)]
  expect(judged([['client', ping]]).problems).toEqual(left)
  // The server has ended by itself.
  expect(
    judged([
      ['client', ping],
      ['end', '77'],
    ]).problems,
  ).toEqual(left)
})

it('a request that is open while the run kills the server is counted apart', () => {
  const lines: [string, string][] = [
    ['client', ping],
    ['end', '77'],
  ]
  expect(judged(lines, ['77'])).toMatchObject({ cutOff: ['ping'], problems: [] })
})

it('an empty line is no message', () => {
  expect(judged([['server', '']]).problems).toEqual([
    expect.stringMatching(/^The server sent what is no JSON/),
  ])
})
