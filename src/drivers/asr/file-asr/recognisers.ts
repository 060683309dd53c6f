// The two recognisers of whole files, who speaks and what is said, within the rates that they share.
import { type Meter, noMeter } from '../../../domain/meter.ts'
import type { FileRecogniser } from '../../../domain/ports.ts'
import type { Dashscope } from '../../http/dashscope.ts'
import type { HttpClient } from '../../http/http.ts'
import { type AdaptiveRateLimiter, createAdaptiveRateLimiter } from '../../http/rate-limiter.ts'
import { countedFile, limitedFile, type RetryOptions, retryingFile } from '../wrappers.ts'
import { fileAsr } from './file-asr.ts'
import { type FileRole, fileModel } from './models.ts'
import { createPacer } from './pacer.ts'

export interface FileRecognisersOptions {
  cloud: Dashscope
  http: Pick<HttpClient, 'fetchText'>
  speakerModel: string
  fileModel: string
  meter?: Meter
  retry?: RetryOptions
}

export interface FileRecognisers {
  speakerRecogniser: FileRecogniser
  fileRecogniser: FileRecogniser
}

/** An account may ask about tasks 20 times a second (Model Studio, asynchronous tasks): some of it is left to other processes. */
const asksPerSecond = 15
const submitsAtOnce = 4

export function fileRecognisers({
  cloud,
  http,
  meter = noMeter,
  retry,
  ...names
}: FileRecognisersOptions): FileRecognisers {
  const asks = createPacer(asksPerSecond)
  const rates = new Map<string, AdaptiveRateLimiter>()
  const recogniser = (model: string, role: FileRole) => {
    const { perMinute } = fileModel(model, role)
    const submits = rates.get(model) ?? createAdaptiveRateLimiter({ perMinute, concurrency: submitsAtOnce })
    rates.set(model, submits)
    return retryingFile(
      limitedFile(countedFile(fileAsr({ cloud, http, model, role }), meter), { submits, asks }),
      retry,
    )
  }
  return {
    speakerRecogniser: recogniser(names.speakerModel, 'speakers'),
    fileRecogniser: recogniser(names.fileModel, 'text'),
  }
}
