// Output formats of a transcript.
import type { Transcript } from '../domain/transcript.ts'
import { json } from './json.ts'
import { markdown } from './markdown.ts'
import { srt, vtt } from './subtitles.ts'
import { plainText } from './text.ts'

export interface OutputFormat {
  mimeType: string
  render(transcript: Transcript): Promise<string>
}

export const outputFormats = {
  txt: { mimeType: 'text/plain', render: async transcript => `${plainText(transcript)}\n` },
  md: { mimeType: 'text/markdown', render: async transcript => markdown(transcript) },
  json: { mimeType: 'application/json', render: json },
  srt: { mimeType: 'application/x-subrip', render: srt },
  vtt: { mimeType: 'text/vtt', render: vtt },
} as const satisfies Record<string, OutputFormat>

export type FormatName = keyof typeof outputFormats
export const formatNames = Object.keys(outputFormats) as FormatName[]

export function isFormatName(name: string): name is FormatName {
  return Object.hasOwn(outputFormats, name)
}
