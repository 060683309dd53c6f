// A folder for each order at work; what dead processes have left behind is swept.
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { log } from '../../log.ts'
import { describeFileError } from '../../pipeline/source/paths.ts'
import { isDead } from '../records/worker-id.ts'

export interface Scratch {
  /** Makes the folder with the first call. */
  folder(): Promise<string>
  remove(): Promise<void>
}

/** A folder whose maker may be alive on another machine is not touched before it is so old, in milliseconds. */
const oldest = 2 * 24 * 3600 * 1000

export function createScratch(parent: string, id: string, worker: string): Scratch {
  const folder = join(parent, `${id}.${worker.replaceAll('/', '_')}`)
  let made: Promise<string> | undefined
  return {
    folder: () => (made ??= makeFolder(folder, worker)),
    async remove() {
      // A folder that stays behind is swept later; it must not cost the transcript.
      if (made)
        await rm(folder, { recursive: true, force: true }).catch(() =>
          log.warn('scratch-not-removed', { id }),
        )
    },
  }
}

async function makeFolder(folder: string, worker: string): Promise<string> {
  try {
    await sweep(dirname(folder), worker)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return folder
  } catch (error) {
    throw describeFileError(error)
  }
}

/** A folder bears the name of the worker that made it. */
async function sweep(parent: string, worker: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const maker = name.slice(name.indexOf('.') + 1).replaceAll('_', '/')
    const folder = join(parent, name)
    if (isDead(maker, worker) || (maker !== worker && (await isOld(folder))))
      await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}

async function isOld(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => undefined)
  return found !== undefined && found.mtimeMs < Date.now() - oldest
}
