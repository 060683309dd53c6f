// The peaks of a whole recording, for a picture of its sound.
import type { PipelineRequest } from '../../domain/job.ts'
import { sampleRate } from '../audio/activity.ts'
import { decode } from '../audio/decode.ts'
import type { SourceRun } from '../source/source.ts'
import { type HeardPorts, type KnownVoices, openHeard, silentRun } from './open-heard.ts'

/** More than a page is wide. */
const maxPeaks = 1000
/** Shorter stretches show single waves of the sound. */
const minSeconds = 0.02
const fullScale = 32_768

/**
 * Resolves with the highest sample of each of up to a thousand equal stretches, from 0 to 255; that of the loudest voice
 * where several are heard apart. `duration`: seconds of the transcript. Throws as `makeClip` does.
 */
export async function makePeaks(
  request: PipelineRequest,
  duration: number,
  ports: HeardPorts,
  given: SourceRun,
  known: KnownVoices,
): Promise<number[]> {
  const run = silentRun(given)
  const { source, voices } = await openHeard(request, ports, run, known)
  const count = Math.max(1, Math.min(maxPeaks, Math.floor(duration / minSeconds)))
  const highest = createPeaks(count, Math.max(1, Math.round(duration * sampleRate)))
  for (const voice of voices) {
    const part = { start: 0, end: duration }
    const { samples } = decode({ ...source, voice }, ports.ffmpeg, run, { part, urgency: 'long' })
    let at = 0
    for await (const buffer of samples) {
      highest.add(at, buffer)
      at += buffer.length >> 1
    }
  }
  return highest.peaks()
}

/** `total` samples, in `count` stretches. */
export function createPeaks(count: number, total: number) {
  const peaks = new Uint16Array(count)
  return {
    /** Samples from a number on: 16-bit little-endian. */
    add(first: number, buffer: Buffer): void {
      // Samples of an odd address cannot be read as numbers.
      const { buffer: memory, byteOffset, length } = buffer.byteOffset & 1 ? Buffer.from(buffer) : buffer
      const samples = new Int16Array(memory, byteOffset, length >> 1)
      for (let at = 0; at < samples.length; ) {
        const stretch = Math.min(count - 1, Math.floor(((first + at) * count) / total))
        const behind =
          stretch === count - 1 ? samples.length : Math.ceil(((stretch + 1) * total) / count) - first
        const end = Math.max(at + 1, Math.min(samples.length, behind))
        let peak = peaks[stretch]!
        for (; at < end; at++) {
          const sample = samples[at]!
          const height = sample < 0 ? -sample : sample
          if (height > peak) peak = height
        }
        peaks[stretch] = peak
      }
    },
    peaks: () => Array.from(peaks, peak => Math.min(255, Math.round((peak * 255) / fullScale))),
  }
}
