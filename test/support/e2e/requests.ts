// Orders to a system as tests place them: one that must be heard, one that must be refused, and files to order.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { testFfmpeg } from '../audio/ffmpeg.ts'
import { plainWords, type System } from './system.ts'

const run = promisify(execFile)

/** Lets ffmpeg make a file in the system's folder, from others there if need be; gives its path. */
export async function make(system: System, name: string, args: string[]): Promise<string> {
  const path = join(system.folder, name)
  await run(await testFfmpeg(), ['-v', 'error', '-y', ...args, path], { cwd: system.folder })
  return path
}

/** What ffmpeg makes up itself: noise, silence, pictures. */
export const lavfi = (source: string) => ['-f', 'lavfi', '-i', source]

export async function write(system: System, name: string, content: string | Buffer): Promise<string> {
  const path = join(system.folder, name)
  await writeFile(path, content)
  return path
}

/** An order that must succeed; `words` is its text on one line. */
export async function hear(system: System, audio: string) {
  const { data, text, isError } = await system.call('transcribe_audio', { audio, timestamps: 'none' })
  expect(isError, text).toBe(false)
  return { ...data, words: plainWords(data.text) }
}

/** An order that must be refused with this code, clearly, without a leak and without a request; gives the text. */
export async function refusal(system: System, audio: string, code: string): Promise<string> {
  const asked = system.standin.requests.length
  const { isError, text, data } = await system.call('transcribe_audio', { audio })
  expect({ isError, data, text }).toEqual({ isError: true, data: undefined, text: expect.any(String) })
  // A sentence that says what failed, and one that says what to do.
  expect(text).toMatch(new RegExp(`^${code}: \\p{L}[^\\n]+?\\. \\p{Lu}[^\\n]+\\.$`, 'u'))
  expect(text).not.toContain(system.standin.apiKey)
  // No words of ffmpeg or of the system, and no paths but those of the folders that are open.
  expect(text).not.toMatch(/@ 0x|Invalid data|whitelist|Error opening|ENOENT|EACCES|errno/)
  const open = system.env.SPEECH_ALLOWED_DIRS!.split(':')
  const strange = open.reduce((rest, folder) => rest.replaceAll(folder, '…'), text)
  expect(strange).not.toMatch(/(?:^|[\s"'`(])\/\w+/)
  expect(system.standin.requests.length).toBe(asked)
  return text
}

/** A WAV of 0.3 s in which nobody speaks: an order of it is quick and costs nothing. */
export function silentWav(): Buffer {
  const wav = Buffer.alloc(44 + 9_600)
  wav.write('RIFF____WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data', 'latin1')
  wav.writeUInt32LE(wav.length - 8, 4)
  wav.writeUInt32LE(9_600, 40)
  return wav
}

/** A good call shows that the server is still well. */
export async function answersStill(system: System): Promise<void> {
  const audio = await write(system, 'silence.wav', silentWav())
  const { data, text } = await system.call('transcribe_audio', { audio })
  expect(data, text).toMatchObject({ status: 'completed', text: '', duration: 0.3 })
}
