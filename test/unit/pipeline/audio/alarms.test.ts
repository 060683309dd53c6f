// Warnings about a recording: none where nothing is missing, one where something is.
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { type Heard, hear, toneSamples } from '../../../support/audio/hear.ts'
import { timedMatroska } from '../../../support/audio/timed-matroska.ts'
import { fixture, type TempFolder, tempFolder } from '../../../support/e2e/system.ts'

const seconds = 4
const pcm = Buffer.from(toneSamples(seconds).buffer)

let folder: TempFolder
let encoded: (...args: string[]) => Buffer
let mp3: Buffer
let ogg: Buffer

beforeAll(async () => {
  folder = await tempFolder()
  const encoder = await testFfmpeg()
  const wave = join(folder.path, 'whole.wav')
  await writeFile(wave, wav(pcm.length))
  encoded = (...args) => execFileSync(encoder, ['-v', 'error', '-i', wave, ...args, '-'], { maxBuffer: 1e7 })
  mp3 = encoded('-b:a', '64k', '-f', 'mp3')
  ogg = encoded('-c:a', 'libopus', '-f', 'ogg')
})
afterAll(() => folder.remove())

/** A WAV with this length in its header, and a chunk behind its samples. */
function wav(length: number, behind: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.from('RIFF    WAVEfmt                     data    ', 'latin1')
  head.writeUInt32LE(Math.min(36 + length, 0xffff_ffff), 4)
  for (const [at, value] of [
    [16, 16],
    [20, 0x0001_0001],
    [24, 16_000],
    [28, 32_000],
    [32, 0x0010_0002],
    [40, length],
  ] as const)
    head.writeUInt32LE(value, at)
  return Buffer.concat([head, pcm, behind])
}

function caf(length: bigint): Buffer {
  const head = Buffer.alloc(68)
  head.write('caff\0\x01\0\0desc', 'latin1')
  head.writeBigInt64BE(32n, 12)
  head.writeDoubleBE(16_000, 20)
  head.write('lpcm', 28)
  for (const [i, value] of [2, 2, 1, 1, 16].entries()) head.writeUInt32BE(value, 32 + 4 * i)
  head.write('data', 52)
  head.writeBigInt64BE(length, 56)
  return Buffer.concat([head, pcm])
}

const list = Buffer.concat([Buffer.from('LIST\xd0\x07\0\0INFO', 'latin1'), Buffer.alloc(1_996, 'x')])
/** A last sample, and without padding behind it a chunk of many bytes. */
const odd = Buffer.concat([Buffer.from('xLIST\xa0\x86\x01\0INFO', 'latin1'), Buffer.alloc(99_996, 'x')])
const tag = (length: number) =>
  Buffer.concat([
    Buffer.from([
      ...Buffer.from('ID3'),
      4,
      0,
      0,
      length >> 21,
      (length >> 14) & 127,
      (length >> 7) & 127,
      length & 127,
    ]),
    Buffer.alloc(length),
  ])

async function heard(name: string, bytes: Buffer): Promise<Heard> {
  const file = join(folder.path, name.replaceAll(/\W+/g, '-'))
  await writeFile(file, bytes)
  return hear(file)
}

describe('a recording that is whole', () => {
  it.each<[string, () => Buffer, number?]>([
    ['WAV from a pipe, length 0', () => wav(0)],
    ['WAV from a pipe, length 0xFFFFFFFF', () => wav(0xffff_ffff)],
    ['WAV from a pipe, length 0x7FFFFFFF', () => wav(0x7fff_ffff)],
    ['WAV from a pipe, length 0x7FFFF000', () => wav(0x7fff_f000)],
    ['WAV with a chunk behind its samples', () => wav(pcm.length, list)],
    ['WAV with a chunk that is cut off behind its samples', () => wav(pcm.length, list.subarray(0, 1_500))],
    ['WAV with a tag behind its samples', () => wav(pcm.length, Buffer.from(`TAG${'x'.repeat(1_250)}`))],
    ['WAV with a chunk behind an odd number of bytes', () => wav(pcm.length + 1, odd)],
    ['WAV with an odd byte at its end', () => wav(pcm.length + 1, Buffer.from([1]))],
    ['WAV whose header tells too little', () => wav(pcm.length / 4)],
    ['WAV whose counter went round', () => wav(65_536)],
    ['CAF of unknown length', () => caf(-1n)],
    [
      'joined MP3',
      () => Buffer.concat([mp3, tag(3_000), mp3, Buffer.from('TAG'), Buffer.alloc(125), mp3]),
      3 * seconds,
    ],
    ['MP3 behind three tags', () => Buffer.concat([tag(300), tag(300), tag(2_000_000), mp3])],
    ['Ogg without an end mark', () => ogg.subarray(0, ogg.lastIndexOf('OggS')), 3.5],
    ['live Matroska', () => timedMatroska([{ time: 0, samples: toneSamples(seconds) }])],
    [
      'MPEG-TS with a second track that is longer',
      () => {
        const second = ['-f', 'lavfi', '-i', `anoisesrc=d=${2 * seconds}`, '-map', '0', '-map', '1']
        return encoded(...second, '-c:a', 'mp2', '-f', 'mpegts')
      },
    ],
    ['GSM', () => Buffer.alloc((33 * seconds) / 0.02, Buffer.from([0xd4, ...Buffer.alloc(32)]))],
  ])('a %s is heard to its end, without a warning', async (name, bytes, length = seconds) => {
    const found = await heard(name, bytes())
    expect(found.warnings).toEqual([])
    expect(Math.abs(found.seconds - length)).toBeLessThan(0.6)
  })
})

describe('a recording that was cut short', () => {
  it.each<[string, () => Buffer]>([
    ['WAV', () => wav(pcm.length)],
    ['CAF', () => caf(BigInt(pcm.length + 4))],
    ['Ogg', () => ogg],
    ['live Matroska', () => timedMatroska([{ time: 0, samples: toneSamples(seconds) }])],
  ])('a %s raises a warning', async (name, bytes) => {
    const whole = bytes()
    const found = await heard(`cut ${name}`, whole.subarray(0, Math.round(whole.length * 0.55)))
    expect(found.warnings).toEqual([expect.stringMatching(/^The file seems to be cut off/)])
    expect(found.seconds).toBeGreaterThan(1.5)
  })
})

describe('a recording with noise in its middle', () => {
  it.each<[string, () => Buffer | Promise<Buffer>]>([
    ['MP4', () => readFile(fixture('clip.mp4'))],
    ['Ogg', () => readFile(fixture('voice-note.ogg'))],
    ['MPEG-TS', () => encoded('-c:a', 'aac', '-f', 'mpegts')],
    ['ASF', () => encoded('-c:a', 'wmav2', '-f', 'asf')],
  ])('a %s raises a warning', async (name, bytes) => {
    const spoilt = Buffer.from(await bytes())
    const from = Math.round(spoilt.length * 0.4)
    for (let i = 0; i < spoilt.length / 12; i++) spoilt[from + i] = (i * 7919 + i * i) >> 3
    const { warnings } = await heard(`spoilt ${name}`, spoilt)
    expect(warnings).toEqual([expect.stringMatching(/damaged/)])
  })
})
