// Encodes a whole recording to one MP3 while it is decoded, and detects speech on the way.
import type { Writable } from 'node:stream'
import type { Run } from '../../domain/run.ts'
import type { Span } from '../../domain/transcript.ts'
import { cut } from '../audio/cut/cut.ts'
import type { Decoding } from '../audio/decode.ts'
import { encoderError, startEncoder } from '../audio/encode.ts'
import type { LocateFfmpeg } from '../audio/ffmpeg.ts'

export interface Encoding {
  /** MP3 in buffers as they arrive; can be read once. Rejects with the error of the recording. */
  audio: AsyncIterable<Buffer>
  /** Detected speech, in seconds; complete once the audio was read. */
  speech: Span[]
}

/** The cutter detects the speech; its chunks are released at once, so their length only bounds its memory. */
const scanChunkSeconds = 60

/** Adds the spans of speech in a recording as they are detected, and calls `onSpeech`, which ends it by throwing. */
export async function detectSpeech(
  samples: AsyncIterable<Buffer>,
  speech: Span[],
  onSpeech = () => {},
): Promise<void> {
  for await (const chunk of cut(samples, { maxSeconds: scanChunkSeconds })) {
    speech.push(...chunk.speech)
    chunk.release()
    if (speech.length > 0) onSpeech()
  }
}

/** `onSamples` is awaited between buffers, and ends the encoding by rejecting. */
export function encodeWhole(
  decoding: Decoding,
  { ffmpeg, onSamples }: { ffmpeg: LocateFfmpeg; onSamples: () => Promise<void> },
  run: Run,
): Encoding {
  const speech: Span[] = []

  async function* feed(input: Writable): AsyncGenerator<Buffer> {
    // A pipe that closes early shows in the encoder's exit code.
    const closed = new Promise<void>(resolve => input.once('close', resolve))
    for await (const buffer of decoding.samples) {
      await onSamples()
      if (!input.write(buffer) && input.writable)
        await Promise.race([new Promise<void>(resolve => input.once('drain', resolve)), closed])
      yield buffer
    }
  }

  async function* audio(): AsyncGenerator<Buffer> {
    const process = startEncoder(await ffmpeg(), 'recording', run.signal)
    const feeding = detectSpeech(feed(process.stdin), speech).finally(() => process.stdin.end())
    feeding.catch(() => {})
    try {
      for await (const buffer of process.stdout) yield buffer
      await feeding
      const code = await process.ended
      run.signal.throwIfAborted()
      if (code !== 0) throw encoderError(process.stderr())
    } finally {
      process.kill()
      await feeding.catch(() => {})
    }
  }

  return { audio: audio(), speech }
}
