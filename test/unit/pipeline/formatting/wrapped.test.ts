// Text that comes in lines: those of a page are put together, those of a dialogue or a list stay.
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

describe('the lines of a page', () => {
  it('become one a paragraph', () => {
    expect(unwrapLines(page).split('\n\n')).toEqual([
      'and then leila said that the budget is not settled yet so nothing can be ordered before friday and viktor agreed',
      'the second point was the new office where the lease ends in may',
    ])
  })

  it('become one where they end as on Windows', () => {
    expect(unwrapLines(page.replaceAll('\n', '\r\n'))).toBe(unwrapLines(page))
  })

  it('join without a blank in Chinese', () => {
    const line = '我们今天讨论预算的问题和新办公室的租约还有下个月的会议安排以及其他事情'
    expect(unwrapLines([line, line, line].join('\n'))).toBe(line.repeat(3))
  })
})

describe('other lines stay as they are', () => {
  it('hundreds of thousands of them', () => {
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
  ])('%s', (_, text) => {
    expect(unwrapLines(text)).toBe(text)
  })
})
