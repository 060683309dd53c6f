// Kill test: a process killed at seeded random moments loses no word and is billed nothing twice.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeSpacedRecording, type SpacedRecording } from '../../support/audio/spaced-recording.ts'
import { checkpointed } from '../../support/e2e/batch/checkpointed.ts'
import { clients } from '../../support/e2e/mcp-clients.ts'
import { type System, startSystem } from '../../support/e2e/system.ts'

const [, connect] = clients[0]!
/** Kills of each job, after which it runs undisturbed; SPEECH_KILLS makes more of them. */
const killsOfAJob = Number(process.env.SPEECH_KILLS ?? 2)
const jobs = 10
const chunks = 4
/** So many jobs are killed side by side: while one waits for its moment, another one's server starts. */
const abreast = pLimit(3)

/**
 * Milliseconds within which the kill comes: from the call, about until the first request, or from one of the requests,
 * about until its answer is written down.
 */
const latest = { call: 700, request: 150 }

let system: System
let passages: SpacedRecording
let undisturbed: Record<string, unknown>

beforeAll(async () => {
  system = await startSystem({ dashscope: { latency: { base: 0.05, perSecond: 0.003 } } })
  await system.dashscope.warmUp()
  passages = await makeSpacedRecording(system.folder, chunks)
  const { data } = await system.call('transcribe_audio', { audio: passages.file })
  undisturbed = data
})
afterAll(() => system.close())

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Moment {
  /** How many requests must have come. */
  requests: number
  /** Milliseconds after that. */
  later: number
}

function anyMoment(next: () => number): Moment {
  const requests = Math.floor(next() * (chunks + 1))
  return { requests, later: next() * (requests === 0 ? latest.call : latest.request) }
}

async function killAt(
  moment: Moment,
  env: Record<string, string>,
  request: { context: string },
): Promise<void> {
  const client = await connect(env)
  const before = requestsOf(request).length
  let isOver = false
  const call = client.call('transcribe_audio', { ...request }).finally(() => {
    isOver = true
  })
  call.catch(() => {})
  while (!isOver && requestsOf(request).length < before + moment.requests) await sleep(5)
  await Promise.race([sleep(moment.later), call])
  process.kill(client.pid(), 'SIGKILL')
  await client.close()
}

function requestsOf({ context }: { context: string }) {
  return system.dashscope.requests.filter(request => request.context === context)
}

/** The fields that a disturbed and an undisturbed transcript share; ids differ by context. */
function essence({ text, coverage, status, language, duration }: Record<string, unknown>) {
  return { text, coverage, status, language, duration }
}

async function killOften(seed: number): Promise<void> {
  const next = random(seed)
  const env = { ...system.env, SPEECH_DATA_DIR: join(system.folder, `killed-${seed}`) }
  const request = { audio: passages.file, context: `seed ${seed}` }
  const requests = () => requestsOf(request)
  let kept = new Set<string>()
  const checkSince = (from: number) => {
    for (const { text } of requests().slice(from)) expect(kept).not.toContain(text)
  }

  for (let i = 0; i < killsOfAJob; i++) {
    const from = requests().length
    await killAt(anyMoment(next), env, request)
    checkSince(from)
    kept = new Set(checkpointed(env.SPEECH_DATA_DIR))
  }

  const from = requests().length
  const client = await connect(env)
  const { structuredContent } = await client.call('transcribe_audio', request)
  await client.close()
  checkSince(from)
  expect(requests().length - from).toBeLessThanOrEqual(chunks - kept.size)
  expect(essence(structuredContent)).toEqual(essence(undisturbed))
}

describe('a job whose process is killed several times', () => {
  it.concurrent.each(Array.from({ length: jobs }, (_, seed) => seed + 1))(
    'a job whose process is killed repeatedly gives the same transcript and repeats no stored request (seed %i)',
    seed => abreast(() => killOften(seed)),
    // Most of it may be spent waiting for the others.
    600_000,
  )
})
