// Several machines on one store, one queue and one bucket: what is ordered at one is carried out at another.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { me } from './support/house.ts'
import { startTeam, type Team } from './support/team.ts'

let team: Team
beforeEach(async () => {
  team = await startTeam()
})
afterEach(() => team.close())

const patient = { timeout: 30_000, interval: 20 }

describe('a recording ordered at one machine', () => {
  it('is heard at another that does not see the file, and read at a third', async () => {
    const [front, other, worker] = await Promise.all([team.front(), team.front(), team.worker()])
    const { job } = await front.transcribe()
    expect(job.state).toBe('completed')
    expect(worker.asked).toHaveLength(team.site.chunks)
    expect(front.asked).toHaveLength(0)
    const transcript = await other.jobs.read(me, job.id)
    expect(transcript).toMatchObject({ status: 'completed', title: 'talk' })
    await vi.waitFor(() => expect(team.bucket()).toEqual([]), patient)
    await vi.waitFor(() => expect(team.mns.messages()).toEqual([]), patient)
  })
})
