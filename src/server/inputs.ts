// Arguments that several tools take, described once.
import * as z from 'zod/v4'

export const transcriptId = z.string().min(1).max(100).describe('The id of the transcript (tr_…)')

export const waitSeconds = z
  .number()
  .int()
  .min(0)
  .max(240)
  .optional()
  .describe('How long to wait for the end before answering with what is there; leave out for the usual time')

/** How many of what is listed to give. */
export const limitOf = (most: number) =>
  z.number().int().min(1).max(most).default(10).describe('How many to list')
