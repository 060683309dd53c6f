// The text models: route, token limits and thinking of each.

export interface TextModel {
  name: string
  provider: 'dashscope' | 'gemini'
  /** Its DashScope route. */
  route?: 'text-generation' | 'multimodal-generation'
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

// A dated snapshot has the model's name plus the date. The limits from 3.5 on are not documented.
const MODELS: [RegExp, Traits][] = [
  [/^qwen-turbo(-latest)?(-\d{4}-\d{2}-\d{2})?$/, { ...legacy, maxInput: 98_304, maxOutput: 16_384 }],
  [/^qwen-flash(-\d{4}-\d{2}-\d{2})?$/, { ...legacy, maxInput: 997_952, maxOutput: 32_768 }],
  [/^qwen-plus(-latest)?(-\d{4}-\d{2}-\d{2})?$/, { ...legacy, maxInput: 997_952, maxOutput: 32_768 }],
  [/^qwen-max(-latest)?(-\d{4}-\d{2}-\d{2})?$/, { ...legacy, maxInput: 30_720, maxOutput: 8192 }],
  [
    /^qwen3-(0\.6|1\.7|4|8|14|32|30b-a3|235b-a22)b$/,
    { ...legacy, thinks: true, open: true, maxInput: 98_304, maxOutput: 8192 },
  ],
  [
    /^qwen3\.[5-8]-(flash|plus)(-\d{4}-\d{2}-\d{2})?$/,
    {
      provider: 'dashscope',
      route: 'multimodal-generation',
      thinks: true,
      maxInput: 983_616,
      maxOutput: 65_536,
    },
  ],
  [/^gemini-2\.5-flash-lite$/, { ...gemini, thinks: false, thinking: 'budget' }],
  [/^gemini-2\.5-(flash|pro)$/, { ...gemini, thinks: true, thinking: 'budget' }],
  [/^gemini-3(\.\d)?-flash-lite$/, { ...gemini, thinks: false, thinking: 'level' }],
  [/^gemini-3(\.\d)?-(flash|pro)(-preview)?$/, { ...gemini, thinks: true, thinking: 'level' }],
]

export function textModel(name: unknown): TextModel | undefined {
  if (typeof name !== 'string') return undefined
  const found = MODELS.find(([pattern]) => pattern.test(name))
  return found && { name, ...found[1] }
}
