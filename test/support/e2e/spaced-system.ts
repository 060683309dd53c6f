// A system with a recording of passages to order: fresh orders of it, what they must say, and how many requests they take.
import { makeSpacedRecording, type SpacedRecording } from '../audio/spaced-recording.ts'
import { plainWords, type System, startSystem, type ToolAnswer } from './system.ts'

export interface Ordering {
  system: System
  passages: SpacedRecording
  /** All that is said in the recording. */
  allWords: string
  transcribe(args: Record<string, unknown>): Promise<ToolAnswer>
  /** What a transcript says, without times. */
  words(id: string): Promise<string>
  /** What the work gives, and how many requests the stand-in had meanwhile. */
  requestsOf<T>(work: () => Promise<T>): Promise<{ answer: T; requests: number }>
}

export async function startOrdering(count: number): Promise<Ordering> {
  const system = await startSystem()
  await system.standin.warmUp()
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
      const before = system.standin.requests.length
      const answer = await work()
      return { answer, requests: system.standin.requests.length - before }
    },
  }
}

let orders = 0

/** A context that no call before had makes an order of its own, with chunks of its own. */
export function unheard(): { context: string } {
  return { context: `run ${orders++}` }
}
