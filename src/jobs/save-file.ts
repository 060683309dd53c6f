// Saves a file for the user in an allowed folder, never over one that the user or another program wrote.
import { readFile, stat } from 'node:fs/promises'
import { basename, extname, parse } from 'node:path'
import { codeOf, SpeechError } from '../domain/errors.ts'
import { textHash } from '../pipeline/audio/fingerprint.ts'
import { describeOutputError, resolveOutput } from '../pipeline/source/paths.ts'
import { createWhole, replaceWhole } from '../system/whole-file.ts'
import type { JobContext } from './context.ts'
import { createCheckpoints } from './records/checkpoints.ts'

export interface SaveRequest {
  /** Path as the user wrote it. */
  path: string
  /** Extension that the file must have, without a dot. */
  extension: string
  content: string | Uint8Array
  /** True: in place of any file with this extension. */
  overwrite: boolean
  /** True where a person named the folder at a terminal: any folder and any name. Default: false. */
  isOwnChoice?: boolean
}

export interface SavedFile {
  /** As it was given; a relative path from its allowed folder. */
  path: string
  /** `unchanged`: the file had this content already. */
  outcome: 'created' | 'replaced' | 'unchanged'
  /** True for one that was written before and that somebody has changed since: it stays. Only where `isOwnChoice`. */
  isEdited?: true
}

/** Checkpoint of a file that was written for this transcript. */
interface WrittenFile {
  bytes: number
  hash: string
}

/**
 * Writes the file at once and completely. A file is known as our own by its hash, which the store keeps until the
 * transcript is deleted. Throws `OUTSIDE_ALLOWED_DIRS`, `FILE_EXISTS`, `FILE_NOT_WRITABLE`, `NOT_A_FILE`, `BAD_INPUT`,
 * `DISK_FULL`.
 */
export async function saveFile(
  owner: string,
  id: string,
  { path: given, extension, content, overwrite, isOwnChoice = false }: SaveRequest,
  { store, pipeline, mutex }: Pick<JobContext, 'store' | 'pipeline' | 'mutex'>,
): Promise<SavedFile> {
  const folders = isOwnChoice ? [parse(given).root] : pipeline.allowedDirs
  const { path, inside, shown } = await resolveOutput(given, folders)
  if (!isOwnChoice) checkName(inside, extension)
  const checkpoints = createCheckpoints(store, owner, id)
  const key = `saved:${textHash(path)}`
  const written = { bytes: Buffer.byteLength(content), hash: textHash(content) }
  // Calls at once for one file would not know each other's hash.
  return mutex(key, async () => {
    const earlier = await checkpoints.get(key)
    const known = [written, ...(checkpoints.isFromThisJob(earlier) ? [earlier as WrittenFile] : [])]
    try {
      const outcome = await write(path, content, known, overwrite)
      await checkpoints.put(key, written)
      return { path: shown, outcome }
    } catch (error) {
      if (isOwnChoice && known.length > 1 && codeOf(error) === 'FILE_EXISTS')
        return { path: shown, outcome: 'unchanged', isEdited: true }
      throw describeOutputError(error)
    }
  })
}

/** `known`: the file with this content, and the one that was written before. */
async function write(
  path: string,
  content: string | Uint8Array,
  known: WrittenFile[],
  overwrite: boolean,
): Promise<SavedFile['outcome']> {
  if (!(await stat(path).catch(() => undefined)))
    try {
      await createWhole(path, content)
      return 'created'
    } catch (error) {
      // Another process was faster, perhaps with the same file.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  const found = await describe(path, known)
  if (found === known[0]) return 'unchanged'
  if (!found && !overwrite) throw fileExists()
  await replaceWhole(path, content)
  return 'replaced'
}

/** Files that coding agents take for instructions, whoever wrote them. */
const obeyed = /^(agents|claude|claude\.local|gemini|copilot-instructions|skill)\.md$/i

/** Control characters, and marks that reverse the direction of text. */
const invisible = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u

/**
 * A model chooses the name, and speech the content: files that programs run or obey are hidden, have another extension,
 * or one of a few names.
 */
function checkName(inside: string, extension: string): void {
  if (extname(inside).toLowerCase() !== `.${extension}`)
    throw new SpeechError('BAD_INPUT', 'The name of the file does not fit its format.', {
      hint: `Let it end in .${extension}.`,
    })
  if (invisible.test(basename(inside)))
    throw new SpeechError('BAD_INPUT', 'The name of the file has characters that cannot be seen.', {
      hint: 'Choose a name without line breaks and other controls.',
    })
  if (obeyed.test(basename(inside)))
    throw new SpeechError('BAD_INPUT', 'Agents take a file of this name for instructions.', {
      hint: 'Choose another name.',
    })
  if (inside.split(/[\\/]/).some(name => name.startsWith('.')))
    throw new SpeechError('BAD_INPUT', 'Hidden files and folders are not written to.', {
      hint: 'Choose a name and a folder without a dot in front.',
    })
}

/** Which of the known files is there, the first one first; undefined for another one. */
async function describe(path: string, known: WrittenFile[]): Promise<WrittenFile | undefined> {
  const info = await stat(path)
  if (!info.isFile())
    throw new SpeechError('NOT_A_FILE', 'The path is a folder or a device.', {
      hint: 'Give the path of a file, with its extension.',
    })
  const alike = known.filter(({ bytes }) => bytes === info.size)
  if (alike.length === 0) return undefined
  const hash = textHash(await readFile(path))
  return alike.find(file => file.hash === hash)
}

function fileExists(): SpeechError {
  return new SpeechError(
    'FILE_EXISTS',
    'A file of this name exists that was not written for this transcript, or was changed since.',
    { hint: 'Choose another name, or pass overwrite: true if the user agrees to lose that file.' },
  )
}
