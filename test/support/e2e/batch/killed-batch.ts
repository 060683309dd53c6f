// A batch of short recordings at a terminal, killed several times; then it runs to its end.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Terminal } from '../terminal.ts'
import { checkpointed } from './checkpointed.ts'

export interface KilledBatch {
  /** Output of the last run for each recording. */
  results: { status: string; transcript_id: string; files: string[]; cost_usd: number }[]
  exitCode: number | null
  /** Requests that the provider billed in all runs. */
  billed: number
  /** Requests whose audio was sent before. */
  sentAgain: number
  /** For each kill, the requests whose answer the process had not stored: only these may be sent again. */
  unstored: number[]
  /** Most memory of a process of the command, in MB, where the system tells. */
  peakMb: number
  kills: number
}

export interface KillPlan {
  kills: number
  signals: NodeJS.Signals[]
  /** Numbers from 0 to 1. */
  random(): number
  /** Most billed requests of a run before it is killed. */
  maxBilled: number
}

/** `folder`: recordings; texts go into `out`. */
export async function runKilledBatch(
  terminal: Terminal,
  { folder, out }: { folder: string; out: string },
  { kills, signals, random, maxBilled }: KillPlan,
): Promise<KilledBatch> {
  const args = ['transcribe', folder, '--recursive', '--yes', '--json', '--out', out]
  const billed = () => terminal.dashscope.bill().entries.length
  const from = billed()
  let peakMb = 0
  let done = 0
  const unstored: number[] = []
  const { requests } = terminal.dashscope
  const fromRequest = requests.length
  const fromStored = checkpointed(terminal.env.SPEECH_DATA_DIR!).length
  const sent = () => requests.slice(fromRequest).flatMap(({ audioHash }) => audioHash ?? [])
  for (let i = 0; i < kills; i++) {
    const { child, result } = terminal.start(args)
    const target = billed() + Math.floor(random() * maxBilled)
    const exited = once(child, 'exit')
    while (child.exitCode === null && billed() < target) {
      peakMb = Math.max(peakMb, peakOf(child.pid))
      await sleep(5)
    }
    await Promise.race([sleep(random() * 120), exited])
    const isKilled = child.exitCode === null
    child.kill(signals[i % signals.length])
    await result
    if (!isKilled) continue
    done++
    while (terminal.dashscope.inFlight() > 0) await sleep(20)
    const stored = checkpointed(terminal.env.SPEECH_DATA_DIR!).length - fromStored
    unstored.push(new Set(sent()).size - stored)
  }
  const { child, result } = terminal.start(args)
  const watch = setInterval(() => {
    peakMb = Math.max(peakMb, peakOf(child.pid))
  }, 50)
  const { code, stdout, stderr } = await result
  clearInterval(watch)
  const events = stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
  if (events.at(-1)?.event !== 'end') throw new Error(`The batch did not end: ${stderr}`)
  return {
    results: events.filter(({ event }) => event === 'recording'),
    exitCode: code,
    sentAgain: sent().length - new Set(sent()).size,
    unstored,
    billed: billed() - from,
    peakMb,
    kills: done,
  }
}

function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}
