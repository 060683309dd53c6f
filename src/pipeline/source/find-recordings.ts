// Finds recordings in the allowed folders, newest first.
import type { Dirent } from 'node:fs'
import { opendir, realpath, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import pLimit from 'p-limit'
import { recordingEndings } from '../audio/formats.ts'
import { resolvePath } from './paths.ts'

export interface FoundRecording {
  /** Real path, as `audio` takes it. */
  path: string
  name: string
  bytes: number
  /** ISO 8601, UTC. */
  modifiedAt: string
}

export interface RecordingQuery {
  /** Words of the name, in any order; case and accents are ignored. Absent or without a word: every name. */
  query?: string
  limit: number
  signal: AbortSignal
}

/** Folders that programs manage, not people. */
const ignoredFolders =
  /^(?:\..*|node_modules|caches?|__pycache__|site-packages|venv|\$recycle\.bin|system volume information|.*\.(?:app|framework|photoslibrary))$/i
/** Ignored only directly in an allowed folder, which may be a home; deeper down a person may have chosen the name. */
const ignoredHomeFolders = /^(?:library|appdata|application data|snap|go)$/i

/** The default folder is a whole home, so the search is bounded in depth, folders and time. */
const maxDepth = 6
const maxFolders = 20_000
const maxSearchMs = 3_000
/** Folders, and files of one folder, that are read at once. */
const folderConcurrency = 8
const fileBatchSize = 64

/**
 * Resolves with the newest recordings. Skips entries that cannot be read or are not reached in time. Throws the
 * signal's reason.
 */
export async function findRecordings(
  allowedDirs: string[],
  query: RecordingQuery,
): Promise<FoundRecording[]> {
  const { limit, signal } = query
  signal.throwIfAborted()
  const search = openSearch(query)
  // A folder on a lost network never answers, so the deadline does not wait for the walk.
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(maxSearchMs)])
  const ended = new Promise<void>(end => deadline.addEventListener('abort', () => end(), { once: true }))
  await Promise.race([walk(allowedDirs, search), ended])
  search.over = true
  signal.throwIfAborted()
  return [...search.found.values()].sort(newestFirst).slice(0, limit)
}

interface Search {
  roots: string[]
  /** By real path: a file and the links to it are one recording. */
  found: Map<string, FoundRecording>
  matches(name: string): boolean
  over: boolean
}

function openSearch({ query = '' }: RecordingQuery): Search {
  const words = plain(query).split(' ').filter(Boolean)
  const matches = (name: string) => words.every(word => plain(name).includes(word))
  return { roots: [], found: new Map(), matches, over: false }
}

/** Letters and digits without case and accents; anything between them becomes one space. */
function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
}

/** Breadth first: people keep recordings near the top. */
async function walk(allowedDirs: string[], search: Search): Promise<void> {
  const roots = await Promise.all(allowedDirs.map(folder => realpath(folder).catch(() => [])))
  search.roots = [...new Set(roots.flat())]
  const seen = new Set(search.roots)
  let level = search.roots
  for (let depth = 0; depth <= maxDepth && level.length > 0; depth++) {
    const below: string[] = []
    await pLimit(folderConcurrency).map(level, async folder => {
      for (const inner of search.over ? [] : await readFolder(folder, search)) {
        if (seen.has(inner) || seen.size >= maxFolders) continue
        seen.add(inner)
        below.push(inner)
      }
    })
    level = below
  }
}

/** Adds the recordings of a folder and returns its subfolders. Reads in batches, so that a huge folder blocks no other. */
async function readFolder(folder: string, search: Search): Promise<string[]> {
  const folders: string[] = []
  let files: Dirent[] = []
  try {
    for await (const entry of await opendir(folder, { bufferSize: 256 })) {
      if (search.over) return []
      if (entry.isDirectory()) {
        if (!isIgnored(entry.name, folder, search)) folders.push(join(folder, entry.name))
      } else if (isMatch(entry, search)) files.push(entry)
      if (files.length < fileBatchSize) continue
      await addRecordings(folder, files, search)
      files = []
    }
  } catch {
    // The folder may not be read, or is gone by now.
  }
  await addRecordings(folder, files, search)
  return folders
}

function isIgnored(name: string, folder: string, { roots }: Search): boolean {
  return ignoredFolders.test(name) || (ignoredHomeFolders.test(name) && roots.includes(folder))
}

function isMatch(entry: Dirent, search: Search): boolean {
  const { name } = entry
  return (
    (entry.isFile() || entry.isSymbolicLink()) &&
    !name.startsWith('.') &&
    recordingEndings.has(extname(name).slice(1).toLowerCase()) &&
    search.matches(name)
  )
}

async function addRecordings(folder: string, files: Dirent[], search: Search): Promise<void> {
  await Promise.all(
    files.map(async entry => {
      const file = join(folder, entry.name)
      try {
        // A link may lead out of the allowed folders.
        const path = entry.isSymbolicLink() ? await resolvePath(file, search.roots) : file
        const info = await stat(path)
        if (!info.isFile() || info.size === 0 || search.over) return
        const modifiedAt = info.mtime.toISOString()
        search.found.set(path, { path, name: basename(path), bytes: info.size, modifiedAt })
      } catch {
        // The link is broken, or the file is gone by now.
      }
    }),
  )
}

function newestFirst(a: FoundRecording, b: FoundRecording): number {
  return Date.parse(b.modifiedAt) - Date.parse(a.modifiedAt) || (a.path < b.path ? -1 : 1)
}
