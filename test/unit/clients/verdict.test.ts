// The report of a run on its witness: a number that counts each error, and calls that are missing.
import { expect, it } from 'vitest'
import { noFindings } from '../../clients/witness/conversation.ts'
import { summary, verdict } from '../../clients/witness/verdict.ts'

it('no error is 0', () => {
  expect(verdict({ ...noFindings(), answeredCalls: 200 }, 200)).toEqual({
    scenario: 'protocol',
    ok: true,
    detail: '0',
  })
})

it('too few calls are an error, and no 0', () => {
  expect(verdict({ ...noFindings(), answeredCalls: 12 }, 200)).toMatchObject({
    ok: false,
    detail: '1: only 12 of 200 calls have a result',
  })
})

it('the same error twice is counted twice and told once', () => {
  const problems = ['The server sent nothing.', 'The server sent nothing.']
  expect(verdict({ ...noFindings(), answeredCalls: 200, problems }, 200).detail).toBe(
    '2: The server sent nothing.',
  )
})

it('requests that the killed server left open are told', () => {
  expect(summary({ ...noFindings(), messages: 3, cutOff: ['tools/call'] })).toBe(
    'The witness heard 3 messages, and results of 0 calls. The killed server left 1 open: tools/call.',
  )
})
