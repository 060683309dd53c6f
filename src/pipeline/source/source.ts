// Turns what the caller named (a path, an address, a data: URI) into a local file that may be read.
import { stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { SpeechError } from '../../domain/errors.ts'
import type { Downloader, ObjectStorage } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { contentHash, textHash } from '../audio/fingerprint.ts'
import { endIsMissing } from './cut-off.ts'
import { describeFileError, resolvePath } from './paths.ts'

export interface Source {
  /** Absolute path of a regular file inside an allowed folder or the scratch folder. */
  file: string
  /** What to call the recording when nobody gave it a title. */
  name: string
  bytes: number
  /** True where the container itself shows that its end is missing. */
  cutOff: boolean
}

export interface SourcePorts {
  downloader: Downloader
  /** Where recordings lie that other machines have sent. */
  blobs?: Pick<ObjectStorage, 'recordings'>
  /** Folders that paths may point into. */
  allowedDirs: string[]
  maxDownloadBytes: number
}

/** 1 MB of base64 and its media type: more would mean that a model typed a recording out. */
const maxDataUri = 1_400_000

/** What was named, as it can be worked on later and in another process. */
export interface Identity {
  /** The real path, the address or the data: URI. */
  audio: string
  /** The same for the same recording. */
  content: string
  /** Set where the bytes themselves were hashed. */
  hash?: string
  /** False where nobody knows whether the content at an address is still the same. */
  certain: boolean
  bytes?: number
}

type Hands = Pick<Run, 'signal' | 'checkpoints'>

/** Says which recording is meant, without working on it. Throws `SpeechError` that says which other way works, where this one does not. */
export async function identify(audio: string, ports: SourcePorts, hands: Hands): Promise<Identity> {
  const given = audio.trim()
  if (given === '')
    throw new SpeechError('BAD_INPUT', 'No recording was named.', {
      hint: 'Give `audio` as a path or an https:// address.',
    })
  if (/^data:/i.test(given)) {
    const bytes = readDataUri(given)
    const hash = textHash(bytes)
    return { audio: given, content: `bytes:${hash}`, hash, certain: true, bytes: bytes.length }
  }
  if (/^https?:\/\//i.test(given)) {
    const { downloader, maxDownloadBytes } = ports
    const said = await downloader.identify(given, { maxBytes: maxDownloadBytes, signal: hands.signal })
    const content = `address:${textHash(given, '\0', said ?? '')}`
    return { audio: given, content, certain: said !== undefined }
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(given) && !/^(?:file|sandbox|attachment):/i.test(given))
    throw new SpeechError('BAD_INPUT', 'Addresses of this kind are not fetched.', {
      hint: 'Give a path or an https:// address.',
    })
  const file = await resolvePath(given, ports.allowedDirs)
  const { bytes } = await describe(file, basename(file))
  const hash = await hashOf(file, hands)
  return { audio: file, content: `bytes:${hash}`, hash, certain: true, bytes }
}

/** Opens what `identify` has named; `hash` is what its bytes must be, `recording` where another machine has laid the file. */
export async function openSource(
  { audio, hash, recording }: { audio: string; hash?: string; recording?: string },
  ports: SourcePorts,
  run: Run,
): Promise<Source> {
  if (/^data:/i.test(audio)) return describe(await writeDataUri(audio, run), 'recording')
  if (/^https?:\/\//i.test(audio)) return fetchUrl(audio, ports, run)
  if (recording !== undefined) return fetchRecording({ audio, hash, recording }, ports, run)
  const source = await describe(audio, basename(audio))
  // It may be long ago that it was ordered: what is found under its path now may be another recording.
  if (hash !== undefined && (await hashOf(audio, run)) !== hash)
    throw new SpeechError('RECORDING_CHANGED', 'The file is no longer the one that was ordered.', {
      hint: 'Order it again to have it heard as it is now.',
    })
  return source
}

async function hashOf(file: string, { checkpoints, signal }: Hands): Promise<string> {
  try {
    return await contentHash(file, checkpoints, signal)
  } catch (error) {
    signal.throwIfAborted()
    throw describeFileError(error)
  }
}

async function fetchRecording(
  { audio, hash, recording }: { audio: string; hash: string | undefined; recording: string },
  { blobs }: SourcePorts,
  run: Run,
): Promise<Source> {
  if (!blobs?.recordings)
    throw new SpeechError('RECORDING_LOST', 'This worker has no bucket to fetch the recording from.', {
      hint: 'Set OSS_BUCKET and its key for each worker as for the servers, then call again.',
    })
  const file = join(await run.scratch(), 'recording')
  await blobs.recordings.download(recording, file, {
    signal: run.signal,
    onBytes: (done, total) => run.progress({ done: 0, message: fetching(done, total) }),
  })
  const source = await describe(file, basename(audio))
  if (hash !== undefined && (await hashOf(file, run)) !== hash)
    throw new SpeechError(
      'RECORDING_LOST',
      'What lies in the bucket is not the recording that was ordered.',
      {
        hint: 'Call again with the recording to have it heard.',
      },
    )
  return source
}

function fetching(done: number, total: number | undefined): string {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
  return `Fetching: ${megabytes(done)}${total ? ` of ${megabytes(total)}` : ''}`
}

async function fetchUrl(url: string, ports: SourcePorts, run: Run): Promise<Source> {
  const file = join(await run.scratch(), 'download')
  await ports.downloader.download(url, file, {
    maxBytes: ports.maxDownloadBytes,
    signal: run.signal,
    onBytes: (done, total) => run.progress({ done: 0, message: fetching(done, total) }),
  })
  const name = decodeName(basename(new URL(url).pathname))
  return describe(file, name || new URL(url).hostname)
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

function readDataUri(uri: string): Buffer {
  if (uri.length > maxDataUri)
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

async function writeDataUri(uri: string, run: Run): Promise<string> {
  const file = join(await run.scratch(), 'inline')
  await writeFile(file, readDataUri(uri)).catch(error => {
    throw describeFileError(error)
  })
  return file
}

async function describe(file: string, name: string): Promise<Source> {
  try {
    const info = await stat(file)
    if (info.isDirectory())
      throw new SpeechError('NOT_A_FILE', 'The path is a folder.', { hint: 'Name one recording in it.' })
    if (!info.isFile())
      throw new SpeechError('NOT_A_FILE', 'The path is a device or a pipe, not a file.', {
        hint: 'Save the recording to a file first.',
      })
    if (info.size === 0)
      throw new SpeechError('EMPTY_FILE', 'The file is empty.', {
        hint: 'Check that the recording was saved or copied completely.',
      })
    return { file, name, bytes: info.size, cutOff: await endIsMissing(file, info.size) }
  } catch (error) {
    throw describeFileError(error)
  }
}
