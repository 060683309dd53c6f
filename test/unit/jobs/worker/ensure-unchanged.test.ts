// A recording behind a URL that changes between its submission and its run is refused.
import { copyFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Downloader } from '../../../../src/domain/network/downloader.ts'
import { createWorkspace, type Workspace } from '../../../support/jobs/harness.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace()
})
afterEach(() => workspace.close())
const noConcurrency = { short: 0, long: 0, remote: 0 }
describe('a URL that waits for another process', () => {
  const audio = 'https://talks.example/a.wav'

  async function ordered(tagThen: string) {
    let tag = 'one'
    const downloader: Downloader = {
      identify: async () => tag,
      async download(_, file) {
        await copyFile(workspace.recording, file)
        return 1
      },
    }
    const first = await workspace.open({ concurrency: noConcurrency, downloader })
    const { job } = await first.submit({ audio })
    await first.close()
    tag = tagThen
    const next = await workspace.open({ downloader })
    return { next, job: await next.waitForEnd(job.id) }
  }

  it('a URL that waited for another process is downloaded if it is unchanged', async () => {
    expect((await ordered('one')).job.state).toBe('completed')
  })

  it('a URL that serves something else by then is not downloaded', async () => {
    const { next, job } = await ordered('two')
    expect(job).toMatchObject({ state: 'failed', error: { code: 'RECORDING_CHANGED' } })
    expect(job.error!.hint).toContain('transcribe_audio')
    expect(next.requests).toEqual([])
  })
})
