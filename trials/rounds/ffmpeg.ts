// An ffmpeg that misbehaves: each call is answered in time, cancelling ends it with its children, and so does the end.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import { fixture } from '../../test/support/e2e/system.ts'
import { type Answer, callTool } from '../core/call.ts'
import type { Door } from '../core/door.ts'
import type { Home } from '../core/home.ts'
import { processesOf } from '../core/process-facts.ts'
import { startProvider } from '../core/provider.ts'
import type { Round, Trial } from '../core/round.ts'
import { openStdio } from '../core/stdio.ts'

interface Misbehaviour {
  name: string
  /** Body of a shell script; undefined: there is no file. */
  script: string | undefined
  mode?: number
  /** It never ends by itself. */
  hangs?: boolean
}

const ways: Misbehaviour[] = [
  { name: 'not there', script: undefined },
  { name: 'not executable', script: 'exit 0', mode: 0o644 },
  { name: 'exits at once', script: 'exit 1' },
  { name: 'ends well without output', script: 'exit 0' },
  { name: 'endless output', script: 'exec cat /dev/urandom' },
  { name: 'endless messages', script: 'exec yes error >&2', hangs: true },
  { name: 'garbage', script: 'head -c 300001 /dev/urandom' },
  { name: 'hangs silently', script: 'exec sleep 600', hangs: true },
  { name: 'hangs after some output', script: 'head -c 64000 /dev/zero; exec sleep 600', hangs: true },
  {
    name: 'ignores SIGTERM',
    script: "trap '' TERM INT HUP; while :; do sleep 1; done",
    hangs: true,
  },
  { name: 'its child holds the pipe', script: 'sleep 600 & exit 1' },
  { name: 'a wrapper whose child hangs', script: 'sleep 600; exit 0', hangs: true },
]

const abreast = pLimit(3)
const waitSeconds = 2
/** Time for children to end after their job was cancelled. */
const endTimeoutMs = 5000
/** An ffmpeg that brings nothing is ended after a minute; the job has failed by then. */
const hangTimeoutMs = 90_000

export const ffmpeg: Round = {
  name: 'ffmpeg',
  summary: `an ffmpeg that misbehaves in ${ways.length} ways, cancelled and left alone`,
  async run(trial) {
    if (process.platform === 'win32') return trial.tally.note('not tried: it needs shell scripts')
    await Promise.all(ways.map((way, i) => abreast(() => tryWay(trial, way, i))))
  },
}

async function tryWay(trial: Trial, { name, script, mode = 0o755, hangs = false }: Misbehaviour, i: number) {
  const { tally, quick } = trial
  const provider = await startProvider()
  const program = join(trial.folder, `ffmpeg-${i}`)
  if (script !== undefined) writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode })
  const home = trial.home(`home-${i}`, { provider: provider.url, ffmpeg: program })
  const door = await openStdio({ env: home.env })

  await tally.attempt(`${name}, cancelled`, async () => {
    const answer = await transcribe(trial, door, 'cancelled')
    if (answer.fault) return answer.fault
    if (answer.data.status !== 'running') return undefined
    const { fault } = await callTool(
      door,
      'cancel_transcription',
      { transcript_id: answer.data.transcript_id },
      tally,
    )
    return fault ?? childrenAfter(home, door)
  })
  if (hangs && !quick)
    await tally.attempt(`${name}, left alone`, async () => {
      const { data, fault, text } = await transcribe(trial, door, 'left alone')
      if (fault) return fault
      if (data.status !== 'running') return /FFMPEG/.test(text) ? undefined : `ended as ${text.slice(0, 200)}`
      return untilFailed(door, String(data.transcript_id))
    })
  await tally.attempt(`${name}, while the program ends`, async () => {
    await transcribe(trial, door, 'ended')
    if (!(await door.close())) return 'the program did not end'
    return childrenAfter(home, door)
  })
  if (hangs)
    await tally.attempt(`${name}, while the program is killed`, async () => {
      const killed = await openStdio({ env: home.env })
      await transcribe(trial, killed, 'killed')
      await killed.kill()
      return childrenAfter(home, killed)
    })
  await provider.close()
}

function transcribe({ tally }: Trial, door: Door, context: string): Promise<Answer> {
  const args = { audio: fixture('voice-note.ogg'), context, wait_seconds: waitSeconds }
  return callTool(door, 'transcribe_audio', args, tally)
}

async function untilFailed(door: Door, id: string): Promise<string | undefined> {
  const end = Date.now() + hangTimeoutMs
  while (Date.now() < end) {
    const { data, isError, text } = await callTool(door, 'get_transcript', {
      transcript_id: id,
      wait_seconds: 5,
    })
    if (data.status !== 'running' || isError)
      return /FFMPEG|failed/i.test(text) ? undefined : `ended as ${text.slice(0, 200)}`
  }
  return `still running after ${hangTimeoutMs / 1000} s`
}

/** Also finds children of children, which carry the home in their environment. */
async function childrenAfter({ folder }: Home, { pid }: Door): Promise<string | undefined> {
  const end = Date.now() + endTimeoutMs
  for (;;) {
    const left = processesOf(folder).filter(one => one.pid !== pid)
    if (left.length === 0) return undefined
    if (Date.now() > end) {
      for (const one of left) process.kill(one.pid, 'SIGKILL')
      return `children left: ${left.map(({ command }) => command).join(' | ')}`
    }
    await sleep(100)
  }
}
