// Detection of separate channels: calls have two; rooms, music and dual mono have one.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findVoices } from '../../../../src/pipeline/voices/find-voices.ts'
import { crosstalk, makeDualChannel } from '../../../support/audio/dual-channel.ts'
import { locateTestFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { makeAudio } from '../../../support/audio/make-audio.ts'
import { fixture, type TempFolder, tempFolder } from '../../../support/e2e/system.ts'

let folder: TempFolder
let call: string
/** Longer than all windows together. */
let longCall: string

/** LAME's fastest setting. */
const mp3 = (bitRate: string) => ['-c:a', 'libmp3lame', '-b:a', bitRate, '-compression_level', '9']
const opus = ['-c:a', 'libopus', '-b:a', '24k', '-compression_level', '0']

beforeAll(async () => {
  folder = await tempFolder()
  const meeting = { fixture: 'meeting', left: ['S1'], right: ['S2', 'S3'], seconds: 60 } as const
  call = await makeDualChannel(folder.path, 'call.wav', meeting)
  const interview = { fixture: 'interview', left: ['S1'], right: ['S2'], seconds: 210 } as const
  const long = await makeDualChannel(folder.path, 'long.wav', interview)
  longCall = await make('long.mp3', '-i', long, ...mp3('48k'), '-joint_stereo', '1')
})
afterAll(() => folder.remove())

const make = (name: string, ...args: string[]) => makeAudio(folder.path, name, args)

async function channels(file: string, signal = new AbortController().signal): Promise<number> {
  const run = { signal, warn: () => {} }
  return (await findVoices({ file }, { isApart: true }, locateTestFfmpeg, run)).voices.length
}

const noise = (amplitude: number) => [
  ...['-f', 'lavfi', '-i', `anoisesrc=a=${amplitude}:c=pink:r=16000:seed=1`],
  ...['-f', 'lavfi', '-i', `anoisesrc=a=${amplitude}:c=pink:r=16000:seed=2`],
]
const withNoise = (filter: string) =>
  `[1:a][2:a]join=inputs=2:channel_layout=stereo[n];[0:a]${filter}[c];[c][n]amerge=2,pan=stereo|c0=c0+c2|c1=c1+c3`

describe('a recorded call', () => {
  it('counts two channels in a call', async () => {
    expect(await channels(call)).toBe(2)
  })

  it.each([
    ['a joint-stereo MP3', 'call.mp3', [...mp3('32k'), '-joint_stereo', '1']],
    ['AAC', 'call.m4a', ['-b:a', '48k']],
    ['Opus', 'call.ogg', opus],
    ['telephone quality', 'call-phone.wav', ['-ar', '8000', '-c:a', 'pcm_mulaw']],
  ])('counts two channels in a call as %s', async (_, name, coding) => {
    expect(await channels(await make(name, '-i', call, ...coding))).toBe(2)
  })

  it('counts two channels in a long call, through windows', async () => {
    expect(await channels(longCall)).toBe(2)
  })

  it('counts two channels in a call of unknown length', async () => {
    // ffmpeg writes no length where it cannot go back to the header.
    const file = await make('unknown.mka', '-i', call, ...opus, '-f', 'matroska', '-live', '1')
    expect(await channels(file)).toBe(2)
  })

  it('counts two channels in a call whose header is longer than its audio', async () => {
    const whole = await readFile(longCall)
    const file = join(folder.path, 'half.mp3')
    await writeFile(file, whole.subarray(0, whole.length >> 1))
    expect(await channels(file)).toBe(2)
  })

  it.each([20, 25])('counts two channels in a call with crosstalk at −%d dB and noise', async decibels => {
    const graph = withNoise(crosstalk(decibels))
    const file = await make(`leak${decibels}.wav`, '-i', call, ...noise(0.001), '-filter_complex', graph)
    expect(await channels(file)).toBe(2)
  })

  it('counts two channels in a call with loud noise', async () => {
    const file = await make('noisy.wav', '-i', call, ...noise(0.02), '-filter_complex', withNoise('anull'))
    expect(await channels(file)).toBe(2)
  })

  it('counts two channels in a call with one side much softer', async () => {
    expect(await channels(await make('soft.wav', '-i', call, '-af', 'pan=stereo|c0=c0|c1=0.06*c1'))).toBe(2)
  })

  it('counts two channels in a call with a video track', async () => {
    const picture = ['-f', 'lavfi', '-i', 'color=s=64x64:r=1']
    const args = [...picture, '-i', call, '-shortest', '-c:v', 'mpeg4']
    expect(await channels(await make('call.mp4', ...args))).toBe(2)
  })
})

const mix = '0.5*c0+0.5*c1'

describe('one sound in several channels', () => {
  it.each([
    ['in mono', `pan=mono|c0=${mix}`, []],
    ['in dual mono', `pan=stereo|c0=${mix}|c1=${mix}`, []],
    ['in dual mono as joint-stereo MP3', `pan=stereo|c0=${mix}|c1=${mix}`, [...mp3('32k'), '-f', 'mp3']],
    ['with gains 6 dB apart', `pan=stereo|c0=${mix}|c1=0.25*c0+0.25*c1`, []],
    ['with gains 30 dB apart', `pan=stereo|c0=${mix}|c1=0.016*c0+0.016*c1`, []],
    ['with its polarity turned', `pan=stereo|c0=${mix}|c1=-0.5*c0-0.5*c1`, []],
    ['a millisecond later', `pan=stereo|c0=${mix}|c1=${mix},adelay=0|1`, []],
    ['with one channel empty', `pan=stereo|c0=${mix}|c1=0*c0`, []],
    ['in 5.1', 'pan=5.1|c0=c0|c1=c1', []],
  ])('counts one channel in a sound %s', async (name, filter, coding) => {
    const file = `${name.replace(/\W+/g, '-')}.wav`
    expect(await channels(await make(file, '-i', call, '-af', filter, ...coding))).toBe(1)
  })

  it('counts one channel in a recording with mono in both channels', async () => {
    expect(await channels(fixture('interview.mp3'))).toBe(1)
  })
})

describe('a film', () => {
  it.each([
    ['ac3', ['-c:a', 'ac3']],
    ['flac', []],
    ['mov', ['-c:a', 'pcm_s16le']],
  ])('in 5.1 (%s) is mixed by its layout, whatever its subwoofer does', async (ending, coding) => {
    const booms = "aevalsrc='0.8*sin(2*PI*(40+20*sin(t))*t)*exp(-2*mod(t,1.3))':s=16000:d=60"
    const graph = `[0]pan=mono|c0=c0+c1[v];[1]pan=mono|c0=c0[l];[2]pan=mono|c0=c0[r];[v][3][l][r]amerge=4,pan=5.1|c2=c0|c3=c1|c0=0.3*c2|c1=0.3*c3|c4=0.2*c2|c5=0.2*c3`
    const args = ['-i', call, ...noise(0.02), '-f', 'lavfi', '-i', booms, '-filter_complex', graph]
    const file = await make(`film.${ending}`, ...args, '-ar', '48000', ...coding)
    for (const isApart of [false, true]) {
      const run = { signal: new AbortController().signal, warn: () => {} }
      expect((await findVoices({ file }, { isApart }, locateTestFfmpeg, run)).voices).toEqual([{}])
    }
  })
})

describe('a recorded room', () => {
  const panned = 'pan=stereo|c0=0.7*c0+0.3*c1|c1=0.3*c0+0.7*c1'

  it('counts one channel in a room with voices left and right', async () => {
    expect(await channels(await make('room.wav', '-i', call, '-af', panned))).toBe(1)
  })

  it('counts one channel in a room with reverberation', async () => {
    const filter = `${panned},aecho=0.8:0.9:23|37|61:0.4|0.3|0.2`
    expect(await channels(await make('hall.wav', '-i', call, '-af', filter))).toBe(1)
  })

  it('counts one channel in a room with two microphones, 9 dB and 5 ms apart', async () => {
    const graph = [
      '[0:a]channelsplit[l][r];[l]asplit[l1][l2];[r]asplit[r1][r2]',
      '[l2]volume=0.35,adelay=5[ld];[r2]volume=0.35,adelay=5[rd]',
      '[l1][rd]amerge=2,pan=mono|c0=c0+c1,aecho=0.8:0.9:23|61:0.3|0.2[a]',
      '[r1][ld]amerge=2,pan=mono|c0=c0+c1,aecho=0.8:0.9:29|71:0.3|0.2[b]',
      '[a][b]join=inputs=2:channel_layout=stereo',
    ]
    const file = await make('table.wav', '-i', call, '-filter_complex', graph.join(';'))
    expect(await channels(file)).toBe(1)
  })
})

describe('a recording that resembles a call', () => {
  it('counts one channel when one side never speaks', async () => {
    const graph = withNoise('pan=stereo|c0=c0|c1=0*c1')
    const file = await make('mute.wav', '-i', call, ...noise(0.001), '-filter_complex', graph)
    expect(await channels(file)).toBe(1)
  })

  it('counts one channel when the other side is only an echo', async () => {
    const graph =
      '[0:a]channelsplit[l][r];[r]anullsink;[l]asplit[a][b];[b]volume=0.1,adelay=250[e];[a][e]join=inputs=2:channel_layout=stereo'
    expect(await channels(await make('echo.wav', '-i', call, '-filter_complex', graph))).toBe(1)
  })

  it('counts one channel when a third voice is in both channels', async () => {
    const shared = { fixture: 'meeting', left: ['S1', 'S3'], right: ['S2', 'S3'], seconds: 60 } as const
    const file = await makeDualChannel(folder.path, 'three.wav', {
      ...shared,
      left: ['S1', 'S3'],
      right: ['S2', 'S3'],
    })
    expect(await channels(file)).toBe(1)
  })

  const melody = (base: number, on: string) =>
    `aevalsrc='0.3*sin(2*PI*${base}*pow(2\\,floor(mod(t*4\\,8))/12)*t)*exp(-3*mod(t\\,0.25))*${on}':d=30:s=16000`
  it.each([
    ['when melodies sound at once', melody(220, '1'), melody(330, '1')],
    ['when melodies take turns', melody(220, 'lt(mod(t\\,4)\\,2)'), melody(330, 'gte(mod(t\\,4)\\,2)')],
    ['when it is empty', 'aevalsrc=0:s=16000:d=9', 'aevalsrc=0:s=16000:d=9'],
  ])('counts one channel %s', async (name, left, right) => {
    const graph = '[0:a][1:a]join=inputs=2:channel_layout=stereo'
    const inputs = ['-f', 'lavfi', '-i', left, '-f', 'lavfi', '-i', right]
    const file = `${name.replace(/\W+/g, '-')}.wav`
    expect(await channels(await make(file, ...inputs, '-filter_complex', graph))).toBe(1)
  })

  it.each([0, 1.5, 12])('counts one channel when it is three seconds long (from %d s)', async from => {
    expect(await channels(await make('short.wav', '-ss', String(from), '-t', '3', '-i', call))).toBe(1)
  })

  it('counts one channel in a file without audio', async () => {
    const file = join(folder.path, 'text.mp3')
    await writeFile(file, 'This is a text.')
    expect(await channels(file)).toBe(1)
  })
})

it('stops on abort', async () => {
  await expect(channels(call, AbortSignal.abort(new Error('enough')))).rejects.toThrow()
})
