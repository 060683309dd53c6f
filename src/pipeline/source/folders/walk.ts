// Walks folders for recordings: breadth first, in batches, and never through a link to a folder, so that no loop catches it.
import type { Dirent } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import pLimit from 'p-limit'
import { recordingEndings } from '../../audio/formats.ts'
import { resolvePath } from '../paths.ts'

export interface FoundRecording {
  /** Real path, as `audio` takes it. */
  path: string
  name: string
  bytes: number
  /** ISO 8601, UTC. */
  modifiedAt: string
}

export interface WalkedRecording extends FoundRecording {
  /** Path from the folder where the walk began: of a link its own, not that of its target. */
  inside: string
  isLink: boolean
}

/** Keeps one for each real path: the file rather than a link to it, else the first by name. */
export function keepOne(found: Map<string, WalkedRecording>, recording: WalkedRecording): void {
  const { path, isLink, inside } = recording
  const other = found.get(path)
  const isBetter = !other || (isLink === other.isLink ? inside < other.inside : other.isLink)
  if (isBetter) found.set(path, recording)
}

export interface Walk {
  /** Links may lead to files in these folders only. */
  allowedDirs: string[]
  maxDepth: number
  /** True where nothing more is read. */
  isOver(): boolean
  /** `inside` is the path of the file from the folder where the walk began. */
  isWanted(inside: string): boolean
  onFound(recording: WalkedRecording): void
  /** Called for a folder or a file that cannot be read. Default: it is passed over. */
  onUnreadable?(path: string, error: unknown): void
}

/** Folders that programs manage, not people. */
const ignoredFolders =
  /^(?:\..*|node_modules|caches?|__pycache__|site-packages|venv|\$recycle\.bin|system volume information|.*\.(?:app|framework|photoslibrary))$/i
/** Ignored only directly in an allowed folder, which may be a home; deeper down a person may have chosen the name. */
const ignoredHomeFolders = /^(?:library|appdata|application data|snap|go)$/i

const maxFolders = 20_000
/** Folders, and files of one folder, that are read at once. */
const folderConcurrency = 8
const fileBatchSize = 64

interface Folder {
  path: string
  inside: string
}

/** `folders` are real paths. Resolves with false where there are more folders, or deeper ones, than it reads. */
export async function walkFolders(folders: string[], walk: Walk): Promise<boolean> {
  const roots = new Set(folders)
  const seen = new Set(folders)
  let level: Folder[] = [...roots].map(path => ({ path, inside: '' }))
  let isWhole = true
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > walk.maxDepth) return false
    const below: Folder[] = []
    await pLimit(folderConcurrency).map(level, async folder => {
      for (const inner of walk.isOver() ? [] : await readFolder(folder, roots, walk)) {
        if (seen.has(inner.path)) continue
        if (seen.size >= maxFolders) isWhole = false
        else {
          seen.add(inner.path)
          below.push(inner)
        }
      }
    })
    level = below
  }
  return isWhole
}

/** Reports the recordings of a folder and returns its subfolders. Reads in batches, so that a huge folder blocks no other. */
async function readFolder(folder: Folder, roots: Set<string>, walk: Walk): Promise<Folder[]> {
  const { path, inside } = folder
  const folders: Folder[] = []
  let files: Dirent[] = []
  try {
    for await (const entry of await opendir(path, { bufferSize: 256 })) {
      if (walk.isOver()) return []
      const { name } = entry
      if (entry.isDirectory()) {
        if (!isIgnored(name, roots.has(path)))
          folders.push({ path: join(path, name), inside: join(inside, name) })
      } else if (isRecording(entry) && walk.isWanted(join(inside, name))) files.push(entry)
      if (files.length < fileBatchSize) continue
      await report(folder, files, walk)
      files = []
    }
  } catch (error) {
    // It may not be read, or is gone by now.
    walk.onUnreadable?.(path, error)
  }
  await report(folder, files, walk)
  return folders
}

function isIgnored(name: string, isInRoot: boolean): boolean {
  return ignoredFolders.test(name) || (ignoredHomeFolders.test(name) && isInRoot)
}

function isRecording(entry: Dirent): boolean {
  const { name } = entry
  return (
    (entry.isFile() || entry.isSymbolicLink()) &&
    !name.startsWith('.') &&
    recordingEndings.has(extname(name).slice(1).toLowerCase())
  )
}

async function report(folder: Folder, files: Dirent[], walk: Walk): Promise<void> {
  await Promise.all(
    files.map(async entry => {
      const file = join(folder.path, entry.name)
      try {
        // A link may lead out of the allowed folders.
        const isLink = entry.isSymbolicLink()
        const path = isLink ? await resolvePath(file, walk.allowedDirs) : file
        const info = await stat(path)
        if (!info.isFile() || walk.isOver()) return
        const modifiedAt = info.mtime.toISOString()
        const inside = join(folder.inside, entry.name)
        walk.onFound({ path, inside, isLink, name: basename(path), bytes: info.size, modifiedAt })
      } catch (error) {
        // The link is broken, or the file is gone by now.
        walk.onUnreadable?.(file, error)
      }
    }),
  )
}
