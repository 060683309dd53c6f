// Subtitle formats SRT and WebVTT.
import type { Transcript } from '../../domain/transcript.ts'
import { cues } from './cues.ts'

export async function srt(transcript: Transcript): Promise<string> {
  return (await cues(transcript, { namesInText: true }))
    .map(
      ({ start, end, lines }, i) =>
        `${i + 1}\n${formatTimestamp(start, ',')} --> ${formatTimestamp(end, ',')}\n${withoutArrows(lines)}\n`,
    )
    .join('\n')
}

/** https://www.w3.org/TR/webvtt1/: `&` and `<` are markup; an unclosed voice tag spans the rest of its cue. */
export async function vtt(transcript: Transcript): Promise<string> {
  const body = (await cues(transcript)).map(({ start, end, lines, speaker }) => {
    const voice = speaker === undefined ? '' : `<v ${escapeMarkup(speaker).replaceAll('>', '&gt;')}>`
    return `${formatTimestamp(start, '.')} --> ${formatTimestamp(end, '.')}\n${voice}${escapeMarkup(withoutArrows(lines))}\n`
  })
  return ['WEBVTT\n', ...body].join('\n')
}

function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

/** Replaces arrows, which parsers would take for a line of times. */
function withoutArrows(lines: string[]): string {
  return lines.join('\n').replaceAll('-->', '→')
}

function formatTimestamp(time: number, separator: ',' | '.'): string {
  const milliseconds = Math.round(time * 1000)
  const part = (divisor: number, modulus: number, width: number) =>
    String(Math.floor(milliseconds / divisor) % modulus).padStart(width, '0')
  return `${part(3_600_000, 100, 2)}:${part(60_000, 60, 2)}:${part(1000, 60, 2)}${separator}${part(1, 1000, 3)}`
}
