// Real recordings with their transcripts: the voice prompts of Asterisk, as Debian packs them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Prompt {
  text: string
  /** 8 kHz mono, without the silence at both ends. */
  samples: Int16Array
}

export const promptRate = 8_000

const sounds = '/usr/share/asterisk/sounds'
/** Below this share of the loudest sample is silence. */
const silenceShare = 0.02

/** Seconds for a letter: some transcripts are not those of their recordings. */
const paces = { min: 0.045, max: 0.15 }

/** Prompts of some words, in the order of the transcript. Throws where recordings or transcript are missing. */
export function readPrompts(language: string, transcripts: string): Prompt[] {
  const folder = existsSync(sounds) && readdirSync(sounds).find(name => name.startsWith(`${language}_`))
  if (!folder) throw new Error(`Install the recordings: apt-get install asterisk-core-sounds-${language}-wav`)
  const file = join(transcripts, `core-sounds-${language}.txt`)
  if (!existsSync(file))
    throw new Error(
      `There is no ${file}. It lies in Debian’s source package (apt-get source asterisk-core-sounds) and in
https://downloads.asterisk.org/pub/telephony/sounds/asterisk-core-sounds-${language}-gsm-current.tar.gz.`,
    )
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap(line => {
      const [, name, text = ''] = /^([\w/-]+?)(?:\.wav)?: (.*)$/.exec(line) ?? []
      const wav = join(sounds, folder, `${name}.wav`)
      if (text.split(' ').length < 4 || /[^\p{L}\s.,;:!?'’-]/u.test(text) || !existsSync(wav)) return []
      const samples = trimmed(readWav(wav))
      const pace = samples.length / promptRate / text.replace(/\P{L}/gu, '').length
      if (pace < paces.min || pace > paces.max) return []
      return [{ text: text.replace(/^[\s.]+/, '').replace(/\s+/g, ' '), samples }]
    })
}

/** Samples after the header of 44 bytes, which all of them have. */
function readWav(file: string): Int16Array {
  const bytes = readFileSync(file).subarray(44)
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)))
}

function trimmed(samples: Int16Array): Int16Array {
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  const isLoud = (sample: number) => Math.abs(sample) > silenceShare * loudest
  return samples.slice(samples.findIndex(isLoud), samples.findLastIndex(isLoud) + 1)
}
