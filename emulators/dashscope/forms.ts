// Forms of the services' answers: as recordings of them show, or tidy as the documentation has them.

/** Where a finished task of a model with `file_urls` names its result. */
export type ResultPlace = 'results' | 'output' | 'resultsOutput'

export interface Forms {
  /**
   * `results`: `output.results[0].transcription_url`. `output`: `output.output.transcription_url` and its `results`.
   * `resultsOutput`: `output.results[0].output.transcription_url`. All three were recorded.
   */
  resultPlace: ResultPlace | ((model: string) => ResultPlace)
  /** Words of models with `file_urls`: `broken` cuts some in pieces and drops the blank after others. */
  words: 'broken' | 'whole'
  /** `recorded`: empty `properties` and `audio_info`, confidence, a blank as a word, words of no length. */
  resultDetails: 'recorded' | 'tidy'
  /** Tasks without speech: a code per family, one code for all, or the code as `task_status`. */
  silence: 'recorded' | 'tidy' | 'status'
  /** A bad address, a wrong field or a missing `oss://` header fails the `task`, or is refused at `submit`. */
  addressErrors: 'task' | 'submit'
  /** Parameters of an unknown name are ignored, or the task fails. */
  unknownParameters: 'ignored' | 'fail'
  /** A file in the temporary store serves the model that its policy was issued for (documentation), or any. */
  temporaryUploads: 'ownModel' | 'anyModel'
  /** Upload policies are issued for any name, or for models that exist. */
  policies: 'anyModel' | 'knownModels'
  /** A chunk or text model at the route of files: "url error", or "Model not exist." */
  wrongRoute: 'urlError' | 'notExist'
  /**
   * Invalid parameters and audio: `message` has the inner code in the message, `code` has it as the code with status
   * 400, `tidy` has the documented codes.
   */
  invalidInput: 'message' | 'code' | 'tidy'
  /** The content check: the code `InvalidParameter` with its name in the message, an inner code, or its own code. */
  contentCheck: 'message' | 'innerCode' | 'code'
  /** Annotations and seconds of recognised chunks: dated snapshots have none, or all models have them. */
  annotations: 'undatedOnly' | 'always'
  /** Silent chunks: no content, or 400 `ASR_RESPONSE_HAVE_NO_WORDS`. */
  silentChunks: 'empty' | 'error'
  /** The context is returned as text for silence, as open models were seen to do. */
  repeatsContext: boolean
}

export const recordedForms: Forms = {
  resultPlace: model => (model.startsWith('qwen-audio') ? 'output' : 'results'),
  words: 'broken',
  resultDetails: 'recorded',
  silence: 'recorded',
  addressErrors: 'task',
  unknownParameters: 'ignored',
  temporaryUploads: 'ownModel',
  policies: 'anyModel',
  wrongRoute: 'urlError',
  invalidInput: 'message',
  contentCheck: 'message',
  annotations: 'undatedOnly',
  silentChunks: 'empty',
  repeatsContext: false,
}

export const tidyForms: Forms = {
  resultPlace: 'results',
  words: 'whole',
  resultDetails: 'tidy',
  silence: 'tidy',
  addressErrors: 'submit',
  unknownParameters: 'fail',
  temporaryUploads: 'ownModel',
  policies: 'knownModels',
  wrongRoute: 'notExist',
  invalidInput: 'tidy',
  contentCheck: 'code',
  annotations: 'always',
  silentChunks: 'empty',
  repeatsContext: false,
}
