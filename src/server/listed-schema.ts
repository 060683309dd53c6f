// Schemas as clients list them: JSON Schema that the build has computed, since converting zod takes a seventh of a start.
import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server'
import type * as z from 'zod/v4'

/** JSON Schema of each tool's input and output, by the tool's name. */
export type ToolSchemas = Record<string, Record<'input' | 'output', Record<string, unknown>>>

/** The build puts them here (`scripts/build.mjs`); undefined where the sources run as they are. */
declare const BUILT_TOOL_SCHEMAS: ToolSchemas | undefined

const built = typeof BUILT_TOOL_SCHEMAS === 'undefined' ? undefined : BUILT_TOOL_SCHEMAS

/** Validates with the zod schema; listed without converting it where the build has done that. */
export function listedSchema<Schema extends z.ZodObject>(
  tool: string,
  kind: 'input' | 'output',
  schema: Schema,
): StandardSchemaWithJSON<z.input<Schema>, z.output<Schema>> {
  const json = built?.[tool]?.[kind]
  if (!json) return schema
  return {
    '~standard': {
      version: 1,
      vendor: 'zod',
      validate: value => schema['~standard'].validate(value) as never,
      jsonSchema: { input: () => json, output: () => json },
    },
  }
}
