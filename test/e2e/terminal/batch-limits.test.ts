// The cost of a batch at a terminal: never more than was agreed to, and nothing for what the plan calls free.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { dashscopeErrors } from '../../../emulators/dashscope/errors.ts'
import { makeShortRecordings } from '../../support/audio/short-recordings.ts'
import { runProgramHere } from '../../support/e2e/program-here.ts'
import { fixture } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
beforeAll(async () => {
  terminal = await openTerminal({ latency: { base: 0.2, perSecond: 0 } })
  await terminal.dashscope.warmUp()
})
afterAll(() => terminal.close())

const paid = () => terminal.dashscope.bill().dollars

/** An MP3 of six minutes whose header says that it has 30 frames. */
async function shortByItsHeader(name: string): Promise<string> {
  const folder = join(terminal.work, name)
  await mkdir(folder)
  const mp3 = await readFile(fixture('interview.mp3'))
  mp3.writeUInt32BE(30, mp3.indexOf('Info') + 8)
  await writeFile(join(folder, 'long.mp3'), mp3)
  return folder
}

const events = (stdout: string) =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))

it('a recording that is longer than its header says costs no more than --max-cost', async () => {
  const folder = await shortByItsHeader('limited')
  const before = paid()
  const args = ['transcribe', folder, '--max-cost', '0.0002', '--json']
  const { code, stdout } = await terminal.run(args)
  expect(code).toBe(1)
  const all = events(stdout)
  expect(all[0]).toMatchObject({ event: 'plan', recordings: 1 })
  expect(all[0].max_cost_usd).toBeLessThanOrEqual(0.0002)
  expect(all[1]).toMatchObject({ status: 'failed', error: { code: 'COST_TOO_HIGH' } })
  expect(paid() - before).toBeLessThanOrEqual(0.0002)
})

it.each([
  ['that is no amount', 'much', 'BAD_INPUT'],
  ['below its price', '0.00001', 'COST_TOO_HIGH'],
])('--max-cost %s refuses one recording before anything is sent', async (_, limit, code) => {
  const before = terminal.dashscope.requests.length
  const args = ['transcribe', fixture('jfk.wav'), '--max-cost', limit, '-c', 'one']
  const { stderr, ...ended } = await terminal.run(args)
  expect(ended).toMatchObject({ code: code === 'BAD_INPUT' ? 2 : 1, stdout: '' })
  expect(stderr).toContain(`${code}: `)
  expect(terminal.dashscope.requests).toHaveLength(before)
})

it('one recording within --max-cost is transcribed, and its text printed', async () => {
  const args = ['transcribe', fixture('voice-note.ogg'), '--max-cost', '1', '-c', 'one']
  const { code, stdout } = await terminal.run(args)
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('Greta') })
})

it('a wrong key is refused once, and the batch stops', async () => {
  const folder = join(terminal.work, 'refused')
  await makeShortRecordings(folder, 12)
  const before = terminal.dashscope.requests.length
  const mend = terminal.dashscope.fault({ kind: 'error', ...dashscopeErrors.invalidApiKey })
  const { code, stderr } = await terminal.run(['transcribe', folder, '-r', '--yes'])
  mend()
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('KEY_REFUSED: ') })
  expect(terminal.dashscope.requests.length - before).toBe(1)
})

it('a person who agrees to a price pays no more than that', async () => {
  const folder = await shortByItsHeader('agreed')
  const before = paid()
  const at = { env: terminal.env, cwd: terminal.work, isTerminal: true, input: 'y\n' }
  const { code, stderr } = await runProgramHere(['transcribe', folder, '-c', 'agreed'], at)
  expect(code).toBe(1)
  const agreed = Number(/at most \$(\d+\.\d+)/.exec(stderr)![1])
  expect(stderr).toContain('COST_TOO_HIGH')
  expect(paid() - before).toBeLessThanOrEqual(agreed)
})

it('a file that is replaced while the batch runs is not sent', async () => {
  const folder = join(terminal.work, 'replaced')
  const files = await makeShortRecordings(folder, 24)
  const last = files.at(-1)!
  // Ten run at once, and the last one by name waits for others.
  const { child, result } = terminal.start(['transcribe', ...files, '--max-cost', '1', '--json', '-c', 'new'])
  child.stdout!.once('data', () => void copyFile(fixture('jfk.wav'), last))
  const { code, stdout } = await result
  expect(code).toBe(1)
  const of = events(stdout).filter(({ event }) => event === 'recording')
  expect(of.filter(({ status }) => status === 'done')).toHaveLength(23)
  expect(of.filter(({ status }) => status === 'failed')).toMatchObject([
    { audio: last, error: { code: 'RECORDING_CHANGED' } },
  ])
}, 60_000)

it('--readable formats new recordings, costs nothing for those that are done, and says how to format them', async () => {
  const folder = join(terminal.work, 'readable')
  await mkdir(folder)
  await copyFile(fixture('voice-note.ogg'), join(folder, 'old.ogg'))
  expect((await terminal.run(['transcribe', folder, '--yes'])).code).toBe(0)
  await copyFile(fixture('jfk.wav'), join(folder, 'new.wav'))
  const before = terminal.dashscope.requests.length
  const { code, stdout } = await terminal.run(['transcribe', folder, '--readable', '--yes', '--json'])
  expect(code).toBe(0)
  const [old, fresh] = events(stdout)
    .filter(({ event }) => event === 'recording')
    .sort((a, b) => (a.name < b.name ? 1 : -1))
  expect(old).toMatchObject({ name: 'old.ogg', status: 'done_before', cost_usd: 0 })
  expect(old.warnings).toEqual([expect.stringContaining(`speech-mcp format ${old.transcript_id}`)])
  expect(fresh).toMatchObject({ name: 'new.wav', status: 'done' })
  expect(terminal.dashscope.requests.length).toBeGreaterThan(before)
  const asked = terminal.dashscope.requests.length
  const again = await terminal.run(['transcribe', folder, '--readable', '--json'])
  expect(again.code).toBe(0)
  expect(terminal.dashscope.requests).toHaveLength(asked)
})
