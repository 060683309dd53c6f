// Many simultaneous calls for one recording read the file once.
import { createHash } from 'node:crypto'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { contentHash } from '../../../../src/pipeline/audio/fingerprint.ts'
import { tempFolder } from '../../../support/e2e/system.ts'
import { createWorkspace, owner, type Workspace } from '../../../support/jobs/harness.ts'

/** Readings of files, which go on with the next block when they are let. */
const { readings } = vi.hoisted(() => ({
  readings: [] as { path: string; hasEnded: boolean; go: () => void }[],
}))

vi.mock('../../../../src/system/file-blocks.ts', async original => {
  const { fileBlocks } = await original<typeof import('../../../../src/system/file-blocks.ts')>()
  return {
    async *fileBlocks(path: string, signal: AbortSignal) {
      let go = () => {}
      const isLet = isHeld
        ? new Promise<void>(resolve => {
            go = resolve
          })
        : undefined
      const reading = { path, hasEnded: false, go }
      readings.push(reading)
      try {
        await isLet
        yield* fileBlocks(path, signal)
      } finally {
        reading.hasEnded = true
      }
    },
  }
})

let isHeld = false
beforeEach(() => {
  readings.length = 0
  isHeld = false
})

let workspace: Workspace
beforeAll(async () => {
  workspace = await createWorkspace()
})
afterAll(() => workspace.close())

const forgetful = { get: async () => undefined, put: async () => {}, isFromThisJob: () => false }

it('fifty calls at once make one job and read the file once', async () => {
  const harness = await workspace.open({ concurrency: { short: 0, long: 0, remote: 0 } })
  const placed = await Promise.all(Array.from({ length: 50 }, () => harness.submit()))
  expect(new Set(placed.map(({ job }) => job.id)).size).toBe(1)
  expect(readings.map(({ path }) => path)).toEqual([workspace.recording])
  await harness.jobs.remove(owner, placed[0]!.job.id)
})

it('two large files are read at once, and further ones in turn', async () => {
  const folder = await tempFolder()
  isHeld = true
  const files = await Promise.all(
    [1, 2, 3].map(async n => {
      const path = join(folder.path, `large-${n}`)
      await writeFile(path, '')
      await truncate(path, 100_000_000)
      return path
    }),
  )
  const hashes = files.map(path => contentHash(path, forgetful, new AbortController().signal))
  await vi.waitFor(() => expect(readings).toHaveLength(2))
  readings[0]!.go()
  await hashes[files.indexOf(readings[0]!.path)]
  await vi.waitFor(() => expect(readings).toHaveLength(3))
  for (const { go } of readings) go()
  await Promise.all(hashes)
  await folder.remove()
})

it('reading continues when one caller leaves, and stops with the last one', async () => {
  isHeld = true
  const callers = [1, 2, 3].map(() => new AbortController())
  const hashes = callers.map(({ signal }) => contentHash(workspace.recording, forgetful, signal))
  const outcomes = Promise.allSettled(hashes)
  await vi.waitFor(() => expect(readings).toHaveLength(1))
  callers[0]!.abort(new Error('detached'))
  await expect(hashes[0]).rejects.toThrow('detached')
  readings[0]!.go()
  const digest = createHash('sha256')
    .update(await readFile(workspace.recording))
    .digest('hex')
  expect((await outcomes).slice(1)).toEqual([1, 2].map(() => ({ status: 'fulfilled', value: digest })))

  const alone = new AbortController()
  const stopped = contentHash(workspace.recording, forgetful, alone.signal)
  await vi.waitFor(() => expect(readings).toHaveLength(2))
  alone.abort(new Error('gone too'))
  await expect(stopped).rejects.toThrow('gone too')
  readings[1]!.go()
  await vi.waitFor(() => expect(readings[1]!.hasEnded).toBe(true))
})
