// Saves a file for the user in an allowed folder, never over one that the user or another program wrote.
import { readFile, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { isDiskFull, SpeechError } from '../domain/errors.ts'
import { textHash } from '../pipeline/audio/fingerprint.ts'
import { resolveOutput } from '../pipeline/source/paths.ts'
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
}

export interface SavedFile {
  /** As it was given; a relative path from its allowed folder. */
  path: string
  /** `unchanged`: the file had this content already. */
  outcome: 'created' | 'replaced' | 'unchanged'
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
  { path: given, extension, content, overwrite }: SaveRequest,
  { store, pipeline }: Pick<JobContext, 'store' | 'pipeline'>,
): Promise<SavedFile> {
  const { path, exists, inside, shown } = await resolveOutput(given, pipeline.allowedDirs)
  checkName(inside, extension)
  const checkpoints = createCheckpoints(store, owner, id)
  const key = `saved:${textHash(path)}`
  const written = { bytes: Buffer.byteLength(content), hash: textHash(content) }
  let outcome: SavedFile['outcome'] = 'created'
  try {
    if (!exists) await createWhole(path, content)
    else {
      const earlier = await checkpoints.get(key)
      const found = await describe(path, [written, checkpoints.isFromThisJob(earlier) && earlier])
      outcome = found?.hash === written.hash ? 'unchanged' : 'replaced'
      if (!found && !overwrite) throw fileExists()
      if (outcome === 'replaced') await replaceWhole(path, content)
    }
  } catch (error) {
    throw describeWriteError(error)
  }
  await checkpoints.put(key, written)
  return { path: shown, outcome }
}

/**
 * A model chooses the name, and speech the content: neither may make a file that another program runs or obeys, which hidden
 * files and those without a known extension are.
 */
function checkName(inside: string, extension: string): void {
  if (extname(inside).toLowerCase() !== `.${extension}`)
    throw new SpeechError('BAD_INPUT', 'The name of the file does not fit its format.', {
      hint: `Let it end in .${extension}.`,
    })
  if (inside.split(/[\\/]/).some(name => name.startsWith('.')))
    throw new SpeechError('BAD_INPUT', 'Hidden files and folders are not written to.', {
      hint: 'Choose a name and a folder without a dot in front.',
    })
}

/** Which of the files we know is there; undefined for another one. */
async function describe(path: string, known: unknown[]): Promise<WrittenFile | undefined> {
  const info = await stat(path)
  if (!info.isFile())
    throw new SpeechError('NOT_A_FILE', 'The path is a folder or a device.', {
      hint: 'Give the path of a file, with its extension.',
    })
  const alike = known.filter(file => (file as Partial<WrittenFile> | undefined)?.bytes === info.size)
  if (alike.length === 0) return undefined
  const hash = textHash(await readFile(path))
  return (alike as WrittenFile[]).find(file => file.hash === hash)
}

function fileExists(cause?: unknown): SpeechError {
  return new SpeechError(
    'FILE_EXISTS',
    'A file of this name exists that was not written for this transcript, or was changed since.',
    { hint: 'Choose another name, or pass overwrite: true if the user agrees to lose that file.', cause },
  )
}

function describeWriteError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (error instanceof SpeechError || code === undefined) return error
  if (code === 'EEXIST') return fileExists(error)
  if (isDiskFull(error))
    return new SpeechError('DISK_FULL', 'The disk is too full for the file.', {
      hint: 'Free some space and call again.',
      cause: error,
    })
  return new SpeechError('FILE_NOT_WRITABLE', 'The file could not be written.', {
    hint: 'Check the permissions of its folder, or choose another one.',
    cause: error,
  })
}
