// Requests of tests to a system: transcriptions that must succeed or fail, and input files for them.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { makeAudio as makeFile } from '../audio/make-audio.ts'
import { plainWords, type System } from './system.ts'

/** Creates a file in the system's folder with ffmpeg; returns its path. */
export function makeAudio(system: System, name: string, args: string[]): Promise<string> {
  return makeFile(system.folder, name, args)
}

/** Arguments for a source that ffmpeg generates: noise, silence, pictures. */
export const lavfi = (source: string) => ['-f', 'lavfi', '-i', source]

export async function writeInput(system: System, name: string, content: string | Buffer): Promise<string> {
  const path = join(system.folder, name)
  await writeFile(path, content)
  return path
}

/** Transcribes a recording, which must succeed; `words` is its text on one line. */
export async function transcribe(system: System, audio: string) {
  const { data, text, isError } = await system.call('transcribe_audio', { audio, timestamps: 'none' })
  expect(isError, text).toBe(false)
  return { ...data, words: plainWords(data.text) }
}

/** Expects a refusal with this code, with a clear message, without leaks and without a request; returns the text without the given path. */
export async function expectRefusal(system: System, audio: string, code: string): Promise<string> {
  const asked = system.dashscope.requests.length
  const { isError, text, data } = await system.call('transcribe_audio', { audio })
  expect({ isError, data, text }).toEqual({ isError: true, data: undefined, text: expect.any(String) })
  // One sentence says what failed, another one what to do.
  expect(text).toMatch(new RegExp(`^${code}: \\p{L}[^\\n]+?\\. \\p{Lu}[^\\n]+\\.$`, 'u'))
  expect(text).not.toContain(system.dashscope.apiKey)
  // No messages of ffmpeg or the system, and no paths except the given one and allowed folders.
  expect(text).not.toMatch(/@ 0x|Invalid data|whitelist|Error opening|ENOENT|EACCES|errno/)
  const open = system.env.SPEECH_ALLOWED_DIRS!.split(':')
  const said = text.replace(/ Given: ".*"\.$/, '')
  const strange = open.reduce((rest, folder) => rest.replaceAll(folder, '…'), said)
  expect(strange).not.toMatch(/(?:^|[\s"'`(])\/\w+/)
  expect(system.dashscope.requests.length).toBe(asked)
  return said
}

/** A WAV of 0.3 s of silence: transcribing it is fast and free. */
export function silentWav(): Buffer {
  const wav = Buffer.alloc(44 + 9_600)
  wav.write('RIFF____WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data', 'latin1')
  wav.writeUInt32LE(wav.length - 8, 4)
  wav.writeUInt32LE(9_600, 40)
  return wav
}

/** Expects that the server still answers a valid call. */
export async function expectStillRunning(system: System): Promise<void> {
  const audio = await writeInput(system, 'silence.wav', silentWav())
  const { data, text } = await system.call('transcribe_audio', { audio })
  expect(data, text).toMatchObject({ status: 'completed', text: '', duration: 0.3 })
}
