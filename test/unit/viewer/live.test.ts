// How the page of a transcript looks for changes, on a clock of the test.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Source, ViewerData } from '../../../src/viewer/page/contract.ts'
import { createShown, type Shown } from '../../../src/viewer/page/shown.ts'
import { viewerDataOf } from '../../support/viewer-data.ts'

// By a name that the compiler does not follow: it knows no documents here.
const live = '../../../src/viewer/page/live.ts'
const { keepCurrent } = (await import(live)) as { keepCurrent(view: Shown, source: Source): unknown }

/** All that this part of the page needs of a document. */
function page() {
  const status = { textContent: '' }
  const listeners: (() => void)[] = []
  const document = {
    visibilityState: 'visible',
    addEventListener: (_: string, listener: () => void) => listeners.push(listener),
    getElementById: () => status,
  }
  vi.stubGlobal('document', document)
  return {
    status,
    turn(visibilityState: 'visible' | 'hidden') {
      Object.assign(document, { visibilityState })
      for (const listener of listeners) listener()
    },
  }
}

function watched(first: Partial<ViewerData>) {
  const shown = page()
  const there = { data: viewerDataOf(first), isBroken: false, asked: 0 }
  const source = {
    async revision() {
      there.asked++
      if (there.isBroken) throw new Error('The program of this page does not answer.')
      return there.data.revision
    },
    load: async () => there.data,
  } as Source
  const view = createShown(there.data)
  keepCurrent(view, source)
  return { ...shown, there, view }
}

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000)

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('a transcript that is done is looked at less and less often, until it changes', async () => {
  const { there, view, status } = watched({})
  await pass(1 + 10 + 20 + 40 + 80 + 120 + 120)
  expect(there.asked).toBe(6)
  there.data = viewerDataOf({ revision: 'r2', title: 'Monday' })
  await pass(120)
  expect([view.data.title, status.textContent]).toEqual(['Monday', 'The transcript has changed.'])
  await pass(10)
  expect(there.asked).toBe(8)
})

it('a running one is looked at every three seconds, and its end is said', async () => {
  const { there, view, status } = watched({ status: 'running' })
  there.data = viewerDataOf({ status: 'running', revision: 'r2', duration: 40 })
  await pass(3)
  expect([view.data.duration, status.textContent]).toEqual([40, ''])
  there.data = viewerDataOf({ status: 'completed', revision: 'r3' })
  await pass(3)
  expect([view.data.status, status.textContent]).toEqual(['completed', 'The transcript is done.'])
})

it('a failure is said once, ends nothing, and is taken back when the program answers again', async () => {
  const { there, view, status } = watched({ status: 'running' })
  there.isBroken = true
  await pass(3)
  expect(status.textContent).toBe('The program of this page does not answer.')
  status.textContent = ''
  await pass(20 + 40 + 80 + 120)
  expect([there.asked, status.textContent]).toEqual([5, ''])
  status.textContent = 'The program of this page does not answer.'
  Object.assign(there, {
    isBroken: false,
    data: viewerDataOf({ status: 'running', revision: 'r2', duration: 50 }),
  })
  await pass(120)
  expect([view.data.duration, status.textContent]).toEqual([50, ''])
  await pass(3)
  expect(there.asked).toBe(7)
})

it('nothing is asked while the page is out of view, and at once when it comes back', async () => {
  const { there, turn } = watched({ status: 'running' })
  turn('hidden')
  await pass(600)
  expect(there.asked).toBe(0)
  turn('visible')
  await pass(0)
  expect(there.asked).toBe(1)
})
