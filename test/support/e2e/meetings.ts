// A system whose stand-in hears whole files, and meetings to order of it: what was said by whom, and what it took.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { testFfmpeg } from '../audio/ffmpeg.ts'
import { fixture, type System, type SystemOptions, startSystem, type ToolAnswer, truth } from './system.ts'

export interface Meetings {
  system: System
  /** A recording of the meeting's first minute that no call before had. */
  recording(): Promise<string>
  diarize(audio: string, args?: Record<string, unknown>): Promise<ToolAnswer>
  /** The tasks that the work has submitted, and what it gives. */
  tasksOf<T>(work: () => Promise<T>): Promise<{ answer: T; tasks: { model: string; id: string }[] }>
  /** Names of what lies in the bucket, finished or not. */
  leftovers(): string[]
}

/** Ends between two sentences, after all three have spoken. */
export const meetingSeconds = 64.9

export async function startMeetings(options: SystemOptions = {}): Promise<Meetings> {
  const system = await startSystem({ bucket: true, ...options })
  await system.standin.warmUp()
  let made = 0
  return {
    system,
    async recording() {
      const file = join(system.folder, `meeting-${made++}.m4a`)
      const whole = ['-i', fixture('meeting.m4a'), '-t', String(meetingSeconds)]
      const args = ['-v', 'error', '-y', ...whole, '-c', 'copy', '-metadata', `title=${made}`, file]
      await promisify(execFile)(await testFfmpeg(), args)
      return file
    },
    diarize: (audio, args = {}) => system.call('diarize_audio', { audio, wait_seconds: 120, ...args }),
    async tasksOf(work) {
      const before = system.standin.tasks.length
      const answer = await work()
      return { answer, tasks: system.standin.tasks.slice(before) }
    },
    leftovers() {
      const { oss } = system.standin
      return oss ? [...oss.objects(), ...oss.unfinishedUploads()].map(({ key }) => key) : []
    },
  }
}

/** Who says what in the minute, as `S1: words` for each turn, in order. */
export function trueTurns(): string[] {
  const turns: { speaker: string; words: string[] }[] = []
  for (const { text, speaker, end } of truth('meeting').words) {
    if (end > meetingSeconds) break
    const open = turns.at(-1)
    if (open?.speaker === speaker) open.words.push(text)
    else turns.push({ speaker, words: [text] })
  }
  return turns.map(({ speaker, words }) => `${speaker}: ${words.join(' ')}`)
}

/** The same of a transcript's text, whose lines are `[mm:ss] S1: words`; lines of one speaker are one turn. */
export function turnsOf(text: string): string[] {
  const turns: string[] = []
  for (const line of text.split('\n')) {
    const found = /^\[[\d:]+\] ([^:]+): (.*)$/.exec(line)
    if (!found) continue
    const [, speaker, words] = found
    if (turns.at(-1)?.startsWith(`${speaker}: `)) turns.push(`${turns.pop()} ${words}`)
    else turns.push(`${speaker}: ${words}`)
  }
  return turns
}
