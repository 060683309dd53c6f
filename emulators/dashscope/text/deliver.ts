// How an answer reaches the client: at once, or word by word in frames; and how that goes wrong.
import { randomUUID } from 'node:crypto'
import { Refusal } from '../errors.ts'
import { sendProxyPage } from '../http.ts'
import { workFor } from './answer.ts'
import { type Delivery, saidOf, until } from './delivery.ts'
import type { BreakingFault, RefusingFault } from './faults.ts'
import { streamAnswer } from './stream.ts'

type Outset = Omit<Delivery, 'id' | 'started' | 'slowness'>

/** Resolves when there is nothing left to send; one that hangs stays open. Throws a `Refusal` that is yet to be told. */
export async function deliver(outset: Outset): Promise<void> {
  const { request, response, record, order, dialect, faults } = outset
  const slow = faults.hit(record, 'slow')?.seconds ?? 0
  const delivery = { ...outset, id: randomUUID(), started: Date.now(), slowness: 1000 * slow }
  const instead = faults.hit(record, 'error', 'refuse', 'hang', 'drop', 'html')
  if (instead && !(instead.kind === 'refuse' && instead.midway)) return refuse(delivery, instead)
  const asJson = order.stream !== 'none' && faults.hit(record, 'jsonForStream') !== undefined
  const end = instead ? dialect.filtered(reasonOf(instead), true, delivery.id) : undefined
  if (order.stream !== 'none' && !asJson) return await streamAnswer(delivery, end)

  const broken = faults.hit(record, 'hangMidway', 'dropMidway', 'garbage', 'errorFrame', 'noFinish')
  await until(delivery, 1000 * workFor(outset.answer, outset.settings.textLatency))
  if (end && 'error' in end) throw new Refusal(end.error)
  if (broken?.kind === 'errorFrame') throw new Refusal(broken)
  const text = end ? '' : outset.answer.text
  const reason = end && 'finish' in end ? end.finish : outset.answer.finish
  const said = saidOf(delivery, text, broken?.kind === 'noFinish' ? undefined : reason)
  const body = dialect.say(order, said, delivery.id)
  record.status = 200
  if (broken && broken.kind !== 'noFinish') return sendHalf(delivery, body, broken)
  record.answer = text
  dialect.send(request, response, 200, body, record.at)
}

function sendHalf(
  { request, response }: Delivery,
  body: object,
  { kind, at = 0.5 }: BreakingFault & { at?: number },
): void {
  const json = JSON.stringify(body)
  const half = json.slice(0, Math.floor(json.length * at))
  const headers = { 'content-type': 'application/json' }
  if (kind === 'garbage') return void response.writeHead(200, headers).end(half)
  response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(json) })
  response.write(half, () => kind === 'dropMidway' && request.socket.destroy())
}

async function refuse(delivery: Delivery, fault: RefusingFault): Promise<void> {
  const { request, response, record, dialect } = delivery
  await until(delivery, 0)
  if (fault.kind === 'hang') return
  if (fault.kind === 'drop') return void request.socket.destroy()
  if (fault.kind === 'error') throw new Refusal(fault)
  if (fault.kind === 'html') {
    record.status = fault.status ?? 502
    return sendProxyPage(response, record.status)
  }
  const filtered = dialect.filtered(reasonOf(fault), false, delivery.id)
  if ('error' in filtered) throw new Refusal(filtered.error)
  record.status = 200
  if (!('body' in filtered)) return
  const { stream } = delivery.order
  if (stream === 'none') return dialect.send(request, response, 200, filtered.body, record.at)
  response.writeHead(200, dialect.streamHeaders(stream))
  response.end(dialect.frame(filtered.body, { number: 1, stream }) + dialect.end(stream))
}

function reasonOf(fault: RefusingFault): string | undefined {
  return fault.kind === 'refuse' ? fault.reason : undefined
}
