// The price of a batch: the user agrees to it, not the model, and no more than it is held.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clients } from '../../support/e2e/mcp-clients.ts'
import { entry, fixture, type System, startSystem } from '../../support/e2e/system.ts'

let system: System
let count = 0

beforeAll(async () => {
  system = await startSystem()
  await system.dashscope.warmUp()
})
afterAll(() => system.close())

/** A folder with a voice note, and one that is no recording. */
async function makeFolder(): Promise<string> {
  const folder = join(system.folder, `talks ${count++}`)
  await mkdir(folder)
  await copyFile(fixture('voice-note.ogg'), join(folder, 'note.ogg'))
  await writeFile(join(folder, 'broken.mp3'), 'This is no recording.')
  return folder
}

/** Options that no other test has asked for: nothing is there already. */
const fresh = () => ({ context: `Test ${count++}`, wait_seconds: 60 })

type Answer = { action: 'accept'; content: { agreed_usd: number } } | { action: 'decline' }

/** A client whose user answers forms; `asked` has their messages. */
async function withForms(mode: 'legacy' | 'auto', answer: (priceUsd: number) => Answer) {
  const asked: string[] = []
  const client = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode }, capabilities: { elicitation: {} } },
  )
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    const { message, requestedSchema } = params as unknown as {
      message: string
      requestedSchema: { properties: { agreed_usd: { default: number } } }
    }
    asked.push(message)
    return answer(requestedSchema.properties.agreed_usd.default)
  })
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [entry], env: system.env }),
  )
  return { client, asked }
}

const accept = (agreed_usd: number): Answer => ({ action: 'accept', content: { agreed_usd } })

describe.each(['legacy', 'auto'] as const)('a client of the %s protocol that has forms', mode => {
  it('asks its user in the call', async () => {
    const answers = [() => ({ action: 'decline' }) as const, accept]
    const { client, asked } = await withForms(mode, price => answers.shift()!(price))
    try {
      const args = { audio: await makeFolder(), ...fresh() }
      const updates: number[] = []
      const onprogress = ({ progress }: { progress: number }) => void updates.push(progress)
      const call = () => client.callTool({ name: 'transcribe_audio', arguments: args }, { onprogress })
      const refused = await call()
      expect(refused.structuredContent).toMatchObject({
        status: 'planned',
        next_step: 'The user has not agreed, so nothing was begun.',
      })
      updates.length = 0
      const agreed = await call()
      expect(agreed.structuredContent).toMatchObject({ status: 'partial' })
      expect(asked).toHaveLength(2)
      expect(asked[0]).toMatch(/^Transcribe 1 recording, .* of audio, for at most \$/)
      // Of the later protocol these are two requests, between which the client reports its own progress.
      if (mode === 'legacy') expect(updates).toEqual([...new Set(updates)].sort((a, b) => a - b))
    } finally {
      await client.close()
    }
  })

  it('its model cannot agree instead of the user, neither at first nor after a refusal', async () => {
    const { client, asked } = await withForms(mode, () => ({ action: 'decline' }))
    const before = system.dashscope.requests.length
    try {
      const args = { audio: await makeFolder(), ...fresh(), confirm_usd: 99 }
      for (const n of [1, 2]) {
        const { structuredContent } = await client.callTool({ name: 'transcribe_audio', arguments: args })
        expect(structuredContent).toMatchObject({ status: 'planned' })
        expect(asked).toHaveLength(n)
      }
      expect(system.dashscope.requests).toHaveLength(before)
    } finally {
      await client.close()
    }
  })
})

it('a user who names less than the price is told so, and nothing begins', async () => {
  const { client } = await withForms('legacy', price => accept(price / 2))
  try {
    const args = { audio: await makeFolder(), ...fresh() }
    const { structuredContent } = await client.callTool({ name: 'transcribe_audio', arguments: args })
    expect(structuredContent).toMatchObject({
      status: 'planned',
      next_step: expect.stringContaining('is too low'),
    })
  } finally {
    await client.close()
  }
})

it('an inline recording is in the price, and the price is enough for it', async () => {
  const note = await readFile(fixture('voice-note.ogg'), 'base64')
  const folder = await makeFolder()
  await copyFile(fixture('jfk.wav'), join(folder, 'jfk.wav'))
  const args = { audio: `${join(folder, 'jfk.wav')}\ndata:audio/ogg;base64,${note}`, ...fresh() }
  const plan = await system.call('transcribe_audio', args)
  expect(plan.data.recordings).toHaveLength(2)
  for (const { duration } of plan.data.recordings) expect(duration).toBeGreaterThan(1)
  const { data } = await system.call('transcribe_audio', { ...args, confirm_usd: plan.data.max_usd })
  expect(data).toMatchObject({ status: 'completed', max_usd: plan.data.max_usd })
})

it('the cost of a batch is all that was billed for it, with the formatting of its texts', async () => {
  const args = { audio: await makeFolder(), ...fresh(), format: true, confirm_usd: 1 }
  const before = system.dashscope.bill().dollars
  const { data } = await system.call('transcribe_audio', args)
  const billed = system.dashscope.bill().dollars - before
  expect(system.dashscope.bill().outputTokens).toBeGreaterThan(0)
  expect(data.cost_usd).toBeCloseTo(billed, 6)
})

describe('limits', () => {
  async function callWith(env: Record<string, string>, args: Record<string, unknown>) {
    const [, connect] = clients[0]!
    const client = await connect({ ...system.env, ...env })
    try {
      return (await client.call('transcribe_audio', args)).structuredContent
    } finally {
      await client.close()
    }
  }

  it('who confirms more than the price has only the price held', async () => {
    const args = { audio: await makeFolder(), ...fresh(), confirm_usd: 99 }
    const batch = await callWith({ SPEECH_MAX_COST_USD_PER_DAY: '5' }, args)
    expect(batch).toMatchObject({ status: 'partial', transcript_id: expect.stringMatching(/^ba_/) })
    expect(batch.max_usd).toBeLessThan(0.1)
  })

  it('a price that is not known is not shown as nothing, and takes an amount', async () => {
    const args = { audio: await makeFolder(), ...fresh(), format: true }
    const env = { FORMAT_MODELS: 'qwen3.8-flash' }
    const plan = await callWith(env, args)
    expect(plan).toMatchObject({
      status: 'planned',
      text: expect.stringContaining('at a price that is not known'),
      next_step: expect.stringContaining('Ask the user how many US dollars it may cost at most'),
    })
    expect(plan).not.toHaveProperty('max_usd')
    expect((await callWith(env, { ...args, confirm_usd: 0 })).status).toBe('planned')
    expect(await callWith(env, { ...args, confirm_usd: 0.5 })).toMatchObject({
      transcript_id: expect.stringMatching(/^ba_/),
    })
  })
})
