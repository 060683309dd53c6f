// Tells programs from scripts.
import { closeSync, openSync, readSync } from 'node:fs'

const elfMagic = Buffer.from('\x7fELF', 'latin1')

/** True for a program of Linux; false for a script, and where the file cannot be read. */
export function isElf(path: string): boolean {
  try {
    const file = openSync(path, 'r')
    try {
      const magic = Buffer.alloc(elfMagic.length)
      readSync(file, magic)
      return magic.equals(elfMagic)
    } finally {
      closeSync(file)
    }
  } catch {
    return false
  }
}
