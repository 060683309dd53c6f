// Lists the recordings that several sources name: folders, files and addresses, each recording once.
import { stat } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import { type FinishedUpload, uploadAddress } from '../../../domain/network/uploads.ts'
import { withoutQuotes } from '../../../domain/text.ts'
import { parseSource } from '../parse-source.ts'
import { describeFileError, resolvePath } from '../paths.ts'
import { keepOne, type WalkedRecording, walkFolders } from './walk.ts'

export interface ListedRecording {
  /** Real path, URL or data: URI, as `audio` takes it. */
  audio: string
  /** Path from the folder that was named, else the name of the file or the address. */
  name: string
  /** The path or address as given, or a path in a given folder. */
  given: string
  /** Absent for an address. */
  bytes?: number
}

export interface UnreadableSource {
  /** The path or address as given, or a path in a given folder. */
  given: string
  error: SpeechError
}

export interface RecordingList {
  /** In the order of the sources, those of a folder by name. */
  recordings: ListedRecording[]
  unreadable: UnreadableSource[]
}

export interface ListOptions {
  allowedDirs: string[]
  signal: AbortSignal
  /** Finds an upload by its id. */
  upload(id: string): Promise<FinishedUpload>
  /** False: only the files that are directly in a folder. */
  recursive?: boolean
  /** Throws `TOO_LARGE` beyond this. Default: no limit. */
  maxRecordings?: number
}

/** Deeper folders than people make. */
export const maxDepth = 32

/**
 * Lists without opening any file. A source that cannot be read is reported, with the path as it was given; the only one
 * is thrown. Throws `TOO_LARGE`, `FILE_NOT_FOUND` for folders without a recording, or the signal's reason.
 */
export async function listRecordings(sources: string[], options: ListOptions): Promise<RecordingList> {
  const { signal, maxRecordings = Number.POSITIVE_INFINITY } = options
  const found = new Map<string, ListedRecording>()
  const unreadable: UnreadableSource[] = []
  for (const given of sources) {
    try {
      const listed = await listSource(given, found.size, options)
      for (const each of listed.recordings) if (!found.has(each.audio)) found.set(each.audio, each)
      unreadable.push(...listed.unreadable)
    } catch (error) {
      signal.throwIfAborted()
      if (sources.length === 1 || isTooMany(error)) throw error
      unreadable.push({ given: withoutQuotes(given), error: asSpeechError(error) })
    }
    if (found.size > maxRecordings) throw tooMany(maxRecordings)
  }
  return { recordings: [...found.values()], unreadable }
}

/**
 * The sources that one argument names: a folder, or several lines with a path or an address each. Undefined for a single
 * recording, also one that may not be read or has a line break in its name.
 */
export async function sourcesIn(given: string, allowedDirs: string[]): Promise<string[] | undefined> {
  const text = given.trim()
  if (/^data:/i.test(text)) return undefined
  const lines = text.split(/[\r\n]+/).filter(line => line.trim() !== '')
  const isAddress = /^(?:https?|upload):/i.test(text)
  const kind = isAddress ? undefined : await kindOf(text, allowedDirs)
  if (kind === 'folder') return [text]
  return kind === undefined && lines.length > 1 ? lines : undefined
}

/** Undefined for a path that leads nowhere, or where nothing may be read. */
async function kindOf(path: string, allowedDirs: string[]): Promise<'folder' | 'other' | undefined> {
  try {
    return (await stat(await resolvePath(path, allowedDirs))).isDirectory() ? 'folder' : 'other'
  } catch {
    return undefined
  }
}

/** `path` is real. Throws `BAD_INPUT` for a file. */
export async function ensureFolder(path: string): Promise<void> {
  const info = await stat(path).catch(error => {
    throw describeFileError(error)
  })
  if (!info.isDirectory())
    throw new SpeechError('BAD_INPUT', 'The path is no folder.', { hint: 'Name a folder, or omit it.' })
}

async function listSource(given: string, before: number, options: ListOptions): Promise<RecordingList> {
  const source = parseSource(given.trim())
  const one = (recording: Omit<ListedRecording, 'given'>) => ({
    recordings: [{ ...recording, given: withoutQuotes(given) }],
    unreadable: [],
  })
  if (source.kind === 'data') return one({ audio: source.uri, name: 'recording' })
  if (source.kind === 'url') return one({ audio: source.url, name: nameOfUrl(source.url) })
  if (source.kind === 'upload') {
    const { id, name, bytes } = await options.upload(source.id)
    return one({ audio: uploadAddress(id), name, bytes })
  }
  const path = await resolvePath(source.path, options.allowedDirs)
  const info = await stat(path).catch(error => {
    throw describeFileError(error)
  })
  if (!info.isDirectory()) return one({ audio: path, name: basename(path), bytes: info.size })
  return listFolder(path, before, options)
}

async function listFolder(
  folder: string,
  before: number,
  { allowedDirs, signal, recursive = true, maxRecordings = Number.POSITIVE_INFINITY }: ListOptions,
): Promise<RecordingList> {
  const found = new Map<string, WalkedRecording>()
  const unreadable: UnreadableSource[] = []
  const isFull = () => before + found.size > maxRecordings
  const isWhole = await walkFolders([folder], {
    allowedDirs,
    maxDepth: recursive ? maxDepth : 0,
    isOver: () => signal.aborted || isFull(),
    isWanted: () => true,
    onFound: recording => keepOne(found, recording),
    onUnreadable: (path, error) => unreadable.push({ given: path, error: asSpeechError(error) }),
  })
  signal.throwIfAborted()
  if (isFull() || (recursive && !isWhole)) throw tooMany(maxRecordings)
  if (found.size + unreadable.length === 0)
    throw new SpeechError('FILE_NOT_FOUND', 'The folder has no recording.', {
      hint: 'Name another folder; recordings are known by endings such as m4a, mp3, wav or mp4.',
    })
  const recordings = [...found.values()].map(({ path, inside, bytes }) => ({
    audio: path,
    given: join(folder, inside),
    name: inside.split(sep).join('/'),
    bytes,
  }))
  return { recordings: recordings.sort(byName), unreadable }
}

const inNumericOrder = new Intl.Collator('en', { numeric: true }).compare

/** Names that differ only in their Unicode form are equal for a collator. */
function byName(a: ListedRecording, b: ListedRecording): number {
  return inNumericOrder(a.name, b.name) || (a.name < b.name ? -1 : 1)
}

function nameOfUrl(url: string): string {
  try {
    const { pathname, hostname } = new URL(url)
    return decodeURIComponent(basename(pathname)) || hostname
  } catch {
    return 'recording'
  }
}

function asSpeechError(error: unknown): SpeechError {
  return isSpeechError(error) ? error : describeFileError(error)
}

function tooMany(max: number): SpeechError {
  const count = Number.isFinite(max) ? `more than ${max} recordings` : 'more folders than can be read at once'
  return new SpeechError('TOO_LARGE', `There are ${count}.`, {
    hint: 'Name one of the folders inside, or fewer recordings, and the others in a second call.',
  })
}

const isTooMany = (error: unknown) => isSpeechError(error) && error.code === 'TOO_LARGE'
