// npm run bench:clients: 500 HTTP clients of ten owners read, search and send voice notes; about a minute.
// With `-- --against FOLDER` the build in FOLDER/dist is measured after this one.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Client } from '@modelcontextprotocol/client'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { createSeededRandom } from './diarize/random.ts'
import { connect, startHttpServer } from './http-server.ts'
import { type Provider, peakMemory, root, run, startProvider, timed } from './measure.ts'
import { type Figure, isMet, table } from './table.ts'

const owners = 10
const clientsPerOwner = 50
/** So many clients send a voice note each; each file is sent by every owner. */
const notesPerOwner = 10
const seconds = 40
/** 25 calls a second by all of them. */
const meanPauseSeconds = 20
const searchShare = 0.2

interface Times {
  reads: number[]
  searches: number[]
  notes: number[]
  /** Calls that failed, or returned what belongs to another owner. */
  wrong: string[]
}

interface Visitor {
  client: Client
  owner: number
  number: number
}

const tokenOf = (owner: number) => `token-of-owner-number-${owner}`
const titleOf = (owner: number, note: number) => `Owner ${owner} note ${note}`

/** Calls the tool and returns its data; throws where it reports an error. */
async function call(client: Client, name: string, args: Record<string, unknown>): Promise<unknown> {
  const result = await client.callTool({ name, arguments: args }, { timeout: 120_000 })
  if (result.isError) throw new Error(`${name}: ${JSON.stringify(result.content)}`)
  return result.structuredContent
}

interface Transcript {
  status: string
  transcript_id: string
  title: string
}

async function send({ client, owner }: Visitor, folder: string, note: number): Promise<Transcript> {
  const audio = join(folder, `note-${note}.wav`)
  const args = { audio, title: titleOf(owner, note), wait_seconds: 60 }
  const sent = (await call(client, 'transcribe_audio', args)) as Transcript
  if (sent.status !== 'completed' || sent.title !== args.title)
    throw new Error(`note: ${JSON.stringify(sent)}`)
  return sent
}

async function search({ client, owner }: Visitor, query: string): Promise<void> {
  const found = (await call(client, 'search_transcripts', { query })) as { transcripts: Transcript[] }
  const foreign = found.transcripts.find(({ title }) => !title.startsWith(`Owner ${owner} `))
  if (foreign || found.transcripts.length === 0) throw new Error(`search: ${JSON.stringify(foreign)}`)
}

async function read({ client, owner }: Visitor, id: string, note: number, way: number): Promise<void> {
  if (way === 0) {
    const { resources } = await client.listResources()
    const foreign = resources.find(({ title }) => !title?.startsWith(`Owner ${owner} `))
    if (foreign || resources.length === 0) throw new Error(`list: ${foreign?.title}`)
    return
  }
  const text =
    way === 1
      ? JSON.stringify((await client.readResource({ uri: `transcript://${id}` })).contents)
      : JSON.stringify(await call(client, 'get_transcript', { transcript_id: id }))
  if (!text.includes(titleOf(owner, note))) throw new Error(`read: ${text.slice(0, 100)}`)
}

async function visit(visitor: Visitor, folder: string, ids: string[], times: Times): Promise<void> {
  const random = createSeededRandom(visitor.owner * 1000 + visitor.number)
  const until = performance.now() + seconds * 1000
  const measure = async (into: number[], work: () => Promise<unknown>) => {
    try {
      const [took] = await timed(work)
      into.push(took * 1000)
    } catch (error) {
      times.wrong.push(String(error))
    }
  }
  const isSender = visitor.number < notesPerOwner - 1
  const sendsAt = performance.now() + random.between(0, seconds * 1000)
  let hasSent = !isSender
  for (;;) {
    await sleep(random.between(0, 2 * meanPauseSeconds * 1000))
    if (!hasSent && performance.now() > sendsAt) {
      hasSent = true
      await measure(times.notes, () => send(visitor, folder, visitor.number + 1))
    } else if (performance.now() > until) return
    else if (random.chance(searchShare)) await measure(times.searches, () => search(visitor, 'lazy dog'))
    else await measure(times.reads, () => read(visitor, ids[visitor.owner]!, 0, random.whole(0, 2)))
  }
}

async function benchManyClients(
  ffmpeg: string,
  folder: string,
  provider: Provider,
  build: string,
): Promise<Times & { memory: number | undefined; delay: { p99: number; max: number } }> {
  const tokens = Array.from({ length: owners }, (_, owner) => `owner${owner}:${tokenOf(owner)}`)
  const env = {
    DASHSCOPE_BASE_URL: provider.url,
    DASHSCOPE_API_KEY: 'sk-bench',
    SPEECH_DATA_DIR: await mkdtemp(join(folder, 'data-')),
    SPEECH_ALLOWED_DIRS: folder,
    SPEECH_TOKENS: tokens.join(','),
    FFMPEG_PATH: ffmpeg,
  }
  const server = await startHttpServer(env, build)
  try {
    const visitors: Visitor[] = []
    for (let owner = 0; owner < owners; owner++)
      for (let number = 0; number < clientsPerOwner; number++)
        visitors.push({ client: await connect(server.url, tokenOf(owner)), owner, number })
    const ids: string[] = []
    for (let owner = 0; owner < owners; owner++)
      ids.push((await send(visitors[owner * clientsPerOwner]!, folder, 0)).transcript_id)
    server.resetDelay()
    const times: Times = { reads: [], searches: [], notes: [], wrong: [] }
    await Promise.all(visitors.map(visitor => visit(visitor, folder, ids, times)))
    const delay = await server.delay()
    const memory = peakMemory(server.pid)
    await Promise.all(visitors.map(({ client }) => client.close()))
    return { ...times, memory, delay }
  } finally {
    server.stop()
  }
}

function quantile(values: number[], share: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)]
}

async function makeNotes(ffmpeg: string, folder: string): Promise<void> {
  const interview = join(root, 'fixtures', 'interview.mp3')
  for (let note = 0; note < notesPerOwner; note++) {
    const part = ['-ss', String(note * 6), '-i', interview, '-t', '6', '-ac', '1', '-ar', '16000']
    await run(ffmpeg, ['-nostdin', '-y', ...part, join(folder, `note-${note}.wav`)])
  }
}

const { against } = parseArgs({ options: { against: { type: 'string' } } }).values
const builds = [root, ...(against === undefined ? [] : [resolve(against)])]
const folder = await mkdtemp(join(tmpdir(), 'speech-mcp-clients-'))
const provider = await startProvider()
try {
  const { path: ffmpeg } = await (await createApp(readConfig())).ffmpeg()
  await makeNotes(ffmpeg, folder)
  const results: Awaited<ReturnType<typeof benchManyClients>>[] = []
  for (const build of builds) results.push(await benchManyClients(ffmpeg, folder, provider, build))
  for (const wrong of results[0]!.wrong.slice(0, 5)) console.error(wrong)
  const figure = (what: string, of: (result: (typeof results)[0]) => number | undefined, limit?: number) =>
    ({
      what,
      values: results.map(of),
      unit: /^calls/.test(what) ? '' : 'ms',
      limit,
      digits: 0,
    }) satisfies Figure
  const figures: Figure[] = [
    figure('calls', ({ reads, searches, notes }) => reads.length + searches.length + notes.length),
    figure('calls that failed, or were mixed up', ({ wrong }) => wrong.length, 0),
    figure('reads, median', ({ reads }) => quantile(reads, 0.5)),
    figure('reads, p99', ({ reads }) => quantile(reads, 0.99), 100),
    figure('searches, p99', ({ searches }) => quantile(searches, 0.99), 100),
    figure('voice notes, median', ({ notes }) => quantile(notes, 0.5)),
    figure('event loop delay, p99', ({ delay }) => delay.p99),
    figure('event loop delay, longest', ({ delay }) => delay.max),
    { ...figure('peak memory', ({ memory }) => memory, 160), unit: 'MB' },
  ]
  console.log(table(figures, against))
  process.exitCode = figures.every(isMet) ? 0 : 1
} finally {
  provider.stop()
  await rm(folder, { recursive: true, force: true })
}
