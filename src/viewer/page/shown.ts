// The transcript that is shown: it may change while the page is open.
import type { ViewerData } from './contract.ts'

export interface Shown {
  /** Always the same object, with the transcript as it is now. */
  readonly data: ViewerData
  set(data: ViewerData): void
  /** Listeners are called in the order in which they were added, with the transcript as it was before. */
  onChange(listener: (before: ViewerData) => void): void
}

export function createShown(first: ViewerData): Shown {
  const data = { ...first }
  const listeners: ((before: ViewerData) => void)[] = []
  return {
    data,
    set(changed) {
      const before = { ...data }
      for (const key of Object.keys(data) as (keyof ViewerData)[]) delete (data as Partial<ViewerData>)[key]
      Object.assign(data, changed)
      for (const listener of listeners) listener(before)
    },
    onChange: listener => void listeners.push(listener),
  }
}
