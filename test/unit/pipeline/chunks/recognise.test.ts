// What is made of a recogniser's answers: loops, empty texts, failures.
import { describe, expect, it } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Recogniser } from '../../../../src/domain/ports.ts'
import type { Run } from '../../../../src/domain/run.ts'
import type { ReadyChunk } from '../../../../src/pipeline/chunks/encode-all.ts'
import { type ChunkTranscript, recognise } from '../../../../src/pipeline/chunks/recognise.ts'

const chunk = (start: number, end: number): ReadyChunk => ({
  index: 0,
  key: `${start}-${end}`,
  start,
  end,
  speech: [{ start, end }],
  overlap: 0,
  audio: Buffer.from(`${start}-${end}`),
  seconds: end - start,
})

const refusal = new SpeechError('CONTENT_REFUSED', 'No.', { hint: 'None.' })

/** Asks for a minute of speech. `answer` gets the stretch; halves are what a new cut finds. */
async function ask(
  answer: (stretch: string) => string | SpeechError,
  halves: ReadyChunk[] = [chunk(0, 30), chunk(30, 60)],
) {
  const warnings: string[] = []
  const asked: string[] = []
  const recogniser: Recogniser = {
    model: 'test',
    limits: { maxSeconds: 150, minSeconds: 1, concurrency: 2 },
    async recognise({ audio }) {
      asked.push(audio.toString())
      const given = answer(audio.toString())
      if (given instanceof SpeechError) throw given
      return { text: given }
    },
  }
  const run = {
    signal: new AbortController().signal,
    progress: () => {},
    warn: (text: string) => warnings.push(text),
    checkpoints: { put: async () => {} },
  }
  async function* stream(chunks: ReadyChunk[]) {
    yield* chunks
  }
  const pieces: ChunkTranscript[] = []
  const tools = { options: { model: 'test' }, recut: () => stream(halves), charge: () => {} }
  const asking = { recogniser, totalSeconds: () => 60, ...tools }
  for await (const piece of recognise(stream([chunk(0, 60)]), asking, run as unknown as Run))
    pieces.push(piece)
  return { pieces, warnings, asked, text: pieces.map(({ text }) => text).join(' ') }
}

const loop = `we begin here ${'and then it goes on '.repeat(9)}`

describe('a text that loops', () => {
  it('is replaced by what its halves say', async () => {
    const { text, pieces, warnings } = await ask(stretch =>
      stretch === '0-60' ? loop : stretch === '0-30' ? 'we begin here and then' : 'it goes on to the end',
    )
    expect(text).toBe('we begin here and then it goes on to the end')
    expect(pieces.reduce((sum, { sent }) => sum + sent, 0)).toBe(120)
    expect(warnings).toEqual([])
  })

  it.each([
    ['a half fails', refusal],
    ['the halves say nothing', ''],
  ])('is kept, with a warning, where %s', async (_, half) => {
    const { text, pieces, warnings } = await ask(stretch => (stretch === '0-60' ? loop : half))
    expect(text).toBe(loop.trim())
    expect(pieces.some(({ failure }) => failure)).toBe(false)
    expect(warnings.join()).toContain('repeats itself')
  })

  it('is kept, with a warning, where a new cut finds only silence', async () => {
    const { text, warnings } = await ask(() => loop, [])
    expect(text).toBe(loop.trim())
    expect(warnings.join()).toContain('repeats itself')
  })

  it('faster than anyone speaks is said once', async () => {
    const { text } = await ask(() => `one two ${'three four five '.repeat(400)}`, [chunk(0, 60)])
    expect(text).toBe('one two three four five')
  })
})

describe('a text without words', () => {
  it.each(['', '...', '？', '\u200b', '\u0000'])('(%j) is empty, with a warning', async answer => {
    const { text, warnings } = await ask(() => answer)
    expect(text).toBe('')
    expect(warnings.join()).toContain('recognised no words')
  })

  it('control characters in a text become blanks', async () => {
    expect((await ask(() => 'one\u0000two\u001b[31m')).text).toBe('one two [31m')
  })
})

it('an error of the one chunk is thrown', async () => {
  await expect(ask(() => refusal)).rejects.toBe(refusal)
})
