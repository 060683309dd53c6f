// diarize_audio under failures: lost responses, failed passes, killed processes and rejected uploads.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config/config.ts'
import { localOwner } from '../../../src/domain/job.ts'
import { clients } from '../../support/e2e/mcp-clients.ts'
import { type Meetings, startMeetings, trueTurns, turnsOf } from '../../support/e2e/meetings.ts'

const [, connect] = clients[0]!
const who = 'fun-asr-mtl'
const what = 'qwen3-asr-flash-filetrans'

let meetings: Meetings
let off: (() => void)[] = []

beforeAll(async () => {
  meetings = await startMeetings()
})
afterEach(() => {
  for (const end of off) end()
  off = []
})
afterAll(() => meetings.system.close())

type TaskFault = Parameters<Meetings['system']['standin']['taskFault']>[0]
const taskFault = (fault: TaskFault) => void off.push(meetings.system.standin.taskFault(fault))
const ossFault = (fault: Parameters<NonNullable<Meetings['system']['standin']['oss']>['fault']>[0]) =>
  void off.push(meetings.system.standin.oss!.fault(fault))
const tasks = () => meetings.system.standin.tasks
const words = (text: string) => turnsOf(text).map(turn => turn.replace(/^[^:]+: /, ''))
const trueWords = () =>
  words(
    trueTurns()
      .map(turn => `[0:00] ${turn}`)
      .join('\n'),
  ).join(' ')

describe('a pass that fails', () => {
  it('a failed speaker pass leaves words without speakers and is repaired alone', async () => {
    const audio = await meetings.recording()
    taskFault({ kind: 'failed', code: 'InternalError', model: who })
    const { data } = await meetings.diarize(audio)
    expect(data).toMatchObject({ status: 'partial', speakers: [] })
    expect(data.warnings.join(' ')).toMatch(/The speakers could not be identified\. TASK_FAILED: /)
    expect(words(data.text).join(' ')).toBe(trueWords())
    expect(meetings.leftovers()).toEqual([])
    off.pop()!()
    const { tasks: again, answer } = await meetings.tasksOf(() => meetings.diarize(audio))
    expect(again.map(({ model }) => model)).toEqual([who])
    expect(answer.data.status).toBe('completed')
    expect(turnsOf(answer.data.text)).toEqual(trueTurns())
  })

  it('a failed word pass leaves the words of the speaker pass', async () => {
    taskFault({ kind: 'failed', code: 'InternalError', model: what })
    const { data } = await meetings.diarize(await meetings.recording())
    expect(data.status).toBe('partial')
    expect(data.speakers).toHaveLength(3)
    expect(data.warnings.join(' ')).toMatch(/TASK_FAILED: /)
    expect(turnsOf(data.text).map(turn => turn.slice(0, 3))).toEqual(
      trueTurns().map(turn => turn.slice(0, 3)),
    )
  })

  it('two failed passes fail the job', async () => {
    taskFault({ kind: 'failed', code: 'InternalError' })
    const { isError, text } = await meetings.diarize(await meetings.recording())
    expect(isError).toBe(true)
    expect(text).toMatch(/^TASK_FAILED: /)
    expect(meetings.leftovers()).toEqual([])
  })

  it('a pass with an unknown model does not stop the other pass', async () => {
    taskFault({
      kind: 'submitError',
      status: 400,
      code: 'InvalidParameter',
      message: 'Model not exist.',
      model: who,
    })
    const { data } = await meetings.diarize(await meetings.recording())
    expect(data.status).toBe('partial')
    expect(data.warnings.join(' ')).toMatch(/MODEL_NOT_FOUND/)
  })
})

describe('speakers that nobody can tell', () => {
  it('speakers that the provider does not detect are not invented', async () => {
    meetings.system.standin.set({ recognitionErrors: { missingLabels: 1 } })
    const { data } = await meetings.diarize(await meetings.recording())
    meetings.system.standin.set({ recognitionErrors: { missingLabels: 0 } })
    expect(data.speakers).toEqual([])
    expect(data.warnings.join(' ')).toMatch(/speaker/i)
    expect(words(data.text).join(' ')).toBe(trueWords())
  })
})

describe('a submit', () => {
  it('a submit whose response is lost is not repeated, because its task is found', async () => {
    taskFault({ kind: 'submitLost', model: what, times: 1 })
    const { tasks: made, answer } = await meetings.tasksOf(async () =>
      meetings.diarize(await meetings.recording()),
    )
    expect(made.map(({ model }) => model).sort()).toEqual([who, what])
    expect(turnsOf(answer.data.text)).toEqual(trueTurns())
  })

  it('a submit that never arrived is repeated', async () => {
    taskFault({ kind: 'submitHtml', model: what, times: 1 })
    const { tasks: made, answer } = await meetings.tasksOf(async () =>
      meetings.diarize(await meetings.recording()),
    )
    expect(made.map(({ model }) => model).sort()).toEqual([who, what])
    expect(answer.data.status).toBe('completed')
  })
})

describe('a task', () => {
  it('a task that the provider lost is submitted once more', async () => {
    const known = new Set(tasks().map(({ id }) => id))
    const isFirst = (id: string) => tasks().find(task => task.model === who && !known.has(task.id))?.id === id
    taskFault({ kind: 'forgotten', model: who, when: ({ id }) => isFirst(id) })
    const { tasks: made, answer } = await meetings.tasksOf(async () =>
      meetings.diarize(await meetings.recording()),
    )
    expect(made.filter(({ model }) => model === who)).toHaveLength(2)
    expect(answer.data.status).toBe('completed')
  })

  it('a task that the provider temporarily does not know is polled again', async () => {
    taskFault({ kind: 'forgotten', every: 3 })
    meetings.system.standin.set({ taskLatency: { base: 1.5, perSecond: 0 } })
    const { tasks: made, answer } = await meetings.tasksOf(async () =>
      meetings.diarize(await meetings.recording()),
    )
    meetings.system.standin.set({ taskLatency: { base: 0, perSecond: 0 } })
    expect(made).toHaveLength(2)
    expect(answer.data.status).toBe('completed')
  })

  it('a task that cannot download the recording gets a new signed URL once', async () => {
    taskFault({ kind: 'failed', code: 'FILE_403_FORBIDDEN', model: what, times: 1 })
    const { tasks: made, answer } = await meetings.tasksOf(async () =>
      meetings.diarize(await meetings.recording()),
    )
    expect(made.filter(({ model }) => model === what)).toHaveLength(2)
    expect(turnsOf(answer.data.text)).toEqual(trueTurns())
    taskFault({ kind: 'failed', code: 'FILE_403_FORBIDDEN', model: what })
    const { data } = await meetings.diarize(await meetings.recording())
    expect(data.status).toBe('partial')
    expect(data.warnings.join(' ')).toMatch(/UPLOAD_UNREACHABLE/)
  })

  it('a task completes despite many failed polls', async () => {
    taskFault({ kind: 'pollError', status: 500, code: 'InternalError', message: 'later', times: 3 })
    taskFault({ kind: 'pollDrop', times: 2 })
    taskFault({ kind: 'result', how: 500, times: 1 })
    const { data } = await meetings.diarize(await meetings.recording())
    expect(turnsOf(data.text)).toEqual(trueTurns())
  })
})

describe('a job that is cancelled', () => {
  it('a cancelled job deletes its upload and cancels its waiting tasks', async () => {
    taskFault({ kind: 'endless', state: 'PENDING' })
    const audio = await meetings.recording()
    const before = tasks().length
    const { data } = await meetings.diarize(audio, { wait_seconds: 0 })
    expect(data.status).toBe('running')
    await vi.waitFor(() => expect(tasks().length).toBe(before + 2), { timeout: 30_000 })
    const mine = tasks().slice(-2)
    await meetings.system.call('cancel_transcription', { transcript_id: data.transcript_id })
    expect(meetings.leftovers()).toEqual([])
    expect(mine.map(({ state }) => state)).toEqual(['CANCELED', 'CANCELED'])
  })
})

describe('two concurrent requests for one recording', () => {
  const both = async (audio: string) => {
    const word = meetings.system.call('transcribe_audio', { audio, timestamps: 'word', wait_seconds: 120 })
    const [timed, told] = await Promise.all([word, meetings.diarize(audio)])
    return { timed, told }
  }

  it('two concurrent requests share a pass, which is billed once', async () => {
    const audio = await meetings.recording()
    const { tasks: made, answer } = await meetings.tasksOf(() => both(audio))
    expect(made.map(({ model }) => model).sort()).toEqual([who, what])
    expect(turnsOf(answer.told.data.text)).toEqual(trueTurns())
    expect(answer.timed.data).toMatchObject({ status: 'completed', times: 'measured' })
    const paid = [answer.timed, answer.told].map(({ data }) => data.usage.audio_seconds)
    const billed = meetings.system.standin.tasks.slice(-2).reduce((sum, task) => sum + (task.billed ?? 0), 0)
    expect(paid[0] + paid[1]).toBeCloseTo(billed, 0)
  })

  it('two concurrent requests do not cancel each other’s tasks', async () => {
    meetings.system.standin.set({ taskLatency: { base: 3, perSecond: 0 } })
    const audio = await meetings.recording()
    const before = tasks().length
    const told = meetings.diarize(audio)
    await vi.waitFor(() => expect(tasks().length).toBe(before + 2), { timeout: 30_000 })
    const { data } = await meetings.system.call('transcribe_audio', {
      audio,
      timestamps: 'word',
      wait_seconds: 0,
    })
    await meetings.system.call('cancel_transcription', { transcript_id: data.transcript_id })
    expect((await told).data).toMatchObject({ status: 'completed' })
    meetings.system.standin.set({ taskLatency: { base: 0, perSecond: 0 } })
    expect(tasks().length).toBe(before + 2)
  })
})

describe('a process that is killed', () => {
  const start = async (audio: string) => {
    const client = await connect(meetings.system.env)
    void client.call('diarize_audio', { audio }).catch(() => {})
    return client
  }
  const finish = async (audio: string) => {
    const client = await connect(meetings.system.env)
    const { structuredContent } = await client.call('diarize_audio', { audio, wait_seconds: 120 })
    await client.close()
    return structuredContent as { status: string; text: string }
  }

  it('a process killed after the submit has its tasks polled, not resubmitted, by the next one', async () => {
    meetings.system.standin.set({ taskLatency: { base: 3, perSecond: 0 } })
    const audio = await meetings.recording()
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
    meetings.system.standin.set({ taskLatency: { base: 0, perSecond: 0 } })
    const result = await finish(audio)
    expect(result.status).toBe('completed')
    expect(turnsOf(result.text)).toEqual(trueTurns())
    expect(tasks().length).toBe(before + 2)
    expect(meetings.leftovers()).toEqual([])
  })

  it('a process killed between upload and submit causes no second upload', async () => {
    const end = meetings.system.standin.taskFault({ kind: 'submitHang' })
    const audio = await meetings.recording()
    const puts = () =>
      meetings.system.standin.oss!.requests.filter(({ kind }) => kind === 'put' || kind === 'complete').length
    const before = puts()
    const client = await start(audio)
    await vi.waitFor(
      () =>
        expect(
          meetings.system.standin.taskCalls.filter(({ kind, status }) => kind === 'submit' && status === 0)
            .length,
        ).toBeGreaterThan(0),
      { timeout: 30_000 },
    )
    process.kill(client.pid(), 'SIGKILL')
    end()
    const result = await finish(audio)
    expect(turnsOf(result.text)).toEqual(trueTurns())
    expect(puts() - before).toBe(1)
    expect(meetings.leftovers()).toEqual([])
  })
})

describe('a job whose process was killed while its tasks wait', () => {
  it.each(['remove', 'cancel'] as const)(
    'a job of a killed process leaves nothing in the cloud after %s',
    async how => {
      taskFault({ kind: 'endless', state: 'PENDING' })
      const before = tasks().length
      const client = await connect(meetings.system.env)
      const audio = await meetings.recording()
      const { structuredContent } = await client.call('diarize_audio', { audio, wait_seconds: 0 })
      const { transcript_id: id } = structuredContent as { transcript_id: string }
      await vi.waitFor(() => expect(tasks().length).toBe(before + 2), { timeout: 30_000 })
      const mine = tasks().slice(before)
      // Asked for once: its answer has come, and is kept.
      await vi.waitFor(() => expect(mine.every(({ polls }) => polls.length > 0)).toBe(true), {
        timeout: 30_000,
      })
      const pid = client.pid()
      process.kill(pid, 'SIGKILL')
      await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'))
      const app = await createApp(readConfig(meetings.system.env))
      try {
        await app.jobs[how](localOwner, id)
      } finally {
        await app.close()
      }
      expect(mine.map(({ state }) => state)).toEqual(['CANCELED', 'CANCELED'])
      expect(meetings.leftovers()).toEqual([])
    },
  )
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
    const { tasks: made, answer } = await meetings.tasksOf(async () =>
      meetings.diarize(await meetings.recording()),
    )
    expect(made).toEqual([])
    expect(answer.isError).toBe(true)
    expect(answer.text).toMatch(new RegExp(`^${code}: .+\\. .+`))
    for (const secret of ['ALIBABA_ACCESS_KEY', 'ALIBABA_SECRET_KEY'])
      expect(answer.text).not.toContain(meetings.system.env[secret])
  })

  it('a busy bucket is retried', async () => {
    ossFault({ kind: 'error', status: 503, code: 'ServiceUnavailable', message: 'later', times: 2 })
    const { data } = await meetings.diarize(await meetings.recording())
    expect(data.status).toBe('completed')
  })
})

describe('uploads of a crashed process', () => {
  it('uploads of a crashed process are deleted at the next start, and uploads in use are kept', async () => {
    // A job that is over, with an upload nobody took away.
    ossFault({
      kind: 'error',
      status: 403,
      code: 'AccessDenied',
      message: 'no',
      when: ({ kind }) => kind === 'delete',
    })
    const { data } = await meetings.diarize(await meetings.recording())
    expect(data.status).toBe('completed')
    expect(meetings.leftovers()).toHaveLength(1)
    off.pop()!()
    const client = await connect(meetings.system.env)
    await vi.waitFor(() => expect(meetings.leftovers()).toEqual([]), { timeout: 20_000 })
    await client.close()
    await sleep(0)
  })
})
