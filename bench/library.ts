// npm run bench:library: lists, completions, searches and starts with 20,000 transcripts, in SQLite and in Tablestore.
// With `-- --tablestore N` the latter has N, and beyond 20,000 no searches: the emulator reads every transcript for one.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connect, startHttpServer } from './http-server.ts'
import { type Reading, readings, times } from './library/readings.ts'
import { fillSqlite } from './library/sqlite.ts'
import { startTablestoreLibrary } from './library/tablestore.ts'
import { median, startServer, timed } from './measure.ts'
import { type Figure, isMet, table } from './table.ts'

const transcripts = 20_000
const reads = 100
const starts = 9
const limits = { p99Ms: 30, start: 1.1 }
/** Longer than it takes until a server looks for jobs that others have left. */
const firstLookMs = 2_000

const { tablestore } = parseArgs({
  options: { tablestore: { type: 'string', default: '20000' } },
}).values
const folder = await mkdtemp(join(tmpdir(), 'speech-mcp-bench-'))
/** Nothing is recognised. */
const provider = { DASHSCOPE_API_KEY: 'sk-bench', DASHSCOPE_BASE_URL: 'http://127.0.0.1:9/api/v1' }

type Env = Record<string, string>

/** 99th percentiles of reads, and the longest delay of the event loop at the start and meanwhile. */
async function read(env: Env, measured: Reading[], searchLimit?: number): Promise<Figure[]> {
  const server = await startHttpServer({ ...provider, ...env })
  try {
    server.resetDelay()
    await sleep(firstLookMs)
    const atStart = (await server.delay()).max
    const client = await connect(server.url)
    const figures: Figure[] = []
    server.resetDelay()
    for (const reading of measured) {
      const sorted = await times(reading, client, reads)
      const p99 = sorted[Math.floor(reads * 0.99)]
      const limit = reading.isSearch ? searchLimit : limits.p99Ms
      figures.push(figure(`${reading.what}, p99`, [p99], { unit: 'ms', limit }))
    }
    const meanwhile = (await server.delay()).max
    await client.close()
    const row = { unit: 'ms', limit: 50 }
    return [
      ...figures,
      figure('event loop delay at the start, longest', [atStart], row),
      figure('event loop delay meanwhile, longest', [meanwhile], row),
    ]
  } finally {
    server.stop()
  }
}

/** Start to the tools and to the first list, beside a server whose store is empty. */
async function start(full: Env, empty: Env): Promise<Figure[]> {
  const taken = [full, empty].map(() => ({ tools: [] as number[], list: [] as number[] }))
  for (let i = 0; i < starts; i++)
    for (const [e, env] of [full, empty].entries()) {
      const [tools, server] = await timed(async () => {
        const server = await startServer({ ...provider, ...env })
        await server.client.listTools()
        return server
      })
      const [list] = await timed(() => server.client.request({ method: 'resources/list', params: {} }))
      await server.close()
      taken[e]!.tools.push(tools * 1000)
      taken[e]!.list.push((tools + list) * 1000)
    }
  const ratio = (kind: 'tools' | 'list') => median(taken[0]![kind]) / median(taken[1]![kind])
  const row = { unit: '', limit: limits.start, digits: 2 }
  return [
    figure('start to tools/list', [median(taken[0]!.tools)], { unit: 'ms' }),
    figure('the same, over that of an empty store', [ratio('tools')], row),
    figure('start to the first list of transcripts', [median(taken[0]!.list)], { unit: 'ms' }),
    figure('the same, over that of an empty store', [ratio('list')], row),
  ]
}

function figure(what: string, values: Figure['values'], more: Partial<Figure>): Figure {
  return { unit: '', limit: undefined, digits: 0, ...more, what, values }
}

function show(title: string, figures: Figure[]): void {
  console.log(`\n${title}\n\n${table(figures, undefined)}`)
  if (!figures.every(isMet)) process.exitCode = 1
}

const dataIn = (name: string): Env => ({ SPEECH_DATA_DIR: join(folder, name) })

try {
  const embedded = dataIn('embedded')
  await fillSqlite(embedded.SPEECH_DATA_DIR!, transcripts)
  show(`${transcripts} transcripts in SQLite`, [
    ...(await start(embedded, dataIn('empty'))),
    ...(await read(embedded, readings(), limits.p99Ms)),
  ])
  const count = Number(tablestore)
  const lists = readings().filter(({ isSearch }) => !isSearch)
  const [shared, other] = await Promise.all([startTablestoreLibrary(), startTablestoreLibrary()])
  try {
    await shared.fill(count, 'local')
    const full = { ...shared.env, ...dataIn('shared') }
    show(`${count} transcripts in Tablestore’s emulator`, [
      ...(await start(full, { ...other.env, ...dataIn('other') })),
      ...(await read(full, count > transcripts ? lists : readings())),
    ])
  } finally {
    for (const library of [shared, other]) library.stop()
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
