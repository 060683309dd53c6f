// Zeroes the cost of results that were served from cache. A plain read keeps the cost of the whole job.
import { type Formatting, roundToMs, type Transcript } from '../../domain/transcript.ts'

/** For a call that found the recording transcribed, or did not request a transcription. */
export function withCachedTranscription(transcript: Transcript): Transcript {
  const { audioSeconds, cachedSeconds, costUsd } = transcript.usage
  const usage = {
    audioSeconds: 0,
    cachedSeconds: roundToMs(audioSeconds + cachedSeconds),
    ...(costUsd !== undefined && { costUsd: 0 }),
  }
  return { ...transcript, usage }
}

/** For a call that found the text formatted. */
export function withCachedFormatting(transcript: Transcript): Transcript {
  const { formatted } = transcript
  return formatted ? { ...transcript, formatted: zeroFormattingCost(formatted) } : transcript
}

export function zeroFormattingCost<T extends Formatting>(formatting: T): T {
  const { costUsd } = formatting.usage
  const usage = { inputTokens: 0, outputTokens: 0, ...(costUsd !== undefined && { costUsd: 0 }) }
  return { ...formatting, usage }
}
