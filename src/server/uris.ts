// Resource URIs of transcripts and of parts of them, and the URL of the server itself.
import { parseTime } from '../domain/format-time.ts'
import { formatNames } from '../formats/index.ts'
import { isPresetName, type PresetName } from '../formats/subtitles/presets.ts'

/** Of the readable transcript, of its files, and of its sound. */
export const templateUris = {
  transcript: 'transcript://{id}',
  file: 'transcript://{id}/{format}',
  clip: 'transcript://{id}/audio{?from,to}',
}

export function transcriptUri(id: string): string {
  return `transcript://${id}`
}

/** All URIs of a transcript: the readable one, and one for each format. */
export function transcriptUris(id: string): string[] {
  const uri = transcriptUri(id)
  return [uri, ...formatNames.map(format => `${uri}/${format}`)]
}

/** The id in a transcript URI; undefined if the URI is invalid or its format is unknown. */
export function transcriptIdOf(uri: string): string | undefined {
  const id = /^transcript:\/\/([^/?#]+)/.exec(uri)?.[1]
  return id !== undefined && transcriptUris(id).includes(uri) ? id : undefined
}

/** Splits `?preset=…` off the URI of a file. Another query stays, so that the URI is not found. */
export function splitPreset(uri: string): { file: string; preset?: PresetName } {
  const [, file, preset] = /^([^?]+)\?preset=(\w+)$/.exec(uri) ?? []
  return file !== undefined && preset !== undefined && isPresetName(preset) ? { file, preset } : { file: uri }
}

/** The part of a recording that a link names; times are NaN where they are none. */
export interface PartUri {
  id: string
  /** `at`: the text from there; `clip`: the sound between two times. */
  kind: 'at' | 'clip'
  from: number
  to?: number
}

/** A quote is cited with the second at which it begins, and heard by the times of a clip. Undefined for other URIs. */
export function partUriOf(uri: string): PartUri | undefined {
  const [, id, path, query] = /^transcript:\/\/([^/?#]+)(\/audio)?(?:\?([^#]*))?$/.exec(uri) ?? []
  if (id === undefined || (path === undefined && query === undefined)) return undefined
  const times = new URLSearchParams(query)
  const names = path === undefined ? ['t'] : ['from', 'to']
  if ([...times.keys()].some(name => !names.includes(name))) return undefined
  const timeOf = (name: string) => parseTime(times.get(name) ?? '')
  if (path === undefined) return { id, kind: 'at', from: timeOf('t') }
  const from = times.has('from') ? timeOf('from') : 0
  return { id, kind: 'clip', from, ...(times.has('to') && { to: timeOf('to') }) }
}

export function clipUri(id: string, from: number, to?: number): string {
  return `${transcriptUri(id)}/audio?from=${from}${to === undefined ? '' : `&to=${to}`}`
}

/** The address at which a client reaches this server, also through a proxy that says so; undefined over stdio. */
export function serverUrlOf(request: Request | undefined): string | undefined {
  if (!request) return undefined
  const { host, protocol } = new URL(request.url)
  const said = schemeSaidBy(request.headers.get('x-forwarded-proto'))
  return `${said ? `${said}:` : protocol}//${host}`
}

/** The scheme that the client has used, by the first proxy's header `X-Forwarded-Proto`. */
export function schemeSaidBy(forwarded: string | string[] | null | undefined): 'http' | 'https' | undefined {
  const [said] = /^\s*https?(?=\s*(?:,|$))/i.exec(String(forwarded ?? '')) ?? []
  return said?.trim().toLowerCase() as 'http' | 'https' | undefined
}
