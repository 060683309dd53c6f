// transcribe_audio with an MCP client, the built server, the emulated cloud and the fixture recordings.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixture, plainWords, type System, startSystem, truth, truthText } from '../../support/e2e/system.ts'

let system: System

beforeAll(async () => {
  system = await startSystem()
})
afterAll(() => system.close())

async function words(id: string): Promise<string> {
  const { contents } = await system.client.readResource({ uri: `transcript://${id}/txt` })
  return plainWords((contents[0] as { text: string }).text)
}

describe('transcribe_audio', () => {
  it.each([
    ['voice-note', 'voice-note.ogg'],
    ['interview', 'interview.mp3'],
    ['meeting', 'meeting.m4a'],
    ['clip', 'clip.mp4'],
    ['russian', 'russian.flac'],
    ['chinese', 'chinese.flac'],
    ['jfk', 'jfk.wav'],
  ])('transcribe_audio returns every word of %s once', async (name, file) => {
    const { data, isError, text } = await system.call('transcribe_audio', { audio: fixture(file) })
    expect(isError, text).toBe(false)
    expect(await words(data.transcript_id)).toBe(plainWords(truthText(truth(name))))
    expect(data).toMatchObject({ status: 'completed', language: truth(name).language, warnings: [] })
    expect(data.duration).toBeCloseTo(truth(name).duration, 1)
    expect(data.coverage.gaps).toEqual([])
    expect(data.coverage.transcribed_seconds).toBe(data.coverage.speech_seconds)
  })
})
