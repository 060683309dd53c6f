// The key in a file of the data folder, which its owner alone may read.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isSecretKey, type SecretKey, secretKeyBytes } from '../../domain/network/secret-key.ts'
import { lazily } from '../../domain/waiting/lazily.ts'
import { log } from '../../log.ts'
import { privateDataFolder } from '../../system/private-files.ts'
import { createWhole } from '../../system/whole-file.ts'

/** A damaged file stays as it is, and the next one has the key: so processes that see the damage at once agree. */
const names = ['page-key', 'page-key-2']

/** On disks without links another process copies its key into the file, which is not whole for a moment. */
const maxCopyMs = 250

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code

/**
 * Where no file can be written, the key lasts as long as the process. Throws the errors of a file that is there and cannot
 * be read; a later call reads it again.
 */
export function keyFile(folder: string): SecretKey {
  async function readOrDraw(): Promise<Uint8Array> {
    const drawn = randomBytes(secretKeyBytes)
    for (const name of names) {
      const file = join(folder, name)
      const found = (await read(file)) ?? (await keep(file, drawn))
      if (isSecretKey(found)) return found
      await pause(maxCopyMs)
      const whole = await read(file)
      if (isSecretKey(whole)) return whole
      log.warn('page-key-damaged', { name })
    }
    return drawn
  }

  /** The key that the file has then: another process may draw one at the same time, and the first stays. */
  async function keep(file: string, drawn: Uint8Array): Promise<Uint8Array> {
    try {
      privateDataFolder(folder)
      await createWhole(file, drawn, 0o600)
    } catch (error) {
      const found = codeOf(error) === 'EEXIST' && (await read(file))
      if (found) return found
      log.warn('page-key-not-kept', { code: codeOf(error) })
    }
    return drawn
  }

  return { get: lazily(readOrDraw).get, async close() {} }
}

/** Undefined where there is none, and where a link leads nowhere. */
async function read(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file)
  } catch (error) {
    if (/^(?:ENOENT|ENOTDIR)$/.test(codeOf(error) ?? '')) return undefined
    log.warn('page-key-unreadable', { code: codeOf(error) })
    throw error
  }
}
