// Mutated recordings of many containers through transcribe_audio, over one server.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fixture } from '../../test/support/e2e/system.ts'
import { callTool } from '../core/call.ts'
import type { Door } from '../core/door.ts'
import { mutations } from '../core/mutate.ts'
import { startProvider } from '../core/provider.ts'
import type { Round, Trial } from '../core/round.ts'
import { openStdio } from '../core/stdio.ts'

/** Calls that are in flight at once: as many voice notes as the server takes side by side. */
const abreast = 4
const warmUpTries = 200
const waitSeconds = 3

/** File ending and codec of each container; ffmpeg makes all of them from the same two seconds. */
const containers: [ending: string, ...codec: string[]][] = [
  ['wav'],
  ['float.wav', '-c:a', 'pcm_f32le'],
  ['alaw.wav', '-c:a', 'pcm_alaw'],
  ['w64'],
  ['aiff'],
  ['au'],
  ['caf'],
  ['flac'],
  ['mp3', '-b:a', '32k'],
  ['aac'],
  ['m4a', '-c:a', 'aac'],
  ['mov', '-c:a', 'aac'],
  ['ogg', '-c:a', 'libopus'],
  ['vorbis.ogg', '-c:a', 'libvorbis'],
  ['webm', '-c:a', 'libopus'],
  ['mka', '-c:a', 'flac'],
  ['avi', '-c:a', 'pcm_s16le'],
  ['ts', '-c:a', 'mp2'],
]

interface Original {
  ending: string
  bytes: Buffer
}

export const recordings: Round = {
  name: 'recordings',
  summary: 'mutated recordings of 20 containers through transcribe_audio (2,000; quick: 120)',
  async run(trial) {
    const provider = await startProvider()
    const home = trial.home('home', { provider: provider.url })
    const originals = makeOriginals(trial)
    const door = await openStdio({ env: home.env })
    const size = trial.size(2000, 120)
    const warmUp = Math.min(warmUpTries, size / 2)
    for (let i = 0; i < size; i += abreast) {
      const tries = Array.from({ length: abreast }, (_, k) => mutated(trial, originals, i + k, home.folder))
      await Promise.all(tries.map(one => tryRecording(trial, door, one)))
      if (i <= warmUp && i + abreast > warmUp) trial.tally.warmedUp(door)
      if (door.ended() !== undefined) break
    }
    await trial.tally.compare(door, home)
    await trial.tally.end(door)
    await provider.close()
  },
}

/** A container that this ffmpeg cannot write is left out. */
function makeOriginals({ ffmpeg, folder, tally }: Trial): Original[] {
  const made = containers.flatMap(([ending, ...codec]) => {
    const file = join(folder, `original.${ending}`)
    const args = ['-nostdin', '-v', 'error', '-y', '-i', fixture('jfk.wav'), '-t', '2', ...codec, file]
    try {
      execFileSync(ffmpeg, args, { stdio: 'ignore' })
      return [{ ending, bytes: readFileSync(file) }]
    } catch {
      tally.note(`without ${ending}, which this ffmpeg does not write`)
      return []
    }
  })
  const fixtures = ['voice-note.ogg', 'clip.mp4'].map(name => ({
    ending: name,
    bytes: readFileSync(fixture(name)),
  }))
  return [...made, ...fixtures]
}

interface Mutated {
  name: string
  file: string
  bytes: Buffer
}

function mutated({ random }: Trial, originals: Original[], i: number, folder: string): Mutated {
  const original = random.pick(originals)
  const [how, mutate] = random.pick(Object.entries(mutations))
  const bytes = mutate(original.bytes, random, random.pick(originals).bytes)
  return {
    name: `try ${i}, ${original.ending}, ${how}`,
    file: join(folder, `${i}.${original.ending}`),
    bytes,
  }
}

/** A job that is still running is cancelled, so that it is not counted as left over. */
async function tryRecording({ tally }: Trial, door: Door, { name, file, bytes }: Mutated): Promise<void> {
  await tally.attempt(name, async () => {
    await writeFile(file, bytes)
    const { fault, isError, text, data } = await callTool(
      door,
      'transcribe_audio',
      { audio: file, wait_seconds: waitSeconds },
      tally,
    )
    if (fault) return fault
    if (isError && !/^[A-Z_]+: /.test(text)) return `an error without a code: ${text.slice(0, 200)}`
    if (data.status === 'running')
      await callTool(door, 'cancel_transcription', { transcript_id: data.transcript_id })
    return undefined
  })
  await rm(file, { force: true })
}
