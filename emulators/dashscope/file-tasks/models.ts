// The file transcription models: request shape, result shape and abilities.
export interface TaskModel {
  name: string
  /** `list`: `input.file_urls` and `output.results`; `single`: `input.file_url` and `output.result`. */
  shape: 'list' | 'single'
  /** Recognises every word correctly. */
  accurate: boolean
  /** Supports speaker diarization. */
  diarizes: boolean
  /** Languages in which it recognises no word correctly. */
  unintelligibleLanguages: string[]
}

// A dated snapshot has the model's name plus the date.
const MODELS: { name: RegExp; traits: Omit<TaskModel, 'name'> }[] = [
  {
    name: /^fun-asr(-\d{4}-\d{2}-\d{2})?$/,
    traits: { shape: 'list', accurate: false, diarizes: true, unintelligibleLanguages: [] },
  },
  {
    name: /^fun-asr-mtl(-\d{4}-\d{2}-\d{2})?$/,
    traits: { shape: 'list', accurate: false, diarizes: true, unintelligibleLanguages: ['ru'] },
  },
  {
    name: /^qwen-audio-3\.\d+-asr-flash-filetrans$/,
    traits: { shape: 'list', accurate: true, diarizes: true, unintelligibleLanguages: [] },
  },
  {
    name: /^qwen3-asr-flash-filetrans(-\d{4}-\d{2}-\d{2})?$/,
    traits: { shape: 'single', accurate: true, diarizes: false, unintelligibleLanguages: [] },
  },
]

export function taskModel(name: unknown): TaskModel | undefined {
  if (typeof name !== 'string') return undefined
  const found = MODELS.find(model => model.name.test(name))
  return found && { name, ...found.traits }
}
