// The DashScope emulator: injected faults of file tasks.
import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type DashscopeEmulator,
  startDashscope,
  type TaskFault,
} from '../../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import {
  askTasks,
  type FileServer,
  fixture,
  resultAddress,
  SPEAKERS,
  serveFiles,
  startTask,
  submit,
  type TaskAnswer,
  taskEnd,
  taskRequest,
  WORDS,
} from '../../../support/emulators/dashscope-client.ts'

let ffmpeg: string
let files: FileServer
let cloud: DashscopeEmulator
let meeting: string
let off: (() => void)[] = []

beforeAll(async () => {
  ffmpeg = await testFfmpeg()
  files = await serveFiles()
  meeting = files.add(await readFile(fixture('meeting.m4a')))
  // Cached results return at once: a fast machine would poll more than twenty times a second.
  cloud = await startDashscope({ ffmpeg, pollsPerSecond: 1000 })
  await cloud.warmUp()
})
afterEach(() => {
  for (const end of off) end()
  off = []
})
afterAll(() => Promise.all([cloud.close(), files.close()]))

const fault = (what: TaskFault) => void off.push(cloud.taskFault(what))

describe('task faults', () => {
  const request = () => taskRequest(WORDS, meeting)
  const state = async (id: string, signal?: AbortSignal) =>
    (await (await askTasks(cloud, `/${id}`, signal ? { signal } : {})).json()) as TaskAnswer

  it('a submitError fault refuses submits of one model as often as requested', async () => {
    fault({ kind: 'submitError', status: 500, code: 'InternalError', message: 'no', model: WORDS, times: 1 })
    expect((await submit(cloud, taskRequest(SPEAKERS, meeting))).status).toBe(200)
    const before = cloud.tasks.length
    expect((await submit(cloud, request())).status).toBe(500)
    expect(cloud.tasks.length).toBe(before)
    expect((await submit(cloud, request())).status).toBe(200)
  })

  it('a submitLost fault loses the response, but the task runs', async () => {
    fault({ kind: 'submitLost', times: 1 })
    const before = cloud.tasks.length
    await expect(submit(cloud, request())).rejects.toThrow()
    expect(cloud.tasks.length).toBe(before + 1)
    expect((await taskEnd(cloud, cloud.tasks.at(-1)!.id)).output.task_status).toBe('SUCCEEDED')
  })

  it('poll faults affect one poll, and the next one succeeds', async () => {
    const id = await startTask(cloud, request())
    await taskEnd(cloud, id)
    fault({ kind: 'pollError', status: 429, code: 'Throttling.RateQuota', message: 'slower', times: 1 })
    expect((await askTasks(cloud, `/${id}`)).status).toBe(429)
    fault({ kind: 'pollDrop', times: 1 })
    await expect(askTasks(cloud, `/${id}`)).rejects.toThrow()
    fault({ kind: 'pollHtml', times: 1 })
    expect(await (await askTasks(cloud, `/${id}`)).text()).toMatch(/502 Bad Gateway/)
    fault({ kind: 'pollGarbage', times: 1 })
    await expect(state(id)).rejects.toThrow(SyntaxError)
    fault({ kind: 'pollHang', times: 1 })
    await expect(state(id, AbortSignal.timeout(300))).rejects.toThrow(/timeout/)
    fault({ kind: 'forgotten', times: 1 })
    expect((await state(id)).output).toEqual({ task_id: id, task_status: 'UNKNOWN' })
    expect((await state(id)).output.task_status).toBe('SUCCEEDED')
    expect(cloud.tasks.at(-1)!.polls.length).toBeGreaterThanOrEqual(8)
  })

  it('task faults end a task with any outcome, or never', async () => {
    fault({ kind: 'cancelled', times: 1 })
    fault({ kind: 'failed', code: 'FILE_TRANS_TASK_EXPIRED', when: ({ url }) => url.endsWith('?bad') })
    fault({ kind: 'endless', when: ({ url }) => url.endsWith('?never') })
    const [gone, bad, never] = await Promise.all(
      ['', '?bad', '?never'].map(suffix => startTask(cloud, taskRequest(SPEAKERS, meeting + suffix))),
    )
    expect((await taskEnd(cloud, gone!)).output.task_status).toBe('CANCELED')
    expect((await taskEnd(cloud, bad!)).output).toMatchObject({
      task_status: 'FAILED',
      code: 'FILE_TRANS_TASK_EXPIRED',
      results: [{ subtask_status: 'FAILED', code: 'FILE_TRANS_TASK_EXPIRED' }],
    })
    expect((await state(never!)).output.task_status).toBe('RUNNING')
  })

  it('result faults affect the download of the result file', async () => {
    const address = resultAddress(await taskEnd(cloud, await startTask(cloud, request())))
    fault({ kind: 'result', how: 404, times: 1 })
    expect((await fetch(address)).status).toBe(404)
    fault({ kind: 'result', how: 403, times: 1 })
    expect((await fetch(address)).status).toBe(403)
    fault({ kind: 'result', how: 'garbage', times: 1 })
    await expect(fetch(address).then(response => response.json())).rejects.toThrow(SyntaxError)
    expect(((await (await fetch(address)).json()) as { file_url: string }).file_url).toBe(meeting)
  })
})
