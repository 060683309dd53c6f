// Names and terms on every route: what each model gets of a context, what it costs, and what silence makes of it.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { lavfi, makeAudio } from '../../support/e2e/requests.ts'
import { fixture, type System, startSystem, truth, truthText } from '../../support/e2e/system.ts'

const audio = fixture('jfk.wav')
const list = 'Names: Anja Müller, Jürgen\nTerms: Kubernetes; OKR'
const prose = `The board of Nordwind GmbH meets, and Anja Müller speaks. ${'It is a long meeting. '.repeat(20)}At the end comes Kubernetes.`

describe('two passes', () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem({ bucket: true })
  })
  afterAll(() => system.close())

  const tasksOf = async (tool: string, args: Record<string, unknown>) => {
    const before = system.dashscope.tasks.length
    const { data } = await system.call(tool, { audio, ...args })
    return { data, tasks: system.dashscope.tasks.slice(before) }
  }

  it('the context of a diarization reaches the model of the text, and the speakers are not asked for again', async () => {
    await tasksOf('diarize_audio', {})
    const { data, tasks } = await tasksOf('diarize_audio', { context: list })
    expect(tasks.map(({ model, context }) => [model, context])).toEqual([['qwen3-asr-flash-filetrans', list]])
    expect(data).toMatchObject({ status: 'completed', warnings: [] })
  })

  it('the same context again sends nothing, and measured times share the pass', async () => {
    const { data, tasks } = await tasksOf('diarize_audio', { context: ` ${list}\n` })
    expect(tasks).toEqual([])
    expect(data.usage).toMatchObject({ audio_seconds: 0, cost_usd: 0 })
    expect((await tasksOf('transcribe_audio', { context: list, timestamps: 'segment' })).tasks).toEqual([])
    const other = await tasksOf('transcribe_audio', { context: 'Greta', timestamps: 'segment' })
    expect(other.tasks).toEqual([expect.objectContaining({ context: 'Greta' })])
  })

  it('a context that comes back where there are hardly any sounds is no text', async () => {
    system.dashscope.set({ forms: { repeatsContext: true } })
    onTestFinished(() => system.dashscope.set({ forms: { repeatsContext: false } }))
    const clicks = await makeAudio(system, 'clicks.wav', [
      ...lavfi("aevalsrc='0.5*sin(2000*t)*lt(mod(t,4),0.03)':s=16000:d=10"),
    ])
    const context = 'Anja, Kubernetes, OKR and all the others of the board'
    const { data } = await system.call('transcribe_audio', { audio: clicks, context })
    expect(system.dashscope.requests.at(-1)!.text).toBe(context)
    const warnings = expect.arrayContaining([
      expect.stringMatching(/^Left out at 0:0\d: text that repeats the context over silence\.$/),
    ])
    expect(data).toMatchObject({ status: 'completed', text: '', warnings })
    const diarized = await system.call('diarize_audio', { audio: clicks, context })
    expect(diarized.data).toMatchObject({ text: '', warnings })
    expect(system.dashscope.tasks.at(-1)!.spokenText).toBe('')
    const spoken = truthText(truth('jfk'))
    const said = await system.call('transcribe_audio', { audio, context: spoken, timestamps: 'none' })
    expect(said.data.text.replace(/\s+/g, ' ').trim()).toBe(spoken)
  })
})

describe('one pass', () => {
  let system: System
  beforeAll(async () => {
    const model = 'qwen-audio-3.1-asr-flash-filetrans'
    system = await startSystem({
      isHere: true,
      bucket: true,
      env: { SPEAKER_MODEL: model, FILE_MODEL: model },
    })
  })
  afterAll(() => system.close())

  it('a list becomes a vocabulary, and prose a text of 400 characters beside it', async () => {
    const { data: ofList } = await system.call('diarize_audio', { audio, context: list })
    const { data: ofProse } = await system.call('diarize_audio', { audio, context: prose })
    const [first, second] = system.dashscope.tasks
    expect(first!.context).toBeUndefined()
    expect(first!.vocabulary).toEqual({ 'Anja Müller': 4, Jürgen: 4, Kubernetes: 4, OKR: 4 })
    expect(ofList.warnings).toEqual([])
    const text = second!.context!
    expect(text.length).toBeGreaterThan(390)
    expect(text.length).toBeLessThanOrEqual(400)
    expect(prose.startsWith(text)).toBe(true)
    expect(Object.keys(second!.vocabulary!)).toEqual(
      expect.arrayContaining(['Nordwind GmbH', 'Anja Müller', 'Kubernetes']),
    )
    expect(ofProse.warnings.join(' ')).toMatch(/takes only the first \d+ characters of the context/)
  })
})
