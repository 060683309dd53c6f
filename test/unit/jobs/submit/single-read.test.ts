// Many simultaneous calls for one recording read the file once.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { addAbortSignal, PassThrough } from 'node:stream'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { contentHash } from '../../../../src/pipeline/audio/fingerprint.ts'
import { tempFolder } from '../../../support/e2e/system.ts'
import { createWorkspace, owner, type Workspace } from '../../../support/jobs/harness.ts'

vi.mock('node:fs', async original => {
  const real = await original<typeof import('node:fs')>()
  return { ...real, createReadStream: vi.fn(real.createReadStream) }
})

let workspace: Workspace
beforeAll(async () => {
  workspace = await createWorkspace()
})
afterAll(() => workspace.close())

const readings = () =>
  vi.mocked(createReadStream).mock.calls.filter(([path]) => path === workspace.recording).length

it('fifty calls at once make one job and read the file once', async () => {
  const harness = await workspace.open({ concurrency: { short: 0, long: 0, remote: 0 } })
  const placed = await Promise.all(Array.from({ length: 50 }, () => harness.submit()))
  expect(new Set(placed.map(({ job }) => job.id)).size).toBe(1)
  expect(readings()).toBe(1)
  await harness.jobs.remove(owner, placed[0]!.job.id)
})

it('two large files are read at once, and further ones in turn', async () => {
  const folder = await tempFolder()
  const forgetful = { get: async () => undefined, put: async () => {}, isFromThisJob: () => false }
  const streams: PassThrough[] = []
  vi.mocked(createReadStream).mockImplementation((() => {
    streams.push(new PassThrough())
    return streams.at(-1)
  }) as never)
  const files = await Promise.all(
    [1, 2, 3].map(async n => {
      const path = join(folder.path, `large-${n}`)
      await writeFile(path, '')
      await truncate(path, 100_000_000)
      return path
    }),
  )
  const hashes = files.map(path => contentHash(path, forgetful, new AbortController().signal))
  await vi.waitFor(() => expect(streams).toHaveLength(2))
  streams[0]!.end('the first')
  await vi.waitFor(() => expect(streams).toHaveLength(3))
  for (const stream of streams) stream.end()
  await Promise.all(hashes)
  await folder.remove()
})

it('reading continues when one caller leaves, and stops with the last one', async () => {
  const forgetful = { get: async () => undefined, put: async () => {}, isFromThisJob: () => false }
  const streams: PassThrough[] = []
  vi.mocked(createReadStream).mockImplementation(((_: string, { signal }: { signal: AbortSignal }) => {
    streams.push(addAbortSignal(signal, new PassThrough()))
    return streams.at(-1)
  }) as never)
  const callers = [1, 2, 3].map(() => new AbortController())
  const hashes = callers.map(({ signal }) => contentHash(workspace.recording, forgetful, signal))
  const outcomes = Promise.allSettled(hashes)
  await vi.waitFor(() => expect(streams).toHaveLength(1))
  callers[0]!.abort(new Error('detached'))
  await expect(hashes[0]).rejects.toThrow('detached')
  streams[0]!.end('what is in the file')
  const digest = createHash('sha256').update('what is in the file').digest('hex')
  expect((await outcomes).slice(1)).toEqual([1, 2].map(() => ({ status: 'fulfilled', value: digest })))

  const alone = new AbortController()
  const stopped = contentHash(workspace.recording, forgetful, alone.signal)
  await vi.waitFor(() => expect(streams).toHaveLength(2))
  alone.abort(new Error('gone too'))
  await expect(stopped).rejects.toThrow('gone too')
  await vi.waitFor(() => expect(streams[1]!.destroyed).toBe(true))
})
