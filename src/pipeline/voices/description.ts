// Reads the audio tracks of a file from ffmpeg's description of it.
import { languageCode } from '../../domain/languages.ts'
import { oneLine } from '../../domain/text.ts'
import { headerDuration } from '../audio/decode-warnings.ts'

export interface Track {
  /** From 1, among the audio tracks. */
  number: number
  /** Number of the stream in the file. */
  stream: number
  /** 0 where the file does not say. */
  channels: number
  /** True where the file says for which loudspeakers they are. */
  hasLayout: boolean
  /** The channel of the subwoofer by that layout, from 0: a mix of ffmpeg leaves it out. */
  lowChannel?: number
  /** True for samples finer than 16 bits, without loss. */
  isFine: boolean
  /** ISO code. */
  language?: string
  /** One line. Absent where it is the name of the program that wrote it. */
  title?: string
  /** True for a commentary, a description of the picture, and the like: an addition to another track. */
  isAside: boolean
}

export interface Description {
  tracks: Track[]
  /** The stream that ffmpeg takes; undefined where it takes none. */
  stream?: number
  /** Seconds, by the header. */
  duration?: number
}

const maxTitleCharacters = 60
const genericTitle =
  /handler|core media|iso ?media|gpac|bento4|l-smash|^(?:simple_aac_recording|audio|sound|track|stream|mono|stereo|surround)?[ _#-]*\d*$/i
const asideDispositions =
  /\((?:comment|lyrics|karaoke|hearing impaired|visual impaired|clean effects|descriptions)\)/
const asideTitle = /\b(?:commentar|comments?\b|descripti(?:on|ve)|audio ?des[ck]|visually impaired)/i
const layoutChannels: Record<string, number> = {
  mono: 1,
  stereo: 2,
  downmix: 2,
  binaural: 2,
  quad: 4,
  hexagonal: 6,
  octagonal: 8,
  cube: 8,
  hexadecagonal: 16,
}
/** No layout, or one whose loudspeakers above the listener older versions leave out of the mix. */
const unmixedLayout = /^(?:\d+ channels$|cube|hexadecagonal)/
const fineSamples = /: (?:pcm_[sf](?:24|32|64)\w*|(?:flac|alac|wavpack|tta|ape)\b.*, (?:s32|flt)p?\b)/

/** True once ffmpeg has described the whole input and begins to decode it. */
export function isDescribed(stderr: string): boolean {
  return /^Output #0/m.test(stderr)
}

export function readDescription(stderr: string): Description {
  const [input = ''] = stderr.split(/^Stream mapping:|^Output #0/m)
  const [, ...streams] = input.split(/^(?= +Stream #0:\d)/m)
  const audio = streams.filter(text => /^.*: Audio: /.test(text))
  const stream = /^ {2}Stream #0:(\d+) -> #0:0/m.exec(stderr)?.[1]
  return {
    tracks: audio.map((text, i) => readTrack(text, i + 1, stderr)),
    ...(stream !== undefined && { stream: Number(stream) }),
    duration: headerDuration(stderr),
  }
}

/** `text` is the line of the stream, `Stream #0:1[0x21](eng): Audio: aac (LC), 48000 Hz, stereo, fltp`, and its metadata. */
function readTrack(text: string, number: number, stderr: string): Track {
  const [line = '', ...metadata] = text.split('\n')
  const [, stream, tag = ''] = /#0:(\d+)(?:\[\w+\])?(?:\(([\w-]+)\))?/.exec(line)!
  const entryOf = (name: string) =>
    metadata.map(each => new RegExp(`^ +${name} *: (.*)`, 'i').exec(each)?.[1]).find(Boolean) ?? ''
  const title = [entryOf('title'), entryOf('handler_name')].map(readTitle).find(Boolean)
  const language = tag === 'und' ? undefined : (languageCode(tag) ?? (tag || undefined))
  return {
    number,
    stream: Number(stream),
    ...readChannels(line, stream!, stderr),
    isFine: fineSamples.test(line),
    ...(language && { language }),
    ...(title && { title }),
    isAside: asideDispositions.test(line) || asideTitle.test(title ?? ''),
  }
}

function readTitle(given: string): string {
  const title = [...oneLine(given)].slice(0, maxTitleCharacters).join('').trim()
  return genericTitle.test(title) ? '' : title
}

/**
 * The part after the rate is a layout (`5.1(side)`), a count (`10 channels`) or both (`3 channels (FL+FR+LFE)`). ffmpeg
 * tells where it guesses a layout.
 */
function readChannels(
  line: string,
  stream: string,
  stderr: string,
): Pick<Track, 'channels' | 'hasLayout' | 'lowChannel'> {
  const layout = / Hz, ([^,]+)/.exec(line)?.[1]?.trim() ?? ''
  const count = /^(\d+) channels/.exec(layout)?.[1]
  const [sum] = /^\d+(?:\.\d+)+/.exec(layout) ?? []
  const order = Number(/^ambisonic (\d+)/.exec(layout)?.[1])
  if (order > 0) return { channels: (order + 1) ** 2, hasLayout: false }
  const named = /\(([A-Z]+(?:\+[A-Z]+)+)\)/.exec(layout)?.[1]?.split('+').indexOf('LFE') ?? -1
  const low = named >= 0 ? named : /^2\.1\b/.test(layout) ? 2 : /^\d+\.[12]\b/.test(layout) ? 3 : undefined
  const channels = layoutChannels[/^\w+/.exec(layout)?.[0] ?? ''] ?? Number(count ?? 0)
  const guess = new RegExp(
    `Guessed Channel Layout for Input Stream #0\\.${stream} |aist#0:${stream}/.*Guessed Channel`,
  )
  return {
    channels: sum ? sum.split('.').reduce((total, part) => total + Number(part), 0) : channels,
    hasLayout: !unmixedLayout.test(layout) && !guess.test(stderr),
    ...(low !== undefined && { lowChannel: low }),
  }
}
