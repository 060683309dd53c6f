// Keeps the analysis of each recording on disk, so that only the first start decodes and fingerprints it.
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { hopSamples } from './fourier.ts'

export interface Analysis {
  /** Mono at 8 kHz, between -1 and 1. */
  samples: Float32Array
  /** One fingerprint a frame. */
  prints: Uint32Array
  /** Mean square below which the recording counts as silent. */
  floor: number
}

/** Raise it when decoding, the fingerprints or the floor change: older files are then ignored. */
const VERSION = 1
/** Bytes before the samples: the floor (8) and the number of samples (4), rounded up. */
const HEADER = 16

// The same from here and from dist/chunks.
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))

/**
 * Returns the stored analysis of a recording with these bytes, or computes and stores it. A failure to store is ignored.
 * `folders`: where it may be stored, in order of preference.
 */
export async function cachedAnalysis(
  recording: Buffer,
  analyse: () => Promise<Analysis>,
  folders = usualFolders(),
): Promise<Analysis> {
  const hash = createHash('sha256').update(recording).digest('hex')
  const name = `audio-v${VERSION}-${hash}.bin`
  for (const folder of folders) {
    const stored = await readFile(path.join(folder, name)).then(unpack, () => undefined)
    if (stored) return stored
  }
  const analysis = await analyse()
  await store(name, pack(analysis), folders)
  return analysis
}

/** The second serves where the package has no `node_modules` of its own or may not write there. */
function usualFolders(): string[] {
  const own = existsSync(modules) ? [path.join(modules, '.cache', 'speech-mcp')] : []
  return [...own, path.join(tmpdir(), 'speech-mcp-cache')]
}

// Renaming is atomic: another process finds the whole file or none.
async function store(name: string, bytes: Buffer, folders: string[]): Promise<void> {
  for (const folder of folders) {
    const temporary = path.join(folder, `${name}.${randomUUID()}`)
    try {
      await mkdir(folder, { recursive: true })
      await writeFile(temporary, bytes)
      await rename(temporary, path.join(folder, name))
      return
    } catch {
      await rm(temporary, { force: true }).catch(() => {})
    }
  }
}

function pack({ samples, prints, floor }: Analysis): Buffer {
  const header = Buffer.alloc(HEADER)
  header.writeDoubleLE(floor, 0)
  header.writeUInt32LE(samples.length, 8)
  return Buffer.concat([header, bytesOf(samples), bytesOf(prints)])
}

/** Undefined for a file of another length than its header announces. */
function unpack(bytes: Buffer): Analysis | undefined {
  if (bytes.length < HEADER) return undefined
  const count = bytes.readUInt32LE(8)
  const printsAt = HEADER + 4 * count
  const printCount = Math.ceil(count / hopSamples)
  if (bytes.length !== printsAt + 4 * printCount) return undefined
  // A copy begins at an offset that typed arrays accept.
  const buffer = new Uint8Array(bytes).buffer
  return {
    floor: bytes.readDoubleLE(0),
    samples: new Float32Array(buffer, HEADER, count),
    prints: new Uint32Array(buffer, printsAt, printCount),
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
