// The types that the package gives to programs follow those of the transcript: `npm run check` compares them.
import { expectTypeOf, it } from 'vitest'
import type * as domain from '../../../src/domain/transcript.ts'
import type * as published from '../../../types/index.d.ts'

type SnakeCase<Key> = Key extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : Key

/** Keys in snake case, as in all that leaves the program. */
type Shown<T> = { [Key in keyof T as SnakeCase<Key>]: T[Key] }

/** One object in place of an intersection. */
type Flat<T> = { [Key in keyof T]: T[Key] }

it('the published types of a transcript have the fields of the transcript', () => {
  expectTypeOf<published.Segment>().toEqualTypeOf<domain.Segment>()
  expectTypeOf<published.Word>().toEqualTypeOf<domain.Word>()
  expectTypeOf<published.Coverage>().toEqualTypeOf<Shown<domain.Coverage>>()
  expectTypeOf<published.Alignment>().toEqualTypeOf<Shown<domain.Alignment>>()
  expectTypeOf<Flat<published.TranscriptJson['usage']>>().toEqualTypeOf<Shown<domain.Usage>>()
  expectTypeOf<Flat<published.Speaker & { voice?: string }>>().toEqualTypeOf<domain.Speaker>()
  expectTypeOf<published.TranscriptStatus>().toEqualTypeOf<domain.TranscriptStatus>()
  expectTypeOf<published.Upload>().toEqualTypeOf<domain.UploadMethod>()
  expectTypeOf<published.Formatted['usage']>().toEqualTypeOf<Shown<domain.Formatting['usage']>>()
})

it('the JSON output has each field of a transcript', () => {
  type Missing = Exclude<keyof Shown<domain.Transcript>, keyof published.TranscriptJson>
  expectTypeOf<Missing>().toEqualTypeOf<never>()
})
