// Whose uploads lie in a bucket that others may share: a name drawn once and kept in the data folder, whatever its host.
import { createHash, randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { log } from '../../log.ts'

/** Names are small letters and digits, and tell others nothing. */
export interface InstallationId {
  /** The name for an upload; drawn with the first one. */
  getOrCreate(): Promise<string>
  /** The name for a look at what lies there: for that alone none is drawn. */
  get(): Promise<string>
}

/** Host and folder stand for it where nothing can be kept; a container has another host each time it is started. */
export function installationIdIn(folder: string): InstallationId {
  const file = join(folder, 'installation')
  const makeshift = createHash('sha256').update(`${hostname()}\0${folder}`).digest('hex').slice(0, 8)
  let known: string | undefined

  async function find(): Promise<string | undefined> {
    if (known) return known
    const text = await readFile(file, 'utf8').catch(() => '')
    if (/^[0-9a-f]{12}$/.test(text)) known = text
    return known
  }

  /** Another process may do the same: a link is made once, with all that it leads to. */
  async function draw(): Promise<void> {
    const name = randomBytes(6).toString('hex')
    const drawn = `${file}.${name}`
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(drawn, name, { flag: 'wx', mode: 0o600 })
      await link(drawn, file)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (!(await find())) log.warn('installation-not-kept', { code })
    } finally {
      await rm(drawn, { force: true }).catch(() => {})
    }
  }

  return {
    async getOrCreate() {
      if (!(await find())) await draw()
      return (await find()) ?? makeshift
    },
    get: async () => (await find()) ?? makeshift,
  }
}

/** One that is known by itself. */
export function fixedInstallationId(name: string): InstallationId {
  return { getOrCreate: async () => name, get: async () => name }
}
