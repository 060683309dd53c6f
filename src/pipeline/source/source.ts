// Turns the `audio` argument (a path, a URL, a data: URI, an upload) into a local file that may be read.
import { stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { SpeechError } from '../../domain/errors.ts'
import type { PipelineRequest } from '../../domain/job.ts'
import type { Downloader } from '../../domain/network/downloader.ts'
import { type UploadSource, uploadAddress } from '../../domain/network/uploads.ts'
import type { ObjectStorage } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { contentHash, textHash } from '../audio/fingerprint.ts'
import type { Voice } from '../voices/voice.ts'
import { type Container, readContainer } from './container.ts'
import { writeMended } from './mend.ts'
import { parseSource, readDataUri } from './parse-source.ts'
import { describeFileError, resolvePath } from './paths.ts'

export interface Source extends Partial<Container> {
  /** Absolute path of a regular file inside an allowed folder, or in the data folder. */
  file: string
  /** Name of the recording, the default title. */
  name: string
  bytes: number
  /** True for a copy that is read instead of a file whose lengths were wrong. */
  isMended?: boolean
  /** The part of it that is heard; absent: the track that ffmpeg takes, mixed to one channel. */
  voice?: Voice
}

export interface SourcePorts {
  downloader: Downloader
  /** Holds recordings that other machines have uploaded. */
  objectStorage?: Pick<ObjectStorage, 'recordings'>
  /** Recordings that were uploaded over HTTP; absent where nothing can be. */
  uploads?: UploadSource | undefined
  /** Folders that paths may point into. */
  allowedDirs: string[]
  maxDownloadBytes: number
}

/** A recording in a form that another process can open later. */
export interface Identity {
  /** The real path, the URL, the data: URI, or the address of an upload. */
  audio: string
  /** Equal for equal recordings. */
  content: string
  /** SHA-256 of the bytes, where they were read. */
  hash?: string
  /** False where the content at a URL may have changed since. */
  certain: boolean
  bytes?: number
}

/** All that opening a recording needs of a run. */
export type SourceRun = Pick<Run, 'owner' | 'signal' | 'scratch' | 'checkpoints' | 'progress'>
type IdentifyRun = Pick<Run, 'owner' | 'signal' | 'checkpoints'>
type OpenRun = Pick<Run, 'signal' | 'scratch'>

/** Identifies the recording without processing it. Throws `SpeechError` with a hint that names an alternative. */
export async function identify(audio: string, ports: SourcePorts, run: IdentifyRun): Promise<Identity> {
  const source = parseSource(audio.trim())
  if (source.kind === 'data') {
    const bytes = readDataUri(source.uri)
    const hash = textHash(bytes)
    return { audio: source.uri, content: `bytes:${hash}`, hash, certain: true, bytes: bytes.length }
  }
  if (source.kind === 'url') {
    const { url } = source
    const { downloader, maxDownloadBytes } = ports
    const version = await downloader.identify(url, { maxBytes: maxDownloadBytes, signal: run.signal })
    const content = `address:${textHash(url, '\0', version ?? '')}`
    return { audio: url, content, certain: version !== undefined }
  }
  if (source.kind === 'upload') {
    const { id, hash, bytes } = await uploadsOf(ports).find(run.owner, source.id)
    return { audio: uploadAddress(id), content: `bytes:${hash}`, hash, certain: true, bytes }
  }
  const file = await resolvePath(source.path, ports.allowedDirs)
  const bytes = await sizeOf(file)
  const hash = await hashOf(file, run)
  return { audio: file, content: `bytes:${hash}`, hash, certain: true, bytes }
}

/** Opens a recording that was identified before. Throws `SpeechError` where its bytes do not have the request's hash. */
export async function openSource(
  { audio, hash, recording }: Pick<PipelineRequest, 'audio' | 'hash' | 'recording'>,
  ports: SourcePorts,
  run: SourceRun,
): Promise<Source> {
  return withMended(await localSource(parseSource(audio, recording), hash, ports, run), run)
}

/** Opens a file as `openSource` does, whatever folder it is in. */
export async function openLocal(file: string, run: OpenRun): Promise<Source> {
  return withMended(await statSource(file, basename(file)), run)
}

async function withMended({ mended, ...source }: Source, run: OpenRun): Promise<Source> {
  if (!mended) return source
  const file = await writeMended(source.file, mended, run).catch(error => {
    run.signal.throwIfAborted()
    throw describeFileError(error)
  })
  return { ...source, file, isMended: true }
}

async function localSource(
  source: ReturnType<typeof parseSource>,
  hash: string | undefined,
  ports: SourcePorts,
  run: SourceRun,
): Promise<Source> {
  switch (source.kind) {
    case 'data':
      return statSource(await writeDataUri(source.uri, run), 'recording')
    case 'url':
      return fetchUrl(source.url, ports, run)
    case 'upload': {
      const { file, name } = await uploadsOf(ports).open(run.owner, source.id, run)
      return openFile(file, name, hash, run)
    }
    case 'bucket':
      return fetchRecording(source, hash, ports, run)
    case 'path':
      return openFile(source.path, basename(source.path), hash, run)
  }
}

/** Path of a recording that lies on this machine: of a path, or of an upload. */
export async function localFile(
  audio: string,
  ports: Pick<SourcePorts, 'uploads'>,
  run: OpenRun & Pick<Run, 'owner'>,
): Promise<string> {
  const source = parseSource(audio)
  if (source.kind === 'data') return writeDataUri(source.uri, run)
  if (source.kind !== 'upload') return audio
  return (await uploadsOf(ports).open(run.owner, source.id, run)).file
}

/** Throws `UPLOAD_NOT_FOUND` where nothing can be uploaded. */
export function uploadsOf({ uploads }: Pick<SourcePorts, 'uploads'>): UploadSource {
  if (uploads) return uploads
  throw new SpeechError('UPLOAD_NOT_FOUND', 'This server takes no uploads.', {
    hint: 'Give a path or an https:// URL; uploads go to `speech-mcp http`.',
  })
}

async function openFile(
  path: string,
  name: string,
  hash: string | undefined,
  run: SourceRun,
): Promise<Source> {
  const source = await statSource(path, name)
  // The request may be old: the path may lead to another recording by now.
  if (hash !== undefined && (await hashOf(path, run)) !== hash)
    throw new SpeechError('RECORDING_CHANGED', 'The file has changed since the request was made.', {
      hint: 'Send the request again to transcribe the current file.',
    })
  return source
}

async function hashOf(file: string, { checkpoints, signal }: Omit<IdentifyRun, 'owner'>): Promise<string> {
  try {
    return await contentHash(file, checkpoints, signal)
  } catch (error) {
    signal.throwIfAborted()
    throw describeFileError(error)
  }
}

async function fetchRecording(
  { key, path }: { key: string; path: string },
  hash: string | undefined,
  { objectStorage }: SourcePorts,
  run: SourceRun,
): Promise<Source> {
  if (!objectStorage?.recordings)
    throw new SpeechError('RECORDING_LOST', 'This worker has no bucket to fetch the recording from.', {
      hint: 'Set OSS_BUCKET and its key on each worker as on the servers, then call again.',
    })
  const file = join(await run.scratch(), 'recording')
  await objectStorage.recordings.download(key, file, fetchOptions(run))
  const source = await statSource(file, basename(path))
  if (hash !== undefined && (await hashOf(file, run)) !== hash)
    throw new SpeechError('RECORDING_LOST', 'The object in the bucket is not the requested recording.', {
      hint: 'Call again with the recording to upload it again.',
    })
  return source
}

function fetchOptions({ signal, progress }: Pick<Run, 'signal' | 'progress'>) {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
  const onBytes = (done: number, total?: number) =>
    progress({ done: 0, message: `Fetching: ${megabytes(done)}${total ? ` of ${megabytes(total)}` : ''}` })
  return { signal, onBytes }
}

async function fetchUrl(url: string, ports: SourcePorts, run: SourceRun): Promise<Source> {
  const file = join(await run.scratch(), 'download')
  await ports.downloader.download(url, file, { maxBytes: ports.maxDownloadBytes, ...fetchOptions(run) })
  const name = decodeName(basename(new URL(url).pathname))
  return statSource(file, name || new URL(url).hostname)
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** Writes it into the scratch folder. */
export async function writeDataUri(uri: string, run: Pick<Run, 'scratch'>): Promise<string> {
  const file = join(await run.scratch(), 'inline')
  await writeFile(file, readDataUri(uri), { mode: 0o600 }).catch(error => {
    throw describeFileError(error)
  })
  return file
}

async function statSource(file: string, name: string): Promise<Source> {
  const bytes = await sizeOf(file)
  const container = await readContainer(file, bytes).catch(error => {
    throw describeFileError(error)
  })
  return { file, name, bytes, ...container }
}

/** In bytes. */
async function sizeOf(file: string): Promise<number> {
  const info = await stat(file).catch(error => {
    throw describeFileError(error)
  })
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
  return info.size
}
