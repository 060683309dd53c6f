// npm run bench:peers: 20 minutes of MP3 through this server and through others of its kind, beside the same provider.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { startDashscope } from '../emulators/dashscope/dashscope.ts'
import { startOpenAi } from '../emulators/openai/openai.ts'
import { npm } from '../scripts/npm.mjs'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import {
  makeRecording,
  median,
  type ProviderDelay,
  peakMemory,
  root,
  startProvider,
  timed,
} from './measure.ts'
import { ours, type ProviderAccess, peers, type Recipe } from './peers/recipes.ts'
import { type Figure, table } from './table.ts'

const minutes = 20
const repeats = 3
/** What the provider takes for a request, whatever its form: little, and about what models take. */
const delays = [
  { baseMs: 150, perSecondMs: 2 },
  { baseMs: 1_500, perSecondMs: 30 },
]
const patient = { timeout: 600_000 }

const folder = await mkdtemp(join(tmpdir(), 'speech-mcp-bench-'))
const { path: ffmpeg } = await (await createApp(readConfig())).ffmpeg()
const file = join(folder, 'talk.mp3')
let dataFolders = 0

interface Run {
  seconds: number
  /** Peak resident memory of the server's own process, in MiB. */
  memory: number | undefined
  text: string
}

interface CountedRun extends Run {
  requests: number
}

/** One call of a fresh server. */
async function runOnce(recipe: Recipe, provider: ProviderAccess): Promise<Run> {
  const data = join(folder, `data-${dataFolders++}`)
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    ...recipe.env(provider, { data, recordings: folder, ffmpeg }),
  }
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [recipe.program(join(folder, recipe.name))],
    env,
    stderr: 'ignore',
  })
  const client = new Client({ name: 'bench', version: '1' })
  await client.connect(transport)
  try {
    await client.listTools()
    const call = { name: recipe.tool, arguments: recipe.arguments(file) }
    const [seconds, result] = await timed(() => client.callTool(call, patient))
    if (result.isError) throw new Error(JSON.stringify(result.content))
    const memory = peakMemory(transport.pid!)
    return { seconds, memory, text: await recipe.text(result, client) }
  } finally {
    await client.close()
  }
}

/** Installs what can be had, and says what cannot. */
function install(recipe: Recipe): boolean {
  try {
    npm([
      'install',
      '--silent',
      '--no-save',
      '--ignore-scripts',
      '--prefix',
      join(folder, recipe.name),
      recipe.package!,
    ])
    return true
  } catch {
    console.error(`${recipe.package} cannot be installed here, and is left out.`)
    return false
  }
}

/** Words as they are compared: letters and digits, in lower case. */
const wordsIn = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []

interface Spoken {
  words: string[]
  /** Of the last second: they may be cut off. */
  last: string[]
}

async function spokenWords(): Promise<Spoken> {
  const truths = await Promise.all(
    ['interview', 'meeting'].map(async name => {
      const path = join(root, 'fixtures', `${name}.truth.json`)
      return JSON.parse(await readFile(path, 'utf8')) as {
        duration: number
        words: { text: string; start: number; end: number }[]
      }
    }),
  )
  const total = 60 * minutes
  const spoken: Spoken = { words: [], last: [] }
  for (let offset = 0; offset < total; )
    for (const { duration, words } of truths) {
      for (const { text, start, end } of words) {
        if (offset + end < total - 1) spoken.words.push(...wordsIn(text))
        else if (offset + start < total) spoken.last.push(...wordsIn(text))
      }
      offset += duration
    }
  return spoken
}

/** How many words were spoken and are missing in the text, and how many of the text were not spoken. */
function compareWords(spoken: Spoken, text: string): { lost: number; added: number } {
  const left = new Map<string, number>()
  const written = wordsIn(text)
  for (const word of written) left.set(word, (left.get(word) ?? 0) + 1)
  const take = (word: string) => {
    const times = left.get(word) ?? 0
    left.set(word, Math.max(0, times - 1))
    return times > 0
  }
  const found = spoken.words.filter(take).length
  const foundLast = spoken.last.filter(take).length
  return { lost: spoken.words.length - found, added: written.length - found - foundLast }
}

/** Words that get lost, or come twice, on the way to a provider that listens. */
async function wordsBetween(recipe: Recipe, spoken: Spoken) {
  // Of the emulated engines, llama.cpp takes every model's name and every format.
  const engine = 'llama.cpp'
  const listening = await (recipe.api === 'dashscope'
    ? startDashscope({ ffmpeg })
    : startOpenAi({ ffmpeg, engine }))
  try {
    const { text } = await runOnce(recipe, { url: listening.url, apiKey: listening.apiKey ?? 'sk-bench' })
    return compareWords(spoken, text)
  } finally {
    await listening.close()
  }
}

/** The figures of this server and of a peer, in turn, beside a provider of this speed. */
async function compare(peer: Recipe, delay: ProviderDelay): Promise<Figure[]> {
  const provider = await startProvider(delay)
  const addresses = { dashscope: provider.url, openai: provider.openAiUrl }
  const pair = [ours, peer]
  const runs = pair.map((): CountedRun[] => [])
  for (let i = 0; i < repeats; i++)
    for (const [p, recipe] of pair.entries()) {
      provider.reset()
      const run = await runOnce(recipe, { url: addresses[recipe.api], apiKey: 'sk-bench' })
      runs[p]!.push({ ...run, requests: provider.requests.length })
    }
  provider.stop()
  const each = (figure: (run: CountedRun) => number) => runs.map(of => median(of.map(figure)))
  const memory = runs.map(of => of[0]!.memory && median(of.map(run => run.memory!)))
  const row = { unit: '', limit: undefined, digits: 0 }
  return [
    { ...row, what: titleOf(delay), values: each(({ seconds }) => seconds), unit: 's', digits: 2 },
    { ...row, what: 'peak memory of its own process', values: memory, unit: 'MB' },
    { ...row, what: 'requests', values: each(({ requests }) => requests) },
  ]
}

const titleOf = ({ baseMs, perSecondMs }: ProviderDelay) =>
  `${minutes} minutes, provider ${baseMs / 1000} s + ${perSecondMs} ms a second`

try {
  await makeRecording(ffmpeg, 60 * minutes, file)
  const spoken = await spokenWords()
  for (const peer of peers.filter(install)) {
    const figures: Figure[] = []
    for (const delay of delays) figures.push(...(await compare(peer, delay)))
    const words = [await wordsBetween(ours, spoken), await wordsBetween(peer, spoken)]
    const row = { unit: '', limit: undefined, digits: 0 }
    figures.push(
      { ...row, what: `words lost of ${spoken.words.length}`, values: words.map(({ lost }) => lost) },
      { ...row, what: 'words that nobody said', values: words.map(({ added }) => added) },
    )
    console.log(`\nspeech-mcp against ${peer.package}, median of ${repeats}\n\n${table(figures, peer.name)}`)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
