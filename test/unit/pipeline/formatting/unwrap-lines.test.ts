// unwrapLines: joins the wrapped lines of a page, and leaves dialogues and lists alone.
import { describe, expect, it } from 'vitest'
import { unwrapLines } from '../../../../src/pipeline/formatting/unwrap-lines.ts'

const page = [
  'and then leila said that the budget is',
  'not settled yet so nothing can be ordered',
  'before friday and viktor agreed',
  '',
  'the second point was the new office where',
  'the lease ends in may',
].join('\n')

describe('wrapped lines', () => {
  it('wrapped lines are joined into one line a paragraph', () => {
    expect(unwrapLines(page).split('\n\n')).toEqual([
      'and then leila said that the budget is not settled yet so nothing can be ordered before friday and viktor agreed',
      'the second point was the new office where the lease ends in may',
    ])
  })

  it('wrapped lines with Windows line ends are joined', () => {
    expect(unwrapLines(page.replaceAll('\n', '\r\n'))).toBe(unwrapLines(page))
  })

  it('wrapped Chinese lines are joined without a space', () => {
    const line = '我们今天讨论预算的问题和新办公室的租约还有下个月的会议安排以及其他事情'
    expect(unwrapLines([line, line, line].join('\n'))).toBe(line.repeat(3))
  })
})

describe('other lines', () => {
  it('300,000 short lines stay unchanged', () => {
    const text = 'yes\n'.repeat(300_000)
    expect(unwrapLines(text)).toBe(text)
  })

  it.each([
    ['a dialogue', 'are you coming tonight to the dinner\nno\nwhy not i thought you would\nbecause i am ill'],
    ['a line a paragraph', ['a '.repeat(90), 'b '.repeat(80), 'c '.repeat(95)].join('\n')],
    ['a list', 'milk\nbread\ncheese\nbutter'],
    ['two lines', 'the first line of this text is long\nand so is the second line of this'],
    ['one line', 'nothing to put together here'],
    ['an empty text', ''],
  ])('%s stays unchanged', (_, text) => {
    expect(unwrapLines(text)).toBe(text)
  })
})
