// Tool arguments that several tools share.
import * as z from 'zod/v4'
import { presetNames } from '../formats/subtitles/presets.ts'
import { transcriptIdOf } from './uris.ts'

/** Also accepts the transcript's URI, because results contain both. */
export const transcriptId = z
  .string()
  .min(1)
  .max(100)
  .overwrite(given => transcriptIdOf(given) ?? given)
  .describe('Transcript id (tr_…)')

/** Arguments of the tools that take a recording. */
export const recording = {
  audio: z
    .string()
    .describe(
      'A file path on the server’s machine, an https:// URL, or a data: URI up to 1 MB. Files attached to a chat are invisible to the server',
    ),
  language: z
    .string()
    .max(60)
    .optional()
    .describe('ISO code or English name. Omit to detect it, also if it changes'),
  // A number is taken too, as models send one.
  track: z.coerce.string().optional().describe('Audio track: number, language or all. Default: every voice'),
  context: z.string().max(10_000).optional().describe('Names and terms to expect'),
  format: z.boolean().optional().describe('Also add punctuation and paragraphs; words stay unchanged'),
  allow_unsaved: z.boolean().optional().describe('Go ahead even if nothing can be stored'),
  title: z.string().max(200).optional().describe('Default: the file name'),
}

export const waitSeconds = z
  .number()
  .int()
  .min(0)
  .max(240)
  .optional()
  .describe('Seconds to wait. Omit for the server’s default')

export const offset = z.number().int().min(0).max(1e9).default(0).describe('next_offset of the previous page')

export const limitOf = (max: number) =>
  z.number().int().min(1).max(max).default(10).describe('Maximum number')

export const preset = z.enum(presetNames).optional().describe('Rules for subtitles')
