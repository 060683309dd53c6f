// Every model of the configuration is gone, or all of them live: with the defaults and a key, calls complete.
import { afterEach, describe, expect, it } from 'vitest'
import type { Forms } from '../../../emulators/dashscope/dashscope.ts'
import {
  type DiarizationSystem,
  startDiarizationSystem,
  turnsOf,
} from '../../support/e2e/diarization-system.ts'
import { fixture, plainWords, truth, truthText } from '../../support/e2e/system.ts'

const configured = [
  'qwen3-asr-flash',
  'fun-asr-mtl',
  'qwen3-asr-flash-filetrans',
  'qwen-turbo',
  'gemini-2.5-flash',
]
const successors = ['qwen-audio-3.1-asr-flash', 'fun-asr', 'qwen-audio-3.1-asr-flash-filetrans', 'qwen-flash']

let systems: DiarizationSystem[] = []
afterEach(async () => {
  for (const { system } of systems) await system.close()
  systems = []
})

/** A key, the defaults and no bucket. */
async function start(goneModels: string[], forms: Partial<Forms> = {}): Promise<DiarizationSystem> {
  const started = await startDiarizationSystem({
    isHere: true,
    bucket: false,
    dashscope: { oss: true, goneModels, forms },
  })
  systems.push(started)
  return started
}

/** Transcribes, tells speakers and formats; returns what each call answered. */
async function callAll({ system, diarize, newRecording }: DiarizationSystem, recording?: string) {
  const audio = recording ?? (await newRecording())
  const transcribed = await system.call('transcribe_audio', { audio: fixture('jfk.wav'), wait_seconds: 60 })
  const diarized = await diarize(audio)
  const text = 'so we met on monday and we talked about the plan for the next year '.repeat(8)
  const formatted = await system.call('format_text', { text })
  return { audio, transcribed, diarized, formatted }
}

describe('a cloud without the models of the user’s configuration', () => {
  it('answers with their successors: each gone model is asked once, and nothing of it is billed', async () => {
    const gone = await start(configured)
    const { audio, transcribed, diarized, formatted } = await callAll(gone)
    expect(plainWords(transcribed.data.text)).toContain(plainWords(truthText(truth('jfk'))))
    expect(transcribed.data).toMatchObject({ status: 'completed' })
    expect(transcribed.data.warnings.join(' ')).toContain(
      'qwen-audio-3.1-asr-flash answered in place of qwen3-asr-flash, which is not available.',
    )
    expect(diarized.data).toMatchObject({ status: 'completed' })
    expect(diarized.data.speakers).toHaveLength(3)
    expect(diarized.data.warnings.join(' ')).toMatch(
      /fun-asr answered in place of fun-asr-mtl.*filetrans answered in place of qwen3-asr-flash-filetrans/,
    )
    expect(formatted.isError, formatted.text).toBe(false)

    const { dashscope } = gone.system
    await callAll(gone, await gone.newRecording())
    // The same order finds what the successors have made.
    const again = await gone.diarize(audio)
    expect(turnsOf(again.data.text)).toEqual(turnsOf(diarized.data.text))
    const counts = dashscope.requestCounts()
    for (const model of configured) expect(counts[model] ?? 0, model).toBeLessThanOrEqual(1)
    const billed = dashscope.bill().entries.map(({ model }) => model)
    expect([...new Set(billed)].sort()).toEqual([...successors].sort())
  })

  it('needs no second upload where the store serves any model', async () => {
    const gone = await start([...configured, 'fun-asr'], { temporaryUploads: 'anyModel' })
    const { diarized } = await callAll(gone)
    expect(diarized.data).toMatchObject({ status: 'completed' })
    expect(diarized.data.speakers).toHaveLength(3)
    // As many as where all models live: one for each of the two passes.
    expect(gone.system.dashscope.uploads().files).toBe(2)
    expect(gone.system.dashscope.tasks).toHaveLength(1)
  })
})

describe('a cloud in which all models live', () => {
  it('the user’s models answer, and no other is asked', async () => {
    const { system, ...alive } = await start([])
    const { transcribed, diarized, formatted } = await callAll({ system, ...alive })
    expect(transcribed.data).toMatchObject({ status: 'completed', warnings: [] })
    expect(diarized.data).toMatchObject({
      status: 'completed',
      warnings: [],
    })
    expect(formatted.isError, formatted.text).toBe(false)
    expect(system.dashscope.requestCounts()).toEqual({
      'qwen3-asr-flash': 1,
      'fun-asr-mtl': 1,
      'qwen3-asr-flash-filetrans': 1,
      'qwen-turbo': 1,
    })
  })
})
