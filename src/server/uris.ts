// The addresses of transcripts as resources.
import { formatNames } from '../formats/index.ts'

export function transcriptUri(id: string): string {
  return `transcript://${id}`
}

/** All addresses of a transcript: the readable one, and one for each format. */
export function transcriptUris(id: string): string[] {
  const uri = transcriptUri(id)
  return [uri, ...formatNames.map(format => `${uri}/${format}`)]
}

/** The id in an address of a transcript; undefined where it is none, or one in no format we have. */
export function transcriptIdOf(uri: string): string | undefined {
  const id = /^transcript:\/\/([^/?#]+)/.exec(uri)?.[1]
  return id !== undefined && transcriptUris(id).includes(uri) ? id : undefined
}
