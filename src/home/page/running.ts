// The jobs under way, each with its bar.
import { byId, make, say } from '../../viewer/page/elements.ts'
import { clock } from '../../viewer/page/times.ts'
import type { Me, RunningJob } from './contract.ts'
import { whileBusy } from './focus.ts'
import { createKeyedList } from './keyed-list.ts'
import { call } from './server.ts'
import type { Guard } from './transcripts.ts'

interface Drawn {
  bar: HTMLProgressElement
  state: HTMLParagraphElement
  title: string
}

export function createRunning(guarded: Guard) {
  const [section, list] = [byId('running', 'section'), byId('jobs', 'ul')]
  const { draw } = createKeyedList(list)
  let drawn = new Map<string, Drawn>()
  let me: Me | undefined

  function itemOf({ id, title }: RunningJob): HTMLLIElement {
    const item = make('li')
    const heading = make('h3', '', title)
    heading.dir = 'auto'
    const [bar, state] = [make('progress'), make('p', 'state')]
    bar.setAttribute('aria-label', title)
    item.append(heading, bar, state)
    if (me?.may.includes('cancel_transcription')) {
      const stop = make('button', '', 'Cancel')
      stop.type = 'button'
      stop.setAttribute('aria-label', `Cancel ${title}`)
      stop.addEventListener('click', () => {
        const work = async () => {
          await call('cancel_transcription', { transcript_id: id })
          say('Cancelled. The text so far is kept.')
        }
        void guarded(() => whileBusy(stop, work))
      })
      item.append(stop)
    }
    drawn.set(id, { bar, state, title })
    return item
  }

  return {
    begin(as: Me): void {
      me = as
    },
    /** True where a job is there no more. */
    show(jobs: RunningJob[]): boolean {
      draw(jobs.map(job => ({ key: job.id, look: job.title, make: () => itemOf(job) })))
      const ids = new Set(jobs.map(({ id }) => id))
      const ended = [...drawn].filter(([id]) => !ids.has(id))
      drawn = new Map([...drawn].filter(([id]) => ids.has(id)))
      for (const { id, progress } of jobs) {
        const { bar, state } = drawn.get(id)!
        const { done, total, message } = progress
        const of = total ? `${clock(done)} of ${clock(total)}` : ''
        state.textContent = [message, of].filter(Boolean).join(' · ')
        if (total) {
          bar.max = total
          bar.value = done
        } else bar.removeAttribute('value')
      }
      section.hidden = jobs.length === 0
      if (ended.length > 0) say(`No longer in progress: ${ended.map(([, { title }]) => title).join(', ')}.`)
      return ended.length > 0
    },
    clear(): void {
      draw([])
      drawn = new Map()
      section.hidden = true
    },
  }
}
