// Hears a file once for all tasks that name it: what was fetched twice is decoded and listened to once.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Known } from '../../audio-matching/library.ts'
import { listenToFile, NotAudio, TooLong } from '../../audio-matching/whole.ts'
import { type FileSource, fetchFile, TaskFailure } from './fetch-file.ts'
import type { HeardChannel } from './result-file.ts'

export interface Ears extends FileSource {
  ffmpeg: string
  maxSeconds: number
  library(): Promise<Known[]>
}

const KEPT = 30

export function createEars(ears: Ears, signal: AbortSignal) {
  const heard = new Map<string, Promise<HeardChannel[]>>()

  /** Rejects with a `TaskFailure` where the file cannot be had or heard. */
  return async function hear(url: string, model: string, channels: number[]): Promise<HeardChannel[]> {
    const folder = await mkdtemp(path.join(tmpdir(), 'standin-task-'))
    try {
      const file = path.join(folder, 'audio')
      const hash = await fetchFile({ url, model }, file, ears, signal)
      const key = `${hash} ${channels.join()}`
      const listening = heard.get(key) ?? listen(file, channels, ears, signal)
      heard.set(key, listening)
      // What failed may have failed for lack of time or room.
      listening.catch(() => heard.delete(key))
      if (heard.size > KEPT) heard.delete([...heard.keys()][0]!)
      return await listening
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function listen(
  file: string,
  channels: number[],
  ears: Ears,
  signal: AbortSignal,
): Promise<HeardChannel[]> {
  const known = await ears.library()
  try {
    const all: HeardChannel[] = []
    for (const channel of channels) {
      all.push({ channel, ...(await listenToFile(file, channel, known, ears, signal)) })
    }
    return all
  } catch (error) {
    if (error instanceof NotAudio) throw new TaskFailure('DECODE_ERROR')
    if (error instanceof TooLong) throw new TaskFailure('AUDIO_DURATION_TOO_LONG')
    throw error
  }
}
