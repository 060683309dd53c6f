// Recordings of hours are aligned in turns of the event loop.
import { expect, it, vi } from 'vitest'
import { align } from '../../../../src/pipeline/diarization/align.ts'
import { recognitionOf, sentenceOf, withoutSpeakers } from '../../../support/audio/recognitions.ts'

const wordsEach = 8
const sentences = Array.from({ length: 60 }, (_, i) => {
  const words = Array.from({ length: wordsEach }, (_, k) => `word${(i * i + k * 31) % 97}`)
  return sentenceOf(i * 4, `${words.join(' ')}.`, i % 3)
})

it('other work runs between a few words that are aligned', async () => {
  let milliseconds = performance.now()
  // Each look at the clock is one word or so.
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => milliseconds++)
  let turns = 0
  let next: NodeJS.Immediate
  const count = () => {
    turns++
    next = setImmediate(count)
  }
  next = setImmediate(count)
  try {
    const { segments } = await align(recognitionOf(...sentences), withoutSpeakers(...sentences), 300)
    expect(segments).toHaveLength(sentences.length)
  } finally {
    clearImmediate(next)
    clock.mockRestore()
  }
  expect(turns).toBeGreaterThan(sentences.length * wordsEach)
})
