// A system with a spaced recording of passages: uncached requests for it, the expected words, and request counts.
import { makeSpacedRecording, type SpacedRecording } from '../audio/spaced-recording.ts'
import { plainWords, type System, startSystem, type ToolAnswer } from './system.ts'

export interface SpacedSystem {
  system: System
  passages: SpacedRecording
  /** All that is said in the recording. */
  allWords: string
  transcribe(args: Record<string, unknown>): Promise<ToolAnswer>
  /** The words of a transcript, without times. */
  words(id: string): Promise<string>
  /** Runs the work; returns its result and the number of requests to the emulator meanwhile. */
  requestsOf<T>(work: () => Promise<T>): Promise<{ answer: T; requests: number }>
}

export async function startSpacedSystem(count: number): Promise<SpacedSystem> {
  const system = await startSystem()
  await system.dashscope.warmUp()
  const passages = await makeSpacedRecording(system.folder, count)
  return {
    system,
    passages,
    allWords: plainWords(passages.texts.join(' ')),
    transcribe: args => system.call('transcribe_audio', { audio: passages.file, ...args }),
    async words(id) {
      const { contents } = await system.client.readResource({ uri: `transcript://${id}/txt` })
      return plainWords((contents[0] as { text: string }).text)
    },
    async requestsOf(work) {
      const before = system.dashscope.requests.length
      const answer = await work()
      return { answer, requests: system.dashscope.requests.length - before }
    },
  }
}

let count = 0

/** Options with a new context: they make a new job with uncached chunks. */
export function uncachedOptions(): { context: string } {
  return { context: `run ${count++}` }
}
