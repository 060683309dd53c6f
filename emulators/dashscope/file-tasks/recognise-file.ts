// Recognises the files of tasks, and caches results by content: a file that is downloaded twice is decoded once.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Recording } from '../../audio-matching/library.ts'
import { NotAudioError, recogniseFile, TooLongError } from '../../audio-matching/match-file.ts'
import { type FileSource, fetchFile, TaskFailure } from './fetch-file.ts'
import type { RecognisedChannel } from './result-file.ts'

export interface FileRecogniserOptions extends FileSource {
  ffmpeg: string
  maxSeconds: number
  library(): Promise<Recording[]>
}

const maxCachedFiles = 30

export function createFileRecogniser(options: FileRecogniserOptions, signal: AbortSignal) {
  const cache = new Map<string, Promise<RecognisedChannel[]>>()

  /** Rejects with a `TaskFailure` if the file cannot be downloaded or decoded. */
  return async function recogniseTaskFile(
    url: string,
    model: string,
    channels: number[],
  ): Promise<RecognisedChannel[]> {
    const folder = await mkdtemp(path.join(tmpdir(), 'dashscope-emulator-task-'))
    try {
      const file = path.join(folder, 'audio')
      const hash = await fetchFile({ url, model }, file, options, signal)
      const key = `${hash} ${channels.join()}`
      const recognising = cache.get(key) ?? recogniseChannels(file, channels, options, signal)
      cache.set(key, recognising)
      // Not cached: the cause may have been a timeout or a full disk.
      recognising.catch(() => cache.delete(key))
      if (cache.size > maxCachedFiles) cache.delete([...cache.keys()][0]!)
      return await recognising
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function recogniseChannels(
  file: string,
  channels: number[],
  options: FileRecogniserOptions,
  signal: AbortSignal,
): Promise<RecognisedChannel[]> {
  const recordings = await options.library()
  try {
    const all: RecognisedChannel[] = []
    for (const channel of channels) {
      all.push({ channel, ...(await recogniseFile(file, channel, recordings, options, signal)) })
    }
    return all
  } catch (error) {
    if (error instanceof NotAudioError) throw new TaskFailure('DECODE_ERROR')
    if (error instanceof TooLongError) throw new TaskFailure('AUDIO_DURATION_TOO_LONG')
    throw error
  }
}
