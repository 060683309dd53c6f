// Two hundred queries of the worst kinds among 20,000 transcripts: their times, and the longest event loop delay.
import { fileURLToPath } from 'node:url'
import { callTool } from '../core/call.ts'
import { milliseconds, percentile } from '../core/figures.ts'
import { commonWord, fillLibrary, makeDatabase, vocabulary } from '../core/library.ts'
import { startProvider } from '../core/provider.ts'
import type { Random } from '../core/random.ts'
import type { Round } from '../core/round.ts'
import { openStdio } from '../core/stdio.ts'

const queries = 200
const limits = { p99Seconds: 0.1, delayMs: 50 }
const monitor = fileURLToPath(new URL('../../bench/event-loop.mjs', import.meta.url))

export const search: Round = {
  name: 'search',
  summary: `${queries} queries of the worst kinds among 20,000 transcripts (quick: 2,000)`,
  async run({ tally, random, size, home: makeHome }) {
    const provider = await startProvider()
    const home = makeHome('home', { provider: provider.url })
    await makeDatabase(home)
    fillLibrary(home, { count: size(20_000, 2000) })
    const door = await openStdio({ env: home.env, node: ['--import', monitor] })
    await callTool(door, 'search_transcripts', { query: commonWord })
    tally.warmedUp(door)
    door.tell('reset')

    const times: { query: string; seconds: number }[] = []
    for (let i = 0; i < queries; i++) {
      const query = worstKinds[i % worstKinds.length]!(random).slice(0, 500)
      await tally.attempt(`query ${i} "${query.slice(0, 60)}"`, async () => {
        const { fault, seconds } = await callTool(
          door,
          'search_transcripts',
          { query, limit: random.pick([10, 25]) },
          tally,
        )
        times.push({ query, seconds })
        return fault
      })
    }
    door.tell('report')
    const { max } = (await door.report()) as { max: number }
    const seconds = times.map(time => time.seconds)
    const [p50, p99] = [percentile(seconds, 0.5), percentile(seconds, 0.99)]
    const slowest = times.sort((a, b) => b.seconds - a.seconds)[0]
    tally.note(`p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}, event loop at most ${Math.round(max)} ms`)
    tally.note(`slowest: "${slowest?.query.slice(0, 80)}", ${milliseconds(slowest?.seconds ?? 0)}`)
    if (p99 > limits.p99Seconds)
      tally.fail(`p99 ${milliseconds(p99)}, limit ${milliseconds(limits.p99Seconds)}`)
    if (max > limits.delayMs)
      tally.fail(`event loop delayed by ${Math.round(max)} ms, limit ${limits.delayMs} ms`)
    await tally.compare(door, home)
    await tally.end(door)
    await provider.close()
  },
}

const words = (random: Random, count: number) =>
  Array.from({ length: count }, () => random.pick(vocabulary)).join(' ')
const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'

const worstKinds: ((random: Random) => string)[] = [
  () => commonWord,
  random => `${commonWord} ${random.pick(vocabulary)}`,
  () => `${commonWord} zzzzzz`,
  () => 'meeting',
  () => 'w',
  random => random.pick([...letters]),
  random => Array.from({ length: 100 }, () => random.pick([...letters])).join(' '),
  random => words(random, 2),
  random => words(random, 100),
  random => `"${words(random, 2)}"`,
  random => `"${commonWord} ${random.pick(vocabulary)}"`,
  random => `"${words(random, 12)}" "${words(random, 6)}"`,
  () => `"${'w '.repeat(200)}"`,
  () => `"${commonWord}`,
  () => '"" "" ""',
  random => random.pick(vocabulary).slice(0, 2),
  () => '预算会议下个季度的预算',
  () => '会 议 预 算 的',
  () => 'бюджет на следующий квартал',
  random => `${words(random, 3)} NOT OR AND NEAR( * ^ :`,
  () => 'ééé ñ ß ﬁ',
  () => `${commonWord} `.repeat(60),
]
