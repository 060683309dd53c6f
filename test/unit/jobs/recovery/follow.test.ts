// Changes by other processes, as those are told of who follow a job.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Job } from '../../../../src/domain/job.ts'
import { createWorkspace, type Workspace } from '../../../support/jobs/harness.ts'

let workspace: Workspace
beforeAll(async () => {
  workspace = await createWorkspace(1)
})
afterAll(() => workspace.close())

it('a change that another process makes while the first look is under way is told of', async () => {
  const other = await workspace.open()
  const { job } = await other.transcribe()
  let look = () => {}
  const mayLook = new Promise<void>(resolve => {
    look = resolve
  })
  const here = await workspace.open({
    store: store => ({
      ...store,
      async getJob(owner: string, id: string): Promise<Job | undefined> {
        await mayLook
        return store.getJob(owner, id)
      },
    }),
  })
  const changed: string[] = []
  here.jobs.subscribe(({ id }) => changed.push(id))
  const stop = here.jobs.follow(job.owner, job.id)
  await other.jobs.rename(job.owner, job.id, { title: 'From elsewhere' })
  look()
  await vi.waitFor(() => expect(changed).toEqual([job.id]))
  stop()
})
