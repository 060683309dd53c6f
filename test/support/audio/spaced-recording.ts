// Makes a recording of passages with long silences between them: each passage is a chunk of its own.
import { fixture, truth } from '../e2e/system.ts'
import { makeAudio } from './make-audio.ts'

export interface SpacedRecording {
  file: string
  /** The text of each passage, in order. */
  texts: string[]
  /** When each passage begins, in seconds. */
  starts: number[]
}

const minPassageSeconds = 7
/** Longer than the 20 seconds of silence after which a chunk ends. */
const endingSilenceSeconds = 21
const marginSeconds = 0.2

/** Makes a recording of the first passages of the meeting, split at pauses. */
export async function makeSpacedRecording(
  folder: string,
  count: number,
  name = 'passages.flac',
  silenceSeconds = endingSilenceSeconds,
): Promise<SpacedRecording> {
  const { words } = truth('meeting')
  const parts: { from: number; to: number; text: string }[] = []
  let first = 0
  for (let i = 0; i + 1 < words.length && parts.length < count; i++) {
    const pause = words[i + 1]!.start - words[i]!.end
    if (pause < 0.5 || words[i]!.end - words[first]!.start < minPassageSeconds) continue
    const text = words
      .slice(first, i + 1)
      .map(word => word.text)
      .join(' ')
    parts.push({
      from: Math.max(0, words[first]!.start - marginSeconds),
      to: words[i]!.end + marginSeconds,
      text,
    })
    first = i + 1
  }
  const takes = parts.map(({ from, to }, i) => {
    const range = `atrim=${from.toFixed(3)}:${to.toFixed(3)},asetpts=PTS-STARTPTS`
    return `[s${i}]${range},apad=pad_len=${silenceSeconds * 16_000}[p${i}]`
  })
  const labels = (prefix: string) => parts.map((_, i) => `[${prefix}${i}]`).join('')
  const graph = [
    `[0:a]aresample=16000,aformat=channel_layouts=mono,asplit=${parts.length}${labels('s')}`,
    ...takes,
    `${labels('p')}concat=n=${parts.length}:v=0:a=1`,
  ].join(';')
  const args = ['-i', fixture('meeting.m4a'), '-filter_complex', graph, '-c:a', 'flac']
  const file = await makeAudio(folder, name, args)
  let at = 0
  const starts = parts.map(({ from, to }) => {
    const start = at + marginSeconds
    at += to - from + silenceSeconds
    return start
  })
  return { file, texts: parts.map(({ text }) => text), starts }
}
