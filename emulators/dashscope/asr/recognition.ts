// Synchronous recognition of DashScope: handles one request from its body to its response.
import { createHash, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Decoded, decode } from '../../audio-matching/decode.ts'
import type { Recording } from '../../audio-matching/library.ts'
import { type RecognisedAudio, recogniseSamples } from '../../audio-matching/match-audio.ts'
import { recogniseOnce } from '../../audio-matching/recognition-cache.ts'
import type { Billing } from '../bill.ts'
import { dashscopeErrors, Refusal } from '../errors.ts'
import { type Fault, type Faults, looped, type RecognitionRequest, shortened, whileHeld } from '../faults.ts'
import type { Forms } from '../forms.ts'
import { sendError, sendJson, sendProxyPage } from '../http.ts'
import { type GoneSettings, goneError } from '../models/gone.ts'
import { speechModel } from '../models/speech.ts'
import { contentRefused } from '../wording.ts'
import { inputAudioAnswer } from './input-audio-answer.ts'
import { type AsrRequest, readAsrRequest, unreadable } from './request.ts'

export interface AsrSettings {
  ffmpeg: string
  latency: { base: number; perSecond: number }
  maxSeconds: number
  maxBytes: number
  /** Folder of the recordings. */
  fixtures: string
  faults: Faults
  forms: Forms
  gone: GoneSettings
  billing: Billing
  library(): Promise<Recording[]>
  /** Counts a request against the limit per minute; false if it is used up. */
  admit(): boolean
}

const minSeconds = 0.5
// MP3 pads audio to whole frames, so audio of exactly the limit decodes slightly longer.
const codecPaddingSeconds = 0.25

/**
 * Responds to one request and updates its record. `body` is undefined if it is not JSON. The signal aborts when the
 * client disconnects or the server closes.
 */
export async function recognise(
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
  record: RecognitionRequest,
  service: AsrSettings,
  signal: AbortSignal,
): Promise<void> {
  try {
    record.model = modelOf(body)
    const gone = goneError(service.gone, record.model)
    if (gone) throw new Refusal(gone)
    const parsed = readAsrRequest(body, service)
    record.started = Date.now()
    updateRecord(record, parsed)
    if (!service.admit()) throw new Refusal(dashscopeErrors.rateQuota)
    const recognised = await recogniseAudio(parsed, record, service, signal)
    record.spokenText = recognised.text
    await respond(request, response, record, service, { recognised, ...parsed }, signal)
  } catch (error) {
    if (signal.aborted || request.socket.destroyed) return
    const refusal = error instanceof Refusal ? error.error : dashscopeErrors.internalError
    record.status = refusal.status
    sendError(request, response, refusal, record.at)
  }
}

/** Checks the length before recognising. */
async function recogniseAudio(
  parsed: AsrRequest,
  record: RecognitionRequest,
  service: AsrSettings,
  signal: AbortSignal,
): Promise<RecognisedAudio> {
  const check = (sound: Omit<Decoded, 'samples'>) => {
    updateRecord(record, sound)
    checkLength(sound, service.maxSeconds)
  }
  const cached = await recogniseOnce(parsed.audio, service.fixtures, async () => {
    const { samples, ...sound } = await decodeAudio(parsed, service, signal)
    check(sound)
    return { ...sound, recognised: await recogniseSamples(samples, await service.library()) }
  })
  check(cached)
  return cached.recognised
}

async function decodeAudio(parsed: AsrRequest, service: AsrSettings, signal: AbortSignal): Promise<Decoded> {
  try {
    return await decode({ bytes: parsed.audio }, service.ffmpeg, signal)
  } catch (error) {
    // A missing ffmpeg is not a fault of the audio.
    if (error instanceof Error && 'code' in error) throw error
    throw unreadable(service.forms)
  }
}

function checkLength({ seconds }: { seconds: number }, maxSeconds: number): void {
  if (seconds < minSeconds) throw new Refusal(dashscopeErrors.audioEmpty)
  if (seconds <= maxSeconds + codecPaddingSeconds) return
  throw new Refusal(dashscopeErrors.audioLength, `Audio length must be between 1s and ${maxSeconds}s.`)
}

function updateRecord(record: RecognitionRequest, known: AsrRequest | Omit<Decoded, 'samples'>): void {
  if ('audio' in known) {
    record.model = known.model
    record.mime = known.mime
    record.bytes = known.audio.length
    record.audioHash = createHash('sha256').update(known.audio).digest('hex')
    if (known.language !== undefined) record.language = known.language
    if (known.context !== undefined) record.context = known.context
  } else {
    record.seconds = known.seconds
    record.sampleRate = known.sampleRate
    if (known.bitRate !== undefined) record.bitRate = known.bitRate
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  record: RecognitionRequest,
  service: AsrSettings,
  { recognised, hasSpeakers }: { recognised: RecognisedAudio; hasSpeakers: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { faults, latency } = service
  await whileHeld(faults.hit(record, 'held'), signal)
  const extra = faults.hit(record, 'slow')?.seconds ?? 0
  const fault = faults.hit(record, ...answerFaults)
  const failing = ['error', 'refuse', 'html', 'drop'].includes(fault?.kind ?? '')
  // Time spent on recognition counts towards the configured latency; an error does not wait for the model.
  const due =
    record.started + 1000 * (extra + (failing ? 0 : latency.base + latency.perSecond * record.seconds))
  await sleep(Math.max(0, due - Date.now()), undefined, { signal })
  if (fault?.kind === 'hang') return
  if (fault?.kind === 'drop') return void request.socket.destroy()
  if (fault?.kind === 'error') throw new Refusal(fault)
  if (fault?.kind === 'refuse') throw new Refusal(contentRefused(service.forms))
  record.text = textOf(recognised, record, service.forms, fault)
  if (recognised.text === '' && record.text === '' && service.forms.silentChunks === 'error') {
    throw new Refusal(dashscopeErrors.noWords)
  }
  record.status = fault?.kind === 'html' ? (fault.status ?? 502) : 200
  if (fault?.kind === 'html') return sendProxyPage(response, record.status)
  charge(record, service.billing)
  if (fault?.kind === 'garbage') {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"output":{"choices":[{"fini')
    return
  }
  const content = record.text || fault?.kind === 'emptyText' ? [{ text: record.text }] : []
  const finish = fault?.kind === 'length' ? 'length' : 'stop'
  sendJson(
    request,
    response,
    200,
    answer(record, { content, finish }, recognised, { forms: service.forms, hasSpeakers }),
    record.at,
  )
}

const answerFaults = [
  ...(['error', 'refuse', 'hang', 'drop', 'html', 'garbage'] as const),
  ...(['loop', 'length', 'empty', 'emptyText'] as const),
]

function textOf(
  { text, joiner }: RecognisedAudio,
  { context = '' }: RecognitionRequest,
  { repeatsContext }: Forms,
  fault: Fault | undefined,
): string {
  if (fault?.kind === 'loop') return looped(text, joiner, fault.repeats)
  if (fault?.kind === 'length') return shortened(text, joiner, fault.at)
  if (fault?.kind === 'empty' || fault?.kind === 'emptyText') return ''
  return text === '' && repeatsContext ? context : text
}

/** Whole seconds of audio, as usage states them. */
function billedSeconds({ seconds }: RecognitionRequest): number {
  return Math.ceil(seconds - 0.001)
}

function charge(record: RecognitionRequest, billing: Billing): void {
  const use = { seconds: billedSeconds(record), inputTokens: 0, outputTokens: 0 }
  billing.add({ kind: 'chunk', model: record.model, ...use }, speechModel(record.model)?.price)
}

function modelOf(body: unknown): string {
  const model = (body as { model?: unknown } | null | undefined)?.model
  return typeof model === 'string' ? model : ''
}

function answer(
  record: RecognitionRequest,
  { content, finish }: { content: { text: string }[]; finish: string },
  recognised: RecognisedAudio,
  { forms, hasSpeakers }: { forms: Forms; hasSpeakers: boolean },
) {
  const { language = record.language ?? 'en' } = recognised
  if (speechModel(record.model)?.inputAudio) {
    const text = content[0]?.text ?? ''
    return inputAudioAnswer({ text, seconds: billedSeconds(record), recognised, hasSpeakers }, forms)
  }
  // A recorded answer of a dated snapshot had neither annotations nor seconds.
  const isAnnotated = forms.annotations === 'always' || !/-\d{4}-\d{2}-\d{2}$/.test(record.model)
  const annotations = [{ language, type: 'audio_info', emotion: 'neutral' }]
  return {
    output: {
      choices: [
        {
          finish_reason: finish,
          message: {
            ...(content.length > 0 && isAnnotated ? { annotations } : {}),
            content,
            role: 'assistant',
          },
        },
      ],
    },
    usage: {
      input_tokens_details: { text_tokens: tokens(record.context) },
      output_tokens_details: { text_tokens: tokens(record.text) },
      ...(isAnnotated && { seconds: billedSeconds(record) }),
    },
    request_id: randomUUID(),
  }
}

// Approximation: one token per word, or per Han character.
function tokens(text = ''): number {
  return text.match(/\p{Script=Han}|[^\s\p{Script=Han}]+/gu)?.length ?? 0
}
