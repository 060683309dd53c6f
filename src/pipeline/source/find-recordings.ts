// Finds recordings in the allowed folders, newest first.
import type { Dirent } from 'node:fs'
import { opendir, realpath, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
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
  /** Words of the name, in any order; case and accents do not count. Without a word: every name. */
  query?: string
  limit: number
  signal: AbortSignal
}

/** Names of audio and film. `.ts` and `.mts` are left out: where they stand for film, far more often they are programs. */
const extensions = new Set(
  (
    '3ga 3gp 3g2 aac ac3 aif aifc aiff amr ape asf au avi awb caf dss eac3 flac flv gsm m2ts m4a m4b m4v mka mkv mov ' +
    'mp2 mp3 mp4 mpeg mpg oga ogg ogv opus spx vob w64 wav wave weba webm wma wmv'
  ).split(' '),
)

/** What programs fill and nobody records into. */
const foreign =
  /^(?:\..*|node_modules|caches?|__pycache__|site-packages|venv|\$recycle\.bin|system volume information|.*\.(?:app|framework|photoslibrary))$/i
/** These only directly in an allowed folder, which may be a home: deeper down a person may have named them so. */
const foreignAtHome = /^(?:library|appdata|application data|snap|go)$/i

/** The default folder is a whole home, so the search is bounded: folders below the allowed one, folders in all, time. */
const deepest = 6
const mostFolders = 20_000
const longest = 3_000
/** Folders, and files of one folder, that are read at once. */
const hands = 8
const batch = 64

/**
 * Resolves with the newest recordings. What cannot be read is passed over, and what is not reached in time as well.
 * Throws the signal's reason.
 */
export async function findRecordings(allowedDirs: string[], wish: RecordingQuery): Promise<FoundRecording[]> {
  const { limit, signal } = wish
  signal.throwIfAborted()
  const search = openSearch(wish)
  // A folder on a network that is gone answers never, so the clock does not ask it.
  const clock = AbortSignal.any([signal, AbortSignal.timeout(longest)])
  const ended = new Promise<void>(end => clock.addEventListener('abort', () => end(), { once: true }))
  await Promise.race([walk(allowedDirs, search), ended])
  search.over = true
  signal.throwIfAborted()
  return [...search.found.values()].sort(newestFirst).slice(0, limit)
}

interface Search {
  roots: string[]
  /** By real path: a file that links also lead to is one recording. */
  found: Map<string, FoundRecording>
  matches(name: string): boolean
  over: boolean
}

function openSearch({ query = '' }: RecordingQuery): Search {
  const words = plain(query).split(' ').filter(Boolean)
  const matches = (name: string) => words.every(word => plain(name).includes(word))
  return { roots: [], found: new Map(), matches, over: false }
}

/** Letters and digits without case and accents; whatever stands between them is one blank. */
function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
}

/** Breadth first: what a person keeps lies near the top. */
async function walk(allowedDirs: string[], search: Search): Promise<void> {
  const roots = await Promise.all(allowedDirs.map(folder => realpath(folder).catch(() => [])))
  search.roots = [...new Set(roots.flat())]
  const seen = new Set(search.roots)
  let level = search.roots
  for (let depth = 0; depth <= deepest && level.length > 0; depth++) {
    const below: string[] = []
    const waiting = level.values()
    const reader = async () => {
      for (const folder of waiting) {
        if (search.over) return
        for (const inner of await readFolder(folder, search)) {
          if (seen.has(inner) || seen.size >= mostFolders) continue
          seen.add(inner)
          below.push(inner)
        }
      }
    }
    await Promise.all(Array.from({ length: hands }, reader))
    level = below
  }
}

/** Notes the recordings of a folder and gives the folders in it. Reads it piece by piece, so that a huge one stalls nobody. */
async function readFolder(folder: string, search: Search): Promise<string[]> {
  const folders: string[] = []
  let files: Dirent[] = []
  try {
    for await (const entry of await opendir(folder, { bufferSize: 256 })) {
      if (search.over) return []
      if (entry.isDirectory()) {
        if (!isForeign(entry.name, folder, search)) folders.push(join(folder, entry.name))
      } else if (isWanted(entry, search)) files.push(entry)
      if (files.length < batch) continue
      await note(folder, files, search)
      files = []
    }
  } catch {
    // A folder that is closed to us, or gone by now.
  }
  await note(folder, files, search)
  return folders
}

function isForeign(name: string, folder: string, { roots }: Search): boolean {
  return foreign.test(name) || (foreignAtHome.test(name) && roots.includes(folder))
}

function isWanted(entry: Dirent, search: Search): boolean {
  const { name } = entry
  return (
    (entry.isFile() || entry.isSymbolicLink()) &&
    !name.startsWith('.') &&
    extensions.has(extname(name).slice(1).toLowerCase()) &&
    search.matches(name)
  )
}

async function note(folder: string, files: Dirent[], search: Search): Promise<void> {
  await Promise.all(
    files.map(async entry => {
      const place = join(folder, entry.name)
      try {
        // A link may lead out of the allowed folders, where nothing may be ordered.
        const path = entry.isSymbolicLink() ? await resolvePath(place, search.roots) : place
        const info = await stat(path)
        if (!info.isFile() || info.size === 0 || search.over) return
        const modifiedAt = info.mtime.toISOString()
        search.found.set(path, { path, name: basename(path), bytes: info.size, modifiedAt })
      } catch {
        // A link that leads nowhere, or a file that is gone by now.
      }
    }),
  )
}

function newestFirst(a: FoundRecording, b: FoundRecording): number {
  return Date.parse(b.modifiedAt) - Date.parse(a.modifiedAt) || (a.path < b.path ? -1 : 1)
}
