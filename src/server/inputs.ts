// Tool arguments that several tools share.
import * as z from 'zod/v4'
import { presetNames } from '../formats/subtitles/presets.ts'
import { partUriOf, transcriptIdOf } from './uris.ts'

/** Also accepts the transcript's URI, because results contain both, and the link of a quote. */
export const transcriptId = z
  .string()
  .min(1)
  .max(100)
  .overwrite(given => transcriptIdOf(given) ?? partUriOf(given)?.id ?? given)
  .describe('tr_…')

/** A file of a chat, as ChatGPT hands it over: https://developers.openai.com/apps-sdk/reference (openai/fileParams). */
export const chatFile = z
  .object({
    download_url: z.string(),
    file_id: z.string(),
    mime_type: z.string().optional(),
    file_name: z.string().optional(),
  })
  .optional()
  .describe('Instead of audio: a file of the chat')

export type ChatFile = z.output<typeof chatFile>

/** The same arguments, where the host may hand over a file of the chat instead of `audio`. */
export function orChatFile(input: z.ZodObject): z.ZodObject {
  return input.extend({ audio: recording.audio.optional(), file: chatFile })
}

/** Arguments of the tools that take a recording. */
export const recording = {
  audio: z
    .string()
    .describe(
      'Path on the server’s machine (files attached to a chat are not there), https:// URL, or data: URI up to 1 MB. A batch: a folder, or several, one a line',
    ),
  language: z.string().max(60).optional().describe('ISO code or English name. Omit to detect it'),
  track: z.string().optional().describe('Number, language or all. Default: every voice'),
  context: z.string().max(10_000).optional().describe('Names and terms to expect'),
  format: z.boolean().optional().describe('Also add punctuation and paragraphs, as format_text'),
  allow_unsaved: z.boolean().optional().describe('Go ahead even if nothing can be stored'),
  confirm_usd: z.number().min(0).optional().describe('Amount the user agreed to for a planned batch'),
  title: z.string().max(200).optional().describe('Default: the file name'),
}

export const waitSeconds = z.number().int().min(0).max(240).optional().describe('Usually omitted')

/** Of a stretch, in seconds. */
export const from = z.number().min(0).optional().describe('Start, in seconds')
export const to = z.number().min(0).optional().describe('End, in seconds')

export const offset = z.number().int().min(0).max(1e9).default(0).describe('next_offset of the page before')

export const limitOf = (max: number) => z.number().int().min(1).max(max).default(10).describe('Default: 10')

export const preset = z.enum(presetNames).optional().describe('Rules for subtitles')
