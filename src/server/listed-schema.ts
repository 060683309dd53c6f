// Schemas as clients list them: JSON Schema that the build has computed, since converting zod takes a seventh of a start.
import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server'
import type * as z from 'zod/v4'
import { argumentsAsMeant } from './json-rpc/as-meant.ts'

type Kind = 'input' | 'fileInput' | 'output'

/** JSON Schema of each tool's inputs and output, by the tool's name, and of the input of a `prompt`. */
type ListedSchemas = Record<string, Partial<Record<Kind, Record<string, unknown>>>>

/** The build puts them here (`scripts/build.mjs`); undefined where the sources run as they are. */
declare const BUILT_SCHEMAS: ListedSchemas | undefined

const built = typeof BUILT_SCHEMAS === 'undefined' ? undefined : BUILT_SCHEMAS

/** Validates arguments as they were meant, with the zod schema; listed without converting it where the build has done that. */
export function listedSchema<Schema extends z.ZodObject>(
  name: string,
  kind: Kind,
  schema: Schema,
): StandardSchemaWithJSON<z.input<Schema>, z.output<Schema>> {
  const json = built?.[name]?.[kind]
  const { validate } = schema['~standard']
  return {
    '~standard': {
      version: 1,
      vendor: 'zod',
      validate: value => validate(kind === 'output' ? value : argumentsAsMeant(schema, value)) as never,
      jsonSchema: json ? { input: () => json, output: () => json } : schema['~standard'].jsonSchema,
    },
  }
}
