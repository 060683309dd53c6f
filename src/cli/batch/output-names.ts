// Names of a batch's output files: beside the recording or in one folder, and never those of another recording.
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, dirname, extname, isAbsolute, join, relative, sep } from 'node:path'
import { isDiskFull, SpeechError } from '../../domain/errors.ts'
import { type FormatName, outputFormats } from '../../formats/index.ts'
import { tryFolder } from '../../system/whole-file.ts'
import { isAddress } from '../io/given-path.ts'

export interface NamedRecording {
  audio: string
  /** Path from the folder that was named, else the name of the file or the address. */
  name: string
}

export interface NameOptions {
  outDir?: string
  workingDir: string
  /** Real path of the folder of stdin. */
  temporaryDir?: string
  overwrite: boolean
}

export interface OutputNames {
  /** Paths to try in this order; each but the first is for when another file has it. */
  candidates(recording: NamedRecording, format: FormatName): string[]
  /** Folders of all outputs. */
  folders: string[]
}

/** Further names, `talk-2.txt` and so on, before it is an error. */
const maxNumbered = 99

/**
 * `outDir`: folder of all outputs, in which those of folders keep their own folders; absent: beside each recording.
 * Those of addresses and of the temporary folder lie in the working folder.
 */
export function nameOutputs(
  recordings: NamedRecording[],
  { outDir, workingDir, temporaryDir, overwrite }: NameOptions,
): OutputNames {
  const placed = new Map<NamedRecording, { folder: string; stem: string; whole: string; isFirst: boolean }>()
  const taken = new Set<string>()
  const inputs = new Set(recordings.map(({ audio }) => onAnyDisk(audio)))
  for (const recording of recordings) {
    const { audio, name } = recording
    const isRemote = isAddress(audio)
    // Beside a recording lies the text of the file itself, also where a link led to it.
    const safe = isRemote ? safeName(name) : outDir === undefined ? basename(audio) : name
    const beside = isRemote || dirname(audio) === temporaryDir ? workingDir : dirname(audio)
    const folder = outDir === undefined ? beside : join(outDir, dirname(safe))
    if (outDir !== undefined && isOutside(folder, outDir)) throw outside()
    const whole = basename(safe)
    const stem = basename(safe, extname(safe)) || whole
    const key = onAnyDisk(join(folder, stem))
    placed.set(recording, { folder, stem, whole, isFirst: !taken.has(key) })
    taken.add(key)
  }
  return {
    candidates(recording, format) {
      const { folder, stem, whole, isFirst } = placed.get(recording)!
      const { extension } = outputFormats[format]
      // Two formats may have one extension.
      const part = format === extension ? '' : `.${format.slice(extension.length + 1)}`
      const path = (name: string) => join(folder, `${name}${part}.${extension}`)
      const numbered = Array.from({ length: maxNumbered - 1 }, (_, i) => path(`${stem}-${i + 2}`))
      const named = [path(stem), path(whole), ...numbered]
      // An existing file shows whose it is when it is tried, unless it is overwritten in any case.
      const free = isFirst || (!overwrite && existsSync(path(stem))) ? named : named.slice(1)
      return free.filter(file => !inputs.has(onAnyDisk(file)))
    },
    folders: [...new Set([...placed.values()].map(({ folder }) => folder))],
  }
}

/** Tries to write into each folder, or into the nearest one that exists. Throws `FILE_NOT_WRITABLE`, `DISK_FULL`. */
export async function tryOutputFolders(folders: string[]): Promise<void> {
  await forEachFolder(folders, folder => tryFolder(nearestExisting(folder)))
}

/** Throws `FILE_NOT_WRITABLE`, `DISK_FULL`. */
export async function makeOutputFolders(folders: string[]): Promise<void> {
  await forEachFolder(folders, async folder => void (await mkdir(folder, { recursive: true })))
}

function nearestExisting(folder: string): string {
  const above = dirname(folder)
  return existsSync(folder) || above === folder ? folder : nearestExisting(above)
}

async function forEachFolder(folders: string[], work: (folder: string) => Promise<void>): Promise<void> {
  for (const folder of folders)
    try {
      await work(folder)
    } catch (cause) {
      if (isDiskFull(cause))
        throw new SpeechError('DISK_FULL', 'The disk of the output files is full.', {
          hint: 'Nothing was sent. Free some space, and run the command again.',
          cause,
        })
      throw new SpeechError('FILE_NOT_WRITABLE', `No file can be written into ${folder}.`, {
        hint: 'Nothing was sent. Name another folder with --out, or change its permissions.',
        cause,
      })
    }
}

/** Disks may take two forms of a letter, and capitals, for the same name. */
export function onAnyDisk(path: string): string {
  return path.normalize('NFC').toLowerCase()
}

function isOutside(folder: string, outDir: string): boolean {
  const way = relative(outDir, folder)
  return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)
}

function outside(): SpeechError {
  return new SpeechError('FILE_NOT_WRITABLE', 'A recording lies outside the folder that was named.', {
    hint: 'Nothing was sent. Name this recording itself, or leave out --out.',
  })
}

/** A path as people read it: from the working folder, where it is inside. An address stays. */
export function shownPath(path: string, workingDir = process.cwd()): string {
  if (isAddress(path)) return path
  const inside = relative(workingDir, path)
  return inside === '' || inside.startsWith('..') ? path : inside
}

/** The name in an address may hold anything, such as `../`. */
function safeName(name: string): string {
  return name.replace(/[\\/:*?"<>|\p{Cc}]/gu, '_').replace(/^\.+/, '_') || 'recording'
}
