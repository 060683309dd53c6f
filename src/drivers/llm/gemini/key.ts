// Checks a Gemini key by listing models, which is free.
import { deadlines } from '../../../domain/network/deadlines.ts'
import type { HttpClient } from '../../http/http.ts'
import { geminiError } from './errors.ts'

export interface GeminiKey {
  apiKey: string
  /** With its version, without a slash at the end. */
  baseUrl: string
  http: HttpClient
}

/** Throws the error that a request for text would meet, or the signal's reason. */
export async function checkGeminiKey(
  { apiKey, baseUrl, http }: GeminiKey,
  signal: AbortSignal,
): Promise<void> {
  const { status, json, retryAfterSeconds } = await http.request({
    method: 'GET',
    url: `${baseUrl}/models?pageSize=1`,
    headers: { 'x-goog-api-key': apiKey },
    deadline: deadlines.text,
    signal,
    setting: 'GEMINI_BASE_URL',
  })
  const isList = Array.isArray((json as { models?: unknown } | null | undefined)?.models)
  if (status === 200 && isList) return
  // A server without such a list is not Gemini.
  throw status === 200 || status === 404
    ? geminiError(404, undefined, '')
    : geminiError(status, json, '', retryAfterSeconds)
}
