// qwen3-asr-flash over REST: one chunk of audio in, its text and language out.
import * as z from 'zod/v4'
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { Recogniser } from '../../domain/ports.ts'
import type { Dashscope } from '../wire/dashscope.ts'

const path = 'services/aigc/multimodal-generation/generation'

/** US dollars per second of audio, international prices as of November 2026 (Model Studio price list). */
const prices: Record<string, number> = { 'qwen3-asr-flash': 0.000035 }

/** Only what is read; the rest of an answer may change as it likes. An empty `content` means that nobody speaks. */
const answer = z.object({
  output: z.object({
    choices: z
      .array(
        z.object({
          message: z.object({
            content: z.array(z.object({ text: z.string().nullish() })).nullish(),
            annotations: z.array(z.object({ language: z.string().nullish() })).nullish(),
          }),
        }),
      )
      .min(1),
  }),
})

export interface QwenAsrOptions {
  model: string
  concurrency: number
}

/**
 * Limits: the API takes 1 to 300 s (180 s in older documents) and 10 MB; chunks of 150 s are safe under all of them.
 * Throws `SpeechError`; a refused key, an account in arrears and an unknown model have the scope `account`.
 */
export function qwenAsr(cloud: Dashscope, { model, concurrency }: QwenAsrOptions): Recogniser {
  const price = prices[model.replace(/-\d{4}-\d\d-\d\d$/, '')]
  return {
    model,
    limits: { maxSeconds: 150, minSeconds: 1, concurrency },
    ...(price !== undefined && { usdPerSecond: price }),
    async recognise({ audio, mime, language, context }, signal) {
      const body = JSON.stringify({
        model,
        input: {
          messages: [
            ...(context ? [{ role: 'system', content: [{ text: context }] }] : []),
            { role: 'user', content: [{ audio: `data:${mime};base64,${audio.toString('base64')}` }] },
          ],
        },
        parameters: {
          result_format: 'message',
          asr_options: { ...(language && { language }), enable_itn: false },
        },
      })
      const json = await cloud.call({ method: 'POST', path, body }, signal).catch(silence)
      return json === undefined ? { text: '' } : read(json)
    },
  }
}

function read(json: unknown) {
  const parsed = answer.safeParse(json)
  if (!parsed.success)
    throw new SpeechError('PROVIDER_FAILED', 'DashScope’s answer has an unknown shape.', {
      hint: 'Check DASHSCOPE_BASE_URL and ASR_MODEL; call again in a minute.',
      retryable: true,
    })
  const { content, annotations } = parsed.data.output.choices[0]!.message
  const language = annotations?.find(annotation => annotation.language)?.language
  return { text: (content ?? []).map(({ text }) => text ?? '').join(''), ...(language && { language }) }
}

/** Some models of the family call audio without words an error. */
function silence(error: unknown): undefined {
  const code = isSpeechError(error) && (error.cause as { code?: unknown } | undefined)?.code
  if (code === 'ASR_RESPONSE_HAVE_NO_WORDS') return undefined
  throw error
}
