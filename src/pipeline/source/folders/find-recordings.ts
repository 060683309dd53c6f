// Finds recordings in the allowed folders, newest first.
import { realpath } from 'node:fs/promises'
import { resolvePath } from '../paths.ts'
import { ensureFolder, maxDepth as maxNamedDepth } from './list-recordings.ts'
import { type FoundRecording, keepOne, type WalkedRecording, walkFolders } from './walk.ts'

export interface RecordingQuery {
  /** Words of the name and its folders, in any order; case and accents are ignored. Absent or without a word: every name. */
  query?: string
  /** Looks in this folder only. */
  folder?: string
  limit: number
  signal: AbortSignal
}

/** The default folder is a whole home, so the search is bounded in depth, folders and time. */
const maxDepth = 6
const maxSearchMs = 3_000

/**
 * Resolves with the newest recordings. Skips entries that cannot be read or are not reached in time. Throws the
 * signal's reason, and the errors of a `folder` that may not or cannot be read.
 */
export async function findRecordings(
  allowedDirs: string[],
  { query = '', folder, limit, signal }: RecordingQuery,
): Promise<FoundRecording[]> {
  signal.throwIfAborted()
  const words = plain(query).split(' ').filter(Boolean)
  /** By real path: a file and the links to it are one recording. */
  const found = new Map<string, FoundRecording>()
  let isOver = false
  // A folder on a lost network never answers, so the deadline does not wait for the walk.
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(maxSearchMs)])
  const ended = new Promise<void>(end => deadline.addEventListener('abort', () => end(), { once: true }))
  const search = async () => {
    const roots =
      folder === undefined ? await realFolders(allowedDirs) : [await namedFolder(folder, allowedDirs)]
    await walkFolders(roots, {
      allowedDirs: folder === undefined ? roots : allowedDirs,
      maxDepth,
      isOver: () => isOver,
      isWanted: inside => words.every(word => plain(inside).includes(word)),
      onFound({ inside: _, isLink: __, ...recording }) {
        if (recording.bytes > 0) found.set(recording.path, recording)
      },
    })
  }
  await Promise.race([search(), ended])
  isOver = true
  signal.throwIfAborted()
  return [...found.values()].sort(newestFirst).slice(0, limit)
}

/**
 * Resolves with all recordings of a folder, however long that takes: a part of them would look as if others were gone.
 * Throws the signal's reason, even where a disk never answers, and the errors of a folder that may not be read.
 */
export async function recordingsOf(
  allowedDirs: string[],
  { folder, recursive, signal }: { folder: string; recursive: boolean; signal: AbortSignal },
): Promise<WalkedRecording[]> {
  signal.throwIfAborted()
  const found = new Map<string, WalkedRecording>()
  let onAbort = () => {}
  const stopped = new Promise<never>((_, fail) => {
    onAbort = () => fail(signal.reason)
  })
  signal.addEventListener('abort', onAbort, { once: true })
  const look = async () => {
    await walkFolders([await namedFolder(folder, allowedDirs)], {
      allowedDirs,
      maxDepth: recursive ? maxNamedDepth : 0,
      isOver: () => signal.aborted,
      isWanted: () => true,
      onFound: recording => keepOne(found, recording),
    })
  }
  await Promise.race([look(), stopped]).finally(() => signal.removeEventListener('abort', onAbort))
  return [...found.values()]
}

async function realFolders(folders: string[]): Promise<string[]> {
  const real = await Promise.all(folders.map(folder => realpath(folder).catch(() => [])))
  return [...new Set(real.flat())]
}

async function namedFolder(folder: string, allowedDirs: string[]): Promise<string> {
  const path = await resolvePath(folder, allowedDirs)
  await ensureFolder(path)
  return path
}

/** Letters and digits without case and accents; anything between them becomes one space. */
function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
}

function newestFirst(a: FoundRecording, b: FoundRecording): number {
  return Date.parse(b.modifiedAt) - Date.parse(a.modifiedAt) || (a.path < b.path ? -1 : 1)
}
