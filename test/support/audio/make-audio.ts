// Makes recordings with ffmpeg, each of them once: later runs of the tests find those of earlier ones on disk.
import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { testFfmpeg } from './ffmpeg.ts'

const run = promisify(execFile)
const cache = fileURLToPath(new URL('../../../node_modules/.cache/speech-mcp/recordings', import.meta.url))

/** Makes a file in the folder with ffmpeg, which also reads relative paths from there; returns its path. */
export async function makeAudio(folder: string, name: string, args: string[]): Promise<string> {
  const [ffmpeg, path] = [await testFfmpeg(), join(folder, name)]
  const make = (output: string) => run(ffmpeg, ['-v', 'error', '-y', ...args, output], { cwd: folder })
  const key = await keyOf(ffmpeg, folder, args)
  if (key === undefined) {
    await make(path)
    return path
  }
  await mkdir(cache, { recursive: true })
  const made = join(cache, key + extname(name))
  if (
    await copyFile(made, path).then(
      () => true,
      () => false,
    )
  ) {
    await utimes(made, new Date(), new Date()).catch(() => {})
    return path
  }
  const unfinished = join(cache, randomUUID() + extname(name))
  try {
    await make(unfinished)
    await copyFile(unfinished, path)
    await rename(unfinished, made)
  } finally {
    await rm(unfinished, { force: true })
  }
  return path
}

/** Deletes the recordings on disk that no test has used for a week. */
export async function pruneRecordings(): Promise<void> {
  const oldest = Date.now() - 7 * 24 * 3600 * 1000
  for (const name of await readdir(cache).catch(() => [])) {
    const { mtimeMs = oldest } = (await stat(join(cache, name)).catch(() => undefined)) ?? {}
    if (mtimeMs < oldest) await rm(join(cache, name), { force: true })
  }
}

/** Names the bytes that these arguments make; undefined where they depend on files that the arguments do not name as inputs. */
async function keyOf(ffmpeg: string, folder: string, args: string[]): Promise<string | undefined> {
  if (args.includes('concat') || args.some(arg => arg.includes('movie='))) return undefined
  const { size, mtimeMs } = await stat(ffmpeg).catch(() => ({ size: 0, mtimeMs: 0 }))
  const hash = createHash('sha256').update(JSON.stringify([ffmpeg, size, mtimeMs]))
  for (const arg of args) {
    const content = await readFile(resolve(folder, arg)).catch(() => undefined)
    if (content === undefined && arg.includes(folder)) return undefined
    hash.update(content === undefined ? `text ${arg}\0` : `file ${content.length} `).update(content ?? '')
  }
  return hash.digest('hex')
}
