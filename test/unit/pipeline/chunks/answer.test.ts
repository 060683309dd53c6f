// The answer for a chunk: what another process has paid for meanwhile is not asked for again.
import { expect, it } from 'vitest'
import type { Run } from '../../../../src/domain/run.ts'
import { answerOf } from '../../../../src/pipeline/chunks/answer.ts'
import type { ChunkBudget } from '../../../../src/pipeline/chunks/budget.ts'
import type { ReadyChunk } from '../../../../src/pipeline/chunks/encode-all.ts'

const signal = new AbortController().signal

/** Asks for a chunk that had no answer when it was looked for, and has one of another process by now. */
async function ask(lookedAgoMs: number, by: 'this job' | 'another job') {
  let requests = 0
  const earlierUsd: number[] = []
  const run = {
    signal,
    answered() {},
    checkpoints: {
      get: async () => ({ text: 'stored', seconds: 10 }),
      put: async () => {},
      isFromThisJob: () => by === 'this job',
    },
  } as unknown as Run
  const recogniser = {
    model: 'test',
    usdPerSecond: 0.001,
    limits: { maxSeconds: 150, minSeconds: 1, concurrency: 2 },
    async recognise() {
      requests++
      return { text: 'asked' }
    },
  }
  const budget = {
    charge: async () => ({ settle() {} }),
    payEarlier: (usd: number) => void earlierUsd.push(usd),
    notePaid: () => true,
  } as unknown as ChunkBudget
  const lookedAt = Date.now() - lookedAgoMs
  const chunk = { key: 'k', audio: Buffer.from('a'), seconds: 10, lookedAt } as unknown as ReadyChunk
  const { text, sent, cached } = await answerOf(
    chunk,
    { recogniser, options: { model: 'test' }, budget },
    run,
  )
  return { text, sent, cached, requests, earlierUsd }
}

it('an answer that another process has stored since a chunk was looked for is taken, and paid once', async () => {
  const found = await ask(20_000, 'this job')
  expect(found).toEqual({ text: 'stored', sent: 10, cached: 0, requests: 0, earlierUsd: [0.01] })
})

it('an answer that another job has stored since then costs nothing', async () => {
  expect(await ask(20_000, 'another job')).toMatchObject({ text: 'stored', sent: 0, cached: 10, requests: 0 })
})

it('a chunk that was just looked for is sent without a second look', async () => {
  expect(await ask(0, 'this job')).toMatchObject({ text: 'asked', sent: 10, requests: 1 })
})
