// The estimate of a price that a user agrees to: an upper bound from length, tracks and channels.
import { describe, expect, it } from 'vitest'
import type { JobTool, TranscriptionRequest } from '../../../src/domain/job.ts'
import { estimateUsd } from '../../../src/pipeline/estimate.ts'
import type { PipelinePorts } from '../../../src/pipeline/pipeline.ts'

const hour = { seconds: 3600, tracks: 1, channels: 1 }
const modelOf = (usdPerSecond: number | undefined, speakers = false) => ({
  members: [{ usdPerSecond, capabilities: { text: !speakers, speakers } }],
})
const ports = {
  recogniser: { usdPerSecond: 0.001 },
  speakerRecognisers: modelOf(0.0002, true),
  fileRecognisers: modelOf(0.0003),
  textModel: { models: ['m'], price: { usdPerMillionInput: 1, usdPerMillionOutput: 1 } },
  objectStorage: { way: 'bucket' },
} as unknown as PipelinePorts

const estimate = (tool: JobTool, more: Partial<TranscriptionRequest> = {}, length = {}, other = {}) =>
  estimateUsd(tool, { audio: '', ...more }, { ...hour, ...length }, { ...ports, ...other } as PipelinePorts)

describe('an estimate', () => {
  it.each([
    ['one voice in chunks', estimate('transcribe_audio'), 3.6],
    ['two tracks, each a voice', estimate('transcribe_audio', {}, { tracks: 2 }), 7.2],
    ['one of two tracks', estimate('transcribe_audio', { track: 'de' }, { tracks: 2 }), 3.6],
    ['measured times, which chunks replace', estimate('transcribe_audio', { timestamps: 'word' }), 3.6],
    ['a call with a mix of its channels', estimate('transcribe_audio', {}, { channels: 2 }), 3.6],
    ['both passes for speakers', estimate('diarize_audio'), 3600 * 0.0005],
    ['channels that may be apart', estimate('diarize_audio', {}, { channels: 2 }), 7.2],
    ['formatting too', estimate('transcribe_audio', { format: 'faithful' }), 3.6 + 0.038],
  ])('the price of %s has a tenth and a second to spare', (_, usd, price) => {
    expect(usd).toBeCloseTo((1.1 + 1 / 3600) * price, 6)
  })

  it('without a length or a price there is no estimate', () => {
    expect(estimate('transcribe_audio', {}, { seconds: undefined })).toBeUndefined()
    expect(estimate('transcribe_audio', {}, {}, { recogniser: {} })).toBeUndefined()
    expect(estimate('diarize_audio', {}, {}, { fileRecognisers: modelOf(undefined) })).toBeUndefined()
  })
})
