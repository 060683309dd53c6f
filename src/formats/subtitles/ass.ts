// Subtitle format ASS (Advanced SubStation Alpha 4+), which can light up each word.

import type { Transcript } from '../../domain/transcript.ts'
import { mapInTurns } from '../../domain/waiting/turns.ts'
import { type Cue, type CueLine, cues } from './cues.ts'
import { presets, type SubtitleOptions } from './presets.ts'
import { withoutMarks } from './text.ts'

/** Names are in the text, as players show the field for them nowhere. */
export async function ass(transcript: Transcript, options: SubtitleOptions = {}): Promise<string> {
  const preset = options.preset ?? 'default'
  const { highlights } = presets[preset]
  const all = await cues(transcript, { preset, namesInText: true, stepMs: 10 })
  const events = await mapInTurns(all, cue => {
    const texts = highlights ? litLines(cue) : cue.lines.map(line => withoutMarks(line.text))
    return `Dialogue: 0,${assTime(cue.start)},${assTime(cue.end)},Default,,0,0,0,,${texts.join('\\N')}`
  })
  return [head(oneLine(transcript.title), highlights), ...events, ''].join('\n')
}

/**
 * Colours are `&HAABBGGRR`; a word has the second one until it is spoken. Encoding -1 lets libass order Hebrew and Arabic
 * words over the whole line, also where tags for each word part it. Wrap style 2 breaks lines at `\N` alone.
 */
function head(title: string, highlights: boolean): string {
  const [said, unsaid] = highlights ? ['&H0000FFFF', '&H00FFFFFF'] : ['&H00FFFFFF', '&H000000FF']
  return `[Script Info]
Title: ${title}
ScriptType: v4.00+
WrapStyle: 2
ScaledBorderAndShadow: yes
PlayResX: 1920
PlayResY: 1080

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,64,${said},${unsaid},&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,3,1,2,60,60,54,-1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text`
}

/** `\k` counts hundredths of a second, each from the end of the one before it. */
function litLines(cue: Cue): string[] {
  let at = Math.round(cue.start * 100)
  const waitUntil = (seconds: number) => {
    const wait = Math.max(0, Math.round(seconds * 100) - at)
    at += wait
    return wait > 0 ? `{\\k${wait}}` : ''
  }
  return cue.lines.map(({ prefix, words }: CueLine) => {
    const parts = words.map((word, i) => {
      const wait = waitUntil(word.start)
      const until = Math.max(word.end, words[i + 1]?.start ?? 0)
      const lasts = Math.max(0, Math.round(until * 100) - at)
      at += lasts
      return `${wait}{\\k${lasts}}${withoutMarks(word.text)}`
    })
    return `${withoutMarks(prefix)}${parts.join('')}`.trimEnd()
  })
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}

/** `1:02:03.45` */
function assTime(seconds: number): string {
  const hundredths = Math.round(seconds * 100)
  const two = (value: number) => String(value).padStart(2, '0')
  const [h, m, s] = [
    Math.floor(hundredths / 360_000),
    Math.floor(hundredths / 6000) % 60,
    Math.floor(hundredths / 100) % 60,
  ]
  return `${h}:${two(m)}:${two(s)}.${two(hundredths % 100)}`
}
