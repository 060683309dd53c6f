// Id of a job: a hash of everything that its words depend on, so that the same request always finds the same job.
import { createHash, type Hash } from 'node:crypto'
import type { Job } from '../../domain/job.ts'
import { languageHint } from '../../domain/languages.ts'
import type { Identity } from '../../pipeline/source/source.ts'

/** Leaves out what changes no word: the title, the path, and whether the text is formatted. */
export function jobId(
  { tool, owner, request, models }: Pick<Job, 'owner' | 'tool' | 'request' | 'models'>,
  { content }: Pick<Identity, 'content'>,
): string {
  // A language without a model hint changes no word, only the warning to the reader.
  const language = languageHint(request.language).code ?? request.language?.trim().toLowerCase() ?? ''
  const context = request.context?.trim() ?? ''
  const words = request.timestamps === 'word'
  const speakers = tool === 'diarize_audio' ? [request.speakers ?? 0] : []
  const track = request.track?.trim().toLowerCase()
  const tracks = track ? [{ track }] : []
  const facts = JSON.stringify([
    owner,
    tool,
    content,
    ...models,
    language,
    context,
    words,
    ...speakers,
    ...tracks,
  ])
  return `tr_${idOf(createHash('sha256').update(facts))}`
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** The part of an id behind its first letters. */
export function idOf(facts: Hash): string {
  return [...facts.digest().subarray(0, 16)].map(byte => alphabet[byte & 31]).join('')
}
