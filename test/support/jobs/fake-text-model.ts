// A text model for tests: it writes what it was given with a capital and a full stop, when and as the test says.
import type { TextAnswer, TextModel } from '../../../src/domain/text-model.ts'

export interface FakeTextModel extends TextModel {
  /** The texts that it was requests for, in order. */
  requests: string[]
  /** How many requests were stopped. */
  stopped(): number
}

export interface FakeTextModelOptions {
  /** Called before the answer to a text: it may wait, or throw. The first request has the number 0. */
  before?: (text: string, n: number) => Promise<unknown>
  /** How many requests may be under way at once. */
  concurrency?: number
}

export function fakeTextModel({
  before = async () => {},
  concurrency = 4,
}: FakeTextModelOptions = {}): FakeTextModel {
  const requests: string[] = []
  let stopped = 0
  return {
    requests,
    concurrency,
    models: ['quill'],
    stopped: () => stopped,
    async generate({ user }, { signal, onAccepted }): Promise<TextAnswer> {
      const text = textIn(user)
      const n = requests.push(text) - 1
      let leave = () => {}
      const left = new Promise<never>((_, reject) => {
        leave = () => reject(signal.reason)
        signal.addEventListener('abort', leave)
      })
      try {
        signal.throwIfAborted()
        onAccepted?.()
        await Promise.race([before(text, n), left])
      } catch (error) {
        if (signal.aborted) stopped++
        throw error
      } finally {
        signal.removeEventListener('abort', leave)
      }
      const usage = { inputTokens: text.length, outputTokens: text.length }
      return { text: written(text), whole: true, model: 'quill', usage, costUsd: 0.001 }
    },
  }
}

/** The formatted text that the fake model returns. */
export function written(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** The text to work on stands in the last pair of tags. */
function textIn(user: string): string {
  const pairs = [...user.matchAll(/^<([\w-]+)>\n([\s\S]*?)\n<\/\1>$/gm)]
  return pairs.at(-1)?.[2] ?? user
}
