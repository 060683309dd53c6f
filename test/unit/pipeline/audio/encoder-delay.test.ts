// The delay of the MP3 that is sent, as decoders play it; sox and mpg123 are asked where they are installed.
import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { Run } from '../../../../src/domain/run.ts'
import { createChunkEncoders } from '../../../../src/pipeline/audio/chunk-encoders.ts'
import { decode } from '../../../../src/pipeline/audio/decode.ts'
import { delaySeconds, encodeVoiceNote, type Profile } from '../../../../src/pipeline/audio/encode.ts'
import { locateTestFfmpeg, testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { rate } from '../../../support/audio/synthetic-speech.ts'
import { fixture } from '../../../support/e2e/system.ts'
import { samplesOf } from '../../../support/emulators/dashscope-client.ts'

const run = { signal: new AbortController().signal, warn() {} } as unknown as Run
const speech = Int16Array.from(samplesOf(await testFfmpeg(), 'voice-note.ogg'), sample => 32_767 * sample)

function encoded(profile: Profile): Promise<Buffer> {
  if (profile === 'voiceNote') return encodeVoiceNote(speech, rate, locateTestFfmpeg, run.signal)
  return createChunkEncoders(locateTestFfmpeg, run.signal).encode(speech, rate)
}

async function encodedByDecoder(): Promise<Buffer | undefined> {
  const file = fixture('voice-note.ogg')
  const source = { file, name: 'note', bytes: 1, isTruncated: false }
  const decoding = decode(source, locateTestFfmpeg, run, { voiceNote: true })
  for await (const _ of decoding.samples);
  return decoding.voiceNote()
}

/** One millisecond: resampling moves the sound, too. */
const maxDifference = rate / 1000

/** Samples by which a decoder plays the audio later than it was, where the two are most alike. */
function delayOf(decoder: string, args: string[], audio: Buffer): number {
  const bytes = execFileSync(decoder, args, {
    input: audio,
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 1e8,
  })
  const played = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)))
  let best = { delay: 0, likeness: Number.NEGATIVE_INFINITY }
  for (let delay = 600; delay < 3000; delay++) {
    let likeness = 0
    for (let i = 0; i < speech.length - 3000; i += 11) likeness += speech[i]! * played[i + delay]!
    if (likeness > best.likeness) best = { delay, likeness }
  }
  return best.delay
}

const asSamples = ['-r', String(rate), '-e', 'signed', '-b', '16', '-c', '1']
const decoders = [
  {
    name: 'ffmpeg',
    program: await testFfmpeg(),
    args: ['-v', 'error', '-i', 'pipe:0', '-f', 's16le', '-ar', String(rate), '-ac', '1', 'pipe:1'],
  },
  { name: 'sox', program: 'sox', args: ['-t', 'mp3', '-', '-t', 'raw', ...asSamples, '-'] },
  { name: 'mpg123', program: 'mpg123', args: ['-q', '-s', '-m', '-r', String(rate), '-'] },
]

describe.each(decoders)('$name', ({ name, program, args }) => {
  const { error, stdout } = spawnSync(program, ['--help'], { encoding: 'utf8' })
  // Debian's sox reads MP3 only with another package.
  const isMissing = error !== undefined || (name === 'sox' && !/^AUDIO FILE FORMATS:.* mp3 /m.test(stdout))
  it.skipIf(isMissing)(
    `plays what is sent as late as times are corrected${isMissing ? `: there is no ${name} for MP3` : ''}`,
    async () => {
      for (const [profile, audio] of [
        ['recording', await encoded('recording')],
        ['voiceNote', await encoded('voiceNote')],
        ['voiceNote', await encodedByDecoder()],
      ] as const) {
        const expected = delaySeconds(profile) * rate
        expect(Math.abs(delayOf(program, args, audio!) - expected), profile).toBeLessThan(maxDifference)
      }
    },
  )
})
