// Calls and judges the answers: in time, with a code, and without a trace of the program's inside.
import type { Door, Reply } from './door.ts'
import { usualWaitSeconds } from './home.ts'
import type { Tally } from './tally.ts'

export interface Answer extends Reply {
  isError: boolean
  /** Text of a tool's result, or the message of an error response. */
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: rounds look into it freely
  data: any
  /** Seconds until the answer. */
  seconds: number
  /** Undefined if the answer is as it should be, whether it is a success or an error. */
  fault: string | undefined
}

/** Seconds that an answer may take beyond `wait_seconds`; for tools and methods without it, in all. */
const maxOverSeconds = { waiting: 1, other: 5 }
/** A call that is late may still come; after this long beyond its limit it counts as lost. */
const lostAfterMs = 10_000

const waitingTools = new Set(['transcribe_audio', 'diarize_audio', 'get_transcript'])
const internalError = -32603

export function callTool(
  door: Door,
  name: string,
  args: Record<string, unknown>,
  tally?: Tally,
): Promise<Answer> {
  return request(door, 'tools/call', { name, arguments: args }, tally, timesOf(name, args))
}

interface Times {
  waitSeconds: number
  maxOverSeconds: number
}

export async function request(
  door: Pick<Door, 'request'>,
  method: string,
  params: Record<string, unknown>,
  tally?: Tally,
  { waitSeconds, maxOverSeconds: over }: Times = { waitSeconds: 0, maxOverSeconds: maxOverSeconds.other },
): Promise<Answer> {
  const limitSeconds = waitSeconds + over
  const started = performance.now()
  const reply = await door.request(method, params, limitSeconds * 1000 + lostAfterMs)
  const seconds = (performance.now() - started) / 1000
  tally?.took(seconds)
  const isError = reply.error !== undefined || reply.result?.isError === true
  const blocks = (reply.result?.content ?? []) as { text?: string }[]
  const text = reply.error?.message ?? blocks.map(block => block.text ?? '').join('\n')
  const answer = { ...reply, isError, text, data: reply.result?.structuredContent ?? {}, seconds }
  return { ...answer, fault: faultOf(answer, limitSeconds) }
}

/** A tool waits for `wait_seconds` if it knows that argument and the value fits. */
function timesOf(name: string, args: Record<string, unknown>): Times {
  if (!waitingTools.has(name)) return { waitSeconds: 0, maxOverSeconds: maxOverSeconds.other }
  const given = args.wait_seconds
  if (given === undefined) return { waitSeconds: usualWaitSeconds, maxOverSeconds: maxOverSeconds.waiting }
  const fits = Number.isInteger(given) && (given as number) >= 0 && (given as number) <= 240
  return fits
    ? { waitSeconds: given as number, maxOverSeconds: maxOverSeconds.waiting }
    : { waitSeconds: 0, maxOverSeconds: maxOverSeconds.other }
}

function faultOf(answer: Omit<Answer, 'fault'>, limitSeconds: number): string | undefined {
  const { lost, error, isError, text, seconds, result, status } = answer
  if (lost) return `no answer (${lost}) after ${seconds.toFixed(1)} s`
  if (seconds > limitSeconds) return `late: ${seconds.toFixed(1)} s, limit ${limitSeconds} s`
  if (error?.code === internalError) return `internal error: ${text.slice(0, 200)}`
  // Node itself refuses a header that is too long, without a message of the protocol.
  const isRefused = status !== undefined && status >= 400 && status < 500
  if (!result && !error && !isRefused) return `neither result nor error (HTTP ${status})`
  if (isError && /^INTERNAL\b/.test(text)) return text.slice(0, 200)
  if (/\n\s+at \S+ \(|node_modules|dist\/(?:chunks|vendor)/.test(text))
    return `stack trace: ${text.slice(0, 200)}`
  return undefined
}
