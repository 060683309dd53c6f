// get_transcript through an MCP client: pages, time ranges, views, and a transcript that cannot be stored.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentWav, writeInput } from '../../support/e2e/requests.ts'
import {
  fixture,
  plainWords,
  type System,
  startSystem,
  tempFolder,
  truth,
  truthText,
} from '../../support/e2e/system.ts'

let system: System
let id: string

beforeAll(async () => {
  system = await startSystem()
  const { data } = await system.call('transcribe_audio', { audio: fixture('interview.mp3') })
  id = data.transcript_id
})
afterAll(() => system.close())

const read = (args: Record<string, unknown>) => system.call('get_transcript', { transcript_id: id, ...args })

describe('get_transcript', () => {
  it('the pages of get_transcript have every word once and name the next call', async () => {
    const pages: string[] = []
    let offset: number | undefined = 0
    while (offset !== undefined) {
      const { data, text } = await read({ view: 'raw', limit: 300, offset })
      expect(data.text.length).toBeLessThanOrEqual(1200)
      pages.push(data.text)
      if (data.next_offset !== undefined) {
        for (const part of [id, 'view=raw', 'limit=300', `offset=${data.next_offset}`])
          expect(data.next_step).toContain(part)
        expect(text).toContain(data.next_step)
      }
      offset = data.next_offset
    }
    expect(pages.length).toBeGreaterThan(4)
    expect(plainWords(pages.join(' '))).toBe(truthText(truth('interview')))
  })

  it('get_transcript returns the requested time range', async () => {
    const { data } = await read({ view: 'raw', from: 172, to: 190 })
    const spoken = truth('interview').words.filter(({ start, end }) => start > 173 && end < 189)
    expect(plainWords(data.text)).toContain(spoken.map(({ text }) => text).join(' '))
    expect(plainWords(data.text).split(' ').length).toBeLessThan(spoken.length + 50)
  })

  it.each([
    ['text', /^\[0:00\] Welcome back/],
    ['outline', /^\[0:00\] Welcome back.*…\n\[0:/],
    ['markdown', /^# interview\n/],
    ['srt', /^1\n00:00:00,/],
    ['vtt', /^WEBVTT\n/],
    ['json', /^\{\n "id": "tr_/],
  ])('get_transcript returns the view %s', async (view, start) => {
    const { data } = await read({ view })
    expect(data.text).toMatch(start)
  })

  it('subtitles take a preset, and the warnings name cues that break its rules', async () => {
    const { data } = await read({ view: 'srt', preset: 'netflix', limit: 300 })
    expect(data.next_step).toContain('preset=netflix')
    expect(data.warnings.filter((warning: string) => /^Cue \d+ at /.test(warning))).toHaveLength(5)
    expect(data.warnings).toContainEqual(expect.stringMatching(/^\d+ more cues break a rule/))
    const { data: words } = await read({ view: 'srt', preset: 'social', limit: 300 })
    expect(words.text).toMatch(/^1\n.+\nWelcome back\n\n2\n/)
    const { contents } = await system.client.readResource({ uri: `transcript://${id}/srt?preset=social` })
    const [file] = contents as { text: string; _meta?: unknown }[]
    expect(file!.text.startsWith(words.text)).toBe(true)
    expect(file!._meta).toBeUndefined()
    const { contents: strict } = await system.client.readResource({
      uri: `transcript://${id}/srt?preset=bbc`,
    })
    expect(strict[0]!._meta!.check).toContainEqual(expect.stringContaining('words a minute, at most 180'))
    await expect(system.client.readResource({ uri: `transcript://${id}/srt?preset=cinema` })).rejects.toThrow(
      /not found/i,
    )
  })

  it('an offset beyond the end gives an empty page', async () => {
    const { data, isError } = await read({ offset: 1e8 })
    expect(isError).toBe(false)
    expect(data).toMatchObject({ text: '' })
    expect(data.next_offset).toBeUndefined()
  })
})

describe('timestamps', () => {
  it('timestamps: none returns the words without times', async () => {
    const { data } = await system.call('transcribe_audio', { audio: fixture('jfk.wav'), timestamps: 'none' })
    expect(data.text).toBe(truthText(truth('jfk')))
  })

  it('timestamps: word adds estimated word times to the json view', async () => {
    const { data } = await system.call('transcribe_audio', {
      audio: fixture('meeting.m4a'),
      timestamps: 'word',
    })
    expect(data.times).toBe('estimated')
    const { contents } = await system.client.readResource({ uri: `${data.uri}/json` })
    const { segments } = JSON.parse((contents[0] as { text: string }).text)
    const words = segments.flatMap((segment: { words: unknown[] }) => segment.words)
    const { words: spoken } = truth('meeting')
    expect(words.map(({ text }: { text: string }) => text)).toEqual(spoken.map(({ text }) => text))
    const errors = words.map(({ start }: { start: number }, i: number) => Math.abs(start - spoken[i]!.start))
    errors.sort((a: number, b: number) => a - b)
    expect(errors[Math.floor(errors.length / 2)]).toBeLessThan(0.2)
    for (const segment of segments) expect(segment.estimated).toBe(true)
  })
})

describe('a transcript of silence', () => {
  it('a transcript of silence has no times', async () => {
    const { data } = await system.call('transcribe_audio', {
      audio: await writeInput(system, 'silence.wav', silentWav()),
    })
    expect(data).toMatchObject({ status: 'completed', text: '' })
    expect(data).not.toHaveProperty('times')
  })
})

describe('a transcript that cannot be stored', () => {
  it('a transcript that cannot be stored is returned with a warning and readable until the server ends', async () => {
    const folder = await tempFolder()
    const blocked = join(folder.path, 'not a folder')
    writeFileSync(blocked, '')
    const other = await startSystem({ isHere: true, env: { SPEECH_DATA_DIR: blocked } })
    const { data, isError } = await other.call('transcribe_audio', {
      audio: fixture('jfk.wav'),
      allow_unsaved: true,
    })
    expect(isError).toBe(false)
    expect(data.text).toContain('ask not')
    expect(data.warnings.join()).toMatch(/could not be stored.*STORE_FAILED/)
    const again = await other.call('get_transcript', { transcript_id: data.transcript_id })
    expect(again.data.text).toContain('ask not')
    await other.close()
    await folder.remove()
  })
})
