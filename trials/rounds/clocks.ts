// Files with random gaps, starts, tracks and joins: every word is there, at the time at which a player sounds it.
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import pLimit from 'p-limit'
import { startDashscope } from '../../emulators/dashscope/dashscope.ts'
import { build, type Truth, type Voice } from '../clocks/build.ts'
import { writeControl } from '../clocks/control.ts'
import { type ControlledWord, controlled, type HeardTranscript, judge, judgeCues } from '../clocks/judge.ts'
import { allInTurn, drawPlan, endOf, type Plan } from '../clocks/plan.ts'
import { createReels, shifted } from '../clocks/reels.ts'
import { callTool, request } from '../core/call.ts'
import type { Door } from '../core/door.ts'
import { createRandom } from '../core/random.ts'
import type { Round, Trial } from '../core/round.ts'
import { openStdio } from '../core/stdio.ts'

const abreast = 2
const warmUpTries = 100
const waitSeconds = 60
/** Seconds by which a control is moved: a soft letter is heard in some windows of the emulator, and not in others. */
const phases = [0, 0.004, 0.016, 0.024]

interface Heard {
  transcript: HeardTranscript
  srt: string
}

interface Verdict {
  faults: string[]
  /** Where they were needed. */
  controls?: ControlledWord[][]
}

export const clocks: Round = {
  name: 'clocks',
  summary: 'files with random gaps, starts, tracks and joins: words, times, length (2,000; quick: 100)',
  async run(trial) {
    const { tally, maker, keep, only: tries = { first: 0, count: trial.size(2000, 100) } } = trial
    const provider = await startDashscope({ ffmpeg: maker, latency: { base: 0, perSecond: 0 } })
    await provider.warmUp()
    const home = trial.home('home', {
      provider: provider.url,
      env: { DASHSCOPE_API_KEY: provider.apiKey },
    })
    const reels = createReels(maker)
    const door = await openStdio({ env: home.env })
    const all = allInTurn(reels)
    const known = await hearControl(all, endOf(all) + 1, join(home.folder, 'all'))
    if (typeof known === 'string') throw new Error(known)
    reels.learn(known)
    const lates: number[] = []
    let compared = 0
    const end = tries.first + tries.count
    let next = tries.first
    async function tryAll(): Promise<void> {
      while (next < end && door.ended() === undefined) {
        const number = next++
        const plan = drawPlan(createRandom(trial.seed, `clocks ${number}`), reels)
        if (plan) await tryFile(plan, join(home.folder, String(number)))
        if (number === tries.first + Math.min(warmUpTries, tries.count >> 1)) tally.warmedUp(door)
      }
    }

    async function tryFile(plan: Plan, base: string): Promise<void> {
      await tally.attempt(`try ${basename(base)}, ${plan.name}`, async () => {
        const { file, truth } = await build(plan, base, maker)
        try {
          const heard = await transcribe(trial, door, file, plan.args)
          const verdict =
            typeof heard === 'string' ? { faults: [heard] } : await verdictOf(heard, truth, base)
          if (verdict.faults.length === 0) return undefined
          if (keep) await keepFile(keep, file, { ...verdict, heard, ...truth })
          return verdict.faults.join('; ')
        } finally {
          await rm(file, { force: true })
        }
      })
    }

    async function verdictOf({ transcript, srt }: Heard, truth: Truth, base: string): Promise<Verdict> {
      const backward = judgeCues(srt)
      const plain = judge(transcript, truth)
      if (plain.faults.length === 0) {
        lates.push(Math.abs(plain.late))
        return { faults: backward }
      }
      const controls: ControlledWord[][] = []
      for (const voice of truth.voices) {
        const control = await hearControls(voice, truth.seconds, base)
        if (typeof control === 'string') return { faults: [...plain.faults, ...backward, control] }
        controls.push(control)
      }
      compared++
      const { faults, late } = judge(transcript, truth, controls)
      lates.push(Math.abs(late))
      return { faults: [...faults, ...backward], controls }
    }

    async function hearControl(voice: Voice, seconds: number, base: string) {
      const file = `${base}.control.wav`
      await writeControl(voice, seconds, file, trial.ffmpeg)
      const heard = await transcribe(trial, door, file, {})
      await rm(file)
      return typeof heard === 'string' ? `control: ${heard}` : controlled(voice.words, heard.transcript)
    }

    /** Of each word, the letters that are heard wherever the windows of the emulator fall. */
    async function hearControls(voice: Voice, seconds: number, base: string) {
      const [first, ...others] = await pLimit(1).map(phases, phase =>
        hearControl(movedBy(phase, voice), seconds + phase, base),
      )
      if (typeof first === 'string') return first!
      return first!.map((word, i) => {
        const letters = others.flatMap(other =>
          typeof other === 'string' ? [] : (other[i]?.heardLetters ?? []),
        )
        return { ...word, heardLetters: Math.min(word.heardLetters ?? 0, ...letters) }
      })
    }

    await Promise.all(Array.from({ length: abreast }, tryAll))
    lates.sort((a, b) => a - b)
    const at = (share: number) => lates[Math.floor(share * (lates.length - 1))]?.toFixed(3)
    tally.note(`worst tenth of a file: ${at(0.5)} s at the median, ${at(0.95)} s at p95, ${at(1)} s at worst`)
    tally.note(`${compared} files were compared with controls`)
    await tally.compare(door, home)
    await tally.end(door)
    await provider.close()
  },
}

function movedBy(seconds: number, { entry, words, packets }: Voice): Voice {
  return {
    entry,
    words: words.map(word => shifted(word, seconds)),
    packets: packets.map(packet => shifted(packet, seconds)),
  }
}

async function keepFile(folder: string, file: string, told: Record<string, unknown>): Promise<void> {
  await mkdir(folder, { recursive: true })
  await copyFile(file, join(folder, basename(file)))
  const isBinary = (key: string) => key === 'packets' || key === 'entry'
  const text = JSON.stringify(told, (key, value) => (isBinary(key) ? undefined : value))
  await writeFile(join(folder, `${basename(file)}.json`), text)
}

/** The transcript and its subtitles; a text where there are none. */
async function transcribe(
  { tally }: Trial,
  door: Door,
  audio: string,
  more: Record<string, unknown>,
): Promise<Heard | string> {
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
