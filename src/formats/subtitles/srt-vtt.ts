// Subtitle formats SRT and WebVTT.

import type { Transcript } from '../../domain/transcript.ts'
import { mapInTurns } from '../../domain/waiting/turns.ts'
import { type Cue, type CueLine, cues } from './cues.ts'
import { presets, type SubtitleOptions } from './presets.ts'
import { clockTime, withoutMarks } from './text.ts'

/** Names are in the text. Words light up in no player, so that highlighting presets only choose the cues. */
export async function srt(transcript: Transcript, options?: SubtitleOptions): Promise<string> {
  const all = await cues(transcript, { ...options, namesInText: true })
  const blocks = await mapInTurns(all, ({ start, end, lines }, i) => {
    const text = lines.map(line => escapeSrt(line.text)).join('\n')
    return `${i + 1}\n${clockTime(start, ',')} --> ${clockTime(end, ',')}\n${text}\n`
  })
  return blocks.join('\n')
}

/**
 * A word joiner behind `<`: players take `< b and c >` for a tag, and show the rest alone (mpv 0.35, VLC 3.0, GStreamer
 * 1.22). `&` has no meaning in SRT.
 */
function escapeSrt(text: string): string {
  return withoutMarks(text).replaceAll('<', '<\u2060')
}

/** Names are voice tags. https://www.w3.org/TR/webvtt1/: an unclosed voice tag spans the rest of its cue. */
export function vtt(transcript: Transcript, options?: SubtitleOptions): Promise<string> {
  return renderVtt(transcript, options, false)
}

/** Names are in the text: GStreamer 1.22 shows no picture during cues with voice tags. */
export function vttWithNames(transcript: Transcript, options?: SubtitleOptions): Promise<string> {
  return renderVtt(transcript, options, true)
}

async function renderVtt(
  transcript: Transcript,
  options: SubtitleOptions = {},
  namesInText: boolean,
): Promise<string> {
  const { highlights } = presets[options.preset ?? 'default']
  const body = await mapInTurns(await cues(transcript, { ...options, namesInText }), cue => {
    const { start, end, lines } = cue
    const litWords = createHighlighter(cue)
    const texts = lines.map((line, i) => {
      const voice = namesInText || line.speaker === undefined ? '' : `<v ${voiceName(line.speaker)}>`
      // A second speaker ends the first one's voice; a second line of one speaker is within it.
      const isNew = i === 0 || line.speaker !== lines[i - 1]!.speaker
      const text = highlights ? litWords(line) : escapeVtt(line.text)
      return `${isNew ? voice : ''}${text}${voice && lines[i + 1] && lines[i + 1]!.speaker !== line.speaker ? '</v>' : ''}`
    })
    return `${clockTime(start, '.')} --> ${clockTime(end, '.')}\n${texts.join('\n')}\n`
  })
  return ['WEBVTT\n', ...body].join('\n')
}

/**
 * Each word lights up at its time; Chromium colours `:past` only for text in an element of its own. The page has the style:
 * ffmpeg up to 5.1, and mpv with it, read no cue behind a style block.
 */
function createHighlighter({ start, end }: Cue): (line: CueLine) => string {
  let last = start
  return ({ prefix, words }) => {
    const parts = words.map(word => {
      const text = escapeVtt(word.text.trimEnd())
      const space = word.text.slice(word.text.trimEnd().length)
      // A time must be within its cue, its ends excluded, and later than the one before it.
      const at = Math.min(Math.max(word.start, start + 0.001), end - 0.001)
      const time = at > last ? `<${clockTime(at, '.')}>` : ''
      last = Math.max(last, at)
      return `${time}<c>${text}</c>${space}`
    })
    return `${escapeVtt(prefix)}${parts.join('')}`.trimEnd()
  }
}

function escapeVtt(text: string): string {
  return withoutMarks(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** ffmpeg shows the rest of a name behind an escape, so that full-width forms stand for the marks of markup. */
function voiceName(name: string): string {
  return name.replaceAll('&', '＆').replaceAll('<', '＜').replaceAll('>', '＞').replace(/\s+/g, ' ')
}
