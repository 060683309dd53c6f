// Finds answers that repeat the context: models of the family do so on silence (QwenLM/Qwen3-ASR #106).
import { formatTime } from '../../domain/format-time.ts'
import { tokens } from '../../domain/tokens.ts'
import { type Span, secondsOf } from '../../domain/transcript.ts'

/** The words of a context that somebody says take longer than this each. */
const minSecondsPerWord = 0.15
const maxNamedTimes = 5

/** True where the text is a stretch of the context, and the speech is too short to say it. */
export function isEcho(text: string, context: string | undefined, speech: Span[]): boolean {
  if (!context) return false
  const words = keysOf(text)
  const spokenSeconds = secondsOf(speech)
  if (words.length === 0 || spokenSeconds >= words.length * minSecondsPerWord) return false
  return ` ${keysOf(context).join(' ')} `.includes(` ${words.join(' ')} `)
}

/** A quiet answer may be lost with an echo, so the reader gets the times, in seconds; at least one. */
export function echoWarning(starts: number[]): string {
  const named = starts.slice(0, maxNamedTimes).map(formatTime).join(', ')
  const more = starts.length > maxNamedTimes ? ` and ${starts.length - maxNamedTimes} more times` : ''
  return `Left out at ${named}${more}: text that repeats the context over silence.`
}

function keysOf(text: string): string[] {
  return tokens(text).map(({ key }) => key)
}
