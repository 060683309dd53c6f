// diarize_audio with other pipelines: temporary storage, a single model for words and speakers, dual-channel calls.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeDualChannel } from '../../support/audio/dual-channel.ts'
import {
  type DiarizationSystem,
  expectedTurns,
  startDiarizationSystem,
  turnsOf,
} from '../../support/e2e/diarization-system.ts'
import { truth } from '../../support/e2e/system.ts'

const bucketless = { bucket: false, dashscope: { oss: true as const } }

describe('without a bucket', () => {
  let diarization: DiarizationSystem
  beforeAll(async () => {
    diarization = await startDiarizationSystem(bucketless)
  })
  afterAll(() => diarization.system.close())

  it('without a bucket the recording is uploaded to the provider’s storage once per model', async () => {
    const { data } = await diarization.diarize(await diarization.newRecording())
    expect(turnsOf(data.text)).toEqual(expectedTurns())
    expect(data).toMatchObject({ status: 'completed', upload: 'temporary' })
    const models = diarization.system.dashscope.oss!.temporary.objects().map(({ model }) => model)
    expect(models.sort()).toEqual(['fun-asr-mtl', 'qwen3-asr-flash-filetrans'])
    for (const { url } of diarization.system.dashscope.tasks) expect(url).toMatch(/^oss:\/\//)
  })

  it('without a bucket times are always estimated', async () => {
    const before = diarization.system.dashscope.tasks.length
    const audio = await diarization.newRecording()
    const { data } = await diarization.system.call('transcribe_audio', { audio, timestamps: 'word' })
    expect(data).toMatchObject({ status: 'completed', times: 'estimated' })
    expect(diarization.system.dashscope.tasks.length).toBe(before)
  })

  it('a dual-channel call is transcribed per channel without upload or task', async () => {
    const before = diarization.system.dashscope.tasks.length
    const channels = { fixture: 'interview', left: ['S1'], right: ['S2'], seconds: 32.4 } as const
    const audio = await makeDualChannel(diarization.system.folder, 'call.flac', channels)
    const { data, isError, text } = await diarization.diarize(audio)
    expect(isError, text).toBe(false)
    const turns = turnsOf(data.text).join(' ')
    const spoken = truth('interview').words.filter(({ end }) => end < 32)
    for (const id of ['S1', 'S2']) {
      expect(data.speakers.map(({ id }: { id: string }) => id)).toContain(id)
      expect(turns).toContain(`${id}: `)
    }
    const firstOf = (id: string) => spoken.find(({ speaker }) => speaker === id)!.text
    expect(turns).toContain(`S1: ${firstOf('S1')}`)
    expect(data.upload).toBeUndefined()
    expect(diarization.system.dashscope.tasks.length).toBe(before)
  })
})

describe('a recording with two channels', () => {
  it('two channels with more than two speakers are transcribed as one recording', async () => {
    const diarization = await startDiarizationSystem({ isHere: true })
    const channels = { fixture: 'meeting', left: ['S1'], right: ['S2', 'S3'], seconds: 41.2 } as const
    const audio = await makeDualChannel(diarization.system.folder, 'three.flac', channels)
    const { data } = await diarization.diarize(audio, { speakers: 3 })
    expect(diarization.system.dashscope.tasks).toHaveLength(2)
    expect(data.speakers).toHaveLength(3)
    await diarization.system.close()
  })
})

describe('times that could not be measured', () => {
  it('times that could not be measured are estimated, and measured by the next request', async () => {
    const diarization = await startDiarizationSystem({ isHere: true })
    const request = { audio: await diarization.newRecording(), timestamps: 'segment' }
    const refusal = { kind: 'error', status: 403, code: 'AccessDenied', message: 'no' } as const
    const off = diarization.system.dashscope.oss!.fault(refusal)
    const first = await diarization.system.call('transcribe_audio', request)
    off()
    expect(first.data).toMatchObject({ status: 'partial', times: 'estimated' })
    expect(first.data.warnings.join(' ')).toMatch(/could not be measured.*BUCKET_REFUSED/)
    const second = await diarization.system.call('transcribe_audio', request)
    expect(second.data).toMatchObject({ status: 'completed', times: 'measured', warnings: [] })
    await diarization.system.close()
  })
})

describe('a model that returns words and speakers', () => {
  const model = 'qwen-audio-3.1-asr-flash-filetrans'

  it.each(['FILE_MODEL', 'SPEAKER_MODEL'])(
    'a model that returns words and speakers is used once if set as %s',
    async setting => {
      const diarization = await startDiarizationSystem({ isHere: true, env: { [setting]: model } })
      const { data, isError, text } = await diarization.diarize(await diarization.newRecording())
      expect(isError, text).toBe(false)
      expect(turnsOf(data.text)).toEqual(expectedTurns())
      expect(diarization.system.dashscope.tasks.map(task => task.model)).toEqual([model])
      expect(data.usage.audio_seconds).toBeLessThanOrEqual(Math.ceil(data.duration))
      expect(diarization.bucketKeys()).toEqual([])
      await diarization.system.close()
    },
  )
})

describe('the successor of the model for speakers', () => {
  it('a newer speaker model is used under its own name', async () => {
    const diarization = await startDiarizationSystem({ isHere: true, env: { SPEAKER_MODEL: 'fun-asr' } })
    const { data } = await diarization.diarize(await diarization.newRecording())
    expect(turnsOf(data.text)).toEqual(expectedTurns())
    expect(diarization.system.dashscope.tasks.map(task => task.model).sort()).toEqual([
      'fun-asr',
      'qwen3-asr-flash-filetrans',
    ])
    await diarization.system.close()
  })
})
