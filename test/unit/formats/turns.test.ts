// Outputs of long recordings leave the event loop to other work.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { slices } from '../../../src/domain/waiting/turns.ts'
import { checkFormat, formatNames, outputFormats, renderFormat } from '../../../src/formats/index.ts'
import { longTranscript } from '../../support/transcripts.ts'

const whole = longTranscript('tr_long')
const long = { ...whole, segments: whole.segments.slice(0, 30) }
const wordCount = long.segments.flatMap(({ words = [] }) => words).length

/** Never goes back: a turn of an earlier test would seem to begin later than now. */
let milliseconds = performance.now()

/** Counts the turns of the event loop during some work in which each step takes a millisecond. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  // The turn of an earlier test would be shared.
  await nextTurn()
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => milliseconds++)
  let turns = 0
  const count = () => {
    turns++
    next = setImmediate(count)
  }
  let next = setImmediate(count)
  await work()
  clearImmediate(next)
  clock.mockRestore()
  return turns
}

it.each(formatNames)('other work runs between a few steps of writing %s', async format => {
  const { check } = outputFormats[format] as { check?: unknown }
  const steps = check ? wordCount : long.segments.length
  const turns = await turnsDuring(() => renderFormat(long, format, { preset: 'social' }))
  // Paragraphs are made of six segments, and four of them are a turn.
  expect(turns).toBeGreaterThan(steps / 30)
})

it('other work runs between a few steps of a check', async () => {
  expect(await turnsDuring(() => checkFormat(long, 'srt'))).toBeGreaterThan(wordCount / 5)
})

it('other work runs between the parts of many works at once', async () => {
  // Each part takes a whole turn.
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (milliseconds += 5))
  const order: string[] = []
  let isOver = false
  const other = async () => {
    while (!isOver) {
      await nextTurn()
      order.push('other')
    }
  }
  const work = async (name: number) => {
    for (let part = 0; part < 3; part++) for await (const _ of slices([part])) order.push(`part of ${name}`)
  }
  const ended = other()
  await Promise.all(Array.from({ length: 8 }, (_, name) => work(name)))
  isOver = true
  await ended
  clock.mockRestore()
  expect(order.filter(entry => entry !== 'other')).toHaveLength(24)
  const inARow = order.filter((entry, i) => entry !== 'other' && /part/.test(order[i + 1] ?? ''))
  expect(inARow).toEqual([])
})
