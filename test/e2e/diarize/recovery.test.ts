// diarize_audio after a crash: tasks and uploads of killed processes, and failing buckets.
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config/config.ts'
import { localOwner } from '../../../src/domain/job.ts'
import {
  type DiarizationSystem,
  expectedTurns,
  startDiarizationSystem,
  turnsOf,
} from '../../support/e2e/diarization-system.ts'
import { clients } from '../../support/e2e/mcp-clients.ts'

const [, connect] = clients[0]!
let diarization: DiarizationSystem
let off: (() => void)[] = []

beforeAll(async () => {
  diarization = await startDiarizationSystem()
})
afterEach(() => {
  for (const end of off) end()
  off = []
})
afterAll(() => diarization.system.close())

type TaskFault = Parameters<DiarizationSystem['system']['dashscope']['taskFault']>[0]
const taskFault = (fault: TaskFault) => void off.push(diarization.system.dashscope.taskFault(fault))
const ossFault = (
  fault: Parameters<NonNullable<DiarizationSystem['system']['dashscope']['oss']>['fault']>[0],
) => void off.push(diarization.system.dashscope.oss!.fault(fault))
const tasks = () => diarization.system.dashscope.tasks
describe('a process that is killed', () => {
  const start = async (audio: string) => {
    const client = await connect(diarization.system.env)
    void client.call('diarize_audio', { audio }).catch(() => {})
    return client
  }
  const finish = async (audio: string) => {
    const client = await connect(diarization.system.env)
    const { structuredContent } = await client.call('diarize_audio', { audio, wait_seconds: 120 })
    await client.close()
    return structuredContent as { status: string; text: string }
  }

  it('a process killed after the submit has its tasks polled, not resubmitted, by the next one', async () => {
    diarization.system.dashscope.set({ taskLatency: { base: 3, perSecond: 0 } })
    const audio = await diarization.newRecording()
    const before = tasks().length
    const client = await start(audio)
    await vi.waitFor(
      () =>
        expect(
          tasks()
            .slice(before)
            .every(({ polls }) => polls.length > 0) && tasks().length,
        ).toBe(before + 2),
      { timeout: 30_000 },
    )
    process.kill(client.pid(), 'SIGKILL')
    diarization.system.dashscope.set({ taskLatency: { base: 0, perSecond: 0 } })
    const result = await finish(audio)
    expect(result.status).toBe('completed')
    expect(turnsOf(result.text)).toEqual(expectedTurns())
    expect(tasks().length).toBe(before + 2)
    expect(diarization.bucketKeys()).toEqual([])
  })

  it('a process killed between upload and submit causes no second upload', async () => {
    const end = diarization.system.dashscope.taskFault({ kind: 'submitHang' })
    const audio = await diarization.newRecording()
    const puts = () =>
      diarization.system.dashscope.oss!.requests.filter(({ kind }) => kind === 'put' || kind === 'complete')
        .length
    const before = puts()
    const client = await start(audio)
    await vi.waitFor(
      () =>
        expect(
          diarization.system.dashscope.taskCalls.filter(
            ({ kind, status }) => kind === 'submit' && status === 0,
          ).length,
        ).toBeGreaterThan(0),
      { timeout: 30_000 },
    )
    process.kill(client.pid(), 'SIGKILL')
    end()
    const result = await finish(audio)
    expect(turnsOf(result.text)).toEqual(expectedTurns())
    expect(puts() - before).toBe(1)
    expect(diarization.bucketKeys()).toEqual([])
  })
})

describe('a job whose process was killed while its tasks wait', () => {
  async function killedJob() {
    taskFault({ kind: 'endless', state: 'PENDING' })
    const before = tasks().length
    const client = await connect(diarization.system.env)
    const audio = await diarization.newRecording()
    const { structuredContent } = await client.call('diarize_audio', { audio, wait_seconds: 0 })
    const { transcript_id: id } = structuredContent as { transcript_id: string }
    await vi.waitFor(() => expect(tasks().length).toBe(before + 2), { timeout: 30_000 })
    const mine = tasks().slice(before)
    // Polled once: its submit response has arrived and is stored.
    await vi.waitFor(() => expect(mine.every(({ polls }) => polls.length > 0)).toBe(true), {
      timeout: 30_000,
    })
    const pid = client.pid()
    process.kill(pid, 'SIGKILL')
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'))
    const expectNothingLeft = () => {
      expect(mine.map(({ state }) => state)).toEqual(['CANCELED', 'CANCELED'])
      expect(diarization.bucketKeys()).toEqual([])
    }
    return { id, audio, expectNothingLeft }
  }

  it.each(['remove', 'cancel'] as const)('leaves nothing in the cloud after %s', async how => {
    const { id, expectNothingLeft } = await killedJob()
    const app = await createApp(readConfig(diarization.system.env))
    try {
      await app.jobs[how](localOwner, id)
    } finally {
      await app.close()
    }
    expectNothingLeft()
  })

  it('leaves nothing in the cloud where the next process cannot go on', async () => {
    const { id, audio, expectNothingLeft } = await killedJob()
    await rm(audio)
    const client = await connect(diarization.system.env)
    const { structuredContent } = await client.call('get_transcript', { transcript_id: id, wait_seconds: 30 })
    expect(structuredContent).toMatchObject({ status: 'failed' })
    // The state is stored first; a process that is closed meanwhile leaves the rest to the next one.
    await vi.waitFor(expectNothingLeft, { timeout: 30_000 })
    await client.close()
  })
})

describe('a failing bucket', () => {
  it.each([
    ['forbids', { status: 403, code: 'AccessDenied', message: 'no' }, 'BUCKET_REFUSED'],
    ['is not there', { status: 404, code: 'NoSuchBucket', message: 'no' }, 'BUCKET_NOT_FOUND'],
    ['finds our clock wrong', { status: 403, code: 'RequestTimeTooSkewed', message: 'no' }, 'CLOCK_WRONG'],
    [
      'finds our token too old',
      { status: 403, code: 'SecurityTokenExpired', message: 'no' },
      'BUCKET_REFUSED',
    ],
  ] as const)('a bucket that %s is reported, and nothing is submitted', async (_, error, code) => {
    ossFault({ kind: 'error', ...error })
    const { tasks: made, answer } = await diarization.tasksOf(async () =>
      diarization.diarize(await diarization.newRecording()),
    )
    expect(made).toEqual([])
    expect(answer.isError).toBe(true)
    expect(answer.text).toMatch(new RegExp(`^${code}: .+\\. .+`))
    for (const secret of ['ALIBABA_ACCESS_KEY', 'ALIBABA_SECRET_KEY'])
      expect(answer.text).not.toContain(diarization.system.env[secret])
  })

  it('a busy bucket is retried', async () => {
    ossFault({ kind: 'error', status: 503, code: 'ServiceUnavailable', message: 'later', times: 2 })
    const { data } = await diarization.diarize(await diarization.newRecording())
    expect(data.status).toBe('completed')
  })
})

describe('uploads of a crashed process', () => {
  it('uploads of a crashed process are deleted at the next start, and uploads in use are kept', async () => {
    // A finished job whose upload was not deleted.
    ossFault({
      kind: 'error',
      status: 403,
      code: 'AccessDenied',
      message: 'no',
      when: ({ kind }) => kind === 'delete',
    })
    const { data } = await diarization.diarize(await diarization.newRecording())
    expect(data.status).toBe('completed')
    expect(diarization.bucketKeys()).toHaveLength(1)
    off.pop()!()
    const client = await connect(diarization.system.env)
    await vi.waitFor(() => expect(diarization.bucketKeys()).toEqual([]), { timeout: 20_000 })
    await client.close()
    await sleep(0)
  })
})
