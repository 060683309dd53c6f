// The recognitions that were asked for: their records, how many there are at once, and what only looks like one.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RecognitionRequest } from '../faults.ts'
import { readBody } from '../http.ts'
import { type Recognition, recognise } from './recognition.ts'

export interface Recognitions {
  records: RecognitionRequest[]
  inFlight(): number
  peakInFlight(): number
  /** Answers a request, unless its body is meant for others: then they have it. */
  handle(request: IncomingMessage, response: ServerResponse, others: Others): Promise<void>
}

/** Models of another kind behind the same route. */
export interface Others {
  isMeant(body: unknown): boolean
  answer(body: unknown): Promise<void>
}

export function openRecognitions(service: Recognition, closing: AbortSignal): Recognitions {
  const records: RecognitionRequest[] = []
  let inFlight = 0
  let peak = 0

  return {
    records,
    inFlight: () => inFlight,
    peakInFlight: () => peak,
    async handle(request, response, others) {
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
      const leaving = new AbortController()
      let counted = 0
      response.once('close', () => {
        inFlight -= counted
        record.finished = Date.now()
        record.aborted = !response.writableFinished
        leaving.abort()
      })
      if (service.faults.hit(record, 'unread')) return void request.socket.destroy()
      const body = await readBody(request).catch(() => undefined)
      if (!body) return
      const json = parsed(body)
      if (others.isMeant(json)) {
        records.splice(records.indexOf(record), 1)
        return await others.answer(json)
      }
      // Only now is it known that it is one.
      counted = 1
      peak = Math.max(peak, ++inFlight)
      const signal = AbortSignal.any([leaving.signal, closing])
      await recognise(request, response, json, record, service, signal)
    },
  }
}

/** Undefined for what is no JSON. */
function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}
