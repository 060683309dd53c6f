// A team in trouble: servers and workers are killed at seeded random moments while every service throttles, breaks off
// and loses answers. SPEECH_CHAOS_SEED, SPEECH_CHAOS_JOBS and SPEECH_CHAOS_KILLS make other runs, and longer ones; with
// SPEECH_CHAOS_CLOCKS each process is a machine of its own, whose clock is wrong by up to so many minutes.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { makeSpacedRecording } from '../../support/audio/spaced-recording.ts'
import { type Cluster, startCluster } from '../../support/e2e/cluster.ts'
import { createSeededRandom, injectFaults } from '../../support/e2e/seeded-faults.ts'

const wished = (name: string, usual: number) => Number(process.env[`SPEECH_CHAOS_${name}`] ?? usual)
const seed = wished('SEED', 1)
const jobs = wished('JOBS', 12)
const kills = wished('KILLS', 4)
const wrongBy = wished('CLOCKS', 0)
const [servers, workers] = [2, 3]
/** Every n-th job is a diarization; the others are transcribed in chunks, whose number differs per recording. */
const rarity = 10
const lengths = [2, 3, 4]
/** A message whose delivery was lost is hidden for half a minute, and deleted when it comes again. */
const leftTimeoutMs = 90_000
/** Seconds within which the requests arrive, and the longest pause between two kills. */
const orderTime = 0.2 * jobs
const calmest = 1.2

const tokens = { calm: 'calm-0123456789abcdef', crowd: 'crowd-0123456789abcdef' }
let cluster: Cluster
let files: string[]

/** From one end of the range to the other, in a seeded order. */
function clocks(): number[] {
  const next = createSeededRandom(seed + 2)
  const spread = Array.from({ length: servers + workers }, (_, i) => i / (servers + workers - 1))
  return spread.map(share => wrongBy * (2 * share - 1)).sort(() => next() - 0.5)
}

beforeAll(async () => {
  cluster = await startCluster({
    servers,
    workers,
    ...(wrongBy > 0 && { clocks: clocks() }),
    env: { SPEECH_TOKENS: `calm:${tokens.calm},crowd:${tokens.crowd}`, SPEECH_WORKER_JOBS: '3' },
    cloud: {
      latency: { base: 0.25, perSecond: 0.003 },
      taskLatency: { base: 0.2, perSecond: 0.005 },
      tablestore: { seed },
      mns: { seed },
    },
  })
  await cluster.cloud.dashscope.warmUp()
  const made = lengths.map(count => makeSpacedRecording(cluster.folder, count, `passages-${count}.flac`))
  files = (await Promise.all(made)).map(({ file }) => file)
})
afterAll(() => cluster?.close())

interface JobSpec {
  tool: string
  args: Record<string, unknown>
  /** Jobs alike but for this give the same transcript. */
  kind: string
}

/** The context makes each request a job of its own; diarizations differ by their number of speakers. */
function jobSpec(i: number): JobSpec {
  const audio = files[i % files.length]!
  if (i % rarity !== rarity - 1)
    return { tool: 'transcribe_audio', args: { audio, context: `job ${i}` }, kind: audio }
  const speakers = 2 + Math.floor(i / rarity)
  return { tool: 'diarize_audio', args: { audio, speakers }, kind: `${audio} ${speakers}` }
}

/** The fields that transcripts of the same kind share; ids and titles differ. */
function essence({ text, coverage, status, language, duration, speakers }: Record<string, unknown>) {
  return { text, coverage, status, language, duration, speakers }
}

/** Like a patient client: submits until it gets an id, then polls until the job is over. */
async function runToCompletion({ tool, args }: JobSpec, token: string, next: () => number) {
  let id: string | undefined
  for (;;) {
    const request = id === undefined ? { ...args } : { transcript_id: id }
    const caller = { token, position: next() }
    const asked = cluster.call(caller, id === undefined ? tool : 'get_transcript', request)
    // If its server was killed, another server answers the next call.
    const answer = await asked.catch(() => undefined)
    if (answer && !answer.isError) {
      id = answer.data.transcript_id as string
      if (answer.data.status !== 'running') return answer.data as Record<string, unknown>
    } else if (answer && !/^(?:STORE_FAILED|QUEUE_FAILED|CALL_TIMEOUT)/.test(answer.text))
      throw new Error(answer.text)
    await sleep(100)
  }
}

/** Polls the stored recognitions. */
function observe() {
  let kept = new Set<string>()
  let isOver = false
  const looking = (async () => {
    // The faults hit this look, too; the next one sees what it has missed.
    for (; !isOver; await sleep(100)) kept = await cluster.storedRecognitions().catch(() => kept)
  })()
  return {
    kept: () => kept,
    async end() {
      isOver = true
      await looking
    },
  }
}

describe('a team whose processes are killed while its services fail', () => {
  it(`every job completes with the undisturbed result, and nothing is billed twice (seed ${seed})`, async () => {
    const { cloud, machines } = cluster
    const next = createSeededRandom(seed)
    const specs = Array.from({ length: jobs }, (_, i) => jobSpec(i))
    const calm = new Map<string, unknown>()
    const patterns = new Map(specs.map(one => [one.kind, one]))
    await Promise.all(
      [...patterns].map(async ([kind, one]) => {
        calm.set(kind, essence(await runToCompletion(one, tokens.calm, next)))
      }),
    )

    const before = cloud.dashscope.requests.length
    const calmTasks = cloud.dashscope.tasks.length
    const watch = observe()
    const keptThen = new Map<object, Set<string>>()
    cloud.dashscope.fault({
      kind: 'slow',
      seconds: 0,
      when(request) {
        keptThen.set(request, watch.kept())
        return false
      },
    })
    const endTrouble = injectFaults(cloud, seed)
    const coming = specs.map(async one => {
      await sleep(1000 * orderTime * next())
      return runToCompletion(one, tokens.crowd, next)
    })
    const killing = (async () => {
      // Numbers of its own: who dies when is the same in each run.
      const fate = createSeededRandom(seed + 1)
      for (let i = 0; i < kills; i++) {
        await sleep(1000 * calmest * fate())
        await cluster.killAndStart(Math.floor(machines.length * fate()))
      }
    })()
    const [answers] = await Promise.all([Promise.all(coming), killing])
    endTrouble()
    await watch.end()

    expect(answers.map(essence)).toEqual(specs.map(({ kind }) => calm.get(kind)))
    expect(answers.filter(({ status }) => status !== 'completed')).toEqual([])
    const ids = new Map(specs.map(({ args }, i) => [args.context, answers[i]!.transcript_id]))
    const asked = cloud.dashscope.requests.slice(before)
    const inVain = asked.filter(one => keptThen.get(one)?.has(`${ids.get(one.context)} ${one.spokenText}`))
    expect(inVain).toEqual([])
    // As many as there are chunks at least, or nothing was looked at.
    const chunks = specs.flatMap(({ tool }, i) =>
      tool === 'transcribe_audio' ? [lengths[i % lengths.length]!] : [],
    )
    expect(keptThen.size).toBeGreaterThanOrEqual(chunks.reduce((sum, count) => sum + count, 0))
    // One task for the speakers of each diarization, whatever was lost on the way; those of one recording share its words.
    const paid = cloud.dashscope.tasks.slice(calmTasks).filter(({ billed }) => billed !== undefined)
    const diarizations = specs.filter(({ tool }) => tool === 'diarize_audio')
    const recordings = new Set(diarizations.map(({ args }) => args.audio))
    const models = [...new Set(paid.map(({ model }) => model))]
    const counts = models.map(model => paid.filter(one => one.model === model).length)
    expect(Math.max(...counts), models.join()).toBe(diarizations.length)
    expect(Math.min(...counts), models.join()).toBeGreaterThanOrEqual(recordings.size)
    expect(models).toHaveLength(2)
    const left = { timeout: leftTimeoutMs, interval: 100 }
    await vi.waitFor(() => expect(cloud.bucketKeys()).toEqual([]), left)
    await vi.waitFor(async () => expect(await cluster.unfinished()).toEqual([]), left)
    // Costs the suite half a minute, so only the longer runs wait for it.
    if (wrongBy > 0) await vi.waitFor(() => expect(cloud.mns.messages()).toEqual([]), left)
  }, 900_000)
})
