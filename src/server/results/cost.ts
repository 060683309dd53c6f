// What a call says it has cost: nothing for what it found done. A reader who orders nothing is told of the work as a whole.
import { type Formatting, roundToMs, type Transcript } from '../../domain/transcript.ts'

/** For a call that found the recording heard, or has not asked for it to be heard. */
export function heardBefore(transcript: Transcript): Transcript {
  const { audioSeconds, cachedSeconds, costUsd } = transcript.usage
  const usage = {
    audioSeconds: 0,
    cachedSeconds: roundToMs(audioSeconds + cachedSeconds),
    ...(costUsd !== undefined && { costUsd: 0 }),
  }
  return { ...transcript, usage }
}

/** For a call that found the text formatted. */
export function formattedBefore(transcript: Transcript): Transcript {
  const { formatted } = transcript
  return formatted ? { ...transcript, formatted: writtenBefore(formatted) } : transcript
}

export function writtenBefore<T extends Formatting>(formatting: T): T {
  const { costUsd } = formatting.usage
  const usage = { inputTokens: 0, outputTokens: 0, ...(costUsd !== undefined && { costUsd: 0 }) }
  return { ...formatting, usage }
}
