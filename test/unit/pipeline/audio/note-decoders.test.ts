// A decoder that waited for its file brings what a new one brings.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { isSpeechError } from '../../../../src/domain/errors.ts'
import type { Run } from '../../../../src/domain/run.ts'
import { decode } from '../../../../src/pipeline/audio/decode.ts'
import { type Ffmpeg, type NoteDecoders, readAll } from '../../../../src/pipeline/audio/ffmpeg.ts'
import { createNoteDecoders } from '../../../../src/pipeline/audio/note-decoders.ts'
import { openSource, type SourcePorts } from '../../../../src/pipeline/source/source.ts'
import { isAlive } from '../../../../src/system/processes.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { waitingDecodersOf } from '../../../support/e2e/processes.ts'
import { fixture, type TempFolder, tempFolder } from '../../../support/e2e/system.ts'

let folder: TempFolder
let ffmpeg: string

beforeAll(async () => {
  folder = await tempFolder()
  ffmpeg = await testFfmpeg()
})
afterAll(() => folder.remove())

async function recording(name: string, settings: string[]): Promise<string> {
  const file = join(folder.path, name)
  execFileSync(ffmpeg, ['-nostdin', '-v', 'error', '-y', '-i', fixture('voice-note.ogg'), ...settings, file])
  return file
}

/** Ids of the decoders of this process that wait. */
const waiting = () => waitingDecodersOf(process.pid)

const links = () => join(folder.path, 'links')

/** All that is known of a recording, or the code of its error. */
async function decoded(file: string, noteDecoders?: NoteDecoders) {
  const warnings: string[] = []
  const { signal } = new AbortController()
  const run = { signal, warn: (text: string) => warnings.push(text) } as unknown as Run
  const source = await openSource({ audio: file }, {} as SourcePorts, run)
  const found: Ffmpeg = { path: ffmpeg, ...(noteDecoders && { noteDecoders }) }
  const decoding = decode(source, async () => found, run, { voiceNote: true })
  try {
    const samples = await readAll(decoding.samples)
    const [header, seconds, lost] = [decoding.headerSeconds(), decoding.decodedSeconds(), decoding.lost()]
    // Addresses, times and the path of the file differ.
    const description = decoding
      .description()
      .replace(/@ 0x[\da-f]+/g, '')
      .replace(/file:\S*?(?=['):])/g, '')
      .replace(/^size=.*|^\[graph_.*|^.*auto-inserting.*|.*Statistics.*\n|\d+ seeks.*/gm, '')
    const note = await decoding.voiceNote()
    return {
      samples: samples.toString('base64'),
      note: note?.toString('base64'),
      header,
      seconds,
      lost,
      description,
      warnings,
    }
  } catch (error) {
    return { code: isSpeechError(error) ? error.code : error, warnings }
  }
}

describe.runIf(process.platform === 'linux')('a decoder that waited', () => {
  it.each([
    ['a voice note', 'note.ogg', []],
    ['a voice note of a phone', 'note.m4a', ['-c:a', 'aac']],
    ['a stereo recording', 'note.mp3', ['-ac', '2', '-c:a', 'libmp3lame']],
    ['a WAV file', 'note.wav', []],
    ['a film', 'note.mkv', ['-f', 'lavfi', '-i', 'color=s=16x16:d=2', '-c:v', 'mpeg4']],
  ])('brings the same of %s as a new one', async (_, name, settings) => {
    const file =
      settings.length > 0 || name === 'note.wav' ? await recording(name, settings) : fixture('voice-note.ogg')
    const decoders = createNoteDecoders(links())
    onTestFinished(decoders.close)
    decoders.keepReady({ path: ffmpeg }, 'note.ogg')
    // The next one waits for such a file.
    const expected = await decoded(file, decoders)
    expect(expected).toEqual(await decoded(file))
    await vi.waitFor(() => expect(waiting()).toHaveLength(1))
    const [pid] = waiting()
    expect(await decoded(file, decoders)).toEqual(expected)
    await vi.waitFor(() => expect(isAlive(pid!)).toBe(false))
  })

  it('gives the same error of a file that is no recording', async () => {
    const file = join(folder.path, 'text.ogg')
    await writeFile(file, 'This is text, and no sound.\n'.repeat(99))
    const decoders = createNoteDecoders(links())
    onTestFinished(decoders.close)
    decoders.keepReady({ path: ffmpeg }, 'note.ogg')
    expect(await decoded(file, decoders)).toEqual({ code: 'NOT_AUDIO', warnings: [] })
    expect(await decoded(file)).toEqual({ code: 'NOT_AUDIO', warnings: [] })
  })

  it('leaves no link, and ends with the others', async () => {
    const decoders = createNoteDecoders(links())
    const file = join(folder.path, 'copy.ogg')
    await copyFile(fixture('voice-note.ogg'), file)
    decoders.keepReady({ path: ffmpeg }, 'note.ogg')
    await vi.waitFor(() => expect(waiting()).toHaveLength(1))
    const [pid] = waiting()
    expect(await decoded(file, decoders)).toMatchObject({ warnings: [] })
    await vi.waitFor(() => expect(readdirSync(links())).toEqual([]))
    await vi.waitFor(() => expect(waiting()).not.toContain(pid))
    decoders.close()
    await vi.waitFor(() => expect(waiting()).toEqual([]))
  })

  it.each([
    ['was asked to end', (pid: number) => process.kill(pid, 'SIGTERM')],
    ['has just been ended', (pid: number) => process.kill(pid, 'SIGKILL')],
  ])('that %s is replaced by a new one', async (_, end) => {
    const decoders = createNoteDecoders(links())
    onTestFinished(decoders.close)
    decoders.keepReady({ path: ffmpeg }, 'note.ogg')
    await vi.waitFor(() => expect(waiting()).toHaveLength(1))
    end(waiting()[0]!)
    expect(await decoded(fixture('voice-note.ogg'), decoders)).toEqual(
      await decoded(fixture('voice-note.ogg')),
    )
    await vi.waitFor(() => expect(waiting()).toHaveLength(1))
  })

  it('that cannot follow the link is replaced by a new one, and in the end none waits', async () => {
    const decoders = createNoteDecoders(links())
    onTestFinished(decoders.close)
    decoders.keepReady({ path: ffmpeg }, 'note.ogg')
    const [note, expected] = [fixture('voice-note.ogg'), await decoded(fixture('voice-note.ogg'))]
    const file = join(folder.path, 'missing.ogg')
    // As where a system forbids it.
    const hidden: NoteDecoders = {
      ...decoders,
      take: (found, { argumentsFor }, signal) => decoders.take(found, { file, argumentsFor }, signal),
    }
    for (let i = 0; i < 3; i++) {
      await vi.waitFor(() => expect(waiting()).toHaveLength(1))
      expect(await decoded(note, hidden)).toEqual(expected)
    }
    await vi.waitFor(() => expect(waiting()).toEqual([]))
  })

  it('is not used where no link can be made', async () => {
    const file = join(folder.path, 'file')
    await writeFile(file, '')
    const decoders = createNoteDecoders(join(file, 'links'))
    onTestFinished(decoders.close)
    decoders.keepReady({ path: ffmpeg }, 'note.ogg')
    await vi.waitFor(() => expect(waiting()).toHaveLength(1))
    expect(await decoded(fixture('voice-note.ogg'), decoders)).toEqual(
      await decoded(fixture('voice-note.ogg')),
    )
    await vi.waitFor(() => expect(waiting()).toEqual([]))
  })

  it('is not started for a wrapper, which may choose by the name of the file', async () => {
    const wrapper = join(folder.path, 'ffmpeg-wrapper')
    await writeFile(wrapper, `#!/bin/sh\nexec '${ffmpeg}' "$@"\n`, { mode: 0o755 })
    const decoders = createNoteDecoders(links())
    onTestFinished(decoders.close)
    decoders.keepReady({ path: wrapper }, 'note.ogg')
    expect(waiting()).toEqual([])
  })
})
