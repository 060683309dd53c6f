// The text models: route, price, token limits and thinking of each.
import type { Price } from '../models/price.ts'

export interface TextModel {
  name: string
  provider: 'dashscope' | 'gemini'
  /** Its DashScope route. */
  route?: 'text-generation' | 'multimodal-generation'
  /** Undefined if it is not in the lists of November 2026 that this table follows. */
  price?: Price
  /** Tokens. */
  maxInput: number
  maxOutput: number
  /** Thinks by default. */
  thinks: boolean
  /** An open model, which thinks only in streams. */
  open?: boolean
  /** Of Gemini: the parameter that controls thinking. */
  thinking?: 'budget' | 'level'
}

type Traits = Omit<TextModel, 'name'>

const legacy = { provider: 'dashscope', route: 'text-generation', thinks: false } as const
const gemini = { provider: 'gemini', maxInput: 1_048_576, maxOutput: 65_536 } as const
const budget = { ...gemini, thinking: 'budget' } as const
const level = { ...gemini, thinking: 'level' } as const
const newer = { provider: 'dashscope', route: 'multimodal-generation', thinks: true } as const

const usd = (input: number, output: number): Price => ({ input, output })

// A dated snapshot has the model's name plus the date. The limits from 3.5 on are not documented.
const MODELS: [RegExp, Traits][] = [
  [
    /^qwen-turbo(-latest)?(-\d{4}-\d{2}-\d{2})?$/,
    { ...legacy, price: usd(0.05, 0.2), maxInput: 98_304, maxOutput: 16_384 },
  ],
  [
    /^qwen-flash(-\d{4}-\d{2}-\d{2})?$/,
    { ...legacy, price: usd(0.05, 0.4), maxInput: 997_952, maxOutput: 32_768 },
  ],
  [
    /^qwen-plus(-latest)?(-\d{4}-\d{2}-\d{2})?$/,
    { ...legacy, price: usd(0.4, 1.2), maxInput: 997_952, maxOutput: 32_768 },
  ],
  [
    /^qwen-max(-latest)?(-\d{4}-\d{2}-\d{2})?$/,
    { ...legacy, price: usd(1.6, 6.4), maxInput: 30_720, maxOutput: 8192 },
  ],
  [
    /^qwen3-(0\.6|1\.7|4|8|14|32|30b-a3|235b-a22)b$/,
    { ...legacy, thinks: true, open: true, maxInput: 98_304, maxOutput: 8192 },
  ],
  [/^qwen3\.[5-8]-(flash|plus)(-\d{4}-\d{2}-\d{2})?$/, { ...newer, maxInput: 983_616, maxOutput: 65_536 }],
  [/^gemini-2\.5-flash-lite$/, { ...budget, price: usd(0.1, 0.4), thinks: false }],
  [/^gemini-2\.5-flash$/, { ...budget, price: usd(0.3, 2.5), thinks: true }],
  [/^gemini-2\.5-pro$/, { ...budget, price: usd(1.25, 10), thinks: true }],
  [/^gemini-3\.1-flash-lite$/, { ...level, price: usd(0.25, 1.5), thinks: false }],
  [/^gemini-3\.5-flash-lite$/, { ...level, price: usd(0.3, 2.5), thinks: false }],
  [/^gemini-3(\.\d)?-flash-lite$/, { ...level, thinks: false }],
  [/^gemini-3\.5-flash$/, { ...level, price: usd(1.5, 9), thinks: true }],
  [/^gemini-3\.[67]-flash$/, { ...level, price: usd(0.75, 3.75), thinks: true }],
  [/^gemini-3(\.\d)?-(flash|pro)(-preview)?$/, { ...level, thinks: true }],
]

export function textModel(name: unknown): TextModel | undefined {
  if (typeof name !== 'string') return undefined
  const found = MODELS.find(([pattern]) => pattern.test(name))
  return found && { name, ...found[1] }
}
