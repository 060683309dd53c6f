// Streams an answer: frames of a few words, at the configured speed.
import type { CloudError } from '../../errors.ts'
import { tokensOf } from '../answer.ts'
import { countWords, piecesOf } from '../formatting/words.ts'
import type { AnswerPart, BlockedAnswer } from '../protocol.ts'
import { type PendingAnswer, partOf, waitUntil } from './pending-answer.ts'

/** Interval of frames if words take time; words per frame if they do not. */
const frameIntervalSeconds = 0.1
const wordsPerFrame = 8
const middle = 0.5

/** `blocked`: the content filter's replacement for the second half. */
export async function streamAnswer(
  pending: PendingAnswer,
  blocked: BlockedAnswer | undefined,
): Promise<void> {
  const { request, response, record, parsed, protocol, answer, settings, faults } = pending
  const { base, perWord } = settings.textLatency
  const broken = faults.hit(record, 'hangMidway', 'dropMidway', 'garbage', 'errorFrame', 'noFinish')
  const format = faults.hit(record, 'singleNewlines', 'cumulative')
  const incremental = parsed.incremental && format?.kind !== 'cumulative'
  const { stream } = parsed
  const words = perWord > 0 ? Math.max(1, Math.round(frameIntervalSeconds / perWord)) : wordsPerFrame
  const isCutOff =
    broken?.kind === 'hangMidway' || broken?.kind === 'dropMidway' || broken?.kind === 'errorFrame'
  const stopsAt = isCutOff ? positionOf(broken) : blocked ? middle : 1
  let number = 0
  let tokens = 0

  const write = (frame: string) => {
    response.write(format?.kind === 'singleNewlines' ? frame.replace(/(\r?\n)\r?\n$/, '$1') : frame)
  }
  const sendPart = (text: string, finish: AnswerPart['finish'], first = false) => {
    const part = partOf(pending, incremental ? text : record.answer, finish, tokens)
    const thoughts = part.thoughts !== undefined && incremental && !first ? { thoughts: '' } : {}
    const body = protocol.body(parsed, { ...part, ...thoughts }, pending.id)
    write(protocol.frame(body, { number: ++number, stream }))
  }
  const fail = (error: CloudError) => {
    const { status, code } = error
    Object.assign(record, { status, code })
    write(protocol.frame(protocol.errorBody(error), { number: ++number, stream, status }))
  }

  if (settings.lateTextHeaders) await waitUntil(pending, 1000 * base)
  record.status = 200
  response.writeHead(200, protocol.streamHeaders(stream))
  response.flushHeaders()
  let done = 0
  let isCorrupted = false
  const total = countWords(answer.text)
  if (parsed.showsThoughts) {
    await waitUntil(pending, 1000 * base)
    sendPart('', null, true)
  }
  for (const piece of piecesOf(answer.text, words)) {
    if (stopsAt < 1 && done >= total * stopsAt) break
    done += countWords(piece)
    await waitUntil(pending, 1000 * (base + perWord * done))
    if (broken?.kind === 'garbage' && !isCorrupted && done >= total * positionOf(broken)) {
      isCorrupted = true
      write(protocol.frame({}, { number: ++number, stream }).replace('{}', '{"output":{"ch'))
      continue
    }
    record.answer += piece
    tokens += tokensOf(piece)
    sendPart(piece, null)
  }
  await waitUntil(pending, 1000 * (base + perWord * done))
  if (broken?.kind === 'hangMidway') return
  if (broken?.kind === 'dropMidway') return void request.socket.destroy()
  if (broken?.kind === 'errorFrame') fail(broken)
  else if (blocked && 'error' in blocked) fail(blocked.error)
  else if (blocked && 'finish' in blocked) sendPart('', blocked.finish)
  else if (broken?.kind !== 'noFinish') sendPart('', answer.finish)
  response.end(protocol.end(stream))
}

function positionOf({ at = middle }: { at?: number }): number {
  return at
}
