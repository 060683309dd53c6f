// Short pauses within speech, and the sentences that are timed by them.
import { describe, expect, it } from 'vitest'
import { createSeededRandom } from '../../../../bench/diarize/random.ts'
import { sampleRate } from '../../../../src/pipeline/audio/activity.ts'
import { cut } from '../../../../src/pipeline/audio/cut/cut.ts'
import { betweenPauses } from '../../../../src/pipeline/chunks/short-pauses.ts'
import { timeTexts } from '../../../../src/pipeline/chunks/timing.ts'

/** Noise as loud as these stretches say, in seconds and steps of a sample. */
function sound(...stretches: [seconds: number, amplitude: number][]): Int16Array {
  const next = createSeededRandom(1).next
  return Int16Array.from(
    stretches.flatMap(([seconds, amplitude]) =>
      Array.from({ length: seconds * sampleRate }, () => Math.round(amplitude * (2 * next() - 1))),
    ),
  )
}

async function heardIn(samples: Int16Array) {
  for await (const chunk of cut([Buffer.from(samples.buffer)], { maxSeconds: 150 }))
    return betweenPauses(chunk.speech, chunk)
  throw new Error('There is no chunk.')
}

const [loud, soft, quiet] = [8000, 250, 2]

describe('short pauses', () => {
  it('of sentences that follow one another closely give their starts', async () => {
    const samples = sound(
      [1, quiet],
      [2, loud],
      [0.08, quiet],
      [4, loud],
      [0.06, quiet],
      [1, loud],
      [1, quiet],
    )
    const starts = timeTexts(
      ['It is late now.', 'Nobody has told us where to go.', 'Goodbye.'],
      await heardIn(samples),
    ).map(({ start }) => start)
    for (const [i, truth] of [1, 3.08, 7.14].entries())
      expect(Math.abs(starts[i]! - truth)).toBeLessThan(0.03)
  })

  it('are no voice that is only softer', async () => {
    const heard = await heardIn(sound([1, quiet], [2, loud], [3, soft], [2, loud], [1, quiet]))
    const seconds = heard.reduce((sum, { start, end }) => sum + end - start, 0)
    expect(seconds).toBeGreaterThan(6.9)
  })
})
