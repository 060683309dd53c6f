// diarize_audio under failures: lost responses, failed passes and concurrent requests.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  type DiarizationSystem,
  expectedTurns,
  startDiarizationSystem,
  turnsOf,
} from '../../support/e2e/diarization-system.ts'
import { clients } from '../../support/e2e/mcp-clients.ts'

const [, _connect] = clients[0]!
const who = 'fun-asr-mtl'
const what = 'qwen3-asr-flash-filetrans'

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
const tasks = () => diarization.system.dashscope.tasks
const words = (text: string) => turnsOf(text).map(turn => turn.replace(/^[^:]+: /, ''))
const trueWords = () =>
  words(
    expectedTurns()
      .map(turn => `[0:00] ${turn}`)
      .join('\n'),
  ).join(' ')

describe('a pass that fails', () => {
  it('a failed speaker pass leaves words without speakers and is repaired alone', async () => {
    const audio = await diarization.newRecording()
    taskFault({ kind: 'failed', code: 'InternalError', model: who })
    const { data } = await diarization.diarize(audio)
    expect(data).toMatchObject({ status: 'partial', speakers: [] })
    expect(data.warnings.join(' ')).toMatch(/The speakers could not be identified\. TASK_FAILED: /)
    expect(words(data.text).join(' ')).toBe(trueWords())
    expect(diarization.bucketKeys()).toEqual([])
    off.pop()!()
    const { tasks: again, answer } = await diarization.tasksOf(() => diarization.diarize(audio))
    expect(again.map(({ model }) => model)).toEqual([who])
    expect(answer.data.status).toBe('completed')
    expect(turnsOf(answer.data.text)).toEqual(expectedTurns())
  })

  it('a failed word pass leaves the words of the speaker pass', async () => {
    taskFault({ kind: 'failed', code: 'InternalError', model: what })
    const { data } = await diarization.diarize(await diarization.newRecording())
    expect(data.status).toBe('partial')
    expect(data.speakers).toHaveLength(3)
    expect(data.warnings.join(' ')).toMatch(/TASK_FAILED: /)
    expect(turnsOf(data.text).map(turn => turn.slice(0, 3))).toEqual(
      expectedTurns().map(turn => turn.slice(0, 3)),
    )
  })

  it('two failed passes fail the job', async () => {
    taskFault({ kind: 'failed', code: 'InternalError' })
    const { isError, text } = await diarization.diarize(await diarization.newRecording())
    expect(isError).toBe(true)
    expect(text).toMatch(/^TASK_FAILED: /)
    expect(diarization.bucketKeys()).toEqual([])
  })

  it('a pass whose only model is gone does not stop the other pass', async () => {
    const other = await startDiarizationSystem({
      isHere: true,
      env: { SPEAKER_MODEL: who },
      dashscope: { goneModels: [who] },
    })
    const { data } = await other.diarize(await other.newRecording())
    expect(data.status).toBe('partial')
    expect(data.warnings.join(' ')).toMatch(/MODEL_NOT_FOUND.*SPEAKER_MODEL/)
    await other.system.close()
  })
})

describe('undetected speakers', () => {
  it('speakers that the provider does not detect are not invented', async () => {
    diarization.system.dashscope.set({ recognitionErrors: { missingLabels: 1 } })
    const { data } = await diarization.diarize(await diarization.newRecording())
    diarization.system.dashscope.set({ recognitionErrors: { missingLabels: 0 } })
    expect(data.speakers).toEqual([])
    expect(data.warnings.join(' ')).toMatch(/speaker/i)
    expect(words(data.text).join(' ')).toBe(trueWords())
  })
})

describe('a submit', () => {
  it('a submit whose response is lost is not repeated, because its task is found', async () => {
    taskFault({ kind: 'submitLost', model: what, times: 1 })
    const { tasks: made, answer } = await diarization.tasksOf(async () =>
      diarization.diarize(await diarization.newRecording()),
    )
    expect(made.map(({ model }) => model).sort()).toEqual([who, what])
    expect(turnsOf(answer.data.text)).toEqual(expectedTurns())
  })

  it('the task of a lost response is found by a machine whose clock is five minutes off', async () => {
    const preload = new URL('../../support/e2e/other-machine.mjs', import.meta.url)
    const late = await startDiarizationSystem({
      isHere: true,
      env: { NODE_OPTIONS: `--import ${preload}`, TEST_CLOCK_MS: String(-5 * 60_000) },
    })
    late.system.dashscope.taskFault({ kind: 'submitLost', model: what, times: 1 })
    const { tasks: made, answer } = await late.tasksOf(async () => late.diarize(await late.newRecording()))
    expect(made.map(({ model }) => model).sort()).toEqual([who, what])
    expect(answer.data.status).toBe('completed')
    await late.system.close()
  })

  it('a submit that never arrived is repeated', async () => {
    taskFault({ kind: 'submitHtml', model: what, times: 1 })
    const { tasks: made, answer } = await diarization.tasksOf(async () =>
      diarization.diarize(await diarization.newRecording()),
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
    const { tasks: made, answer } = await diarization.tasksOf(async () =>
      diarization.diarize(await diarization.newRecording()),
    )
    expect(made.filter(({ model }) => model === who)).toHaveLength(2)
    expect(answer.data.status).toBe('completed')
  })

  it('a task that the provider temporarily does not know is polled again', async () => {
    taskFault({ kind: 'forgotten', every: 3 })
    diarization.system.dashscope.set({ taskLatency: { base: 1.5, perSecond: 0 } })
    const { tasks: made, answer } = await diarization.tasksOf(async () =>
      diarization.diarize(await diarization.newRecording()),
    )
    diarization.system.dashscope.set({ taskLatency: { base: 0, perSecond: 0 } })
    expect(made).toHaveLength(2)
    expect(answer.data.status).toBe('completed')
  })

  it('a task that cannot download the recording gets a new signed URL once', async () => {
    taskFault({ kind: 'failed', code: 'FILE_403_FORBIDDEN', model: what, times: 1 })
    const { tasks: made, answer } = await diarization.tasksOf(async () =>
      diarization.diarize(await diarization.newRecording()),
    )
    expect(made.filter(({ model }) => model === what)).toHaveLength(2)
    expect(turnsOf(answer.data.text)).toEqual(expectedTurns())
    taskFault({ kind: 'failed', code: 'FILE_403_FORBIDDEN', model: what })
    const { data } = await diarization.diarize(await diarization.newRecording())
    expect(data.status).toBe('partial')
    expect(data.warnings.join(' ')).toMatch(/UPLOAD_UNREACHABLE/)
  })

  it('a task completes despite many failed polls', async () => {
    taskFault({ kind: 'pollError', status: 500, code: 'InternalError', message: 'later', times: 3 })
    taskFault({ kind: 'pollDrop', times: 2 })
    taskFault({ kind: 'result', how: 500, times: 1 })
    const { data } = await diarization.diarize(await diarization.newRecording())
    expect(turnsOf(data.text)).toEqual(expectedTurns())
  })
})

describe('a job that is cancelled', () => {
  it('a cancelled job deletes its upload and cancels its waiting tasks', async () => {
    taskFault({ kind: 'endless', state: 'PENDING' })
    const audio = await diarization.newRecording()
    const before = tasks().length
    const { data } = await diarization.diarize(audio, { wait_seconds: 0 })
    expect(data.status).toBe('running')
    await vi.waitFor(() => expect(tasks().length).toBe(before + 2), { timeout: 30_000 })
    const mine = tasks().slice(-2)
    await diarization.system.call('cancel_transcription', { transcript_id: data.transcript_id })
    expect(diarization.bucketKeys()).toEqual([])
    expect(mine.map(({ state }) => state)).toEqual(['CANCELED', 'CANCELED'])
  })
})

describe('two concurrent requests for one recording', () => {
  const both = async (audio: string) => {
    const word = diarization.system.call('transcribe_audio', { audio, timestamps: 'word', wait_seconds: 120 })
    const [timed, diarized] = await Promise.all([word, diarization.diarize(audio)])
    return { timed, diarized }
  }

  it('two concurrent requests share a pass, which is billed once', async () => {
    const audio = await diarization.newRecording()
    const { tasks: made, answer } = await diarization.tasksOf(() => both(audio))
    expect(made.map(({ model }) => model).sort()).toEqual([who, what])
    expect(turnsOf(answer.diarized.data.text)).toEqual(expectedTurns())
    expect(answer.timed.data).toMatchObject({ status: 'completed', times: 'measured' })
    const paid = [answer.timed, answer.diarized].map(({ data }) => data.usage.audio_seconds)
    const billed = diarization.system.dashscope.tasks
      .slice(-2)
      .reduce((sum, task) => sum + (task.billed ?? 0), 0)
    expect(paid[0] + paid[1]).toBeCloseTo(billed, 0)
  })

  it('two concurrent requests do not cancel each other’s tasks', async () => {
    diarization.system.dashscope.set({ taskLatency: { base: 3, perSecond: 0 } })
    const audio = await diarization.newRecording()
    const before = tasks().length
    const diarized = diarization.diarize(audio)
    await vi.waitFor(() => expect(tasks().length).toBe(before + 2), { timeout: 30_000 })
    const { data } = await diarization.system.call('transcribe_audio', {
      audio,
      timestamps: 'word',
      wait_seconds: 0,
    })
    await diarization.system.call('cancel_transcription', { transcript_id: data.transcript_id })
    expect((await diarized).data).toMatchObject({ status: 'completed' })
    diarization.system.dashscope.set({ taskLatency: { base: 0, perSecond: 0 } })
    expect(tasks().length).toBe(before + 2)
  })
})
