// Changes a client's file: at once, one installation at a time, with a copy of what was there first beside it.
import { randomUUID } from 'node:crypto'
import { lstat, mkdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ErrorCode, isDiskFull, SpeechError } from '../../domain/errors.ts'
import { replacePrivate } from '../../system/whole-file.ts'

/** A client that is running may write its file too. */
const maxAttempts = 20
const lockPollMs = 20
/** A change takes milliseconds, so that a lock of this age is from a process that died. */
const staleLockMs = 5_000

/** The file and its text, or undefined without a file. Throws `SpeechError` if it must not or cannot be changed. */
export async function readConfigFile(given: string): Promise<{ file: string; text: string | undefined }> {
  const file = await realpath(given).catch(() => given)
  const isLink = await lstat(file).then(
    found => found.isSymbolicLink(),
    () => false,
  )
  if (isLink)
    throw problem('FILE_NOT_FOUND', `${given} is a link to a file that does not exist.`, 'Repair the link')
  const found = await stat(file).catch(() => undefined)
  const owned = found ?? (await stat(dirname(file)).catch(() => undefined))
  if (owned && process.getuid && owned.uid !== process.getuid())
    throw problem(
      'FILE_NOT_WRITABLE',
      `${found ? file : dirname(file)} belongs to another user.`,
      'Run the command as that user',
    )
  if (!found) return { file, text: undefined }
  if (!found.isFile()) throw problem('NOT_A_FILE', `${file} is no file.`, 'Move it away')
  if ((found.mode & 0o200) === 0)
    throw problem('FILE_NOT_WRITABLE', `${file} is read-only.`, 'Change its permissions')
  return { file, text: await readText(file) }
}

export interface ChangedFile {
  file: string
  copy: string | undefined
  isChanged: boolean
}

/**
 * Changes the file by `edit`, which may run again if another program writes meanwhile. Resolves with the path of the copy
 * from before the first change, undefined if there was no file or nothing changed.
 */
export async function changeConfigFile(
  given: string,
  edit: (text: string | undefined) => string,
): Promise<ChangedFile> {
  const { file } = await readConfigFile(given)
  try {
    await mkdir(dirname(file), { recursive: true })
    return await underLock(`${file}.speech-mcp-lock`, async () => {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const { text } = await readConfigFile(file)
        const changed = edit(text)
        if (changed === text) return { file, copy: undefined, isChanged: false }
        const copy = text === undefined ? undefined : `${file}.before-speech-mcp`
        // A later change would put its own work in place of the user's file.
        if (copy && !(await exists(copy))) await replacePrivate(copy, text!, async () => true)
        const isCurrent = async () => (await readConfigFile(file)).text === text
        if (await replacePrivate(file, changed, isCurrent)) return { file, copy, isChanged: true }
      }
      throw problem('FILE_NOT_WRITABLE', `Another program keeps changing ${file}.`, 'Quit the client')
    })
  } catch (cause) {
    if (cause instanceof SpeechError) throw cause
    const code = isDiskFull(cause) ? 'DISK_FULL' : 'FILE_NOT_WRITABLE'
    throw problem(code, `${file} could not be written.`, 'Check disk and permissions of its folder', cause)
  }
}

function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  )
}

async function readText(file: string): Promise<string> {
  const bytes = await readFile(file).catch(cause => {
    throw problem('FILE_UNREADABLE', `${file} could not be read.`, 'Check its permissions', cause)
  })
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw problem('BAD_INPUT', `${file} is not UTF-8 text.`, 'Save it as UTF-8')
  }
}

async function underLock<T>(lock: string, work: () => Promise<T>): Promise<T> {
  const own = randomUUID()
  while (!(await take(lock, own))) {
    if (await isStale(lock)) await removeStale(lock)
    else await sleep(lockPollMs)
  }
  try {
    return await work()
  } finally {
    await release(lock, own)
  }
}

async function take(lock: string, own: string): Promise<boolean> {
  try {
    await writeFile(lock, own, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** One process at a time looks again and removes: of two, the second would remove the lock that the first has taken. */
async function removeStale(lock: string): Promise<void> {
  const removal = `${lock}-removal`
  if (await take(removal, '')) {
    if (await isStale(lock)) await rm(lock, { force: true })
    await rm(removal, { force: true })
  } else if (await isStale(removal)) await rm(removal, { force: true })
  else await sleep(lockPollMs)
}

async function isStale(lock: string): Promise<boolean> {
  const found = await stat(lock).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > staleLockMs
}

/** Another process may have taken the lock from a slow holder. */
async function release(lock: string, holder: string): Promise<void> {
  if ((await holderOf(lock)) === holder) await rm(lock, { force: true })
}

function holderOf(lock: string): Promise<string | undefined> {
  return readFile(lock, 'utf8').catch(() => undefined)
}

function problem(code: ErrorCode, message: string, remedy: string, cause?: unknown): SpeechError {
  return new SpeechError(code, message, { hint: `${remedy}, and run the command again.`, cause })
}
