// Shared by the tests of result files: reading one through a recogniser, and words and sentences as the provider sends them.

import { expect } from 'vitest'
import { knownModels } from '../../../src/domain/models/catalog.ts'
import type { FileRecognition, RecognisedSentence } from '../../../src/domain/ports.ts'
import { fileAsr } from '../../../src/drivers/asr/file-asr/file-asr.ts'
import { never } from './dashscope-client.ts'
import { listTask } from './task-server.ts'

/** The recognition of a finished task that has this result file. */
export async function readResultOf(
  result: unknown,
  task: object = listTask('http://127.0.0.1/r'),
): Promise<FileRecognition> {
  const recogniser = fileAsr({
    cloud: {
      baseUrl: 'http://127.0.0.1/api/v1',
      missingKey: () => undefined,
      clockAheadMs: () => 0,
      call: async () => task,
    },
    http: { fetchText: async () => ({ status: 200, text: JSON.stringify(result) }) },
    model: knownModels.find('fun-asr', 'speakers'),
    role: 'speakers',
  })
  const status = await recogniser.status('t', never)
  if (status.state !== 'done') throw new Error(JSON.stringify(status))
  return status.recognition
}

export interface RawWord {
  begin_time?: unknown
  end_time?: unknown
  text?: unknown
  punctuation?: unknown
  speaker_id?: unknown
}

export const word = (text: string, begin_time?: number, end_time?: number, more: RawWord = {}): RawWord => ({
  text,
  begin_time,
  end_time,
  punctuation: '',
  ...more,
})

export async function sentences(...all: object[]): Promise<RecognisedSentence[]> {
  return (await readResultOf({ transcripts: [{ channel_id: 0, text: 'x', sentences: all }] })).sentences
}

export async function words(given: RawWord[], sentence: object = {}): Promise<RecognisedSentence['words']> {
  const [only, ...others] = await sentences({ begin_time: 0, end_time: 10_000, words: given, ...sentence })
  expect(others).toEqual([])
  return only!.words
}
