// A voice as a player sounds it, in a file without a clock: the clock is no cause of how this control is heard.
import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Voice } from './build.ts'
import { writeMatroska } from './matroska.ts'

const rate = 16_000
const raw = ['-f', 's16le', '-ac', '1', '-ar', String(rate)]

/** Writes a WAV file of so many seconds: the packets of the voice, decoded without a gap and laid out at their times. */
export async function writeControl(
  voice: Voice,
  seconds: number,
  file: string,
  ffmpeg: string,
): Promise<void> {
  let end = 0
  const packets = voice.packets.map(packet => {
    const time = end
    end += packet.end - packet.time
    return { ...packet, time, end }
  })
  const whole = `${file}.mkv`
  await writeFile(whole, writeMatroska([{ entry: voice.entry, packets }], { seconds: end }))
  const run = (...args: string[]) =>
    promisify(execFile)(ffmpeg, ['-v', 'error', '-y', ...args], { encoding: 'buffer', maxBuffer: 2 ** 28 })
  const filled = ['-af', 'aresample=async=1:first_pts=0']
  const decode = (...decoder: string[]) =>
    run('-nostdin', ...decoder, '-i', whole, ...filled, ...raw, 'pipe:1')
  // That of ffmpeg 7 itself plays wideband Speex to twice its length.
  const isSpeex = voice.entry.includes('Speex   ')
  const { stdout: decoded } = isSpeex
    ? await decode('-c:a', 'libspeex').catch(() => decode())
    : await decode()
  const samples = Buffer.alloc(bytesOf(seconds))
  for (const [i, { time }] of voice.packets.entries())
    decoded.copy(samples, bytesOf(time), bytesOf(packets[i]!.time), bytesOf(packets[i]!.end))
  const made = run(...raw, '-i', 'pipe:0', file)
  made.child.stdin!.end(samples)
  await made
  await rm(whole)
}

/** Whole milliseconds, so that packets which follow each other do so here, too. */
function bytesOf(seconds: number): number {
  return (2 * rate * Math.max(0, Math.round(seconds * 1000))) / 1000
}
