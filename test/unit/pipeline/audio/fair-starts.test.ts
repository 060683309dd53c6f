// Decoders of short recordings start in the turns of their owners.
import { expect, it } from 'vitest'
import type { Run } from '../../../../src/domain/run.ts'
import { createFairLimit, type FairLimit } from '../../../../src/domain/waiting/fair-limit.ts'
import { decode } from '../../../../src/pipeline/audio/decode.ts'
import { readAll } from '../../../../src/pipeline/audio/ffmpeg.ts'
import { openSource, type SourcePorts } from '../../../../src/pipeline/source/source.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { fixture } from '../../../support/e2e/system.ts'

it('a decoder of one owner starts before those of another that wait longer', async () => {
  const path = await testFfmpeg()
  const limit = createFairLimit(1)
  const order: string[] = []
  const limitStarts: FairLimit = (owner, work) =>
    limit(owner, () => {
      order.push(owner)
      return work()
    })
  const { signal } = new AbortController()
  const lengthFor = async (owner: string) => {
    const run = { owner, signal, warn() {} } as unknown as Run
    const source = await openSource({ audio: fixture('voice-note.ogg') }, {} as SourcePorts, run)
    const { samples } = decode(source, async () => ({ path, limitStarts }), run, { voiceNote: true })
    return (await readAll(samples)).length
  }
  const lengths = await Promise.all(['ann', 'ann', 'ann', 'ann', 'ben'].map(lengthFor))
  expect(order).toEqual(['ann', 'ben', 'ann', 'ann', 'ann'])
  expect(new Set(lengths).size).toBe(1)
})
