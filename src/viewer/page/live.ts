// Keeps the page current: a transcript may be renamed or formatted elsewhere, or its job goes on.
import type { Source } from './contract.ts'
import { say, unsay } from './elements.ts'
import type { Shown } from './shown.ts'

export interface Live {
  /** Shows the transcript as it is now. */
  refresh(): Promise<void>
}

const runningMs = 3_000
/** Of a transcript that is done: longer each time in which it has not changed. */
const [leastMs, mostMs] = [10_000, 120_000]

export function keepCurrent(view: Shown, source: Source): Live {
  let pauseMs = leastMs
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Of the newest `refresh`: an earlier one may be answered later. */
  let turn = 0
  /** The error of the last look, as it was said. */
  let failure: string | undefined

  async function refresh(): Promise<void> {
    const own = ++turn
    const data = await source.load()
    if (own === turn && data.revision !== view.data.revision) view.set(data)
  }

  async function look(): Promise<void> {
    clearTimeout(timer)
    if (document.visibilityState === 'hidden') return
    const own = turn
    try {
      const { revision, status } = view.data
      const found = await source.revision()
      if (failure !== undefined) unsay(failure)
      if (found === revision || own !== turn) pauseMs = Math.min(pauseMs * 2, mostMs)
      else {
        pauseMs = leastMs
        await refresh()
        const isOver = view.data.status !== 'running'
        if (isOver) say(status === 'running' ? 'The transcript is done.' : 'The transcript has changed.')
      }
      failure = undefined
      timer = setTimeout(look, view.data.status === 'running' ? runningMs : pauseMs)
    } catch (error) {
      // Deleted, or the program has ended. What is shown stays.
      const isFirst = failure === undefined
      failure = (error as Error).message
      if (isFirst) say(failure)
      pauseMs = Math.min(pauseMs * 2, mostMs)
      timer = setTimeout(look, pauseMs)
    }
  }

  document.addEventListener('visibilitychange', () => {
    pauseMs = leastMs
    void look()
  })
  timer = setTimeout(look, view.data.status === 'running' ? runningMs : pauseMs)
  return { refresh }
}
