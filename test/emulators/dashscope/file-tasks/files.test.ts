// The DashScope emulator: the files of tasks and where they may be stored.
import { readFileSync } from 'node:fs'
import OSS from 'ali-oss'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type DashscopeEmulator,
  type DashscopeOptions,
  dashscopeErrors,
  startDashscope,
} from '../../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { closedAfterEach } from '../../../support/closed-after-each.ts'
import {
  encode,
  type FileServer,
  fixture,
  join,
  runTask,
  SPEAKERS,
  serveFiles,
  startTask,
  taskEnd,
  taskRequest,
  WORDS,
} from '../../../support/emulators/dashscope-client.ts'

let ffmpeg: string
let files: FileServer
let note: string

beforeAll(async () => {
  ffmpeg = await testFfmpeg()
  files = await serveFiles()
  note = files.add(readFileSync(fixture('voice-note.ogg')))
})
afterAll(() => files.close())

const start = closedAfterEach((options: Partial<DashscopeOptions> = {}) =>
  startDashscope({ ffmpeg, ...options }),
)

async function refusal(response: Response) {
  const { code, message } = (await response.json()) as { code: string; message: string }
  return { status: response.status, code, message }
}

async function failureOf(cloud: DashscopeEmulator, url: string, model = WORDS): Promise<string | undefined> {
  const { output } = await taskEnd(cloud, await startTask(cloud, taskRequest(model, url)))
  expect(output.task_status).toBe('FAILED')
  return output.code
}

describe('files of tasks', () => {
  it('a file that cannot be downloaded fails its task with a specific code', async () => {
    const cloud = await start({ maxFileBytes: 1_000_000 })
    expect(await failureOf(cloud, files.add(403))).toBe('FILE_403_FORBIDDEN')
    expect(await failureOf(cloud, files.add(404), SPEAKERS)).toBe('FILE_404_NOT_FOUND')
    expect(await failureOf(cloud, files.add(500))).toBe('FILE_SERVER_ERROR')
    expect(await failureOf(cloud, files.add(302))).toBe('FILE_DOWNLOAD_FAILED')
    expect(await failureOf(cloud, 'http://127.0.0.1:1/a.mp3')).toBe('FILE_DOWNLOAD_FAILED')
    expect(await failureOf(cloud, '/tmp/a.mp3')).toBe('InvalidParameter.MalformedURL')
    expect(await failureOf(cloud, files.add(Buffer.from('no audio at all')))).toBe('DECODE_ERROR')
    expect(await failureOf(cloud, files.add(Buffer.alloc(1_000_001)))).toBe('FILE_TOO_LARGE')
  })

  it('a file of more than twelve hours is refused', async () => {
    const cloud = await start({ maxFileSeconds: 6 })
    expect(await failureOf(cloud, note)).toBe('AUDIO_DURATION_TOO_LONG')
    const raw = files.add(encode(ffmpeg, join(8)))
    expect(await failureOf(cloud, raw, SPEAKERS)).toBe('AUDIO_DURATION_TOO_LONG')
  })

  it('a failed file fails its task, or only its subtask if configured', async () => {
    const cloud = await start()
    const url = files.add(404)
    const item = {
      file_url: url,
      code: 'FILE_404_NOT_FOUND',
      message: 'FILE_404_NOT_FOUND',
      subtask_status: 'FAILED',
    }
    const task_metrics = { TOTAL: 1, SUCCEEDED: 0, FAILED: 1 }
    const end = async () => (await taskEnd(cloud, await startTask(cloud, taskRequest(SPEAKERS, url)))).output
    const { code, message } = item
    expect(await end()).toMatchObject({ task_status: 'FAILED', code, message, results: [item], task_metrics })
    cloud.set({ failInSubtask: true })
    const { code: outer, ...inside } = await end()
    expect(outer).toBeUndefined()
    expect(inside).toMatchObject({ task_status: 'SUCCEEDED', results: [item], task_metrics })
  })

  it('a file without speech fails with its own code', async () => {
    const cloud = await start()
    const url = files.add(encode(ffmpeg, join(3)))
    expect(await failureOf(cloud, url)).toBe('ASR_RESPONSE_HAVE_NO_WORDS')
    const { output } = await taskEnd(cloud, await startTask(cloud, taskRequest(SPEAKERS, url)))
    expect(output.results).toEqual([expect.objectContaining({ code: 'SUCCESS_WITH_NO_VALID_FRAGMENT' })])
  })

  it('a file can be fetched from a bucket by a signed URL until it expires', async () => {
    const cloud = await start({ oss: true })
    const { endpoint, region, bucket, accessKeyId, accessKeySecret } = cloud.oss!
    const client = new OSS({
      endpoint,
      bucket,
      accessKeyId,
      accessKeySecret,
      region: `oss-${region}`,
      sldEnable: true,
      authorizationV4: true,
    } as OSS.Options)
    await client.put('jobs/note.ogg', readFileSync(fixture('voice-note.ogg')))
    const signed = await (
      client as unknown as { signatureUrlV4(...of: unknown[]): Promise<string> }
    ).signatureUrlV4('GET', 60, {}, 'jobs/note.ogg')
    expect((await runTask(cloud, taskRequest(WORDS, signed))).file_url).toBe(signed)
    expect(await failureOf(cloud, `${endpoint}/${bucket}/jobs/note.ogg`)).toBe('FILE_403_FORBIDDEN')
    cloud.oss!.set({ skewSeconds: 120 })
    expect(await failureOf(cloud, signed)).toBe('FILE_403_FORBIDDEN')
  })

  it('a file in temporary storage can be used only by the model of its policy', async () => {
    const cloud = await start({ oss: true })
    const headers = { authorization: `Bearer ${cloud.apiKey}` }
    const policyOf = (query: string) => fetch(`${cloud.url}/uploads?${query}`, { headers })
    const { data, request_id } = (await (await policyOf(`action=getPolicy&model=${WORDS}`)).json()) as {
      data: Record<string, string>
      request_id: string
    }
    expect(data.upload_dir!.endsWith(request_id)).toBe(true)
    const key = `${data.upload_dir}/note.ogg`
    const form = new FormData()
    const fields = {
      OSSAccessKeyId: data.oss_access_key_id!,
      policy: data.policy!,
      Signature: data.signature!,
      key,
      'x-oss-object-acl': 'private',
      'x-oss-forbid-overwrite': 'true',
      success_action_status: '200',
    }
    for (const [name, value] of Object.entries(fields)) form.set(name, value)
    form.set('file', new Blob([readFileSync(fixture('voice-note.ogg'))]))
    expect((await fetch(data.upload_host!, { method: 'POST', body: form })).status).toBe(200)

    const resolve = { 'x-dashscope-ossresourceresolve': 'enable' }
    const end = async (model: string, url: string) =>
      (await taskEnd(cloud, await startTask(cloud, taskRequest(model, url), resolve))).output
    expect(await end(WORDS, `oss://${key}`)).toMatchObject({ task_status: 'SUCCEEDED' })
    expect(await end(SPEAKERS, `oss://${key}`)).toMatchObject({ code: 'FILE_403_FORBIDDEN' })
    expect(await end(WORDS, 'oss://dashscope-instant/none')).toMatchObject({ code: 'FILE_404_NOT_FOUND' })
    expect((await policyOf('action=getPolicy&model=none')).status).toBe(200)
    cloud.set({ forms: { policies: 'knownModels' } })
    expect(await refusal(await policyOf('action=getPolicy&model=none'))).toEqual(
      dashscopeErrors.modelNotExist,
    )
    expect((await policyOf(`model=${WORDS}`)).status).toBe(400)
  })
})
