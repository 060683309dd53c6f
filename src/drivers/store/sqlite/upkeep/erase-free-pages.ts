// Overwrites the free pages of an older file. SQLite copies the whole file, which takes seconds.
import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from '../../../../domain/errors.ts'
import { log } from '../../../../log.ts'
import { storeError } from '../errors.ts'
import { erasingPragma } from '../schema.ts'
import { inBackground } from './in-background.ts'

/** SQLite writes one copy into a temporary file, and one into the log. */
const copies = 2

/**
 * Readers go on meanwhile, and writers wait. Resolves with false, and logs why, where it failed. A process that ends in
 * the middle leaves the file as it was.
 */
export async function eraseFreePages(path: string): Promise<boolean> {
  try {
    if (!(await hasRoom(path))) {
      log.warn('free-pages-not-erased', { code: 'DISK_FULL' })
      return false
    }
    await inBackground(path, exec => exec(`VACUUM; ${erasingPragma}`))
    return true
  } catch (error) {
    log.warn('free-pages-not-erased', { code: codeOf(storeError(error)) })
    return false
  }
}

async function hasRoom(path: string): Promise<boolean> {
  const [{ size }, { bavail, bsize, blocks }] = await Promise.all([stat(path), statfs(dirname(path))])
  // Some network disks do not say how large they are.
  return blocks === 0 || bavail * bsize >= copies * size
}
