// The route of synchronous recognition: keeps a record of each request and passes on those for other models.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RecognitionRequest } from '../faults.ts'
import { readBody } from '../http.ts'
import { type AsrSettings, recognise } from './recognition.ts'

export interface AsrService {
  records: RecognitionRequest[]
  inFlight(): number
  peakInFlight(): number
  /** Responds to a request, or passes it to the other models if they accept its body. */
  handle(request: IncomingMessage, response: ServerResponse, otherModels: OtherModels): Promise<void>
}

/** Models of another kind on the same route. */
export interface OtherModels {
  accepts(body: unknown): boolean
  answer(body: unknown): Promise<void>
}

export function createAsrService(service: AsrSettings, closing: AbortSignal): AsrService {
  const records: RecognitionRequest[] = []
  let inFlight = 0
  let peak = 0

  return {
    records,
    inFlight: () => inFlight,
    peakInFlight: () => peak,
    async handle(request, response, otherModels) {
      const now = Date.now()
      const record: RecognitionRequest = {
        at: now,
        model: '',
        seconds: 0,
        sampleRate: 0,
        mime: '',
        status: 0,
        bytes: 0,
        started: now,
        aborted: false,
      }
      records.push(record)
      const disconnected = new AbortController()
      let counted = 0
      response.once('close', () => {
        inFlight -= counted
        record.finished = Date.now()
        record.aborted = !response.writableFinished
        disconnected.abort()
      })
      if (service.faults.hit(record, 'unread')) return void request.socket.destroy()
      const body = await readBody(request).catch(() => undefined)
      // The client may have left with the last byte, and is counted out already.
      if (!body || disconnected.signal.aborted) return
      const json = parseJson(body)
      if (otherModels.accepts(json)) {
        records.splice(records.indexOf(record), 1)
        return await otherModels.answer(json)
      }
      // Counted only now: earlier it might have been a request for another model.
      counted = 1
      peak = Math.max(peak, ++inFlight)
      const signal = AbortSignal.any([disconnected.signal, closing])
      await recognise(request, response, json, record, service, signal)
    },
  }
}

/** Undefined if it is not JSON. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}
