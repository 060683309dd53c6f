// Warnings about a recording: none where nothing is missing, one where something is.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { type Heard, hear, toneSamples } from '../../../support/audio/hear.ts'
import { timedMatroska } from '../../../support/audio/timed-matroska.ts'
import { fixture, type TempFolder, tempFolder } from '../../../support/e2e/system.ts'

const seconds = 4
const pcm = Buffer.from(toneSamples(seconds, [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]).buffer)

let folder: TempFolder
let encoded: (...args: string[]) => Buffer
let mp3: Buffer
let ogg: Buffer

beforeAll(async () => {
  folder = await tempFolder()
  const encoder = await testFfmpeg()
  const wave = join(folder.path, 'whole.wav')
  await writeFile(wave, wav(pcm.length))
  encoded = (...args) => {
    const file = join(folder.path, 'encoded')
    execFileSync(encoder, ['-v', 'error', '-y', '-i', wave, ...args, file])
    return readFileSync(file)
  }
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

/** An AIFF with this length of its samples, and a length of the whole file that fits. */
function aiff(length: number): Buffer {
  const head = Buffer.from('FORM    AIFFCOMM\0\0\0\x12\0\x01', 'latin1')
  head.writeUInt32BE(Math.min(length && length + 46, 0xffff_ffff), 4)
  const samples = Buffer.from(pcm).swap16()
  const format = Buffer.from('000000000010400cfa00000000000000', 'hex')
  const sound = Buffer.from('SSND            ', 'latin1').fill(0, 4)
  sound.writeUInt32BE(Math.min(length && length + 8, 0xffff_ffff), 4)
  return Buffer.concat([head, format, sound, samples])
}

/** A WAV with its samples in two chunks, and a chunk of odd length between them. */
function wavInTwo(): Buffer {
  const half = pcm.length / 2
  const between = Buffer.from('LIST\x05\0\0\0INFOx\0data    ', 'latin1')
  between.writeUInt32LE(half, between.length - 4)
  return Buffer.concat([wav(half).subarray(0, 44 + half), between, pcm.subarray(half)])
}

/** A Matroska with known lengths, and an empty element before its Segment. */
function matroskaBehindVoid(): Buffer {
  const whole = encoded('-c:a', 'libopus', '-f', 'matroska')
  const segment = whole.indexOf(Buffer.from('18538067', 'hex'))
  return Buffer.concat([
    whole.subarray(0, segment),
    Buffer.from('ec83000000', 'hex'),
    whole.subarray(segment),
  ])
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

/** An MP3 without a count of its frames. */
const noCount = () => encoded('-b:a', '64k', '-write_xing', '0', '-f', 'mp3')

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
    ['WAV with two chunks of samples', wavInTwo],
    ['joined WAV', () => Buffer.concat([wav(pcm.length), wav(pcm.length)]), 2 * seconds],
    ['CAF of unknown length', () => caf(-1n)],
    ['AIFF from a pipe, length 0', () => aiff(0)],
    ['AIFF from a pipe, length 0xFFFFFFFF', () => aiff(0xffff_ffff)],
    ['AIFF from a pipe, length 0x7F000000', () => aiff(0x7f00_0000)],
    ['AIFF whose header tells too little', () => aiff(pcm.length / 4)],
    [
      'joined MP3',
      () => Buffer.concat([mp3, tag(3_000), mp3, Buffer.from('TAG'), Buffer.alloc(125), mp3]),
      3 * seconds,
    ],
    ['MP3 behind three tags', () => Buffer.concat([tag(300), tag(300), tag(2_000_000), mp3])],
    [
      'joined AAC',
      () => Buffer.concat([encoded('-f', 'adts'), tag(3_000), encoded('-f', 'adts')]),
      2 * seconds,
    ],
    [
      'MP3 whose last frame is cut before a tag',
      () => Buffer.concat([noCount().subarray(0, -9), Buffer.from('TAG'), Buffer.alloc(125)]),
    ],
    ['Matroska with an element before its Segment', matroskaBehindVoid],
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
    ['Matroska with an element before its Segment', matroskaBehindVoid],
    ['AAC', () => encoded('-f', 'adts')],
    ['MP3 without a count of its frames', noCount],
    ['AC-3', () => encoded('-c:a', 'ac3', '-b:a', '37k', '-f', 'ac3')],
    ['ASF', () => encoded('-c:a', 'wmav2', '-f', 'asf')],
    ['MPEG-TS', () => encoded('-c:a', 'mp2', '-f', 'mpegts')],
    ['MPEG-PS', () => encoded('-c:a', 'mp2', '-f', 'mpeg')],
  ])('a %s raises a warning', async (name, bytes) => {
    const whole = bytes()
    const found = await heard(`cut ${name}`, whole.subarray(0, Math.round(whole.length * 0.55) + 37))
    expect(found.warnings).toEqual([expect.stringMatching(/^The file seems to be cut off/)])
    expect(found.seconds).toBeGreaterThan(1.5)
  })

  it('a WAV tells how much of it is missing', async () => {
    const { warnings } = await heard('short', wav(pcm.length).subarray(0, 44 + pcm.length / 4))
    expect(warnings).toEqual([expect.stringContaining('its header says 0:04, but its audio ends at 0:01')])
  })
})

describe('a recording with another one behind it in the same file', () => {
  it.each([
    ['M4A', '-c:a', 'aac', '-f', 'ipod'],
    ['CAF', '-f', 'caf'],
    ['AIFF', '-f', 'aiff'],
    ['ASF', '-c:a', 'wmav2', '-f', 'asf'],
    ['W64', '-f', 'w64'],
    ['FLV', '-ar', '22050', '-f', 'flv'],
    ['TTA', '-f', 'tta'],
  ])('an %s raises a warning', async (name, ...coding) => {
    const whole = encoded(...coding)
    const found = await heard(`followed ${name}`, Buffer.concat([whole, whole]))
    expect(found.warnings).toEqual([expect.stringMatching(/holds another recording/)])
    expect(found.seconds).toBeCloseTo(seconds, 0)
    expect((await heard(`alone ${name}`, whole)).warnings).toEqual([])
  })

  it('an M4A with free space in front raises none', async () => {
    const whole = encoded('-c:a', 'aac', '-f', 'ipod')
    const head = whole.readUInt32BE(0)
    const free = whole.subarray(head, head + 8)
    expect(free.toString('latin1', 4)).toBe('free')
    // The sound stays where the index says.
    const swapped = Buffer.concat([free, whole.subarray(0, head), whole.subarray(head + 8)])
    expect(await heard('free space', swapped)).toMatchObject({ warnings: [] })
  })
})

describe('recordings joined to one file that are coded without loss', () => {
  it.each([
    ['FLAC', '-f', 'flac'],
    ['WavPack with tags', '-c:a', 'wavpack', '-metadata', 'title=One', '-f', 'wv'],
    ['WavPack without tags', '-c:a', 'wavpack', '-map_metadata', '-1', '-fflags', '+bitexact', '-f', 'wv'],
  ])('all of %s are heard, each sound at its time', async (name, ...coding) => {
    const whole = encoded(...coding)
    const { tones } = await heard(`alone ${name}`, whole)
    const found = await heard(`joined ${name}`, Buffer.concat([whole, whole, whole]))
    const expected = [0, seconds, 2 * seconds].flatMap(start => tones.map(tone => start + tone))
    expect(found.tones.map(tone => tone.toFixed(2))).toEqual(expected.map(tone => tone.toFixed(2)))
    expect(found.warnings).toEqual([])
  })
})

describe('a recording with noise in its middle', () => {
  it.each<[string, () => Buffer | Promise<Buffer>, RegExp?]>([
    ['MP4', () => readFile(fixture('clip.mp4'))],
    ['MPEG-TS', () => encoded('-c:a', 'aac', '-f', 'mpegts')],
    ['MPEG-PS', () => encoded('-c:a', 'mp2', '-f', 'mpeg')],
    ['ASF', () => encoded('-c:a', 'wmav2', '-f', 'asf')],
    ['AAC', () => encoded('-f', 'adts')],
    ['AC-3', () => encoded('-c:a', 'ac3', '-f', 'ac3')],
    ['MP3', noCount],
    ['FLAC', () => encoded('-f', 'flac'), /cut off or damaged/],
  ])('a %s raises a warning, and is heard behind it', async (name, bytes, warning = /are damaged/) => {
    const whole = Buffer.from(await bytes())
    const from = Math.round(whole.length * 0.4)
    const spoilt = Buffer.from(whole)
    for (let i = 0; i < spoilt.length / 12; i++) spoilt[from + i] = (i * 7919 + i * i) >> 3
    const found = await heard(`spoilt ${name}`, spoilt)
    expect(found.warnings).toEqual([expect.stringMatching(warning)])
    expect(found.seconds).toBeGreaterThan((await heard(`whole ${name}`, whole)).seconds * 0.75)
  })

  it('an Ogg raises a warning', async () => {
    const spoilt = await readFile(fixture('voice-note.ogg'))
    spoilt.fill('noise', 8_000, 10_000)
    expect((await heard('spoilt Ogg', spoilt)).warnings).toEqual([expect.stringMatching(/are damaged/)])
  })

  it.each<[string, () => Buffer]>([
    ['WebM', () => encoded('-c:a', 'libopus', '-f', 'webm')],
    ['AAC', () => encoded('-f', 'adts')],
    ['MP3', noCount],
  ])('a %s with zeros there raises a warning', async (name, bytes) => {
    const whole = bytes()
    whole.fill(0, Math.round(whole.length * 0.4), Math.round(whole.length * 0.6))
    expect((await heard(`empty ${name}`, whole)).warnings).toEqual([expect.stringMatching(/are damaged/)])
  })
})
