// A store on a SQLite file in a folder of its own, for tests of what happens to the file.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Sqlite from 'libsql'
import { afterEach, beforeEach, vi } from 'vitest'
import type { Store } from '../../../src/domain/ports.ts'
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'
import { setLogLevel } from '../../../src/log.ts'
import { root, type TempFolder, tempFolder } from '../e2e/system.ts'
import { segment, transcript } from '../transcripts.ts'

export const owner = 'local'
/** Erasing takes as long as a busy machine needs. */
export const maxEraseMs = 60_000

/** Call at the top of a test file: each test gets an empty store, whose folder does not exist yet. */
export function useSqliteFile() {
  let temp: TempFolder
  let store: Store
  const folder = () => join(temp.path, 'made', 'by the store')
  const file = () => join(folder(), 'speech.db')

  beforeEach(async () => {
    setLogLevel('silent')
    temp = await tempFolder()
    store = sqliteStore({ folder: folder(), maxEraseMs })
  })
  afterEach(async () => {
    setLogLevel('warn')
    vi.restoreAllMocks()
    vi.useRealTimers()
    await store.close()
    await temp.remove()
  })

  async function fill(count: number): Promise<void> {
    for (let i = 0; i < count; i++)
      await store.putTranscript(
        owner,
        transcript({ id: `t${i}`, segments: [segment('word '.repeat(600), 0, 600)] }),
      )
  }

  return {
    temp: () => temp,
    folder,
    file,
    store: () => store,
    fill,
    /** A store on a copy of the file alone, whole and closed, in the temporary folder. */
    async copyOf(count: number): Promise<{ file: string; store: Store }> {
      await fill(count)
      moveLogIntoFile(file())
      const copy = join(temp.path, 'speech.db')
      copyFileSync(file(), copy)
      return { file: copy, store: sqliteStore({ folder: temp.path }) }
    },
    /** Starts a process that writes texts of these sizes, with ids that start with `name`, when the result is called. */
    async startWriter(name: string, sizes: number[], maxFileBlocks = 'unlimited') {
      const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
      const script = join(root, 'test', 'support', 'sqlite-writer-process.ts')
      const limited = ['-c', 'ulimit -f "$1"; shift; exec "$@"', 'sh', maxFileBlocks]
      const writer = [process.execPath, '--import', tsx, script, folder(), name, ...sizes.map(String)]
      const child = spawn('sh', [...limited, ...writer], { stdio: ['pipe', 'pipe', 'inherit'] })
      let output = ''
      child.stdout.on('data', chunk => {
        output += chunk
      })
      await once(child.stdout, 'data')
      return async (): Promise<{ writes: string[]; read: string }> => {
        child.stdin.write('go\n')
        await once(child, 'close')
        return JSON.parse(output.split('\n')[1]!)
      }
    },
  }
}

/** Moves the write-ahead log into the file itself. */
export function moveLogIntoFile(path: string): void {
  const database = new Sqlite(path)
  database.pragma('wal_checkpoint(TRUNCATE)')
  database.close()
}

/** Names of the files that were set aside in a folder, without the log and index beside them. */
export function damagedFilesIn(path: string): string[] {
  return readdirSync(path).filter(name => /^speech\.db\.damaged-.*Z(-\d+)?$/.test(name))
}
