// The models that hear whole files: which request they take, which result they give, and what they are good at.
export interface TaskModel {
  name: string
  /** `list`: `input.file_urls` and `output.results`; `single`: `input.file_url` and `output.result`. */
  shape: 'list' | 'single'
  /** Gets the words right. */
  clear: boolean
  /** Tells speakers where that is asked for. */
  speakers: boolean
  /** Languages that it hears nothing but noise in. */
  deafTo: string[]
}

// Dated snapshots have the name of their model with the date behind it.
const MODELS: { name: RegExp; traits: Omit<TaskModel, 'name'> }[] = [
  {
    name: /^fun-asr(-\d{4}-\d{2}-\d{2})?$/,
    traits: { shape: 'list', clear: false, speakers: true, deafTo: [] },
  },
  {
    name: /^fun-asr-mtl(-\d{4}-\d{2}-\d{2})?$/,
    traits: { shape: 'list', clear: false, speakers: true, deafTo: ['ru'] },
  },
  {
    name: /^qwen-audio-3\.\d+-asr-flash-filetrans$/,
    traits: { shape: 'list', clear: true, speakers: true, deafTo: [] },
  },
  {
    name: /^qwen3-asr-flash-filetrans(-\d{4}-\d{2}-\d{2})?$/,
    traits: { shape: 'single', clear: true, speakers: false, deafTo: [] },
  },
]

export function taskModel(name: unknown): TaskModel | undefined {
  if (typeof name !== 'string') return undefined
  const found = MODELS.find(model => model.name.test(name))
  return found && { name, ...found.traits }
}
