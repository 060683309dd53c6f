// Parses the `audio` argument: a path, an http(s) URL, a data: URI, an upload, or a file that lies in the bucket.
import { SpeechError } from '../../domain/errors.ts'
import { uploadIdIn } from '../../domain/network/uploads.ts'

export type DirectSource =
  | { kind: 'path'; path: string }
  | { kind: 'url'; url: string }
  | { kind: 'data'; uri: string }
  | { kind: 'upload'; id: string }

/** `bucket`: another machine has uploaded the file at `path` under `key`. */
export type ParsedSource = DirectSource | { kind: 'bucket'; path: string; key: string }

/** 1 MB of base64 and its media type; a longer URI means that a model typed out a recording. */
const maxDataUriChars = 1_400_000

/** `recordingKey`: key of the file in the bucket, where another machine has uploaded it. Throws `BAD_INPUT`. */
export function parseSource(audio: string): DirectSource
export function parseSource(audio: string, recordingKey: string | undefined): ParsedSource
export function parseSource(audio: string, recordingKey?: string): ParsedSource {
  if (audio === '')
    throw new SpeechError('BAD_INPUT', 'The argument `audio` is empty.', {
      hint: 'Give `audio` as a path or an https:// URL.',
    })
  if (/^data:/i.test(audio)) return { kind: 'data', uri: audio }
  if (/^https?:\/\//i.test(audio)) return { kind: 'url', url: audio }
  const upload = uploadIdIn(audio)
  if (upload !== undefined && recordingKey === undefined) return { kind: 'upload', id: upload }
  if (recordingKey !== undefined) return { kind: 'bucket', path: audio, key: recordingKey }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(audio) && !/^(?:file|sandbox|attachment):/i.test(audio))
    throw new SpeechError('BAD_INPUT', 'URLs of this scheme are not supported.', {
      hint: 'Give a path or an https:// URL.',
    })
  return { kind: 'path', path: audio }
}

export function readDataUri(uri: string): Buffer {
  if (uri.length > maxDataUriChars)
    throw new SpeechError('TOO_LARGE', 'A data: URI may hold at most 1 MB.', {
      hint: 'Save the recording to a file and give its path.',
    })
  const found = /^data:([^,]*?)(;base64)?,(.*)$/is.exec(uri)
  const payload = found?.[3]?.replace(/\s+/g, '')
  if (!found?.[2] || !payload || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(payload))
    throw new SpeechError('BAD_INPUT', 'The data: URI is not base64.', {
      hint: 'Write it as data:audio/…;base64,… or give a path.',
    })
  return Buffer.from(payload, 'base64')
}
