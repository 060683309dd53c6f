// Makes dual-channel recordings from the fixtures with ffmpeg.
import { fixture, type Truth, truth } from '../e2e/system.ts'
import { makeAudio } from './make-audio.ts'

const files = { interview: 'interview.mp3', meeting: 'meeting.m4a' }

export interface DualChannelSpec {
  fixture: keyof typeof files
  left: readonly string[]
  right: readonly string[]
  /** Length; absent: the whole fixture. */
  seconds?: number
}

/** Splits the speakers of a fixture over two channels; a channel is silent while the speakers of the other speak. */
export async function makeDualChannel(
  folder: string,
  name: string,
  call: DualChannelSpec,
  filter = '',
): Promise<string> {
  const only = (speakers: readonly string[]) =>
    `volume=0:enable='not(${stretches(truth(call.fixture), speakers)})'`
  // The volume is set once for each 10 ms.
  const mono = 'aresample=16000,aformat=channel_layouts=mono,asetnsamples=160'
  const graph = [
    `[0:a]${mono},asplit[a][b]`,
    `[a]${only(call.left)}[l]`,
    `[b]${only(call.right)}[r]`,
    `[l][r]join=inputs=2:channel_layout=stereo${filter && `,${filter}`}`,
  ]
  const length = call.seconds === undefined ? [] : ['-t', String(call.seconds)]
  const input = ['-i', fixture(files[call.fixture])]
  return makeAudio(folder, name, [...input, '-filter_complex', graph.join(';'), ...length])
}

/** The turns of these speakers as an ffmpeg expression, with margins for the ends of words. */
function stretches({ words }: Truth, speakers: readonly string[]): string {
  const spans: [number, number][] = []
  for (const [i, { speaker, start, end }] of words.entries()) {
    if (!speakers.includes(speaker)) continue
    const last = spans.at(-1)
    if (last && speakers.includes(words[i - 1]!.speaker)) last[1] = end
    else spans.push([start, end])
  }
  return spans.map(([start, end]) => `between(t,${start - 0.15},${end + 0.15})`).join('+')
}

/** A filter that mixes each channel into the other, this many decibels lower. */
export function crosstalk(decibels: number): string {
  const gain = 10 ** (-decibels / 20)
  return `pan=stereo|c0=c0+${gain}*c1|c1=c1+${gain}*c0`
}
