// Arguments that several tools take, described once.
import * as z from 'zod/v4'
import { transcriptIdOf } from './uris.ts'

/** Its address is taken for it: results have both. */
export const transcriptId = z
  .string()
  .min(1)
  .max(100)
  .overwrite(given => transcriptIdOf(given) ?? given)
  .describe('The id of the transcript (tr_…)')

/** What a tool takes that is given a recording. */
export const recording = {
  audio: z
    .string()
    .describe(
      'The recording: a path on the machine the server runs on, an https:// address, or a data: URI of at most 1 MB. Files attached to a chat are not visible to the server',
    ),
  language: z
    .string()
    .max(60)
    .optional()
    .describe('ISO code or English name of the language; leave out to detect it, also where it changes'),
  format: z.boolean().optional().describe('Also make it readable: punctuation, paragraphs; the words stay'),
  title: z.string().max(200).optional().describe('What to call the transcript; otherwise the file name'),
}

export const waitSeconds = z
  .number()
  .int()
  .min(0)
  .max(240)
  .optional()
  .describe('How long to wait for the end; leave out for the usual time')

export const offset = z
  .number()
  .int()
  .min(0)
  .max(1e9)
  .default(0)
  .describe('Where the page begins: next_offset of the page before')

/** How many of what is listed to give. */
export const limitOf = (most: number) =>
  z.number().int().min(1).max(most).default(10).describe('How many to list')
