// Sound out of proportion to the bytes of its file: refused before anything is sent, whatever its header says.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Run } from '../../../../src/domain/run.ts'
import { createFairLimit } from '../../../../src/domain/waiting/fair-limit.ts'
import { createChunkEncoders } from '../../../../src/pipeline/audio/chunk-encoders.ts'
import { transcribeChunks } from '../../../../src/pipeline/chunks/transcribe-chunks.ts'
import { locateTestFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { makeAudio } from '../../../support/audio/make-audio.ts'
import { fixture, type TempFolder, tempFolder } from '../../../support/e2e/system.ts'
import { testBudget } from '../../../support/pipeline/budget.ts'
import { testRun } from '../../../support/text/generated-speech.ts'

let folder: TempFolder
let file: string

beforeAll(async () => {
  folder = await tempFolder()
  file = await makeAudio(folder.path, 'speech.mp3', [
    '-i',
    fixture('interview.mp3'),
    ...['-t', '150', '-c', 'copy'],
  ])
})
afterAll(() => folder.remove())

/** Recognises two and a half minutes of speech from a file that has so many bytes; resolves with the seconds that were sent. */
async function sentOf(bytes: number, options: { model?: { usdPerSecond: number } } = {}): Promise<number> {
  let sent = 0
  const recogniser = {
    model: 'test',
    limits: { maxSeconds: 20, minSeconds: 1, concurrency: 2 },
    ...options.model,
    async recognise({ seconds }: { seconds: number }) {
      sent += seconds
      return { text: 'word' }
    },
  }
  const job = { job: 'tr_1', owner: 'ann', warn() {}, answered() {} }
  const run = { ...testRun(), ...job, budget: testBudget() } as unknown as Run
  const source = { file, name: 'interview', bytes, isTruncated: false }
  const ports = { ffmpeg: locateTestFfmpeg, recogniser, limitEncoding: createFairLimit(2) }
  try {
    const encoders = createChunkEncoders(locateTestFfmpeg, run.signal)
    for await (const _ of transcribeChunks([{ source }], { audio: file }, ports, encoders, run).transcripts);
  } catch (error) {
    if (sent > 0) throw new Error(`${sent} seconds were sent.`, { cause: error })
    throw error
  }
  return sent
}

describe('two and a half minutes of speech', () => {
  it.each([[undefined], [{ usdPerSecond: 0 }]])(
    'are refused from 2 kB before anything is sent (%o)',
    async model => {
      await expect(sentOf(2_000, { ...(model && { model }) })).rejects.toMatchObject({
        code: 'IMPLAUSIBLE_LENGTH',
        message: expect.stringMatching(/^The file has 2000 bytes, but becomes more than 1:\d\d of sound\.$/),
      })
    },
  )

  it('are taken from 8 kB, which is the rate of Codec2 at 450 bit/s', async () => {
    expect(await sentOf(8_400)).toBeGreaterThan(120)
  })
})
