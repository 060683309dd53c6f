// Passes over one upload: timeouts, limits and a decoder that is killed; their checkpoints and clean-up.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { median } from '../../../../bench/measure.ts'
import type { DashscopeEmulator } from '../../../../emulators/dashscope/dashscope.ts'
import { nothingSpent, type SpendingStore } from '../../../../src/domain/costs/spending.ts'
import { createBudgets } from '../../../../src/jobs/records/budgets.ts'
import type { LocateFfmpeg } from '../../../../src/pipeline/audio/ffmpeg.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { makeAudio } from '../../../support/audio/make-audio.ts'
import { fixture } from '../../../support/e2e/system.ts'
import { truthOf } from '../../../support/emulators/dashscope-client.ts'
import { testBudget } from '../../../support/pipeline/budget.ts'
import { type PassesSystem, startPasses } from '../../../support/pipeline/passes.ts'

let system: PassesSystem
let emulator: DashscopeEmulator

beforeAll(async () => {
  system = await startPasses()
  emulator = system.emulator
})
afterAll(() => system.close())

it('a task that never begins times out, is stopped, and its upload is deleted', async () => {
  const off = emulator.taskFault({ kind: 'endless', state: 'PENDING' })
  await expect(system.run('tr_pending', { taskTimeoutSeconds: 0.3 })).rejects.toMatchObject({
    code: 'TASK_TIMEOUT',
  })
  off()
  expect(emulator.tasks.map(({ state }) => state)).toEqual(['CANCELED', 'CANCELED'])
  expect(emulator.oss!.objects()).toEqual([])
})

it('a task that times out is polled again by the next call, not submitted again', async () => {
  emulator.set({ taskLatency: { base: 0, perSecond: 0.2 } })
  const before = emulator.tasks.length
  await expect(system.run('tr_slow', { taskTimeoutSeconds: 0.3 })).rejects.toMatchObject({
    code: 'TASK_TIMEOUT',
  })
  expect(emulator.oss!.objects()).toEqual([])
  const { passes } = await system.run('tr_slow')
  emulator.set({ taskLatency: { base: 0, perSecond: 0 } })
  expect(passes.map(({ recognition }) => recognition?.sentences.length)).toEqual([
    expect.any(Number),
    expect.any(Number),
  ])
  expect(emulator.tasks.length).toBe(before + 2)
})

it('a paid task whose result cannot be read is asked for its result again by the next call', async () => {
  const before = emulator.tasks.length
  const unreadable = system.run('tr_unreadable', {
    file: fixture('russian.flac'),
    resultText: '{"new":1}',
  })
  await expect(unreadable).rejects.toMatchObject({ code: 'PROVIDER_FAILED', retryable: false })
  const { passes } = await system.run('tr_unreadable', { file: fixture('russian.flac') })
  expect(passes.map(({ recognition }) => recognition?.sentences.length)).toEqual([
    expect.any(Number),
    expect.any(Number),
  ])
  expect(emulator.tasks.length).toBe(before + 2)
})

it.each([
  ['longer than the provider accepts', { maxSeconds: 5 }, 'TOO_LARGE'],
  ['over the cost limit', { budget: testBudget(0.0001) }, 'COST_TOO_HIGH'],
])('a recording that is %s is refused, and nothing of it stays in the bucket', async (_, limits, code) => {
  const before = emulator.tasks.length
  await expect(system.run(`tr_${code}`, limits)).rejects.toMatchObject({ code })
  expect(emulator.tasks.length).toBe(before)
  expect([...emulator.oss!.objects(), ...emulator.oss!.unfinishedUploads()]).toEqual([])
})

describe('a recording without a length in its header', () => {
  /** Runs it within a limit of a day; resolves with the number of writes before its first task. */
  async function writesOf(job: string, dayUsd: number): Promise<number> {
    const copied = ['-i', fixture('interview.mp3'), '-t', '60', '-c', 'copy', '-live', '1']
    const file = await makeAudio(system.folder, 'live.mkv', copied)
    let writes = 0
    let record = nothingSpent
    const store: SpendingStore = {
      async updateSpending(_owner, _day, change) {
        if (record.usd === 0) writes++
        record = change(record)
      },
      listSpending: async () => [],
    }
    const budget = createBudgets(store, { dayUsd, isStrict: true })('local', job)
    const prices = { 'fun-asr-mtl': 0.001, 'qwen3-asr-flash-filetrans': 0.001 }
    const { duration } = await system.run(job, { file, budget, prices })
    await budget.close()
    expect(duration).toBeCloseTo(60, 0)
    return writes
  }

  it('is written to the record of costs a few times, not with every second of audio', async () => {
    expect(await writesOf('tr_live', 100)).toBeLessThan(4)
  })

  it('is transcribed where the limit of a day leaves no more than its cost', async () => {
    expect(await writesOf('tr_exact', 0.125)).toBeLessThan(15)
  })
})

describe('a recording whose decoder is killed', () => {
  /** An ffmpeg whose first decoders are killed after some seconds of audio. */
  async function killedFfmpeg(name: string, kills: number): Promise<LocateFfmpeg> {
    const [real, path] = [await testFfmpeg(), join(system.folder, name)]
    const script = [
      '#!/bin/sh',
      `case "$*" in *format_whitelist*) ;; *) exec '${real}' "$@" ;; esac`,
      `for kill in ${Array.from({ length: kills }, (_, i) => i).join(' ')}; do`,
      `  if mkdir '${path}-'$kill 2>/dev/null; then '${real}' "$@" | head -c 160000; kill -9 $$; fi`,
      'done',
      `exec '${real}' "$@"`,
    ]
    await writeFile(path, script.join('\n'), { mode: 0o755 })
    return async () => ({ path })
  }

  it('a recording whose decoder is killed is decoded again before anything is billed', async () => {
    const before = emulator.tasks.length
    const { duration, lost } = await system.run('tr_killed', { ffmpeg: await killedFfmpeg('killed', 1) })
    expect({ duration, lost }).toEqual({ duration: 11, lost: undefined })
    expect(emulator.tasks.length - before).toBeLessThanOrEqual(2)
  })

  it('a recording decoded in part never passes for the whole, in this job or another', async () => {
    const file = join(system.folder, 'again.wav')
    await writeFile(file, await readFile(fixture('russian.flac')))
    const partial = await system.run('tr_partial', { ffmpeg: await killedFfmpeg('partial', 2), file })
    expect(partial.lost).toMatchObject({ start: 5 })
    const before = emulator.tasks.length
    for (const job of ['tr_partial', 'tr_whole']) {
      const whole = await system.run(job, { file })
      expect(whole).toMatchObject({ duration: expect.closeTo(12, 0) })
      expect(whole.lost).toBeUndefined()
    }
    expect(emulator.tasks.length).toBe(before + 4)
  })
})

// Codes of failed tasks, how many tasks each pass starts, and whether the pass succeeds when one fails once.
it.each<[string, number, boolean]>([
  ['SERVER_ERROR', 2, true],
  ['InvalidParameter.MalformedURL', 1, false],
  ['Arrearage', 1, false],
])('a task that fails once with %s is one of %i', async (code, count, succeeds) => {
  const before = emulator.tasks.length
  const model = 'fun-asr-mtl'
  const off = emulator.taskFault({ kind: 'failed', code, times: 1, model })
  const first = await system.run(`tr_${code}`).catch((error: { code: string }) => error)
  off()
  const submits = emulator.tasks.slice(before).filter(task => task.model === model)
  expect(submits).toHaveLength(count)
  if ('passes' in first) expect(first.passes[0]!.recognition !== undefined).toBe(succeeds)
  else expect([first.code, succeeds]).toEqual(['ACCOUNT_IN_ARREARS', false])
  // The failed task is over: the next call starts another one.
  if (!succeeds) expect((await system.run(`tr_${code}`)).passes[0]!.recognition).toBeDefined()
})

it('times are those of the recording, although the provider hears its MP3 late', async () => {
  const { passes } = await system.run('tr_clock')
  const words = passes[1]!.recognition!.sentences.flatMap(({ words }) => words!)
  const late = truthOf('jfk.wav').words.map(({ start }, i) => words[i]!.start - start)
  expect(Math.abs(median(late))).toBeLessThan(0.02)
})
