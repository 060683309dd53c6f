// Models of file recognition: what each one delivers, and what it costs.
import { describe, expect, it } from 'vitest'
import type { FileRole } from '../../../../../src/drivers/asr/file-asr/requests.ts'
import { createHttpClient } from '../../../../../src/drivers/http/http.ts'
import { fileRecogniserOf, type RecogniserOptions } from '../../../../support/servers/file-recogniser.ts'

const http = createHttpClient({ connections: 1 })
const recogniser = (options: Partial<RecogniserOptions>) =>
  fileRecogniserOf({ http, baseUrl: 'http://127.0.0.1:1', ...options })

describe('a model', () => {
  it.each<[string, FileRole, boolean, boolean]>([
    ['fun-asr-mtl', 'speakers', false, true],
    ['fun-asr', 'speakers', false, true],
    ['fun-asr-2025-11-07', 'speakers', false, true],
    ['fun-asr', 'words', true, false],
    ['qwen3-asr-flash-filetrans', 'words', true, false],
    ['qwen3-asr-flash-filetrans', 'speakers', true, false],
    ['qwen-audio-3.0-asr-flash-filetrans', 'speakers', true, true],
    ['qwen-audio-3.1-asr-flash-filetrans', 'words', true, true],
    ['who-knows', 'speakers', false, true],
    ['who-knows', 'words', true, false],
  ])('%s for %s delivers text: %s, speakers: %s', (model, role, text, speakers) => {
    const { capabilities, limits } = recogniser({ model, role })
    expect({ capabilities, limits }).toEqual({
      capabilities: { text, speakers },
      limits: { maxSeconds: 43_200, maxBytes: 2_147_483_648 },
    })
  })

  it.each([
    'fun-asr-mtl',
    'fun-asr',
    'qwen3-asr-flash-filetrans',
    'qwen-audio-3.0-asr-flash-filetrans',
    'qwen-audio-3.1-asr-flash-filetrans',
  ])('%s and its snapshots have the same price', model => {
    const price = recogniser({ model }).usdPerSecond
    expect(price).toBeGreaterThan(0)
    expect(recogniser({ model: `${model}-2026-02-10` }).usdPerSecond).toBe(price)
    expect(recogniser({ model: `${model}-us` })).not.toHaveProperty('usdPerSecond')
  })

  it('an unknown model has no price', () => {
    expect(recogniser({ model: 'who-knows' })).not.toHaveProperty('usdPerSecond')
  })
})
