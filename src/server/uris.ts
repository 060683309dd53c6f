// Resource URIs of transcripts, and the URL of the server itself.
import { formatNames } from '../formats/index.ts'
import { isPresetName, type PresetName } from '../formats/subtitles/presets.ts'

/** Of the readable transcript, and of its files. */
export const templateUris = { transcript: 'transcript://{id}', file: 'transcript://{id}/{format}' }

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

/** The address at which a client reaches this server, also through a proxy that says so; undefined over stdio. */
export function serverUrlOf(request: Request | undefined): string | undefined {
  if (!request) return undefined
  const { host, protocol } = new URL(request.url)
  const said = request.headers.get('x-forwarded-proto')?.split(',')[0]?.trim()
  return `${said === 'https' ? 'https:' : protocol}//${host}`
}
