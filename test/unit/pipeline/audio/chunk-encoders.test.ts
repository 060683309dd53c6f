// The encoders that take one chunk after the other, against an encoder for each chunk.
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { type ChunkEncoders, createChunkEncoders } from '../../../../src/pipeline/audio/chunk-encoders.ts'
import { locateTestFfmpeg, testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { generator, rate } from '../../../support/audio/synthetic-speech.ts'
import { fixture, tempFolder } from '../../../support/e2e/system.ts'
import { samplesOf } from '../../../support/emulators/dashscope-client.ts'

const ffmpeg = await testFfmpeg()
const recording = Int16Array.from(samplesOf(ffmpeg, 'interview.mp3'), sample => 32_767 * sample)
/** Samples by which a decoder plays later. */
const delay = 1105

const ends: AbortController[] = []
const encoders = (
  locate = locateTestFfmpeg,
  maxQuietMs?: number,
  stop = new AbortController(),
): ChunkEncoders => {
  ends.push(stop)
  return createChunkEncoders(locate, stop.signal, maxQuietMs)
}

function decoded(audio: Buffer): Int16Array {
  const args = ['-v', 'error', '-f', 'mp3', '-i', 'pipe:0', '-f', 's16le', 'pipe:1']
  const { buffer, byteOffset, length } = execFileSync(ffmpeg, args, { input: audio, maxBuffer: 1e8 })
  return new Int16Array(buffer.slice(byteOffset, byteOffset + length))
}

/** Decibels of the sound above its distortion. */
function fidelity(samples: Int16Array, audio: Buffer): number {
  const played = decoded(audio)
  let [sound, distortion] = [0, 0]
  for (const [i, sample] of samples.entries()) {
    sound += sample ** 2
    distortion += (sample - (played[i + delay] ?? 0)) ** 2
  }
  return 10 * Math.log10(sound / distortion)
}

const folder = await tempFolder()

/** An ffmpeg that runs these lines of shell, with `$ffmpeg` for the real one. */
async function wrapped(name: string, script: string): Promise<string> {
  const path = join(folder.path, name)
  await writeFile(path, `#!/bin/sh\nffmpeg='${ffmpeg}'\n${script}\n`, { mode: 0o755 })
  return path
}

/** An ffmpeg that notes the id of each process. */
async function noted(name: string) {
  const ids = join(folder.path, `${name}.ids`)
  await writeFile(ids, '')
  const path = await wrapped(name, `echo $$ >> '${ids}'\nexec "$ffmpeg" "$@"`)
  const started = async () => (await readFile(ids, 'utf8')).split('\n').filter(Boolean).map(Number)
  return {
    locate: async () => ({ path }),
    started,
    living: async () => (await started()).filter(isAlive),
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

afterAll(async () => {
  for (const end of ends) end.abort()
  await folder.remove()
})

describe('an encoder of several chunks', () => {
  it('gives each chunk the length and, within a decibel, the sound of an encoder of its own', async () => {
    const shared = encoders()
    for (const [start, seconds] of [
      [0, 7.3],
      [8, 0.41],
      [9, 21.777],
    ] as const) {
      const chunk = recording.subarray(start * rate, Math.round((start + seconds) * rate))
      const audio = await shared.encode(chunk, rate)
      const own = await encoders().encode(chunk, rate)
      expect(audio.length, `${seconds} s`).toBe(own.length)
      expect(Math.abs(fidelity(chunk, audio) - fidelity(chunk, own)), `${seconds} s`).toBeLessThan(1)
    }
  })

  it('lets no chunk be heard in the next one', async () => {
    const shared = encoders()
    const random = generator(1)
    await shared.encode(
      Int16Array.from({ length: 2 * rate }, () => 40_000 * (random() - 0.5)),
      rate,
    )
    const silence = decoded(await shared.encode(new Int16Array(rate), rate))
    expect(silence.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)).toBeLessThanOrEqual(1)
  })

  it('fills a short chunk up with silence', async () => {
    const played = decoded(await encoders().encode(recording.subarray(0, 100), 2 * rate))
    expect(played.length).toBeGreaterThanOrEqual(2 * rate)
  })

  it('takes noise whose bytes look like MP3 for the samples it is', async () => {
    const { buffer, byteOffset } = await readFile(fixture('interview.mp3'))
    const noise = new Int16Array(buffer.slice(byteOffset, byteOffset + 8 * rate))
    // Other sound would be at least as loud as the noise.
    expect(fidelity(noise, await encoders().encode(noise, rate))).toBeGreaterThan(1)
  })

  it('takes chunks at once, and others after its release', async () => {
    const shared = encoders()
    shared.prepare()
    const chunks = [recording.subarray(0, 3 * rate), recording.subarray(3 * rate, 9 * rate)]
    const audio = await Promise.all(chunks.map(chunk => shared.encode(chunk, rate)))
    shared.release()
    for (const [i, chunk] of chunks.entries())
      expect((await shared.encode(chunk, rate)).equals(audio[i]!), `chunk ${i}`).toBe(true)
  })

  it('gives samples back while it encodes, and the memory of MP3 to the next chunk', async () => {
    const [shared, own] = [encoders(), encoders()]
    for (const start of [0, 8]) {
      const samples = recording.subarray(start * rate, (start + 27) * rate)
      const expected = await own.encode(samples, rate)
      const given = samples.slice()
      let taken = 0
      const audio = await shared.encode(given, rate, count => {
        given.fill(0, taken, count)
        taken = count
      })
      expect(taken).toBeGreaterThan(0)
      expect(taken).toBeLessThan(given.length)
      expect(audio.equals(expected), `from ${start} s`).toBe(true)
      shared.reuse(audio)
    }
    const [first, second] = [await shared.encode(recording, rate), await shared.encode(recording, rate)]
    expect(first.buffer).not.toBe(second.buffer)
  })

  it.skipIf(process.platform === 'win32')(
    'gets everything from an ffmpeg that holds its output back',
    async () => {
      const path = await wrapped('holding', '"$ffmpeg" "$@" | dd bs=16M iflag=fullblock 2>/dev/null')
      const slow = encoders(async () => ({ path }), 100)
      for (const start of [0, 5]) {
        const chunk = recording.subarray(start * rate, (start + 5) * rate)
        expect((await slow.encode(chunk, rate)).length).toBe((await encoders().encode(chunk, rate)).length)
      }
    },
  )

  it('reports a program that ends without sound', async () => {
    const ending = async () => ({ path: process.execPath })
    await expect(encoders(ending).encode(recording, rate)).rejects.toMatchObject({ code: 'FFMPEG_FAILED' })
  })
})

describe.skipIf(process.platform === 'win32')('the processes of encoders', () => {
  const second = recording.subarray(0, rate)

  it('end with their release, also where it comes before they have started', async () => {
    const { locate, started, living } = await noted('released')
    const [used, prepared, late] = [encoders(locate), encoders(locate), encoders(locate)]
    await used.encode(second, rate)
    expect(await living()).toHaveLength(1)
    prepared.prepare()
    for (const each of [used, prepared, late]) each.release()
    late.prepare()
    await vi.waitFor(async () => expect(await living()).toEqual([]))
    await used.encode(second, rate)
    await vi.waitFor(async () => expect(await living()).toEqual([]))
    expect((await started()).length).toBeLessThanOrEqual(3)
  })

  it('of recordings that were given up leave the place to others', async () => {
    const { locate, started } = await noted('given up')
    const living = encoders(locate)
    await living.encode(second, rate)
    for (let i = 0; i < 4; i++) {
      const stop = new AbortController()
      const given = encoders(locate, undefined, stop)
      given.prepare()
      await vi.waitFor(async () => expect(await started()).toHaveLength(i + 2))
      stop.abort()
    }
    await living.encode(second, rate)
    expect(await started()).toHaveLength(5)
  })

  it('end when the signal comes during a chunk', async () => {
    const { locate, started, living } = await noted('aborted')
    const stop = new AbortController()
    const encoding = encoders(locate, undefined, stop).encode(recording, rate)
    encoding.catch(() => {})
    await vi.waitFor(async () => expect(await started()).toHaveLength(1))
    stop.abort(new Error('enough'))
    await expect(encoding).rejects.toThrow()
    await vi.waitFor(async () => expect(await living()).toEqual([]))
  })

  it('are replaced where the system has ended one that waited', async () => {
    const { locate, started } = await noted('killed')
    const shared = encoders(locate)
    const audio = await shared.encode(second, rate)
    process.kill((await started())[0]!, 'SIGKILL')
    expect((await shared.encode(second, rate)).equals(audio)).toBe(true)
  })

  it('say that the same call goes on, where the system has ended one in the midst of a chunk', async () => {
    const { locate, started } = await noted('lost')
    const shared = encoders(locate)
    await shared.encode(second, rate)
    const long = new Int16Array(60 * rate)
    const end = () => process.kill(pid, 'SIGKILL')
    const [pid] = (await started()) as [number]
    await expect(shared.encode(long, rate, end)).rejects.toMatchObject({
      code: 'FFMPEG_FAILED',
      retryable: true,
    })
  })

  it('are prepared once for a recording, however often that is asked for', async () => {
    const { locate, started } = await noted('prepared')
    const shared = encoders(locate, 60_000)
    const asking = setInterval(shared.prepare, 1)
    shared.prepare()
    const chunks = [0, 1, 2].map(start => recording.subarray(start * rate, (start + 30) * rate))
    await Promise.all(chunks.slice(0, 2).map(chunk => shared.encode(chunk, rate)))
    await shared.encode(chunks[2]!, rate)
    clearInterval(asking)
    expect((await started()).length).toBe(2)
  })

  it('are few while many recordings are decoded', async () => {
    const { locate, started, living } = await noted('decoding')
    for (let i = 0; i < 6; i++) encoders(locate).prepare()
    await vi.waitFor(async () => expect(await started()).toHaveLength(6))
    await vi.waitFor(async () => expect((await living()).length).toBeLessThanOrEqual(4))
  })

  it('are few while many recordings wait', async () => {
    const { locate, living } = await noted('many')
    for (let i = 0; i < 6; i++) await encoders(locate).encode(second, rate)
    await vi.waitFor(async () => expect((await living()).length).toBeLessThanOrEqual(4))
  })
})
