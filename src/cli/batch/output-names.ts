// Names of a batch's output files: beside the recording or in one folder, and never those of another recording.
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, dirname, extname, join, relative } from 'node:path'
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
  for (const recording of recordings) {
    const { audio, name } = recording
    const isRemote = isAddress(audio)
    const safe = isRemote ? safeName(name) : name
    const beside = isRemote || dirname(audio) === temporaryDir ? workingDir : dirname(audio)
    const folder = outDir === undefined ? beside : join(outDir, dirname(safe))
    const whole = basename(safe)
    const stem = basename(safe, extname(safe)) || whole
    // Disks may take two forms of a letter, and capitals, for the same name.
    const key = join(folder, stem).normalize('NFC').toLowerCase()
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
      return isFirst || (!overwrite && existsSync(path(stem))) ? named : named.slice(1)
    },
    folders: [...new Set([...placed.values()].map(({ folder }) => folder))],
  }
}

/** Creates the folders that are missing in `outDir`, and tries to write into each. Throws `FILE_NOT_WRITABLE`, `DISK_FULL`. */
export async function tryOutputFolders(
  { folders }: Pick<OutputNames, 'folders'>,
  outDir: string | undefined,
): Promise<void> {
  for (const folder of folders)
    try {
      if (outDir !== undefined) await mkdir(folder, { recursive: true })
      await tryFolder(folder)
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
