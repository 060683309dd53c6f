// Title of a transcript: the one given, or the file name without its extension.
import type { TranscriptionRequest } from '../../domain/job.ts'
import { oneLine } from '../../domain/text.ts'
import type { Source } from './source.ts'

export function titleOf({ title }: TranscriptionRequest, { name }: Source): string {
  return oneLine(title ?? '') || oneLine(name.replace(/\.[^.\s]{1,5}$/, '')) || 'recording'
}
