// Recordings with several audio tracks: every voice is heard, each sound once, and the call may choose.
import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dashscopeErrors } from '../../../emulators/dashscope/dashscope.ts'
import { lavfi, makeAudio, transcribe } from '../../support/e2e/requests.ts'
import { fixture, plainWords, type System, startSystem, truth, truthText } from '../../support/e2e/system.ts'

let system: System
beforeAll(async () => {
  system = await startSystem()
})
afterAll(() => system.close())

const [jfk, note] = [truthText(truth('jfk')), truthText(truth('voice-note'))]
const inputs = ['-i', fixture('jfk.wav'), '-i', fixture('voice-note.ogg')]
const mono = ['-ac', '1', '-ar', '16000', '-c:a', 'flac']
/** Both recordings as tracks of their own. */
const both = [...inputs, '-map', '0', '-map', '1', ...mono]
const make = (name: string, ...args: string[]) => makeAudio(system, name, args)
const titled = (first: string, second: string) => [
  ...['-metadata:s:a:0', `title=${first}`, '-metadata:s:a:1', `title=${second}`],
]
const inLanguages = ['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=ger']
const call = (audio: string, more: object, tool = 'transcribe_audio') => system.call(tool, { audio, ...more })

/** Plain words of each speaker, by name. */
function wordsBySpeaker(text: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, name, words] of text.matchAll(/^\[[\d:]+\] ([^:\n]+): (.*)$/gm))
    found[name!] = plainWords(`${found[name!] ?? ''} ${words}`)
  return found
}

describe('a recording with several tracks', () => {
  it('a silent first track does not win', async () => {
    const silence = lavfi('aevalsrc=0:s=16000:d=11')
    const args = [...silence, ...['-i', fixture('jfk.wav'), '-map', '0', '-map', '1', ...mono, '-shortest']]
    const { words, warnings } = await transcribe(system, await make('silent-first.mkv', ...args))
    expect(words).toBe(jfk)
    expect(warnings).toEqual([expect.stringMatching(/2 audio tracks\. Heard: 2\. Not heard.*1: silent\.$/)])
  })

  it('a very quiet track of 24 bits is heard, and the noise of one that is empty is not', async () => {
    const noise = lavfi('anoisesrc=r=16000:d=11:a=0.00003')
    const quiet = ['-filter_complex', '[1]volume=-75dB:precision=double[q]', '-map', '0', '-map', '[q]']
    const args = [...noise, '-i', fixture('jfk.wav'), ...quiet, '-c:a', 'pcm_s24le', '-shortest']
    const { words, warnings } = await transcribe(system, await make('quiet-second.mkv', ...args))
    expect(words).toBe(jfk)
    expect(warnings).toEqual([expect.stringMatching(/Heard: 2\. Not heard.*1: silent\.$/)])
  })

  it('a first track that cannot be decoded does not win', async () => {
    const file = await make('unknown.mkv', ...both)
    const bytes = await readFile(file)
    bytes.write('A_FLAX', bytes.indexOf('A_FLAC'))
    await writeFile(file, bytes)
    const { words, warnings } = await transcribe(system, file)
    expect(words).toBe(note)
    expect(warnings.join()).toContain('1: it cannot be decoded')
  })

  it.each(['transcribe_audio', 'diarize_audio'])(
    '%s hears a voice on each track, under its title',
    async tool => {
      const file = await make(`voices-${tool}.mkv`, ...both, ...titled('Desktop', 'Mic'))
      const { data } = await call(file, {}, tool)
      expect(wordsBySpeaker(data.text)).toEqual({ Desktop: jfk, Mic: note })
      expect(data.warnings).toEqual([
        'The file has 2 audio tracks. Heard: 1 (“Desktop”), 2 (“Mic”), each as one speaker.',
      ])
    },
  )

  it('a name that a user gives replaces the title of a track, and the title returns without it', async () => {
    const file = await make('renamed.mkv', ...both, ...titled('Desktop', 'Mic 2'))
    const { data } = await call(file, {})
    const rename = async (name: string) => {
      await system.call('update_transcript', { transcript_id: data.transcript_id, speakers: { S1: name } })
      return (await system.call('get_transcript', { transcript_id: data.transcript_id })).data.text
    }
    const [first] = Object.keys(wordsBySpeaker(data.text))
    expect(await rename('Ann')).toContain('Ann: ')
    expect(await rename('')).toContain(`${first}: `)
  })

  it('a track without text is retried with the tool that heard it', async () => {
    const off = system.dashscope.fault({
      kind: 'error',
      ...dashscopeErrors.dataInspectionFailed,
      when: ({ spokenText = '' }) => spokenText.includes('Greta'),
    })
    const { data } = await call(await make('partly.mkv', ...both, '-af', 'volume=0.9'), {})
    off()
    expect(data).toMatchObject({ status: 'partial', next_step: expect.stringContaining('transcribe_audio') })
    const later = await system.call('get_transcript', { transcript_id: data.transcript_id })
    expect(later.data.next_step).toMatch(/Repeat the same call /)
  })

  it('the same sound on two tracks is heard once', async () => {
    const { words, warnings } = await transcribe(
      system,
      await make('twice.mkv', '-i', fixture('jfk.wav'), '-map', '0', '-map', '0', ...mono),
    )
    expect(words).toBe(jfk)
    expect(warnings.join()).toContain('2: others hold the same sound')
  })

  it('a mix is heard instead of its parts, and with speakers the parts instead of it', async () => {
    const delayed = '[1]aresample=16000,adelay=11000[b];[0][b]amix=2,volume=2[m]'
    const maps = ['-map', '[m]', '-map', '0', '-map', '[b2]']
    const graph = `${delayed.replace('[b];', ',asplit[b][b2];')}`
    const file = await make('mix.mkv', ...inputs, '-filter_complex', graph, ...maps, ...mono)
    expect((await transcribe(system, file)).words).toBe(`${jfk} ${note}`)
    const { data } = await call(file, {}, 'diarize_audio')
    expect(wordsBySpeaker(data.text)).toEqual({ S1: jfk, S2: note })
  })
})

describe('a film in several languages', () => {
  let film: string
  beforeAll(async () => {
    film = await make('film.mkv', ...both, ...inLanguages)
  })

  it.each([
    ['its main language', {}, jfk],
    ['the language of the request', { language: 'German' }, note],
    ['a track by its number', { track: 2 }, note],
    ['a track by its language', { track: 'de' }, note],
  ])('is heard in one of them: %s', async (_, more, expected) => {
    const { data } = await call(film, { timestamps: 'none', ...more })
    expect(plainWords(data.text)).toBe(expected)
  })

  it('is heard in all of them if the call says so', async () => {
    const { data } = await call(film, { track: 'all' })
    expect(wordsBySpeaker(data.text)).toEqual({ S1: jfk, S2: note })
  })

  it('is refused with a list of its tracks where it has no such track', async () => {
    const { isError, text } = await call(film, { track: '3' })
    expect(isError).toBe(true)
    expect(text).toMatch(/^TRACK_NOT_FOUND: The file has these audio tracks: 1 \(English\), 2 \(German\)\./)
  })
})
