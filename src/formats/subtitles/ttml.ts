// Subtitle format TTML, the W3C's Timed Text Markup Language, in the part that all of its profiles share.

import type { Transcript } from '../../domain/transcript.ts'
import { mapInTurns } from '../../domain/waiting/turns.ts'
import { escapeXml } from '../xml.ts'
import { type Cue, type CueLine, cues } from './cues.ts'
import { presets, type SubtitleOptions } from './presets.ts'
import { clockTime } from './text.ts'

/** Names are in the text. https://www.w3.org/TR/ttml2/ */
export async function ttml(transcript: Transcript, options: SubtitleOptions = {}): Promise<string> {
  const { highlights } = presets[options.preset ?? 'default']
  const paragraphs = await mapInTurns(await cues(transcript, { ...options, namesInText: true }), cue => {
    const lines = cue.lines.map(line => (highlights ? litWords(line, cue) : escapeXml(line.text)))
    return `      <p begin="${clockTime(cue.start, '.')}" end="${clockTime(cue.end, '.')}">${lines.join('<br/>')}</p>`
  })
  return `${[head(transcript), ...paragraphs].join('\n')}\n    </div>\n  </body>\n</tt>\n`
}

function head({ title, language = '' }: Transcript): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xmlns:tts="http://www.w3.org/ns/ttml#styling" ttp:timeBase="media" xml:lang="${escapeXml(language)}">
  <head>
    <metadata><ttm:title>${escapeXml(title)}</ttm:title></metadata>
    <styling><style xml:id="text" tts:color="white" tts:textAlign="center"/></styling>
    <layout><region xml:id="bottom" tts:origin="10% 80%" tts:extent="80% 15%" tts:displayAlign="after"/></layout>
  </head>
  <body region="bottom" style="text">
    <div>`
}

/** Each word changes its colour at its time, which counts from the beginning of the paragraph. */
function litWords({ prefix, words }: CueLine, { start }: Cue): string {
  const parts = words.map(word => {
    const text = word.text.trimEnd()
    const begin = (word.start - start).toFixed(3)
    const space = word.text.slice(text.length)
    return `<span><set begin="${begin}s" tts:color="yellow"/>${escapeXml(text)}</span>${space}`
  })
  return `${escapeXml(prefix)}${parts.join('')}`.trimEnd()
}
