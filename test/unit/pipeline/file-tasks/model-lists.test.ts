// Lists of models for whole files: successors within one upload, and results that an earlier model has made.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { DashscopeEmulator, GoneForm } from '../../../../emulators/dashscope/dashscope.ts'
import { modelWarnings } from '../../../../src/pipeline/file-tasks/file-result.ts'
import { fixture } from '../../../support/e2e/system.ts'
import { failure } from '../../../support/failure.ts'
import { testBudget } from '../../../support/pipeline/budget.ts'
import { type PassesSystem, startPasses } from '../../../support/pipeline/passes.ts'

const [mtl, fun, onePass] = ['fun-asr-mtl', 'fun-asr', 'qwen-audio-3.1-asr-flash-filetrans'] as const
const words = 'qwen3-asr-flash-filetrans'
const lists = { speakerModels: [mtl, fun, onePass], fileModels: [words, onePass] }

let system: PassesSystem
let emulator: DashscopeEmulator
let before = { tasks: 0, calls: 0, files: 0 }

beforeAll(async () => {
  // Each test has models that are not yet known to be gone.
  system = await startPasses()
  emulator = system.emulator
})
beforeEach(() => {
  system.forget()
  before = {
    tasks: emulator.tasks.length,
    calls: emulator.taskCalls.length,
    files: emulator.uploads().files,
  }
})
afterEach(() => emulator.set({ goneModels: [] }))
afterAll(() => system.close())

const made = () => emulator.tasks.slice(before.tasks).map(({ model }) => model)
const submits = () =>
  emulator.taskCalls
    .slice(before.calls)
    .filter(({ kind }) => kind === 'submit')
    .map(({ model }) => model)
    .sort()
const files = () => emulator.uploads().files - before.files
const gone = (goneModels: string[], goneForm: GoneForm = 'notExist400') =>
  emulator.set({ goneModels, goneForm })
const answered = (results: Awaited<ReturnType<PassesSystem['run']>>) =>
  results.passes.map(({ recogniser, recognition }) => recognition && recogniser.model)

describe('a list of models for files', () => {
  it('costs no request while its first model lives', async () => {
    const results = await system.run('tr_alive', lists)
    expect(answered(results)).toEqual([mtl, words])
    expect(submits()).toEqual([mtl, words])
    expect(files()).toBe(1)
  })

  it.each<GoneForm>(['notExist400', 'topLevel404', 'nested404', 'nested400'])(
    'goes on to the next model with the same upload when one is gone (%s)',
    async form => {
      gone([mtl], form)
      const results = await system.run(`tr_${form}`, { ...lists, file: fixture('voice-note.ogg') })
      expect(answered(results)).toEqual([fun, words])
      expect(results.passes.map(({ inPlaceOf }) => inPlaceOf)).toEqual([mtl, undefined])
      expect(submits()).toEqual([fun, mtl, words])
      expect(files()).toBe(1)
      expect(emulator.oss!.objects()).toEqual([])
    },
  )

  it('asks a model that is gone once a day, in any job', async () => {
    gone([mtl])
    await system.run('tr_first', { ...lists, file: fixture('russian.flac') })
    await system.run('tr_second', { ...lists, file: fixture('voice-note.ogg') })
    expect(submits().filter(model => model === mtl)).toEqual([mtl])
  })

  it('joins both passes in one task where both fall to the same model', async () => {
    gone([mtl, fun, words])
    const results = await system.run('tr_joined', { ...lists, file: fixture('voice-note.ogg') })
    expect(answered(results)).toEqual([onePass, onePass])
    expect(made()).toEqual([onePass])
    expect(submits()).toEqual([fun, mtl, onePass, words].sort())
    expect(results.passes.filter(({ sent }) => sent > 0)).toHaveLength(1)
    expect(files()).toBe(1)
  })

  it('goes on to the next model when one ends while its task runs', async () => {
    emulator.set({ taskLatency: { base: 0.5, perSecond: 0 } })
    const running = system.run('tr_running', { ...lists, file: fixture('russian.flac'), language: 'ru' })
    await vi.waitFor(() => expect(made()).toHaveLength(2), { timeout: 20_000, interval: 5 })
    gone([mtl, words])
    expect(answered(await running)).toEqual([fun, onePass])
    emulator.set({ taskLatency: { base: 0, perSecond: 0 } })
    expect(files()).toBe(1)
  })

  it('fails with the name of the setting where all of its models are gone', async () => {
    gone([mtl, fun, onePass, words])
    const error = await failure(system.run('tr_none', lists))
    expect(error).toMatchObject({ code: 'MODEL_NOT_FOUND' })
    expect(error.hint).toMatch(/SPEAKER_MODEL|FILE_MODEL/)
    const again = await failure(system.run('tr_none_again', { ...lists, file: fixture('russian.flac') }))
    expect(again).toMatchObject({ code: 'MODEL_NOT_FOUND', hint: expect.stringMatching(/SPEAKER_MODEL/) })
    expect(submits()).toEqual([fun, mtl, onePass, words].sort())
    expect(files()).toBe(1)
  })

  it('passes over a successor that lacks the language, and names it where no other is left', async () => {
    gone([words])
    const results = await system.run('tr_ukrainian', { ...lists, language: 'uk' })
    // The first speaker model lacks it too, so its successors need not have it.
    expect(answered(results)).toEqual([mtl, undefined])
    expect(results.passes[1]!.error).toMatchObject({
      code: 'PROVIDER_REFUSED',
      message: expect.stringContaining(`${onePass} does not take the language`),
    })
    expect(submits()).toEqual([mtl, words])
  })

  it('tells why the first model did not answer where that one is there', async () => {
    // Twice, as the second job does not ask it again.
    for (const job of ['tr_kind', 'tr_kind_again']) {
      const results = await system.run(job, { ...lists, speakerModels: ['qwen3-asr-flash', fun] })
      expect(answered(results)).toEqual([fun, words])
      expect(modelWarnings([], results)[0]).toBe(
        'fun-asr answered in place of qwen3-asr-flash. The model qwen3-asr-flash is not for requests of this kind.',
      )
    }
  })

  it('refuses a successor that would cost more than the limit', async () => {
    gone([mtl])
    const results = await system.run('tr_dear', {
      speakerModels: [mtl, fun],
      fileModels: [words],
      prices: { [mtl]: 0.00001, [fun]: 1 },
      budget: testBudget(0.01),
    })
    expect(results.passes[0]!.error).toMatchObject({ code: 'COST_TOO_HIGH' })
    expect(made()).toEqual([words])
  })
})

describe('what an earlier model has made', () => {
  it('is found by the same order after the model has ended, without a request', async () => {
    const file = fixture('voice-note.ogg')
    const hash = 'hash of the recording'
    await system.run('tr_before', { ...lists, file, hash })
    gone([mtl, words])
    system.forget()
    const results = await system.run('tr_after', { ...lists, file, hash })
    expect(answered(results)).toEqual([mtl, words])
    expect(submits()).toEqual([mtl, words])
    expect(results.passes.map(({ sent }) => sent)).toEqual([0, 0])
  })

  it('is no answer to another job while the models before it live', async () => {
    const options = { file: fixture('voice-note.ogg'), hash: 'hash of two orders' }
    await system.run('tr_one_pass', { ...options, speakerModels: [onePass] })
    expect(submits()).toEqual([onePass])
    gone([mtl, fun, words])
    await system.run('tr_learning', { ...lists, file: fixture('russian.flac') })
    const count = submits().length
    expect(answered(await system.run('tr_while_gone', { ...lists, ...options }))).toEqual([onePass, onePass])
    expect(submits()).toHaveLength(count)
    gone([])
    system.forget()
    const results = await system.run('tr_two_passes', { ...lists, ...options })
    expect(answered(results)).toEqual([mtl, words])
    expect(results.passes.map(({ inPlaceOf }) => inPlaceOf)).toEqual([undefined, undefined])
  })

  it('a task that its successor began for the same job is found when the first model is back', async () => {
    gone([mtl])
    emulator.set({ taskLatency: { base: 0, perSecond: 0.2 } })
    const options = { ...lists, file: fixture('voice-note.ogg'), hash: 'another hash' }
    await failure(system.run('tr_slow', { ...options, taskTimeoutSeconds: 0.2 }))
    gone([])
    system.forget()
    emulator.set({ taskLatency: { base: 0, perSecond: 0 } })
    expect(answered(await system.run('tr_slow', options))).toEqual([fun, words])
    expect(made().sort()).toEqual([fun, words])
  })
})

describe('a task that an earlier version began', () => {
  // That version had the context in the request, and not in the key: as if there had been none.
  it('is continued by its own job with the context', async () => {
    const options = { ...lists, file: fixture('voice-note.ogg'), hash: 'hash of an upgrade' }
    const context = 'Kubernetes, Nordwind'
    emulator.set({ taskLatency: { base: 0, perSecond: 0.2 } })
    await failure(system.run('tr_upgrade', { ...options, taskTimeoutSeconds: 0.2 }))
    emulator.set({ taskLatency: { base: 0, perSecond: 0 } })
    expect(answered(await system.run('tr_upgrade', { ...options, context }))).toEqual([mtl, words])
    expect(submits()).toEqual([mtl, words])
    const repeated = await system.run('tr_upgrade', { ...options, context })
    expect(repeated.passes.map(({ sent }) => sent > 0)).toEqual([true, true])
    expect(submits()).toEqual([mtl, words])
  })

  it('is no task of another job that has a context', async () => {
    const options = { ...lists, file: fixture('voice-note.ogg'), hash: 'hash of another upgrade' }
    await system.run('tr_plain', options)
    await system.run('tr_with_context', { ...options, context: 'Kubernetes, Nordwind' })
    expect(made().filter(model => model === words)).toHaveLength(2)
  })
})

describe('another number of speakers', () => {
  it('costs no second pass for the words', async () => {
    const options = { ...lists, file: fixture('russian.flac'), hash: 'hash of two voices' }
    await system.run('tr_any_number', options)
    const results = await system.run('tr_two_voices', { ...options, speakers: 2 })
    expect(answered(results)).toEqual([mtl, words])
    expect(submits()).toEqual([mtl, mtl, words])
    expect(results.passes.map(({ sent }) => sent > 0)).toEqual([true, false])
  })
})

describe('one model for speakers and words', () => {
  it('is asked once, and no words pass with it', async () => {
    const results = await system.run('tr_one', { ...lists, speakerModels: [onePass, fun] })
    expect(answered(results)).toEqual([onePass, onePass])
    expect(results.passes.map(({ inPlaceOf }) => inPlaceOf)).toEqual([undefined, undefined])
    expect(submits()).toEqual([onePass])
  })

  it('is followed by two passes over the same upload when it is gone', async () => {
    gone([onePass])
    const results = await system.run('tr_two', {
      speakerModels: [onePass, fun],
      fileModels: [words],
      file: fixture('voice-note.ogg'),
    })
    expect(answered(results)).toEqual([fun, words])
    expect(submits()).toEqual([fun, onePass, words].sort())
    expect(files()).toBe(1)
  })

  it('its failure for another reason is that of both, so that nothing else is paid for', async () => {
    const off = emulator.taskFault({ kind: 'failed', code: 'DECODE_ERROR', model: onePass })
    const options = { speakerModels: [onePass], fileModels: [words], file: fixture('russian.flac') }
    expect(await failure(system.run('tr_undecoded', options))).toMatchObject({ code: 'NOT_AUDIO' })
    off()
    expect(submits()).toEqual([onePass])
  })
})

describe('the provider’s temporary store', () => {
  afterEach(() => emulator.set({ forms: { temporaryUploads: 'ownModel' } }))

  it.each([
    // One for each of the first models, and one more for the successor.
    ['ownModel', 3],
    ['anyModel', 2],
  ] as const)('serves the successor of a model that is gone (%s)', async (temporaryUploads, uploads) => {
    gone([mtl, fun, words])
    emulator.set({ forms: { temporaryUploads } })
    const results = await system.run(`tr_${temporaryUploads}`, { ...lists, temporary: true })
    expect(answered(results)).toEqual([onePass, onePass])
    expect(files()).toBe(uploads)
    expect(emulator.tasks.slice(before.tasks).filter(({ state }) => state === 'SUCCEEDED')).toHaveLength(1)
  })
  it('that has refused an upload of another model is not tried again with one by the same process', async () => {
    gone([mtl])
    const options = { ...lists, temporary: true }
    await system.run('tr_refused', options)
    // The task of the lent upload fails, and nothing of it is billed.
    expect(submits()).toEqual([fun, fun, mtl, words])
    gone([words])
    const results = await system.run('tr_bound', { ...options, file: fixture('voice-note.ogg') })
    expect(answered(results)).toEqual([fun, onePass])
    expect(submits().filter(model => model === onePass)).toEqual([onePass])
    expect(files()).toBe(6)
  })
})
