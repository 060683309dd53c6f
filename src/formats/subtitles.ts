// The two subtitle formats, SRT and WebVTT, from the same cues.
import type { Transcript } from '../domain/transcript.ts'
import { cues } from './cues.ts'

export function srt(transcript: Transcript): string {
  return cues(transcript, { namesInText: true })
    .map(
      ({ start, end, lines }, i) =>
        `${i + 1}\n${stamp(start, ',')} --> ${stamp(end, ',')}\n${arrowless(lines)}\n`,
    )
    .join('\n')
}

/** https://www.w3.org/TR/webvtt1/: `&` and `<` are markup in cue text; a voice that is not closed goes to the end of its cue. */
export function vtt(transcript: Transcript): string {
  const body = cues(transcript).map(({ start, end, lines, speaker }) => {
    const voice = speaker === undefined ? '' : `<v ${escapeMarkup(speaker).replaceAll('>', '&gt;')}>`
    return `${stamp(start, '.')} --> ${stamp(end, '.')}\n${voice}${escapeMarkup(arrowless(lines))}\n`
  })
  return ['WEBVTT\n', ...body].join('\n')
}

function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

/** An arrow in the text would read as a line of times. */
function arrowless(lines: string[]): string {
  return lines.join('\n').replaceAll('-->', '→')
}

function stamp(time: number, mark: ',' | '.'): string {
  const milliseconds = Math.round(time * 1000)
  const part = (divisor: number, modulus: number, width: number) =>
    String(Math.floor(milliseconds / divisor) % modulus).padStart(width, '0')
  return `${part(3_600_000, 100, 2)}:${part(60_000, 60, 2)}:${part(1000, 60, 2)}${mark}${part(1, 1000, 3)}`
}
