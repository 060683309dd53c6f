// Recognition of chunks by a server that has file tasks alone: each chunk is uploaded as a file of its own.
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { SpeechError } from '../../domain/errors.ts'
import type { Model } from '../../domain/models/model.ts'
import { deadlines } from '../../domain/network/deadlines.ts'
import type {
  FileRecogniser,
  FileRecognition,
  ObjectStorage,
  Recogniser,
  Recognition,
} from '../../domain/ports.ts'
import { joinText } from '../../domain/text.ts'

export interface ChunkTaskOptions {
  storage: ObjectStorage
  pollSeconds: number
}

const limits = { maxSeconds: 150, minSeconds: 1 }
const urlSeconds = 2 * deadlines.chunkTask.totalSeconds
const deleteTimeoutMs = 5_000

export function chunkTasks(
  tasks: FileRecogniser,
  { storage, pollSeconds }: ChunkTaskOptions,
  { model, concurrency }: { model: Model; concurrency: number },
): Recogniser {
  async function ended(task: string, signal: AbortSignal): Promise<FileRecognition> {
    const until = performance.now() + deadlines.chunkTask.totalSeconds * 1000
    while (performance.now() < until) {
      await sleep(pollSeconds * 1000, undefined, { signal })
      const status = await tasks.status(task, signal)
      if (status.state === 'done') return status.recognition
      if (status.state === 'failed') throw status.error
    }
    throw new SpeechError('TASK_TIMEOUT', 'The server did not finish a chunk in ten minutes.', {
      hint: 'Call again, or lower SPEECH_CONCURRENCY.',
    })
  }

  return {
    model: model.name,
    limits: {
      ...limits,
      maxSeconds: Math.min(model.maxSeconds ?? limits.maxSeconds, limits.maxSeconds),
      concurrency,
    },
    ...(tasks.usdPerSecond !== undefined && { usdPerSecond: tasks.usdPerSecond }),
    async recognise({ audio, language, context }, signal) {
      const of = { owner: 'chunks', job: randomUUID(), models: [model.name], scratch: async () => tmpdir() }
      const upload = await storage.upload(once(audio), of, signal)
      try {
        const url = await storage.signedUrl(upload, model.name, urlSeconds, signal)
        return read(await ended(await tasks.submit({ url, language, context }, signal), signal))
      } finally {
        await storage.delete(upload, AbortSignal.timeout(deleteTimeoutMs)).catch(() => {})
      }
    },
  }
}

async function* once(audio: Buffer) {
  yield audio
}

/** Each sentence is a stretch of the text with its times. */
function read({ sentences }: FileRecognition): Recognition {
  let text = ''
  const starts = sentences.map(sentence => {
    const joined = joinText(text, sentence.text)
    const start = joined.length - sentence.text.trim().length
    text = joined
    return start
  })
  const language = sentences.find(sentence => sentence.language)?.language
  const segments = sentences.map(({ start, end }, i) => ({
    start,
    end,
    text: text.slice(i === 0 ? 0 : starts[i], starts[i + 1]),
  }))
  return { text, ...(language && { language }), ...(segments.length > 0 && { segments }) }
}
