// An answer as a stream: frames with a few words each, over the time that writing them takes.
import type { CloudError } from '../errors.ts'
import { tokensOf } from './answer.ts'
import { type Delivery, saidOf, until } from './delivery.ts'
import type { Filtered, Said } from './dialect.ts'
import { countWords, piecesOf } from './units.ts'

/** Seconds between frames where words take time, and words of a frame where they do not. */
const PAUSE = 0.1
const WORDS = 8
const MIDST = 0.5

/** `filtered`: what a filter puts in the place of the second half. */
export async function streamAnswer(delivery: Delivery, filtered: Filtered | undefined): Promise<void> {
  const { request, response, record, order, dialect, answer, settings, faults } = delivery
  const { base, perWord } = settings.textLatency
  const broken = faults.hit(record, 'hangMidway', 'dropMidway', 'garbage', 'errorFrame', 'noFinish')
  const shape = faults.hit(record, 'singleNewlines', 'cumulative')
  const incremental = order.incremental && shape?.kind !== 'cumulative'
  const { stream } = order
  const words = perWord > 0 ? Math.max(1, Math.round(PAUSE / perWord)) : WORDS
  const stops =
    broken?.kind === 'hangMidway' || broken?.kind === 'dropMidway' || broken?.kind === 'errorFrame'
  const stopsAt = stops ? placeOf(broken) : filtered ? MIDST : 1
  let number = 0
  let tokens = 0

  const write = (frame: string) => {
    response.write(shape?.kind === 'singleNewlines' ? frame.replace(/(\r?\n)\r?\n$/, '$1') : frame)
  }
  const say = (text: string, finish: Said['finish'], first = false) => {
    const said = saidOf(delivery, incremental ? text : record.answer, finish, tokens)
    const thoughts = said.thoughts !== undefined && incremental && !first ? { thoughts: '' } : {}
    const body = dialect.say(order, { ...said, ...thoughts }, delivery.id)
    write(dialect.frame(body, { number: ++number, stream }))
  }
  const fail = (error: CloudError) => {
    const { status, code } = error
    Object.assign(record, { status, code })
    write(dialect.frame(dialect.errorBody(error), { number: ++number, stream, status }))
  }

  if (settings.lateTextHeaders) await until(delivery, 1000 * base)
  record.status = 200
  response.writeHead(200, dialect.streamHeaders(stream))
  response.flushHeaders()
  let done = 0
  let spoilt = false
  const total = countWords(answer.text)
  if (order.showsThoughts) {
    await until(delivery, 1000 * base)
    say('', null, true)
  }
  for (const piece of piecesOf(answer.text, words)) {
    if (stopsAt < 1 && done >= total * stopsAt) break
    done += countWords(piece)
    await until(delivery, 1000 * (base + perWord * done))
    if (broken?.kind === 'garbage' && !spoilt && done >= total * placeOf(broken)) {
      spoilt = true
      write(dialect.frame({}, { number: ++number, stream }).replace('{}', '{"output":{"ch'))
      continue
    }
    record.answer += piece
    tokens += tokensOf(piece)
    say(piece, null)
  }
  await until(delivery, 1000 * (base + perWord * done))
  if (broken?.kind === 'hangMidway') return
  if (broken?.kind === 'dropMidway') return void request.socket.destroy()
  if (broken?.kind === 'errorFrame') fail(broken)
  else if (filtered && 'error' in filtered) fail(filtered.error)
  else if (filtered && 'finish' in filtered) say('', filtered.finish)
  else if (broken?.kind !== 'noFinish') say('', answer.finish)
  response.end(dialect.end(stream))
}

function placeOf({ at = MIDST }: { at?: number }): number {
  return at
}
