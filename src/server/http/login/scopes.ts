// The scopes of a login, and the table of what each tool and each method needs.
import { messagesIn } from '../messages.ts'

export const scopes = ['transcripts:read', 'transcripts:write', 'speech:spend'] as const
export type Scope = (typeof scopes)[number]

const [read, write] = scopes

/**
 * No words, titles or names leave without `read`, nothing is changed without `write`, and nothing is sent to a provider
 * without `spend`. A tool that is missing here needs all three.
 */
export const scopesOfTools: Readonly<Record<string, readonly Scope[]>> = {
  transcribe_audio: scopes,
  diarize_audio: scopes,
  format_text: scopes,
  get_transcript: [read],
  get_clip: [read],
  show_transcript: [read],
  search_transcripts: [read],
  find_recordings: [read],
  request_upload: [read, write],
  export_transcript: [read, write],
  update_transcript: [read, write],
  cancel_transcription: [read, write],
  delete_transcript: [read, write],
}

/** The other methods that reach an owner's transcripts. All others are lists that are the same for everybody. */
export const scopesOfMethods: Readonly<Record<string, readonly Scope[]>> = {
  'resources/list': [read],
  'resources/read': [read],
  'resources/subscribe': [read],
  'subscriptions/listen': [read],
  'prompts/get': [read],
  'completion/complete': [read],
}

/** A stream that is resumed repeats answers, whatever they were. */
const resumed: readonly Scope[] = [read]

/** The scopes that a request needs: `body` is a message, or a batch, or undefined if there is none. */
export function neededScopes(body: unknown, isResumed: boolean): Scope[] {
  const needed = messagesIn(body).flatMap(({ method, params }) =>
    method === 'tools/call' ? scopesOfTool(params?.name) : own(scopesOfMethods, method),
  )
  return [...new Set([...needed, ...(isResumed ? resumed : [])])]
}

export function scopesOfTool(name: unknown): readonly Scope[] {
  const needed = own(scopesOfTools, name)
  return needed.length > 0 ? needed : scopes
}

/** Not what objects inherit, such as `constructor`. */
function own(table: Readonly<Record<string, readonly Scope[]>>, name: unknown): readonly Scope[] {
  return typeof name === 'string' && Object.hasOwn(table, name) ? table[name]! : []
}

/** As identity providers write them: `scope` or `scp`, a list or a text with blanks. */
export function grantedScopes({ scope, scp }: Record<string, unknown>): Set<string> {
  const words = [scope, scp].flatMap(claim => (typeof claim === 'string' ? claim.split(' ') : claim))
  return new Set(words.filter((word): word is string => typeof word === 'string' && word !== ''))
}
