// A recording of over twenty minutes is cut into many chunks and transcribed word for word.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeAudio } from '../../support/audio/make-audio.ts'
import { fixture, plainWords, type System, startSystem, truth, truthText } from '../../support/e2e/system.ts'

let system: System

beforeAll(async () => {
  system = await startSystem()
})
afterAll(() => system.close())

/** Seconds of silence behind each part: a pause, a break, none. */
const parts = [
  ['interview', 'interview.mp3', 2],
  ['meeting', 'meeting.m4a', 45],
  ['jfk', 'jfk.wav', 0],
  ['interview', 'interview.mp3', 0],
  ['clip', 'clip.mp4', 8],
  ['meeting', 'meeting.m4a', 1],
] as const

it('a twenty-minute recording is transcribed with every word once, and silence is not sent', async () => {
  const inputs = parts.flatMap(([, name]) => ['-i', fixture(name)])
  const pads = parts.map(([, , silence], i) => {
    const pad = silence > 0 ? `,apad=pad_len=${silence * 16_000}` : ''
    return `[${i}:a]aresample=16000,aformat=channel_layouts=mono${pad}[p${i}]`
  })
  const graph = `${pads.join(';')};${parts.map((_, i) => `[p${i}]`).join('')}concat=n=${parts.length}:v=0:a=1`
  const args = [...inputs, '-filter_complex', graph, '-c:a', 'flac']
  const file = await makeAudio(system.folder, 'a long day.mka', args)

  const { data, text, isError } = await system.call('transcribe_audio', { audio: file, wait_seconds: 240 })
  expect(isError, text).toBe(false)
  expect(data).toMatchObject({ status: 'completed', warnings: [], coverage: { gaps: [] } })
  expect(data.duration).toBeGreaterThan(1200)

  const { contents } = await system.client.readResource({ uri: `transcript://${data.transcript_id}/txt` })
  const spoken = parts.map(([name]) => truthText(truth(name))).join(' ')
  expect(plainWords((contents[0] as { text: string }).text)).toBe(plainWords(spoken))

  const { requests } = system.dashscope
  expect(requests.length).toBeGreaterThanOrEqual(8)
  for (const { seconds } of requests) expect(seconds).toBeLessThanOrEqual(170.2)
  const sent = requests.reduce((sum, { seconds }) => sum + seconds, 0)
  expect(sent).toBeLessThan(data.duration - 40)
  expect(data.usage.audio_seconds).toBeCloseTo(sent, -1)
  expect(data.usage.cost_usd).toBeCloseTo(system.dashscope.bill().dollars, 6)
})
