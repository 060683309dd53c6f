// The catalogue of models: tables, families, assumptions, and descriptions of a user.
import { describe, expect, it } from 'vitest'
import { createModelCatalog, knownModels } from '../../../../src/domain/models/catalog.ts'

describe('a model', () => {
  it('a snapshot of a model has the facts of the model and its own name', () => {
    const model = knownModels.find('qwen3-asr-flash-2026-02-10', 'chunk')
    expect(model).toEqual({
      ...knownModels.find('qwen3-asr-flash', 'chunk'),
      name: 'qwen3-asr-flash-2026-02-10',
    })
  })

  it.each([
    ['qwen-turbo-latest', { form: 'qwen-text', maxAnswerTokens: 16_384 }],
    ['qwen3-30b-a3b-thinking-2507', { form: 'qwen-text', maxAnswerTokens: 8_192, thinking: 'always' }],
    ['qwen3.5-plus', { form: 'qwen-multimodal' }],
    ['qwen3.6-plus-thinking', { form: 'qwen-multimodal', thinking: 'always' }],
    ['gemini-2.5-flash-lite', { provider: 'gemini', form: 'gemini', thinking: 'budget' }],
    ['gemini-9-flash', { provider: 'gemini', form: 'gemini' }],
  ])('the family of %s tells how it is asked', (name, facts) => {
    const model = knownModels.find(name, 'text')
    expect(model).toMatchObject(facts)
    expect(model).not.toHaveProperty('price')
  })

  it('a newer model of one pass takes the same language hints as its family', () => {
    const { roles, hintLanguages } = knownModels.find('qwen-audio-3.9-asr-flash-filetrans', 'words')
    expect(roles).toContain('one-pass')
    expect(hintLanguages).toContain('sk')
    expect(hintLanguages).not.toContain('uk')
  })

  it('an unknown model is asked like the first model of its role, without a price', () => {
    expect(knownModels.find('who-knows', 'speakers')).toMatchObject({
      form: 'dashscope-file-list',
      roles: ['speakers'],
      perMinute: 100,
    })
    expect(knownModels.find('who-knows', 'text')).not.toHaveProperty('maxAnswerTokens')
    expect(knownModels.find('who-knows', 'chunk')).not.toHaveProperty('price')
  })

  it('a model of chunks that is named for whole files is asked for a file, within the limits of files', () => {
    const model = knownModels.find('qwen3-asr-flash', 'words')
    expect(model).toMatchObject({ form: 'dashscope-file', roles: ['words'], maxSeconds: 43_200 })
    expect(model).not.toHaveProperty('price')
  })

  it('the description of a user overrides the tables', () => {
    const catalog = createModelCatalog([
      { name: 'fun-asr', price: { usdPerSecond: 1 } },
      { name: 'mine', form: 'dashscope-file' },
    ])
    expect(catalog.find('fun-asr', 'speakers')).toMatchObject({ price: { usdPerSecond: 1 }, perMinute: 600 })
    expect(catalog.find('mine', 'speakers').form).toBe('dashscope-file')
  })
})
