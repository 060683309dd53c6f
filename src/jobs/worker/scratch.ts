// Scratch folder of each running job; folders of dead processes are swept.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isDiskFull } from '../../domain/errors.ts'
import { log } from '../../log.ts'
import { describeFileError } from '../../pipeline/source/paths.ts'
import { privateFolder } from '../../system/private-files.ts'
import { isDead } from '../records/worker-id.ts'

/** A folder whose worker may be alive on another machine is kept for this long. */
const minForeignFolderAgeMs = 2 * 24 * 3600 * 1000

export function createScratch(parent: string, id: string, worker: string) {
  const folder = join(parent, `${id}.${worker.replaceAll('/', '_')}`)
  let made: Promise<string> | undefined
  return {
    /** Creates the folder with the first call. */
    folder: () => (made ??= makeFolder(folder, worker)),
    async remove(): Promise<void> {
      if (!made) return
      // A folder that stays is swept later; it must not cost the transcript.
      const logFailure = () => log.warn('scratch-not-removed', { id })
      await made.then(folder => rm(folder, { recursive: true, force: true })).catch(logFailure)
    },
  }
}

async function makeFolder(folder: string, worker: string): Promise<string> {
  try {
    await sweep(dirname(folder), worker)
    privateFolder(dirname(folder))
    privateFolder(folder)
    return folder
  } catch (error) {
    // A data folder that cannot be written is no reason not to transcribe.
    if (isDiskFull(error)) throw describeFileError(error)
    return mkdtemp(join(tmpdir(), 'speech-mcp-')).catch(() => {
      throw describeFileError(error)
    })
  }
}

/** Removes the folders of dead workers, and those that this worker has left of a job that ended. Never rejects. */
export async function sweep(parent: string, worker: string, ended?: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    // The name of a folder contains the ids of its job and its worker.
    const maker = name.slice(name.indexOf('.') + 1).replaceAll('_', '/')
    const folder = join(parent, name)
    const isLeft = maker === worker ? name.startsWith(`${ended}.`) : await isOld(folder)
    if (isLeft || isDead(maker, worker)) await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}

async function isOld(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => undefined)
  return found !== undefined && found.mtimeMs < Date.now() - minForeignFolderAgeMs
}
