// Output formats of a transcript: one table for tools, resources and the command line.
import type { Transcript } from '../domain/transcript.ts'
import type { SubtitleOptions } from './subtitles/presets.ts'

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

type Writers = typeof import('./writers.ts')

/** With the first file that is written: the list of tools needs the names alone. */
const written =
  <Result>(
    write: (writers: Writers, transcript: Transcript, options?: SubtitleOptions) => Result | Promise<Result>,
  ) =>
  async (transcript: Transcript, options?: SubtitleOptions): Promise<Result> =>
    write(await import('./writers.ts'), transcript, options)

const checkWithNames = written(({ checkSubtitles }, transcript, options) =>
  checkSubtitles(transcript, { ...options, namesInText: true }),
)

export const outputFormats = {
  txt: {
    title: 'plain text',
    extension: 'txt',
    mimeType: 'text/plain',
    render: written(async ({ renderPlainText }, transcript) => `${await renderPlainText(transcript)}\n`),
  },
  md: {
    title: 'Markdown',
    extension: 'md',
    mimeType: 'text/markdown',
    render: written(({ markdown }, transcript) => markdown(transcript)),
  },
  json: {
    title: 'JSON',
    extension: 'json',
    mimeType: 'application/json',
    render: written(({ json }, transcript) => json(transcript)),
  },
  srt: {
    title: 'SubRip subtitles',
    extension: 'srt',
    mimeType: 'application/x-subrip',
    render: written(({ srt }, ...given) => srt(...given)),
    check: checkWithNames,
  },
  vtt: {
    title: 'WebVTT subtitles, names as voice tags',
    extension: 'vtt',
    mimeType: 'text/vtt',
    render: written(({ vtt }, ...given) => vtt(...given)),
    check: written(({ checkSubtitles }, ...given) => checkSubtitles(...given)),
  },
  'vtt-names': {
    title: 'WebVTT subtitles, names in the text',
    extension: 'vtt',
    mimeType: 'text/vtt',
    render: written(({ vttWithNames }, ...given) => vttWithNames(...given)),
    check: checkWithNames,
  },
  ass: {
    title: 'ASS subtitles',
    extension: 'ass',
    mimeType: 'text/x-ssa',
    render: written(({ ass }, ...given) => ass(...given)),
    check: written(({ checkSubtitles }, transcript, options) =>
      checkSubtitles(transcript, { ...options, namesInText: true, stepMs: 10 }),
    ),
  },
  ttml: {
    title: 'TTML subtitles',
    extension: 'ttml',
    mimeType: 'application/ttml+xml',
    render: written(({ ttml }, ...given) => ttml(...given)),
    check: checkWithNames,
  },
  docx: {
    title: 'Word document',
    extension: 'docx',
    mimeType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    render: written(({ docx }, transcript) => docx(transcript)),
  },
  csv: {
    title: 'table of segments',
    extension: 'csv',
    mimeType: 'text/csv',
    render: written(({ csv }, transcript) => csv(transcript)),
  },
  'csv-words': {
    title: 'table of words',
    extension: 'csv',
    mimeType: 'text/csv',
    render: written(({ csvWords }, transcript) => csvWords(transcript)),
  },
  rttm: {
    title: 'speaker turns for scoring',
    extension: 'rttm',
    mimeType: 'text/plain',
    render: written(({ rttm }, transcript) => rttm(transcript)),
  },
  ctm: {
    title: 'words for scoring',
    extension: 'ctm',
    mimeType: 'text/plain',
    render: written(({ ctm }, transcript) => ctm(transcript)),
  },
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
