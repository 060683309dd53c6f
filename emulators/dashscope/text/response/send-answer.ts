// Sends an answer as one body or as a stream, and injects faults.
import { randomUUID } from 'node:crypto'
import { Refusal } from '../../errors.ts'
import { whileHeld } from '../../faults.ts'
import { sendProxyPage } from '../../http.ts'
import { writingSeconds } from '../answer.ts'
import type { BreakingFault, RefusingFault } from '../faults.ts'
import { type PendingAnswer, partOf, waitUntil } from './pending-answer.ts'
import { streamAnswer } from './stream-answer.ts'

type NewAnswer = Omit<PendingAnswer, 'id' | 'started' | 'extraMs'>

/** Resolves when everything is sent; a hanging response stays open. Throws a `Refusal` that the caller sends. */
export async function sendAnswer(newAnswer: NewAnswer): Promise<void> {
  const { request, response, record, parsed, protocol, faults } = newAnswer
  await whileHeld(faults.hit(record, 'held'), newAnswer.signal)
  const slow = faults.hit(record, 'slow')?.seconds ?? 0
  const pending = { ...newAnswer, id: randomUUID(), started: Date.now(), extraMs: 1000 * slow }
  const failure = faults.hit(record, 'error', 'refuse', 'hang', 'drop', 'html')
  if (failure && !(failure.kind === 'refuse' && failure.midway)) return refuse(pending, failure)
  const asJson = parsed.stream !== 'none' && faults.hit(record, 'jsonForStream') !== undefined
  const { forms } = newAnswer.settings
  const blocked = failure
    ? protocol.blocked({ reason: reasonOf(failure), midway: true, id: pending.id, forms })
    : undefined
  if (parsed.stream !== 'none' && !asJson) return await streamAnswer(pending, blocked)

  const broken = faults.hit(record, 'hangMidway', 'dropMidway', 'garbage', 'errorFrame', 'noFinish')
  await waitUntil(pending, 1000 * writingSeconds(newAnswer.answer, newAnswer.settings.textLatency))
  if (blocked && 'error' in blocked) throw new Refusal(blocked.error)
  if (broken?.kind === 'errorFrame') throw new Refusal(broken)
  const text = blocked ? '' : newAnswer.answer.text
  const reason = blocked && 'finish' in blocked ? blocked.finish : newAnswer.answer.finish
  const part = partOf(pending, text, broken?.kind === 'noFinish' ? undefined : reason)
  const body = protocol.body(parsed, part, pending.id)
  record.status = 200
  if (broken && broken.kind !== 'noFinish') return sendTruncated(pending, body, broken)
  record.answer = text
  protocol.send(request, response, 200, body, record.at)
}

function sendTruncated(
  { request, response }: PendingAnswer,
  body: object,
  { kind, at = 0.5 }: BreakingFault & { at?: number },
): void {
  const json = JSON.stringify(body)
  const truncated = json.slice(0, Math.floor(json.length * at))
  const headers = { 'content-type': 'application/json' }
  if (kind === 'garbage') return void response.writeHead(200, headers).end(truncated)
  response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(json) })
  response.write(truncated, () => kind === 'dropMidway' && request.socket.destroy())
}

async function refuse(pending: PendingAnswer, fault: RefusingFault): Promise<void> {
  const { request, response, record, protocol } = pending
  await waitUntil(pending, 0)
  if (fault.kind === 'hang') return
  if (fault.kind === 'drop') return void request.socket.destroy()
  if (fault.kind === 'error') throw new Refusal(fault)
  if (fault.kind === 'html') {
    record.status = fault.status ?? 502
    return sendProxyPage(response, record.status)
  }
  const { forms } = pending.settings
  const blocked = protocol.blocked({ reason: reasonOf(fault), midway: false, id: pending.id, forms })
  if ('error' in blocked) throw new Refusal(blocked.error)
  record.status = 200
  if (!('body' in blocked)) return
  const { stream } = pending.parsed
  if (stream === 'none') return protocol.send(request, response, 200, blocked.body, record.at)
  response.writeHead(200, protocol.streamHeaders(stream))
  response.end(protocol.frame(blocked.body, { number: 1, stream }) + protocol.end(stream))
}

function reasonOf(fault: RefusingFault): string | undefined {
  return fault.kind === 'refuse' ? fault.reason : undefined
}
