// The key in a file of the data folder, which its owner alone may read.
import { randomBytes } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isSecretKey, type SecretKey, secretKeyBytes } from '../../domain/network/secret-key.ts'
import { log } from '../../log.ts'
import { privateDataFolder } from '../../system/private-files.ts'
import { createWhole } from '../../system/whole-file.ts'

/** Where the file cannot be written, the key lasts as long as the process. */
export function keyFile(folder: string): SecretKey {
  const file = join(folder, 'page-key')
  let known: Promise<Uint8Array> | undefined

  async function read(): Promise<Uint8Array | undefined> {
    const found = await readFile(file).catch(() => undefined)
    return isSecretKey(found) ? found : undefined
  }

  async function readOrDraw(): Promise<Uint8Array> {
    const found = await read()
    if (found) return found
    const drawn = randomBytes(secretKeyBytes)
    try {
      privateDataFolder(folder)
      await keep(drawn)
    } catch (error) {
      log.warn('page-key-not-kept', { code: (error as NodeJS.ErrnoException).code })
    }
    return (await read()) ?? drawn
  }

  /** Another process may draw one at the same time: the first file stays. */
  async function keep(drawn: Uint8Array): Promise<void> {
    try {
      await createWhole(file, drawn, 0o600)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (await read()) return
      // A damaged file is no key.
      await rm(file)
      await createWhole(file, drawn, 0o600)
    }
  }

  return { get: () => (known ??= readOrDraw()), async close() {} }
}
