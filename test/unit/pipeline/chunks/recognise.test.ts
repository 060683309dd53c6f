// Handling of a recogniser's results: loops, empty texts, failures.
import { describe, expect, it } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Recogniser } from '../../../../src/domain/ports.ts'
import type { Run } from '../../../../src/domain/run.ts'
import { isCachedRecognition } from '../../../../src/pipeline/audio/fingerprint.ts'
import type { ChunkBudget } from '../../../../src/pipeline/chunks/budget.ts'
import type { ReadyChunk } from '../../../../src/pipeline/chunks/encode-all.ts'
import { createMerge } from '../../../../src/pipeline/chunks/merge.ts'
import { type ChunkTranscript, recognise } from '../../../../src/pipeline/chunks/recognise.ts'

const chunk = (start: number, end: number): ReadyChunk => ({
  index: 0,
  key: `${start}-${end}`,
  profile: 'recording',
  start,
  end,
  speech: [{ start, end }],
  overlap: 0,
  parts: [{ at: 0, start }],
  audio: Buffer.from(`${start}-${end}`),
  seconds: end - start,
  lookedAt: Date.now(),
})

const refusal = new SpeechError('CONTENT_REFUSED', 'No.', { hint: 'None.' })

/** Recognises a minute of speech. `answer` receives the stretch; `halves` are the chunks of a recut. */
async function recogniseMinute(
  answer: (stretch: string) => string | SpeechError,
  halves: ReadyChunk[] = [chunk(0, 30), chunk(30, 60)],
  chunks: ReadyChunk[] = [chunk(0, 60)],
) {
  const warnings: string[] = []
  const written: string[] = []
  const requests: string[] = []
  const recogniser: Recogniser = {
    model: 'test',
    limits: { maxSeconds: 150, minSeconds: 1, concurrency: 2 },
    async recognise({ audio }) {
      requests.push(audio.toString())
      const given = answer(audio.toString())
      if (given instanceof SpeechError) throw given
      return { text: given.replace(/ …$/, ''), ...(given.endsWith(' …') && { isCut: true }) }
    },
  }
  const run = {
    signal: new AbortController().signal,
    progress: () => {},
    warn: (text: string) => warnings.push(text),
    checkpoints: { put: async () => void written.push('answer') },
    answered() {},
  }
  async function* stream(chunks: ReadyChunk[]) {
    yield* chunks
  }
  const transcripts: ChunkTranscript[] = []
  const charge = async () => ({ refuse: undefined, settle: () => void written.push('cost') })
  const keys = new Set<string>()
  const notePaid = (key: string) => keys.size < keys.add(key).size
  const budget = { admit: stream, charge, notePaid, payEarlier() {}, close() {} } as unknown as ChunkBudget
  const tools = { options: { model: 'test' }, recut: () => stream(halves), budget }
  const context = { recogniser, totalSeconds: () => 60, ...tools }
  for await (const transcript of recognise(stream(chunks), context, run as unknown as Run))
    transcripts.push(transcript)
  return { transcripts, warnings, written, requests, text: transcripts.map(({ text }) => text).join(' ') }
}

it('keeps an answer before its cost: a process that dies in between does not pay for it twice', async () => {
  const { written } = await recogniseMinute(() => 'one two three')
  expect(written).toEqual(['answer', 'cost'])
})

it('counts equal chunks of a recording once, as the others come from the cache', async () => {
  const cached = (start: number, end: number): ReadyChunk => {
    const { audio: _, lookedAt: __, ...info } = chunk(start, end) as Extract<ReadyChunk, { audio: unknown }>
    return { ...info, key: 'jingle', recognition: { text: 'again', seconds: 30 }, isFromThisJob: true }
  }
  const { transcripts } = await recogniseMinute(() => 'again', [], [cached(0, 30), cached(30, 60)])
  expect(transcripts.map(({ sent, cached }) => [sent, cached])).toEqual([
    [30, 0],
    [0, 30],
  ])
})

const loop = `we begin here ${'and then it goes on '.repeat(9)}`

describe('a looping text', () => {
  it('replaces a looping text by the texts of its halves', async () => {
    const { text, transcripts, warnings } = await recogniseMinute(stretch =>
      stretch === '0-60' ? loop : stretch === '0-30' ? 'we begin here and then' : 'it goes on to the end',
    )
    expect(text).toBe('we begin here and then it goes on to the end')
    expect(transcripts.reduce((sum, { sent }) => sum + sent, 0)).toBe(120)
    expect(warnings).toEqual([])
  })

  it.each([
    ['a half fails', refusal],
    ['the halves say nothing', ''],
  ])('keeps a looping text, with a warning, where %s', async (_, half) => {
    const { text, transcripts, warnings } = await recogniseMinute(stretch =>
      stretch === '0-60' ? loop : half,
    )
    expect(text).toBe(loop.trim())
    expect(transcripts.some(({ failure }) => failure)).toBe(false)
    expect(warnings.join()).toContain('repeats itself')
  })

  it('keeps a looping text, with a warning, where a recut finds only silence', async () => {
    const { text, warnings } = await recogniseMinute(() => loop, [])
    expect(text).toBe(loop.trim())
    expect(warnings.join()).toContain('repeats itself')
  })

  it('collapses a loop that is faster than speech', async () => {
    const { text } = await recogniseMinute(() => `one two ${'three four five '.repeat(400)}`, [chunk(0, 60)])
    expect(text).toBe('one two three four five')
  })
})

describe('a chunk that is too long for the model', () => {
  const tooLarge = new SpeechError('TOO_LARGE', 'Too long.', { hint: 'None.' })

  it('is replaced by its parts, in the order of the recording, and only they are paid', async () => {
    const { text, transcripts } = await recogniseMinute(
      stretch => (stretch === '0-60' ? tooLarge : stretch === '0-30' ? 'one two' : 'three four'),
      [{ ...chunk(30, 60), overlap: 2 }, chunk(0, 30)],
    )
    expect(text).toBe('one two three four')
    expect(transcripts.map(({ sent, overlap }) => [sent, overlap])).toEqual([
      [30, 0],
      [30, 2],
    ])
  })

  it('is a gap where its parts are too long as well', async () => {
    await expect(recogniseMinute(() => tooLarge, [])).rejects.toBe(tooLarge)
  })
})

describe('an answer that was cut', () => {
  it('is replaced by the answers for its halves, which are sent too', async () => {
    const { text, transcripts, requests, warnings } = await recogniseMinute(stretch =>
      stretch === '0-60' ? 'one two …' : stretch === '0-30' ? 'one two' : 'three four',
    )
    expect(text).toBe('one two three four')
    expect(requests).toEqual(['0-60', '0-30', '30-60'])
    expect(transcripts.reduce((sum, { sent }) => sum + sent, 0)).toBe(120)
    expect(warnings).toEqual([])
  })

  it.each<[string, string | SpeechError]>([
    ['a half fails', refusal],
    ['the halves say nothing', ''],
  ])('is kept, with a warning and a gap for the missing words, where %s', async (_, half) => {
    const { text, transcripts, warnings } = await recogniseMinute(stretch =>
      stretch === '0-60' ? 'one two …' : half,
    )
    expect(text).toBe('one two')
    const { coverage } = createMerge('segment')(transcripts)
    expect(coverage.gaps).toEqual([{ start: 0, end: 60, reason: expect.stringMatching(/answer was cut/) }])
    expect(warnings.join()).toContain('words are missing before 1:00')
  })

  it('is not halved without end: what is still cut after two halvings has a warning', async () => {
    const { requests, warnings } = await recogniseMinute(() => 'one two …', [chunk(0, 60)])
    expect(requests).toHaveLength(3)
    expect(warnings.join()).toContain('words are missing')
  })
})

describe('a text without words', () => {
  it.each(['', '...', '？', '\u200b', '\u0000'])(
    'returns an empty text, with a warning, for %j',
    async answer => {
      const { text, warnings } = await recogniseMinute(() => answer)
      expect(text).toBe('')
      expect(warnings.join()).toContain('recognised no words')
    },
  )

  it('replaces control characters in a text, and the rest of their sequences, by spaces', async () => {
    expect((await recogniseMinute(() => 'one\u0000two\u001b[31m')).text).toBe('one two')
  })
})

it('throws the error of the only chunk', async () => {
  await expect(recogniseMinute(() => refusal)).rejects.toBe(refusal)
})

it.each([
  [true, { text: 'Yes.', seconds: 1 }],
  [true, { text: 'Yes.', seconds: 1, words: [{ text: 'Yes.', start: 0, end: 1 }] }],
  [false, { text: 'Yes.' }],
  [false, { text: 'Yes.', seconds: 1, words: { Yes: 1 } }],
  [false, { text: 'Yes.', seconds: 1, words: [null] }],
  [false, { text: 'Yes.', seconds: 1, segments: [{ text: 'Yes.', begin: 0, end: 1 }] }],
])('a stored answer can be used: %s, %j', (isUsed, stored) => {
  expect(isCachedRecognition(stored)).toBe(isUsed)
})
