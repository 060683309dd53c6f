// Providers whose models run at an address of the user's own.
import type { ModelProvider } from '../../domain/models/model.ts'
import { isOpenAi } from './openai/openai-asr.ts'

export function ownProviders({
  openaiUrl,
  ownDashscope,
}: {
  openaiUrl: string
  ownDashscope?: unknown
}): ModelProvider[] {
  return [
    ...(isOpenAi(openaiUrl) ? [] : (['openai'] as const)),
    ...(ownDashscope ? (['dashscope'] as const) : []),
  ]
}
