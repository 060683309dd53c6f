// A folder for each order at work; what dead processes have left behind is swept.
import { mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { log } from '../log.ts'
import { describeFileError } from '../pipeline/paths.ts'
import { isAlive } from './lease.ts'

export interface Scratch {
  /** Makes the folder with the first call. */
  folder(): Promise<string>
  remove(): Promise<void>
}

export function createScratch(parent: string, id: string): Scratch {
  const folder = join(parent, `${id}.${process.pid}`)
  let made: Promise<string> | undefined
  return {
    folder: () => (made ??= makeFolder(folder)),
    async remove() {
      // A folder that stays behind is swept later; it must not cost the transcript.
      if (made)
        await rm(folder, { recursive: true, force: true }).catch(() =>
          log.warn('scratch-not-removed', { id }),
        )
    },
  }
}

async function makeFolder(folder: string): Promise<string> {
  try {
    await sweep(dirname(folder))
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return folder
  } catch (error) {
    throw describeFileError(error)
  }
}

/** A folder bears the number of the process that made it. */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const pid = Number(/\.(\d+)$/.exec(name)?.[1])
    if (pid && isAlive(pid)) continue
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => {})
  }
}
