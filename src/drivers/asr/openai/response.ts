// Reads a response: its text, its language, and its times where they were measured.
import * as z from 'zod/v4'
import { SpeechError } from '../../../domain/errors.ts'
import { languageCode } from '../../../domain/languages.ts'
import type { Model } from '../../../domain/models/model.ts'
import { usdForUsage } from '../../../domain/models/price.ts'
import type { Recognition } from '../../../domain/ports.ts'
import { joinText } from '../../../domain/text.ts'
import { trustedTimes } from '../given-times.ts'
import type { GivenTime } from '../times.ts'
import { readTags } from './tags.ts'

const number = z.number().nullish().catch(null)
const text = z.string().nullish().catch(null)
const list = <T extends z.ZodType>(item: T) => z.array(item).nullish().catch(null)

const wordShape = z.object({ word: text, text, start: number, end: number })
/** Only the fields that are read. Fields of another type than OpenAI's count as absent. */
const responseShape = z.object({
  text,
  language: text,
  words: list(wordShape),
  segments: list(z.object({ text, start: number, end: number, words: list(wordShape) })),
  usage: z.object({ seconds: number, input_tokens: number, output_tokens: number }).nullish().catch(null),
})
type Response = z.output<typeof responseShape>

/** Throws `PROVIDER_FAILED` for anything but a transcript. `seconds`: length of the audio. */
export function readResponse(json: unknown, model: Model, seconds: number): Recognition {
  const { data: response } = responseShape.safeParse(json)
  const given = response && textOf(response)
  if (given === undefined)
    throw new SpeechError('PROVIDER_FAILED', 'The response from OPENAI_BASE_URL is no transcript.', {
      hint: 'Check that OPENAI_BASE_URL is the address of a transcription API; it usually ends in /v1.',
      retryable: true,
    })
  const tagged = readTags(given)
  const language = tagged.language ?? languageOf(response!, tagged.text)
  const costUsd = usdForUsage(model, {
    seconds: response!.usage?.seconds ?? undefined,
    inputTokens: response!.usage?.input_tokens ?? undefined,
    outputTokens: response!.usage?.output_tokens ?? undefined,
  })
  return {
    text: tagged.text,
    ...(language && { language }),
    ...(costUsd !== undefined && { costUsd }),
    ...timesOf(response!, tagged.text, seconds),
  }
}

/** Some servers join their segments without spaces, or give nothing but segments. */
function textOf({ text, segments }: Response): string | undefined {
  const joined = segments?.reduce((all, segment) => joinText(all, segment.text ?? ''), '')
  if (text === undefined || text === null) return joined
  const isSame = joined?.replace(/\s/g, '') === text.replace(/\s/g, '')
  return joined && isSame && joined.length > text.length ? joined : text
}

const eastAsian =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}]/u

/** Some servers report a default, such as Chinese, without having listened for the language. */
function languageOf({ language }: Response, text: string): string | undefined {
  const code = language ? languageCode(language) : undefined
  const isPossible = !['zh', 'yue', 'ja', 'ko'].includes(code ?? '') || eastAsian.test(text)
  return isPossible ? code : undefined
}

function timesOf(response: Response, text: string, seconds: number): Pick<Recognition, 'words' | 'segments'> {
  const segments = given(response.segments ?? [])
  const words = given(response.words ?? response.segments?.flatMap(segment => segment.words ?? []) ?? [])
  return trustedTimes({ words, segments }, text, seconds)
}

function given(items: readonly Partial<z.output<typeof wordShape>>[]): GivenTime[] {
  return items.flatMap(({ word, text, start, end }) => {
    const { text: plain } = readTags(word ?? text ?? '')
    return plain && start != null && end != null ? [{ text: plain, start, end }] : []
  })
}
