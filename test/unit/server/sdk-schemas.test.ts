// The schemas of MCP's revision 2025-11-25, which the build has the SDK make one by one.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, expect, it } from 'vitest'
import { onFirstUse } from '../../../scripts/build/sdk-schemas.mjs'
import { root } from '../../support/e2e/system.ts'

interface Sdk {
  buildSchemas2025(): Record<string, object>
  zod: { toJSONSchema(schema: object, options: object): unknown }
}

const folder = join(root, 'node_modules/@modelcontextprotocol/server/dist')
const [name, ...others] = readdirSync(folder).filter(file => /^src-.*\.mjs$/.test(file))
const source = readFileSync(join(folder, name!), 'utf8')
let [before, after]: Sdk[] = []

beforeAll(async () => {
  ;[before, after] = await Promise.all([load(source), load(onFirstUse(source))])
})

/** Runs the SDK's part, and resolves with what it keeps to itself. */
async function load(source: string): Promise<Sdk> {
  const contents = `${source}\nexport { buildSchemas2025, z as zod }`
  const options = {
    stdin: { contents, resolveDir: folder },
    bundle: true,
    format: 'esm',
    write: false,
  } as const
  const { outputFiles } = await build({ ...options, platform: 'node', logLevel: 'error' })
  const code = Buffer.from(outputFiles[0]!.contents).toString('base64')
  return (await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as Sdk
}

function shapesOf({ buildSchemas2025, zod }: Sdk): Record<string, unknown> {
  const schemas = buildSchemas2025()
  const shapeOf = (schema: object) => zod.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  const names = Object.getOwnPropertyNames(schemas)
  return Object.fromEntries(names.map(name => [name, shapeOf(schemas[name]!)]))
}

it('schemas that are made on first use are those of the SDK', () => {
  expect(others).toEqual([])
  const shapes = shapesOf(before!)
  expect(Object.keys(shapes).length).toBeGreaterThan(100)
  expect(shapesOf(after!)).toEqual(shapes)
})

it('a schema that is asked for twice is made once', () => {
  const { ToolSchema } = after!.buildSchemas2025()
  expect(after!.buildSchemas2025().ToolSchema).toBe(ToolSchema)
})

it('a version of the SDK that reads otherwise is refused', () => {
  expect(() => onFirstUse('export const schemas = {}')).toThrow('scripts/build/sdk-schemas.mjs')
})
