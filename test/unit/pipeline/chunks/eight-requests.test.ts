// Cutting of whole recordings for eight requests at once.
import { describe, expect, it } from 'vitest'
import { cut } from '../../../../src/pipeline/audio/cut/cut.ts'
import { cutOptions } from '../../../../src/pipeline/chunks/chunk-lengths.ts'
import { asBuffers, rate, type SpeechSection, synthesise } from '../../../support/audio/synthetic-speech.ts'

const maxSeconds = 170

/** Seconds of the chunks of a recording, of which the header tells this share. */
async function chunksOf(sections: SpeechSection[], seed: number, told = 1): Promise<number[]> {
  const { samples } = synthesise(sections, seed)
  const headerSeconds = () => (told * samples.length) / rate
  const chunks: number[] = []
  for await (const { samples: sound, release } of cut(
    asBuffers(samples),
    cutOptions({ headerSeconds }, { maxSeconds }),
  )) {
    chunks.push(sound.length / rate)
    release()
  }
  return chunks
}

describe('a recording of up to 20 minutes', () => {
  it.each([300, 1_180])('of %i s of speech is heard by eight requests at once', async seconds => {
    const chunks = await chunksOf([{ kind: 'sentences', seconds }], 5)
    expect(chunks).toHaveLength(8)
    expect(Math.max(...chunks)).toBeLessThanOrEqual(maxSeconds)
    expect(Math.min(...chunks)).toBeGreaterThan((seconds / 8) * 0.7)
  })

  it('needs no ninth request where its header tells a little too little', async () => {
    expect(await chunksOf([{ kind: 'sentences', seconds: 400 }], 7, 0.97)).toHaveLength(8)
  })

  it.each([10, 40])('needs no ninth request for a long silence at %i s', async before => {
    const silence: SpeechSection = { kind: 'silence', seconds: 21 }
    const sections: SpeechSection[] = [
      { kind: 'sentences', seconds: before },
      silence,
      { kind: 'sentences', seconds: 400 - before },
    ]
    expect((await chunksOf(sections, 6)).length).toBeLessThanOrEqual(8)
  })
})
