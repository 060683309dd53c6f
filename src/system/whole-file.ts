// Files that have their name only once they are whole.
import { randomUUID } from 'node:crypto'
import { chmod, constants, copyFile, link, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Codes of disks without links: FAT, some network disks and containers. */
const noLinks = /^(?:EPERM|ENOSYS|ENOTSUP|EOPNOTSUPP|EMLINK|EXDEV)$/

/**
 * Writes a new file, by default with the modes of the umask. Throws `EEXIST` if there is one, even if it came meanwhile, and the other
 * errors of the operating system; nothing is left then.
 */
export async function createWhole(file: string, content: string | Uint8Array, mode?: number): Promise<void> {
  const use = async (draft: string) => {
    try {
      await link(draft, file)
    } catch (error) {
      if (!noLinks.test((error as NodeJS.ErrnoException).code ?? '')) throw error
      await copyFile(draft, file, constants.COPYFILE_EXCL)
    }
  }
  await withDraft(file, content, use, mode)
}

/** Writes a file in place of another one, whose mode it keeps, or a new one. Throws errors of the operating system. */
export async function replaceWhole(file: string, content: string | Uint8Array): Promise<void> {
  await withDraft(file, content, async draft => {
    const found = await stat(file).catch(() => undefined)
    if (found) await chmod(draft, found.mode & 0o777).catch(() => {})
    await rename(draft, file)
  })
}

/**
 * The same for a file that other programs change too and that holds keys: other users get no right to it. Does nothing
 * and resolves with false if `isCurrent` says that the file has changed meanwhile.
 */
export async function replacePrivate(
  file: string,
  content: string | Uint8Array,
  isCurrent: () => Promise<boolean>,
): Promise<boolean> {
  return withDraft(
    file,
    content,
    async draft => {
      const found = await stat(file).catch(() => undefined)
      if (found) await chmod(draft, found.mode & 0o700)
      if (!(await isCurrent())) return false
      await rename(draft, file)
      return true
    },
    0o600,
  )
}

/** Writes a file into the folder and deletes it. Throws the errors of the operating system. */
export async function tryFolder(folder: string): Promise<void> {
  await withDraft(join(folder, 'file'), 'speech-mcp', async () => {})
}

async function withDraft<T>(
  file: string,
  content: string | Uint8Array,
  use: (draft: string) => Promise<T>,
  mode = 0o666,
): Promise<T> {
  const draft = join(dirname(file), `.${randomUUID()}.part`)
  try {
    await writeFile(draft, content, { flag: 'wx', mode })
    return await use(draft)
  } finally {
    await rm(draft, { force: true }).catch(() => {})
  }
}
