// Failures of the provider, a proxy or the network, as the caller sees them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dashscopeErrors } from '../../../emulators/dashscope/dashscope.ts'
import { makeAudio } from '../../support/audio/make-audio.ts'
import { makeSpacedRecording, type SpacedRecording } from '../../support/audio/spaced-recording.ts'
import { uncachedOptions } from '../../support/e2e/spaced-system.ts'
import { fixture, plainWords, type System, startSystem, truth, truthText } from '../../support/e2e/system.ts'

let system: System
/** Several chunks, with little to encode. */
let passages: SpacedRecording

beforeAll(async () => {
  system = await startSystem()
  await system.dashscope.warmUp()
  passages = await makeSpacedRecording(system.folder, 4)
})
afterAll(() => system.close())

async function transcribe(name: string) {
  const before = system.dashscope.requests.length
  const answer = await system.call('transcribe_audio', { audio: fixture(name), ...uncachedOptions() })
  return { ...answer, requests: system.dashscope.requests.slice(before) }
}

async function words(id: string): Promise<string> {
  const { contents } = await system.client.readResource({ uri: `transcript://${id}/txt` })
  return plainWords((contents[0] as { text: string }).text)
}

describe('an account error', () => {
  let narrow: System
  beforeAll(async () => {
    const { SPEECH_ALLOWED_DIRS = '' } = system.env
    narrow = await startSystem({
      env: { SPEECH_ALLOWED_DIRS, SPEECH_CONCURRENCY: '1', ASR_MODEL: 'qwen3-asr-flash' },
    })
  })
  afterAll(() => narrow.close())

  it.each([
    ['KEY_REFUSED', dashscopeErrors.invalidApiKey],
    ['ACCOUNT_IN_ARREARS', dashscopeErrors.arrearage],
    // The last: the server keeps in mind that the model is gone.
    ['MODEL_NOT_FOUND', dashscopeErrors.modelNotExist],
  ])('%s fails the call at once without further requests', async (code, error) => {
    const before = narrow.dashscope.requests.length
    const off = narrow.dashscope.fault({ kind: 'error', ...error })
    const request = { audio: passages.file, ...uncachedOptions() }
    const { isError, text } = await narrow.call('transcribe_audio', request)
    off()
    expect(isError).toBe(true)
    expect(text).toMatch(new RegExp(`^${code}: .+\\. .+\\.$`))
    expect(text).not.toContain(error.message)
    expect(narrow.dashscope.requests).toHaveLength(before + 1)
  })
})

describe('a temporary error', () => {
  it.each([
    ['throttling', { kind: 'error', ...dashscopeErrors.rateQuota }],
    ['a server error', { kind: 'error', ...dashscopeErrors.internalError }],
    ['a dropped connection', { kind: 'drop' }],
    ['a proxy’s page', { kind: 'html' }],
    ['half an answer', { kind: 'garbage' }],
  ] as const)('a temporary error (%s) is retried without losing a word', async (_, fault) => {
    const off = system.dashscope.fault({ ...fault, times: 1 })
    const { data, requests } = await transcribe('jfk.wav')
    off()
    expect(requests).toHaveLength(2)
    expect(data.status).toBe('completed')
    expect(await words(data.transcript_id)).toBe(truthText(truth('jfk')))
  })
})

describe('a permanently failing chunk', () => {
  it('a failed chunk leaves a gap with its reason, and the text of all other chunks', async () => {
    const isRefused = ({ spokenText = '' }: { spokenText?: string }) =>
      spokenText.includes('My cousin Omar can proofread')
    const off = system.dashscope.fault({
      kind: 'error',
      ...dashscopeErrors.dataInspectionFailed,
      when: isRefused,
    })
    const { data, text, requests } = await transcribe('meeting.m4a')
    off()
    expect(data.status).toBe('partial')
    expect(data.coverage.gaps).toHaveLength(1)
    const [gap] = data.coverage.gaps
    expect(gap.reason).toMatch(/^CONTENT_REFUSED: /)
    const { words: spoken } = truth('meeting')
    const outside = spoken.filter(word => word.end < gap.start || word.start > gap.end)
    const inside = spoken.filter(word => word.start > gap.start && word.end < gap.end)
    expect(inside.map(word => word.text).join(' ')).toContain('My cousin Omar can proofread')
    const got = await words(data.transcript_id)
    expect(plainWords(got.replace(/\[no text from .*?\]/, ''))).toBe(
      plainWords(outside.map(word => word.text).join(' ')),
    )
    expect(got).toContain('[no text from ')
    expect(text).toContain('status: partial')
    expect(text).toContain('CONTENT_REFUSED')
    expect(data.next_step).toContain('transcribe_audio')
    expect(data.coverage.transcribed_seconds).toBeLessThan(data.coverage.speech_seconds)
    // It is not sent again.
    expect(requests.filter(isRefused)).toHaveLength(1)
  })

  it('a recording whose only chunk fails is an error', async () => {
    const off = system.dashscope.fault({ kind: 'error', ...dashscopeErrors.dataInspectionFailed })
    const { isError, text } = await transcribe('jfk.wav')
    off()
    expect(isError).toBe(true)
    expect(text).toMatch(/^CONTENT_REFUSED: /)
  })
})

describe('a misbehaving recogniser', () => {
  it('a repetition loop is retried with other cuts', async () => {
    const off = system.dashscope.fault({ kind: 'loop' })
    const { data, requests } = await transcribe('meeting.m4a')
    off()
    expect(await words(data.transcript_id)).toBe(truthText(truth('meeting')))
    expect(requests.length).toBeGreaterThan(3)
    expect(data.usage.audio_seconds).toBeGreaterThan(data.duration)
  })

  it('a persistent repetition loop is shortened with a warning', async () => {
    const off = system.dashscope.fault({ kind: 'loop', longerThan: 0, repeats: 400 })
    const { data } = await transcribe('jfk.wav')
    off()
    expect(data.warnings.join()).toContain('repeats itself')
    expect(data.text.length).toBeLessThan(1000)
  })

  it.each(['empty', 'emptyText'] as const)(
    'an empty recognition (%s) gives an empty text with a warning',
    async kind => {
      const off = system.dashscope.fault({ kind })
      const { data } = await transcribe('jfk.wav')
      off()
      expect(data).toMatchObject({ status: 'completed', text: '' })
      expect(data.warnings.join()).toContain('recognised no words')
    },
  )
})

describe('requests to the provider', () => {
  it('chunks follow the two cutting profiles', async () => {
    const { requests: note } = await transcribe('voice-note.ogg')
    expect(note[0]).toMatchObject({ sampleRate: 8000, bitRate: 24_000, mime: 'audio/mpeg' })
    const { requests: recording } = await transcribe('meeting.m4a')
    for (const request of recording) expect(request).toMatchObject({ sampleRate: 16_000, bitRate: 32_000 })
  })

  it('requests contain language and context', async () => {
    const before = system.dashscope.requests.length
    const { data } = await system.call('transcribe_audio', {
      audio: fixture('russian.flac'),
      language: 'Russian',
      context: 'Ленинград "1941"\n\u0000audio\u0000',
    })
    expect(system.dashscope.requests[before]).toMatchObject({
      language: 'ru',
      context: 'Ленинград "1941"\n\u0000audio\u0000',
    })
    expect(data.warnings).toEqual([])
  })

  it('a language that the API does not accept as a hint is omitted with a warning', async () => {
    const before = system.dashscope.requests.length
    const { data } = await system.call('transcribe_audio', { audio: fixture('jfk.wav'), language: 'Dutch' })
    expect(system.dashscope.requests[before]!.language).toBeUndefined()
    expect(data.warnings.join()).toContain('Dutch')
  })
})

describe('a recording in two languages', () => {
  it('each part of a bilingual recording keeps its language', async () => {
    const graph =
      '[0:a]aresample=16000,apad=pad_len=400000[a];[1:a]aresample=16000[b];[a][b]concat=n=2:v=0:a=1'
    const inputs = ['-i', fixture('russian.flac'), '-i', fixture('chinese.flac')]
    const args = [...inputs, '-filter_complex', graph, '-c:a', 'flac']
    const file = await makeAudio(system.folder, 'two.mka', args)
    const { data } = await system.call('transcribe_audio', { audio: file })
    const { contents } = await system.client.readResource({ uri: `${data.uri}/json` })
    const { segments } = JSON.parse((contents[0] as { text: string }).text)
    const spoken = (language: string) =>
      segments
        .filter((segment: { language: string }) => segment.language === language)
        .map(({ text }: { text: string }) => text)
    expect(spoken('ru').join(' ')).toBe(truthText(truth('russian')))
    expect(spoken('zh').join('')).toBe(truthText(truth('chinese')))
    expect(['ru', 'zh']).toContain(data.language)
  })
})

describe('the limits', () => {
  it('the limit of concurrent requests is respected', async () => {
    const { SPEECH_ALLOWED_DIRS = '' } = system.env
    const slow = await startSystem({
      // Long enough that the next chunk is ready meanwhile on the slowest machine.
      dashscope: { latency: { base: 2.5, perSecond: 0 } },
      env: { SPEECH_ALLOWED_DIRS, SPEECH_CONCURRENCY: '2' },
    })
    const { data } = await slow.call('transcribe_audio', { audio: passages.file })
    expect(slow.dashscope.peakInFlight()).toBe(2)
    expect(data.status).toBe('completed')
    await slow.close()
  })
})
