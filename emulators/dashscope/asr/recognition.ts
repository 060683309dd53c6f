// The synchronous recognition of DashScope: one request, from its bytes to its answer.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Decoded, decode } from '../../audio-matching/decode.ts'
import type { Known } from '../../audio-matching/library.ts'
import { type Heard, listen } from '../../audio-matching/match-audio.ts'
import { remember } from '../../audio-matching/memory.ts'
import { dashscopeErrors, Refusal } from '../errors.ts'
import { type Faults, looped, type RecognitionRequest } from '../faults.ts'
import { sendError, sendJson, sendProxyPage } from '../http.ts'
import { type Order, readOrder } from './request.ts'

export interface Recognition {
  ffmpeg: string
  latency: { base: number; perSecond: number }
  maxSeconds: number
  maxBytes: number
  /** Folder of the known recordings. */
  fixtures: string
  faults: Faults
  library(): Promise<Known[]>
  /** Counts a request against the minute's limit; false when it is used up. */
  admit(): boolean
}

const SHORTEST = 0.5
// MP3 pads what it codes to whole frames, so audio of exactly the limit comes a little longer.
const PADDING = 0.25

/** Answers one request and keeps its record up to date; `body` is undefined for what is no JSON. The signal aborts when the client or the server goes. */
export async function recognise(
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
  record: RecognitionRequest,
  service: Recognition,
  signal: AbortSignal,
): Promise<void> {
  try {
    const order = readOrder(body, service.maxBytes)
    record.started = Date.now()
    note(record, order)
    if (!service.admit()) throw new Refusal(dashscopeErrors.rateQuota)
    const heard = await hearOnce(order, record, service, signal)
    record.spokenText = heard.text
    await misbehaveOrAnswer(request, response, record, service, heard, signal)
  } catch (error) {
    if (signal.aborted || request.socket.destroyed) return
    const refusal = error instanceof Refusal ? error.error : dashscopeErrors.internalError
    record.status = refusal.status
    sendError(request, response, refusal, record.at)
  }
}

/** What is too long is refused before anybody listens to it. */
async function hearOnce(
  order: Order,
  record: RecognitionRequest,
  service: Recognition,
  signal: AbortSignal,
): Promise<Heard> {
  const look = (sound: Omit<Decoded, 'samples'>) => {
    note(record, sound)
    checkLength(sound, service.maxSeconds)
  }
  const remembered = await remember(order.audio, service.fixtures, async () => {
    const { samples, ...sound } = await decodeAudio(order, service, signal)
    look(sound)
    return { ...sound, heard: await listen(samples, await service.library()) }
  })
  look(remembered)
  return remembered.heard
}

async function decodeAudio(order: Order, service: Recognition, signal: AbortSignal): Promise<Decoded> {
  try {
    return await decode({ bytes: order.audio }, service.ffmpeg, signal)
  } catch (error) {
    // Without an ffmpeg to start nothing would ever be understood: that is not the fault of the audio.
    if (error instanceof Error && 'code' in error) throw error
    throw new Refusal(dashscopeErrors.unsupportedFormat)
  }
}

function checkLength({ seconds }: { seconds: number }, maxSeconds: number): void {
  if (seconds < SHORTEST) throw new Refusal(dashscopeErrors.audioEmpty)
  if (seconds <= maxSeconds + PADDING) return
  throw new Refusal(dashscopeErrors.audioLength, `Audio length must be between 1s and ${maxSeconds}s.`)
}

function note(record: RecognitionRequest, what: Order | Omit<Decoded, 'samples'>): void {
  if ('audio' in what) {
    record.model = what.model
    record.mime = what.mime
    record.bytes = what.audio.length
    if (what.language !== undefined) record.language = what.language
    if (what.context !== undefined) record.context = what.context
  } else {
    record.seconds = what.seconds
    record.sampleRate = what.sampleRate
    if (what.bitRate !== undefined) record.bitRate = what.bitRate
  }
}

async function misbehaveOrAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  record: RecognitionRequest,
  service: Recognition,
  heard: Heard,
  signal: AbortSignal,
): Promise<void> {
  const { faults, latency } = service
  const extra = faults.hit(record, 'slow')?.seconds ?? 0
  const fault = faults.hit(record, 'error', 'hang', 'drop', 'html', 'garbage', 'loop', 'empty', 'emptyText')
  const failing = fault?.kind === 'error' || fault?.kind === 'html' || fault?.kind === 'drop'
  // What listening took counts as part of the latency that was asked for; a refusal does not wait for the model.
  const due =
    record.started + 1000 * (extra + (failing ? 0 : latency.base + latency.perSecond * record.seconds))
  await sleep(Math.max(0, due - Date.now()), undefined, { signal })
  if (fault?.kind === 'hang') return
  if (fault?.kind === 'drop') return void request.socket.destroy()
  if (fault?.kind === 'error') throw new Refusal(fault)
  record.status = fault?.kind === 'html' ? (fault.status ?? 502) : 200
  if (fault?.kind === 'html') return sendProxyPage(response, record.status)
  if (fault?.kind === 'garbage') {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"output":{"choices":[{"fini')
    return
  }
  const empty = fault?.kind === 'empty' || fault?.kind === 'emptyText'
  record.text =
    fault?.kind === 'loop' ? looped(heard.text, heard.joiner, fault.repeats) : empty ? '' : heard.text
  const content = record.text || fault?.kind === 'emptyText' ? [{ text: record.text }] : []
  sendJson(request, response, 200, answer(record, content, heard.language), record.at)
}

function answer(record: RecognitionRequest, content: { text: string }[], language: string | undefined) {
  const annotations = [
    { language: language ?? record.language ?? 'en', type: 'audio_info', emotion: 'neutral' },
  ]
  return {
    output: {
      choices: [
        {
          finish_reason: 'stop',
          message: { ...(content.length > 0 ? { annotations } : {}), content, role: 'assistant' },
        },
      ],
    },
    usage: {
      input_tokens_details: { text_tokens: tokens(record.context) },
      output_tokens_details: { text_tokens: tokens(record.text) },
      seconds: Math.ceil(record.seconds - 0.001),
    },
    request_id: randomUUID(),
  }
}

// Roughly: a token for each word, or for each sign where words are not divided.
function tokens(text = ''): number {
  return text.match(/\p{Script=Han}|[^\s\p{Script=Han}]+/gu)?.length ?? 0
}
