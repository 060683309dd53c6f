// Five hundred HTTP clients that read and sometimes transcribe, and one greedy client beside them.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fixture } from '../../test/support/e2e/system.ts'
import { type Answer, callTool, request } from '../core/call.ts'
import type { Door, Era } from '../core/door.ts'
import { milliseconds, percentile } from '../core/figures.ts'
import { type HttpDoor, openHttp } from '../core/http.ts'
import { commonWord, fillLibrary, idOf, makeDatabase, vocabulary } from '../core/library.ts'
import { startProvider } from '../core/provider.ts'
import { createRandom, type Random } from '../core/random.ts'
import type { Round, Trial } from '../core/round.ts'

const clients = 500
const owners = 50
/** Clients of 2025-11-25, whose sessions are limited; all others use 2026-07-28. */
const withSessions = 100
const meetings = 20
/** Longest pause of a client between two requests. */
const maxPauseMs = 20_000
const transcribingShare = 0.005
const greedySearches = 8
const greedyReaders = 5
const limits = { p99Seconds: 0.25, memoryMb: 200 }

const tokenOf = (owner: number) => `owner-${owner}-0123456789abcdef`
const greedyToken = 'greedy-0123456789abcdef'

export const manyClients: Round = {
  name: 'clients',
  summary: `${clients} HTTP clients, one of them greedy, for 10 minutes (quick: 0.25)`,
  async run(trial) {
    const { tally, random, minutes = trial.quick ? 0.25 : 10 } = trial
    const provider = await startProvider()
    const tokens = Array.from({ length: owners }, (_, i) => `o${i}:${tokenOf(i)}`)
    const env = { SPEECH_TOKENS: [...tokens, `greedy:${greedyToken}`].join(',') }
    const home = trial.home('home', { provider: provider.url, env })
    await makeDatabase(home)
    for (let i = 0; i < owners; i++) fillLibrary(home, { count: meetings, owner: `o${i}` })
    fillLibrary(home, { count: 200, owner: 'greedy', sentences: 400 })

    const door = await openHttp({ env: home.env }, '2026-07-28', tokenOf(0))
    const isOver = overAfter(minutes * 60_000)
    const reads: number[] = []
    const working = Array.from({ length: clients }, async (_, i) => {
      const era: Era = i < withSessions ? '2025-11-25' : '2026-07-28'
      const own = createRandom(random.below(1e9), `client ${i}`)
      await sleep(maxPauseMs * own.next())
      let send: Door['request'] | undefined
      await tally.attempt(`client ${i}, its session`, async () => {
        send = await door.as(tokenOf(i % owners), era)
        return undefined
      })
      while (send && !isOver()) {
        await tryRequest(trial, { ...door, request: send }, own, i, reads)
        await sleep(maxPauseMs * own.next())
      }
    })
    const greedy = beGreedy(door, isOver)
    setTimeout(() => tally.warmedUp(door), Math.min(60_000, 0.5 * minutes * 60_000))
    await Promise.all([...working, ...greedy])

    await tally.compare(door, home)
    const [p50, p99] = [percentile(reads, 0.5), percentile(reads, 0.99)]
    const memory = door.facts()?.memoryMb ?? 0
    tally.note(
      `${reads.length} reads, p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}; ${memory} MB at the end`,
    )
    if (p99 > limits.p99Seconds)
      tally.fail(`p99 of reads: ${milliseconds(p99)}, limit ${milliseconds(limits.p99Seconds)}`)
    if (memory > limits.memoryMb) tally.fail(`${memory} MB at the end, limit ${limits.memoryMb} MB`)
    await tally.end(door)
    await provider.close()
  },
}

function overAfter(ms: number): () => boolean {
  const end = Date.now() + ms
  return () => Date.now() > end
}

async function tryRequest(
  { tally }: Trial,
  door: Door,
  random: Random,
  i: number,
  reads: number[],
): Promise<void> {
  const isRead = !random.chance(transcribingShare)
  await tally.attempt(`client ${i}`, async () => {
    const answer = await (isRead ? read(door, random) : transcribe(door, random))
    tally.took(answer.seconds)
    if (isRead) reads.push(answer.seconds)
    if (answer.fault) return answer.fault
    return answer.isError ? answer.text.slice(0, 200) || `HTTP ${answer.status}` : undefined
  })
}

function read(door: Door, random: Random): Promise<Answer> {
  const id = idOf(random.below(meetings))
  const query = `${random.pick([commonWord, ''])} ${random.pick(vocabulary)}`.trim()
  return random.pick([
    () => callTool(door, 'search_transcripts', {}),
    () => callTool(door, 'search_transcripts', { query }),
    () => callTool(door, 'get_transcript', { transcript_id: id, wait_seconds: 0 }),
    () => request(door, 'resources/read', { uri: `transcript://${id}` }),
    () => request(door, 'resources/list', {}),
    () => request(door, 'tools/list', {}),
  ])()
}

function transcribe(door: Door, random: Random): Promise<Answer> {
  const context = `note ${random.next()}`
  return callTool(door, 'transcribe_audio', { audio: fixture('voice-note.ogg'), context, wait_seconds: 5 })
}

/** Searches without a pause, and readers that ask for a long answer and do not read it. Refusals are its own business. */
function beGreedy(door: HttpDoor, isOver: () => boolean): Promise<void>[] {
  const searching = Array.from({ length: greedySearches }, async () => {
    const send = await door.as(greedyToken, '2026-07-28')
    while (!isOver())
      await callTool({ ...door, request: send }, 'search_transcripts', { query: commonWord, limit: 25 })
  })
  const notReading = Array.from({ length: greedyReaders }, async () => {
    while (!isOver()) await askWithoutReading(door.url, isOver)
  })
  return [...searching, ...notReading]
}

async function askWithoutReading(url: string, isOver: () => boolean): Promise<void> {
  const { hostname, port, pathname, host } = new URL(url)
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'resources/read',
    params: { uri: `transcript://${idOf(0)}/json` },
  })
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${greedyToken}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    `Content-Length: ${body.length}`,
  ]
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  socket.pause()
  for (let i = 0; i < 20; i++) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  const end = Date.now() + 20_000
  while (!isOver() && !socket.destroyed && Date.now() < end) await sleep(200)
  socket.destroy()
}
