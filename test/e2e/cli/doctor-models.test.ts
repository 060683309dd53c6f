// `doctor` and the configured models: one small request to each, a table of their states, and the price of an hour.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fixture } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
let runs = 0

beforeAll(async () => {
  terminal = await openTerminal({ oss: true, goneModels: [] })
})
afterAll(() => terminal.close())
beforeEach(() => terminal.dashscope.set({ goneModels: [], goneForm: 'notExist400' }))

const settings = () => ({
  ASR_MODEL: 'qwen3-asr-flash',
  SPEAKER_MODEL: 'fun-asr-mtl,fun-asr',
  FILE_MODEL: 'qwen3-asr-flash-filetrans',
  FORMAT_MODELS: 'qwen-turbo,gemini-2.5-flash,gemini-3.5-flash-lite',
  GEMINI_API_KEY: terminal.dashscope.geminiKey,
  GEMINI_BASE_URL: terminal.dashscope.geminiUrl,
})

/** With a data folder of its own unless `folder` names one; resolves with what was asked and billed, too. */
async function doctor(args: string[] = [], env: Record<string, string> = {}, folder = `models-${runs++}`) {
  const { dashscope, work } = terminal
  const before = { chunks: dashscope.requests.length, tasks: dashscope.taskCalls.length }
  const texts = dashscope.textRequests.length
  const { dollars } = dashscope.bill()
  const all = { ...settings(), SPEECH_DATA_DIR: `${work}/${folder}`, ...env }
  const { code, stdout } = await terminal.run(['doctor', ...args], { env: all })
  const submitted = dashscope.taskCalls.slice(before.tasks).filter(({ kind }) => kind === 'submit')
  const asked = [
    ...dashscope.requests.slice(before.chunks),
    ...submitted,
    ...dashscope.textRequests.slice(texts),
  ]
  return {
    code,
    stdout,
    asked: asked.map(({ model }) => model).sort(),
    dollars: dashscope.bill().dollars - dollars,
    row: (name: string) => stdout.split('\n').find(line => line.startsWith(`${name} `)) ?? '',
  }
}

describe('speech-mcp doctor', () => {
  it('asks each model once, for a ten-thousandth of a dollar, and shows ends, successors and prices', async () => {
    const { code, stdout, asked, dollars, row } = await doctor()
    expect(code).toBe(0)
    expect(asked).toEqual([
      ...['fun-asr', 'fun-asr-mtl', 'gemini-2.5-flash', 'gemini-3.5-flash-lite'],
      ...['qwen-turbo', 'qwen3-asr-flash', 'qwen3-asr-flash-filetrans'],
    ])
    expect(dollars).toBeLessThan(0.0002)
    expect(stdout).toContain('ok    models: 7 alive\n')
    expect(row('qwen3-asr-flash')).toMatch(/^qwen3-asr-flash +chunks +alive +\$0\.126$/)
    expect(row('fun-asr-mtl')).toMatch(/^fun-asr-mtl +speakers +alive +2026-10-10 +fun-asr +\$0\.126$/)
    expect(row('gemini-2.5-flash')).toMatch(
      / formatting +alive +2026-12-01 +gemini-3\.5-flash-lite +\$0\.051$/,
    )
    expect(stdout).toMatch(
      /An hour of speech costs \$0\.126, with speakers \$0\.252 in two passes \(in one pass with qwen-audio-3\.1-asr-flash-filetrans at most \$0\.021\), and formatting its text about \$0\.005\.\n$/,
    )
  })

  it.each(['notExist400', 'topLevel404', 'nested404', 'nested400'] as const)(
    'finds models that are gone in the form %s, and does not ask them again within a day',
    async goneForm => {
      terminal.dashscope.set({ goneForm, goneModels: ['fun-asr-mtl', 'qwen-turbo'] })
      const folder = `gone-${goneForm}`
      const first = await doctor([], {}, folder)
      expect(first.code).toBe(0)
      expect(first.row('fun-asr-mtl')).toMatch(/ gone \(40[04] \w+\) +2026-10-10 +fun-asr /)
      expect(first.row('qwen-turbo')).toMatch(/ gone \(40[04] \w+\) /)
      const { asked, row, stdout } = await doctor([], {}, folder)
      expect(asked).not.toContain('fun-asr-mtl')
      expect(asked).not.toContain('qwen-turbo')
      expect(row('fun-asr-mtl')).toContain(' gone (found within the last day) ')
      expect(stdout).toContain('ok    models: 5 alive, 2 gone\n')
    },
  )

  it('fails where no model of a role is left, and names the setting', async () => {
    terminal.dashscope.set({ goneModels: ['fun-asr-mtl', 'fun-asr'] })
    const { code, stdout } = await doctor()
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /^FAIL {2}models: MODEL_NOT_FOUND: No model of SPEAKER_MODEL can be used: fun-asr-mtl \(MODEL_NOT_FOUND\), fun-asr \(.*\)\. Set SPEAKER_MODEL to .+\.$/m,
    )
  })

  it.each([
    ['ASR_MODEL', 'qwen3-asr-flash', 'qwen-audio-3.1-asr-flash'],
    ['SPEAKER_MODEL', 'fun-asr-mtl', 'fun-asr'],
    ['FILE_MODEL', 'qwen3-asr-flash-filetrans', 'qwen-audio-3.1-asr-flash-filetrans'],
  ])('advises a model of the same kind in place of one of %s that is gone', async (setting, gone, other) => {
    terminal.dashscope.set({ goneModels: [gone] })
    const { stdout } = await doctor([], { [setting]: gone })
    expect(stdout).toContain(`Set ${setting} to a model that exists in the region, such as ${other}.\n`)
  })

  it('shows how a model refuses, one pass for both roles, and a model without a price', async () => {
    const off = terminal.dashscope.fault({
      kind: 'error',
      status: 403,
      code: 'AllocationQuota.FreeTierOnly',
      message: 'The free tier of the model has been exhausted.',
    })
    const onePass = 'qwen-audio-3.1-asr-flash-filetrans'
    const env = {
      SPEAKER_MODEL: onePass,
      FILE_MODEL: onePass,
      FORMAT_MODELS: 'qwen3.8-flash',
      GEMINI_API_KEY: '',
    }
    const { code, row, stdout, asked } = await doctor([], env)
    off()
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /^FAIL {2}models: FREE_TIER_USED_UP: No model of ASR_MODEL can be used: .*\. The free quota .*\.$/m,
    )
    expect(row('qwen3-asr-flash')).toContain(' refused FREE_TIER_USED_UP (403 AllocationQuota.FreeTierOnly) ')
    expect(asked.filter(model => model === onePass)).toHaveLength(1)
    expect(row(onePass)).toMatch(/ speakers, words +alive +\$0\.021$/)
    expect(row('qwen3.8-flash')).toMatch(/ unknown$/)
    expect(stdout).toContain('with speakers $0.021 in one pass, and formatting its text about unknown.')
  })

  it.each([
    ['SPEAKER_MODEL', 'qwen3-asr-flash', 'speakers'],
    ['SPEAKER_MODEL', 'qwen3-asr-flash-filetrans', 'speakers'],
    ['FILE_MODEL', 'qwen3-asr-flash', 'words'],
    ['ASR_MODEL', 'fun-asr', 'chunks'],
  ])('does not ask a model in %s for work that it is not for (%s)', async (setting, model, work) => {
    const { asked, code, stdout } = await doctor([], { [setting]: model })
    expect(code).toBe(1)
    expect(stdout).toMatch(new RegExp(`^${model} +${work} +unfit \\(no model for ${work}\\)`, 'm'))
    expect(stdout).toContain(`No model of ${setting} can be used: ${model} (no model for ${work}). Set `)
    expect(asked.filter(name => name === model).length).toBeLessThanOrEqual(1)
  })

  it('asks a model for work that a user says it is for', async () => {
    const { asked, row } = await doctor([], {
      FILE_MODEL: 'qwen3-asr-flash',
      ASR_MODEL: 'qwen-audio-3.1-asr-flash',
      SPEECH_MODELS: 'qwen3-asr-flash roles=words',
    })
    expect(asked).toContain('qwen3-asr-flash')
    expect(row('qwen3-asr-flash')).not.toContain('unfit')
  })

  it('takes prices from the first model of each list that answers, whatever other lists it stands in', async () => {
    const lists = {
      SPEAKER_MODEL: 'fun-asr,qwen-audio-3.1-asr-flash-filetrans',
      FILE_MODEL: 'qwen3-asr-flash-filetrans,qwen-audio-3.1-asr-flash-filetrans',
    }
    expect((await doctor([], lists)).stdout).toContain(', with speakers $0.252 in two passes ')
    terminal.dashscope.set({ goneModels: ['fun-asr'] })
    expect((await doctor([], lists)).stdout).toContain(', with speakers $0.021 in one pass, ')
  })

  it('prints the same as JSON, and asks nothing with a refused key', async () => {
    const { stdout } = await doctor(['--json'])
    const found = JSON.parse(stdout)
    expect(found).toMatchObject({ ok: true, usd_per_hour: { transcribe: 0.126, diarize: 0.252, passes: 2 } })
    expect(found.checks.map(({ name }: { name: string }) => name)).toContain('models')
    expect(found.models).toContainEqual({
      name: 'fun-asr-mtl',
      for: ['speakers'],
      state: 'alive',
      ends: '2026-10-10',
      successor: 'fun-asr',
      usd_per_hour: 0.126,
    })
    const refused = await doctor(['--json'], { DASHSCOPE_API_KEY: 'sk-wrong' })
    expect(refused.code).toBe(1)
    expect(refused.asked).toEqual(['gemini-2.5-flash', 'gemini-3.5-flash-lite'])
    const states = JSON.parse(refused.stdout).models as { name: string; state: string; detail?: string }[]
    expect(states.find(({ name }) => name === 'fun-asr')).toMatchObject({
      state: 'not asked',
      detail: 'see key and region',
    })
  })

  it('shows what was spent today and this month, and what is left of the limit', async () => {
    const folder = `spent-${runs++}`
    const data = { SPEECH_DATA_DIR: `${terminal.work}/${folder}`, SPEECH_MAX_COST_USD_PER_DAY: '1' }
    const before = terminal.dashscope.bill().dollars
    await terminal.run(['transcribe', fixture('jfk.wav')], { env: data })
    const billed = terminal.dashscope.bill().dollars - before
    const { stdout } = await doctor(['--json'], data, folder)
    const { spent, checks } = JSON.parse(stdout)
    expect(spent).toEqual({
      todayUsd: expect.closeTo(billed, 6),
      monthUsd: expect.closeTo(billed, 6),
      orderLimitUsd: 5,
      dayLimitUsd: 1,
      owners: [
        {
          owner: 'local',
          todayUsd: expect.closeTo(billed, 6),
          monthUsd: expect.closeTo(billed, 6),
          leftTodayUsd: expect.closeTo(1 - billed, 6),
        },
      ],
    })
    const amount = `\\$${billed.toFixed(4)}`
    expect(checks.find(({ name }: { name: string }) => name === 'costs').text).toMatch(
      new RegExp(
        `^${amount} today, ${amount} this month \\(UTC\\), \\$\\d\\.\\d+ left today; limit \\$5\\.00 an order and \\$1\\.00 a day for each owner$`,
      ),
    )
  })
})
