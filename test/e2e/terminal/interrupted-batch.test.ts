// A batch that ends early: the same command goes on, and no recording is paid for twice.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { makeShortRecordings } from '../../support/audio/short-recordings.ts'
import { runKilledBatch } from '../../support/e2e/batch/killed-batch.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

const count = 24
/** Short jobs at once: each has one request. */
const maxAtOnce = 8

let terminal: Terminal
beforeAll(async () => {
  terminal = await openTerminal({ latency: { base: 0.3, perSecond: 0 } })
  await terminal.dashscope.warmUp()
})
afterAll(() => terminal.close())

const inFolder = (name: string) => ({
  folder: join(terminal.work, name),
  out: join(terminal.work, `${name} texts`),
})
const textsIn = async (out: string) =>
  (await readdir(out, { recursive: true })).filter(name => name.endsWith('.txt'))

it('Ctrl-C and SIGTERM end a batch in order: each recording is billed once', async () => {
  const { folder, out } = inFolder('ended')
  await makeShortRecordings(folder, count)
  const plan = {
    kills: 3,
    signals: ['SIGINT', 'SIGTERM'] satisfies NodeJS.Signals[],
    random: () => 0.4,
    maxBilled: 12,
  }
  const { exitCode, results, billed, sentAgain, kills } = await runKilledBatch(
    terminal,
    { folder, out },
    plan,
  )
  expect({ exitCode, recordings: results.length, billed, sentAgain }).toEqual({
    exitCode: 0,
    recordings: count,
    billed: count,
    sentAgain: 0,
  })
  expect(kills).toBeGreaterThan(1)
  expect(await textsIn(out)).toHaveLength(count)
}, 120_000)

it('after a kill, the same command does the rest: what was reported as done is not paid for again', async () => {
  const { folder, out } = inFolder('killed')
  await makeShortRecordings(folder, count)
  const args = ['transcribe', folder, '-r', '--yes', '--json', '--out', out, '-c', 'killed']
  const { requests } = terminal.dashscope
  const from = requests.length
  const sent = (begin: number, end?: number) =>
    requests.slice(begin, end).flatMap(({ audioHash }) => audioHash ?? [])
  const { child, result } = terminal.start(args)
  let reported = 0
  await new Promise<void>(resolve =>
    child.stdout!.on('data', piece => {
      reported += String(piece).split('"status":"done"').length - 1
      if (reported >= count / 3) resolve()
    }),
  )
  child.kill('SIGKILL')
  await result
  await vi.waitFor(() => expect(terminal.dashscope.inFlight()).toBe(0))
  const dead = requests.length
  const { code, stdout } = await terminal.start(args).result
  expect(code).toBe(0)
  const statuses = stdout.match(/"status":"\w+"/g)!
  expect(statuses.filter(status => status.includes('done_before')).length).toBeGreaterThanOrEqual(reported)
  const [before, after] = [sent(from, dead), sent(dead)]
  expect([new Set(before).size, new Set(after).size]).toEqual([before.length, after.length])
  expect(new Set([...before, ...after]).size).toBe(count)
  // Only of requests under way when the process died, nobody knows whether they were paid for.
  const again = after.filter(audio => before.includes(audio)).length
  expect(again).toBeLessThanOrEqual(Math.min(maxAtOnce, before.length - reported))
  expect(await textsIn(out)).toHaveLength(count)
}, 120_000)
