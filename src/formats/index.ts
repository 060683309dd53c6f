// Output formats of a transcript: one table for tools, resources and the command line.
import type { Transcript } from '../domain/transcript.ts'
import { csv, csvWords } from './csv.ts'
import { docx } from './documents/docx.ts'
import { json } from './json.ts'
import { markdown } from './markdown.ts'
import { ctm, rttm } from './scoring.ts'
import { ass } from './subtitles/ass.ts'
import { checkSubtitles } from './subtitles/check.ts'
import type { SubtitleOptions } from './subtitles/presets.ts'
import { srt, vtt, vttWithNames } from './subtitles/srt-vtt.ts'
import { ttml } from './subtitles/ttml.ts'
import { renderPlainText } from './text.ts'

export interface OutputFormat {
  /** Names the format to people. */
  title: string
  /** Of its files, without a dot. A file name chooses the first format that has its extension. */
  extension: string
  mimeType: string
  /** Returns the text of the file, or its bytes where the format is binary. Formats without cues ignore the options. */
  render(transcript: Transcript, options?: SubtitleOptions): Promise<string | Uint8Array>
  /** Of subtitles: lists each cue that breaks a rule of its preset, and why. */
  check?(transcript: Transcript, options?: SubtitleOptions): Promise<string[]>
}

const checkWithNames = (transcript: Transcript, options?: SubtitleOptions) =>
  checkSubtitles(transcript, { ...options, namesInText: true })

export const outputFormats = {
  txt: {
    title: 'plain text',
    extension: 'txt',
    mimeType: 'text/plain',
    render: async transcript => `${await renderPlainText(transcript)}\n`,
  },
  md: {
    title: 'Markdown',
    extension: 'md',
    mimeType: 'text/markdown',
    render: transcript => markdown(transcript),
  },
  json: { title: 'JSON', extension: 'json', mimeType: 'application/json', render: json },
  srt: {
    title: 'SubRip subtitles',
    extension: 'srt',
    mimeType: 'application/x-subrip',
    render: srt,
    check: checkWithNames,
  },
  vtt: {
    title: 'WebVTT subtitles, names as voice tags',
    extension: 'vtt',
    mimeType: 'text/vtt',
    render: vtt,
    check: checkSubtitles,
  },
  'vtt-names': {
    title: 'WebVTT subtitles, names in the text',
    extension: 'vtt',
    mimeType: 'text/vtt',
    render: vttWithNames,
    check: checkWithNames,
  },
  ass: {
    title: 'ASS subtitles',
    extension: 'ass',
    mimeType: 'text/x-ssa',
    render: ass,
    check: (transcript, options) => checkSubtitles(transcript, { ...options, namesInText: true, stepMs: 10 }),
  },
  ttml: {
    title: 'TTML subtitles',
    extension: 'ttml',
    mimeType: 'application/ttml+xml',
    render: ttml,
    check: checkWithNames,
  },
  docx: {
    title: 'Word document',
    extension: 'docx',
    mimeType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    render: docx,
  },
  csv: { title: 'table of segments', extension: 'csv', mimeType: 'text/csv', render: csv },
  'csv-words': { title: 'table of words', extension: 'csv', mimeType: 'text/csv', render: csvWords },
  rttm: {
    title: 'speaker turns for scoring',
    extension: 'rttm',
    mimeType: 'text/plain',
    render: transcript => rttm(transcript),
  },
  ctm: { title: 'words for scoring', extension: 'ctm', mimeType: 'text/plain', render: ctm },
} as const satisfies Record<string, OutputFormat>

export type FormatName = keyof typeof outputFormats
export const formatNames = Object.keys(outputFormats) as FormatName[]

export function isFormatName(name: string): name is FormatName {
  return Object.hasOwn(outputFormats, name)
}

/** Returns the format of a file with this extension, in any case and without its dot; undefined if there is none. */
export function formatOfExtension(extension: string): FormatName | undefined {
  return formatNames.find(name => outputFormats[name].extension === extension.toLowerCase())
}

/** Renders a transcript in a format of the table, as text or as the bytes of a binary file. */
export function renderFormat(
  transcript: Transcript,
  format: FormatName,
  options?: SubtitleOptions,
): Promise<string | Uint8Array> {
  const { render }: OutputFormat = outputFormats[format]
  return render(transcript, options)
}

/** Lists the cues that break a rule of their preset; empty for a format without cues. */
export async function checkFormat(
  transcript: Transcript,
  format: FormatName,
  options?: SubtitleOptions,
): Promise<string[]> {
  const { check }: OutputFormat = outputFormats[format]
  return (await check?.(transcript, options)) ?? []
}
