// Id of this installation in object keys, so that several can share a bucket. Drawn once and kept in the data folder.
import { createHash, randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { log } from '../../log.ts'
import { privateDataFolder } from '../../system/private-files.ts'

/** Ids are lower-case letters and digits, and reveal nothing about the machine. */
export interface InstallationId {
  /** Draws and stores an id if there is none yet. */
  getOrCreate(): Promise<string>
  /** Never creates the file or its folder. */
  get(): Promise<string>
}

/** Falls back to a hash of host and folder if the file cannot be written. A container changes its host name at each start. */
export function installationIdIn(folder: string): InstallationId {
  const file = join(folder, 'installation')
  const fallback = createHash('sha256').update(`${hostname()}\0${folder}`).digest('hex').slice(0, 8)
  let known: string | undefined

  async function read(): Promise<string | undefined> {
    if (known) return known
    const text = await readFile(file, 'utf8').catch(() => '')
    if (/^[0-9a-f]{12}$/.test(text)) known = text
    return known
  }

  /** Processes may race: `link` creates the file once, with its whole content. */
  async function create(): Promise<void> {
    const id = randomBytes(6).toString('hex')
    const draft = `${file}.${id}`
    try {
      privateDataFolder(folder)
      await writeFile(draft, id, { flag: 'wx', mode: 0o600 })
      await link(draft, file)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (!(await read())) log.warn('installation-not-kept', { code })
    } finally {
      await rm(draft, { force: true }).catch(() => {})
    }
  }

  return {
    async getOrCreate() {
      if (!(await read())) await create()
      return (await read()) ?? fallback
    },
    get: async () => (await read()) ?? fallback,
  }
}

export function fixedInstallationId(id: string): InstallationId {
  return { getOrCreate: async () => id, get: async () => id }
}

/** Machines that share a store also share the uploads of its jobs, so they have the same installation id. */
export function installationIdFor(of: {
  dataDir: string
  tablestoreEndpoint?: string | undefined
  tablestorePrefix: string
}): InstallationId {
  if (of.tablestoreEndpoint === undefined) return installationIdIn(of.dataDir)
  const shared = createHash('sha256').update(`${of.tablestoreEndpoint}/${of.tablestorePrefix}`)
  return fixedInstallationId(shared.digest('hex').slice(0, 12))
}
