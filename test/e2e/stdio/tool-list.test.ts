// The tool list: names, parameters, descriptions, annotations and its size in tokens.
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

interface Part {
  /** Path in the list, from the tool’s name. */
  at: string
  schema: Record<string, unknown>
  isRoot: boolean
}

/** A schema and all schemas in it. */
function partsOf(schema: unknown, at: string, isRoot = true): Part[] {
  const { properties = {}, items, additionalProperties: more, ...own } = schema as Record<string, object>
  const rest = { ...(typeof more === 'object' && { '*': more }), ...(items && { '[]': items }) }
  const children = Object.entries({ ...properties, ...rest })
  const here = { at, schema: { ...own, ...(more !== undefined && { additionalProperties: more }) }, isRoot }
  return [here, ...children.flatMap(([key, child]) => partsOf(child, `${at}.${key}`, false))]
}

const has = ({ schema }: Part, keys: string[]) => keys.some(key => key in schema)
const isWithin = ({ schema }: Part, keys: string[]) => Object.keys(schema).every(key => keys.includes(key))
const typed = ({ schema: { type } }: Part) =>
  ['object', 'array', 'string', 'number', 'integer', 'boolean'].includes(type as string)
const common = ['type', 'description', 'enum', 'required', 'minimum', 'maximum', 'minItems', 'maxItems']

/** A host refuses these in the schema of a tool’s arguments, with the whole turn; each rule is for one part of it. */
const hostRules: Record<string, (part: Part) => boolean> = {
  // Fields of its `Schema`: https://ai.google.dev/api/caching#Schema
  Gemini: part =>
    typed(part) && isWithin(part, [...common, 'title', 'format', 'nullable', 'default', 'anyOf']),
  // Agents’ SDKs close objects and require all properties first; they refuse objects with free keys.
  'OpenAI in strict mode': part => typed(part) && isWithin(part, [...common, 'pattern', 'format', 'anyOf']),
  OpenAI: part => !part.isRoot || !has(part, ['anyOf', 'oneOf', 'allOf', 'enum', 'not']),
  Anthropic: part =>
    /^[\w-]{1,64}(?:[.*[\]\w-]+)*$/.test(part.at) &&
    (!part.isRoot || (part.schema.type === 'object' && !has(part, ['anyOf', 'oneOf', 'allOf']))),
}

describe('the tool list', () => {
  it('the tool list has exactly these tools and parameters', () => {
    const list = tools.map(({ name, inputSchema }) => [name, properties(inputSchema).map(([key]) => key)])
    expect(list).toEqual([
      [
        'transcribe_audio',
        [
          'audio',
          'language',
          'context',
          'timestamps',
          'track',
          'format',
          'title',
          'allow_unsaved',
          'confirm_usd',
          'wait_seconds',
        ],
      ],
      [
        'diarize_audio',
        [
          'audio',
          'language',
          'context',
          'speakers',
          'track',
          'format',
          'title',
          'allow_unsaved',
          'confirm_usd',
          'wait_seconds',
        ],
      ],
      ['format_text', ['text', 'transcript_id', 'style', 'language', 'offset', 'wait_seconds']],
      [
        'get_transcript',
        ['transcript_id', 'view', 'preset', 'speaker', 'from', 'to', 'offset', 'limit', 'wait_seconds'],
      ],
      ['get_clip', ['transcript_id', 'from', 'to']],
      ['export_transcript', ['transcript_id', 'save_as', 'format', 'preset', 'overwrite']],
      ['search_transcripts', ['query', 'limit', 'cursor']],
      ['find_recordings', ['query', 'folder', 'limit']],
      ['update_transcript', ['transcript_id', 'title', 'speakers']],
      ['cancel_transcription', ['transcript_id']],
      ['delete_transcript', ['transcript_id']],
    ])
  })

  it('the tool list costs at most 4,000 tokens', () => {
    expect(JSON.stringify(tools).length / 4).toBeLessThanOrEqual(4000)
  })

  it.each(Object.entries(hostRules))('the tool list is taken by %s as it is', (_, isTaken) => {
    const refused = tools.flatMap(({ name, inputSchema }) =>
      partsOf(inputSchema, name).filter(part => !isTaken(part)),
    )
    expect(refused).toEqual([])
  })

  it('every tool and every parameter has a description', () => {
    for (const { name, title, description, inputSchema } of tools) {
      expect(name).toMatch(/^[a-z_]{3,64}$/)
      expect(title).toBeTruthy()
      expect(description).toMatch(/Use this (when|with)/)
      expect(description).toMatch(/Example: \{/)
      for (const [key, schema] of properties(inputSchema)) expect(schema.description, key).toBeTruthy()
    }
  })

  it('every tool has all four annotations and an output schema', () => {
    for (const { annotations, outputSchema } of tools) {
      const hints = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const
      for (const hint of hints) expect(annotations?.[hint]).toBeTypeOf('boolean')
      expect(outputSchema?.type).toBe('object')
    }
  })

  it('only tools that can destroy what the user has are marked as destructive', () => {
    const destructive = tools.filter(({ annotations }) => annotations?.destructiveHint)
    expect(destructive.map(({ name }) => name)).toEqual(['export_transcript', 'delete_transcript'])
  })

  it('the README lists every tool', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    for (const { name } of tools) expect(readme).toContain(`| \`${name}\` |`)
  })

  it('the server’s instructions have a length that fits a client', () => {
    const instructions = system.client.getInstructions() ?? ''
    expect(instructions.length).toBeGreaterThan(100)
    expect(instructions.length).toBeLessThan(1000)
  })
})

it('the built program lists the arguments of its prompts', async () => {
  const { prompts } = await system.client.listPrompts()
  for (const { name, arguments: args } of prompts)
    expect(args, name).toEqual([
      { name: 'transcript_id', description: 'tr_…', required: true },
      ...['language', 'focus'].map(name => ({ name, description: expect.any(String), required: false })),
    ])
  expect(prompts.length).toBeGreaterThan(1)
})
