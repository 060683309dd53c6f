// Files with random gaps, starts, tracks and joins: every word is there, at the time at which a player sounds it.
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { startDashscope } from '../../emulators/dashscope/dashscope.ts'
import { build } from '../clocks/build.ts'
import { asHeard, type HeardTranscript, judge, judgeCues } from '../clocks/judge.ts'
import { drawPlan, type Plan, planOne } from '../clocks/plan.ts'
import { createReels, type Reels } from '../clocks/reels.ts'
import { callTool, request } from '../core/call.ts'
import type { Door } from '../core/door.ts'
import { createRandom } from '../core/random.ts'
import type { Round, Trial } from '../core/round.ts'
import { openStdio } from '../core/stdio.ts'

const abreast = 3
const warmUpTries = 100
const waitSeconds = 60

export const clocks: Round = {
  name: 'clocks',
  summary: 'files with random gaps, starts, tracks and joins: words, times, length (2,000; quick: 100)',
  async run(trial) {
    const { tally, ffmpeg, only: tries = { first: 0, count: trial.size(2000, 100) } } = trial
    const provider = await startDashscope({ ffmpeg, latency: { base: 0, perSecond: 0 } })
    await provider.warmUp()
    const home = trial.home('home', {
      provider: provider.url,
      env: { DASHSCOPE_API_KEY: provider.apiKey },
    })
    const reels = createReels(ffmpeg)
    const door = await openStdio({ env: home.env })
    const learn = createLearner(trial, door, reels, home.folder)
    const lates: number[] = []
    const end = tries.first + tries.count
    let next = tries.first
    async function tryAll(): Promise<void> {
      while (next < end && door.ended() === undefined) {
        const number = next++
        const draw = () => drawPlan(createRandom(trial.seed, `clocks ${number}`), reels)
        const first = draw()
        if (first) await learn(first)
        const plan = draw()
        if (plan) await tryFile(trial, door, plan, join(home.folder, String(number)), lates)
        if (number === tries.first + Math.min(warmUpTries, tries.count >> 1)) tally.warmedUp(door)
      }
    }
    await Promise.all(Array.from({ length: abreast }, tryAll))
    lates.sort((a, b) => a - b)
    const at = (share: number) => lates[Math.floor(share * (lates.length - 1))]?.toFixed(3)
    tally.note(`worst tenth of a file: ${at(0.5)} s at the median, ${at(0.95)} s at p95, ${at(1)} s at worst`)
    await tally.compare(door, home)
    await tally.end(door)
    await provider.close()
  },
}

/**
 * Learns how the utterances of a plan are heard in its codec where they stand alone, and how late their estimated times
 * are then, as that is no fault of the clock.
 */
function createLearner(trial: Trial, door: Door, reels: Reels, folder: string) {
  const learned = new Map<string, Promise<void>>()
  async function learnOne(codec: string, number: number): Promise<void> {
    const name = `${codec}-${number}`
    const { file, truth } = await build(planOne(reels, codec, number), join(folder, name), trial.ffmpeg)
    const heard = await transcribe(trial, door, file, {})
    if (typeof heard === 'string') throw new Error(`an utterance alone (${name}): ${heard}`)
    reels.reel(codec)!.learn(number, asHeard(heard.transcript, truth.tracks[0]!))
    await rm(file)
  }
  return async ({ codec, said }: Plan): Promise<void> => {
    for (const number of said) {
      const key = `${codec} ${number}`
      if (!learned.has(key)) learned.set(key, learnOne(codec, number))
      await learned.get(key)
    }
  }
}

async function tryFile(trial: Trial, door: Door, plan: Plan, base: string, lates: number[]): Promise<void> {
  const { tally, ffmpeg, keep } = trial
  await tally.attempt(`try ${basename(base)}, ${plan.name}`, async () => {
    const { file, truth } = await build(plan, base, ffmpeg)
    const faults: string[] = []
    try {
      const heard = await transcribe(trial, door, file, plan.args)
      if (typeof heard === 'string') faults.push(heard)
      else {
        const found = judge(heard.transcript, truth)
        lates.push(Math.abs(found.late))
        faults.push(...found.faults, ...judgeCues(heard.srt))
      }
      if (faults.length === 0) return undefined
      if (keep) {
        await mkdir(keep, { recursive: true })
        await copyFile(file, join(keep, basename(file)))
        await writeFile(join(keep, `${basename(file)}.json`), JSON.stringify({ faults, truth, heard }))
      }
      return faults.join('; ')
    } finally {
      await rm(file, { force: true })
    }
  })
}

/** The transcript and its subtitles; a text where there are none. */
async function transcribe(
  { tally }: Trial,
  door: Door,
  audio: string,
  more: Record<string, unknown>,
): Promise<{ transcript: HeardTranscript; srt: string } | string> {
  const args = { audio, timestamps: 'word', wait_seconds: waitSeconds, ...more }
  const { fault, isError, text, data } = await callTool(door, 'transcribe_audio', args, tally)
  if (fault !== undefined) return fault
  if (data.status === 'running')
    await callTool(door, 'cancel_transcription', { transcript_id: data.transcript_id })
  if (isError || data.status === 'running') return text.slice(0, 300)
  const [json, srt] = await Promise.all(
    ['json', 'srt'].map(async format => {
      const uri = `transcript://${data.transcript_id}/${format}`
      const { result, error } = await request(door, 'resources/read', { uri })
      if (error) throw new Error(`${uri} cannot be read: ${JSON.stringify(error)}`)
      return result?.contents?.[0]?.text as string
    }),
  )
  return { transcript: JSON.parse(json!), srt: srt! }
}
