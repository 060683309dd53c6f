// Fuzzed arguments of every tool, resource, prompt and completion, over both doors in both eras; and odd lines and bodies.
import { fixture } from '../../test/support/e2e/system.ts'
import { type Answer, callTool, request } from '../core/call.ts'
import type { Door } from '../core/door.ts'
import { fitting, type Schema, spoilt } from '../core/fuzz.ts'
import type { Home } from '../core/home.ts'
import { type HttpDoor, openHttp } from '../core/http.ts'
import { startProvider } from '../core/provider.ts'
import type { Round, Trial } from '../core/round.ts'
import { openStdio } from '../core/stdio.ts'
import { tryBodies, tryLines } from './lines.ts'

interface ListedTool {
  name: string
  inputSchema: Schema
}

/** Calls that are in flight at once. */
const abreast = 4
const warmUpTries = 200

export const calls: Round = {
  name: 'calls',
  summary: 'fuzzed arguments, lines and bodies, over stdio and HTTP in both eras (5,000; quick: 240)',
  async run(trial) {
    const provider = await startProvider()
    const size = trial.size(5000, 240) / 4
    for (const era of ['2025-11-25', '2026-07-28'] as const) {
      const home = trial.home(`stdio-${era}`, { provider: provider.url })
      const door = await openStdio({ env: home.env }, era)
      await fuzz(trial, door, home, size)
      await tryLines(trial, door)
      await trial.tally.end(door)

      const httpHome = trial.home(`http-${era}`, { provider: provider.url })
      const http = await openHttp({ env: httpHome.env }, era)
      await fuzz(trial, http, httpHome, size)
      await tryBodies(trial, http as HttpDoor)
      await trial.tally.end(http)
    }
    await provider.close()
  },
}

async function fuzz(trial: Trial, door: Door, home: Home, size: number): Promise<void> {
  const { tally } = trial
  const { result } = await door.request('tools/list', {}, 5000)
  const tools = result.tools as ListedTool[]
  const known = await knownValues(door)
  const warmUp = Math.min(warmUpTries, Math.floor(size / 2))
  for (let i = 0; i < size; i += abreast) {
    const tries = Array.from({ length: Math.min(abreast, size - i) }, (_, k) => ({
      name: `${door.name}, try ${i + k}`,
      work: drawTry(trial, door, tools, known),
    }))
    await Promise.all(
      tries.map(({ name, work }) =>
        tally.attempt(name, async () => {
          const { what, answer } = await work()
          return answer.fault && `${answer.fault}, ${what}`
        }),
      ),
    )
    if (i <= warmUp && i + abreast > warmUp) tally.warmedUp(door)
    if (door.ended() !== undefined) return tally.fail(`${door.name} ended at try ${i}: ${door.ended()}`)
  }
  await tally.compare(door, home)
}

/** Good values, so that fuzzing gets beyond the first check. */
async function knownValues(door: Door): Promise<Record<string, readonly unknown[]>> {
  const args = { audio: fixture('voice-note.ogg'), wait_seconds: 30 }
  const { data } = await callTool(door, 'transcribe_audio', args)
  return {
    transcript_id: [data.transcript_id ?? 'tr_0000000000000000'],
    audio: [fixture('voice-note.ogg'), fixture('jfk.wav')],
    wait_seconds: [0, 0, 1],
    context: ['a', 'b', 'c'],
  }
}

interface Tried {
  /** Method and parameters, to repeat the try with. */
  what: string
  answer: Answer
}

/** Draws everything now, so that the order of answers changes nothing. */
function drawTry(
  { tally, random }: Trial,
  door: Door,
  tools: ListedTool[],
  known: Record<string, readonly unknown[]>,
): () => Promise<Tried> {
  const of = (method: string, params: Record<string, unknown>) => async () => ({
    what: `${method} ${JSON.stringify(params).slice(0, 600)}`,
    answer:
      method === 'tools/call' && typeof params.name === 'string'
        ? await callTool(door, params.name, params.arguments as Record<string, unknown>, tally)
        : await request(door, method, params, tally),
  })
  const kind = random.next()
  if (kind < 0.75) {
    const { name, inputSchema } = random.pick(tools)
    const args = fitting(inputSchema, random, known) as Record<string, unknown>
    return of('tools/call', { name, arguments: random.chance(0.85) ? spoilt(args, random) : args })
  }
  const [method, params] = random.pick(otherMethods(known))
  return of(method, random.chance(0.8) ? spoilt(params, random) : params)
}

function otherMethods(known: Record<string, readonly unknown[]>): [string, Record<string, unknown>][] {
  const id = known.transcript_id![0]
  return [
    ['resources/list', { cursor: 'x' }],
    ['resources/read', { uri: `transcript://${id}` }],
    ['resources/read', { uri: `transcript://${id}/srt` }],
    ['resources/templates/list', {}],
    ['prompts/list', {}],
    ['prompts/get', { name: 'draft_minutes', arguments: { transcript_id: id, focus: 'x' } }],
    [
      'completion/complete',
      { ref: { type: 'ref/resource', uri: 'transcript://{id}' }, argument: { name: 'id', value: 'tr' } },
    ],
    [
      'completion/complete',
      {
        ref: { type: 'ref/prompt', name: 'draft_minutes' },
        argument: { name: 'transcript_id', value: 'tr' },
        context: { arguments: { language: 'en' } },
      },
    ],
    ['tools/call', { name: 'constructor', arguments: {} }],
    ['tools/list', { cursor: 'x' }],
    ['no/such/method', { a: 1 }],
  ]
}
