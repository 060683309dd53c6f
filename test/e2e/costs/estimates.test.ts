// The price that a plan names: no recording is billed more, however its channels are heard.
import { expect, it } from 'vitest'
import type { App } from '../../../src/app.ts'
import type { JobTool } from '../../../src/domain/job.ts'
import { makeDualChannel } from '../../support/audio/dual-channel.ts'
import { recognise, useBilling } from '../../support/e2e/billing.ts'
import { fixture } from '../../support/e2e/system.ts'

const { billed, dashscope, folder } = useBilling()
const { signal } = new AbortController()

const makeCall = () =>
  makeDualChannel(folder(), 'call.wav', {
    fixture: 'meeting',
    left: ['S1'],
    right: ['S2', 'S3'],
    seconds: 60,
  })

/** The price of the plan, and what the provider bills then. */
async function compare(tool: JobTool, audio: string, settings: Record<string, string> = {}, options = {}) {
  const { result, dollars } = await billed(settings, async (app: App) => {
    const plan = await app.jobs.plan({ sources: [audio], options }, { tool, owner: 'local', signal })
    return { plan, transcript: await recognise(tool, audio, options)(app) }
  })
  expect(dollars).toBeGreaterThan(0)
  expect(dollars).toBeLessThanOrEqual(result.plan.usd!)
  return result
}

it.each<[JobTool, number | undefined]>([
  ['transcribe_audio', undefined],
  ['diarize_audio', 2],
])('%s of a call with a speaker in each channel', async (tool, speakers) => {
  const { transcript } = await compare(tool, await makeCall())
  expect(transcript.speakers?.length).toBe(speakers)
})

it('measured times whose task fails, so that chunks at a higher price replace it', async () => {
  const mend = dashscope().taskFault({ kind: 'failed', code: 'InternalError' })
  const settings = { FILE_MODEL: 'qwen-audio-3.1-asr-flash-filetrans' }
  const { transcript } = await compare('transcribe_audio', fixture('jfk.wav'), settings, {
    timestamps: 'segment',
  })
  mend()
  expect(transcript.model).toBe('qwen3-asr-flash')
})
