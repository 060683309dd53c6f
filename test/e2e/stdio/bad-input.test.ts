// Invalid input gets a clear error, and the server keeps running.
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, truncate } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  expectRefusal,
  expectStillRunning,
  lavfi,
  makeAudio,
  transcribe,
  writeInput,
} from '../../support/e2e/requests.ts'
import { fixture, type System, startSystem, truth, truthText } from '../../support/e2e/system.ts'

let system: System

beforeAll(async () => {
  system = await startSystem()
})
afterEach(() => expectStillRunning(system))
afterAll(() => system.close())

const pathOf = (name: string) => join(system.folder, name)
const voiceNote = truthText(truth('voice-note'))

describe('input that is not a recording', () => {
  it('a missing file is refused', async () => {
    const text = await expectRefusal(system, pathOf('nothing.mp3'), 'FILE_NOT_FOUND')
    expect(text).toContain('full path')
    expect(text).toContain('find_recordings lists')
  })

  it('a folder without recordings is refused', async () => {
    await mkdir(pathOf('folder.mp3'))
    await expectRefusal(system, pathOf('folder.mp3'), 'FILE_NOT_FOUND')
  })

  it('an empty file is refused', async () => {
    await expectRefusal(system, await writeInput(system, 'empty.mp3', ''), 'EMPTY_FILE')
  })

  const text = 'It was the best of times, it was the worst of times.\n'.repeat(500)
  const subtitles = '1\n00:00:01,000 --> 00:00:02,000\nIt was the best of times.\n\n'.repeat(50)
  it.each([
    ['text', 'txt', () => text],
    ['subtitles', 'srt', () => subtitles],
    ['subtitles for the web', 'vtt', () => `WEBVTT\n\n${subtitles.replaceAll(',', '.')}`],
    ['a web page', 'html', () => `<!doctype html><title>Times</title>${text}`],
    ['JSON', 'json', () => JSON.stringify({ text })],
    ['zero bytes', 'bin', () => Buffer.alloc(100_000)],
    ['a single byte', 'bin', () => 'x'],
    ['a PDF', 'pdf', () => `%PDF-1.7\n${text}`],
    ['a zip', 'zip', () => Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.from(text)])],
    ['a program', 'exe', () => readFile(process.execPath).then(program => program.subarray(0, 200_000))],
  ])('%s is refused, also with the extension .mp3', async (_, extension, content) => {
    const bytes = await content()
    await expectRefusal(system, await writeInput(system, `a.${extension}`, bytes), 'NOT_AUDIO')
    await expectRefusal(system, await writeInput(system, 'b.mp3', bytes), 'NOT_AUDIO')
  })

  it('a file of random bytes is refused', async () => {
    const random = createHash('shake256', { outputLength: 100_000 }).digest()
    await expectRefusal(system, await writeInput(system, 'random.mp3', random), 'NOT_AUDIO')
  })

  it.each(['png', 'jpg', 'gif', 'bmp'])(
    'a picture (%s) is refused, also with the extension .mp3',
    async extension => {
      const picture = await makeAudio(system, `picture.${extension}`, [...lavfi('testsrc'), '-frames:v', '1'])
      await copyFile(picture, pathOf('picture.mp3'))
      await expectRefusal(system, picture, 'N(?:OT_AUDIO|O_AUDIO_TRACK)')
      await expectRefusal(system, pathOf('picture.mp3'), 'N(?:OT_AUDIO|O_AUDIO_TRACK)')
    },
  )

  it('a video without sound is refused', async () => {
    const mute = await makeAudio(system, 'mute.mp4', ['-i', fixture('clip.mp4'), '-c', 'copy', '-an'])
    await expectRefusal(system, mute, 'NO_AUDIO_TRACK')
  })

  it('an MP4 without its index is refused', async () => {
    const film = await makeAudio(system, 'film.mp4', ['-i', fixture('clip.mp4'), '-c', 'copy'])
    await truncate(film, 60_000)
    expect(await expectRefusal(system, film, 'NOT_AUDIO')).toContain('index')
  })
})

describe('a playlist disguised as a recording', () => {
  const hls = (target: string) =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${target}\n#EXT-X-ENDLIST\n`
  const dash = (target: string) =>
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S"><Period><AdaptationSet><Representation id="1"><BaseURL>${target}</BaseURL></Representation></AdaptationSet></Period></MPD>`
  const sdp = (port: number) =>
    `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=talk\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio ${port} RTP/AVP 0\n`

  const bait = createServer((request, response) => {
    visits.push(request.url!)
    response.end()
  })
  const visits: string[] = []
  const url = () => `http://127.0.0.1:${(bait.address() as AddressInfo).port}/talk.mp3`
  beforeAll(() => void bait.listen(0, '127.0.0.1'))
  afterAll(() => void bait.close())

  it.each([
    ['HLS that names a file', 'm3u8', () => hls(fixture('interview.mp3'))],
    ['HLS that names an address', 'm3u8', () => hls(url())],
    [
      'ffconcat that names an open file',
      'ffconcat',
      () => `ffconcat version 1.0\nfile ${fixture('jfk.wav')}\n`,
    ],
    ['ffconcat that names a closed file', 'ffconcat', () => 'ffconcat version 1.0\nfile /etc/passwd\n'],
    ['ffconcat that names an address', 'ffconcat', () => `ffconcat version 1.0\nfile ${url()}\n`],
    ['DASH that names a file', 'mpd', () => dash(`file://${fixture('jfk.wav')}`)],
    ['DASH that names an address', 'mpd', () => dash(url())],
    ['SDP', 'sdp', () => sdp(Number(new URL(url()).port))],
  ])('a playlist (%s) is refused and not followed', async (_, extension, content) => {
    for (const name of [`list.${extension}`, 'list.mp3', 'list.wav'])
      await expectRefusal(system, await writeInput(system, name, content()), '(?:PLAYLIST_REFUSED|NOT_AUDIO)')
    expect(visits).toEqual([])
  })

  it('a broken file is not mistaken for a playlist', async () => {
    await expectRefusal(
      system,
      await writeInput(system, 'talk.mp3', hls(fixture('jfk.wav'))),
      'PLAYLIST_REFUSED',
    )
  })
})

describe('a data: URI', () => {
  const uri = (bytes: Buffer, head = 'data:audio/ogg;base64,') => head + bytes.toString('base64')

  it('a voice note as data: URI is transcribed', async () => {
    const bytes = await readFile(fixture('voice-note.ogg'))
    expect((await transcribe(system, uri(bytes))).words).toBe(voiceNote)
    expect(
      (await transcribe(system, ` ${uri(bytes, 'DATA:;base64,').replace(/(.{76})/g, '$1\n')}`)).words,
    ).toBe(voiceNote)
  })

  it.each([
    ['that holds other characters', 'data:audio/ogg;base64,$$$$', 'BAD_INPUT'],
    ['that is not base64', 'data:audio/ogg,T2dnUw', 'BAD_INPUT'],
    ['that holds nothing', 'data:audio/ogg;base64,', 'BAD_INPUT'],
    ['without a comma', 'data:audio/ogg;base64', 'BAD_INPUT'],
    ['that is no recording', 'data:audio/ogg;base64,SGVsbG8gd29ybGQhIEhlbGxvIHdvcmxkIQ==', 'NOT_AUDIO'],
    ['that is too large', `data:audio/ogg;base64,${'A'.repeat(1_500_000)}`, 'TOO_LARGE'],
  ])('the data: URI %s is refused', async (_, audio, code) => {
    await expectRefusal(system, audio, code)
  })
})
