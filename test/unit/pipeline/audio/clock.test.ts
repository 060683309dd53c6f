// The clock of a recording: each sound is found where a player sounds it, whatever its container does with time.
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { type Heard, hear, toneSamples, voiceNoteOf } from '../../../support/audio/hear.ts'
import { type TimedSound, timedMatroska } from '../../../support/audio/timed-matroska.ts'
import { type TempFolder, tempFolder } from '../../../support/e2e/system.ts'

let folder: TempFolder
let ffmpeg: string

beforeAll(async () => {
  folder = await tempFolder()
  ffmpeg = await testFfmpeg()
})
afterAll(() => folder.remove())

const at = (time: number, seconds = 1, tones?: number[]): TimedSound => ({
  time,
  samples: toneSamples(seconds, tones),
})

async function save(name: string, bytes: Buffer): Promise<string> {
  const file = join(folder.path, name)
  await writeFile(file, bytes)
  return file
}

/** Has ffmpeg convert a file. */
function converted(file: string, name: string, ...args: string[]): string {
  const output = join(folder.path, name)
  execFileSync(ffmpeg, ['-v', 'error', '-y', '-i', file, ...args, output])
  return output
}

function expectTones({ tones }: Heard, expected: readonly number[]): void {
  expect(tones).toHaveLength(expected.length)
  for (const [i, start] of expected.entries()) expect(Math.abs(tones[i]! - start)).toBeLessThan(0.06)
}

describe('the clock of a recording', () => {
  it.each<[string, number[], number, TimedSound[], Parameters<typeof timedMatroska>[1]?]>([
    ['with gaps', [0, 1.38, 14, 15], 16, [at(0), at(1.38), at(14), at(15)]],
    ['that ends in silence', [0], 9, [at(0)], { seconds: 9 }],
    ['whose clock begins at an hour', [0, 3], 4, [at(3600), at(3603)], { seconds: 3604 }],
    ['joined to another', [0, 3, 4, 6.5], 7.5, [at(0), at(3), at(0), at(2.5)]],
    ['joined to one whose clock has leapt', [0, 3, 4], 5, [at(0), at(3), at(90_000)]],
    ['joined to one beyond the declared length', [0, 3, 4], 5, [at(0), at(3), at(500)], { seconds: 5 }],
    [
      'whose clock leaps away and back',
      [0, 2.1, 5],
      20,
      [at(0, 2), at(9, 0.1, []), at(2.1), at(5)],
      { seconds: 20 },
    ],
    [
      'whose clock steps back and returns',
      [0, 3, 5],
      6,
      [at(0), at(3), at(0.5, 0.3, []), at(1.5, 0.1, []), at(5)],
    ],
    ['joined to one that begins with a gap', [0, 4, 7], 8, [at(0), at(4), at(0, 0.1, []), at(2)]],
    ['with a gap that is too long for its bytes', [0, 3, 4], 5, [at(0), at(3), at(17_000)]],
    ['whose header tells a length that is too long for its bytes', [0], 1, [at(0)], { seconds: 9_000 }],
    ['whose time stamps jitter', [0, 1, 2, 3], 4, [at(0), at(1.06), at(1.95), at(3.03)]],
    ['with a short overlap', [0, 0.95, 2], 3, [at(0, 0.95), at(0.9), at(2)]],
  ])(
    'the sounds of a recording %s stand where a player sounds them',
    async (name, tones, seconds, sounds, options) => {
      const found = await hear(await save(`${name.replaceAll(' ', '-')}.mkv`, timedMatroska(sounds, options)))
      expectTones(found, tones)
      expect(Math.abs(found.seconds - seconds)).toBeLessThan(0.1)
      expect(found.warnings).toEqual([])
    },
  )

  it.each([
    ['slower', 1.005],
    ['faster', 0.995],
  ])('a clock that is %s than its samples is followed in the pauses', async (name, timeScale) => {
    const tones = Array.from({ length: 40 }, (_, i) => i * 1.5)
    const file = await save(`${name}.mkv`, timedMatroska([at(0, 60, tones)], { timeScale }))
    const found = await hear(file)
    expectTones(
      found,
      tones.map(time => time * timeScale),
    )
  })

  const finished = timedMatroska([at(0), at(4)], { seconds: 5 })
  const short = timedMatroska([at(0)], { seconds: 1 })
  const live = timedMatroska([at(0), at(4)])
  // Its gap ends close to where the clock of a file of three seconds would stand.
  const other = timedMatroska([at(0), at(4.5)], { seconds: 5.5 })
  it.each<[string, Buffer[], number[]]>([
    ['finished files', [finished, short, finished], [0, 4, 5, 6, 10]],
    ['a finished file and a live one', [short, live], [0, 1, 5]],
    ['a live file and finished ones', [live, short, finished], [0, 4, 5, 6, 10]],
    ['files whose gaps end at times of the first', [timedMatroska([at(0), at(2)]), other], [0, 2, 3, 7.5]],
  ])('%s that were joined to one are all heard, with their gaps', async (name, files, tones) => {
    const found = await hear(await save(`${name}.mkv`, Buffer.concat(files)))
    expectTones(found, tones)
    expect(found.warnings).toEqual([])
  })

  it('joined files of Ogg keep a gap that ends at a time of the first', async () => {
    const files = [
      [at(0, 1, [0.5]), at(2, 1, [0.5])],
      [at(0, 1, [0.5]), at(4.5, 1, [0.5])],
    ].map(async (sounds, i) => {
      const codec = ['-c:a', 'libopus', '-frame_duration', '60']
      return readFile(converted(await save(`${i}.mkv`, timedMatroska(sounds)), `${i}.ogg`, ...codec))
    })
    const found = await hear(await save('joined.ogg', Buffer.concat(await Promise.all(files))))
    expectTones(found, [0.5, 2.5, 3.5, 8])
    expect(found.warnings).toEqual([])
  })

  it('words are not stretched where a clock is put right, but the pause behind them', async () => {
    const bursts = Array.from({ length: 12 }, (_, i) => i * 0.26)
    const file = await save('hushes.mkv', timedMatroska([at(0), at(1.07, 6, [...bursts, 4.5])]))
    const { tones } = await hear(file)
    expect(tones).toHaveLength(14)
    for (const [i, start] of bursts.entries()) expect(tones[i + 1]! - tones[1]!).toBeCloseTo(start, 2)
    expect(Math.abs(tones.at(-1)! - 5.57)).toBeLessThan(0.03)
  })

  it.each([
    ['Windows Media', 'wma', 'wmav2'],
    ['Ogg', 'ogg', 'libopus'],
  ])(
    'a file of %s is no longer than its tracks, though one of them begins late',
    async (_, ending, codec) => {
      const sound = await save('sound.mkv', timedMatroska([at(0, 2, [0, 1])]))
      const both = ['-itsoffset', '1.5', '-i', sound, '-map', '0', '-map', '1']
      const file = converted(sound, `late.${ending}`, ...both, '-c:a', codec, '-b:a', '64k')
      expect((await hear(file)).seconds).toBeLessThan(3.7)
    },
  )

  it.each([0, 7, 3600])('all of a voice note is encoded whose clock begins at %d s', async start => {
    const note = await voiceNoteOf(await save(`note-${start}.mkv`, timedMatroska([at(start, 6)])))
    const bytesPerSecond = 3000
    expect(note!.length / bytesPerSecond).toBeCloseTo(6, 0)
  })

  it('a second track is as late as its edit list says, though older muxers leave that out of the length', async () => {
    const made = await save('apart.mkv', timedMatroska([at(0, 1, [0.5])]))
    const late = ['-itsoffset', '9', '-i', made, '-map', '0', '-map', '1', '-c:a', 'aac', '-ar', '48000']
    const file = converted(made, 'apart.mp4', ...late)
    const bytes = await readFile(file)
    bytes.writeUInt32BE(1000, bytes.indexOf('mvhd') + 20)
    await writeFile(file, bytes)
    expectTones(await hear(file, undefined, 1), [9.5])
  })

  it('a stretch of a recording is found by the same clock', async () => {
    const file = await save('part.mkv', timedMatroska([at(0), at(20), at(30)]))
    expectTones(await hear(file, { start: 19.5, end: 31 }), [0.5, 10.5])
  })

  it('frames of a phone call in which nothing was sent are silence, and no damage', async () => {
    const speech = Buffer.from([0x3c, ...Array.from({ length: 31 }, (_, i) => (i * 89) % 256)])
    const [second, nothing] = [Buffer.alloc(50 * 32, speech), Buffer.from([0x7c])]
    const silent = Buffer.concat([Buffer.from([0x44, 1, 2, 3, 4, 5]), Buffer.alloc(99, nothing)])
    const amr = await save(
      'call.amr',
      Buffer.concat([Buffer.from('#!AMR\n'), second, silent, second, silent]),
    )
    for (const file of [amr, converted(amr, 'call.3gp', '-c', 'copy')]) {
      const { seconds, tones, warnings } = await hear(file)
      expect(seconds).toBeCloseTo(6, 1)
      expect(tones.filter(time => (time > 1.1 && time < 2.95) || time > 4.1)).toEqual([])
      expect(tones.some(time => time >= 2.95 && time < 3.1)).toBe(true)
      expect(warnings).toEqual([])
    }
  })

  it.each([
    ['ogg', '-c:a', 'libopus'],
    ['spx', '-c:a', 'libspeex'],
    ['ts', '-c:a', 'mp2'],
    ['mp4', '-c:a', 'aac', '-ar', '48000'],
    ['nut', '-c:a', 'aac', '-ar', '48000'],
  ])('a gap of fifteen seconds is kept in .%s, at any start of its clock', async (ending, ...codec) => {
    const sounds = [0, 16, 17].map(time => at(time, 1, [0.5]))
    const made = await save(`long-${ending}.mkv`, timedMatroska(sounds))
    const file = converted(made, `long.${ending}`, '-output_ts_offset', '3600', ...codec)
    const found = await hear(file)
    expectTones(found, [0.5, 16.5, 17.5])
    expect(found.warnings).toEqual([])
  })

  it('pages of Ogg with a wrong time do not move the sounds behind them', async () => {
    const made = await save('pages.mkv', timedMatroska([at(0, 12, [0.5, 3.5, 6.5, 9.5])]))
    const bytes = await readFile(converted(made, 'pages.ogg', '-c:a', 'libopus', '-page_duration', '500000'))
    const pages = [...bytes.toString('latin1').matchAll(/OggS/g)].map(({ index }) => index)
    for (const page of pages.slice(9, 11)) bytes.fill(0, page + 6, page + 14)
    const found = await hear(await save('spoilt.ogg', bytes))
    expect(found.tones.filter(time => time < 3 || time > 6)).toHaveLength(3)
    expect(found.tones.at(-1)).toBeCloseTo(9.5, 1)
    expect(found.seconds).toBeCloseTo(12, 1)
  })

  it('sound beside a picture ends where its last packet does, though no pause came in which to put it right', async () => {
    const sounds = [0, 1.09, 2.18].map(time => at(time, 1, [0, 0.2, 0.4, 0.6, 0.8]))
    const sound = await save('hurried.mkv', timedMatroska(sounds))
    const both = ['-f', 'lavfi', '-i', 'color=s=64x64:r=25:d=1', '-map', '0', '-map', '1', '-c:a', 'copy']
    expect((await hear(converted(sound, 'seen.mkv', ...both))).seconds).toBeCloseTo(3.18, 1)
  })

  it('sound that starts after the picture keeps its distance', async () => {
    const sound = await save('sound.mkv', timedMatroska([at(0, 1, [0.5]), at(2.5, 1, [0.5])]))
    for (const [name, start, ...codec] of [
      ['late.mp4', '4.087', '-c:a', 'aac', '-ar', '48000'],
      ['late.ts', '4.087', '-c:a', 'mp2'],
      ['late.mkv', '4.087'],
      // Beyond the seconds in which ffmpeg looks for tracks.
      ['late.mpg', '70', '-c:a', 'mp2'],
      ['late.flv', '70', '-ar', '44100'],
    ]) {
      const late = ['-itsoffset', start!, '-i', sound, '-map', '0:v', '-map', '1:a']
      const picture = ['-f', 'lavfi', '-i', 'color=s=64x64:r=25:d=12']
      const file = join(folder.path, name!)
      execFileSync(ffmpeg, ['-v', 'error', '-y', ...picture, ...late, ...codec, file])
      const found = await hear(file)
      expectTones(found, [Number(start) + 0.5, Number(start) + 3])
      expect(found.warnings).toEqual([])
    }
  })
})
