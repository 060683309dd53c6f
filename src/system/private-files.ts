// Folders and files that only their owner may open, whatever the umask and whatever they were before.
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { log } from '../log.ts'

/** Windows has no such modes: a user's own folders are closed to other users there. */
const hasModes = process.platform !== 'win32'
const sticky = 0o1000
/** Names that the program gives in its data folder. */
const ownName = /^(?:speech\.db|installation|(?:scratch|uploads|page-key(?:-2)?)$)/

/** Creates the folder if it is missing, and closes it. Throws where it cannot be created. */
export function privateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  close(folder, 0o700)
}

/**
 * Creates the data folder if it is missing; closes it and the files in it. A folder that other programs use too stays as
 * it is: a wrong setting must not close a home folder.
 */
export function privateDataFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (!hasModes) return
  const names = readdirSync(folder)
  const isShared = (statSync(folder).mode & sticky) !== 0 || names.some(name => !ownName.test(name))
  if (!isShared) close(folder, 0o700)
  else if (isOpenToOthers(folder)) log.warn('data-folder-open-to-others')
  for (const name of names)
    if (ownName.test(name)) close(join(folder, name), /^(?:scratch|uploads)$/.test(name) ? 0o700 : 0o600)
}

/** Creates an empty file unless there is one. */
export function privateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** True where the mode of a file or folder lets other users in; false where there is none. */
export function isOpenToOthers(path: string): boolean {
  const found = hasModes ? statSync(path, { throwIfNoEntry: false }) : undefined
  return found !== undefined && (found.mode & 0o077) !== 0
}

function close(path: string, mode: number): void {
  if (!isOpenToOthers(path)) return
  let code: string | undefined
  try {
    chmodSync(path, mode)
  } catch (error) {
    code = (error as NodeJS.ErrnoException).code
  }
  // FAT and some network disks ignore the change without an error.
  if (isOpenToOthers(path)) log.warn('open-to-others', { code })
}
