// The list of tools as a model reads it: complete, documented, and small enough to be worth its tokens.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root, type System, startSystem } from '../../support/e2e/system.ts'

type Listed = Awaited<ReturnType<System['client']['listTools']>>['tools'][number]

let system: System
let tools: Listed[]

beforeAll(async () => {
  system = await startSystem()
  tools = (await system.client.listTools()).tools
})
afterAll(() => system.close())

const properties = (schema: unknown) =>
  Object.entries((schema as { properties?: Record<string, { description?: string }> }).properties ?? {})

describe('the tool list', () => {
  it('is this, with these parameters', () => {
    const list = tools.map(({ name, inputSchema }) => [name, properties(inputSchema).map(([key]) => key)])
    expect(list).toEqual([
      ['transcribe_audio', ['audio', 'language', 'context', 'timestamps', 'format', 'title', 'wait_seconds']],
      ['diarize_audio', ['audio', 'language', 'speakers', 'format', 'title', 'wait_seconds']],
      ['format_text', ['text', 'transcript_id', 'style', 'language', 'offset', 'wait_seconds']],
      [
        'get_transcript',
        ['transcript_id', 'view', 'speaker', 'from', 'to', 'offset', 'limit', 'wait_seconds'],
      ],
      ['search_transcripts', ['query', 'limit', 'cursor']],
      ['find_recordings', ['query', 'limit']],
      ['update_transcript', ['transcript_id', 'title', 'speakers']],
      ['cancel_transcription', ['transcript_id']],
      ['delete_transcript', ['transcript_id']],
    ])
  })

  // Four of the nine answer with a transcript, and each has to tell what comes with it: 600 tokens each.
  it('costs a model less than 5,600 tokens', () => {
    expect(JSON.stringify(tools).length / 4).toBeLessThan(5600)
  })

  it('says of every tool what it is for, and of every parameter what to give', () => {
    for (const { name, title, description, inputSchema } of tools) {
      expect(name).toMatch(/^[a-z_]{3,64}$/)
      expect(title).toBeTruthy()
      expect(description).toMatch(/Use this (when|with)/)
      expect(description).toMatch(/Example: \{/)
      for (const [key, schema] of properties(inputSchema)) expect(schema.description, key).toBeTruthy()
    }
  })

  it('gives all four annotations and an output schema', () => {
    for (const { annotations, outputSchema } of tools) {
      const hints = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const
      for (const hint of hints) expect(annotations?.[hint]).toBeTypeOf('boolean')
      expect(outputSchema?.type).toBe('object')
    }
  })

  it('says of one tool alone that it destroys something', () => {
    const destructive = tools.filter(({ annotations }) => annotations?.destructiveHint)
    expect(destructive.map(({ name }) => name)).toEqual(['delete_transcript'])
  })

  it('is the one the README describes', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    for (const { name } of tools) expect(readme).toContain(`| \`${name}\` |`)
  })

  it('comes with instructions that fit a client', () => {
    const instructions = system.client.getInstructions() ?? ''
    expect(instructions.length).toBeGreaterThan(100)
    expect(instructions.length).toBeLessThan(1000)
  })
})
