// A system whose emulator recognises whole files: recordings of a meeting, their reference turns, and task counts.
import { makeAudio } from '../audio/make-audio.ts'
import { fixture, type System, type SystemOptions, startSystem, type ToolAnswer, truth } from './system.ts'

export interface DiarizationSystem {
  system: System
  /** A new recording of the meeting's first half minute, not yet cached. */
  newRecording(): Promise<string>
  diarize(audio: string, args?: Record<string, unknown>): Promise<ToolAnswer>
  /** Runs the work; returns its result and the tasks submitted meanwhile. */
  tasksOf<T>(work: () => Promise<T>): Promise<{ answer: T; tasks: { model: string; id: string }[] }>
  /** Keys of the objects and unfinished uploads in the bucket. */
  bucketKeys(): string[]
}

/** Ends between two sentences, after all three speakers have spoken. */
export const recordingSeconds = 32.2

export async function startDiarizationSystem(options: SystemOptions = {}): Promise<DiarizationSystem> {
  const system = await startSystem({ bucket: true, ...options })
  await system.dashscope.warmUp()
  let made = 0
  return {
    system,
    newRecording: () => makeShortMeeting(system.folder, `meeting-${made++}`),
    diarize: (audio, args = {}) => system.call('diarize_audio', { audio, wait_seconds: 120, ...args }),
    async tasksOf(work) {
      const before = system.dashscope.tasks.length
      const answer = await work()
      return { answer, tasks: system.dashscope.tasks.slice(before) }
    },
    bucketKeys() {
      const { oss } = system.dashscope
      return oss ? [...oss.objects(), ...oss.unfinishedUploads()].map(({ key }) => key) : []
    },
  }
}

/** The first half minute of the meeting; another title makes another recording. */
export function makeShortMeeting(folder: string, title: string): Promise<string> {
  const whole = ['-i', fixture('meeting.m4a'), '-t', String(recordingSeconds)]
  return makeAudio(folder, `${title}.m4a`, [...whole, '-c', 'copy', '-metadata', `title=${title}`])
}

/** The reference turns of the recording, as `S1: words`, in order. */
export function expectedTurns(): string[] {
  const turns: { speaker: string; words: string[] }[] = []
  for (const { text, speaker, end } of truth('meeting').words) {
    if (end > recordingSeconds) break
    const open = turns.at(-1)
    if (open?.speaker === speaker) open.words.push(text)
    else turns.push({ speaker, words: [text] })
  }
  return turns.map(({ speaker, words }) => `${speaker}: ${words.join(' ')}`)
}

/** The turns of a transcript's text with lines `[mm:ss] S1: words`; adjacent lines of one speaker are one turn. */
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
