// Limits of costs through the whole program: what nobody meant is refused, and an order counts with all its parts.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { App } from '../../../src/app.ts'
import { dayOf } from '../../../src/domain/costs/spending.ts'
import { makeAudio } from '../../support/audio/make-audio.ts'
import { format, recognise, useBilling } from '../../support/e2e/billing.ts'
import { fixture } from '../../support/e2e/system.ts'

const { billed, dashscope, folder, asked } = useBilling()
const chunks = { OSS_BUCKET: '' }

/** 8-bit noise that says it has this many samples a second. */
function wav(rate: number, bytes: number): Buffer {
  const header = Buffer.alloc(44)
  header.write('RIFF')
  header.writeUInt32LE(36 + bytes, 4)
  header.write('WAVEfmt ', 8)
  for (const [at, value] of [16, 0x10001, rate, rate, 0x80001].entries())
    header.writeUInt32LE(value, 16 + 4 * at)
  header.write('data', 36)
  header.writeUInt32LE(bytes, 40)
  return Buffer.concat([header, Buffer.from(Array.from({ length: bytes }, (_, i) => (i * i * 7919) >> 5))])
}

describe('a recording of a few kB that would be hours', () => {
  it.each([
    ['in chunks', 'transcribe_audio', chunks],
    ['as a whole', 'transcribe_audio', {}],
    ['with speakers', 'diarize_audio', {}],
  ] as const)('is refused %s, before anything is sent', async (_, tool, settings) => {
    const file = join(folder(), `${tool}.wav`)
    await writeFile(file, wav(1, 2_000))
    const before = asked()
    for (const audio of [file, `data:audio/wav;base64,${wav(3_999, 2_000).toString('base64')}`])
      await expect(billed(settings, recognise(tool, audio))).rejects.toMatchObject({
        code: 'IMPLAUSIBLE_LENGTH',
        message: expect.stringMatching(/^The file says that it has (1|3999) samples a second; .* 4000\.$/),
      })
    expect(asked()).toEqual(before)
  })

  it('is taken if it is silent, and costs nothing', async () => {
    const silence = ['-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-t', '900']
    const file = await makeAudio(folder(), 'silence.wv', silence)
    const before = asked()
    for (const tool of ['transcribe_audio', 'diarize_audio'] as const) {
      const limits = { SPEECH_MAX_COST_USD: '0.01', SPEECH_MAX_COST_USD_PER_DAY: '0.01' }
      const settings = { ...limits, ...(tool === 'transcribe_audio' && chunks) }
      const { result } = await billed(settings, recognise(tool, file, { timestamps: 'none' }))
      expect(result).toMatchObject({ status: 'completed', segments: [] })
    }
    expect(asked()).toEqual(before)
  })
})

describe('the limit of an order', () => {
  const dear = { ...chunks, SPEECH_MODELS: 'qwen3-asr-flash usd_per_second=1' }

  it('is $5 where none is set, and none where 0 is set', async () => {
    const before = asked()
    await expect(billed(dear, recognise('transcribe_audio'))).rejects.toMatchObject({
      code: 'COST_TOO_HIGH',
      message: expect.stringMatching(/^This would cost \$11\.\d\d, more than the limit of \$5\.00\.$/),
    })
    expect(asked()).toEqual(before)
    const { result } = await billed({ ...dear, SPEECH_MAX_COST_USD: '0' }, recognise('transcribe_audio'))
    expect(result.usage.costUsd).toBeGreaterThan(10)
  })

  it('is kept by a recording together with its formatting', async () => {
    const prices = [
      'qwen3-asr-flash usd_per_second=0.002',
      'qwen-flash usd_per_million_input=200 usd_per_million_output=200',
    ]
    const settings = { ...chunks, FORMAT_MODELS: 'qwen-flash', SPEECH_MODELS: prices.join(';') }
    const transcribe = recognise('transcribe_audio', fixture('interview.mp3'), { format: 'faithful' })
    const before = dashscope().textRequests.length
    const { result } = await billed({ ...settings, SPEECH_MAX_COST_USD: '1' }, transcribe)
    expect(result.usage.costUsd).toBeGreaterThan(0.5)
    expect(result.warnings).toEqual([expect.stringMatching(/COST_TOO_HIGH: This would cost \$1\.\d\d, /)])
    expect(dashscope().textRequests).toHaveLength(before)
    const { result: whole } = await billed({ ...settings, SPEECH_MAX_COST_USD: '2' }, transcribe)
    expect(whole.formatted!.usage.costUsd! + whole.usage.costUsd!).toBeGreaterThan(1)
  })

  it('is kept by both passes of a recording with speakers together', async () => {
    const before = asked()
    const settings = { SPEECH_MAX_COST_USD: String(11 * 0.000035 * 1.5) }
    await expect(billed(settings, recognise('diarize_audio'))).rejects.toMatchObject({
      code: 'COST_TOO_HIGH',
    })
    expect(asked()).toEqual(before)
  })

  it('is kept by parts that are asked for again', async () => {
    const off = dashscope().fault({ kind: 'loop', times: 1 })
    const settings = { ...chunks, SPEECH_MAX_COST_USD: '0.0005' }
    const failing = billed(settings, recognise('transcribe_audio'))
    await expect(failing).rejects.toMatchObject({ code: 'COST_TOO_HIGH' })
    off()
  })

  it('is kept by a text whose first model is gone and whose second is dearer', async () => {
    dashscope().set({ goneModels: ['qwen-flash'] })
    const before = dashscope().bill().dollars
    const { result } = await billed(
      {
        FORMAT_MODELS: 'qwen-flash,qwen-plus',
        SPEECH_MODELS: 'qwen-plus usd_per_million_input=900 usd_per_million_output=900',
        SPEECH_MAX_COST_USD: '0.01',
      },
      format,
    )
    dashscope().set({ goneModels: [] })
    expect(result.text!.failed).toBe(result.text!.pieces)
    expect(result.text!.warnings[0]).toMatch(/unchanged\. COST_TOO_HIGH/)
    expect(dashscope().bill().dollars).toBe(before)
  })
})

describe('the limit of a day', () => {
  it('lets an order through until it is reached, then only what costs nothing, and records what was billed', async () => {
    const home = { SPEECH_DATA_DIR: join(folder(), 'day'), SPEECH_MAX_COST_USD_PER_DAY: '0.0015' }
    const month = dayOf(Date.now()).slice(0, 7)
    const first = await billed(home, recognise('diarize_audio'))
    const second = billed({ ...home, ...chunks }, recognise('transcribe_audio', fixture('interview.mp3')))
    await expect(second).rejects.toMatchObject({
      code: 'DAY_LIMIT_REACHED',
      message: expect.stringContaining(
        `of the limit of $0.0015 a day, $${first.dollars.toFixed(4)} are spent.`,
      ),
      hint: expect.stringContaining('00:00 UTC on '),
    })
    const again = await billed(home, async app => {
      await recognise('diarize_audio')(app)
      return app.jobs.spending(month)
    })
    expect(again.dollars).toBe(0)
    expect(again.result).toMatchObject([{ owner: 'local', held: {} }])
    expect(again.result[0]!.usd).toBeCloseTo(first.dollars, 6)
  })

  it('needs the price of each model, which the limit of an order that is not set does not', async () => {
    const unpriced = { ...chunks, ASR_MODEL: 'my-asr' }
    await expect(
      billed({ ...unpriced, SPEECH_MAX_COST_USD_PER_DAY: '1' }, recognise('transcribe_audio')),
    ).rejects.toMatchObject({ code: 'PRICE_UNKNOWN' })
  })

  it.each([
    [
      'key',
      'transcribe_audio',
      { kind: 'pollError', status: 401, code: 'InvalidApiKey', message: 'No.' },
      'KEY_REFUSED',
    ],
    ['proxy', 'diarize_audio', { kind: 'pollHtml', status: 403 }, 'PROVIDER_REFUSED'],
  ] as const)(
    'records a task once whose result a later call fetches (%s)',
    async (name, tool, fault, code) => {
      const home = { SPEECH_DATA_DIR: join(folder(), `resumed-${name}`) }
      const work = (calling: (app: App) => Promise<unknown>) =>
        billed(home, async app => {
          await calling(app)
          const [record] = await app.jobs.spending(dayOf(Date.now()).slice(0, 7))
          return record!.usd
        })
      // The provider may bill the task between the two calls.
      const before = dashscope().bill().dollars
      const off = dashscope().taskFault(fault)
      const first = await work(app => expect(recognise(tool)(app)).rejects.toMatchObject({ code }))
      off()
      const { length } = dashscope().tasks
      const second = await work(recognise(tool))
      expect(dashscope().tasks).toHaveLength(length)
      const billedUsd = dashscope().bill().dollars - before
      // An estimate, until its result says how many seconds were billed.
      expect(first.result).toBeCloseTo(billedUsd, 4)
      expect(second.result).toBeCloseTo(billedUsd, 6)
    },
  )

  it('records what formatting costs', async () => {
    const month = dayOf(Date.now()).slice(0, 7)
    const { result, dollars } = await billed({}, async app => {
      await format(app)
      return app.jobs.spending(month)
    })
    expect(result[0]!.usd).toBeCloseTo(dollars, 6)
  })
})
